"""Many at once, and processes that die: never below zero, never twice, nothing half done."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from selify import billing
from selify.core.database import Actor, DatabaseUnavailable
from selify.core.money import Credits, MicroUnits

SYSTEM = Actor.system("test")


async def outcomes(work):
    return await asyncio.gather(*work, return_exceptions=True)


def done(results, kind):
    return [result for result in results if isinstance(result, kind)]


async def test_exactly_as_many_succeed_as_can_be_paid(shop):
    """17 tries-on from the week, one split, and 12 more from the balance: 30 of 50."""
    await shop.limit(383 * 17 + 100)
    await shop.grant((283 + 12 * 383) * 6 + 5)
    results = await outcomes(shop.reserve(f"job-{number}") for number in range(50))
    assert len(done(results, billing.Reservation)) == 30
    assert len(done(results, billing.CreditsExhausted)) == 20
    balance = await shop.balance()
    assert balance.week_left == Credits(0)
    assert balance.payg == MicroUnits(5)
    splits = [r for r in done(results, billing.Reservation) if r.from_week and r.from_payg]
    assert len(splits) == 1


async def test_one_source_from_everywhere_at_once_is_charged_once(shop):
    await shop.limit(100)
    await shop.grant(100_000)
    results = await outcomes(shop.reserve(f"job-{n % 5}") for n in range(50))
    made = done(results, billing.Reservation)
    assert len(made) == 50
    assert sum(not charge.replayed for charge in made) == 5
    assert len({charge.id for charge in made}) == 5
    assert len(await shop.events()) == 6  # one of the five is split
    assert (await shop.balance()).payg == MicroUnits(100_000 - (5 * 383 - 100) * 6)


async def test_the_key_refuses_what_the_lock_would_have_to_miss(shop, database):
    """The usage event's id is made of its source, so even without the lock there is no second."""
    charge = await shop.reserve("job-1")
    with pytest.raises(asyncpg.UniqueViolationError):
        await shop.sql(
            """
            INSERT INTO public.workspace_usage_events
                   (id, workspace_id, service_type, source_id, cost_credits, cost_source,
                    subscription_tier)
            SELECT internal.usage_event_id(workspace_id, service_type, source_id, 0, 1),
                   workspace_id, service_type, source_id, 383, 'subscription', 'free'
              FROM public.workspace_usage_events WHERE id = $1
            """,
            charge.id,
        )


async def test_refunds_at_the_same_moment_give_back_once(shop):
    await shop.limit(100)
    await shop.grant(2_000)
    charge = await shop.reserve("job-1")
    results = await outcomes(shop.refund(charge.id) for _ in range(20))
    given = done(results, billing.Refund)
    assert len(given) == 20
    assert sum(not refund.repeated for refund in given) == 1
    balance = await shop.balance()
    assert (balance.week_used, balance.payg) == (Credits(0), MicroUnits(2_000))


async def test_settling_and_refunding_at_the_same_moment(shop):
    """Either order is fine; a deadlock, or a charge that is both, is not."""
    await shop.limit(50)
    await shop.grant(100_000)
    charges = [await shop.reserve(f"job-{number}") for number in range(12)]
    work = [f(charge.id) for charge in charges for f in (shop.settle, shop.refund, shop.settle)]
    results = await outcomes(work)
    assert not [
        result
        for result in done(results, Exception)
        if not isinstance(result, billing.ChargeRefunded)
    ]
    assert {event["status"] for event in await shop.events()} == {"refunded"}
    assert (await shop.balance()).payg == MicroUnits(100_000)


async def test_everything_at_once_around_the_end_of_a_week(shop, clock):
    await shop.limit(383 * 5)
    await shop.grant(50_000)
    early = [await shop.reserve(f"early-{number}") for number in range(8)]
    clock.advance(timedelta(days=7))
    work = [
        *(shop.refund(charge.id) for charge in early),
        *(shop.reserve(f"late-{number}") for number in range(8)),
        *(shop.grant(600, f"gift-{number % 3}") for number in range(6)),
    ]
    assert not done(await outcomes(work), Exception)
    balance = await shop.balance()
    assert balance.week_left == Credits(0)
    assert balance.payg == MicroUnits(50_000 + 3 * 600 - 3 * 383 * 6)


async def test_a_grant_is_given_once_per_reference(shop):
    results = await outcomes(shop.grant(1_000, "gift") for _ in range(20))
    assert sum(not grant.repeated for grant in done(results, billing.Grant)) == 1
    assert (await shop.balance()).payg == MicroUnits(1_000)


async def test_granting_and_charging_in_either_order_never_block_each_other(shop, database, clock):
    await shop.limit(0)
    await shop.grant(383 * 6 * 20)

    async def one(number):
        async with database.tx(SYSTEM) as tx:
            await billing.grant(
                tx, clock, shop.workspace_id, MicroUnits(6), reason="x", reference=str(number)
            )
            await billing.reserve(tx, clock, shop.order(f"a-{number}"))

    results = await outcomes(work for n in range(10) for work in (one(n), shop.reserve(f"b-{n}")))
    assert not done(results, Exception)
    assert (await shop.balance()).payg == MicroUnits(60)


async def test_a_connection_killed_before_the_commit_leaves_nothing(shop, database, clock):
    async def dies():
        async with database.tx(SYSTEM) as tx:
            await billing.reserve(tx, clock, shop.order("job-1"))
            backend = await tx.fetch_value("SELECT pg_backend_pid()")
            # The owner ends it, as a crash would: the charge was made but not committed.
            await kill(backend)

    async def kill(backend):
        owner = await asyncpg.connect(database.url)
        await owner.execute("SELECT pg_terminate_backend($1, 5000)", backend)
        await owner.close()

    with pytest.raises((asyncpg.PostgresError, DatabaseUnavailable)):
        await dies()
    assert await shop.events() == []
    assert (await shop.balance()).week_used == Credits(0)
    assert not (await shop.reserve("job-1")).replayed


async def test_two_tidying_up_at_once_release_once(lonely_shop, clock):
    for number in range(10):
        await lonely_shop.reserve(f"job-{number}")
    clock.advance(timedelta(hours=3))

    async def tidy():
        async with lonely_shop.database.tx(SYSTEM) as tx:
            return await billing.release_stale(tx, clock, timedelta(hours=1))

    results = await outcomes(tidy() for _ in range(4))
    assert sum(len(released) for released in done(results, list)) == 10
    assert (await lonely_shop.balance()).week_used == Credits(0)
