"""Events the platform sends us, and those it does not: asked for, named, and asked for again."""

from datetime import timedelta

import pytest
from tests.infra.gateway import Gateway
from tests.infra.world import SYSTEM, Brand, World

from selify.messaging import diagnosis, event_kinds, subscriptions
from selify.messaging.diagnosis import About, Diagnosis, Finding
from selify.messaging.pages.health import Doctor
from selify.messaging.ports import PlatformRefused, Subscription


@pytest.fixture
def gateway(world: World) -> Gateway:
    return Gateway(world)


async def confirm(world: World, gateway: Gateway) -> int:
    return await subscriptions.confirm_due(world.database, world.clock, world.secrets, gateway)


async def shown(world: World, brand: Brand) -> Diagnosis:
    async with world.database.tx(SYSTEM) as tx:
        (account,) = await diagnosis.of_workspace(tx, brand.workspace_id, world.clock.now())
    return account


async def test_what_was_refused_is_asked_for_ever_more_seldom(
    world: World, brand: Brand, gateway: Gateway
) -> None:
    gateway.refusal = PlatformRefused("permission_missing", "A permission is missing.")
    asked = 0
    for _ in range(3 * 24 * 12):
        asked += await confirm(world, gateway)
        world.clock.advance(timedelta(minutes=5))
    assert 8 <= asked <= 12, "after 5, 10, 20 … minutes, and at last once a day"
    gateway.refusal = None
    world.clock.advance(timedelta(days=1))
    assert await confirm(world, gateway) == 1
    assert await confirm(world, gateway) == 0


async def test_what_is_refused_again_and_again_began_with_the_first_time(
    world: World, brand: Brand, gateway: Gateway
) -> None:
    """And rings once a day for the same cause, not each time it is found out again."""
    world.wait_for_morning()
    gateway.refusal = PlatformRefused("permission_missing", "A permission is missing.")
    began = world.clock.now()
    for _ in range(5):
        await confirm(world, gateway)
        await world.deliver()
        world.clock.advance(timedelta(minutes=40))
    finding = (await shown(world, brand)).chief
    assert (finding.code, finding.since) == ("events_not_arriving", began)
    rung = "SELECT count(*) FROM public.notifications WHERE type = 'events_not_arriving'"
    assert await world.value(rung) == 1
    # Once they have arrived in between, it is another trouble.
    gateway.refusal = None
    world.clock.advance(timedelta(days=1))
    await confirm(world, gateway)
    gateway.refusal = PlatformRefused("permission_missing", "A permission is missing.")
    world.clock.advance(timedelta(days=1, minutes=1))
    again = world.clock.now()
    await confirm(world, gateway)
    assert (await shown(world, brand)).chief.since == again


async def test_accounts_that_are_always_refused_do_not_block_the_others(
    world: World, gateway: Gateway
) -> None:
    owner, workspace_id = await world.workspace("Many")
    for number in range(25):
        await world.connect(workspace_id, owner, f"1784140000000{number:04}")
    gateway.refusal = PlatformRefused("busy", "Not now.")
    for _ in range(2):
        await confirm(world, gateway)
    asked = await world.value("SELECT count(*) FROM public.instagram_webhook_subscriptions")
    assert asked == 25


async def test_a_token_nobody_can_open_stops_nobody_else(
    world: World, brand: Brand, gateway: Gateway
) -> None:
    other = await world.connect(brand.workspace_id, brand.owner_id, "17841400000000002")
    await world.sql(
        "UPDATE public.connected_social_accounts SET access_token = 'sealed by nobody' WHERE id = $1",
        brand.account.id,
    )
    assert await confirm(world, gateway) == 2
    rows = await world.sql("SELECT * FROM public.instagram_webhook_subscriptions")
    status = {row["connected_account_id"]: row["subscription_status"] for row in rows}
    assert status == {brand.account.id: "error", other.id: "active"}


async def test_what_does_not_come_is_named_with_its_price(
    world: World, brand: Brand, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await shown(world, brand)).lost == [], "never asked, so nothing is known"
    await confirm(world, gateway)
    assert (await shown(world, brand)).lost == []

    async def partly(token: str, permissions: object) -> Subscription:
        fields = tuple(field for field in event_kinds.COSTS if field != "comments")
        return Subscription(fields, "The permission to manage comments is missing.")

    monkeypatch.setattr(gateway, "subscribe", partly)
    world.clock.advance(timedelta(days=1, seconds=1))
    await confirm(world, gateway)
    account = await shown(world, brand)
    assert [cost.text for cost in account.lost] == ["Comments under your posts are not answered."]
    assert (account.chief.code, account.chief.state) == ("events_missing", "bad")
    assert account.chief.text == (
        "Comments under your posts are not answered. The permission to manage comments is missing."
    )
    assert await confirm(world, gateway) == 0, "not asked for again unchanged"


def incoming(account: Diagnosis) -> Finding:
    return next(one for one in account.findings if one.about is About.INCOMING)


async def without(world: World, brand: Brand, field: str, *, reconnecting_helps: bool) -> Diagnosis:
    """All kinds of events come but this one."""
    fields = tuple(one for one in event_kinds.COSTS if one != field)
    said = Subscription(fields, "It says why.", reconnecting_helps)
    async with world.database.tx(SYSTEM) as tx:
        await subscriptions.record(tx, brand.account.id, said, clock=world.clock)
    return await shown(world, brand)


@pytest.mark.parametrize("field", event_kinds.COSTS)
@pytest.mark.parametrize("helps", [True, False])
async def test_connecting_again_is_advised_where_it_helps_and_nowhere_else(
    world: World, brand: Brand, field: str, helps: bool
) -> None:
    account = await without(world, brand, field, reconnecting_helps=helps)
    found = incoming(account)
    assert found.code == "events_missing"
    assert found.text == f"{event_kinds.COSTS[field].text} It says why."
    assert found.what_to_do.startswith("Connect the account again") == helps
    assert Doctor(account).reconnect == helps


@pytest.mark.parametrize("helps", [True, False])
async def test_so_it_is_where_nothing_comes_at_all(
    world: World, brand: Brand, gateway: Gateway, helps: bool
) -> None:
    gateway.refusal = PlatformRefused("no", "A switch is off.", reconnecting_helps=helps)
    await confirm(world, gateway)
    account = await shown(world, brand)
    assert incoming(account).text == "A switch is off."
    assert incoming(account).what_to_do.startswith("Connect the account again") == helps
    assert Doctor(account).reconnect == helps


async def test_a_token_nobody_can_open_is_replaced_by_connecting_again(
    world: World, brand: Brand, gateway: Gateway
) -> None:
    await world.sql("UPDATE public.connected_social_accounts SET access_token = 'by nobody'")
    await confirm(world, gateway)
    assert "Connect the account again" in incoming(await shown(world, brand)).what_to_do


async def test_a_clock_that_ran_ahead_puts_nothing_off(
    world: World, brand: Brand, gateway: Gateway
) -> None:
    await confirm(world, gateway)
    world.clock.advance(timedelta(days=-30))
    assert await confirm(world, gateway) == 1
    assert await confirm(world, gateway) == 0
