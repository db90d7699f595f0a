"""The gate lets exactly as many through as it may, and says honestly when the rest will leave."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.infra.world import SYSTEM, Brand, World

from selify.core.database import Database
from selify.messaging import limits
from selify.messaging.limits import estimate

NOON = datetime(2026, 11, 18, 12, 20, tzinfo=UTC)


async def take(world: World, brand: Brand, at: datetime) -> datetime | None:
    async with world.database.tx(SYSTEM) as tx:
        return await limits.acquire(tx, brand.account.id, at)


async def pace(world: World, brand: Brand, at: datetime) -> limits.Pace:
    async with world.database.tx(SYSTEM) as tx:
        return await limits.pace(tx, brand.account.id, at)


async def test_fifty_at_once_get_exactly_what_there_is(
    world: World, brand: Brand, database: Database
) -> None:
    await world.sql("UPDATE public.instagram_rate_limits SET hourly_limit = 20")
    answers = await asyncio.gather(*(take(world, brand, NOON) for _ in range(50)))
    assert answers.count(None) == 20
    assert {answer for answer in answers if answer} == {NOON.replace(hour=13, minute=0)}
    assert (await pace(world, brand, NOON)).sent_this_hour == 20


async def test_a_new_clock_hour_and_a_new_day_begin_at_zero(world: World, brand: Brand) -> None:
    await world.sql("UPDATE public.instagram_rate_limits SET hourly_limit = 2, daily_limit = 5")
    at, left = NOON, []
    for _ in range(4):
        left.append([await take(world, brand, at) is None for _ in range(3)].count(True))
        at = at.replace(minute=0) + timedelta(hours=1)
    assert left == [2, 2, 1, 0]
    midnight = datetime(2026, 11, 19, tzinfo=UTC)
    assert await take(world, brand, at) == midnight
    assert await take(world, brand, midnight) is None


async def test_a_worker_whose_clock_is_behind_starts_no_new_hour(
    world: World, brand: Brand
) -> None:
    await world.sql("UPDATE public.instagram_rate_limits SET hourly_limit = 2")
    hour = NOON.replace(minute=0)
    assert await take(world, brand, hour) is None
    assert await take(world, brand, hour - timedelta(seconds=1)) is None
    assert await take(world, brand, hour - timedelta(seconds=1)) is not None
    assert await take(world, brand, hour) is not None


async def test_what_never_left_is_given_back(world: World, brand: Brand) -> None:
    await take(world, brand, NOON)
    async with world.database.tx(SYSTEM) as tx:
        await limits.release(tx, brand.account.id)
        await limits.release(tx, brand.account.id)
    assert (await pace(world, brand, NOON)).sent_this_hour == 0


async def test_the_pace_counts_what_waits(world: World, brand: Brand) -> None:
    await world.sql("UPDATE public.instagram_rate_limits SET hourly_limit = 1")
    await world.handle(*(world.comment(person_ref=f"p{n}") for n in range(3)))
    found = await pace(world, brand, NOON)
    assert found.waiting == 3
    assert found.clear_at == NOON.replace(hour=14, minute=0)


async def test_typing_dots_and_questions_are_no_messages(world: World, brand: Brand) -> None:
    await world.say(world.comment())
    await world.handle(world.message("hm?"))
    waiting = "SELECT count(*) FROM internal.outbox WHERE state = 'queued'"
    assert await world.value(waiting) == 2, "the answer and its typing dots"
    assert (await pace(world, brand, NOON)).waiting == 1


@pytest.mark.parametrize(
    ("waiting", "hour", "day", "expected"),
    [
        (0, 0, 0, None),
        (1, 0, 0, NOON),
        (200, 0, 0, NOON),
        (201, 0, 0, NOON.replace(hour=13, minute=0)),
        (1, 200, 200, NOON.replace(hour=13, minute=0)),
        (1, 0, 1000, datetime(2026, 11, 19, tzinfo=UTC)),
        (1000, 0, 0, NOON.replace(hour=16, minute=0)),
        (1001, 0, 0, datetime(2026, 11, 19, tzinfo=UTC)),
        (2001, 0, 0, datetime(2026, 11, 20, tzinfo=UTC)),
        (1, 999, 5000, datetime(2026, 11, 19, tzinfo=UTC)),
    ],
)
def test_the_estimate(waiting: int, hour: int, day: int, expected: datetime | None) -> None:
    assert estimate(waiting, hour, day, 200, 1000, NOON) == expected


@given(
    st.integers(1, 3000),
    st.integers(0, 300),
    st.integers(0, 1200),
    st.integers(1, 300),
    st.integers(1, 1200),
)
def test_the_estimate_ends_is_never_past_and_grows(
    waiting: int, hour: int, day: int, hourly: int, daily: int
) -> None:
    waiting = min(waiting, 40 * min(hourly, daily))  # so that it ends within a test's patience
    first = estimate(waiting, hour, day, hourly, daily, NOON)
    more = estimate(waiting + 1, hour, day, hourly, daily, NOON)
    assert first is not None
    assert more is not None
    assert NOON <= first <= more


def test_nothing_may_leave_means_no_promise() -> None:
    assert estimate(1, 0, 0, 0, 10, NOON) is None
