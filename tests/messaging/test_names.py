"""Who writes directly is asked for by name, once, after they wrote."""

from datetime import timedelta

import pytest
from tests.infra.world import ANA, SYSTEM, Brand, World

from selify.messaging import tokens

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


async def hours_pass(world: World, hours: int) -> None:
    for _ in range(hours * 6):
        await world.later(timedelta(minutes=10))


async def test_whoever_could_not_be_asked_for_hours_is_asked_by_their_next_message(
    world: World, brand: Brand
) -> None:
    world.platform.names[ANA] = None
    await world.say(world.message("Hello!"))
    await hours_pass(world, 5)
    assert await world.failures() == ["gave_up"]
    tries = len(world.platform.asked)
    await world.say(world.message("Anybody?"), world.message("Hello?"))
    assert len(world.platform.asked) == tries + 1, "and not by each of them"
    world.platform.names[ANA] = "ana.lisboa"
    await hours_pass(world, 1)
    assert await world.value(NAME, ANA) == "ana.lisboa"


async def test_one_who_cannot_be_asked_keeps_nobody_else_waiting(
    world: World, brand: Brand
) -> None:
    world.platform.names |= {ANA: None, "ben": "ben.berlin"}
    await world.say(world.message("Hello!"), world.message("Hello!", person_ref="ben"))
    assert await world.value(NAME, "ben") == "ben.berlin"


async def died(world: World, brand: Brand) -> None:
    async with world.database.tx(SYSTEM) as tx:
        sealed = await tx.fetch_value("SELECT access_token FROM public.connected_social_accounts")
        await tokens.died(tx, brand.account.id, "x", world.clock.now(), sealed=sealed)


async def test_who_wrote_while_the_account_was_not_connected_is_asked_for_when_it_is_again(
    world: World, brand: Brand
) -> None:
    world.platform.names[ANA] = "ana.lisboa"
    await world.handle(world.message("Hello!"))
    await died(world, brand)
    await hours_pass(world, 2)
    await world.connect(brand.workspace_id, brand.owner_id)
    await world.later(timedelta(minutes=10))
    assert await world.value(NAME, ANA) == "ana.lisboa"


@pytest.mark.parametrize("cancelled", [True, False])
async def test_so_is_who_writes_again_long_after(
    world: World, brand: Brand, cancelled: bool
) -> None:
    world.platform.names[ANA] = "ana.lisboa"
    await world.handle(world.message("Hello!"))
    if cancelled:
        await world.sql("UPDATE internal.outbox SET state = 'cancelled' WHERE channel = 'names'")
    await died(world, brand)
    world.clock.advance(timedelta(days=2))
    await world.later(timedelta(minutes=10))
    await world.connect(brand.workspace_id, brand.owner_id)
    await hours_pass(world, 2)
    assert await world.value(NAME, ANA) is None
    await world.say(world.message("Hello again!"))
    assert await world.value(NAME, ANA) == "ana.lisboa"


async def test_a_clock_set_back_keeps_nobody_nameless(world: World, brand: Brand) -> None:
    await world.handle(world.message("Hello!"))
    await world.sql(
        "UPDATE internal.outbox SET state = 'failed', updated_at = $1 WHERE channel = 'names'",
        world.clock.now() + timedelta(days=30),
    )
    world.platform.names[ANA] = "ana.lisboa"
    await world.say(world.message("Hello again!"))
    assert await world.value(NAME, ANA) == "ana.lisboa"
