"""How an account is doing: the bell, the diagnosis (page, API, banner) and the table say the same."""

from datetime import timedelta

import pytest
from tests.infra.world import ANA, SYSTEM, Brand, World

from selify.messaging import conversations, diagnosis, health, limits, send_backoff, subscriptions
from selify.messaging.diagnosis import Diagnosis, State, Waiting
from selify.messaging.ports import Action, Refused
from selify.messaging.send_now import NothingToSendNow, send_now
from selify.messaging.types import Handler

WRONG = Refused(Action.STOP, "bad_parameter", "The platform did not accept this message.")
SWITCH = Refused(Action.ASK_OWNER, "message_access_off", "Please allow access.", alert=True)
SLOW = Refused(Action.PAUSE_ACCOUNT, "throttled", "Slow down, please.", 900, grows=True)


@pytest.fixture
async def thread(world: World, brand: Brand) -> Brand:
    """Ana's thread is open, and an answer to her is queued."""
    await world.say(world.comment())
    await world.handle(world.message("hm?"))
    return brand


async def doctor(world: World, brand: Brand) -> Diagnosis:
    async with world.database.tx(SYSTEM) as tx:
        (found,) = await diagnosis.of_workspace(tx, brand.workspace_id, world.clock.now())
    return found


async def press(world: World, brand: Brand) -> int:
    async with world.database.tx(SYSTEM) as tx:
        return await send_now(tx, brand.account.id, world.clock.now())


async def bell(world: World) -> list[tuple[str, str]]:
    rows = await world.sql(
        "SELECT title, description FROM public.notifications"
        " WHERE type <> 'message_failed' ORDER BY created_at, ctid"
    )
    return [(row["title"], row["description"]) for row in rows]


async def status(world: World) -> str:
    return str(await world.value("SELECT health_status FROM public.instagram_account_health"))


async def test_after_three_failures_in_a_row_everybody_says_the_same(
    world: World, brand: Brand
) -> None:
    for number in range(3):
        world.platform.script.append(WRONG)
        await world.say(world.comment(person_ref=f"p{number}"))
        chief = (await doctor(world, brand)).chief
        if number < 2:
            assert chief.state is State.FAIR
            assert await bell(world) == []
            assert await status(world) == "degraded"
    assert (chief.state, chief.code) == (State.BAD, "account_failing")
    assert chief.title == "Answers of @ateliernord cannot leave"
    assert chief.text == ("The latest sends all failed. The platform did not accept this message.")
    assert await bell(world) == [(chief.title, chief.text)]
    assert await status(world) == "unhealthy"
    world.platform.script.append(WRONG)
    await world.say(world.comment(person_ref="p4"))
    assert len(await bell(world)) == 1, "once, while it lasts"


async def test_a_success_ends_the_run_and_the_bell_says_so(world: World, brand: Brand) -> None:
    for number in range(3):
        world.platform.script.append(WRONG)
        await world.say(world.comment(person_ref=f"p{number}"))
    await world.say(world.comment(person_ref="p4"))
    found = (await doctor(world, brand)).findings
    assert {one.state for one in found if one.about == "sending"} == {State.GOOD}
    assert [title for title, _ in await bell(world)] == [
        "Answers of @ateliernord cannot leave",
        "Answers of @ateliernord leave again",
    ]
    world.clock.advance(timedelta(seconds=1))
    for number in range(2):
        world.platform.script.append(WRONG)
        await world.say(world.comment(person_ref=f"q{number}"))
    assert len(await bell(world)) == 2, "two are not three"
    world.platform.script.append(WRONG)
    await world.say(world.comment(person_ref="q3"))
    assert len(await bell(world)) == 3, "another run is told again, on the same day too"


async def test_a_run_that_nobody_was_told_of_ends_in_silence(world: World, brand: Brand) -> None:
    world.platform.script.append(WRONG)
    await world.say(world.comment(person_ref="p1"))
    await world.say(world.comment(person_ref="p2"))
    assert await bell(world) == []


