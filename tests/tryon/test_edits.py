"""What a shopper changes in a message afterwards is shown, and heard where it decides who answers."""

from dataclasses import replace
from datetime import timedelta

from tests.infra.world import SYSTEM, Brand, World
from tests.tryon.test_never_left_alone import edited, unread, waits_for_person

from selify.messaging import conversations
from selify.messaging.types import Handler, MessageUnsent

WISH = "Ich möchte mit einem Menschen sprechen"


async def test_a_wish_for_a_person_is_answered_once_however_often_its_edit_comes(
    world: World, brand: Brand
) -> None:
    written = world.message("hallo")
    await world.say(written)
    assert await unread(world) == 0
    await world.say(edited(world, written, WISH), edited(world, written, WISH))
    assert await world.queued("sent") == ["introduction", "handed_to_human"]
    assert await world.notified() == ["human_wanted"]
    assert await unread(world) == 1
    assert "aus unserem Team" in world.platform.texts[-1]


async def test_stop_and_start_again_by_editing(world: World, brand: Brand) -> None:
    written = world.message("hallo")
    await world.say(written, edited(world, written, "STOP"))
    assert (await world.state()).opted_out
    await world.say(edited(world, written, "start", 2))
    assert not (await world.state()).opted_out
    assert await world.queued("sent") == ["introduction", "stopped", "started"]


async def test_other_words_and_the_same_wish_in_other_words_change_nothing(
    world: World, brand: Brand
) -> None:
    written = world.message(WISH)
    await world.say(written)
    thread = await world.value("SELECT id FROM public.social_conversations")
    async with world.database.tx(SYSTEM) as tx:
        await conversations.set_handler(tx, thread, Handler.BOT, now=world.clock.now())
    await world.say(edited(world, written, f"{WISH}!"), edited(world, written, "try on", 2))
    assert (await world.state()).handler is Handler.BOT
    assert await world.queued("sent") == ["handed_to_human"]
    assert await world.last() == ("completed", None)


async def test_what_the_account_itself_edits_is_nobody_s_wish(world: World, brand: Brand) -> None:
    written = world.message("hallo")
    await world.say(written)
    await world.say(replace(edited(world, written, WISH), is_own=True))
    assert (await world.state()).handler is Handler.BOT


async def test_the_edit_of_a_message_that_never_came_is_heard_after_a_while(
    world: World, brand: Brand
) -> None:
    written = world.message("hallo")
    await world.say(edited(world, written, WISH))
    assert await world.queued("sent") == []
    await world.later(timedelta(minutes=3))
    assert await world.queued("sent") == ["handed_to_human"]
    assert await waits_for_person(world, brand)
    await world.say(written)
    assert (await world.last())[0] == "skipped"


async def test_whoever_takes_the_message_back_takes_its_answer_back(
    world: World, brand: Brand
) -> None:
    written = world.message("hallo")
    await world.say(written)
    await world.handle(edited(world, written, "STOP"))
    taken_back = MessageUnsent(
        written.account_ref, written.person_ref, written.message_ref, world.clock.now()
    )
    await world.handle(taken_back)
    await world.deliver()
    assert await world.queued("sent") == ["introduction"]
