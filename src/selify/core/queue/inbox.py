"""What arrives: one row per event in ``public.webhook_events``, handled exactly once.

* Arriving: insert-or-ignore by fingerprint (SHA-256 of the normalised payload) and by message id.
  Nothing is answered before it is stored; storing the same thing twice is no error.
* Handling: a worker claims rows with a lease, in turns between accounts (``core.queue.claims``; what waits
  stands in ``internal.waiting_events``), and the handler's effects and the mark ``completed`` commit
  together. A crash in between leaves the row to be claimed again. That is nobody's failure;
  but an event whose worker stopped ``MAX_LOST`` times is taken for the reason, and ends.
* Failing: exponential back-off, ``max_retries`` times; then the row is a dead letter: visible with
  ``selify events``, and replayable; and whoever it concerns is told in the same transaction.

States (reference, ``webhook_events.status``): pending → processing → completed | skipped | failed;
failed → processing while ``retry_count < max_retries`` and ``next_retry_at`` has come.
"""

import asyncio
import hashlib
import random
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from selify.core import metrics
from selify.core.batching import Batches
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.logging import get_logger, new_trace, traced
from selify.core.outage import UNCOUNTED_FOR, is_away, reason_of, retry_while_db_down
from selify.core.queue.claims import Round, by_index, go_round, held, turns
from selify.core.queue.defer import Defer
from selify.core.queue.lease import heartbeat

log = get_logger(__name__)

LEASE = timedelta(seconds=15)
MAX_LOST = 5
# What an event caused is remembered for that long: replayed later, it would cause it a second time.
REPLAYABLE = timedelta(days=30)
FIRST_RETRY = timedelta(seconds=4)
# Nothing in a queue waits longer without being looked at: who has to (a day's limit is reached, a
# platform asks for a long pause) waits again. So a time further ahead was written by a wrong clock.
LONGEST_WAIT = timedelta(hours=1)
_EVER = timedelta(days=36500)
ACTOR = Actor.system("inbox")


