"""One charge at a time: what it takes, from where, and what comes back."""

from datetime import timedelta
from uuid import uuid4

import pytest

from selify import billing
from selify.billing import credits as charging
from selify.billing.types import CostSource, RefundTo, UsageStatus
from selify.core.database import Actor
from selify.core.money import Credits, MicroUnits

SYSTEM = Actor.system("test")
NOTHING = Credits(0)


async def rows_of(shop, charge):
    return (await shop.explain(charge)).parts


async def test_a_tryon_takes_its_price_from_the_week(shop):
    charge = await shop.reserve("job-1")
    assert (charge.price, charge.from_week, charge.from_payg) == (
        Credits(383),
        Credits(383),
        MicroUnits(0),
    )
    assert charge.status is UsageStatus.RESERVED
    assert not charge.replayed
    assert charge.balance == await shop.balance()
    assert charge.balance.week_left == Credits(10_000 - 383)


async def test_settling_moves_no_credits_and_happens_once(shop):
    charge = await shop.reserve("job-1")
    assert await shop.settle(charge.id, cost=500) is True
    assert await shop.settle(charge.id, cost=900) is False
    assert (await shop.balance()).week_used == Credits(383)
    told = await shop.explain(charge.id)
    assert (told.status, told.provider_cost, told.margin) == (
        UsageStatus.COMPLETED,
        MicroUnits(500),
        MicroUnits(2298 - 500),
    )
    assert told.parts[0].processing_time_ms == 1234


async def test_the_same_source_again_is_the_same_charge(shop):
    first = await shop.reserve("job-1")
    await shop.settle(first.id)
    again = await shop.reserve("job-1")
    assert again.replayed
    assert again.id == first.id
    assert again.status is UsageStatus.COMPLETED
    assert again.from_week == Credits(383)
    assert (await shop.balance()).week_used == Credits(383)


async def test_a_replayed_split_charge_tells_both_halves(shop):
    await shop.limit(100)
    await shop.grant(10_000)
    first = await shop.reserve("job-1")
    again = await shop.reserve("job-1")
    assert again.replayed
    assert (again.from_week, again.from_payg) == (first.from_week, first.from_payg)


async def test_another_workspace_may_use_the_same_source_id(shop, other_shop):
    mine, theirs = await shop.reserve("1"), await other_shop.reserve("1")
    assert mine.id != theirs.id
    assert not theirs.replayed


async def test_one_source_charged_on_two_meters_is_refused(shop):
    await shop.reserve("job-1")
    with pytest.raises(billing.SourceTaken):
        await shop.reserve("job-1", meter="vr_tryon")
    assert (await shop.balance()).week_used == Credits(383)


async def test_what_the_week_cannot_pay_comes_from_the_balance(shop):
    await shop.limit(400)
    await shop.grant(10_000)
    await shop.reserve("job-1")
    split = await shop.reserve("job-2")
    assert split.from_week == Credits(17)
    assert split.from_payg == Credits(366).to_micro_units()
    week, payg = await rows_of(shop, split.id)
    assert (week.source, week.credits) == (CostSource.WEEK, Credits(17))
    assert (payg.source, payg.credits) == (CostSource.PAYG, Credits(366))
    assert week.charge["split_with"] == str(payg.id)
    assert payg.charge["split_with"] == str(week.id)
    assert payg.charge["micro_units"] == 366 * 6
    whole = await shop.reserve("job-3")
    assert (whole.from_week, whole.from_payg) == (NOTHING, Credits(383).to_micro_units())
    assert (await shop.balance()).payg == MicroUnits(10_000 - (366 + 383) * 6)


async def test_exhausted_says_what_is_left_and_when_it_returns(shop, clock):
    await shop.limit(300)
    await shop.grant(400)
    with pytest.raises(billing.CreditsExhausted) as refused:
        await shop.reserve("job-1")
    error = refused.value
    assert error.status == 402
    assert error.balance.week_left == Credits(300)
    assert error.balance.resets_at == clock.now() + timedelta(days=7)
    assert error.extra["payg_micro_units_left"] == 400
    assert "383 credits" in error.detail
    assert "9 March at 09:00" in error.hint
    assert await shop.events() == []
    assert (await shop.balance()).payg == MicroUnits(400)


async def test_after_exhausted_the_transaction_goes_on(shop, database, clock):
    await shop.limit(0)
    async with database.tx(SYSTEM) as tx:
        with pytest.raises(billing.CreditsExhausted):
            await billing.reserve(tx, clock, shop.order("1"))
        assert await tx.fetch_value("SELECT 1") == 1


