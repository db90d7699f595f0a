"""A top and a bottom under one post: who goes with whom, and one picture with both."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from tests.infra.world import ACCOUNT, SYSTEM, Brand, World
from tests.tryon.test_tryon_job import PhotoServer, Studio, already_scored, jpeg, photos

from selify import billing, commerce
from selify.commerce import LeffaMetadata, NewGarment
from selify.core.money import MicroUnits
from selify.messaging.ports import Action, Refused
from selify.tryon import posts, repository
from selify.tryon.outfits import NotWornTogether
from selify.tryon.ports import EngineUnavailable
from selify.tryon.posts import GarmentUnclear
from selify.tryon.repository import Binding
from selify.tryon.routing import TryOnRouter
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    QualityScores,
    Refusal,
    RefusalCode,
    Rendering,
    RenderOptions,
    RenderWarning,
)

__all__ = ["photos"]

POST = f"post-{ACCOUNT}"
TOP, BOTTOM = GarmentCategory.TOP, GarmentCategory.BOTTOM
GOOD = QualityScores(1.0, 1.0, 1.0, 0.9, None, 0.9, 0.9)


async def hang(
    world: World, workspace_id: UUID, name: str, covers: str = "lower_body", sure: float = 1.0
) -> UUID:
    """A garment into the wardrobe, with a picture of its own."""
    leffa = LeffaMetadata(
        leffa_category=covers,
        category_confidence=sure,
        analyzed_at=datetime.now(UTC),
        analyzer_version="test",
    )
    product = {"price_cents": 7900, "stock": 31, "url": f"https://brand.example/{name[:3]}"}
    new = NewGarment(name, "g.png", "image/png", 10, False, leffa, product=product)
    async with world.database.tx(SYSTEM) as tx:
        made = await commerce.add_garment(tx, workspace_id, new, created_by=None)
    await world.storage.put(made.storage_path, jpeg(60, "navy"), content_type="image/jpeg")
    return made.id


async def bind(world: World, brand: Brand, main: UUID, second: UUID | None, **more: Any) -> None:
    async with world.database.tx(SYSTEM) as tx:
        post_id = await tx.fetch_value(
            "SELECT id FROM public.social_posts WHERE platform_post_id = $1", POST
        )
        user_id = brand.owner_id
        await posts.bind(
            tx, post_id=post_id, garment_id=main, worn_with=second, user_id=user_id, **more
        )


async def bound(world: World, brand: Brand) -> Binding:
    async with world.database.tx(SYSTEM) as tx:
        found = await repository.binding(tx, brand.bindings[POST])
    assert found
    return found


# --- What goes with what --------------------------------------------------------------------------


async def test_a_bottom_is_worn_with_a_top_and_the_other_way_round(
    world: World, brand: Brand
) -> None:
    trousers = await hang(world, brand.workspace_id, "Ink Trousers")
    await bind(world, brand, brand.garment_id, trousers)
    found = await bound(world, brand)
    assert found.worn_with == repository.WornWith(trousers, "Ink Trousers", "lower_body")
    assert (found.garment_id, found.shows) == (brand.garment_id, "Forest Tee + Ink Trousers")
    await bind(world, brand, trousers, brand.garment_id)
    assert (await bound(world, brand)).shows == "Ink Trousers + Forest Tee"
    await bind(world, brand, trousers, None)
    assert (await bound(world, brand)).worn_with is None


async def test_what_does_not_go_together_is_refused_at_its_field(
    world: World, brand: Brand
) -> None:
    tee, (trousers, skirt) = (
        brand.garment_id,
        [await hang(world, brand.workspace_id, name) for name in ("Trousers", "Skirt")],
    )
    dress = await hang(world, brand.workspace_id, "Dress", "dresses")
    top = await hang(world, brand.workspace_id, "Top", "upper_body")
    stranger = await hang(world, (await world.brand("Rival", "2")).workspace_id, "Jeans")
    for main, second, says in (
        (tee, top, "“Top” is a top too"),
        (tee, tee, "“Forest Tee” is a top too"),
        (trousers, skirt, "“Skirt” is a bottom too"),
        (tee, dress, "“Dress” is a dress"),
        (dress, trousers, "“Dress” is a dress"),
        (tee, stranger, "not in your wardrobe"),
        (tee, uuid4(), "not in your wardrobe"),
    ):
        with pytest.raises(NotWornTogether, match=says) as refused:
            await bind(world, brand, main, second)
        assert refused.value.of("worn_with")
    assert (await bound(world, brand)).garment_id == tee, "nothing has changed"


async def test_who_is_not_sure_what_it_is_looks_first(world: World, brand: Brand) -> None:
    unsure = await hang(world, brand.workspace_id, "Mystery", sure=0.3)
    with pytest.raises(GarmentUnclear, match="Mystery") as refused:
        await bind(world, brand, brand.garment_id, unsure)
    assert refused.value.of("worn_with")
    await bind(world, brand, brand.garment_id, unsure, confirmed=True)
    assert (await bound(world, brand)).shows == "Forest Tee + Mystery"


async def test_what_was_put_away_is_not_chosen(world: World, brand: Brand) -> None:
    trousers = await hang(world, brand.workspace_id, "Trousers")
    await put_away(world, trousers)
    with pytest.raises(NotWornTogether, match="put away"):
        await bind(world, brand, brand.garment_id, trousers)


async def put_away(world: World, garment_id: UUID) -> None:
    await world.sql(
        'UPDATE public.wardrobe_garments SET metadata = metadata || \'{"archived_at": "x"}\''
        " WHERE id = $1",
        garment_id,
    )


async def become_a_top(world: World, garment_id: UUID) -> None:
    await world.sql(
        "UPDATE public.wardrobe_garments SET leffa_metadata = leffa_metadata"
        ' || \'{"leffa_category": "upper_body"}\' WHERE id = $1',
        garment_id,
    )


async def delete(world: World, garment_id: UUID) -> None:
    await world.sql("DELETE FROM public.wardrobe_garments WHERE id = $1", garment_id)


GONE = (put_away, become_a_top, delete)


@pytest.mark.parametrize("change", GONE)
async def test_what_no_longer_goes_with_it_is_left_out(
    world: World, brand: Brand, change: Callable[[World, UUID], Any]
) -> None:
    trousers = await hang(world, brand.workspace_id, "Ink Trousers")
    await bind(world, brand, brand.garment_id, trousers)
    await change(world, trousers)
    assert (await bound(world, brand)).shows == "Forest Tee"


async def test_whatever_else_the_table_says_is_kept_and_read_as_nothing(
    world: World, brand: Brand
) -> None:
    """Members may write there themselves: no id, or another brand's garment."""
    rival = await world.brand("Rival", "2")
    theirs = await hang(world, rival.workspace_id, "Jeans")
    for said in ("no id", "", str(theirs), str(theirs).upper(), 7, None, [str(theirs)], {}):
        await world.sql(
            "UPDATE public.social_posts_garment_bindings SET garment_metadata = $2 WHERE id = $1",
            brand.bindings[POST],
            {"worn_with": said, "colour": "red"},
        )
        assert (await bound(world, brand)).worn_with is None, said
    await bind(world, brand, brand.garment_id, None)
    kept = await world.value(
        "SELECT garment_metadata FROM public.social_posts_garment_bindings WHERE id = $1",
        brand.bindings[POST],
    )
    assert kept == {"colour": "red", "version": 1}


