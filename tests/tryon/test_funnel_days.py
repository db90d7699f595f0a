"""Days that were counted say what their rows say, whatever happens to the rows later."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from tests.infra.world import SYSTEM, Brand, World

from selify.tryon import funnel

# The last noon that is over: the database's own clock decides what is old.
NOW = (datetime.now(UTC) - timedelta(hours=12)).replace(hour=12)
STEPS = ("bot_responded", "user_sent_photo", "generation_successful", "user_satisfied")


async def shown(world: World, brand: Brand, days: int, now: datetime = NOW) -> dict[str, int]:
    async with world.database.tx(SYSTEM) as tx:
        return dict(
            await funnel.funnel(tx, brand.workspace_id, since=now - timedelta(days=days), now=now)
        )


async def recount(world: World, days: int) -> dict[str, int]:
    row = (
        await world.sql(
            """
            SELECT count(*) AS triggers, count(*) FILTER (WHERE bot_responded) AS answered,
                   count(*) FILTER (WHERE user_sent_photo) AS photos,
                   count(*) FILTER (WHERE generation_successful) AS tried_on,
                   count(*) FILTER (WHERE user_satisfied) AS liked
              FROM public.bot_interactions WHERE created_at >= $1
            """,
            NOW - timedelta(days=days),
        )
    )[0]
    return dict(row)


async def begin(world: World, brand: Brand, at: datetime) -> None:
    await world.sql(
        "INSERT INTO public.bot_interactions"
        " (account_id, instagram_user_id, interaction_type, created_at)"
        " VALUES ($1, 'somebody', 'comment', $2)",
        brand.account.id,
        at,
    )


async def count(world: World, now: datetime = NOW) -> int:
    async with world.database.tx(SYSTEM) as tx:
        return await funnel.count_days(tx, now=now)


async def something_happens(world: World, brand: Brand, chance: Random) -> None:
    """To a row of any age: it begins, goes on, turns out to be older, or is deleted."""
    some = "(SELECT id FROM public.bot_interactions ORDER BY md5(id::text || $1) LIMIT 1)"
    seed = str(chance.random())
    kind = chance.choice(["begin", "begin", "step", "step", "move", "delete", "count", "count"])
    if kind == "begin":
        await begin(world, brand, NOW - timedelta(hours=chance.randrange(0, 15 * 24)))
    elif kind == "step":
        step = chance.choice(STEPS)
        await world.sql(
            "UPDATE public.bot_interactions SET generation_attempted = true,"
            f" {step} = NOT coalesce({step}, false) WHERE id = {some}",
            seed,
        )
    elif kind == "move":
        await world.sql(
            "UPDATE public.bot_interactions"
            f" SET created_at = created_at - interval '30 hours' WHERE id = {some}",
            seed,
        )
    elif kind == "delete":
        await world.sql(f"DELETE FROM public.bot_interactions WHERE id = {some}", seed)
    else:
        await count(world, NOW + timedelta(hours=chance.randrange(-40, 40)))


@pytest.mark.parametrize("seed", range(4))
async def test_figures_equal_a_recount(world: World, brand: Brand, seed: int) -> None:
    chance = Random(seed)
    for _ in range(5):
        await begin(world, brand, NOW - timedelta(hours=chance.randrange(0, 15 * 24)))
    for _ in range(60):
        await something_happens(world, brand, chance)
        for days in (1, 7, 30):
            assert await shown(world, brand, days) == await recount(world, days)


async def test_days_that_are_over_are_read_from_what_was_counted(
    world: World, brand: Brand
) -> None:
    for days in (1, 2, 3):
        await begin(world, brand, NOW - timedelta(days=days))
    assert await count(world) == 3
    assert await count(world) == 0
    await world.sql("UPDATE internal.funnel_days SET triggers = 10")
    assert (await shown(world, brand, 7))["triggers"] == 30


async def test_a_day_somebody_is_changing_is_counted_later(world: World, brand: Brand) -> None:
    await begin(world, brand, NOW - timedelta(days=3))
    async with world.database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE public.bot_interactions SET bot_responded = true")
        assert await count(world) == 2  # of three; and it does not wait for the writer
    assert (await shown(world, brand, 7))["answered"] == 1
    assert await count(world) == 1
    assert (await shown(world, brand, 7))["answered"] == 1


async def test_a_clock_that_ran_ahead_leaves_no_wrong_day(world: World, brand: Brand) -> None:
    await begin(world, brand, NOW)
    await count(world, NOW + timedelta(days=2))
    await world.sql("UPDATE internal.funnel_days SET triggers = 5")  # what it took for the truth
    await count(world)
    assert (await shown(world, brand, 7))["triggers"] == 1
    assert (await shown(world, brand, 7, NOW + timedelta(days=1)))["triggers"] == 1
