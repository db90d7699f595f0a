"""Invariants are checked one by one: what is slow or broken hides nothing, and is found itself."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import pytest

from selify.core import invariants
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database, DatabaseUnavailable, Tx
from selify.core.invariants import CHECKABLE, SqlInvariant, Violation
from selify.core.queue.worker import Routine, run_in_slot

SYSTEM = Actor.system("test")
MINUTE = timedelta(minutes=1)
BROKEN_RULE = SqlInvariant("one_holds_not", "Two is one.", "SELECT 'row' AS subject")


@dataclass
class Asked:
    """Holds, takes its time or raises; counts how often it was asked."""

    error: Exception | None = None
    sleep: float = 0
    name: str = "asked"
    sentence: str = "Somebody asks."
    seldom: bool = False
    times: list[int] = field(default_factory=list)

    async def violations(self, tx: Tx) -> list[Violation]:
        self.times.append(1)
        await tx.execute("SELECT pg_sleep($1)", self.sleep)
        if self.error:
            raise self.error
        return []


async def look(database: Database, clock: FrozenClock, *these, patience: float = 5) -> int:
    """As a worker does, each in its slot; how many were checked."""
    checked = 0
    for invariant in these:

        async def watch(invariant=invariant) -> None:
            nonlocal checked
            checked += 1
            longest = timedelta(seconds=patience)
            await invariants.watch(database, clock, invariant, patience=longest)

        routine = Routine(invariant.name, MINUTE.total_seconds(), watch)
        await run_in_slot(database, clock, routine)
    return checked


async def open_findings(database: Database) -> set[tuple[str, str]]:
    async with database.tx(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT invariant, subject FROM internal.invariant_findings WHERE resolved_at IS NULL"
        )
    return {(row["invariant"], row["subject"]) for row in rows}


@pytest.mark.parametrize(
    "trouble", [Asked(sleep=60), Asked(ValueError("a bug"))], ids=["slow", "broken"]
)
async def test_what_cannot_be_checked_is_found_and_hides_nothing(
    database: Database, clock: FrozenClock, trouble: Asked
) -> None:
    assert await look(database, clock, trouble, BROKEN_RULE, patience=0.2) == 2
    assert await open_findings(database) == {(CHECKABLE, "asked"), ("one_holds_not", "row")}
    clock.advance(MINUTE * 2)
    trouble.sleep, trouble.error = 0, None
    await look(database, clock, trouble)
    assert await open_findings(database) == {("one_holds_not", "row")}


async def test_one_worker_checks_for_all(database: Database, clock: FrozenClock) -> None:
    check = Asked(sleep=0.05)
    await asyncio.gather(*(look(database, clock, check) for _ in range(4)))
    assert len(check.times) == 1
    clock.advance(MINUTE / 2)
    assert await look(database, clock, check) == 0
    clock.advance(MINUTE)
    assert await look(database, clock, check) == 1
    clock.advance(-timedelta(days=3))
    assert await look(database, clock, check) == 1, "a turn taken ahead of time binds nobody"


@pytest.mark.parametrize("error", [DatabaseUnavailable("gone"), asyncpg.AdminShutdownError("bye")])
async def test_a_database_that_is_away_is_no_finding(
    database: Database, clock: FrozenClock, error: Exception
) -> None:
    with pytest.raises(type(error)):
        await look(database, clock, Asked(error))
    assert await open_findings(database) == set()
