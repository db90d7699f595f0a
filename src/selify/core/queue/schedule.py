"""The schedule: work that one worker does for all, once in each slot of its interval; and among many that
wait for a routine, the longest waiting first.

A routine takes so many at a time. One that fails goes to the end of the line, or those that always fail
would stand before the others for ever: ``attempt`` does it and puts it there, ``last_try`` is what to
order by.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from selify.core.database import Tx
from selify.core.logging import get_logger
from selify.core.outage import is_away

log = get_logger(__name__)


async def claim_slot(tx: Tx, routine: str, *, every: timedelta, now: datetime) -> timedelta | None:
    """None: nobody has run this routine within ``every``, and the slot is ours. Else how long until the next
    one is free.

    Commit it before the work begins, or the others wait for its end. Whoever dies in its slot leaves
    the rest to the next.
    """
    name = f"every/{routine}"
    ours = await tx.execute(
        # One that lies ahead was taken by a clock that was wrong.
        """
        INSERT INTO internal.routine_turns AS turn (routine, taken_at) VALUES ($1, $2)
        ON CONFLICT (routine) DO UPDATE SET taken_at = excluded.taken_at
         WHERE turn.taken_at NOT BETWEEN $2 - $3::interval AND $2 + $3::interval
        """,
        name,
        now,
        every,
    )
    if ours:
        return None
    taken = await stood_at(tx, name)
    return min(max(timedelta(), taken + every - now), every) if taken else timedelta()


def last_try(routine: str, subject: str) -> str:
    """SQL: when a failing one was tried last, NULL for all others. ``subject``: the column of its id."""
    return (
        f"(SELECT taken_at FROM internal.routine_turns WHERE routine = '{routine}/' || {subject})"
    )


def tried(routine: str) -> str:
    """SQL: the ids of those that failed, the longest ago first. No more than a routine takes."""
    return (
        f"SELECT split_part(routine, '/', 2)::uuid FROM internal.routine_turns"
        f" WHERE routine LIKE '{routine}/%' ORDER BY taken_at LIMIT 200"
    )


async def note_try(tx: Tx, routine: str, subject: UUID, *, now: datetime) -> None:
    """To the end of the line with it, until ``forget_try``. Before work that may end the process."""
    await tx.execute(
        """
        INSERT INTO internal.routine_turns (routine, taken_at) VALUES ($1, $2)
        ON CONFLICT (routine) DO UPDATE SET taken_at = excluded.taken_at
        """,
        f"{routine}/{subject}",
        now,
    )


async def forget_try(tx: Tx, routine: str, subject: UUID) -> None:
    await tx.execute(
        "DELETE FROM internal.routine_turns WHERE routine = $1", f"{routine}/{subject}"
    )


async def attempt(
    tx: Tx, routine: str, subject: UUID, work: Callable[[], Awaitable[object]], *, now: datetime
) -> bool:
    """One of many. What fails is undone alone and goes to the end of the line; whether it went well."""
    try:
        async with tx.savepoint():
            await work()
    except Exception as error:
        if is_away(error):
            raise
        log.exception("one of many failed; the others go on", during=routine, subject=str(subject))
        await note_try(tx, routine, subject, now=now)
        return False
    await forget_try(tx, routine, subject)
    return True


async def stood_at(tx: Tx, routine: str) -> datetime | None:
    """How far a routine has come that works its way through time."""
    stood: datetime | None = await tx.fetch_value(
        "SELECT taken_at FROM internal.routine_turns WHERE routine = $1", routine
    )
    return stood


async def stand_at(tx: Tx, routine: str, moment: datetime) -> None:
    await tx.execute(
        """
        INSERT INTO internal.routine_turns (routine, taken_at) VALUES ($1, $2)
        ON CONFLICT (routine) DO UPDATE SET taken_at = excluded.taken_at
        """,
        routine,
        moment,
    )
