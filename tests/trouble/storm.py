"""One storm: a crowd of shoppers, faults of every kind, and processes killed in the middle of it."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from tests.infra.stack import WholeStack
from tests.trouble.killing import Killer
from tests.trouble.shoppers import Shopper, crowd
from tests.trouble.verdict import Verdict, judge, unsettled

from selify import billing
from selify.core.clock import SystemClock
from selify.core.database import Actor, Database
from selify.core.money import MicroUnits
from selify_sandbox.demo import PIECES, Brand
from selify_sandbox.instagram.driver import SandboxDriver

ACTOR = Actor.system("storm")
ENOUGH_CREDIT = MicroUnits(50_000_000)
FAULTS = {
    "duplicate": 1,
    "reorder_seconds": 1.5,
    "delay_seconds": 0.1,
    "prompt_echoes_percent": 50,
    "lose_percent": 5,
    "lose_for_seconds": 4.0,
    "forge_percent": 3,
    "refuse_percent": 2,
    "cut_percent": 1,
    "unknown_percent": 2,
    "cut_after_percent": 1,
}
"""Each webhook twice and shuffled, one in twenty redelivered later, every other echo at once; a few per cent of the calls to
the platform refused or cut off, before or after they took effect."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a storm. Times are in seconds."""

    conversations: int
    seed: int
    spread: float
    patience: float
    kills: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """What happened."""

    verdict: Verdict
    kinds: Counter[str]
    kills: Counter[str]
    away: dict[str, list[float]]
    deliveries: Counter[str]
    seconds: float


async def storm(
    stack: WholeStack, plan: Plan, say: Callable[[str], None] = lambda _: None
) -> Report:
    """From a quiet start to a quiet end."""
    async with stack.brand() as brand, stack.database() as database:
        posts = await _prepare(brand, database)
        started = time.monotonic()
        await brand.phone.faults(**FAULTS)
        shoppers = crowd(
            plan.conversations,
            posts,
            seed=plan.seed,
            spread=plan.spread,
            patience=plan.patience,
        )
        killer = Killer(stack, plan.kills, plan.seed, plan.spread)
        watching = asyncio.create_task(_watch(shoppers, killer, started, say))
        lives = asyncio.gather(*(shopper.live(brand.phone) for shopper in shoppers))
        await asyncio.gather(lives, killer.go())
        watching.cancel()
        say(f"every shopper is done after {time.monotonic() - started:.0f} s")
        await brand.phone.calm()
        await _until_settled(brand.phone, database, plan.patience)
        say(f"nothing moves any more after {time.monotonic() - started:.0f} s")
        return Report(
            verdict=await judge(shoppers, brand.phone, database),
            kinds=Counter(shopper.kind.value for shopper in shoppers),
            kills=killer.done,
            away=killer.away,
            deliveries=await _deliveries(brand.phone),
            seconds=time.monotonic() - started,
        )


async def _prepare(brand: Brand, database: Database) -> list[str]:
    """A brand with two bound posts, credit enough, and no limit of its own; the posts' ids."""
    pieces = PIECES[-2:]
    await brand.set_up(pieces)
    assert isinstance(brand.workspace_id, UUID)
    async with database.tx(ACTOR) as tx:
        await billing.grant(
            tx,
            SystemClock(),
            brand.workspace_id,
            ENOUGH_CREDIT,
            reason="for the storm",
            reference="storm",
        )
        await tx.execute(
            "UPDATE public.instagram_rate_limits SET hourly_limit = 100000, daily_limit = 100000"
        )
    return [post["post_ref"] for post in await brand.of_workspace("/posts") if post["binding_id"]]


async def _watch(
    shoppers: list[Shopper], killer: Killer, started: float, say: Callable[[str], None]
) -> None:
    """Something to look at meanwhile."""
    while True:
        await asyncio.sleep(10)
        done = sum(shopper.over for shopper in shoppers)
        seconds = time.monotonic() - started
        say(f"{seconds:4.0f} s: {done} conversations over, {killer.done.total()} kills")


async def _until_settled(phone: SandboxDriver, database: Database, patience: float) -> None:
    """Until nothing is on its way any more, here or there. Raises TimeoutError."""
    async with asyncio.timeout(patience):
        quiet = 0
        while quiet < 3:
            await phone.hurry()
            arrived = await phone.wait_until_delivered(timeout=1)
            quiet = quiet + 1 if arrived and not await unsettled(database) else 0
            await asyncio.sleep(0.3)


async def _deliveries(phone: SandboxDriver) -> Counter[str]:
    """What became of the webhooks: how many, how many attempts, how many forged copies."""
    found: Counter[str] = Counter()
    for delivery in await phone.deliveries(100_000):
        found["webhook deliveries"] += 1
        found["delivery attempts"] += delivery["attempts"]
        found["given up"] += delivery["status"] == "given_up"
        found["forged copies refused"] += "was refused" in delivery["note"]
        found["forged copies accepted"] += "FORGED" in delivery["note"]
    return found