async def test_several_weeks_are_caught_up_at_once(shop, clock):
    start = clock.now()
    for number in range(26):
        await shop.reserve(f"job-{number}")
    with pytest.raises(billing.CreditsExhausted):
        await shop.reserve("job-26")
    clock.advance(timedelta(days=7 * 5 + 3))
    assert (await shop.balance()).week_left == Credits(10_000)
    charge = await shop.reserve("job-26")
    assert charge.balance.week_used == Credits(383)
    assert charge.balance.week_start == start + timedelta(days=35)
    assert charge.balance.resets_at == start + timedelta(days=42)
    assert charge.balance == await shop.balance()


async def test_a_week_ends_exactly_at_its_end(shop, clock):
    await shop.limit(383)
    await shop.reserve("job-1")
    clock.advance(timedelta(days=7) - timedelta(microseconds=1))
    with pytest.raises(billing.CreditsExhausted):
        await shop.reserve("job-2")
    clock.advance(timedelta(microseconds=1))
    assert (await shop.reserve("job-2")).from_week == Credits(383)


async def test_a_refund_returns_to_the_week_it_came_from(shop):
    charge = await shop.reserve("job-1")
    given = await shop.refund(charge.id)
    assert (given.to_week, given.to_payg, given.expired) == (Credits(383), MicroUnits(0), NOTHING)
    assert (await shop.balance()).week_used == NOTHING
    again = await shop.refund(charge.id)
    assert again.repeated
    assert again.to_week == NOTHING
    assert (await shop.balance()).week_used == NOTHING


async def test_a_refund_of_a_split_charge_goes_both_ways(shop):
    await shop.limit(100)
    await shop.grant(5_000)
    charge = await shop.reserve("job-1")
    await shop.settle(charge.id)
    _, payg = await rows_of(shop, charge.id)
    given = await shop.refund(payg.id)  # either half names the whole charge
    assert (given.to_week, given.to_payg) == (Credits(100), MicroUnits(283 * 6))
    assert (await shop.balance()).payg == MicroUnits(5_000)
    told = await shop.explain(charge.id)
    assert told.refunded_to == (RefundTo.WEEK, RefundTo.PAYG)
    totals = await shop.sql(
        "SELECT total_purchased, total_used FROM public.workspace_payg_balance"
        " WHERE workspace_id = $1",
        shop.workspace_id,
    )
    assert tuple(totals[0]) == (5_000 + 283 * 6, 283 * 6)


@pytest.mark.parametrize("used_since", [True, False])
async def test_credits_of_an_ended_week_do_not_come_back(shop, clock, used_since):
    charge = await shop.reserve("job-1")
    clock.advance(timedelta(days=8))
    if used_since:
        await shop.reserve("job-2")
    before = await shop.balance()
    given = await shop.refund(charge.id)
    assert (given.to_week, given.expired) == (NOTHING, Credits(383))
    assert await shop.balance() == before
    assert "over by then" in (await shop.explain(charge.id)).sentences[-1]


async def test_a_refunded_source_may_be_charged_anew(shop):
    first = await shop.reserve("job-1")
    await shop.refund(first.id)
    second = await shop.reserve("job-1")
    assert second.id != first.id
    assert not second.replayed
    assert (await shop.reserve("job-1")).id == second.id
    assert (await shop.balance()).week_used == Credits(383)


async def test_settling_what_was_given_back_is_refused(shop):
    charge = await shop.reserve("job-1")
    await shop.refund(charge.id)
    with pytest.raises(billing.ChargeRefunded):
        await shop.settle(charge.id)


async def test_unknown_charges_are_missing(shop):
    with pytest.raises(billing.ChargeMissing):
        await shop.settle(uuid4())
    with pytest.raises(billing.ChargeMissing):
        await shop.refund(uuid4())
    with pytest.raises(billing.ChargeMissing):
        await shop.explain(uuid4())


async def test_a_closed_meter_stops_new_charges_and_keeps_old_ones(lonely_shop):
    old = await lonely_shop.reserve("job-1")
    await lonely_shop.sql("UPDATE public.billing_meters SET is_active = false WHERE slug = 'tryon'")
    with pytest.raises(billing.MeterClosed):
        await lonely_shop.reserve("job-2")
    assert (await lonely_shop.reserve("job-1")).id == old.id
    assert await lonely_shop.settle(old.id)
    assert (await lonely_shop.reserve("message-1", meter="bot_message")).price == Credits(17)


async def test_unknown_meters_accounts_and_odd_sources_are_refused(shop, database, clock):
    with pytest.raises(billing.MeterUnknown):
        await shop.reserve("job-1", meter="teleport")
    for source_id in ("", "x" * 301, "a\0b"):
        with pytest.raises(ValueError):
            await shop.reserve(source_id)
    async with database.tx(SYSTEM) as tx:
        with pytest.raises(billing.AccountMissing):
            await billing.reserve(tx, clock, billing.Order(uuid4(), "tryon", "1", "bot"))