async def test_a_send_in_doubt_is_one_failure(world: World, thread: Brand) -> None:
    world.wait_for_morning()
    world.platform.script.append(Refused(Action.UNKNOWN, "maybe_sent", "Nobody knows."))
    await world.deliver()
    found = await doctor(world, thread)
    assert [(item.count, item.may_send_now) for item in found.waiting] == [(1, False)]
    assert "finding out" in found.waiting[0].why
    await world.later(timedelta(seconds=20))
    await world.later(timedelta(seconds=20))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"], "it had not arrived"
    failed = await world.value("SELECT messages_failed_today FROM public.instagram_account_health")
    assert failed == 1


async def test_a_dead_token_is_said_in_the_same_words(world: World, thread: Brand) -> None:
    world.platform.script.append(Refused(Action.REAUTHORISE, "token_expired", "No access."))
    await world.deliver()
    found = await doctor(world, thread)
    assert (found.chief.state, found.chief.code) == (State.BAD, "account_expired")
    assert await bell(world) == [(found.chief.title, found.chief.text)]
    (held,) = found.waiting
    assert (held.count, held.may_send_now) == (1, False)
    with pytest.raises(NothingToSendNow, match="connected again"):
        await press(world, thread)
    await world.connect(thread.workspace_id, thread.owner_id)
    assert (await doctor(world, thread)).chief.state is not State.BAD


async def test_events_that_do_not_arrive_are_said_in_the_same_words(
    world: World, brand: Brand
) -> None:
    async with world.database.tx(SYSTEM) as tx:
        await subscriptions.record_failure(
            tx, brand.account.id, "A switch is off.", clock=world.clock
        )
        await health.tell(tx, brand.account.id, world.clock.now())
    await world.deliver()
    found = await doctor(world, brand)
    assert (found.chief.code, found.chief.text) == ("events_not_arriving", "A switch is off.")
    assert await bell(world) == [(found.chief.title, found.chief.text)]


# --- What waits, and “send now” ---


async def waiting(world: World, brand: Brand) -> Waiting:
    (found,) = (await doctor(world, brand)).waiting
    return found


async def test_nothing_waits_while_everything_leaves(world: World, thread: Brand) -> None:
    assert (await doctor(world, thread)).waiting == ()
    await world.deliver()
    assert (await doctor(world, thread)).waiting == ()
    with pytest.raises(NothingToSendNow, match="Everything has left"):
        await press(world, thread)


async def test_what_waits_for_a_pause_of_the_platform_s_own_is_not_hurried(
    world: World, thread: Brand
) -> None:
    world.platform.script.append(SLOW)
    await world.deliver()
    held = await waiting(world, thread)
    assert (held.count, held.why) == (1, "Slow down, please.")
    assert held.until == world.clock.now() + timedelta(minutes=15)
    assert (await doctor(world, thread)).chief.text == "Slow down, please."
    assert not held.may_send_now
    with pytest.raises(NothingToSendNow, match="Slow down"):
        await press(world, thread)
    await world.deliver()
    assert len(world.platform.sent) == 2


async def test_what_the_owner_mended_is_sent_at_once(world: World, thread: Brand) -> None:
    world.platform.script.append(SWITCH)
    await world.deliver()
    held, chief = await waiting(world, thread), (await doctor(world, thread)).chief
    assert (held.why, held.may_send_now) == ("Please allow access.", True)
    assert (chief.code, chief.text) == ("sending_blocked", "Please allow access.")
    assert await bell(world) == [(chief.title, chief.text)]
    assert await press(world, thread) == 1
    await world.deliver()
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]
    assert (await doctor(world, thread)).waiting == ()


async def test_pressing_in_vain_makes_the_next_pause_longer(world: World, thread: Brand) -> None:
    world.platform.script += [SWITCH, SWITCH]
    await world.deliver()
    first = (await waiting(world, thread)).until
    assert first
    world.clock.advance(timedelta(minutes=1))
    await press(world, thread)
    await world.deliver()
    second = await waiting(world, thread)
    assert second.until
    assert second.until - world.clock.now() == 2 * (
        first + timedelta(minutes=1) - world.clock.now()
    )
    assert len(world.platform.sent) == 3


