"""One database for many tests, swept after each: quicker than a database for each of so many."""

from collections.abc import AsyncIterator

import pytest_asyncio

from selify.core.database import Actor, Database

# In this order: what goes with a workspace or a user goes by itself.
_LEFT_BEHIND = (
    "public.workspaces",
    "public.webhook_events",
    "auth.users",
    "internal.sign_in_attempts",
    "internal.idempotency_keys",
    "internal.outbox",
    "internal.retention",
)


@pytest_asyncio.fixture(loop_scope="session")
async def swept_database(shared_database_url: str) -> AsyncIterator[Database]:
    """For tests that leave nothing else behind than the tables above."""
    yield (opened := await Database.connect(shared_database_url))
    await opened.close()
    cleaner = await Database.connect(shared_database_url)
    async with cleaner.tx(Actor.system("test")) as tx:
        for table in _LEFT_BEHIND:
            await tx.execute(f"DELETE FROM {table}")
    await cleaner.close()