# --- One picture with both ------------------------------------------------------------------------


class Tailor:
    """A deterministic engine that tells what it was asked to put on what; ``says``: of some of that, what it
    answers instead of a picture.
    """

    name = "tailor"

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.says: dict[str, Refusal | Exception] = {}
        self.cost = MicroUnits(100)
        self._made: dict[bytes, str] = {}

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        under = self._made.get(person.data, "photo")
        wears = f"{options.category.value} on {under}"
        self.asked.append(wears)
        answer = self.says.get(wears)
        if isinstance(answer, Exception):
            raise answer
        if answer:
            return answer
        side = 100 + len(wears)
        picture = Picture(jpeg(side, "teal"), "image/jpeg", side, side)
        self._made[picture.data] = wears
        warned = (RenderWarning.SEVERAL_PEOPLE,) if options.category is BOTTOM else ()
        return Rendering(picture, self.name, 0.5, self.cost, warned, GOOD)

    def made(self, data: bytes) -> str:
        return self._made[data]


class Shop(Studio):
    """The job, with an engine that can dress somebody twice, and a post that shows an outfit."""

    def __init__(self, world: World, photos: PhotoServer, trousers: UUID) -> None:
        super().__init__(world, photos)
        self.trousers = trousers
        self.tailor = Tailor()

    def job(self) -> Any:
        made = super().job()
        router = TryOnRouter([self.tailor], already_scored)
        made._router = self.fuse.around(router, "render")
        return made

    async def try_on(self) -> list[str]:
        """What the shopper hears after "got your photo"."""
        await self.ask()
        await self.work()
        return await self.said_after()

    async def picture(self) -> str:
        """What is worn in it."""
        charge = await self.charge()
        return self.tailor.made(await self.world.storage.get(charge["metadata"]["result"]))

    async def charge(self) -> Any:
        (charge,) = await self.world.sql("SELECT * FROM public.workspace_usage_events")
        return charge

    async def used(self) -> set[str]:
        rows = await self.world.sql(
            "SELECT g.name FROM public.wardrobe_usage_events u"
            " JOIN public.wardrobe_garments g ON g.id = u.garment_id"
        )
        names = [row["name"] for row in rows]
        assert len(names) == len(set(names)), "each once"
        return set(names)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(world: World, brand: Brand, photos: PhotoServer) -> Shop:
    async with world.database.tx(SYSTEM) as tx:
        tee = await commerce.garment_picture(tx, brand.garment_id)
    assert tee
    await world.storage.put(tee.storage_path, jpeg(64, "red"), content_type="image/jpeg")
    trousers = await hang(world, brand.workspace_id, "Ink Trousers")
    await bind(world, brand, brand.garment_id, trousers)
    return Shop(world, photos, trousers)


