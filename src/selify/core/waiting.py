"""Waiting for something, but not for ever.

``asyncio.wait_for`` of Python 3.11 swallows a cancellation that arrives together with what it waits
for: the task that was told to stop runs on, and whoever waits for its end waits for ever. So nobody
here uses it (the linter sees to that); ``asyncio.timeout`` has no such gap.
"""

import asyncio


async def wait_with_timeout(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event is set within so many seconds."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await event.wait()
    except TimeoutError:
        return False
    return True
