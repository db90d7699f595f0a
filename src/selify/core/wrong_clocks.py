"""A clock that was wrong leaves times behind that lie too far ahead; here they are set right.

Everything that waits, is leased, counted or paused says in a row until or since when. A machine whose
clock is ahead for a while writes such times, and once it is right again, whoever compares with them
would wait as long as the clock was wrong. So each has a bound, which its owner names: how far ahead of now it can honestly
lie. What lies further ahead was written by a clock that was wrong, and is treated as over; so is, however
near it lies, what was written by a clock that is ahead of ours.

Nothing here makes something happen twice: what is looked at again asks again whether it may.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from selify.core.database import Actor, Database
from selify.core.logging import get_logger
from selify.core.queue.claims import by_index

log = get_logger(__name__)

ACTOR = Actor.system("clocks")
EVERY = timedelta(seconds=15)
# Clocks of several machines differ a little, and that is nobody's fault.
TOLERANCE = timedelta(minutes=1)


def interval(length: timedelta) -> str:
    return f"interval '{length.total_seconds()} seconds'"


@dataclass(frozen=True, slots=True)
class Bound:
    """``column`` of the rows of ``table`` for which ``condition`` holds lies at most ``longest`` (an SQL
    interval) ahead. One that lies further becomes now, or ``back_to`` from now. Where waits differ in
    length, ``longest`` says little, and ``written`` is the column with the writer's time.
    """

    table: str
    column: str
    longest: str = "interval '0'"
    condition: str = "true"
    back_to: str = "interval '0'"
    written: str | None = None

    def statement(self) -> str:
        ahead = interval(TOLERANCE)
        too_far = f"{self.column} > $1::timestamptz + {self.longest} + {ahead}"
        if self.written:
            too_far = f"""
                {self.column} > $1::timestamptz + {ahead}
                AND ({too_far} OR {self.written} > $1::timestamptz + {ahead})
            """
        return f"""
            UPDATE {self.table} SET {self.column} = $1::timestamptz + {self.back_to}
             WHERE ctid = ANY (ARRAY(
                   SELECT ctid FROM {self.table}
                    WHERE {too_far} AND {self.condition} FOR UPDATE SKIP LOCKED))
        """


async def set_right(database: Database, bounds: Sequence[Bound], *, now: datetime) -> int:
    """A routine; how many times were set right."""
    changed = 0
    for bound in bounds:
        async with by_index(database, ACTOR) as tx:
            changed += await tx.execute(bound.statement(), now)
    if changed:
        log.warning("times lay too far ahead: a clock was wrong", times=changed)
    return changed
