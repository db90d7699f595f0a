"""Charges that come together: one statement, and each its own outcome."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from tests.billing.conftest import START, SYSTEM, open_shop

from selify import billing
from selify.billing import ChargeBatches, Order, Work, repository
from selify.core.database import Database, DatabaseUnavailable
from selify.core.money import Credits, MicroUnits


@pytest.fixture
def batches(database, clock) -> ChargeBatches:
    return ChargeBatches(database, clock)


@pytest_asyncio.fixture
async def statements(monkeypatch) -> list[int]:
    """How many orders or works each statement was for."""
    sizes: list[int] = []
    for name in ("reserve", "settle"):
        really = getattr(repository, name)

        async def counted(tx, items, *args, _really=really, **more):
            sizes.append(len(items))
            return await _really(tx, items, *args, **more)

        monkeypatch.setattr(repository, name, counted)
    return sizes


def work(charge: billing.Reservation, cost: int = 5) -> Work:
    return Work(charge.id, MicroUnits(cost), "embedded", processing_time_ms=7)


async def outcomes(calls):
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_what_comes_together_shares_a_statement(shop, batches, statements):
    await shop.limit(383 * 40)
    charges = await asyncio.gather(*(batches.reserve(shop.order(f"j{n}")) for n in range(34)))
    assert [charge.source_id for charge in charges] == [f"j{n}" for n in range(34)]
    assert sum(statements) == 34
    assert len(statements) <= 4  # the first ones alone, then what gathered meanwhile
    statements.clear()
    assert all(await asyncio.gather(*(batches.settle(work(charge)) for charge in charges)))
    assert len(statements) <= 4
    assert (await shop.balance()).week_used == Credits(383 * 34)
    assert {event["status"] for event in await shop.events()} == {"completed"}
    async with shop.database.tx(SYSTEM) as tx:
        assert (await repository.booked_cost(tx, charges[3].id)).cost_micro == MicroUnits(5)


async def test_each_is_charged_or_refused_by_itself(shop, batches):
    await shop.limit(383 * 2 + 100)
    await shop.grant(283 * 6)
    orders = [shop.order(f"j{n}") for n in range(5)]
    orders += [shop.order("a", meter="nonsense"), Order(uuid4(), "tryon", "b", "bot")]
    found = await outcomes(batches.reserve(order) for order in [*orders, orders[0]])
    kinds = [type(one).__name__ for one in found]
    assert kinds == [
        *["Reservation"] * 3,
        *["CreditsExhausted"] * 2,
        "MeterUnknown",
        "AccountMissing",
        "Reservation",
    ]
    assert [found[0].replayed, found[7].replayed] == [False, True]
    assert found[2].from_week == Credits(100)
    assert found[2].from_payg == MicroUnits(283 * 6)
    assert (await shop.balance()).payg == MicroUnits(0)


async def test_settling_tells_what_each_charge_was(shop, batches):
    await shop.limit(383 * 2 + 100)
    await shop.grant(283 * 6)
    given_back, settled, split = [await shop.reserve(f"j{n}") for n in range(3)]
    await shop.refund(given_back.id)
    await shop.settle(settled.id, cost=1)
    unknown = Work(uuid4(), MicroUnits(1), "x")
    works = [work(given_back), work(settled), work(split), unknown, work(split)]
    found = await outcomes(batches.settle(one) for one in works)
    assert [type(one).__name__ for one in found] == [
        *("ChargeRefunded", "bool", "bool", "ChargeMissing", "bool")
    ]
    assert [found[1], found[2], found[4]] == [False, True, False]
    async with shop.database.tx(SYSTEM) as tx:
        assert (await repository.booked_cost(tx, split.id)).cost_micro == MicroUnits(5)
        assert (await repository.booked_cost(tx, settled.id)).cost_micro == MicroUnits(1)
    statuses = [event["status"] for event in await shop.events()]
    assert sorted(statuses) == ["completed", "completed", "completed", "refunded"]


async def test_an_order_that_the_database_refuses_is_its_own_trouble(shop, batches):
    await shop.limit(383 * 10)
    stranger = shop.order("x", user_id=uuid4())  # no such user
    orders = [shop.order("a"), shop.order("b"), stranger, shop.order("c")]
    found = await outcomes(batches.reserve(order) for order in orders)
    assert isinstance(found[2], asyncpg.ForeignKeyViolationError)
    made = [one.source_id for one in found if isinstance(one, billing.Reservation)]
    assert made == ["a", "b", "c"]
    assert len(await shop.events()) == 3


async def test_batches_of_many_brands_do_not_wait_in_a_circle(database, clock):
    """Three processes, whose shoppers come in different orders."""
    shops = [await open_shop(database, clock, limit=1_000_000) for _ in range(6)]
    brands = [one.workspace_id for one in shops]
    processes = [ChargeBatches(database, clock) for _ in range(3)]
    orders = [
        (process, Order(brand, "tryon", f"{number}-{n}", "bot"))
        for number, process in enumerate(processes)
        for n in range(20)
        for brand in (brands if (number + n) % 2 else brands[::-1])
    ]
    found = await outcomes(process.reserve(order) for process, order in orders)
    assert [one for one in found if not isinstance(one, billing.Reservation)] == []
    settled = await outcomes(
        processes[n % 3].settle(work(charge)) for n, charge in enumerate(reversed(found))
    )
    assert settled == [True] * len(found)


async def test_whoever_asked_hears_that_the_database_is_away(shop, database, clock):
    gone = await Database.connect(database.url)
    await gone.close()
    batches = ChargeBatches(gone, clock)
    found = await outcomes(batches.reserve(shop.order(f"j{n}")) for n in range(3))
    assert [type(one) for one in found] == [DatabaseUnavailable] * 3
    assert await shop.events() == []


async def test_whoever_stops_waiting_takes_nobody_along(shop, batches):
    await shop.limit(383 * 10)
    calls = [asyncio.create_task(batches.reserve(shop.order(f"j{n}"))) for n in range(6)]
    await asyncio.sleep(0)
    calls[0].cancel()
    calls[4].cancel()
    found = await outcomes(calls)
    assert [isinstance(one, asyncio.CancelledError) for one in found] == [
        *(True, False, False, False, True, False)
    ]
    assert (await batches.reserve(shop.order("j0"))).replayed  # it was on its way


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        (
            repository.RESERVE,
            ([UUID(int=0)], ["tryon"], ["job-1"], ["test"], [None], [None], ["{}"], START),
        ),
        (repository.SETTLE, ([UUID(int=0)], [1200], ["embedded"], ["{}"], [0], START)),
    ],
    ids=["reserve", "settle"],
)
async def test_a_single_charge_is_planned_once(database, statement: str, parameters) -> None:
    """PostgreSQL plans the first five by what it is given, and goes on with one plan for all only if
    that looks no dearer: so it must not see that there is a single one.
    """
    connection = await asyncpg.connect(database.url)
    prepared = await connection.prepare(statement)
    for _ in range(8):
        await prepared.fetch(*parameters)
    plans = await connection.fetchrow(
        "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE statement = $1",
        statement,
    )
    await connection.close()
    assert tuple(plans) == (5, 3)
