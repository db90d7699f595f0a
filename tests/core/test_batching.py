"""What comes together is done together, and nobody is forgotten."""

import asyncio

import pytest

from selify.core.batching import Batches


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_comes_just_as_the_others_are_done_is_not_forgotten(turns: int) -> None:
    """At every step of the event loop between their being done and the flushers' end."""
    done = asyncio.Event()

    async def do(items):
        await done.wait()
        return items

    batches = Batches[int, int](do, largest=1, parallel=2)
    first = [asyncio.create_task(batches.put(n)) for n in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    done.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    assert await asyncio.wait_for(batches.put(7), 2) == 7
    assert await asyncio.gather(*first) == [0, 1]


async def test_an_error_among_the_outcomes_is_that_callers_alone() -> None:
    async def do(items):
        return [ValueError(n) if n % 2 else n for n in items]

    batches = Batches[int, int](do, largest=50, parallel=1)
    found = await asyncio.gather(*(batches.put(n) for n in range(5)), return_exceptions=True)
    assert [type(one) for one in found] == [int, ValueError, int, ValueError, int]


async def test_an_error_of_the_batch_is_everybodys() -> None:
    sizes = []

    async def do(items):
        sizes.append(len(items))
        raise OSError("the line is dead")

    batches = Batches[int, int](do, largest=2, parallel=1)
    found = await asyncio.gather(*(batches.put(n) for n in range(5)), return_exceptions=True)
    assert [type(one) for one in found] == [OSError] * 5
    assert sizes == [2, 2, 1]
