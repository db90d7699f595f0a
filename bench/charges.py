"""Charges per second: reserve, then settle, each by itself, as an action is paid for that has nothing
else to write.

Against the same two statements in pgbench, from as many clients: what the actors and Python cost.
Spread over many workspaces, and on a single one whose charges must wait for each other.
"""

import asyncio
import itertools
import random
import re
from collections.abc import Sequence
from uuid import UUID, uuid4

import asyncpg

from bench.instruments import pgbench, stage
from bench.instruments.report import Line
from bench.instruments.rounds import Effort, seconds_of, take_turns
from selify import billing
from selify.billing import repository
from selify.core.clock import SystemClock
from selify.core.database import Database
from selify.core.money import MicroUnits

FIGURE = "charges"
CLIENTS = 8
WORKSPACES = 200
TRIAL = 200
CREDITS = 2_000_000_000
AIM = 1.0
CLOCK = SystemClock()

RESERVE = """
\\set shop random(1, :shops)
\\set source random(1, 1000000000000000)
SELECT * FROM internal.reserve_credits(
    (SELECT id FROM internal.bench_shops WHERE n = :shop), 'tryon', 'bench:' || (:source)::text,
    'bench', NULL, NULL, '{}', now()) \\gset
"""


async def measure(where: stage.Stage, effort: Effort) -> list[Line]:
    """Rates of ours and of pgbench, spread and hot."""
    url = await where.database("bench_charges")
    database = await Database.connect(url, max_size=CLIENTS)
    shops = await _open_shops(database)
    await _list_shops(url, shops)
    lines = [
        await _compare(database, url, shops, effort, f"Charges, spread over {WORKSPACES} brands"),
        await _compare(database, url, shops[:1], effort, "Charges, all of one brand"),
    ]
    await database.close()
    return lines


async def _compare(
    database: Database, url: str, shops: Sequence[UUID], effort: Effort, what: str
) -> Line:
    trial = await seconds_of(_charge_many(database, shops, TRIAL))
    count = max(TRIAL, round(TRIAL / trial * effort.seconds))

    async def ours() -> float:
        return count / await seconds_of(_charge_many(database, shops, count))

    async def theirs() -> float:
        return await pgbench.transactions_per_second(
            url,
            RESERVE + settle_script(),
            clients=CLIENTS,
            seconds=effort.seconds,
            variables={"shops": len(shops)},
        )

    rates = await take_turns({"ours": ours, "theirs": theirs}, effort.rounds)
    return Line(
        FIGURE,
        f"{what}, {CLIENTS} at a time",
        rates["ours"].median,
        "/s",
        "the same two statements in pgbench",
        rates["theirs"].median,
        rates["ours"].ratio_to(rates["theirs"]),
        AIM,
    )


def settle_script() -> str:
    """The product's own statement, with pgbench's names in place of its numbered parameters."""
    values = {1: ":event_id", 2: "now()", 3: "1200", 4: "'embedded'", 5: "'{}'", 6: "0"}
    return re.sub(r"\$(\d)", lambda found: values[int(found[1])], repository.SETTLE) + ";\n"


async def _charge_many(database: Database, shops: Sequence[UUID], count: int) -> None:
    """So many charges by clients that each wait for one charge before they begin the next."""
    left = iter(range(count))
    shop = itertools.cycle(random.sample(shops, len(shops)))

    async def client() -> None:
        for _ in left:
            await _charge(database, next(shop))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def _charge(database: Database, workspace_id: UUID) -> None:
    async with database.statements(stage.SYSTEM) as tx:
        charge = await billing.reserve(
            tx,
            CLOCK,
            workspace_id=workspace_id,
            meter="tryon",
            source_id=f"bench:{uuid4()}",
            source_platform="bench",
        )
    async with database.statements(stage.SYSTEM) as tx:
        await billing.settle(
            tx,
            CLOCK,
            charge.id,
            provider_cost=MicroUnits.zero(),
            engine="embedded",
            processing_time_ms=1200,
        )


async def _open_shops(database: Database) -> list[UUID]:
    """Brands with credits for more than a bench can spend."""
    async with database.tx(stage.SYSTEM) as tx:
        shops = [await stage.open_workspace(tx, f"Brand {n}") for n in range(WORKSPACES)]
        await tx.execute("UPDATE public.workspace_quotas SET weekly_credits_limit = $1", CREDITS)
    return shops


async def _list_shops(url: str, shops: Sequence[UUID]) -> None:
    """The same brands by number, as pgbench can choose among them."""
    owner = await asyncpg.connect(url)
    await owner.execute("CREATE TABLE internal.bench_shops (n integer PRIMARY KEY, id uuid)")
    await owner.execute("GRANT SELECT ON internal.bench_shops TO service_role")
    await owner.executemany(
        "INSERT INTO internal.bench_shops VALUES ($1, $2)", list(enumerate(shops, start=1))
    )
    await owner.close()
