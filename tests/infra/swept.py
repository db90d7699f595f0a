"""One database for many tests, swept after each: quicker than a database for each of so many."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from selify.core.database import Database

_EVERY_TABLE = """
    SELECT oid::regclass::text AS name FROM pg_class
     WHERE relnamespace::regnamespace::text IN ('public', 'internal', 'auth') AND relkind = 'r'
"""
_counted: dict[str, tuple[str, dict[str, int]]] = {}


@pytest_asyncio.fixture(loop_scope="session")
async def swept_database(shared_database_url: str) -> AsyncIterator[Database]:
    """For tests that write rows, and change nothing that is there before them."""
    url = shared_database_url
    if url not in _counted:
        _counted[url] = await _count_rows(url)
    yield (opened := await Database.connect(url))
    await opened.close()
    await sweep(url)


async def sweep(url: str) -> None:
    """Empties the tables that were empty before, and fails where another one has changed."""
    counting, before = _counted[url]
    cleaner = await asyncpg.connect(url)
    try:
        found = dict(await cleaner.fetch(counting))
        changed = [name for name, rows in found.items() if rows != before[name]]
        written = [name for name in changed if not before[name]]
        async with cleaner.transaction():
            # Neither keys nor triggers stand in the way: whatever they would keep goes as well.
            await cleaner.execute("SET LOCAL session_replication_role = replica")
            for name in written:
                await cleaner.execute(f"DELETE FROM {name}")
    finally:
        await cleaner.close()
    assert written == changed, f"other tests would see what this one has changed: {changed}"


async def _count_rows(url: str) -> tuple[str, dict[str, int]]:
    """How many rows every table has, and the statement that tells it."""
    db = await asyncpg.connect(url)
    tables = [row["name"] for row in await db.fetch(_EVERY_TABLE)]
    counting = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {name}" for name in tables)
    found = dict(await db.fetch(counting))
    await db.close()
    return counting, found
