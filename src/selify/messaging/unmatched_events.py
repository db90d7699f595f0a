"""What cannot be split or attributed yet waits in ``instagram_message_queue``; nothing is dropped.

pending → completed | failed. Parked events are tried again when an account is connected, and now and
then by a routine. A raw entry is read again once a day, for a newer version may understand it; after
``max_attempts`` it has failed, and stays visible. Of what was understood nothing else is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selify.core.database import Tx
from selify.core.logging import get_logger
from selify.core.outage import is_away
from selify.core.queue import inbox, inbox_rows
from selify.core.queue.inbox import Event, replay
from selify.core.queue.personal import PersonalRows, without_addresses
from selify.messaging.ports import ReadAgain

log = get_logger(__name__)

REST = timedelta(days=1)
# Exactly one, or a raw entry that looks like it would end the statement for all the others.
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


async def park_event(tx: Tx, event: Event, *, now: datetime) -> None:
    """An understood event whose account is not connected (yet). What it says stays in its own row,
    where it can be taken back.
    """
    await tx.execute(
        """
        INSERT INTO public.instagram_message_queue
               (entry_id, webhook_payload, last_error, created_at)
        VALUES ($1, $2, 'no connected account', $3)
        """,
        event.account_ref,
        {"event_id": str(event.id), "type": event.event_type},
        now,
    )


async def keep_raw(tx: Tx, entries: Sequence[tuple[str, Any, str]], *, now: datetime) -> None:
    """Raw entries nobody understands: (entry id, the JSON as it came, why)."""
    await tx.execute_many(
        """
        INSERT INTO public.instagram_message_queue
               (entry_id, webhook_payload, last_error, created_at)
        VALUES ($1, $2, $3, $4)
        """,
        # A bare null is JSON too, but to the database it would be no payload at all.
        [(entry_id, {} if raw is None else raw, why, now) for entry_id, raw, why in entries],
    )


async def retry_attributed(tx: Tx, *, now: datetime) -> int:
    """Replay parked events whose account is live by now; how many."""
    rows = await tx.fetch(
        f"""
        SELECT q.id, (q.webhook_payload ->> 'event_id')::uuid AS event_id, a.id AS account_id
          FROM public.instagram_message_queue q
          JOIN public.connected_social_accounts a
            ON a.platform_account_id = q.entry_id AND a.status IN ('active', 'pending')
         WHERE q.status = 'pending' AND jsonb_typeof(q.webhook_payload) = 'object'
           AND q.webhook_payload ->> 'event_id' ~ '{_UUID}'
         ORDER BY q.created_at LIMIT 200 FOR UPDATE OF q SKIP LOCKED
        """
    )
    for row in rows:
        await replay(tx, row["event_id"], now=now)
        # From now on it is known whose event it is: a purge of the account finds it.
        await inbox_rows.belongs_to(tx, row["event_id"], row["account_id"])
        await tx.execute(
            """
            UPDATE public.instagram_message_queue
               SET status = 'completed', account_id = $2, attempts = attempts + 1,
                   processed_at = $3, last_error = NULL
             WHERE id = $1
            """,
            row["id"],
            row["account_id"],
            now,
        )
    return len(rows)


@dataclass(frozen=True, slots=True)
class _Parked:
    """An entry that nobody understood, as it came."""

    id: UUID
    raw: Any


@dataclass(frozen=True, slots=True)
class _Unread(_Parked):
    created_at: datetime


async def retry_raw(tx: Tx, read: ReadAgain, *, now: datetime) -> int:
    """A routine: read raw entries again; how many are understood by now."""
    parked = await tx.fetch_as(
        _Unread,
        f"""
        SELECT id, webhook_payload AS raw, created_at FROM public.instagram_message_queue
         WHERE status = 'pending' AND coalesce(processed_at, created_at) < $1
           AND NOT (jsonb_typeof(webhook_payload) = 'object'
                    AND coalesce(webhook_payload ->> 'event_id', '') ~ '{_UUID}')
         ORDER BY coalesce(processed_at, created_at) LIMIT 200 FOR UPDATE SKIP LOCKED
        """,
        now - REST,
    )
    understood = 0
    for one in parked:
        try:
            async with tx.savepoint():
                done = await _read_again(tx, one, read, now)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("a parked entry could not be read again", parked_id=str(one.id))
            done = False
        if not done:
            await _not_yet(tx, one.id, now)
        understood += done
    return understood


async def _read_again(tx: Tx, parked: _Unread, read: ReadAgain, now: datetime) -> bool:
    """Whether it is understood by now; then its events are stored, and nothing else is kept."""
    events = read(parked.raw, parked.created_at)
    if events is None:
        return False
    await inbox.store(tx, events, now=now)
    await tx.execute(
        """
        UPDATE public.instagram_message_queue
           SET status = 'completed', webhook_payload = '{}', attempts = attempts + 1,
               processed_at = $2, last_error = NULL
         WHERE id = $1
        """,
        parked.id,
        now,
    )
    return True


async def _not_yet(tx: Tx, parked_id: UUID, now: datetime) -> None:
    await tx.execute(
        """
        UPDATE public.instagram_message_queue
           SET attempts = attempts + 1, processed_at = $2,
               status = CASE WHEN attempts + 1 < max_attempts THEN 'pending' ELSE 'failed' END
         WHERE id = $1
        """,
        parked_id,
        now,
    )


async def forget_addresses_of(tx: Tx, message_ref: str) -> None:
    """Where the pictures of a message are to be had. Unread entries are few, and seldom wait long."""
    parked = await tx.fetch_as(
        _Parked,
        """
        SELECT id, webhook_payload AS raw FROM public.instagram_message_queue
         WHERE status <> 'completed' AND strpos(webhook_payload::text, $1) > 0
           FOR UPDATE
        """,
        message_ref,
    )
    await _store_without_addresses(tx, parked)


async def forget_addresses(tx: Tx, begin: datetime, end: datetime) -> int:
    """Of what came in between; of how many."""
    parked = await tx.fetch_as(
        _Parked,
        """
        SELECT id, webhook_payload AS raw FROM public.instagram_message_queue
         WHERE created_at >= $1 AND created_at < $2 AND webhook_payload::text ~* 'https?:'
         ORDER BY id FOR UPDATE
        """,
        begin,
        end,
    )
    await _store_without_addresses(tx, parked)
    return len(parked)


async def _store_without_addresses(tx: Tx, parked: Sequence[_Parked]) -> None:
    await tx.execute_many(
        "UPDATE public.instagram_message_queue SET webhook_payload = $2 WHERE id = $1",
        [(one.id, without_addresses(one.raw)) for one in parked],
    )


async def oldest(tx: Tx) -> datetime | None:
    """When the oldest came that is kept."""
    found: datetime | None = await tx.fetch_value(
        "SELECT min(created_at) FROM public.instagram_message_queue"
    )
    return found


PERSONAL = PersonalRows(forget_addresses, oldest)
