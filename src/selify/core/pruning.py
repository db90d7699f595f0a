"""What has served its purpose goes: rows of queues that are done, answers nobody can ask for again.

Whoever owns a table says which of its rows, and when: how long a row stays is how long something may
still refer to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from selify.core.database import Actor, Database
from selify.core.ids import first_id
from selify.core.logging import get_logger
from selify.core.outage import is_away
from selify.core.queue.claims import by_index

log = get_logger(__name__)

ACTOR = Actor.system("pruning")
EVERY = timedelta(hours=1)
BATCH = 5000
TROUBLE_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of ``table`` whose ``by`` is older than ``age`` and for which ``condition`` holds.

    ``by`` is an indexed time, or ``id`` where that is time-ordered (``core.ids``).
    """

    table: str
    by: str
    age: timedelta
    condition: str = "true"

    def statement(self) -> str:
        # A few rows at a time, for nobody to wait for the locks; those that somebody holds, later.
        return f"""
            DELETE FROM {self.table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {self.table} WHERE {self.by} < $1 AND {self.condition}
                 ORDER BY {self.by} LIMIT {BATCH} FOR UPDATE SKIP LOCKED))
        """


async def prune(database: Database, rules: Sequence[Rule], *, now: datetime) -> int:
    """A routine; how many rows went."""
    return sum([await _clear_or_say_why(database, rule, now) for rule in rules])


async def _clear_or_say_why(database: Database, rule: Rule, now: datetime) -> int:
    """One table that cannot be cleared does not keep the others full."""
    try:
        return await _clear(database, rule, now - rule.age)
    except Exception as error:
        if is_away(error):
            raise
        log.exception("a table could not be cleared", table=rule.table)
        return 0


async def _clear(database: Database, rule: Rule, moment: datetime) -> int:
    cleared, last = 0, BATCH
    while last:
        async with by_index(database, ACTOR) as tx:
            bound = first_id(moment) if rule.by == "id" else moment
            last = await tx.execute(rule.statement(), bound)
        cleared += last
    return cleared