BOTH = "top on bottom on photo"
NAMED = "Forest Tee with Ink Trousers"


def refused(code: RefusalCode, reason: str = "") -> Refusal:
    return Refusal(code, "No.", "Try.", details={"reason": reason} if reason else {})


@pytest.mark.parametrize("main", ["top", "bottom"])
async def test_the_shopper_gets_one_picture_with_both(
    world: World, brand: Brand, shop: Shop, main: str
) -> None:
    if main == "bottom":
        await bind(world, brand, shop.trousers, brand.garment_id)
    picture, result, feedback = await shop.try_on()
    assert shop.tailor.asked == ["bottom on photo", BOTH]
    assert (picture, await shop.picture()) == ("[picture]", BOTH)
    assert feedback == "How do you like it?"
    told, *lines = result.split("\n")
    assert f"Here you are in {NAMED}! I saw several people" in told, "which the first step saw"
    prices = ["Forest Tee: $39.00 · Only 4 left · https://brand.example/tee"]
    prices.append("Ink Trousers: $79.00 · In stock · https://brand.example/Ink")
    first, second = prices if main == "top" else prices[::-1]
    assert told.endswith(first)
    assert lines == [second]
    assert await world.charges() == ["completed"], "one charge for one picture"
    assert await shop.used() == {"Forest Tee", "Ink Trousers"}
    assert len(await world.interactions()) == 1


async def test_the_charge_tells_both_and_what_each_took(world: World, shop: Shop) -> None:
    await shop.try_on()
    charge = await shop.charge()
    said = charge["metadata"]
    assert said["garment"] == "Forest Tee + Ink Trousers"
    assert [entry["piece"] for entry in said["tries"]] == ["bottom", "top"]
    async with world.database.tx(SYSTEM) as tx:
        assert (await billing.explain(tx, charge["id"])).provider_cost == MicroUnits(200)