async def test_no_price_on_that_day_charges_nothing(shop, clock):
    clock.advance(timedelta(days=-3650))
    with pytest.raises(billing.PriceMissing):
        await shop.reserve("job-1")
    clock.advance(timedelta(days=3650))


async def test_an_owner_cannot_switch_billing_off(shop):
    """Not even by a settings row from before the guard on it existed."""
    await shop.sql(
        "UPDATE public.workspaces SET settings = settings || $2 WHERE id = $1",
        shop.workspace_id,
        {"credits_enabled": False},
    )
    assert (await shop.reserve("job-1")).from_week == Credits(383)


async def test_a_smaller_plan_in_the_middle_of_a_week(shop):
    await shop.reserve("job-1")
    await shop.limit(100)
    assert (await shop.balance()).week_left == NOTHING
    with pytest.raises(billing.CreditsExhausted):
        await shop.reserve("job-2")


async def test_a_full_week_of_the_largest_plan_fits(lonely_shop):
    await lonely_shop.limit(2**31 - 1)
    await lonely_shop.sql(
        "INSERT INTO internal.price_book (meter, unit, credits, cost_micro, effective_from)"
        " VALUES ('huge', 'x', $1, 0, '2025-01-01')",
        2**31 - 1,
    )
    await lonely_shop.sql(
        "INSERT INTO public.billing_meters (slug, display_name, unit_label, default_unit_amount_cents)"
        " VALUES ('huge', 'Huge', 'x', 0)"
    )
    charge = await lonely_shop.reserve("1", meter="huge")
    assert charge.from_week == Credits(2**31 - 1)
    with pytest.raises(billing.CreditsExhausted):
        await lonely_shop.reserve("2", meter="huge")


async def test_details_travel_and_cannot_forge_the_charge(shop):
    charge = await shop.reserve(
        "job-1", metadata={"garment": "g-1", "charge": {"price": 1, "split_with": str(uuid4())}}
    )
    row = (await shop.events())[0]["metadata"]
    assert row["garment"] == "g-1"
    assert row["charge"]["price"] == 383
    assert row["charge"]["split_with"] is None
    assert (await shop.refund(charge.id)).to_week == Credits(383)


async def test_stale_reservations_are_released_unless_their_job_lives(lonely_shop, clock):
    jobs = [uuid4(), uuid4()]
    for job, state in zip(jobs, ("queued", "failed"), strict=True):
        await lonely_shop.sql(
            "INSERT INTO internal.jobs (id, kind, key, state) VALUES ($1, 'tryon', gen_random_uuid(), $2)",
            job,
            state,
        )
    alive = await lonely_shop.reserve("alive", job_id=jobs[0])
    dead = await lonely_shop.reserve("dead", job_id=jobs[1])
    nobodys = await lonely_shop.reserve("nobodys")
    done = await lonely_shop.reserve("done")
    await lonely_shop.settle(done.id)
    clock.advance(timedelta(hours=1))
    fresh = await lonely_shop.reserve("fresh")
    async with lonely_shop.database.tx(SYSTEM) as tx:
        released = await billing.release_stale(tx, clock, timedelta(minutes=30))
    assert set(released) == {dead.id, nobodys.id}
    async with lonely_shop.database.tx(SYSTEM) as tx:
        assert await billing.release_stale(tx, clock, timedelta(minutes=30)) == []
    assert {alive.id, fresh.id, done.id}.isdisjoint(released)
    assert (await lonely_shop.balance()).week_used == Credits(3 * 383)
    assert "never finished" in (await lonely_shop.explain(dead.id)).refund_reason


async def test_a_reservation_that_cannot_be_released_keeps_no_other(
    lonely_shop, clock, monkeypatch
):
    broken = [await lonely_shop.reserve(f"broken{n}") for n in range(3)]
    fine = await lonely_shop.reserve("fine")
    refund = charging.refund

    async def fail_for_the_broken(tx, clock, event_id, **more):
        if event_id in {charge.id for charge in broken}:
            raise RuntimeError("the books are wrong")
        return await refund(tx, clock, event_id, **more)

    monkeypatch.setattr(charging, "refund", fail_for_the_broken)
    clock.advance(timedelta(hours=1))
    released = []
    for _ in range(2):
        async with lonely_shop.database.tx(SYSTEM) as tx:
            released += await billing.release_stale(tx, clock, timedelta(minutes=30), limit=3)
        clock.advance(timedelta(minutes=1))
    assert released == [fine.id]
