"""What is on its way, looked at and changed by whoever put it there. All SQL on ``internal.outbox`` that is
not the worker's own is here; what a payload means, its channel alone knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from selify.core.database import Tx
from selify.core.ids import new_id
from selify.core.logging import current_trace
from selify.core.queue import schedule
from selify.core.queue.claims import BY_INDEX
from selify.core.queue.payload import Payload

# What is on its way for one account or another, in the words of the index that finds it.
_OPEN = "(state IN ('queued', 'sending', 'unknown')) IS TRUE"
AT_ONCE = 200
# Some of a workspace's rows ($1, at most $2) go.
FORGET_WORKSPACE = """
    DELETE FROM internal.outbox WHERE id = ANY (ARRAY(
        SELECT id FROM internal.outbox WHERE workspace_id = $1 ORDER BY id LIMIT $2))
"""


def messages(columns: str, *, channel: str, since: str) -> str:
    """SQL: columns of what was put into a channel since an id. All three are expressions."""
    return (
        f"SELECT {columns} FROM internal.outbox o WHERE o.id >= {since} AND o.channel = {channel}"
    )


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row as it stands. ``tries``: how often it was tried, those times included of which no worker lived
    to tell (``lost``).
    """

    id: UUID
    state: str
    account_id: UUID | None
    ordering_key: str
    payload: Mapping[str, Any]
    result: Mapping[str, Any]
    tries: int
    lost: int
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None


_COLUMNS = """id, state, account_id, ordering_key, payload, result, attempts + lost AS tries, lost, created_at,
              updated_at, sent_at"""
_OF_ACCOUNT = f"""
    SELECT {_COLUMNS} FROM internal.outbox
     WHERE account_id = $1 AND channel = $2 AND created_at > $3
"""


