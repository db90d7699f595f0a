"""What a queue's row says of a person goes when nobody needs it any more, though the row stays.

Of a job that is what its payload declares (``Payload.personal``). Of an event nobody knows which of its
members hold an address under which a platform serves a person's picture: so every address goes, but for
those that somebody wrote. A message of the outbox is known by what it says when its echo comes, and goes as
a whole some time after its end (``core/queue/state.py``). A wing with rows of a kind of its own plugs them in
(``PersonalRows``).
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from selify.core.database import Actor, Database, Tx
from selify.core.ids import first_id
from selify.core.queue import schedule
from selify.core.queue.payload import Payload

ACTOR = Actor.system("personal data")
ROUTINE = "photo addresses"
STEP = timedelta(minutes=10)
WRITTEN_BY_PEOPLE = ("text",)

_ADDRESS = re.compile(r"https?:\S*", re.IGNORECASE)
# The same for PostgreSQL, in what it says of an error.
_IN_ERRORS = r"https?:\S*"


@dataclass(frozen=True, slots=True)
class PersonalRows:
    """Rows that say something of a person. ``forget``: of those that came in between two moments, what they
    say of one goes; of how many. ``oldest``: when the oldest came.
    """

    forget: Callable[[Tx, datetime, datetime], Awaitable[int]]
    oldest: Callable[[Tx], Awaitable[datetime | None]]


async def forget_old(
    database: Database,
    payloads: Mapping[str, type[Payload]],
    others: Sequence[PersonalRows],
    *,
    now: datetime,
    keep: timedelta,
) -> int:
    """A routine: what came longer ago than ``keep`` says nothing of a person any more; in how many rows
    something was said. It goes on where it stood, a few minutes of arrivals at a time. ``payloads``: of the
    jobs, by their kind.
    """
    until = now - keep
    kept = (*others, PersonalRows(forget_addresses, oldest), jobs(payloads))
    async with database.tx(ACTOR) as tx:
        begin = min(await _stood_at(tx, kept) or until, until)
    forgotten = 0
    while begin < until:
        end = min(begin + STEP, until)
        async with database.tx(ACTOR) as tx:
            forgotten += sum([await rows.forget(tx, begin, end) for rows in kept])
            await schedule.stand_at(tx, ROUTINE, end)
        begin = end
    return forgotten


async def _stood_at(tx: Tx, kept: Sequence[PersonalRows]) -> datetime | None:
    """Up to where nothing is left; at first the oldest of what there is."""
    stood = await schedule.stood_at(tx, ROUTINE)
    if stood is not None:
        return stood
    ages = [await rows.oldest(tx) for rows in kept]
    return min((age for age in ages if age is not None), default=None)


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


async def forget_attachments(tx: Tx, said: Mapping[str, str]) -> None:
    """Of the events that say that: where their attachments are to be had."""
    await tx.execute(
        """
        UPDATE public.webhook_events
           SET payload = jsonb_set(payload, '{attachments}', (
                   SELECT coalesce(jsonb_agg(a - 'url'), '[]')
                     FROM jsonb_array_elements(payload -> 'attachments') a)),
               error_message = regexp_replace(error_message, $2, '', 'g'),
               error_stack = regexp_replace(error_stack, $2, '', 'g')
         WHERE payload @> $1 AND jsonb_typeof(payload -> 'attachments') = 'array'
        """,
        dict(said),
        _IN_ERRORS,
    )


async def forget_addresses(tx: Tx, begin: datetime, end: datetime) -> int:
    """Of the events that arrived in between; of how many. By the status first, for that is what the index
    begins with.
    """
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
    return len(events)


async def oldest(tx: Tx) -> datetime | None:
    """When the oldest event arrived."""
    found: datetime | None = await tx.fetch_value(
        "SELECT min(created_at) FROM public.webhook_events"
    )
    return found


def jobs(payloads: Mapping[str, type[Payload]]) -> PersonalRows:
    """Of the jobs: what their kind's payload declares, and addresses in what is said of an error."""
    declared = [(kind, name) for kind, one in payloads.items() for name in sorted(one.personal)]

    async def forget(tx: Tx, begin: datetime, end: datetime) -> int:
        return await tx.execute(
            """
            WITH declared AS (
                SELECT kind, array_agg(name) AS names, jsonb_object_agg(name, '') AS blank
                  FROM unnest($3::text[], $4::text[]) AS d (kind, name) GROUP BY kind)
            UPDATE internal.jobs j
               SET payload = payload || coalesce(
                       (SELECT blank FROM declared WHERE kind = j.kind), '{}'),
                   last_error = regexp_replace(last_error, $5, '', 'gi')
             WHERE id >= $1 AND id < $2
               AND (last_error ~* 'https?:'
                    OR EXISTS (SELECT FROM declared CROSS JOIN unnest(names) AS name
                                WHERE kind = j.kind AND payload ->> name <> ''))
            """,
            first_id(begin),
            first_id(end),
            [kind for kind, _ in declared],
            [name for _, name in declared],
            _IN_ERRORS,
        )

    async def oldest_job(tx: Tx) -> datetime | None:
        found: datetime | None = await tx.fetch_value("SELECT min(created_at) FROM internal.jobs")
        return found

    return PersonalRows(forget, oldest_job)