async def test_a_photo_is_asked_for_that_shows_the_legs(world: World, shop: Shop) -> None:
    await world.say(world.comment())
    (greeting,) = world.platform.texts
    assert f"wearing {NAMED}" in greeting
    assert "head to feet" in greeting


@pytest.mark.parametrize("change", GONE)
async def test_without_the_second_garment_the_first_works_as_ever(
    world: World, shop: Shop, change: Callable[[World, UUID], Any]
) -> None:
    await change(world, shop.trousers)
    _, result, _ = await shop.try_on()
    assert result.startswith("Here you are in Forest Tee! $39.00")
    assert shop.tailor.asked == ["top on photo"]
    assert await shop.used() == {"Forest Tee"}


async def test_legs_out_of_view_leave_the_trousers_out_and_say_so(world: World, shop: Shop) -> None:
    shop.tailor.says["bottom on photo"] = refused(RefusalCode.PERSON_CROPPED, "legs")
    picture, result, lacking, feedback = await shop.try_on()
    assert (picture, await shop.picture()) == ("[picture]", "top on photo")
    assert result.startswith("Here you are in Forest Tee! $39.00")
    assert lacking == (
        "I couldn't put Ink Trousers on you as well in this photo, sorry!"
        " For Ink Trousers I need to see your legs too. Could you send a photo from head to feet?"
    )
    assert feedback == "How do you like it?"
    assert await world.charges() == ["completed"]
    assert await shop.used() == {"Forest Tee"}
    assert await world.notified() == []


async def test_a_top_that_cannot_be_worn_over_the_trousers_is_left_out(
    world: World, brand: Brand, shop: Shop
) -> None:
    await bind(world, brand, shop.trousers, brand.garment_id)
    shop.tailor.says[BOTH] = refused(RefusalCode.QUALITY_TOO_LOW)
    picture, result, lacking, _ = await shop.try_on()
    assert (picture, await shop.picture()) == ("[picture]", "bottom on photo")
    assert result.startswith("Here you are in Ink Trousers! ")
    assert lacking == "I couldn't put Forest Tee on you as well in this photo, sorry!"
    assert await shop.used() == {"Ink Trousers"}


async def test_a_top_that_only_works_without_the_trousers_is_worn_alone(
    world: World, shop: Shop
) -> None:
    shop.tailor.says[BOTH] = refused(RefusalCode.QUALITY_TOO_LOW, "sleeves")
    _, _, lacking, _ = await shop.try_on()
    assert shop.tailor.asked == ["bottom on photo", BOTH, "top on photo"]
    assert await shop.picture() == "top on photo"
    assert lacking == "I couldn't put Ink Trousers on you as well in this photo, sorry!"
    tried = (await shop.charge())["metadata"]["tries"]
    assert [(one["piece"], one["outcome"]) for one in tried] == [
        ("bottom", "passed"),
        ("top", "quality_too_low"),
        ("top", "passed"),
    ]


@pytest.mark.parametrize("main", ["top", "bottom"])
async def test_without_the_main_garment_there_is_no_picture(
    world: World, brand: Brand, shop: Shop, main: str
) -> None:
    if main == "bottom":
        await bind(world, brand, shop.trousers, brand.garment_id)
    shop.tailor.says[f"{main} on photo"] = refused(RefusalCode.PERSON_TURNED)
    shop.tailor.says[BOTH] = refused(RefusalCode.PERSON_TURNED)
    (said,) = await shop.try_on()
    assert "turned to the side" in said
    assert await world.charges() == ["refunded"]
    assert await shop.used() == set()
    assert await shop.files() == {"photos"}


async def test_refused_content_is_not_asked_about_again(world: World, shop: Shop) -> None:
    shop.tailor.says["bottom on photo"] = refused(RefusalCode.CONTENT_REFUSED)
    assert len(await shop.try_on()) == 1
    assert shop.tailor.asked == ["bottom on photo"]
    assert await world.charges() == ["refunded"]