def _row(row: asyncpg.Record) -> OutboxRow:
    return OutboxRow(
        id=row["id"],
        state=row["state"],
        account_id=row["account_id"],
        ordering_key=row["ordering_key"],
        payload=row["payload"],
        result=row["result"] or {},
        tries=row["tries"],
        lost=row["lost"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        sent_at=row["sent_at"],
    )


async def find(
    tx: Tx,
    *,
    channel: str,
    account_id: UUID,
    since: datetime,
    saying: Sequence[Mapping[str, Any]],
    answered: Sequence[Mapping[str, Any]] = (),
    unsent: Sequence[Mapping[str, Any]] = (),
) -> list[OutboxRow]:
    """What an account has on its way, or had since then, in order: of which the payload says all of one of
    ``saying``, or, where it was not sent, of one of ``unsent``, or what the other side said of it all of one
    of ``answered``. Looks at all that the account had.
    """
    rows = await tx.fetch(
        f"""
        {_OF_ACCOUNT} AND (payload @> ANY ($4::jsonb[]) OR result @> ANY ($5::jsonb[])
                           OR state <> 'sent' AND payload @> ANY ($6::jsonb[]))
         ORDER BY id
        """,
        account_id,
        channel,
        since,
        list(saying),
        list(answered),
        list(unsent),
    )
    return [_row(row) for row in rows]


async def find_open(
    tx: Tx, *, channel: str, account_id: UUID, since: datetime, saying: Mapping[str, Any]
) -> list[OutboxRow]:
    """What an account has on its way, in order, of which the payload says all of this."""
    rows = await tx.fetch(
        f"{_OF_ACCOUNT} AND {_OPEN} AND payload @> $4 ORDER BY id",
        account_id,
        channel,
        since,
        dict(saying),
    )
    return [_row(row) for row in rows]


async def find_failed(
    tx: Tx, *, channel: str, account_id: UUID, since: datetime, kind: str, saying: Mapping[str, Any]
) -> list[OutboxRow]:
    """What failed of one ``kind`` (a member of the payload), in order, saying all of this."""
    rows = await tx.fetch(
        f"""
        {_OF_ACCOUNT} AND state = 'failed' AND payload ->> 'kind' = $4 AND payload @> $5
         ORDER BY id
        """,
        account_id,
        channel,
        since,
        kind,
        dict(saying),
    )
    return [_row(row) for row in rows]


# --- Put there, and taken back -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A message to be queued. ``not_before``: due at once unless something else is said."""

    key: str
    ordering_key: str
    payload: Payload
    not_before: datetime | None = None
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class Needless:
    """What has not left yet, of this ordering key and with this member in its payload: now it will not."""

    ordering_key: str
    having: str
    reason: str


_CANCEL = """
    UPDATE internal.outbox o SET state = 'cancelled', last_error = $3, updated_at = $4
     WHERE channel = $1 AND ordering_key = $2 AND state = 'queued' AND ($5::text IS NULL OR payload ? $5)
"""
_ENQUEUE = """
    INSERT INTO internal.outbox
           (id, channel, key, ordering_key, payload, workspace_id, account_id, not_before, trace_id,
            created_at, updated_at)
    SELECT e.id, $1, e.key, e.ordering_key, e.payload, {1}, {2}, coalesce(e.not_before, {0}), {3}, {0}, {0}
      FROM unnest({4}::uuid[], {5}::text[], {6}::text[], {7}::jsonb[], {8}::timestamptz[])
           AS e (id, key, ordering_key, payload, not_before)
     ORDER BY e.id
    ON CONFLICT (channel, key) DO NOTHING
"""
_ONLY_ENQUEUE = _ENQUEUE.format("$2::timestamptz", *(f"${number}" for number in range(3, 11)))
_ENQUEUE_INSTEAD = _ENQUEUE.format("$4::timestamptz", *(f"${number}" for number in range(6, 14)))
_CANCEL_AND_ENQUEUE = f"WITH needless AS ({_CANCEL}) {_ENQUEUE_INSTEAD}"


async def enqueue(
    tx: Tx,
    entries: Sequence[Entry],
    *,
    channel: str,
    workspace_id: UUID | None = None,
    account_id: UUID | None = None,
    now: datetime,
    needless: Needless | None = None,
) -> int:
    """Queue messages, in order; how many of them had not been queued before. ``needless``: what they are
    said instead of.
    """
    statement, about = _ONLY_ENQUEUE, tuple[Any, ...]([now])
    if needless:
        statement = _CANCEL_AND_ENQUEUE
        about = (needless.ordering_key, needless.reason, now, needless.having)
    return await tx.execute(
        statement,
        channel,
        *about,
        workspace_id,
        account_id,
        current_trace(),
        [entry.id for entry in entries],
        [entry.key for entry in entries],
        [entry.ordering_key for entry in entries],
        [entry.payload.stored() for entry in entries],
        [entry.not_before for entry in entries],
    )


async def cancel(
    tx: Tx,
    *,
    channel: str,
    ordering_key: str,
    reason: str,
    now: datetime,
    keys: Sequence[str] | None = None,
) -> int:
    """What has not left yet does not leave any more; how much that was. ``keys``: only of these keys, and of
    those below them (``key/…``).
    """
    return await tx.execute(
        f"""
        {_CANCEL}
           AND ($6::text[] IS NULL OR EXISTS (
                SELECT FROM unnest($6) AS about
                 WHERE o.key = about OR starts_with(o.key, about || '/')))
        """,
        channel,
        ordering_key,
        reason,
        now,
        None,
        list(keys) if keys is not None else None,
    )


async def cancel_account(tx: Tx, *, account_id: UUID, reason: str, now: datetime) -> int:
    """Take back everything that has not left yet for an account."""
    return await tx.execute(
        """
        UPDATE internal.outbox SET state = 'cancelled', last_error = $2, updated_at = $3
         WHERE account_id = $1 AND state = 'queued'
        """,
        account_id,
        reason,
        now,
    )


async def forget_account(tx: Tx, account_id: UUID) -> None:
    await tx.execute("DELETE FROM internal.outbox WHERE account_id = $1", account_id)


# --- Waiting --------------------------------------------------------------------------------------


async def release(
    tx: Tx,
    *,
    channel: str,
    account_id: UUID,
    now: datetime,
    reasons: Sequence[str] | None = None,
) -> int:
    """What waits may leave now; how much that was. ``reasons``: only what was tried before, or waits for one
    of these.
    """
    return await tx.execute(
        """
        UPDATE internal.outbox SET not_before = $3, updated_at = $3
         WHERE account_id = $1 AND channel = $2 AND state = 'queued' AND not_before > $3
           AND ($4::text[] IS NULL OR attempts + lost > 0 OR last_error = ANY ($4))
        """,
        account_id,
        channel,
        now,
        list(reasons) if reasons is not None else None,
    )


async def count_waiting(tx: Tx, *, channel: str, account_id: UUID, but: Mapping[str, Any]) -> int:
    """How many have not left yet and are not leaving at this moment. ``but``: what need not be counted."""
    count: int = await tx.fetch_value(
        f"""
        SELECT count(*) FROM internal.outbox
         WHERE account_id = $1 AND {_OPEN} AND state <> 'sending' AND channel = $2
           AND NOT payload @> $3
        """,
        account_id,
        channel,
        dict(but),
    )
    return count


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What does not leave yet, for one reason. ``retried``: it was tried before."""

    account_id: UUID
    state: str
    retried: bool
    reason: str
    count: int
    since: datetime
    until: datetime | None


async def held_back(
    tx: Tx, *, channel: str, account_ids: Sequence[UUID], but: Mapping[str, Any]
) -> list[HeldBack]:
    """By reason. The first of those with one ordering key decides for those behind."""
    rows = await tx.fetch(
        f"""
        SELECT account_id, state, retried, reason, count(*) AS count, min(created_at) AS since,
               max(until) AS until
          FROM (SELECT account_id, created_at, first_value(state) OVER line AS state,
                       first_value(attempts + lost > 0) OVER line AS retried,
                       first_value(last_error) OVER line AS reason,
                       first_value(not_before) OVER line AS until
                  FROM internal.outbox
                 WHERE account_id = ANY ($1) AND {_OPEN} AND state <> 'sending' AND channel = $2
                   AND NOT payload @> $3
                WINDOW line AS (PARTITION BY ordering_key ORDER BY id)) AS held
         WHERE reason IS NOT NULL
         GROUP BY account_id, state, retried, reason ORDER BY min(created_at), reason
        """,
        list(account_ids),
        channel,
        dict(but),
    )
    return [HeldBack(**row) for row in rows]


async def ask_again(tx: Tx, *, channel: str, key: str, now: datetime, rest: timedelta) -> None:
    """What failed or was taken back is tried as if it were new, unless that was less than ``rest`` ago. By a
    clock that was set back the rest would never end, so what is yet to come is over, too.
    """
    await tx.execute(
        """
        UPDATE internal.outbox
           SET state = 'queued', attempts = 0, lost = 0, behind = false, last_error = NULL,
               result = NULL, not_before = $3, created_at = $3, updated_at = $3
         WHERE channel = $1 AND key = $2 AND state IN ('failed', 'cancelled')
           AND updated_at NOT BETWEEN $3::timestamptz - $4::interval AND $3
        """,
        channel,
        key,
        now,
        rest,
    )


async def wait_for(tx: Tx, row_id: UUID, other: UUID, *, until: datetime, now: datetime) -> None:
    """To be asked again, if another row is being sent at this moment."""
    await tx.execute(
        """
        UPDATE internal.outbox
           SET state = 'queued', not_before = $2, result = NULL, sent_at = NULL, updated_at = $4
         WHERE id = $1
           AND EXISTS (SELECT 1 FROM internal.outbox WHERE id = $3 AND state = 'sending')
        """,
        row_id,
        until,
        other,
        now,
    )


# --- Notes ------------------------------------------------------------------------------------------


async def note(tx: Tx, row_id: UUID, **notes: Any) -> None:
    """Remember something with a row, in its payload."""
    await tx.execute(
        "UPDATE internal.outbox SET payload = payload || $2 WHERE id = $1", row_id, notes
    )


async def strike_notes(tx: Tx, row_id: UUID, *names: str) -> None:
    await tx.execute(
        "UPDATE internal.outbox SET payload = payload - $2::text[] WHERE id = $1",
        row_id,
        list(names),
    )


async def note_answer(tx: Tx, row_id: UUID, **notes: Any) -> None:
    """What else the other side said of a row that was sent."""
    await tx.execute(
        "UPDATE internal.outbox SET result = result || $2 WHERE id = $1 AND state = 'sent'",
        row_id,
        notes,
    )


# --- Ends that nobody was told of ----------------------------------------------------------------------

_DUE = """
    state IN ('failed', 'cancelled') AND payload ? 'accounted_for'
    AND (state = 'cancelled' OR result ->> 'code' <> ALL ($1)
         OR (result ->> 'code' = $4 AND created_at < $2))
    AND ($3::uuid IS NULL OR account_id = $3)
"""


async def lapsed(
    tx: Tx,
    routine: str,
    *,
    perhaps: Sequence[str],
    hopeless: str,
    before: datetime,
    account_id: UUID | None = None,
) -> list[OutboxRow]:
    """Rows with ``accounted_for`` in their payload that were taken back, or failed: held, in the order in which
    ``routine`` has not tried them for longest. Those whose code is one of ``perhaps`` may have arrived:
    of them only the ``hopeless`` that are older than ``before``.
    """
    await tx.execute(BY_INDEX)
    rows = await tx.fetch(
        f"""
        WITH fresh AS (
            SELECT * FROM internal.outbox
             WHERE {_DUE} AND {schedule.last_try(routine, "id")} IS NULL
             ORDER BY id LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED),
        again AS (
            SELECT * FROM internal.outbox
             WHERE {_DUE} AND id = ANY (ARRAY({schedule.tried(routine)}))
             ORDER BY {schedule.last_try(routine, "id")} LIMIT {AT_ONCE} FOR UPDATE SKIP LOCKED)
        SELECT {_COLUMNS} FROM (SELECT * FROM fresh UNION ALL SELECT * FROM again) AS due
        """,
        list(perhaps),
        before,
        account_id,
        hopeless,
    )
    return [_row(row) for row in rows]


# --- What is sealed in a payload ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenRow:
    """One that has not ended, as whoever put it there finds it again."""

    id: UUID
    key: str
    payload: Mapping[str, Any]


async def open_of(tx: Tx, *, channel: str) -> list[OpenRow]:
    """All that a channel has on its way, held: for what changes the payload of each."""
    return await tx.fetch_as(
        OpenRow,
        f"""
        SELECT id, key, payload FROM internal.outbox
         WHERE channel = $1 AND {_OPEN} ORDER BY id FOR UPDATE
        """,
        channel,
    )


def sealing_keys(channel: str, member: str) -> str:
    """SQL: the ids of the keys with which this member of a channel's payloads is sealed."""
    return (
        f"SELECT DISTINCT split_part(payload ->> '{member}', '.', 2) FROM internal.outbox"
        f" WHERE channel = '{channel}' AND payload ->> '{member}' LIKE 'v1.%'"
    )
