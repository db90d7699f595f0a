"""Days that were summed say what their charges say, whatever happens to the charges later."""

from datetime import timedelta
from random import Random

import pytest
from tests.billing.conftest import START, SYSTEM, Shop

from selify import billing
from selify.core.money import Credits, MicroUnits

LAST = START + timedelta(days=20)


async def by_day(shop: Shop) -> dict:
    async with shop.database.tx(SYSTEM) as tx:
        return dict(
            await billing.spend_by_day(tx, shop.workspace_id, first=START.date(), last=LAST.date())
        )


async def recount(shop: Shop) -> dict:
    async with shop.database.tx(SYSTEM) as tx:
        spends = await billing.spend_by(
            tx, shop.workspace_id, billing.SpendBy.DAY, since=START - timedelta(hours=9), until=LAST
        )
    return {spend.key: (spend.from_week, spend.from_payg) for spend in spends}


async def assert_true(shop: Shop) -> None:
    known, nothing = await recount(shop), (Credits(0), MicroUnits(0))
    for day, spent in (await by_day(shop)).items():
        told = spent.from_week, spent.from_payg.to_micro_units()
        assert told == known.get(f"{day}", nothing), day


async def sum_up(shop: Shop) -> int:
    async with shop.database.tx(SYSTEM) as tx:
        return await billing.count_days(tx, now=shop.clock.now())


@pytest.mark.parametrize("seed", range(4))
async def test_sums_equal_the_charges(shop: Shop, seed: int) -> None:
    chance = Random(seed)
    await shop.grant(10_000_000)
    charges = []
    for number in range(30):
        kind = chance.choice(["reserve", "reserve", "settle", "refund", "later", "sum"])
        if kind == "reserve" or not charges:
            charges.append((await shop.reserve(f"job-{number}")).id)
        elif kind == "settle":
            await shop.settle(chance.choice(charges))
        elif kind == "refund":
            await shop.refund(charges.pop(chance.randrange(len(charges))))
        elif kind == "later":
            shop.clock.advance(timedelta(hours=chance.randrange(1, 40)))
        else:
            await sum_up(shop)
        await assert_true(shop)


async def test_days_that_are_over_are_read_from_their_sums(shop: Shop) -> None:
    await shop.grant(10_000_000)
    await shop.reserve("one")
    shop.clock.advance(timedelta(days=3))
    assert await sum_up(shop) >= 3
    assert await sum_up(shop) == 0
    await shop.sql(
        "UPDATE internal.spend_days SET from_week = 77, from_payg = 0 WHERE workspace_id = $1",
        shop.workspace_id,
    )
    assert [spent.from_week.value for spent in (await by_day(shop)).values()][:4] == [77, 77, 77, 0]


async def test_what_is_given_back_later_is_no_longer_spent(shop: Shop) -> None:
    await shop.grant(10_000_000)
    charge = await shop.reserve("one")
    shop.clock.advance(timedelta(days=3))
    await sum_up(shop)
    await shop.refund(charge.id)
    assert not any(spent.from_week for spent in (await by_day(shop)).values())
    assert await sum_up(shop) >= 1
    assert not any(spent.from_week for spent in (await by_day(shop)).values())