async def test_what_failed_once_is_tried_again_at_once(world: World, thread: Brand) -> None:
    world.platform.script.append(Refused(Action.RETRY, "media_not_fetched", "No picture.", 600))
    await world.deliver()
    held = await waiting(world, thread)
    assert (held.why, held.may_send_now) == ("No picture.", True)
    assert await press(world, thread) == 1
    await world.deliver()
    assert await world.queued("sent") == ["greeting", "ask_photo_again"]


async def test_what_waits_for_its_turn_at_the_platform_is_not_hurried(
    world: World, brand: Brand
) -> None:
    world.platform.script.append(Refused(Action.LATER, "limited", "It waits for its turn.", 3600))
    await world.say(world.comment())
    held = await waiting(world, brand)
    assert (held.why, held.may_send_now) == ("It waits for its turn.", False)
    with pytest.raises(NothingToSendNow):
        await press(world, brand)


async def test_what_only_comments_lack_can_be_tried_when_it_was_mended(
    world: World, thread: Brand
) -> None:
    world.platform.script.append(
        Refused(Action.ASK_OWNER, "permission_missing", "A permission is missing.", alert=True)
    )
    soon = world.clock.now() + timedelta(minutes=10)
    await world.sql(
        "UPDATE internal.outbox SET not_before = $1, last_error = 'later' WHERE state = 'queued'",
        soon,
    )
    await world.say(world.comment(person_ref="ben", username="ben"))
    await world.later(timedelta(minutes=10))
    assert await world.queued("sent") == ["greeting", "ask_photo_again"], "messages leave"
    found = await doctor(world, thread)
    assert found.chief.title == "Answers of @ateliernord to comments cannot leave"
    assert await bell(world) == [(found.chief.title, found.chief.text)]
    assert await press(world, thread) == 1
    await world.deliver()
    assert (await doctor(world, thread)).chief.state is not State.BAD


async def test_our_own_limit_is_said_and_not_set_aside(world: World, brand: Brand) -> None:
    await world.sql("UPDATE public.instagram_rate_limits SET hourly_limit = 1")
    await world.say(*(world.comment(person_ref=f"p{n}") for n in range(3)))
    held = await waiting(world, brand)
    assert (held.count, held.may_send_now) == (2, False)
    assert "1 messages an hour" in held.why
    with pytest.raises(NothingToSendNow, match="safety limit"):
        await press(world, brand)


async def test_pressing_sets_no_rule_aside(world: World, thread: Brand) -> None:
    # Of the same millisecond either may leave first: the refusal is meant for the words.
    await world.sql("DELETE FROM internal.outbox WHERE payload ->> 'kind' = 'typing'")
    world.platform.script.append(SWITCH)
    await world.deliver()
    async with world.database.tx(SYSTEM) as tx:
        conversation = await conversations.find(tx, thread.account.id, ANA)
        assert conversation
        await conversations.set_handler(tx, conversation.id, Handler.HUMAN, now=world.clock.now())
    assert await press(world, thread) == 1
    await world.deliver()
    assert await world.failures() == ["silenced"]
    assert len(world.platform.sent) == 2


async def test_who_waits_behind_others_of_a_conversation_is_counted(
    world: World, thread: Brand
) -> None:
    world.platform.script.append(Refused(Action.RETRY, "media_not_fetched", "No picture.", 600))
    await world.deliver()
    await world.handle(world.message("and?"))
    assert (await waiting(world, thread)).count == 2


async def test_another_s_pause_is_told_with_its_reason(world: World, thread: Brand) -> None:
    other = await world.brand("Rival", "17841400000000002")
    async with world.database.tx(SYSTEM) as tx:
        await send_backoff.pause_platform(
            tx, other.account.id, now=world.clock.now(), length=limits.HOUR, why="Shared limit."
        )
    found = await doctor(world, thread)
    assert (found.chief.text, found.chief.state) == ("Shared limit.", State.FAIR)
