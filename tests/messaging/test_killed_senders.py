"""A worker is killed just when the platform took what it sent: whatever comes next is understood as if
it had lived to tell.
"""

from datetime import timedelta

import pytest
from tests.infra.world import SYSTEM, Brand, World

from selify.core.queue import outbox
from selify.messaging import diagnosis, outgoing, send_now
from selify.messaging.ports import Action, Refused
from selify.messaging.types import Handler
from selify.tryon.dialogue import Stage

DONE = Refused(Action.ALREADY_DONE, "already_replied", "This comment has had its reply.")
MAYBE = Refused(Action.UNKNOWN, "maybe_sent", "Nobody knows.")
NOBODY = Refused(Action.RETRY, "not_reached", "Nobody there.")
# The lease is over, and so is the rest after the last kill.
LATER = timedelta(seconds=40)
# The last one ends it: then it is taken for what stops its workers.
KILLS = (1, outbox.MAX_LOST - 1, outbox.MAX_LOST)


async def send_and_die(world: World, times: int = 1) -> str:
    """What is due is claimed, sent and taken, and nobody writes that down. Its words."""
    text = ""
    for _ in range(times):
        async with world.database.tx(SYSTEM) as tx:
            claimed = await outbox.claim(
                tx,
                worker_id="dead",
                now=world.clock.now(),
                limit=16,
                channels=[outgoing.CHANNEL],
            )
        (taken,) = [delivery for delivery in claimed if delivery.payload["kind"] != "typing"]
        await world.channel.send(taken)
        text = taken.payload["text"]
        world.clock.advance(LATER)
        await world.recover()
        world.clock.advance(LATER)
    return text


async def wait(world: World) -> None:
    """What is queued waits for its next try."""
    await world.sql(
        "UPDATE internal.outbox SET not_before = $1 WHERE state = 'queued'",
        world.clock.now() + LATER,
    )


async def private_replies(world: World) -> dict[str, str]:
    """State by the name of who wrote the comment."""
    rows = await world.sql(
        "SELECT payload ->> 'username' AS name, state FROM internal.outbox"
        " WHERE payload ->> 'kind' = 'private_reply'"
    )
    return {row["name"]: row["state"] for row in rows}


@pytest.mark.parametrize("kills", KILLS)
async def test_the_echo_of_its_private_reply_is_ours(
    world: World, brand: Brand, kills: int
) -> None:
    await world.handle(world.comment())
    text = await send_and_die(world, kills)
    echo = world.echo(text)
    await world.handle(echo, echo)
    state = await world.state()
    assert (state.handler, state.stage) == (Handler.BOT, Stage.AWAITING_PHOTO)
    assert await private_replies(world) == {"ana": "sent"}
    assert "taken_over" not in await world.notified()


@pytest.mark.parametrize("kills", KILLS)
async def test_its_echo_is_not_credited_to_another_person(
    world: World, brand: Brand, kills: int
) -> None:
    """Both replies say the same, and nobody knows yet in whose thread they are."""
    await world.handle(world.comment())
    text = await send_and_die(world, kills)
    await wait(world)
    await world.handle(world.comment(person_ref="ben-as-commenter", username="ben"))
    await world.put_in_doubt()
    lost = world.echo(text, message_ref="mid.lost", person_ref="ana-in-her-thread")
    await world.handle(lost)
    assert (await private_replies(world))["ben"] == "unknown"
    world.platform.addressees["mid.lost"] = "ana"
    await world.deliver()
    assert (await private_replies(world))["ana"] == "sent"
    assert (await world.state("ana-in-her-thread")).stage is Stage.AWAITING_PHOTO


@pytest.mark.parametrize("kills", KILLS)
async def test_its_reader_s_photo_is_dressed_in_the_garment_of_the_comment(
    world: World, brand: Brand, kills: int
) -> None:
    """The repeated reply is refused as done, or is not tried any more."""
    await world.handle(world.comment())
    await send_and_die(world, kills)
    world.platform.script.append(DONE)
    await world.later(timedelta(hours=1))
    await world.handle(world.photo())
    assert (await world.state()).stage is Stage.GENERATING
    assert await private_replies(world) == {"ana": "sent"}


async def test_a_known_thread_is_its_reader_s_at_once(world: World, brand: Brand) -> None:
    await world.say(world.message("Hello there"))
    await world.handle(world.comment())
    await send_and_die(world)
    world.platform.script.append(DONE)
    await world.deliver()
    assert await world.failures() == []
    assert (await world.state()).stage is Stage.AWAITING_PHOTO


async def test_whoever_writes_while_it_waits_may_be_its_reader(world: World, brand: Brand) -> None:
    await world.handle(world.comment())
    await send_and_die(world)
    await world.handle(world.photo())
    status, why = await world.last()
    assert (status, why) == ("failed", "a private reply is on its way: this may be its reader")


@pytest.mark.parametrize("last", [MAYBE, NOBODY])
async def test_the_late_echo_of_a_private_reply_that_was_given_up_is_ours(
    world: World, brand: Brand, last: Refused
) -> None:
    """Tried eight times, and of the first nobody knows."""
    world.platform.script += [*[MAYBE] * 7, last]
    await world.say(world.comment())
    for _ in range(16):
        await world.later(timedelta(hours=1))
    assert len(world.platform.sent) == 8
    assert await world.failures() == ["unconfirmed"]
    await world.handle(world.echo(world.platform.texts[0]))
    state = await world.state()
    assert (state.handler, state.stage) == (Handler.BOT, Stage.AWAITING_PHOTO)
    assert await world.failures() == []


async def test_a_private_reply_that_surely_never_left_is_given_up(
    world: World, brand: Brand
) -> None:
    world.platform.script += [NOBODY] * 8
    await world.say(world.comment())
    for _ in range(10):
        await world.later(timedelta(hours=1))
    assert await world.failures() == ["gave_up"]


async def test_the_echo_of_what_was_taken_back_after_a_kill_is_ours(
    world: World, brand: Brand
) -> None:
    await world.say(world.comment())
    await world.handle(world.message("hm?"))
    world.clock.advance(outgoing.DEBOUNCE)
    text = await send_and_die(world)
    echo = world.echo(text)
    await world.handle(world.message("STOP"))
    await world.handle(echo)
    assert (await world.state()).handler is Handler.BOT
    assert "taken_over" not in await world.notified()


async def test_what_waits_after_a_kill_can_be_sent_now(world: World, brand: Brand) -> None:
    """Its second try waits a little, as any second try does."""
    await world.handle(world.comment())
    await send_and_die(world, 2)
    await wait(world)
    async with world.database.tx(SYSTEM) as tx:
        (held,) = (await diagnosis.of_account(tx, brand.account.id, world.clock.now())).waiting
        assert held.may_send_now
        assert await send_now.send_now(tx, brand.account.id, world.clock.now()) == 1
