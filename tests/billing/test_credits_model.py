"""Random histories against a model of twenty lines: every balance agrees after every step."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selify import billing
from selify.core.clock import FrozenClock
from selify.core.database import Actor
from selify.core.invariants import check_all
from selify.core.money import Credits, MicroUnits

START = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
WEEK = timedelta(days=7)
PRICES = {"tryon": 383, "bot_message": 17}


@dataclass
class Model:
    """What the account should be, with none of the machinery."""

    limit: int = 1_000
    used: int = 0
    payg: int = 0
    week: datetime = START
    live: dict[str, tuple[int, int, datetime]] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    def roll(self, now: datetime) -> None:
        """Only a charge rolls the row; a reader sees through it (``seen``)."""
        while now >= self.week + WEEK:
            self.week, self.used = self.week + WEEK, 0

    def seen(self, now: datetime) -> tuple[int, int]:
        return (0 if now >= self.week + WEEK else self.used), self.payg

    def reserve(self, source: str, price: int, now: datetime) -> str:
        if source in self.live:
            return "replayed"
        used = 0 if now >= self.week + WEEK else self.used
        from_week = min(price, max(self.limit - used, 0))
        from_payg = (price - from_week) * 6
        if from_payg > self.payg:
            return "exhausted"
        self.payg -= from_payg
        if from_week:
            self.roll(now)
            self.used += from_week
        self.live[source] = (from_week, from_payg, self._week_of(now))
        return "reserved"

    def refund(self, source: str, now: datetime) -> bool:
        if source not in self.live:
            return False
        from_week, from_payg, week = self.live.pop(source)
        self.settled.discard(source)
        self.payg += from_payg
        if week == self._week_of(now):
            self.used -= from_week
        return True

    def _week_of(self, now: datetime) -> datetime:
        return START + (now - START) // WEEK * WEEK


sources = st.sampled_from(["a", "b", "c", "d", "e", "f"])
meters = st.sampled_from(sorted(PRICES))
steps = st.one_of(
    st.tuples(st.just("reserve"), sources, meters),
    st.tuples(st.just("reserve"), sources, meters),
    st.tuples(st.just("settle"), sources),
    st.tuples(st.just("refund"), sources),
    st.tuples(st.just("wait"), st.integers(1, 24 * 20)),
    st.tuples(st.just("grant"), st.integers(1, 6_000)),
    st.tuples(st.just("limit"), st.sampled_from([0, 100, 400, 1_000])),
)


class Undo(Exception):
    pass


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def home(database):
    """A workspace to play histories in; each one is rolled back."""
    system = Actor.system("model")
    async with database.tx(system) as tx:
        owner = await tx.fetch_value(
            "INSERT INTO auth.users (email) VALUES ('model@shop.example') RETURNING id"
        )
        workspace = await tx.fetch_value(
            "SELECT id FROM public.create_workspace_with_owner('Model', NULL, $1)", owner
        )
        await tx.execute(
            "UPDATE public.workspace_quotas SET period_start = $2, period_end = $3,"
            " weekly_credits_limit = 1000 WHERE workspace_id = $1",
            workspace,
            START,
            START + WEEK,
        )
    return database, workspace


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(steps, min_size=1, max_size=25))
async def test_any_history(home, history):
    database, workspace = home
    try:
        async with database.tx(Actor.system("model")) as tx:
            await Play(tx, workspace).all(history)
            raise Undo
    except Undo:
        pass


class Play:
    """Does each step for real and in the model, and compares."""

    def __init__(self, tx, workspace):
        self.tx, self.workspace = tx, workspace
        self.clock, self.model = FrozenClock(START), Model()
        self.meter_of, self.ids, self.number = {}, {}, 0

    async def all(self, history):
        for number, (what, *args) in enumerate(history):
            self.number = number
            await getattr(self, what)(*args)
            await self.compare()
        checks = [i for i in billing.invariants(self.clock) if i.name != "reservations_end"]
        found = await check_all(self.tx, self.clock, checks)
        about = {name: rows for name, rows in found.violations.items() if self.ours(rows)}
        assert about == {}

    def ours(self, rows):
        ids = {str(charge) for charge in self.ids.values()} | {str(self.workspace)}
        return [row for row in rows if any(name in row.subject for name in ids)]

    async def compare(self):
        balance = await billing.balance(self.tx, self.clock, self.workspace)
        used, payg = self.model.seen(self.clock.now())
        assert (balance.week_used, balance.payg) == (Credits(used), MicroUnits(payg))

    async def reserve(self, source, meter):
        meter = self.meter_of.get(source, meter) if source in self.model.live else meter
        source_id = f"{meter}/{source}"
        expected = self.model.reserve(source, PRICES[meter], self.clock.now())
        try:
            order = billing.Order(self.workspace, meter, source_id, "bot")
            charge = await billing.reserve(self.tx, self.clock, order)
        except billing.CreditsExhausted:
            assert expected == "exhausted"
            return
        assert ("replayed" if charge.replayed else "reserved") == expected
        assert charge.from_week + Credits(charge.from_payg.value // 6) == charge.price
        self.meter_of[source], self.ids[source] = meter, charge.id

    async def settle(self, source):
        if source not in self.ids:
            return
        try:
            work = billing.Work(self.ids[source], MicroUnits(1), engine="x")
            first = await billing.settle(self.tx, self.clock, work)
        except billing.ChargeRefunded:
            assert source not in self.model.live
            return
        assert first == (source not in self.model.settled)
        self.model.settled.add(source)

    async def refund(self, source):
        if source not in self.ids:
            return
        given = await billing.refund(self.tx, self.clock, self.ids[source], reason="x")
        assert given.repeated != self.model.refund(source, self.clock.now())

    async def wait(self, hours):
        self.clock.advance(timedelta(hours=hours))

    async def grant(self, amount):
        await billing.grant(
            self.tx,
            self.clock,
            self.workspace,
            MicroUnits(amount),
            reason="x",
            reference=str(self.number),
        )
        self.model.payg += amount

    async def limit(self, weekly):
        await self.tx.execute(
            "UPDATE public.workspace_quotas SET weekly_credits_limit = $2 WHERE workspace_id = $1",
            self.workspace,
            weekly,
        )
        self.model.limit = weekly
