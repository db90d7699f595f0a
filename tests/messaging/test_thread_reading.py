"""A thread is read back slowly enough, and from where the last reading stopped."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from tests.infra.world import SYSTEM, Brand, World

from selify.core.clock import FrozenClock
from selify.messaging import limits
from selify.messaging.ports import SentMessage


class WatchedClock(FrozenClock):
    """Remembers until when somebody slept."""

    def __init__(self, clock: FrozenClock) -> None:
        super().__init__(clock.now())
        self.slept: list[float] = []

    async def sleep_until(self, moment: Any) -> None:
        self.slept.append((moment - self.now()).total_seconds())
        await super().sleep_until(moment)


@pytest.fixture
async def doubt(world: World, brand: Brand) -> WatchedClock:
    """An answer to Ana may have arrived; the thread says that it did, behind three others."""
    await world.say(world.comment())
    await world.handle(world.message("hm?"))
    await world.put_in_doubt()
    lost = SentMessage("mid.found", world.platform.texts[-1], world.clock.now(), False)
    others = [SentMessage(f"m{n}", f"other {n}", world.clock.now(), False) for n in range(3)]
    world.platform.thread = [*others, lost]
    clock = WatchedClock(world.clock)
    world.channel._threads._clock = clock
    world.clock.advance(timedelta(seconds=20))
    clock.advance(timedelta(seconds=20))
    return clock


async def test_reads_leave_apart_from_each_other(world: World, doubt: WatchedClock) -> None:
    await world.recover()
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]
    assert [round(seconds, 3) for seconds in doubt.slept] == [0, 0.6, 0.6, 0.6]


async def test_a_refused_read_is_made_again_and_not_all_before_it(
    world: World, doubt: WatchedClock
) -> None:
    world.platform.read_refusals = [2]
    await world.recover()
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]
    assert [read.get("next", 0) for read in world.platform.reads] == [0, 0, 1, 2, 3]


async def test_an_interrupted_reading_goes_on_where_it_stopped(
    world: World, doubt: WatchedClock
) -> None:
    read_back, reads = world.platform.read_back, 0

    async def until_the_third(*args: Any, **more: Any) -> Any:
        nonlocal reads
        reads += 1
        if reads == 3:
            world.platform.read_refusals = [None]
        return await read_back(*args, **more)

    world.platform.read_back = until_the_third  # type: ignore[method-assign]
    await world.recover()
    assert await world.queued("unknown") == ["ask_photo_again"]
    assert [read.get("next", 0) for read in world.platform.reads] == [0, 1, 2]
    await world.later(timedelta(seconds=20))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]
    assert [read.get("next", 0) for read in world.platform.reads] == [0, 1, 2, 2, 3]


async def test_a_new_doubt_reads_from_the_beginning(world: World, doubt: WatchedClock) -> None:
    await world.sql("UPDATE internal.outbox SET payload = payload || $1", {"read_to": {"next": 3}})
    world.platform.thread = [SentMessage("m", "not ours", world.clock.now(), False)] * 4
    await world.recover()
    assert world.platform.reads == [{"next": 3}]
    await world.put_in_doubt()
    assert not await world.value(
        "SELECT true FROM internal.outbox WHERE state = 'unknown' AND payload ? 'read_to'"
    )


async def test_one_account_s_reads_are_paced_and_a_wrong_clock_does_not_stop_them(
    world: World, brand: Brand
) -> None:
    now = world.clock.now()

    async def take(at: Any) -> Any:
        async with world.database.tx(SYSTEM) as tx:
            return await limits.acquire_read(tx, brand.account.id, at)

    turns = [await take(now) for _ in range(40)]
    given = [turn for turn in turns if turn]
    assert given[0] == now
    assert all(b - a == limits.READ_TURN for a, b in itertools.pairwise(given))
    assert given[-1] - now <= limits.READS_AHEAD + limits.READ_TURN
    assert turns[-1] is None, "whoever comes late tries again"
    assert await take(now + timedelta(minutes=1)) == now + timedelta(minutes=1)
    assert await take(now - timedelta(days=1)) == now - timedelta(days=1), "the clock was ahead"
