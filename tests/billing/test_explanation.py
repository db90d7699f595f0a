"""Charges explain themselves, in facts and in sentences for a shop owner; and they add up."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from selify import billing
from selify.billing.types import SpendBy
from selify.core.database import Actor
from selify.core.money import Credits, MicroUnits

SYSTEM = Actor.system("test")


async def test_a_plain_charge(shop):
    charge = await shop.reserve("job-1")
    waiting = await shop.explain(charge.id)
    assert "still being made" in waiting.sentences[-1]
    await shop.settle(charge.id, cost=300)
    assert list((await shop.explain(charge.id)).sentences) == [
        (
            "Virtual try-on, on 2 March 2026 at 09:00 UTC, asked for through bot:"
            " 383 credits ($0.02298)."
        ),
        "The price has been 383 credits per picture since 1 January 2025.",
        (
            "383 credits came from the week's allowance, which is used first:"
            " 10,000 credits of 10,000 credits were left."
        ),
        "It was delivered on 2 March 2026 at 09:00 UTC.",
    ]


async def test_a_split_charge_that_was_given_back(shop, clock):
    await shop.limit(100)
    await shop.grant(10_000)
    charge = await shop.reserve("job-1")
    clock.advance(timedelta(minutes=5))
    await shop.refund(charge.id, "Nobody could be seen in the photo.")
    told = await shop.explain(charge.id)
    assert (told.from_week, told.from_payg) == (Credits(100), MicroUnits(283 * 6))
    assert told.refund_reason == "Nobody could be seen in the photo."
    assert list(told.sentences[2:]) == [
        (
            "100 credits came from the week's allowance, which is used first:"
            " 100 credits of 100 credits were left."
        ),
        (
            "$0.01698 (283 credits) came from your pay-as-you-go balance, because only 100 credits"
            " were left of the week's allowance (until 9 March at 09:00 UTC)."
        ),
        "It was given back on 2 March 2026 at 09:05 UTC: Nobody could be seen in the photo.",
        "100 credits went back to the week's allowance.",
        "$0.01698 went back to your pay-as-you-go balance.",
    ]


async def test_either_half_tells_the_whole_story(shop):
    await shop.limit(100)
    await shop.grant(10_000)
    charge = await shop.reserve("job-1")
    first = await shop.explain(charge.id)
    assert await shop.explain(first.parts[1].id) == first


async def test_rows_that_others_wrote_are_told_as_far_as_they_go(shop):
    row = uuid4()
    await shop.sql(
        "INSERT INTO public.workspace_usage_events (id, workspace_id, service_type, cost_credits,"
        " cost_source, subscription_tier, metadata) VALUES ($1, $2, 'photo_shoot', 0,"
        " 'subscription', 'free', NULL)",
        row,
        shop.workspace_id,
    )
    told = await shop.explain(row)
    assert (told.what, told.price, told.margin) == ("photo_shoot", Credits(0), None)
    assert told.sentences


async def test_sums_for_pages(shop, clock):
    await shop.limit(383 + 17 + 100)
    await shop.grant(100_000)
    start = clock.now()
    await shop.settle((await shop.reserve("1")).id, cost=40)
    await shop.reserve("2", meter="bot_message")
    await shop.settle((await shop.reserve("3")).id, cost=60)  # split
    clock.advance(timedelta(days=1))
    await shop.refund((await shop.reserve("4")).id)

    async def sums(by, until=timedelta(days=2)):
        async with shop.database.tx(SYSTEM) as tx:
            spends = await billing.spend_by(
                tx, shop.workspace_id, by, since=start, until=start + until
            )
        return {spend.key: spend for spend in spends}

    meters = await sums(SpendBy.METER)
    assert meters["tryon"].actions == 2
    assert meters["tryon"].from_week == Credits(383 + 100)
    assert meters["tryon"].from_payg == MicroUnits(283 * 6)
    assert meters["tryon"].refunded == Credits(383)
    assert meters["tryon"].provider_cost == MicroUnits(100)
    assert meters["bot_message"].actions == 1
    days = await sums(SpendBy.DAY)
    assert {day: spend.actions for day, spend in days.items()} == {"2026-03-02": 3, "2026-03-03": 0}
    assert set(await sums(SpendBy.DAY, timedelta(hours=1))) == {"2026-03-02"}
    assert (await sums(SpendBy.SOURCE))["payg_balance"].actions == 1
    assert set(await sums(SpendBy.TIER)) == {"free"}
    assert set(await sums(SpendBy.PLATFORM)) == {"bot"}


async def test_what_a_charge_cost_us_is_the_operator_s_to_know(shop, clock):
    await shop.limit(100)
    await shop.grant(10_000)
    charge = await shop.reserve("split")
    assert await shop.settle(charge.id, cost=4_321)
    async with shop.database.tx(Actor.user(shop.owner_id)) as tx:
        rows = await tx.fetch(
            "SELECT metadata::text AS said FROM public.workspace_usage_events"
            " WHERE workspace_id = $1",
            shop.workspace_id,
        )
        told = await billing.explain(tx, charge.id)
        [spent] = await billing.spend_by(
            tx,
            shop.workspace_id,
            SpendBy.METER,
            since=clock.now() - timedelta(days=1),
            until=clock.now() + timedelta(days=1),
        )
    assert len(rows) == 2
    for row in rows:
        assert "provider_cost" not in row["said"]
        assert "4321" not in row["said"]
    assert (told.provider_cost, told.margin, spent.provider_cost) == (None, None, None)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with shop.database.tx(Actor.user(shop.owner_id)) as tx:
            await tx.fetch("SELECT * FROM internal.charge_costs")
    assert (await shop.explain(charge.id)).provider_cost == MicroUnits(4_321)


async def test_what_failed_has_its_cost_all_the_same(shop, clock):
    await shop.limit(100)
    await shop.grant(10_000)
    charge = await shop.reserve("split")
    second = (await shop.explain(charge.id)).parts[1].id
    assert not (await shop.refund(second, provider_cost=MicroUnits(700), engine="x")).repeated
    assert (await shop.refund(charge.id, provider_cost=MicroUnits(700), engine="x")).repeated
    told = await shop.explain(charge.id)
    assert (told.engine, told.provider_cost, told.margin) == (
        "x",
        MicroUnits(700),
        MicroUnits(-700),
    )
    settled = await shop.reserve("settled first")
    await shop.settle(settled.id, cost=40)
    await shop.refund(settled.id)
    again = await shop.explain(settled.id)
    assert (again.engine, again.provider_cost) == ("embedded", MicroUnits(40))
    async with shop.database.tx(SYSTEM) as tx:
        [spent] = await billing.spend_by(
            tx,
            shop.workspace_id,
            SpendBy.METER,
            since=clock.now() - timedelta(days=1),
            until=clock.now() + timedelta(days=1),
        )
    assert spent.provider_cost == MicroUnits(740)
