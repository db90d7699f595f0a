"""One database for many tests, swept after each: quicker than a database for each of so many."""

from collections.abc import AsyncIterator

import pytest_asyncio

from selify.core.database import Actor, Database

# In this order: what goes with a workspace or a user goes by itself.
_LEFT_BEHIND = (
    "public.workspaces",
    "public.webhook_events",
    "public.instagram_message_queue",
    "internal.waiting_events",
    "auth.users",
    "internal.sign_in_attempts",
    "internal.idempotency_keys",
    "internal.outbox",
    "internal.jobs",
    "internal.routine_turns",
    "internal.retention",
)


@pytest_asyncio.fixture(loop_scope="session")
async def swept_database(shared_database_url: str) -> AsyncIterator[Database]:
    """For tests that leave nothing else behind than the tables above."""
    yield (opened := await Database.connect(shared_database_url))
    await opened.close()
    await sweep(shared_database_url)


async def sweep(url: str) -> None:
    """Whatever a test left behind in a database that others use after it."""
    cleaner = await Database.connect(url)
    async with cleaner.tx(Actor.system("test")) as tx:
        for table in _LEFT_BEHIND:
            await tx.execute(f"DELETE FROM {table}")
    await cleaner.close()
