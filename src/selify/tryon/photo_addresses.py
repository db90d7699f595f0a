"""The addresses of shoppers' photos go with the photo.

A platform's link to a photo of a person is as private as the photo. It comes with an event and stands
in its row, or in an entry that was parked unread; a try-on's job has it until the photo is ours; and
what went wrong with any of them may quote it. Nowhere else is it written.

It goes when the photo's life ends (``forget_old``, whatever became of the event: by then the link is
dead anyway), at once when the photo is taken back or not wanted any more (``forget``), and with its
account. What people wrote themselves is no such address, and stays.
"""

import re
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from selify.core.database import Actor, Database, Tx
from selify.core.ids import first_id

ACTOR = Actor.system("photo addresses")
ROUTINE = "photo addresses"
STEP = timedelta(minutes=10)
WRITTEN_BY_PEOPLE = ("text",)

_ADDRESS = re.compile(r"https?:\S*", re.IGNORECASE)
# The same for PostgreSQL, in what it says of an error.
_IN_ERRORS = r"https?:\S*"


async def forget_old(database: Database, *, now: datetime, keep: timedelta) -> int:
    """A routine: what arrived longer ago than ``keep`` holds no address any more; in how many rows
    there were some. It goes on where it stood, a few minutes of arrivals at a time.
    """
    until = now - keep
    async with database.tx(ACTOR) as tx:
        begin = min(await _stood_at(tx) or until, until)
    forgotten = 0
    while begin < until:
        end = min(begin + STEP, until)
        async with database.tx(ACTOR) as tx:
            forgotten += await _forget_between(tx, begin, end)
            await _stand_at(tx, end)
        begin = end
    return forgotten


async def forget(tx: Tx, message_ref: str) -> None:
    """The photo of this message is gone: so are its addresses. The conversation is locked."""
    await tx.execute(
        """
        UPDATE public.webhook_events
           SET payload = jsonb_set(payload, '{attachments}', (
                   SELECT coalesce(jsonb_agg(a - 'url'), '[]')
                     FROM jsonb_array_elements(payload -> 'attachments') a)),
               error_message = regexp_replace(error_message, $2, '', 'g'),
               error_stack = regexp_replace(error_stack, $2, '', 'g')
         WHERE payload @> jsonb_build_object('mid', $1::text)
           AND jsonb_typeof(payload -> 'attachments') = 'array'
        """,
        message_ref,
        _IN_ERRORS,
    )
    # Unread entries are few, and seldom wait long.
    rows = await tx.fetch(
        """
        SELECT id, webhook_payload AS raw FROM public.instagram_message_queue
         WHERE status <> 'completed' AND strpos(webhook_payload::text, $1) > 0
           FOR UPDATE
        """,
        message_ref,
    )
    await _store_parked(tx, rows)


def without_addresses(value: Any) -> Any:
    """JSON with every address in it cut out, but for those that somebody wrote."""
    match value:
        case str():
            return _ADDRESS.sub("", value)
        case list():
            return [without_addresses(item) for item in value]
        case dict():
            return {
                name: part
                if isinstance(part, str) and name in WRITTEN_BY_PEOPLE
                else without_addresses(part)
                for name, part in value.items()
            }
        case _:
            return value


async def _forget_between(tx: Tx, begin: datetime, end: datetime) -> int:
    """By the status first, for that is what the index begins with."""
    events = await tx.fetch(
        """
        SELECT id, payload FROM public.webhook_events
         WHERE status IN ('pending', 'processing', 'completed', 'skipped', 'failed')
           AND created_at >= $1 AND created_at < $2
           AND (payload::text ~* 'https?:' OR error_message ~* 'https?:' OR error_stack ~* 'https?:')
         ORDER BY id FOR UPDATE
        """,
        begin,
        end,
    )
    await tx.execute_many(
        """
        UPDATE public.webhook_events
           SET payload = $2, error_message = regexp_replace(error_message, $3, '', 'gi'),
               error_stack = regexp_replace(error_stack, $3, '', 'gi')
         WHERE id = $1
        """,
        [(row["id"], without_addresses(row["payload"]), _IN_ERRORS) for row in events],
    )
    parked = await tx.fetch(
        """
        SELECT id, webhook_payload AS raw FROM public.instagram_message_queue
         WHERE created_at >= $1 AND created_at < $2 AND webhook_payload::text ~* 'https?:'
         ORDER BY id FOR UPDATE
        """,
        begin,
        end,
    )
    await _store_parked(tx, parked)
    jobs = await tx.execute(
        """
        UPDATE internal.jobs
           SET payload = CASE WHEN payload ? 'photo_url' THEN payload || '{"photo_url": ""}'
                              ELSE payload END,
               last_error = regexp_replace(last_error, $3, '', 'gi')
         WHERE id >= $1 AND id < $2
           AND (payload ->> 'photo_url' <> '' OR last_error ~* 'https?:')
        """,
        first_id(begin),
        first_id(end),
        _IN_ERRORS,
    )
    return len(events) + len(parked) + jobs


async def _store_parked(tx: Tx, rows: list[asyncpg.Record]) -> None:
    await tx.execute_many(
        "UPDATE public.instagram_message_queue SET webhook_payload = $2 WHERE id = $1",
        [(row["id"], without_addresses(row["raw"])) for row in rows],
    )


async def _stood_at(tx: Tx) -> datetime | None:
    """Up to where there is none left; at first the oldest of what there is."""
    stood: datetime | None = await tx.fetch_value(
        """
        SELECT coalesce(
            (SELECT taken_at FROM internal.routine_turns WHERE routine = $1),
            least((SELECT min(created_at) FROM public.webhook_events),
                  (SELECT min(created_at) FROM public.instagram_message_queue),
                  (SELECT min(created_at) FROM internal.jobs)))
        """,
        ROUTINE,
    )
    return stood


async def _stand_at(tx: Tx, moment: datetime) -> None:
    await tx.execute(
        """
        INSERT INTO internal.routine_turns (routine, taken_at) VALUES ($1, $2)
        ON CONFLICT (routine) DO UPDATE SET taken_at = excluded.taken_at
        """,
        ROUTINE,
        moment,
    )
