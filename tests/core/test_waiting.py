"""Waiting ends: with the event, with the time, and with a cancellation above all."""

import asyncio

import pytest

from selify.core.waiting import wait_with_timeout


async def test_what_has_happened_is_told_at_once() -> None:
    event = asyncio.Event()
    event.set()
    assert await wait_with_timeout(event, 0)


@pytest.mark.parametrize("seconds", [-1, 0, 0.001])
async def test_what_does_not_happen_is_not_waited_for(seconds: float) -> None:
    assert not await wait_with_timeout(asyncio.Event(), seconds)


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_is_heard_even_when_it_comes_with_the_event(turns: int) -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_with_timeout(event, 60))
    await asyncio.sleep(0.01)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    told = waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled() == told
