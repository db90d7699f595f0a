"""Who writes directly is asked for by name, once, after they wrote."""

from datetime import timedelta

from tests.infra.world import ANA, Brand, World

NAME = "SELECT platform_username FROM public.social_conversations WHERE platform_user_id = $1"


async def test_a_direct_writer_gets_a_name(world: World, brand: Brand) -> None:
    world.platform.names[ANA] = "ana.lisboa"
    await world.say(world.message("Hello!"))
    assert await world.value(NAME, ANA) == "ana.lisboa"
    await world.say(world.message("Are you there?"))
    assert world.platform.asked == [ANA]


async def test_who_does_not_tell_is_asked_once(world: World, brand: Brand) -> None:
    await world.say(world.message("Hello!"), world.message("Hello?"))
    assert world.platform.asked == [ANA]
    assert await world.value(NAME, ANA) is None
    assert await world.failures() == []


async def test_a_platform_that_cannot_say_is_asked_again(world: World, brand: Brand) -> None:
    world.platform.names[ANA] = None
    await world.say(world.message("Hello!"))
    assert await world.value(NAME, ANA) is None
    world.platform.names[ANA] = "ana.lisboa"
    await world.later(timedelta(minutes=5))
    assert await world.value(NAME, ANA) == "ana.lisboa"


async def test_nobody_who_has_not_written_is_asked_for(world: World, brand: Brand) -> None:
    await world.say(world.comment())
    await world.say(world.echo("Hello Ana, can we help?"))
    assert world.platform.asked == []
    assert await world.value(NAME, ANA) == "ana"


async def test_who_was_forgotten_meanwhile_stays_forgotten(world: World, brand: Brand) -> None:
    world.platform.names[ANA] = "ana.lisboa"
    await world.handle(world.message("Hello!"))
    await world.sql("DELETE FROM public.social_conversations")
    await world.deliver()
    assert world.platform.asked == []
    assert await world.value(NAME, ANA) is None


async def test_a_name_that_a_comment_told_stays(world: World, brand: Brand) -> None:
    world.platform.names[ANA] = "renamed"
    await world.handle(world.message("Hello!"))
    await world.sql("UPDATE public.social_conversations SET platform_username = 'ana'")
    await world.deliver()
    assert await world.value(NAME, ANA) == "ana"
