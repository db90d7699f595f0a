"""Choosing the garment of a post: asked for when it is wanted, and found however many there are."""

import re
import unicodedata

import pytest
from playwright.async_api import Browser, expect
from tests.dash.conftest import PICTURE, SYSTEM, Brand, new_garment, signed_in
from tests.dash.test_dash_lists import many_garments, many_posts
from tests.infra.browsers import BOTH, complaints_of, open_context

from selify.commerce import add_garment, search_garments


async def found(brand: Brand, text: str, limit: int = 20) -> list[str]:
    async with brand.site.database.tx(SYSTEM) as tx:
        result = await search_garments(tx, brand.id, text, limit=limit)
    return [one.name for one in result.garments]


async def add(brand: Brand, *names: str) -> None:
    async with brand.site.database.tx(SYSTEM) as tx:
        for name in names:
            await add_garment(tx, brand.id, new_garment(name), created_by=brand.owner.id)


async def test_posts_carry_no_chooser(brand: Brand) -> None:
    await many_garments(brand, 250)
    await many_posts(brand, 60)
    html = await brand.owner.look("/posts")
    assert "garment-77-" not in html
    assert len(html) < 150_000


async def test_the_chooser_offers_some_and_finds_the_rest(brand: Brand) -> None:
    await many_garments(brand, 250)
    path = f"/posts/{brand.post_id}/garment"
    newest = await brand.owner.look(path)
    assert len(re.findall('type="radio"', newest)) == 20
    assert "garment-3-" not in newest
    assert "garment-3-" in await brand.owner.look(f"{path}?search=garment+3")
    assert "called “nothing”" in await brand.owner.look(f"{path}?search=nothing")


async def test_what_is_chosen_stays_in_sight(brand: Brand) -> None:
    path = f"/posts/{brand.post_id}/garment"
    await add(brand, "Red coat")
    searched = await brand.owner.look(f"{path}?search=red&garment={brand.garment_id}")
    assert re.findall(r'value="(\S+)" required checked', searched) == [str(brand.garment_id)]
    assert "Red coat" in searched


async def test_garments_are_found_by_the_beginnings_of_words(brand: Brand, rival: Brand) -> None:
    await add(brand, "Forest dress", "Forest tee", "Night dress", "Grünes Kleid", "Dresden coat")
    await add(rival, "Forest dress of another brand")
    assert await found(brand, "forest") == ["Forest tee", "Forest dress"]
    assert await found(brand, "DRESS, for") == ["Forest dress"]
    assert await found(brand, "dres") == ["Dresden coat", "Night dress", "Forest dress"]
    assert await found(brand, "grün") == ["Grünes Kleid"]
    assert await found(brand, "orest") == []
    assert await found(brand, "forest coat") == []
    assert await found(brand, "%' OR _") == []
    assert await found(brand, "  ,  ") == []


async def many(brand: Brand, name: str, count: int = 2100) -> None:
    """With ids that are older than those of garments added one by one."""
    await brand.site.run(
        """
        INSERT INTO public.wardrobe_garments
               (id, workspace_id, storage_path, filename, name, created_at)
        SELECT ('0190' || lpad(to_hex(n), 4, '0') || substr(gen_random_uuid()::text, 9))::uuid,
               $1, $2::text || n, 'g.png', $2 || ' ' || n, now() FROM generate_series(1, $3) AS n
        """,
        brand.id,
        name,
        count,
    )


async def test_the_newest_of_many_of_that_name_is_found(brand: Brand) -> None:
    await many(brand, "Black shirt", 1100)
    await add(brand, "Black shirt brandnew", "Black velvet dress")
    assert (await found(brand, "black"))[:2] == ["Black velvet dress", "Black shirt brandnew"]
    await many(brand, "Red dress", 1100)
    assert await found(brand, "black dress") == ["Black velvet dress"]


