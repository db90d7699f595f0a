"""What leaves: nothing before the transaction that wanted it has committed.

A row of ``internal.outbox`` is written with the change that causes it, under a key that makes a
second writing harmless. A worker then delivers it. Rows of one ordering_key (a conversation) leave in
order. A delivery of which we cannot know whether it arrived is ``unknown`` and is reconciled, never
blindly repeated.

States: queued → sending → sent | failed | unknown; unknown → sent | queued; queued → cancelled.
Proof from outside (``confirm``) makes anything that may have arrived ``sent``.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

import asyncpg

from selify.core import metrics
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.logging import get_logger, traced
from selify.core.outage import retry_while_db_down
from selify.core.queue import outbox_rows
from selify.core.queue.claims import NOBODY, Round, by_index, go_round, held, turns
from selify.core.queue.inbox import LONGEST_WAIT, backoff
from selify.core.queue.lease import heartbeat
from selify.core.queue.payload import Payload

log = get_logger(__name__)

LEASE = timedelta(seconds=15)
# A delivery whose worker was killed so often is taken for the reason, and ends.
MAX_LOST = 5
RECONCILE_AFTER = timedelta(seconds=8)
RECONCILE_AT_LEAST = timedelta(hours=1)
# Of so many accounts one worker finds out at once what arrived.
MOST_ASKED = 64
FIRST_RETRY = timedelta(seconds=2)
ACTOR = Actor.system("outbox")
# The code of what surely did not arrive, however often it was tried.
GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """One thing to deliver. ``attempts`` counts real tries: no waits, and none that ended with its
    worker (``lost``).
    """

    id: UUID
    channel: str
    key: str
    ordering_key: str
    payload: dict[str, Any]
    workspace_id: UUID | None
    account_id: UUID | None
    attempts: int
    max_attempts: int
    trace: str
    created_at: datetime
    lost: int = 0

    @property
    def tries(self) -> int:
        """How often it was tried, whatever became of it."""
        return self.attempts + self.lost


@dataclass(frozen=True, slots=True)
class Sent:
    """It arrived. ``result`` is what the other side said of it."""

    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now (rate limit, pause): the try does not count."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Retry:
    """It did not arrive, or may be repeated without harm; try again. ``after`` overrides the usual
    back-off. ``code``: how it ends when there are no more tries.
    """

    reason: str
    after: timedelta | None = None
    code: str = GAVE_UP


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never arrive, and why: ``code`` is stable."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have arrived."""

    reason: str


Outcome = Sent | Deferred | Retry | Failed | Unknown


class Channel(Protocol):
    """How one kind of delivery is made."""

    async def send(self, delivery: OutboxMessage) -> Outcome:
        """Deliver, outside any transaction."""

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        """Find out whether an ``unknown`` delivery arrived: Sent, Retry (it did not) or Deferred."""

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        """Write down what follows, in the transaction that marks the row. Not called for Deferred."""


async def enqueue(
    tx: Tx,
    *,
    channel: str,
    key: str,
    payload: Payload,
    ordering_key: str,
    workspace_id: UUID | None = None,
    account_id: UUID | None = None,
    now: datetime,
    not_before: datetime | None = None,
) -> UUID | None:
    """Queue a delivery; ``None`` when this key was queued before. ``not_before``: reckoned from ``now``,
    when it is due unless something else is said.
    """
    entry = outbox_rows.Entry(key, ordering_key, payload, not_before)
    queued = await outbox_rows.enqueue(
        tx, [entry], channel=channel, workspace_id=workspace_id, account_id=account_id, now=now
    )
    return entry.id if queued else None


async def confirm(
    tx: Tx, delivery_id: UUID, *, result: Mapping[str, Any], at: datetime
) -> OutboxMessage | None:
    """There is proof that it arrived (an echo), whatever we thought: mark it as sent.

    ``None`` when it has been settled meanwhile. What follows from it is the caller's to write down.
    """
    row = await tx.fetch_one(
        f"""
        UPDATE internal.outbox o
           SET state = 'sent', result = $2, sent_at = $3, last_error = NULL, leased_until = NULL,
               updated_at = $3
         WHERE id = $1 AND state IN ('queued', 'unknown', 'failed', 'cancelled')
        RETURNING {_COLUMNS}
        """,
        delivery_id,
        dict(result),
        at,
    )
    return _delivery(row) if row else None