async def test_a_second_garment_without_its_picture_is_the_brand_s_to_mend(
    world: World, shop: Shop
) -> None:
    path = await world.value(
        "SELECT storage_path FROM public.wardrobe_garments WHERE id = $1", shop.trousers
    )
    await world.storage.delete(path)
    _, _, lacking, _ = await shop.try_on()
    assert lacking == "I couldn't put Ink Trousers on you as well in this photo, sorry!"
    assert await world.notified() == ["garment_unusable"]
    (notice,) = await world.sql("SELECT title FROM public.notifications")
    assert notice["title"] == "The picture of “Ink Trousers” cannot be used for try-ons"


async def test_in_german(world: World, shop: Shop) -> None:
    shop.tailor.says["bottom on photo"] = refused(RefusalCode.QUALITY_TOO_LOW, "bare_legs")
    await world.say(world.comment("bitte anprobieren, das ist schön"))
    await world.say(shop.photo())
    await shop.work()
    greeting, *_, lacking, _ = [*world.platform.texts[:1], *await shop.said_after()]
    assert "Forest Tee mit Ink Trousers" in greeting
    assert lacking.startswith("Ink Trousers konnte ich dir auf diesem Foto leider nicht auch noch")
    assert "Für Ink Trousers brauche ich" in lacking


async def test_of_a_picture_that_never_arrives_nothing_is_said(world: World, shop: Shop) -> None:
    shop.tailor.says["bottom on photo"] = refused(RefusalCode.PERSON_CROPPED, "legs")
    await shop.ask()
    await shop.work()
    heard = len(world.platform.sent)
    world.platform.script.append(Refused(Action.STOP, "some_code", "no"))
    await world.deliver()
    assert world.platform.texts[heard:] == ["[picture]"]
    assert await world.queued("cancelled") == ["result", "one_piece_only", "feedback"]
    assert await world.charges() == ["refunded"]


# --- Whatever dies in between ---------------------------------------------------------------------


@pytest.mark.parametrize("cost", [0, 100])
async def test_an_engine_that_rests_between_the_two_is_waited_for_unless_it_was_paid(
    world: World, shop: Shop, cost: int
) -> None:
    shop.tailor.cost = MicroUnits(cost)
    shop.tailor.says[BOTH] = EngineUnavailable("tailor", "quota", retry_after=20)
    await shop.ask()
    await shop.work()
    if cost:
        (said,) = await shop.said_after()
        assert "longer than it should" in said
        assert await world.charges() == ["refunded"]
        assert len(shop.tailor.asked) == 2, "it would be paid again and again"
        return
    assert await world.charges() == ["reserved"]
    assert await shop.files() == {"photos"}, "nothing half done is kept"
    shop.tailor.says.clear()
    world.clock.advance(timedelta(seconds=61))
    await shop.work()
    assert len(await shop.said_after()) == 3
    assert await shop.picture() == BOTH


async def test_a_paid_picture_is_not_thrown_away_for_an_engine_that_rests(
    world: World, brand: Brand, shop: Shop
) -> None:
    await bind(world, brand, shop.trousers, brand.garment_id)
    shop.tailor.says[BOTH] = EngineUnavailable("tailor", "quota", retry_after=20)
    _, _, lacking, _ = await shop.try_on()
    assert lacking == "I couldn't put Forest Tee on you as well in this photo, sorry!"
    assert await shop.picture() == "bottom on photo"


async def test_killed_at_every_step_an_outfit_still_ends_once(world: World, shop: Shop) -> None:
    await shop.try_on()
    steps = shop.fuse.steps
    assert steps > 20
    assert len([step async for step in shop.killed_at_every_step()]) == steps
    assert await world.charges() == ["completed"] * (steps + 1)
    used = await world.value("SELECT count(*) FROM public.wardrobe_usage_events")
    assert used == 2 * (steps + 1)