async def test_the_newest_of_very_many_of_that_name_is_found(brand: Brand) -> None:
    await many(brand, "Black shirt")
    await many(brand, "Red dress")
    await add(brand, "Black velvet dress")
    assert (await found(brand, "black"))[0] == "Black velvet dress"
    assert await found(brand, "black dress") == ["Black velvet dress"]
    assert await found(brand, "black shirt 2100") == ["Black shirt 2100"]


async def test_what_was_not_looked_at_is_not_denied(brand: Brand) -> None:
    await many(brand, "Black velvet dress", 1)
    await many(brand, "Black shirt")
    await many(brand, "Red dress")
    path = f"/posts/{brand.post_id}/garment?search="
    shown = await brand.owner.look(path + "black+dress")
    assert "None found among your newest garments" in shown
    assert "type more of the name" in shown
    assert "Black velvet dress" in await brand.owner.look(path + "black+dress+velvet")
    assert "20 or more found" in await brand.owner.look(path + "black")
    assert "called “blue dress”" in await brand.owner.look(path + "blue+dress")


async def test_what_is_chosen_is_not_counted_as_found(brand: Brand) -> None:
    path = f"/posts/{brand.post_id}/garment?garment={brand.garment_id}"
    assert "called “nothing”" in await brand.owner.look(f"{path}&search=nothing")


@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_letters_are_found_however_they_are_put_together(brand: Brand, form) -> None:
    await add(brand, *(unicodedata.normalize(form, name) for name in ("Grünes Kleid", "Crème tee")))
    for put in ("NFC", "NFD"):
        assert len(await found(brand, unicodedata.normalize(put, "grün"))) == 1
        assert len(await found(brand, unicodedata.normalize(put, "crème"))) == 1
    assert await found(brand, "gru") == []


@pytest.mark.slow
async def test_a_garment_is_not_called_by_letters_taken_apart(brand: Brand) -> None:
    name = unicodedata.normalize("NFD", "Grünes Kleid")
    answer = await brand.owner.upload(brand.at("/wardrobe"), (f"{name}.png", PICTURE))
    assert answer.status_code == 303
    rows = await brand.site.run("SELECT name FROM public.wardrobe_garments ORDER BY id DESC")
    assert "Grünes Kleid" in [row["name"] for row in rows]


async def test_who_was_put_away_is_not_found(brand: Brand) -> None:
    await add(brand, "Forest dress")
    await brand.site.run(
        'UPDATE public.wardrobe_garments SET metadata = \'{"archived_at": "x"}\''
        " WHERE workspace_id = $1",
        brand.id,
    )
    assert await found(brand, "forest") == []


@pytest.mark.browser
@BOTH
async def test_choosing_by_keyboard(chromium: Browser, brand: Brand, size: str) -> None:
    await many_garments(brand, 30)
    await add(brand, "Forest dress")
    await many_garments_are_certain(brand)
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    complaints = complaints_of(page)
    await page.goto(f"{brand.site.url}/posts")
    await page.locator(f"#choose-{brand.post_id}").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("searchbox")).to_be_focused()
    await page.keyboard.type("garment 7")
    await expect(dialog.get_by_role("radio")).to_have_count(1)
    await expect(dialog.get_by_role("status")).to_have_text("1 found.")
    await expect(dialog.get_by_role("searchbox")).to_be_focused()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.get_by_label("Keywords of this post").fill("glow")
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(page.locator(f"#post-{brand.post_id}")).to_contain_text("garment-7-")
    await expect(page.locator(f"#choose-{brand.post_id}")).to_be_focused()
    assert [said for said in complaints if "404" not in said] == []  # pictures that are not there
    await context.close()


async def many_garments_are_certain(brand: Brand) -> None:
    await brand.site.run(
        "UPDATE public.wardrobe_garments"
        ' SET leffa_metadata = \'{"leffa_category": "dresses", "category_confidence": 1}\''
        " WHERE workspace_id = $1",
        brand.id,
    )
