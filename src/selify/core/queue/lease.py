"""Holding rows: a lease is short, so that a killed worker's rows are soon taken over, and renewed for
as long as its holder lives, so that slow work is not.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta


@contextlib.asynccontextmanager
async def heartbeat(
    renew: Callable[[], Awaitable[object]], lease: timedelta
) -> AsyncIterator[None]:
    """Call ``renew`` three times per lease while the block runs. A renewal that fails is tried again
    with the next; whoever loses the lease finds out when finishing.
    """
    task = asyncio.create_task(_repeat(renew, lease.total_seconds() / 3))
    try:
        yield
    finally:
        task.cancel()


async def _repeat(renew: Callable[[], Awaitable[object]], seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        with contextlib.suppress(Exception):
            await renew()
