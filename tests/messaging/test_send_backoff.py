"""Whoever has to wait comes back at a pace the platform takes, and waits no longer than it must."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.infra.world import SYSTEM, Brand, World

from selify.app import WINGS
from selify.core import upkeep, wrong_clocks
from selify.messaging import limits, send_backoff
from selify.messaging.ports import Accepted, Action, Credentials, OutgoingMessage, Refused

BOUNDED = upkeep.bounds(WINGS)
NOON = datetime(2026, 11, 18, 12, 20, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TOO_FAST = Refused(Action.PAUSE_ACCOUNT, "too_fast", "slow down", 2, grows=True)


async def many_comments(world: World, number: int) -> None:
    await world.sql("UPDATE public.instagram_rate_limits SET hourly_limit = 9999")
    people = [world.comment(person_ref=f"p{n}", username=f"p{n}") for n in range(number)]
    for comment in people:
        world.platform.readers[comment.comment_ref] = comment.person_ref
    await world.arrive(*people)
    while await world.inbox.run_once():
        pass


async def sent_per_second(world: World, seconds: int) -> Counter[int]:
    """What leaves in the seconds from now on, when the queue is looked at ten times a second."""
    start, counted = world.clock.now(), Counter[int]()
    for tenth in range(10 * seconds):
        before = len(world.platform.sent)
        await world.deliver()
        counted[tenth // 10] += len(world.platform.sent) - before
        world.clock.advance(SECOND / 10)
    assert world.clock.now() >= start
    return counted


async def paused_for(world: World) -> timedelta:
    until = await world.value("SELECT paused_until FROM internal.send_pace")
    return until - world.clock.now()


async def test_after_a_pause_they_leave_one_after_another(world: World, brand: Brand) -> None:
    await many_comments(world, 130)
    async with world.database.tx(SYSTEM) as tx:
        await send_backoff.pause(tx, brand.account.id, now=world.clock.now(), length=5 * SECOND)
    await world.deliver()
    assert world.platform.sent == []
    world.clock.advance(5 * SECOND)
    counted = await sent_per_second(world, 5)
    assert len(world.platform.sent) == 130
    assert max(counted.values()) <= limits.SENDS_PER_SECOND + 4, "a tenth's share at the edge"
    assert counted[0] > 30, "and they do leave"


async def test_what_was_never_paused_keeps_the_pace_too(world: World, brand: Brand) -> None:
    await many_comments(world, 90)
    counted = await sent_per_second(world, 4)
    assert len(world.platform.sent) == 90
    assert max(counted.values()) <= limits.SENDS_PER_SECOND + limits.BURST
    assert await world.failures() == []


async def test_too_fast_costs_seconds_and_more_only_while_it_comes_again(
    world: World, brand: Brand
) -> None:
    await world.handle(world.comment())
    lengths = []
    for _ in range(4):
        world.platform.script.append(TOO_FAST)
        await world.deliver()
        lengths.append(await paused_for(world))
        world.clock.advance(lengths[-1] + SECOND)
    assert lengths == [2 * SECOND, 4 * SECOND, 8 * SECOND, 16 * SECOND]
    await world.deliver()
    assert await world.queued("sent") == ["greeting"]
    world.clock.advance(timedelta(minutes=5))
    world.platform.script.append(TOO_FAST)
    await world.say(world.message("hm?"))
    assert await paused_for(world) == 2 * SECOND


async def test_refusals_of_sends_under_way_are_one_pause(world: World, brand: Brand) -> None:
    await many_comments(world, 10)
    world.platform.script += [TOO_FAST] * 10
    await world.deliver()
    assert await paused_for(world) == 2 * SECOND
    world.platform.script.clear()
    await world.later(3 * SECOND)
    assert len(await world.queued("sent")) == 10


def test_a_pause_grows_to_a_limit() -> None:
    length, lengths = None, []
    for _ in range(9):
        length = send_backoff.grown(2 * SECOND, NOON, NOON, length)
        lengths.append(length.total_seconds())
    assert lengths == [2, 4, 8, 16, 32, 64, 64, 64, 64]
    day = timedelta(days=1)
    assert send_backoff.grown(day, NOON, NOON, day) == day
    assert send_backoff.grown(20 * day, NOON, NOON, None) == 20 * day


async def test_the_app_s_limit_pauses_every_account_of_the_platform(
    world: World, brand: Brand
) -> None:
    other = await world.brand("Other", "17841400000000002")
    world.platform.script.append(
        Refused(Action.PAUSE_PLATFORM, "app_throttled", "slow down", 600, grows=True)
    )
    await world.say(world.comment())
    await world.say(
        world.comment(account_ref="17841400000000002", post_ref="post-17841400000000002")
    )
    assert len(world.platform.sent) == 1, "the other account does not even ask"
    async with world.database.tx(SYSTEM) as tx:
        until = await send_backoff.paused_until(tx, other.account.id, world.clock.now())
    assert until == world.clock.now() + timedelta(minutes=10)
    await world.later(timedelta(minutes=10, seconds=1))
    assert len(world.platform.sent) == 3


async def test_connecting_again_ends_a_pause(world: World, brand: Brand) -> None:
    world.platform.script.append(Refused(Action.ASK_OWNER, "message_access_off", "Switch it on."))
    await world.say(world.comment(), world.comment(person_ref="ben"))
    await world.connect(brand.workspace_id, brand.owner_id)
    async with world.database.tx(SYSTEM) as tx:
        assert await send_backoff.paused_until(tx, brand.account.id, world.clock.now()) is None


class Slow:
    """Typing dots are refused; everything else arrives."""

    def __init__(self, world: World) -> None:
        self.platform = world.platform

    async def send(self, sender: Credentials, message: OutgoingMessage) -> Accepted | Refused:
        return TOO_FAST if message.typing else await self.platform.send(sender, message)


async def test_typing_dots_are_lost_and_cost_nothing(
    world: World, brand: Brand, monkeypatch
) -> None:
    await world.say(world.comment())
    monkeypatch.setattr(world.channel, "_messenger", Slow(world))
    await world.handle(world.message("hm?"))
    await world.sql("DELETE FROM internal.outbox WHERE payload ->> 'kind' = 'text'")
    await world.deliver()
    assert await world.failures() == ["typing_lost"]
    assert await paused_for(world) == 2 * SECOND, "but it says something about the account"
    counted = await world.value("SELECT messages_sent_today FROM public.instagram_rate_limits")
    assert counted == 1, "the greeting"


async def test_typing_dots_do_not_wait_for_a_pause(world: World, brand: Brand) -> None:
    await world.say(world.comment())
    await world.handle(world.message("hm?"))
    async with world.database.tx(SYSTEM) as tx:
        await send_backoff.pause(tx, brand.account.id, now=world.clock.now(), length=5 * SECOND)
    await world.deliver()
    assert await world.failures() == ["typing_lost"]
    assert await world.queued() == ["ask_photo_again"]


async def test_a_clock_that_was_ahead_leaves_neither_a_pause_nor_a_pace_behind(
    world: World, brand: Brand
) -> None:
    account, ahead = brand.account.id, NOON + timedelta(days=3)
    await world.sql("UPDATE public.instagram_rate_limits SET hourly_limit = 30, daily_limit = 40")

    async def granted(now: datetime) -> bool:
        """In the order in which a send asks."""
        async with world.database.tx(SYSTEM) as tx:
            paused = await send_backoff.paused_until(tx, account, now)
            if paused and paused > now:
                return False
            return (
                await limits.acquire_slot(tx, account, now) is None
                and await limits.acquire(tx, account, now) is None
            )

    before = [await granted(ahead + n * SECOND) for n in range(30)].count(True)
    async with world.database.tx(SYSTEM) as tx:
        await limits.queue(tx, account, ahead)
        await send_backoff.pause(tx, account, now=ahead, length=30 * SECOND)
    assert not await granted(NOON)
    await wrong_clocks.set_right(world.database, BOUNDED, now=NOON)
    async with world.database.tx(SYSTEM) as tx:
        assert await limits.queue(tx, account, NOON) < NOON + SECOND
    one_window = [await granted(NOON + n * SECOND) for n in range(60)].count(True)
    assert before + one_window == 30, (
        "what left by the wrong clock counts in the window that is now"
    )
    following = NOON.replace(hour=13, minute=0)
    assert [await granted(following + n * SECOND) for n in range(60)].count(True) == 10


async def test_what_a_clock_ahead_by_minutes_left_behind_is_not_copied_into_what_waits_now(
    world: World, brand: Brand
) -> None:
    """Before anybody has set it right: nobody would find the copy, which a right clock wrote."""
    account, ahead = brand.account.id, NOON + timedelta(minutes=50)
    async with world.database.tx(SYSTEM) as tx:
        await limits.queue(tx, account, ahead)
        await send_backoff.pause(tx, account, now=ahead, length=30 * SECOND)
    async with world.database.tx(SYSTEM) as tx:
        paused = await send_backoff.current(tx, account, NOON)
        assert paused is not None
        assert paused.until == NOON + 30 * SECOND
        assert await send_backoff.paused_until(tx, account, NOON) == paused.until
        again = await send_backoff.pause(tx, account, now=NOON, length=30 * SECOND)
        assert again == paused.until
        assert await limits.queue(tx, account, NOON) < NOON + SECOND


async def test_posts_are_looked_at_again_after_a_clock_was_ahead_by_hours(
    world: World, brand: Brand
) -> None:
    """Hours are nothing unusual between two looks at the posts of a quiet account."""
    await world.sql(
        "INSERT INTO public.social_account_sync_metadata"
        " (connected_account_id, last_sync_started_at, next_allowed_sync)"
        f" VALUES ('{brand.account.id}', $1::timestamptz, $1::timestamptz + interval '5 minutes')",
        NOON + timedelta(hours=20),
    )
    await wrong_clocks.set_right(world.database, BOUNDED, now=NOON)
    due = await world.value("SELECT next_allowed_sync FROM public.social_account_sync_metadata")
    assert due == NOON


async def test_a_long_pause_of_an_honest_clock_stays(world: World, brand: Brand) -> None:
    async with world.database.tx(SYSTEM) as tx:
        await send_backoff.pause(tx, brand.account.id, now=NOON, length=timedelta(hours=20))
        await send_backoff.pause_platform(tx, brand.account.id, now=NOON, length=SECOND)
    before = await world.value("SELECT p::text FROM internal.send_pace p")
    await wrong_clocks.set_right(world.database, BOUNDED, now=NOON)
    assert await world.value("SELECT p::text FROM internal.send_pace p") == before
