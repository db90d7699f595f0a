"""A connection that may do everything and leaves nothing behind."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio


@pytest_asyncio.fixture(loop_scope="session")
async def db(shared_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the migrated database, in a transaction that is undone."""
    connection = await asyncpg.connect(shared_database_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()
