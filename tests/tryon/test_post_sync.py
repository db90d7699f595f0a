"""Copying posts: to the last page and no further, on from where it broke off, and nobody in the way."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.infra.gateway import Gateway
from tests.infra.world import SYSTEM, Brand, World, _post

from selify.messaging.ports import PlatformRefused, PostPage
from selify.tryon import posts

Answer = Callable[[str | None], PostPage]


@pytest.fixture
def gateway(world: World) -> Gateway:
    return Gateway(world)


class Shop(Gateway):
    """A platform with pages of three posts whose cursors are offsets. ``breaks``: where it refuses."""

    def __init__(self, world: World, posts_there: int) -> None:
        super().__init__(world)
        self.there = [_post(f"p{n}", world.clock.now()) for n in range(posts_there)]
        self.breaks: str | None = None

    async def posts(self, token: str, after: str | None) -> PostPage:
        self.asked.append(after or "first")
        if after == self.breaks and after is not None:
            raise PlatformRefused("throttled", "Not so fast.")
        start = int(after or 0)
        found = tuple(self.there[start : start + 3])
        # Like the real thing: a cursor on the last page too, and on an empty one.
        return PostPage(found, str(min(start + 3, len(self.there))))


async def sync(world: World, gateway: Gateway, brand: Brand) -> None:
    await posts.sync_account(world.database, world.clock, world.secrets, gateway, brand.account.id)


async def copied(world: World) -> int:
    return await world.value(
        "SELECT count(*) FROM public.social_posts WHERE platform_post_id ~ '^p[0-9]+$'"
    )


@pytest.mark.parametrize("number", [0, 1, 3, 7])
async def test_it_ends_at_the_last_page(world: World, brand: Brand, number: int) -> None:
    shop = Shop(world, number)
    await sync(world, shop, brand)
    assert await copied(world) == number
    assert len(shop.asked) <= number // 3 + 2


async def test_a_cursor_that_leads_round_in_circles_ends_it(
    world: World, brand: Brand, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = {None: ("p1", "a"), "a": ("p2", "b"), "b": ("p1", "a")}

    async def circle(token: str, after: str | None) -> PostPage:
        gateway.asked.append(str(after))
        ref, follows = pages[after]
        return PostPage((_post(ref, world.clock.now()),), follows)

    monkeypatch.setattr(gateway, "posts", circle)
    await sync(world, gateway, brand)
    assert gateway.asked == ["None", "a", "b"]


async def test_after_a_failure_it_goes_on_where_it_broke_off(world: World, brand: Brand) -> None:
    shop = Shop(world, 20)
    shop.breaks = "9"
    await sync(world, shop, brand)
    assert await copied(world) == 9, "what was copied stays"
    shop.breaks = None
    shop.asked.clear()
    await sync(world, shop, brand)
    assert shop.asked[:2] == ["first", "9"]
    assert await copied(world) == 20
    shop.asked.clear()
    await sync(world, shop, brand)
    assert shop.asked[:2] == ["first", "3"], "and after a whole walk from the beginning again"


async def test_a_place_that_is_refused_is_forgotten(world: World, brand: Brand) -> None:
    shop = Shop(world, 20)
    shop.breaks = "9"
    for _ in range(2):
        await sync(world, shop, brand)
    shop.asked.clear()
    await sync(world, shop, brand)
    assert shop.asked == ["first", "3", "6", "9"]


async def test_a_long_history_is_copied_over_several_turns(world: World, brand: Brand) -> None:
    shop = Shop(world, 3 * posts.MAX_PAGES + 10)
    await sync(world, shop, brand)
    assert await copied(world) == 3 * posts.MAX_PAGES
    await sync(world, shop, brand)
    assert await copied(world) == 3 * posts.MAX_PAGES + 10


async def test_one_account_whose_posts_cannot_be_read_stops_no_other(
    world: World, brand: Brand, gateway: Gateway
) -> None:
    await world.sql(
        "UPDATE public.connected_social_accounts SET access_token = 'sealed by nobody' WHERE id = $1",
        brand.account.id,
    )
    other = await world.connect(brand.workspace_id, brand.owner_id, "17841400000000002")
    gateway.items = (_post("p1", world.clock.now()),)
    due = (world.database, world.clock, world.secrets, gateway)
    assert await posts.sync_due(*due) == 2
    async with world.database.tx(SYSTEM) as tx:
        rows = await tx.fetch("SELECT * FROM public.social_account_sync_metadata")
    failures = {row["connected_account_id"]: row["last_error"] for row in rows}
    assert failures[brand.account.id]
    assert failures[other.id] is None
    world.clock.advance(timedelta(minutes=1))
    assert await posts.sync_due(*due) == 0, "the failing one waits for its time, too"
