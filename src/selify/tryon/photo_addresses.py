"""The addresses of shoppers' photos go with the photo.

A platform's link to a photo of a person is as private as the photo. It comes with an event and stands
in its row, or in an entry that was parked unread; a try-on's job has it until the photo is ours; and
what went wrong with any of them may quote it. Nowhere else is it written.

It goes when the photo's life ends (``forget_old``, whatever became of the event: by then the link is
dead anyway), at once when the photo is taken back or not wanted any more (``forget``), and with its
account. What people wrote themselves is no such address, and stays.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from selify.core.database import Actor, Database, Tx
from selify.core.queue import personal, schedule
from selify.core.queue.payload import Payload
from selify.messaging import unmatched_events

ACTOR = Actor.system("photo addresses")
ROUTINE = "photo addresses"
STEP = timedelta(minutes=10)


async def forget_old(
    database: Database,
    payloads: Mapping[str, type[Payload]],
    *,
    now: datetime,
    keep: timedelta,
) -> int:
    """A routine: what arrived longer ago than ``keep`` holds no address any more; in how many rows
    there were some. It goes on where it stood, a few minutes of arrivals at a time. ``payloads``: of the
    jobs, by their kind.
    """
    until = now - keep
    async with database.tx(ACTOR) as tx:
        begin = min(await _stood_at(tx) or until, until)
    forgotten = 0
    while begin < until:
        end = min(begin + STEP, until)
        async with database.tx(ACTOR) as tx:
            forgotten += await personal.forget_addresses(tx, begin, end)
            forgotten += await unmatched_events.forget_addresses(tx, begin, end)
            forgotten += await personal.forget_in_jobs(tx, payloads, begin, end)
            await schedule.stand_at(tx, ROUTINE, end)
        begin = end
    return forgotten


async def forget(tx: Tx, message_ref: str) -> None:
    """The photo of this message is gone: so are its addresses. The conversation is locked."""
    await personal.forget_attachments(tx, {"mid": message_ref})
    await unmatched_events.forget_addresses_of(tx, message_ref)


async def _stood_at(tx: Tx) -> datetime | None:
    """Up to where there is none left; at first the oldest of what there is."""
    stood = await schedule.stood_at(tx, ROUTINE)
    if stood is not None:
        return stood
    ages = (await personal.oldest(tx), await unmatched_events.oldest(tx))
    return min((age for age in ages if age is not None), default=None)