@dataclass(frozen=True, slots=True)
class Incoming:
    """An event as a vendor's parser hands it over.

    ``payload`` is normalised. ``identity`` is what makes two deliveries the same event where the
    payload alone would not tell (signed addresses in it change); empty: the payload itself.
    ``ordering_key`` names what must stay in order (a conversation); ``account_ref`` is the platform's own
    id of the account it came for.
    """

    platform: str
    event_type: str
    payload: Mapping[str, Any]
    ordering_key: str
    account_ref: str
    message_id: str | None = None
    identity: str = ""

    def fingerprint(self) -> str:
        what = [self.platform, self.event_type, self.identity or self.payload]
        return hashlib.sha256(orjson.dumps(what, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event in the hands of a worker."""

    id: UUID
    platform: str
    event_type: str
    payload: dict[str, Any]
    account_id: UUID | None
    account_ref: str
    ordering_key: str
    trace: str
    retry_count: int
    created_at: datetime


class Skip(Exception):
    """There is nothing to do for this event; its text says why. What the handler wrote is undone."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A handler's answer: nothing to do for this event (yet), and what it wrote down stays."""

    reason: str


EventHandler = Callable[[Tx, Event], Awaitable[Mapping[str, Any] | Skipped | None]]


# What to do about an event that became a dead letter, in the transaction that makes it one.
DeadLetterHandler = Callable[[Tx, Event], Awaitable[None]]


Read = Callable[[], Sequence[Incoming]]


class Intake:
    """Stores arriving events. Deliveries that arrive together are stored in one statement.

    ``receive`` returns only when the events are safely committed, so the caller may answer 200.
    """

    def __init__(
        self, database: Database, clock: Clock, *, batch: int = 500, parallel: int = 2
    ) -> None:
        self._database = database
        self._clock = clock
        self._batches = Batches(self._store, largest=batch, parallel=parallel)

    async def receive(self, events: Sequence[Incoming]) -> int:
        """The number of events that were new."""
        return await self.receive_unread(lambda: events)

    async def receive_unread(self, read: Read) -> int:
        """The same for a delivery that ``read`` will take apart. Raises what ``read`` raises.

        Deliveries that wait together are read together, one right after the other: that takes about
        a fifth less of the processor's time than reading each as it arrives (measured).
        """
        return await self._batches.put(read)

    async def _store(self, deliveries: Sequence[Read]) -> list[int | BaseException]:
        read = [_fingerprinted(delivery) for delivery in deliveries]
        events = [event for found in read if not isinstance(found, Exception) for event in found]
        new: set[str] = set()
        if events:
            async with self._database.tx(ACTOR) as tx:
                new = await _insert(tx, events, self._clock.now())
        return [
            found
            if isinstance(found, Exception)
            else sum(fingerprint in new for fingerprint, _ in found)
            for found in read
        ]


_Fingerprinted = tuple[str, Incoming]


def _fingerprinted(read: Read) -> list[_Fingerprinted] | Exception:
    """What cannot be read is the business of the one who sent it, and keeps nobody else waiting."""
    try:
        return [(event.fingerprint(), event) for event in read()]
    except Exception as error:  # noqa: BLE001 - the caller's own `read` may raise anything
        return error


async def store(tx: Tx, events: Iterable[Incoming], *, now: datetime) -> set[str]:
    """Insert what is new; the fingerprints of the new rows."""
    return await _insert(tx, [(event.fingerprint(), event) for event in events], now)


async def _insert(tx: Tx, events: list[_Fingerprinted], now: datetime) -> set[str]:
    # In order, so that two servers storing the same redeliveries cannot wait for each other.
    events.sort(key=itemgetter(0))
    rows = await tx.fetch(
        """
        INSERT INTO public.webhook_events
               (platform, event_type, event_fingerprint, platform_message_id, payload, parsed_data,
                connected_account_id, created_at)
        SELECT e.platform, e.event_type, e.fingerprint, e.message_id, e.payload::jsonb,
               jsonb_build_object('ordering_key', e.ordering_key, 'account_ref', e.account_ref,
                                  'trace', $8 || '-' || e.n),
               a.id, $9
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                      $7::text[])
               WITH ORDINALITY
               AS e (platform, event_type, fingerprint, message_id, payload, ordering_key, account_ref, n)
          LEFT JOIN public.connected_social_accounts a
                 ON a.platform = e.platform AND a.platform_account_id = e.account_ref
                AND a.status IN ('active', 'pending')
        ON CONFLICT DO NOTHING
        RETURNING event_fingerprint, platform
        """,
        [event.platform for _, event in events],
        [event.event_type for _, event in events],
        [fingerprint for fingerprint, _ in events],
        [event.message_id for _, event in events],
        [orjson.dumps(event.payload).decode() for _, event in events],
        [event.ordering_key for _, event in events],
        [event.account_ref for _, event in events],
        new_trace(),
        now,
    )
    new = Counter(row["platform"] for row in rows)
    for platform, number in Counter(event.platform for _, event in events).items():
        metrics.events_received.labels(platform).inc(new[platform])
        metrics.events_duplicate.labels(platform).inc(number - new[platform])
    return {row["event_fingerprint"] for row in rows}


class InboxWorker:
    """Claims events in batches; keys run side by side, events of one ordering_key one after another."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, EventHandler],
        *,
        dead_letters: Mapping[str, DeadLetterHandler] | None = None,
        clock: Clock,
        worker_id: str,
        batch: int = 50,
        parallel: int = 8,
    ) -> None:
        """``handlers`` by platform, and so ``dead_letters``."""
        self._database = database
        self._handlers = handlers
        self._given_up = dead_letters or {}
        self._clock = clock
        self._worker_id = worker_id
        self._batch = batch
        self._slots = asyncio.Semaphore(parallel)
        self._rounds = Round(), Round()

    async def run_once(self) -> int:
        """Handle one batch; how many events were claimed."""
        events = await go_round(
            self._database,
            ACTOR,
            lambda tx: claim(
                tx,
                worker_id=self._worker_id,
                now=self._clock.now(),
                limit=self._batch,
                rounds=self._rounds,
            ),
            *self._rounds,
        )
        keys: dict[str, list[Event]] = {}
        for event in events:
            keys.setdefault(event.ordering_key, []).append(event)
        async with heartbeat(partial(self._renew, [event.id for event in events]), LEASE):
            await asyncio.gather(
                *(self._run_in_order(ordering_key) for ordering_key in keys.values())
            )
        return len(events)

    async def recover(self) -> int:
        """Give back what a dead worker held."""
        async with by_index(self._database, ACTOR) as tx:
            released = await release_expired(tx, now=self._clock.now())
            for event, dead in released:
                if dead:
                    await self._tell(tx, event)
        return len(released)

    async def _renew(self, held: Sequence[UUID]) -> None:
        async with self._database.statements(ACTOR) as tx:
            await tx.execute(
                """
                UPDATE public.webhook_events SET processing_started_at = $3
                 WHERE id = ANY ($1) AND worker_id = $2 AND status = 'processing'
                """,
                held,
                self._worker_id,
                self._clock.now(),
            )

    async def _run_in_order(self, events: Sequence[Event]) -> None:
        async with self._slots:
            for event in events:
                await self._run_event(event)

    async def _run_event(self, event: Event) -> None:
        with traced(event.trace):
            try:
                outcome = await self._try(event)
            except Exception:
                # The row keeps its lease until it runs out; then somebody tries again. The others of
                # its batch go on.
                log.exception("the end of an event could not be stored", event_id=str(event.id))
                outcome = "lost"
            metrics.events_handled.labels(event.event_type, outcome).inc()

    async def _try(self, event: Event) -> str:
        began = time.monotonic()
        try:
            return await self._handle(event, began)
        except Skip as skip:
            # Its effects went with the transaction. A savepoint would keep the transaction, but
            # costs every event two round trips.
            return await retry_while_db_down(partial(self._skip, event, skip, began))
        except Defer as later:
            await retry_while_db_down(partial(self._postpone, event, later))
            return "later"
        except _LeaseLost:
            return "lease_lost"
        except Exception as error:  # noqa: BLE001 - a failing event must not stop the others
            return await retry_while_db_down(partial(self._fail, event, error))

    async def _handle(self, event: Event, began: float) -> str:
        """The handler's effects and the mark, in one transaction. The outcome in one word."""
        async with self._database.tx(ACTOR) as tx:
            answer = await self._handlers[event.platform](tx, event)
            if isinstance(answer, Skipped):
                status, result = "skipped", {"reason": answer.reason}
            else:
                status, result = "completed", dict(answer or {})
            if not await self._mark(tx, event, status, result, began):
                raise _LeaseLost
        return status

    async def _skip(self, event: Event, skip: Skip, began: float) -> str:
        async with self._database.statements(ACTOR) as tx:
            ours = await self._mark(tx, event, "skipped", {"reason": str(skip)}, began)
        return "skipped" if ours else "lease_lost"

    async def _mark(
        self, tx: Tx, event: Event, status: str, result: Mapping[str, Any], began: float
    ) -> bool:
        """Handled; false when another worker holds the row by now. ``began`` is this process's own
        (monotonic) time: the row's start moves with each renewal of the lease.
        """
        marked = await tx.execute(
            """
            UPDATE public.webhook_events
               SET status = $3, processing_result = $4, processed_at = $6, error_message = NULL,
                   next_retry_at = NULL, processing_duration_ms = $5
             WHERE id = $1 AND worker_id = $2 AND status = 'processing'
            """,
            event.id,
            self._worker_id,
            status,
            result,
            round((time.monotonic() - began) * 1000),
            self._clock.now(),
        )
        return bool(marked)

    async def _postpone(self, event: Event, later: Defer) -> None:
        now = self._clock.now()
        async with self._database.statements(ACTOR) as tx:
            await tx.execute(
                """
                UPDATE public.webhook_events
                   SET status = 'failed', next_retry_at = $3, error_message = $4,
                       processing_started_at = $5
                 WHERE id = $1 AND worker_id = $2 AND status = 'processing'
                """,
                event.id,
                self._worker_id,
                now + min(later.after, LONGEST_WAIT),
                str(later),
                now,
            )

    async def _fail(self, event: Event, error: Exception) -> str:
        """Another try later. The outcome in one word."""
        now = self._clock.now()
        if is_away(error) and now - event.created_at < UNCOUNTED_FOR:
            await self._postpone(event, Defer(*reason_of(error)))
            return "later"
        log.warning("event failed", event_id=str(event.id), kind=event.event_type, exc_info=error)
        async with self._database.tx(ACTOR) as tx:
            dead = await tx.fetch_value(
                """
                UPDATE public.webhook_events
                   SET status = 'failed', retry_count = retry_count + 1, next_retry_at = $3,
                       error_message = $4, error_stack = $5, processing_started_at = $6
                 WHERE id = $1 AND worker_id = $2 AND status = 'processing'
                RETURNING retry_count >= max_retries
                """,
                event.id,
                self._worker_id,
                now + backoff(event.retry_count, FIRST_RETRY),
                f"{type(error).__name__}: {error}"[:1000],
                "".join(traceback.format_exception(error))[-8000:],
                now,
            )
            if dead:
                await self._tell(tx, event)
        return "failed"

    async def _tell(self, tx: Tx, event: Event) -> None:
        """Whoever it concerns hears of a dead letter. That nobody can be told makes it none the less one."""
        if event.platform not in self._given_up:
            return
        try:
            async with tx.savepoint():
                await self._given_up[event.platform](tx, event)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("nobody could be told of a dead letter", event_id=str(event.id))


class _LeaseLost(Exception):
    """Another worker took the row over: whatever we did is rolled back."""


def backoff(failures: int, first: timedelta) -> timedelta:
    """Doubles each time, with a fifth of jitter, so that a crowd does not come back at once."""
    return first * (2.0 ** min(failures, 16)) * random.uniform(0.9, 1.1)


_STILL = "status = 'pending' OR status = 'failed' AND retry_count < max_retries"

# The longest due of each account on the round, before anybody's second. $5: those that failed before,
# or those that did not. A turn whose event waits no more (it was deleted) goes with those taken.
_CLAIM = f"""
    WITH RECURSIVE {
    turns("internal.waiting_events", owner="owner", due="due_at", waiting="again = $5")
},
    ranked AS MATERIALIZED (
        SELECT q.event_id AS id, q.ctid AS place, owners.step, q.nth
          FROM owners CROSS JOIN LATERAL (
               SELECT event_id, ctid, row_number() OVER () AS nth FROM (
                   SELECT event_id, ctid FROM internal.waiting_events
                    WHERE again = $5 AND owner = owners.owner AND due_at <= $3
                    ORDER BY due_at, event_id LIMIT owners.share
                      FOR UPDATE SKIP LOCKED) AS longest) AS q),
    due AS ({
    held("public.webhook_events", "SELECT id FROM ranked ORDER BY nth, step", still=_STILL)
} LIMIT $4),
    over AS (
        DELETE FROM internal.waiting_events
         WHERE ctid = ANY (ARRAY(
               SELECT place FROM ranked
                WHERE id = ANY (ARRAY(SELECT id FROM due))
                   OR (SELECT {_STILL} FROM public.webhook_events
                        WHERE id = ranked.id) IS NOT TRUE))),
    taken AS (
        UPDATE public.webhook_events
           SET status = 'processing', worker_id = $6, processing_started_at = $7
         WHERE id = ANY (ARRAY(SELECT id FROM due))
        RETURNING id, platform, event_type, payload, connected_account_id, parsed_data, retry_count,
                  created_at)
    SELECT taken.*, round.* FROM round LEFT JOIN taken ON true
"""


async def claim(
    tx: Tx,
    *,
    worker_id: str,
    now: datetime,
    limit: int,
    rounds: tuple[Round, Round] | None = None,
) -> list[Event]:
    """Due rows: as many new ones as failed ones whose time has come, of each account in turn. What is
    new is due whatever the clock says.
    """
    fresh, again = rounds or (Round(), Round())
    events: list[Event] = []
    for turn, failed, due in ((fresh, False, now + _EVER), (again, True, now)):
        if not turn.goes_on:
            continue
        rows = await tx.fetch(_CLAIM, turn.after, turn.until, due, limit, failed, worker_id, now)
        turn.came(rows[0])
        events += [_event(row) for row in rows if row["id"]]
    return sorted(events, key=lambda event: (event.created_at, event.id))


_LOST = "coalesce((parsed_data ->> 'lost')::int, 0)"


async def release_expired(tx: Tx, *, now: datetime) -> list[tuple[Event, bool]]:
    """Rows whose worker stopped: again, at once the first time and then ever more apart, so that
    those that were merely claimed together with the reason part company with it. And whether each is
    a dead letter by now.
    """
    rows = await tx.fetch(
        f"""
        UPDATE public.webhook_events
           SET status = 'failed', error_message = 'The worker holding it stopped.',
               parsed_data = coalesce(parsed_data, '{{}}')
                             || jsonb_build_object('lost', {_LOST} + 1),
               retry_count = CASE WHEN {_LOST} + 1 < $3 THEN retry_count ELSE max_retries END,
               next_retry_at = $1::timestamptz + {_LOST} * random() * interval '4 seconds',
               processing_started_at = $1
         WHERE id = ANY (ARRAY(SELECT id FROM public.webhook_events
                                WHERE status = 'processing' AND processing_started_at < $2
                                  FOR UPDATE SKIP LOCKED))
        RETURNING id, platform, event_type, payload, connected_account_id, parsed_data, retry_count,
                  created_at, retry_count >= max_retries AS dead
        """,
        now,
        now - LEASE,
        MAX_LOST,
    )
    return [(_event(row), row["dead"]) for row in rows]


def _event(row: asyncpg.Record) -> Event:
    parsed = row["parsed_data"] or {}
    return Event(
        id=row["id"],
        platform=row["platform"],
        event_type=row["event_type"],
        payload=row["payload"],
        account_id=row["connected_account_id"],
        account_ref=parsed.get("account_ref", ""),
        ordering_key=parsed.get("ordering_key", str(row["id"])),
        trace=parsed.get("trace", ""),
        retry_count=row["retry_count"],
        created_at=row["created_at"],
    )


async def replay(tx: Tx, event_id: UUID, *, now: datetime) -> bool:
    """Put a dead letter (or a skipped event) back to the start; false when there is none such, or
    it is older than ``REPLAYABLE``.
    """
    return bool(
        await tx.execute(
            """
            UPDATE public.webhook_events
               SET status = 'pending', retry_count = 0, next_retry_at = NULL, worker_id = NULL,
                   parsed_data = parsed_data - 'lost'
             WHERE id = $1 AND status IN ('failed', 'skipped') AND created_at > $2
            """,
            event_id,
            now - REPLAYABLE,
        )
    )


async def again(tx: Tx, event_id: UUID) -> None:
    """What a handled event told is needed once more: it is handled as if it came now."""
    await tx.execute(
        """
        UPDATE public.webhook_events
           SET status = 'pending', retry_count = 0, next_retry_at = NULL, worker_id = NULL,
               parsed_data = parsed_data - 'lost'
         WHERE id = $1 AND status IN ('completed', 'skipped')
        """,
        event_id,
    )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that failed for good."""

    id: UUID
    platform: str
    event_type: str
    created_at: datetime
    retry_count: int
    error_message: str | None


async def dead_letters(tx: Tx, *, limit: int = 50) -> list[DeadLetter]:
    return await tx.fetch_as(
        DeadLetter,
        """
        SELECT id, platform, event_type, created_at, retry_count, error_message
          FROM public.webhook_events
         WHERE status = 'failed' AND retry_count >= max_retries
         ORDER BY created_at DESC LIMIT $1
        """,
        limit,
    )
