"""What PostgreSQL refuses is told apart: what is wrong with the request, and what may well succeed
when it is sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from selify.core.database import Actor, Database
from selify.core.database_errors import from_database
from selify.core.errors import Unavailable
from selify.core.outage import is_away
from selify.core.web.problems import problem

SYSTEM = Actor.system("test")


async def insert_row(database: Database, key: str) -> None:
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            "INSERT INTO internal.jobs (id, kind, key, payload) VALUES"
            " (gen_random_uuid(), 'test', $1, '{}')",
            key,
        )


UPDATE = "UPDATE internal.jobs SET payload = '{}' WHERE key = $1"


async def locked(database: Database) -> None:
    """Somebody else holds the row, and we do not wait."""
    async with database.tx(SYSTEM) as holder, database.tx(SYSTEM) as tx:
        await holder.execute(UPDATE, "a")
        await tx.fetch("SELECT 1 FROM internal.jobs WHERE key = 'a' FOR UPDATE NOWAIT")


async def overtaken(database: Database) -> None:
    """Somebody else changed the row since we looked."""
    async with database.tx(SYSTEM) as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await tx.fetch("SELECT 1 FROM internal.jobs")
        async with database.tx(SYSTEM) as other:
            await other.execute(UPDATE, "a")
        await tx.execute(UPDATE, "a")


async def deadlocked(database: Database) -> None:
    """Two hold what the other wants; one of them is refused."""
    both = asyncio.Barrier(2)

    async def one(first: str, second: str) -> None:
        async with database.tx(SYSTEM) as tx:
            await tx.execute(UPDATE, first)
            await both.wait()
            await tx.execute(UPDATE, second)

    outcomes = await asyncio.gather(one("a", "b"), one("b", "a"), return_exceptions=True)
    for outcome in outcomes:
        if outcome is not None:
            raise outcome


async def standby(database: Database) -> None:
    """The server takes no writes at the moment."""
    async with database.tx(SYSTEM) as tx:
        await tx.execute("SET TRANSACTION READ ONLY")
        await tx.execute(UPDATE, "a")


@pytest.mark.parametrize("trouble", [locked, overtaken, deadlocked, standby])
async def test_what_may_succeed_in_a_moment_is_busy_and_nobodys_fault(
    database: Database, trouble: Callable[[Database], Awaitable[None]]
) -> None:
    await insert_row(database, "a")
    await insert_row(database, "b")
    with pytest.raises(asyncpg.PostgresError) as raised:
        await trouble(database)
    refusal = from_database(raised.value)
    assert isinstance(refusal, Unavailable)
    assert problem(refusal).headers["retry-after"]
    assert is_away(raised.value), "a queue counts no failed try for it"