class OutboxWorker:
    """Delivers what is due, several keys side by side."""

    def __init__(
        self,
        database: Database,
        channels: Mapping[str, Channel],
        *,
        clock: Clock,
        worker_id: str,
        parallel: int = 16,
    ) -> None:
        self._database = database
        self._channels = channels
        self._clock = clock
        self._worker_id = worker_id
        self._parallel = parallel
        self._sending, self._doubtful = Round(), Round()
        self._reconciling: dict[UUID | None, asyncio.Task[None]] = {}

    async def run_once(self) -> int:
        """Deliver one batch; how many rows were claimed."""
        due = await self._take(self._sending, _CLAIM, self._parallel)
        async with heartbeat(partial(self._renew, [delivery.id for delivery in due]), LEASE):
            await asyncio.gather(*(self._deliver(delivery) for delivery in due))
        return len(due)

    async def _take(self, turn: Round, statement: str, room: int) -> list[OutboxMessage]:
        return await go_round(
            self._database,
            ACTOR,
            lambda tx: claim(
                tx,
                worker_id=self._worker_id,
                now=self._clock.now(),
                limit=room,
                channels=list(self._channels),
                turn=turn,
                statement=statement,
            ),
            turn,
        )

    async def recover(self) -> int:
        """A row whose worker died while sending may have arrived: it becomes ``unknown``. How many rows
        in doubt are looked into from now on: that may take minutes, and nobody waits for it here.
        """
        now = self._clock.now()
        async with by_index(self._database, ACTOR) as tx:
            await tx.execute(
                """
                UPDATE internal.outbox
                   SET state = 'unknown', leased_until = NULL, not_before = $1, updated_at = $1,
                       last_error = 'The worker stopped while sending.',
                       attempts = greatest(0, attempts - 1), lost = lost + 1
                 WHERE state = 'sending' AND leased_until < $1
                """,
                now,
            )
            await tx.execute(_FIRST_AGAIN)
        room = min(self._parallel, MOST_ASKED - len(self._reconciling))
        doubtful = await self._take(self._doubtful, _CLAIM_UNKNOWN, room) if room > 0 else []
        by_account: dict[UUID | None, list[OutboxMessage]] = defaultdict(list)
        for delivery in doubtful:
            by_account[delivery.account_id].append(delivery)
        busy = [by_account.pop(one) for one in [*by_account] if one in self._reconciling]
        await self._let_go([delivery.id for deliveries in busy for delivery in deliveries])
        for account_id, deliveries in by_account.items():
            task = asyncio.create_task(self._reconcile_in_turn(deliveries))
            self._reconciling[account_id] = task
            task.add_done_callback(partial(self._found_out, account_id))
        return sum(map(len, by_account.values()))

    def _found_out(self, account_id: UUID | None, _: asyncio.Task[None]) -> None:
        del self._reconciling[account_id]

    async def finish_reconciling(self) -> None:
        """Wait until everything is found out that is being looked into."""
        while self._reconciling:
            await asyncio.wait(self._reconciling.values())

    async def stop_reconciling(self) -> None:
        """It is only asked about: somebody else asks again once the lease has run out."""
        tasks = [*self._reconciling.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _let_go(self, ids: Sequence[UUID]) -> None:
        """In doubt, and to be claimed again: their account is being asked about others of its own."""
        if not ids:
            return
        async with self._database.statements(ACTOR) as tx:
            await tx.execute(
                """
                UPDATE internal.outbox SET leased_until = NULL
                 WHERE id = ANY ($1) AND worker_id = $2 AND state = 'unknown'
                """,
                ids,
                self._worker_id,
            )

    async def _reconcile_in_turn(self, deliveries: Sequence[OutboxMessage]) -> None:
        """One after another: to find out is slow, and those asked do not like to be hurried."""
        async with heartbeat(partial(self._renew, [one.id for one in deliveries]), LEASE):
            for delivery in deliveries:
                await self._reconcile(delivery)

    async def _renew(self, held: Sequence[UUID]) -> None:
        async with self._database.statements(ACTOR) as tx:
            await tx.execute(
                """
                UPDATE internal.outbox SET leased_until = $3
                 WHERE id = ANY ($1) AND worker_id = $2 AND leased_until IS NOT NULL
                """,
                held,
                self._worker_id,
                self._clock.now() + LEASE,
            )

    async def _deliver(self, delivery: OutboxMessage) -> None:
        with traced(delivery.trace):
            try:
                outcome = await self._channels[delivery.channel].send(delivery)
            except Exception as error:
                log.exception("delivery broke", key=delivery.key)
                outcome = Unknown(f"{type(error).__name__}: {error}")
            try:
                # What is known of it must not be forgotten because the database is away for a moment.
                await retry_while_db_down(partial(self._finish, delivery, outcome, state="sending"))
            except Exception:
                # The row keeps its lease until it runs out; then it is in doubt. The others of its
                # batch go on.
                log.exception("the outcome of a delivery could not be stored", key=delivery.key)

    async def _reconcile(self, delivery: OutboxMessage) -> None:
        with traced(delivery.trace):
            try:
                outcome = await self._channels[delivery.channel].reconcile(delivery)
            except Exception as error:  # noqa: BLE001 - still unknown
                outcome = Unknown(f"{type(error).__name__}: {error}")
            try:
                await retry_while_db_down(partial(self._finish, delivery, outcome, state="unknown"))
            except Exception as error:
                log.exception("what was found out could not be stored", key=delivery.key)
                await self._put_off(delivery, error)

    async def _put_off(self, delivery: OutboxMessage, error: Exception) -> None:
        """Asked about ever more seldom, so that one such row does not stand in the way of others."""
        now = self._clock.now()
        rest = min(max(now - delivery.created_at, RECONCILE_AFTER), RECONCILE_AT_LEAST)
        try:
            async with self._database.statements(ACTOR) as tx:
                await tx.execute(
                    """
                    UPDATE internal.outbox
                       SET not_before = $3, leased_until = NULL, last_error = $4, updated_at = $5
                     WHERE id = $1 AND worker_id = $2 AND state = 'unknown'
                    """,
                    delivery.id,
                    self._worker_id,
                    now + rest,
                    f"{type(error).__name__}: {error}"[:1000],
                    now,
                )
        except Exception:
            log.exception("a delivery in doubt could not be put off", key=delivery.key)

    async def _finish(self, delivery: OutboxMessage, outcome: Outcome, *, state: str) -> None:
        metrics.deliveries.labels(delivery.channel, type(outcome).__name__.lower()).inc()
        if isinstance(outcome, Retry):
            if delivery.lost >= MAX_LOST:
                outcome = Failed(outcome.code, "It stopped the worker each time it was tried.")
            elif delivery.attempts >= delivery.max_attempts:
                outcome = Failed(outcome.code, outcome.reason)
        async with by_index(self._database, ACTOR) as tx:
            if await self._mark(tx, delivery, outcome, state) and not isinstance(outcome, Deferred):
                await self._channels[delivery.channel].on_outcome(tx, delivery, outcome)

    async def _mark(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome, state: str) -> bool:
        """Write the outcome down; false when the row is no longer ours."""
        now = self._clock.now()
        new_state, not_before, error, result, counted = "queued", now, None, None, 0
        match outcome:
            case Sent(said):
                new_state, result = "sent", dict(said)
            case Deferred(until, reason):
                not_before, error = min(until, now + LONGEST_WAIT), reason
                counted = -1
            case Retry(reason, after):
                rest = after if after is not None else backoff(delivery.attempts, FIRST_RETRY)
                if delivery.lost > 1:  # apart from those that were merely claimed together with it
                    rest = max(rest, backoff(delivery.lost, FIRST_RETRY) * random.random())
                not_before = now + min(rest, LONGEST_WAIT)
                error = reason
            case Failed(code, reason):
                new_state, error, result = "failed", reason, {"code": code}
            case Unknown(reason):
                new_state, not_before, error = "unknown", now + RECONCILE_AFTER, reason
        if state == "unknown" and isinstance(outcome, Deferred):
            new_state = "unknown"
        marked = await tx.execute(
            f"""
            WITH marked AS (
                UPDATE internal.outbox
                   SET state = $3, not_before = $4, last_error = $5, result = coalesce($6, result),
                       attempts = greatest(0, attempts + $7), leased_until = NULL,
                       updated_at = $8,
                       sent_at = CASE WHEN $3 = 'sent' THEN $8 ELSE sent_at END
                 WHERE id = $1 AND worker_id = $2 AND state = $9
                RETURNING id, ordering_key),
            next AS (
                UPDATE internal.outbox SET behind = false
                 WHERE $3 IN ('sent', 'failed') AND behind
                   AND id = (SELECT id FROM internal.outbox
                              WHERE ordering_key = (SELECT ordering_key FROM marked) AND id <> $1 AND {_LIVE}
                              ORDER BY id LIMIT 1))
            SELECT FROM marked
            """,
            delivery.id,
            self._worker_id,
            new_state,
            not_before,
            error,
            result,
            counted,
            now,
            state,
        )
        return bool(marked)


_COLUMNS = """o.id, o.channel, o.key, o.ordering_key, o.payload, o.workspace_id, o.account_id, o.attempts,
              o.max_attempts, o.trace_id, o.created_at, o.lost"""


_OWNER = f"coalesce(account_id, '{NOBODY}')"
_LIVE = "state IN ('queued', 'sending', 'unknown')"
# A few rows are looked at for each that may be taken: several may be of one ordering_key.
_LOOK = 4

# Of each account on the round, the rows that are due longest; of their keys, the first ones, as far as
# they may leave. Where these are too few, an account's rows stand in each other's way: those behind are
# set aside.
_CLAIM = f"""
    WITH RECURSIVE {
    turns(
        "internal.outbox",
        owner=_OWNER,
        due="not_before",
        waiting="state = 'queued' AND NOT behind",
    )
},
    looked_at AS MATERIALIZED (
        SELECT owners.step, owners.share, q.id, q.nth, first.id AS first,
               first.state = 'queued' AND first.not_before <= $3 AND first.channel = ANY ($7) AS free
          FROM owners
          CROSS JOIN LATERAL (
               SELECT id, ordering_key, row_number() OVER () AS nth FROM (
                   SELECT id, ordering_key FROM internal.outbox
                    WHERE {_OWNER} = owners.owner AND state = 'queued' AND NOT behind
                      AND not_before <= $3 AND channel = ANY ($7)
                    ORDER BY not_before, id LIMIT {_LOOK} * owners.share) AS longest) AS q
          CROSS JOIN LATERAL (
               SELECT id, state, not_before, channel FROM internal.outbox
                WHERE ordering_key = q.ordering_key AND {_LIVE} ORDER BY id LIMIT 1) AS first),
    ranked AS (
        SELECT first AS id, step, row_number() OVER (PARTITION BY step ORDER BY min(nth)) AS nth
          FROM looked_at WHERE free GROUP BY step, first),
    due AS ({
    held("internal.outbox", "SELECT id FROM ranked ORDER BY nth, step", still="state = 'queued'")
} LIMIT $4),
    taken AS (
        UPDATE internal.outbox o
           SET state = 'sending', worker_id = $5, leased_until = $6, updated_at = $3,
               attempts = least(attempts + 1, max_attempts)
         WHERE id = ANY (ARRAY(SELECT id FROM due))
        RETURNING {_COLUMNS}),
    crowded AS (
        SELECT step FROM looked_at GROUP BY step, share
        HAVING count(*) >= {_LOOK} * share AND count(DISTINCT first) FILTER (WHERE free) < share),
    set_aside AS (
        UPDATE internal.outbox SET behind = true
         WHERE id = ANY (ARRAY({
    held(
        "internal.outbox",
        "SELECT id FROM looked_at JOIN crowded USING (step) WHERE id <> first"
        " ORDER BY nth, step LIMIT $4",
        still="state = 'queued'",
    )
}))
        RETURNING id)
    SELECT taken.*, round.*, EXISTS (SELECT FROM set_aside) AS set_aside
      FROM round LEFT JOIN taken ON true
"""
_CLAIM_UNKNOWN = f"""
    WITH RECURSIVE {
    turns("internal.outbox", owner=_OWNER, due="not_before", waiting="state = 'unknown'")
},
    ranked AS MATERIALIZED (
        SELECT q.id, owners.step, q.nth
          FROM owners CROSS JOIN LATERAL (
               SELECT id, row_number() OVER () AS nth FROM (
                   SELECT id FROM internal.outbox
                    WHERE {_OWNER} = owners.owner AND state = 'unknown' AND not_before <= $3
                      AND channel = ANY ($7) AND (leased_until IS NULL OR leased_until < $3)
                    ORDER BY not_before, id LIMIT owners.share) AS longest) AS q),
    due AS ({
    held(
        "internal.outbox",
        "SELECT id FROM ranked ORDER BY nth, step",
        still="state = 'unknown' AND (leased_until IS NULL OR leased_until < $3)",
    )
} LIMIT $4),
    taken AS (
        UPDATE internal.outbox o SET worker_id = $5, leased_until = $6, updated_at = $3
         WHERE id = ANY (ARRAY(SELECT id FROM due))
        RETURNING {_COLUMNS})
    SELECT taken.*, round.*, false AS set_aside FROM round LEFT JOIN taken ON true
"""

# Lane by ordering_key among those set aside, not row by row.
_FIRST_AGAIN = f"""
    WITH RECURSIVE keys (ordering_key) AS (
        (SELECT ordering_key FROM internal.outbox WHERE behind AND state = 'queued'
          ORDER BY ordering_key, id LIMIT 1)
        UNION ALL
        SELECT next.ordering_key FROM keys CROSS JOIN LATERAL (
               SELECT ordering_key FROM internal.outbox
                WHERE behind AND state = 'queued' AND ordering_key > keys.ordering_key
                ORDER BY ordering_key, id LIMIT 1) AS next),
    first AS MATERIALIZED (
        SELECT (SELECT id FROM internal.outbox WHERE ordering_key = keys.ordering_key AND {_LIVE}
                 ORDER BY id LIMIT 1) AS id FROM keys)
    UPDATE internal.outbox SET behind = false
     WHERE id = ANY (ARRAY({
    held("internal.outbox", "SELECT id FROM first", still="behind AND state = 'queued'")
}))
"""


async def claim(
    tx: Tx,
    *,
    worker_id: str,
    now: datetime,
    limit: int,
    channels: list[str],
    turn: Round | None = None,
    statement: str = _CLAIM,
) -> list[OutboxMessage]:
    """The first waiting row of each ordering_key that is due, account by account."""
    turn = turn or Round()
    rows = await tx.fetch(
        statement, turn.after, turn.until, now, limit, worker_id, now + LEASE, channels
    )
    turn.came(rows[0])
    if rows[0]["set_aside"]:  # There is more to see of those who had their turn.
        turn.begin()
    return [_delivery(row) for row in rows if row["id"]]


def _delivery(row: asyncpg.Record) -> OutboxMessage:
    return OutboxMessage(
        id=row["id"],
        channel=row["channel"],
        key=row["key"],
        ordering_key=row["ordering_key"],
        payload=row["payload"],
        workspace_id=row["workspace_id"],
        account_id=row["account_id"],
        attempts=row["attempts"],
        max_attempts=row["max_attempts"],
        trace=row["trace_id"] or "",
        created_at=row["created_at"],
        lost=row["lost"],
    )
