"""One database for many tests, swept after each: quicker than a database for each of so many."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest_asyncio

from selify.core.database import Database

_EVERY_TABLE = """
    SELECT oid::regclass::text AS name FROM pg_class
     WHERE relnamespace::regnamespace::text IN ('public', 'internal', 'auth') AND relkind = 'r'
"""


@dataclass(frozen=True, slots=True)
class Shared:
    """The database, and who sweeps it. Connections stay open from test to test: one that is new has to read
    the catalogs again, which takes longer than most tests.
    """

    database: Database
    cleaner: asyncpg.Connection
    counting: str
    before: dict[str, int]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(shared_database_url: str) -> AsyncIterator[Shared]:
    cleaner = await asyncpg.connect(shared_database_url)
    tables = [row["name"] for row in await cleaner.fetch(_EVERY_TABLE)]
    counting = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables)
    before = dict(await cleaner.fetch(counting))
    opened = await Database.connect(shared_database_url, max_size=10)
    yield Shared(opened, cleaner, counting, before)
    await opened.close()
    await cleaner.close()


@pytest_asyncio.fixture(loop_scope="session")
async def swept_database(shared: Shared) -> AsyncIterator[Database]:
    """For tests that write rows, and change nothing that is there before them."""
    yield shared.database
    await sweep(shared)


async def sweep(shared: Shared) -> None:
    """Empties the tables that were empty before, and fails where another one has changed."""
    found = dict(await shared.cleaner.fetch(shared.counting))
    changed = [name for name, rows in found.items() if rows != shared.before[name]]
    written = [name for name in changed if not shared.before[name]]
    async with shared.cleaner.transaction():
        # Neither keys nor triggers stand in the way: whatever they would keep goes as well.
        await shared.cleaner.execute("SET LOCAL session_replication_role = replica")
        for name in written:
            await shared.cleaner.execute(f"DELETE FROM {name}")
    assert written == changed, f"other tests would see what this one has changed: {changed}"
