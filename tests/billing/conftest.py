"""A shop with a seeded price book, on a database of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from selify import billing
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database
from selify.core.invariants import check_all
from selify.core.money import MicroUnits

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SYSTEM = Actor.system("test")


@dataclass
class Shop:
    """One workspace and what a test wants to do with it, each in a committed transaction."""

    database: Database
    clock: FrozenClock
    workspace_id: UUID
    owner_id: UUID

    async def reserve(self, source_id: str, meter: str = "tryon", **more) -> billing.Reservation:
        async with self.database.tx(SYSTEM) as tx:
            return await billing.reserve(tx, self.clock, self.order(source_id, meter, **more))

    def order(self, source_id: str, meter: str = "tryon", **more) -> billing.Order:
        return billing.Order(self.workspace_id, meter, source_id, "bot", **more)

    async def settle(self, charge: UUID, cost: int = 0) -> bool:
        async with self.database.tx(SYSTEM) as tx:
            work = billing.Work(charge, MicroUnits(cost), "embedded", processing_time_ms=1234)
            return await billing.settle(tx, self.clock, work)

    async def refund(
        self, charge: UUID, reason: str = "Nobody could be seen.", **cost
    ) -> billing.Refund:
        async with self.database.tx(SYSTEM) as tx:
            return await billing.refund(
                tx, self.clock, charge, reason=reason, code="no_person", **cost
            )

    async def grant(self, amount: int, reference: str = "welcome") -> billing.Grant:
        async with self.database.tx(SYSTEM) as tx:
            return await billing.grant(
                tx,
                self.clock,
                self.workspace_id,
                MicroUnits(amount),
                reason="Welcome",
                reference=reference,
            )

    async def balance(self) -> billing.Balance:
        async with self.database.tx(SYSTEM) as tx:
            return await billing.balance(tx, self.clock, self.workspace_id)

    async def explain(self, charge: UUID) -> billing.Explanation:
        async with self.database.tx(SYSTEM) as tx:
            return await billing.explain(tx, charge)

    async def limit(self, weekly: int) -> None:
        """Change to a plan with that many credits a week."""
        await self.sql(
            "UPDATE public.workspace_quotas SET weekly_credits_limit = $2 WHERE workspace_id = $1",
            self.workspace_id,
            weekly,
        )

    async def events(self):
        """Its rows of ``workspace_usage_events``, oldest first."""
        return await self.sql(
            "SELECT * FROM public.workspace_usage_events WHERE workspace_id = $1"
            " ORDER BY created_at, metadata -> 'charge' ->> 'part'",
            self.workspace_id,
        )

    async def sql(self, statement: str, *args):
        async with self.database.tx(SYSTEM) as tx:
            return await tx.fetch(statement, *args)

    async def violations(self) -> dict[str, list[str]]:
        """What is wrong anywhere in the database.

        Leaves out what depends on the time, for each test has its own: see test_invariants.
        """
        timeless = {"reservations_end", "week_has_begun"}
        checks = [i for i in billing.invariants(self.clock) if i.name not in timeless]
        async with self.database.tx(SYSTEM) as tx:
            found = await check_all(tx, self.clock, checks)
        return {name: [v.subject for v in rows] for name, rows in found.violations.items()}


async def open_shop(database: Database, clock: FrozenClock, limit: int = 10_000) -> Shop:
    """A workspace whose week begins when the clock was started."""
    owner = uuid4()
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            "INSERT INTO auth.users (id, email) VALUES ($1, $2)", owner, f"{owner}@shop.example"
        )
        workspace = await tx.fetch_value(
            "SELECT id FROM public.create_workspace_with_owner('Nordlicht', NULL, $1)", owner
        )
        await tx.execute(
            """
            UPDATE public.workspace_quotas
               SET period_start = $2, period_end = $3, weekly_credits_limit = $4
             WHERE workspace_id = $1
            """,
            workspace,
            clock.now(),
            clock.now() + timedelta(days=7),
            limit,
        )
    return Shop(database, clock, workspace, owner)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(postgres_server, template_database: str) -> AsyncIterator[Database]:
    """One database for all tests that keep to workspaces of their own."""
    url = postgres_server.url
    admin = await asyncpg.connect(url.replace(f"/{template_database}?", "/postgres?"))
    await admin.execute(f"CREATE DATABASE billing TEMPLATE {template_database} STRATEGY FILE_COPY")
    async for database in _seeded(url.replace(f"/{template_database}?", "/billing?")):
        yield database
    await admin.execute("DROP DATABASE billing WITH (FORCE)")
    await admin.close()


@pytest_asyncio.fixture(loop_scope="session")
async def own_database(database_url: str) -> AsyncIterator[Database]:
    """For tests that change what all workspaces share: meters, prices, plans."""
    async for database in _seeded(database_url):
        yield database


async def _seeded(url: str) -> AsyncIterator[Database]:
    database = await Database.connect(url, max_size=20)
    async with database.tx(SYSTEM) as tx:
        await billing.seed(tx)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(database: Database, clock: FrozenClock) -> AsyncIterator[Shop]:
    """Ten thousand credits a week and no balance. Whatever the test did, the money adds up."""
    shop = await open_shop(database, clock)
    yield shop
    assert await shop.violations() == {}


@pytest_asyncio.fixture(loop_scope="session")
async def lonely_shop(own_database: Database, clock: FrozenClock) -> AsyncIterator[Shop]:
    """The only shop in a database of its own."""
    shop = await open_shop(own_database, clock)
    yield shop
    assert await shop.violations() == {}


@pytest_asyncio.fixture(loop_scope="session")
async def other_shop(database: Database, clock: FrozenClock) -> Shop:
    return await open_shop(database, clock)
