"""Opening accounts, balances and grants."""

from datetime import timedelta

import pytest

from selify import billing
from selify.billing.errors import GrantMismatch, TierUnknown
from selify.core.database import Actor
from selify.core.money import Credits, MicroUnits

SYSTEM = Actor.system("test")


async def test_opening_an_account_twice_keeps_it(shop, database, clock):
    await shop.reserve("job-1")
    async with database.tx(SYSTEM) as tx:
        again = await billing.open_account(tx, clock, shop.workspace_id)
    assert (again.tier, again.week_limit, again.week_used) == (
        "free",
        Credits(10_000),
        Credits(383),
    )


async def test_an_account_keeps_the_plan_it_has(shop, database, clock):
    await shop.sql(
        "UPDATE public.workspace_quotas SET subscription_tier = 'starter',"
        " weekly_credits_limit = 135000 WHERE workspace_id = $1",
        shop.workspace_id,
    )
    async with database.tx(SYSTEM) as tx:
        again = await billing.open_account(tx, clock, shop.workspace_id)
    assert (again.tier, again.week_limit) == ("starter", Credits(135_000))


async def test_without_a_price_book_there_is_no_plan_to_open_with(shop, database, clock):
    with pytest.raises(TierUnknown):
        async with database.tx(SYSTEM) as tx:
            await tx.execute("DELETE FROM public.subscription_tiers WHERE slug = 'free'")
            await billing.open_account(tx, clock, shop.workspace_id)


async def test_a_missing_account_is_opened_with_its_plans_credits(shop, database, clock):
    for table in ("workspace_quotas", "workspace_payg_balance"):
        await shop.sql(f"DELETE FROM public.{table} WHERE workspace_id = $1", shop.workspace_id)
    async with database.tx(SYSTEM) as tx:
        with pytest.raises(billing.AccountMissing):
            await billing.balance(tx, clock, shop.workspace_id)
        opened = await billing.open_account(tx, clock, shop.workspace_id)
    assert (opened.tier, opened.week_limit) == ("free", Credits(10_000))
    assert opened.payg == MicroUnits(0)
    assert opened.resets_at - clock.now() == timedelta(days=7)


async def test_a_workspace_is_born_with_the_free_plans_credits(shop):
    """The column's own default of 100 would not pay for one try-on."""
    assert (
        await shop.sql("SELECT 1 FROM public.subscription_tiers WHERE weekly_credits_limit = 100")
        == []
    )
    assert (await shop.balance()).week_limit == Credits(10_000)


async def test_a_grant_leaves_a_chain(shop):
    first = await shop.grant(1_000, "one")
    second = await shop.grant(500, "two")
    again = await shop.grant(1_000, "one")
    assert (first.balance_before, first.balance_after) == (MicroUnits(0), MicroUnits(1_000))
    assert (second.balance_before, second.balance_after) == (MicroUnits(1_000), MicroUnits(1_500))
    assert again.repeated
    assert again.transaction_id == first.transaction_id
    assert again.balance_after == first.balance_after
    assert (await shop.balance()).payg == MicroUnits(1_500)


async def test_a_reference_is_one_amount(shop):
    await shop.grant(1_000, "one")
    with pytest.raises(GrantMismatch):
        await shop.grant(2_000, "one")


@pytest.mark.parametrize(("amount", "reference"), [(0, "x"), (-5, "x"), (5, "")])
async def test_odd_grants_are_refused(shop, amount, reference):
    with pytest.raises(ValueError):
        await shop.grant(amount, reference)
