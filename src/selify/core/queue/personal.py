"""What a queue's row says of a person goes when nobody needs it any more, though the row stays.

Of a job that is what its payload declares (``Payload.personal``). Of an event nobody knows which of its
members hold an address under which a platform serves a person's picture: so every address goes, but for
those that somebody wrote.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from selify.core.database import Tx
from selify.core.ids import first_id
from selify.core.queue.payload import Payload

WRITTEN_BY_PEOPLE = ("text",)

_ADDRESS = re.compile(r"https?:\S*", re.IGNORECASE)
# The same for PostgreSQL, in what it says of an error.
_IN_ERRORS = r"https?:\S*"


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


async def forget_in_jobs(
    tx: Tx, payloads: Mapping[str, type[Payload]], begin: datetime, end: datetime
) -> int:
    """Of the jobs that were started in between: what their kind's payload declares, and addresses in what is
    said of an error; of how many.
    """
    forgotten = 0
    for kind, payload in payloads.items():
        forgotten += await tx.execute(
            """
            UPDATE internal.jobs
               SET payload = payload || blank.members,
                   last_error = regexp_replace(last_error, $5, '', 'gi')
              FROM (SELECT coalesce(jsonb_object_agg(name, ''), '{}') AS members
                      FROM unnest($4::text[]) AS name) AS blank
             WHERE id >= $1 AND id < $2 AND kind = $3
               AND (EXISTS (SELECT FROM unnest($4) AS name WHERE payload ->> name <> '')
                    OR last_error ~* 'https?:')
            """,
            first_id(begin),
            first_id(end),
            kind,
            sorted(payload.personal),
            _IN_ERRORS,
        )
    return forgotten


async def oldest(tx: Tx) -> datetime | None:
    """When the oldest event arrived, or the oldest job was started."""
    found: datetime | None = await tx.fetch_value(
        """
        SELECT least((SELECT min(created_at) FROM public.webhook_events),
                     (SELECT min(created_at) FROM internal.jobs))
        """
    )
    return found
