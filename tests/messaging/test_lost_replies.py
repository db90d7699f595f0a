"""A private reply arrived, the answer to it was lost, and no echo tells of it."""

from datetime import timedelta

from tests.infra.world import ANA, Brand, World

from selify.messaging.ports import Action, Refused
from selify.messaging.types import Handler
from selify.tryon.dialogue import Stage

DONE = Refused(Action.ALREADY_DONE, "already_replied", "This comment has had its reply.")


async def lose(world: World, **comment: str) -> None:
    """A comment whose private reply arrives unheard of; the second try is refused."""
    world.platform.script += [ConnectionError("lost"), DONE]
    await world.say(world.comment(**comment))
    for _ in range(3):
        await world.later(timedelta(seconds=20))


async def test_its_reader_s_photo_is_dressed_in_the_garment_of_the_comment(
    world: World, brand: Brand
) -> None:
    await lose(world)
    assert await world.failures() == ["already_done"]
    await world.later(timedelta(minutes=3))
    await world.handle(world.photo())
    state = await world.state()
    assert (state.stage, state.handler) == (Stage.GENERATING, Handler.BOT)
    (row,) = await world.interactions()
    assert state.interaction_id == row["id"], "the row of the comment, no other"
    assert row["bot_responded"]
    assert await world.queued("sent") == ["greeting"]
    assert await world.failures() == []
    assert len(await world.charges()) == 1


async def test_whoever_wrote_before_is_known_at_once(world: World, brand: Brand) -> None:
    await world.say(world.message("Hello there"))
    await lose(world)
    assert await world.failures() == []
    assert (await world.state()).stage is Stage.AWAITING_PHOTO
    await world.handle(world.photo())
    assert (await world.state()).stage is Stage.GENERATING


async def test_the_last_of_several_comments_counts_and_each_is_settled(
    world: World, brand: Brand
) -> None:
    await lose(world)
    await lose(world, post_ref=f"second-{brand.account.platform_account_id}")
    await world.handle(world.photo())
    first, second = await world.interactions()
    assert first["bot_responded"]
    assert second["bot_responded"]
    assert (await world.state()).interaction_id == second["id"]


async def test_somebody_else_s_message_settles_nothing(world: World, brand: Brand) -> None:
    await lose(world)
    await world.later(timedelta(minutes=3))
    await world.handle(world.photo(person_ref="ben"))
    assert await world.failures() == ["already_done"]
    assert (await world.state("ben")).stage is Stage.INITIAL


async def test_a_comment_that_somebody_else_had_answered_is_not_ours(
    world: World, brand: Brand
) -> None:
    """Refused at the first try: what its reader got, we did not write."""
    world.platform.script.append(DONE)
    await world.say(world.comment())
    await world.later(timedelta(minutes=3))
    await world.handle(world.message("hello"))
    assert await world.failures() == ["already_done"]
    assert (await world.state()).binding_id is None


async def test_its_late_echo_is_still_ours(world: World, brand: Brand) -> None:
    await lose(world)
    await world.handle(world.message("hello"))
    world.clock.advance(timedelta(hours=5))
    echo = world.echo(world.platform.texts[0], person_ref=ANA)
    await world.handle(echo, echo)
    state = await world.state()
    assert (state.handler, state.stage) == (Handler.BOT, Stage.AWAITING_PHOTO)


async def test_a_stranger_waits_for_its_echo_as_long_as_our_clock_says(
    world: World, brand: Brand
) -> None:
    """Whoever writes just after it failed may be its reader; two minutes later nobody waits for that."""
    await lose(world)
    assert await world.failures() == ["already_done"]
    world.clock.advance(timedelta(minutes=1))
    await world.handle(world.message("hello", person_ref="ben"))
    assert (await world.last())[0] == "failed"
    world.clock.advance(timedelta(minutes=2))
    await world.handle(world.message("hello", person_ref="cleo"))
    assert (await world.state("cleo")).stage is Stage.INITIAL
    assert "introduction" in await world.queued()
