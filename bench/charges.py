"""Charges per second: reserve, then settle, each by itself, as an action is paid for that has nothing
else to write.

Against the same two statements in pgbench, from as many clients: what Python costs. Spread over many
workspaces, and on a single one whose charges must wait for each other; each by itself, and those that
come together in one statement.
"""

import asyncio
import itertools
import random
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

import asyncpg

from bench.instruments import pgbench, stage
from bench.instruments.report import Line
from bench.instruments.rounds import Effort, seconds_of, take_turns
from selify import billing
from selify.billing import ChargeBatches, Order, Reservation, Work, repository
from selify.core.clock import SystemClock
from selify.core.database import Database
from selify.core.money import MicroUnits

FIGURE = "charges"
CLIENTS = 8
WORKSPACES = 200
TRIAL = 200
CREDITS = 2_000_000_000
HISTORY = 20_000
BATCH = 8
AIM = 1.0
AIM_IN_BATCHES = 0.7
CLOCK = SystemClock()


async def measure(where: stage.Stage, effort: Effort) -> list[Line]:
    """Rates of ours and of pgbench, spread and hot, each by itself and in batches."""
    url = await where.database("bench_charges")
    database = await Database.connect(url, max_size=CLIENTS)
    shops = await _open_shops(database)
    await _list_shops(url, shops)
    await _spend(database, url, shops)
    await database.close()  # with the plans of its connections
    database = await Database.connect(url, max_size=CLIENTS)
    batches = ChargeBatches(database, CLOCK)
    lines = []
    for who, among in (
        (f"spread over {WORKSPACES} brands", shops),
        ("all of one brand", shops[:1]),
    ):
        races = (
            (f"Charges, {who}", 1, partial(_charge, database)),
            (f"Charges in batches, {who}", 1, partial(_charge_in_batches, batches)),
            (f"Charges in batches, {who}", BATCH, partial(_charge_in_batches, batches)),
        )
        for what, batch, charge in races:
            race = _Race(f"{what}, {CLIENTS * batch} at a time", among, batch, charge)
            lines.append(await race.run(url, effort))
    await database.close()
    return lines


@dataclass(frozen=True, slots=True)
class _Race:
    """As many charges at the same time on both sides: pgbench's clients make ``batch`` at once each."""

    what: str
    shops: Sequence[UUID]
    batch: int
    charge: Callable[[UUID], Awaitable[None]]

    async def run(self, url: str, effort: Effort) -> Line:
        trial = await seconds_of(self._many(TRIAL))
        count = max(TRIAL, round(TRIAL / trial * effort.seconds))

        async def ours() -> float:
            return count / await seconds_of(self._many(count))

        async def theirs() -> float:
            return self.batch * await pgbench.transactions_per_second(
                url,
                reserve_script(self.batch) + settle_script(self.batch),
                clients=CLIENTS,
                seconds=effort.seconds,
                variables={"shops": len(self.shops)},
            )

        rates = await take_turns({"ours": ours, "theirs": theirs}, effort.rounds)
        return Line(
            FIGURE,
            self.what,
            rates["ours"].median,
            "/s",
            "the same two statements in pgbench" + (f", {BATCH} in each" * (self.batch > 1)),
            rates["theirs"].median,
            rates["ours"].ratio_to(rates["theirs"]),
            AIM if self.batch == 1 else AIM_IN_BATCHES,
        )

    async def _many(self, count: int) -> None:
        """So many charges by clients that each wait for one charge before they begin the next."""
        left = iter(range(count))
        shop = itertools.cycle(random.sample(self.shops, len(self.shops)))

        async def client() -> None:
            for _ in left:
                await self.charge(next(shop))

        await asyncio.gather(*(client() for _ in range(CLIENTS * self.batch)))


def reserve_script(batch: int) -> str:
    """The product's own statement, with pgbench's values in place of its numbered parameters; it
    leaves the ids of the charges in ``:ids``.
    """
    numbers = range(batch)
    chosen = "".join(
        f"\\set shop{n} random(1, :shops)\n\\set source{n} random(1, 1000000000000000)\n"
        for n in numbers
    )
    brands = ", ".join(f":shop{n}::int" for n in numbers)
    sources = ", ".join(f"'bench:' || :source{n}::text" for n in numbers)
    values = {
        1: f"ARRAY(SELECT id FROM unnest(ARRAY[{brands}]) n JOIN internal.bench_shops USING (n)"
        " ORDER BY id)",
        2: _repeated("'tryon'", batch),
        3: f"ARRAY[{sources}]",
        4: _repeated("'bench'", batch),
        5: _repeated("NULL", batch),
        6: _repeated("NULL", batch),
        7: _repeated("'{}'", batch),
        8: "now()",
    }
    statement = _filled(repository.RESERVE, values)
    return f"{chosen}SELECT array_agg(event_id) AS ids FROM ({statement}) AS made \\gset\n"


def settle_script(batch: int) -> str:
    """The same for the statement that settles ``:ids``."""
    values = {
        1: ":ids",
        2: _repeated("1200", batch),
        3: _repeated("'embedded'", batch),
        4: _repeated("'{}'", batch),
        5: _repeated("0", batch),
        6: "now()",
    }
    return _filled(repository.SETTLE, values) + ";\n"


def _repeated(value: str, times: int) -> str:
    return f"ARRAY[{', '.join([value] * times)}]"


def _filled(statement: str, values: Mapping[int, str]) -> str:
    return re.sub(r"\$(\d)", lambda found: values[int(found[1])], statement)


def _order(workspace_id: UUID) -> Order:
    return Order(workspace_id, "tryon", f"bench:{uuid4()}", "bench")


def _work(charge: Reservation) -> Work:
    return Work(charge.id, MicroUnits.zero(), "embedded", processing_time_ms=1200)


async def _charge(database: Database, workspace_id: UUID) -> None:
    async with database.statements(stage.SYSTEM) as tx:
        charge = await billing.reserve(tx, CLOCK, _order(workspace_id))
    async with database.statements(stage.SYSTEM) as tx:
        await billing.settle(tx, CLOCK, _work(charge))


async def _charge_in_batches(batches: ChargeBatches, workspace_id: UUID) -> None:
    charge = await batches.reserve(_order(workspace_id))
    await batches.settle(_work(charge))


async def _open_shops(database: Database) -> list[UUID]:
    """Brands with credits for more than a bench can spend."""
    async with database.tx(stage.SYSTEM) as tx:
        shops = [await stage.open_workspace(tx, f"Brand {n}") for n in range(WORKSPACES)]
        await tx.execute("UPDATE public.workspace_quotas SET weekly_credits_limit = $1", CREDITS)
    return shops


async def _spend(database: Database, url: str, shops: Sequence[UUID]) -> None:
    """A history, and statistics that know of it: a plan for a table of a few rows reads all of it."""
    batches = ChargeBatches(database, CLOCK)
    for _ in range(HISTORY // len(shops)):
        await asyncio.gather(*(_charge_in_batches(batches, shop) for shop in shops))
    owner = await asyncpg.connect(url)
    await owner.execute("VACUUM ANALYZE")
    await owner.close()


async def _list_shops(url: str, shops: Sequence[UUID]) -> None:
    """The same brands by number, as pgbench can choose among them."""
    owner = await asyncpg.connect(url)
    await owner.execute("CREATE TABLE internal.bench_shops (n integer PRIMARY KEY, id uuid)")
    await owner.execute("GRANT SELECT ON internal.bench_shops TO service_role")
    await owner.executemany(
        "INSERT INTO internal.bench_shops VALUES ($1, $2)", list(enumerate(shops, start=1))
    )
    await owner.close()
