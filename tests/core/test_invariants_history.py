"""Invariants about history: the new at once, the whole in pieces, and nothing resolved unseen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
import pytest
from tests.infra.queue_plans import Watching

from selify import billing
from selify.core import invariants
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database, Tx
from selify.core.invariants import HistoryInvariant, Violation

SYSTEM = Actor.system("test")
HOUR = timedelta(hours=1)


@dataclass
class Rows:
    """A history of numbered rows, some of which are bad; read three at a time."""

    bad: set[int]
    many: int = 9
    new: set[int] = field(default_factory=set)
    breaks_at: int = -1
    read: list[int] = field(default_factory=list)
    name: str = "rows_are_good"
    sentence: str = "Every row is good."
    seldom: bool = True

    async def violations(self, tx: Tx) -> list[Violation]:
        return self._of(range(self.many))

    async def recent(self, tx: Tx, since: datetime, until: datetime) -> list[Violation]:
        assert since < until
        return self._of(sorted(self.new))

    async def piece(self, tx: Tx, cursor: str) -> tuple[list[Violation], str]:
        begin = int(cursor or 0)
        self.read.append(begin)
        if begin == self.breaks_at:
            raise RuntimeError("killed")
        following = begin + 3
        found = self._of(range(begin, following))
        return found, str(following) if following < self.many else ""

    def _of(self, numbers: Sequence[int]) -> list[Violation]:
        return [Violation(str(n)) for n in numbers if n in self.bad]


async def look(database: Database, clock: FrozenClock, rows: HistoryInvariant) -> None:
    clock.advance(HOUR)
    await invariants.watch(database, clock, rows, patience=HOUR)


async def found(database: Database, name: str = "rows_are_good") -> set[str]:
    async with database.tx(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT subject FROM internal.invariant_findings"
            " WHERE resolved_at IS NULL AND invariant = $1",
            name,
        )
    return {row["subject"] for row in rows}


async def test_the_whole_is_read_once_a_day_and_the_new_each_time(
    database: Database, clock: FrozenClock
) -> None:
    rows = Rows(bad=set())
    assert isinstance(rows, HistoryInvariant)
    await look(database, clock, rows)
    assert rows.read == [0, 3, 6]
    for _ in range(22):
        await look(database, clock, rows)
    assert rows.read == [0, 3, 6]
    rows.bad, rows.new = {8}, {8}
    await look(database, clock, rows)
    assert await found(database) == {"8"}
    await look(database, clock, rows)
    assert len(rows.read) > 3


async def test_what_is_found_stays_until_the_whole_was_seen_without_it(
    database: Database, clock: FrozenClock
) -> None:
    rows = Rows(bad={1, 7})
    await look(database, clock, rows)
    assert await found(database) == {"1", "7"}
    await look(database, clock, rows)
    assert await found(database) == {"1", "7"}, "not new any more, and still reported"
    rows.bad.discard(1)
    rows.breaks_at = 6
    await look(database, clock, rows)
    assert {"1", "7"} <= await found(database), "the pass was interrupted"
    rows.breaks_at = -1
    rows.read.clear()
    await look(database, clock, rows)
    assert rows.read == [6], "it went on where it was"
    assert await found(database) == {"7"}


async def test_a_clock_set_back_neither_stops_the_passes_nor_resolves_anything(
    database: Database, clock: FrozenClock
) -> None:
    rows = Rows(bad={1, 7})
    await look(database, clock, rows)
    clock.advance(-timedelta(days=9))
    await look(database, clock, rows)
    assert await found(database) == {"1", "7"}
    rows.bad.clear()
    await look(database, clock, rows)
    assert await found(database) == set()
    rows.read.clear()
    clock.advance(timedelta(days=-9))
    await look(database, clock, rows)
    assert rows.read, "the last pass lies ahead: it was another clock's"


async def _charges(database: Database, many: int, made: datetime) -> None:
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            """
            WITH owner AS (INSERT INTO auth.users (id, email)
                           VALUES (gen_random_uuid(), gen_random_uuid() || '@x.example') RETURNING id),
            home AS MATERIALIZED (SELECT w.id FROM owner
                     CROSS JOIN LATERAL public.create_workspace_with_owner('W', NULL, owner.id) w)
            SELECT id FROM home
            """
        )
        await tx.execute(
            """
            INSERT INTO public.workspace_usage_events
                   (workspace_id, service_type, cost_credits, cost_source, status, source_id,
                    subscription_tier, created_at, completed_at, metadata)
            SELECT (SELECT workspace_id FROM public.workspace_quotas LIMIT 1), 'tryon', 1,
                   'payg_balance', 'completed', n::text, 'free', $2, $2,
                   '{"charge": {"payg_before": 6, "payg_after": 1, "price": 1, "parts": 1}}'
              FROM generate_series(1, $1) n
            """,
            many,
            made,
        )


@pytest.mark.parametrize("name", ["payg_steps_add_up", "parts_sum_to_price", "nothing_negative"])
async def test_looking_at_the_new_does_not_read_what_is_old(
    database_url: str, database: Database, clock: FrozenClock, name: str
) -> None:
    await _charges(database, 2_000, clock.now() - timedelta(days=40))
    owner = await asyncpg.connect(database_url)
    await owner.execute("ANALYZE public.workspace_usage_events")
    await owner.close()
    watching = await Watching.open(database_url)
    [invariant] = [i for i in billing.invariants(clock) if i.name == name]
    assert isinstance(invariant, HistoryInvariant)
    async with watching.tx(SYSTEM) as tx:
        new = await invariant.recent(tx, clock.now() - HOUR, clock.now())
        whole = await invariant.violations(tx)
        piece, _ = await invariant.piece(tx, "")
    await watching.close()
    assert new == []
    assert watching.costs[0].rows < 100
    assert sorted(v.subject for v in whole) == sorted(v.subject for v in piece)
    assert bool(whole) == (name == "payg_steps_add_up")


async def test_the_minute_s_look_at_the_week_is_at_workspaces_whose_credits_moved(
    database_url: str, database: Database, clock: FrozenClock
) -> None:
    """Bent by hand, a quiet workspace's week is found by the pass over the whole, a busy one's at once."""
    await _charges(database, 2_000, clock.now() - timedelta(days=40))
    [week] = [i for i in billing.invariants(clock) if i.name == "week_equals_events"]
    assert isinstance(week, HistoryInvariant)
    await look(database, clock, week)
    assert await found(database, week.name) == set()
    async with database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE public.workspace_quotas SET weekly_credits_used = 3")
    await look(database, clock, week)
    assert await found(database, week.name) == set()
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            "UPDATE public.workspace_usage_events SET created_at = $1 WHERE source_id = '1'",
            clock.now(),
        )
    await look(database, clock, week)
    assert len(await found(database, week.name)) == 1
    async with database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE public.workspace_quotas SET weekly_credits_used = 0")
    await look(database, clock, week)
    assert await found(database, week.name) == set()
    async with database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE public.workspace_quotas SET weekly_credits_used = 3")
    clock.advance(timedelta(days=2))
    await look(database, clock, week)
    assert len(await found(database, week.name)) == 1, "the day's pass over the whole"
