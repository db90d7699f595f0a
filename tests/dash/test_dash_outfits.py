"""What is worn with the garment of a post: chosen beside it, shown beside it, by people and programs."""

import json
import re
from dataclasses import replace
from html import unescape
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, expect
from tests.dash.conftest import SYSTEM, Brand, new_garment, signed_in
from tests.infra.browsers import BOTH, complaints_of, open_context

from selify.commerce import add_garment


async def hang(brand: Brand, name: str, covers: str = "lower_body", sure: float = 1.0) -> str:
    new = new_garment(name, sure=sure)
    new = replace(new, leffa=new.leffa.model_copy(update={"leffa_category": covers}))
    async with brand.site.database.tx(SYSTEM) as tx:
        return str((await add_garment(tx, brand.id, new, created_by=brand.owner.id)).id)


def offered(html: str) -> list[str]:
    """Who may be chosen to be worn with it."""
    radios = re.findall(
        r'<input class="input" type="radio" name="worn_with" value="([^"]+)"([^>]*)>', html
    )
    return [value for value, more in radios if "disabled" not in more]


def chosen(html: str) -> list[str]:
    return re.findall(r'name="worn_with" value="([^"]*)" checked', html)


async def chooser(brand: Brand, query: str = "") -> str:
    return unescape(await brand.owner.look(f"/posts/{brand.post_id}/garment?{query}"))


async def bind(brand: Brand, main: str, second: str, *, script: bool = True):
    path = brand.at(f"/posts/{brand.post_id}/garment")
    return await brand.owner.post(path, script=script, garment=main, worn_with=second)


# --- The chooser ----------------------------------------------------------------------------------


async def test_only_what_goes_with_the_chosen_garment_is_offered(
    brand: Brand, rival: Brand
) -> None:
    trousers, unsure = await hang(brand, "Trousers"), await hang(brand, "Mystery", sure=0.3)
    dress = await hang(brand, "Dress", "dresses")
    await hang(rival, "Their jeans")
    assert "Choose the garment first." in await chooser(brand)
    beside_tee = await chooser(brand, f"garment={brand.garment_id}")
    assert offered(beside_tee) == [trousers]
    assert f'name="worn_with" value="{unsure}" disabled' in beside_tee
    assert chosen(beside_tee) == [""], "nothing else, unless somebody says so"
    assert offered(await chooser(brand, f"garment={trousers}")) == [str(brand.garment_id)]
    assert "“Dress” is worn by itself." in await chooser(brand, f"garment={dress}")
    assert offered(await chooser(brand, f"garment={dress}")) == []


async def test_a_wardrobe_of_tops_says_what_is_lacking(brand: Brand) -> None:
    assert "no bottom in your wardrobe" in await chooser(brand, f"garment={brand.garment_id}")


async def test_what_goes_with_it_is_searched_for_with_the_same_words(brand: Brand) -> None:
    await hang(brand, "Linen tee", "upper_body")
    linen, ink = await hang(brand, "Linen trousers"), await hang(brand, "Ink trousers")
    tee = f"garment={brand.garment_id}"
    assert offered(await chooser(brand, tee)) == [ink, linen]
    assert offered(await chooser(brand, f"{tee}&search=linen")) == [linen]
    kept = await chooser(brand, f"{tee}&search=linen&worn_with={ink}")
    assert (offered(kept), chosen(kept)) == ([ink, linen], [ink])
    assert "goes with it is called “wool”" in await chooser(brand, f"{tee}&search=wool")


async def test_of_many_the_newest_are_offered_and_the_rest_is_found(brand: Brand) -> None:
    for number in range(22):
        await hang(brand, f"Trousers {number}")
    tee = f"garment={brand.garment_id}"
    newest = await chooser(brand, tee)
    assert len(offered(newest)) == 20
    assert "Type a name above to find any other." in newest
    assert len(offered(await chooser(brand, f"{tee}&search=trousers+21"))) == 1


async def test_what_was_chosen_before_is_chosen_again(brand: Brand) -> None:
    trousers, skirt = await hang(brand, "Trousers"), await hang(brand, "Skirt")
    await bind(brand, str(brand.garment_id), skirt)
    assert chosen(await chooser(brand)) == [skirt]
    assert chosen(await chooser(brand, "worn_with=")) == [""]
    assert chosen(await chooser(brand, f"worn_with={trousers}")) == [trousers]
    # Another garment is chosen, with which it does not go.
    assert chosen(await chooser(brand, f"garment={trousers}&worn_with={skirt}")) == [""]


# --- What was chosen ------------------------------------------------------------------------------


async def test_the_post_shows_both(brand: Brand) -> None:
    trousers = await hang(brand, "Ink trousers")
    saved = await bind(brand, str(brand.garment_id), trousers)
    assert saved.status_code == 200
    for html in (saved.text, await brand.owner.look("/posts")):
        tile = unescape(html)
        assert "<strong>Tee of Nordlicht + Ink trousers</strong>" in tile
        assert len(re.findall(r'<div class="bound">.*?</div>', tile, re.DOTALL)) == 1
        assert tile.count('width="48" height="56"') == 2
    await bind(brand, str(brand.garment_id), "")
    assert "Ink trousers" not in await brand.owner.look("/posts")


async def test_a_refused_pair_is_refused_where_it_was_chosen(brand: Brand, rival: Brand) -> None:
    top, theirs = await hang(brand, "Linen tee", "upper_body"), await hang(rival, "Their jeans")
    unsure = await hang(brand, "Mystery", sure=0.3)
    for second, says in (
        (top, "“Linen tee” is a top too"),
        (theirs, "not in your wardrobe"),
        (unsure, "Confirm its category"),
    ):
        answer = await bind(brand, str(brand.garment_id), second)
        assert answer.status_code == 422
        told = json.loads(answer.headers["hx-trigger"])["refused"]["fields"][0]
        assert (told["name"], says in told["words"] or says in unescape(answer.text)) == (
            "worn_with",
            True,
        )
        plain = await bind(brand, str(brand.garment_id), second, script=False)
        assert (plain.status_code, says in unescape(plain.text)) == (422, True)
    assert "Try-on is on" not in await brand.owner.look("/posts")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            """UPDATE public.wardrobe_garments SET metadata = '{"archived_at": "x"}' WHERE id = $1""",
            "“Ink trousers” was put away.",
        ),
        (
            """
            UPDATE public.wardrobe_garments SET leffa_metadata =
                   leffa_metadata || '{"leffa_category": "upper_body"}' WHERE id = $1
            """,
            "“Ink trousers” is a top too",
        ),
        ("DELETE FROM public.wardrobe_garments WHERE id = $1", "no longer in your wardrobe"),
    ],
    ids=["archived", "another kind", "deleted"],
)
async def test_a_post_says_what_is_not_worn_with_it_any_more(
    brand: Brand, change: str, says: str
) -> None:
    trousers = await hang(brand, "Ink trousers")
    await bind(brand, str(brand.garment_id), trousers)
    await brand.site.run(change, UUID(trousers))
    tile = unescape(await brand.owner.look("/posts"))
    assert says in tile
    assert "Shoppers see the other piece alone." in tile
    assert "<strong>Tee of Nordlicht</strong>" in tile
    assert chosen(await chooser(brand)) in ([""], [])
    saved = await bind(brand, str(brand.garment_id), "")
    assert says not in unescape(saved.text)


async def test_the_conversation_names_both(brand: Brand) -> None:
    trousers = await hang(brand, "Ink trousers")
    await bind(brand, str(brand.garment_id), trousers)
    await brand.site.run(
        "UPDATE public.social_conversations SET conversation_state = conversation_state"
        " || jsonb_build_object('binding_id', (SELECT id"
        "      FROM public.social_posts_garment_bindings WHERE post_id = $2)) WHERE id = $1",
        brand.conversation_id,
        brand.post_id,
    )
    thread = await brand.owner.look(f"/conversations/{brand.conversation_id}")
    assert "Tee of Nordlicht + Ink trousers" in thread


# --- Programs -------------------------------------------------------------------------------------


async def test_programs_choose_it_too(brand: Brand, rival: Brand) -> None:
    api = f"/api/v1/workspaces/{brand.id}/posts"
    trousers, theirs = await hang(brand, "Trousers"), await hang(rival, "Their jeans")

    async def put(second: str | None):
        said = {"garment_id": str(brand.garment_id), "worn_with_id": second}
        return await brand.owner.browser.put(f"{api}/{brand.post_id}/garment", json=said)

    async def given() -> str | None:
        (post,) = (await brand.owner.browser.get(api)).json()
        return post["worn_with_id"]

    assert await given() is None
    assert (await put(trousers)).status_code == 200
    assert await given() == trousers
    for second in (str(brand.garment_id), theirs, str(uuid4())):
        told = await put(second)
        assert (told.status_code, told.json()["code"]) == (422, "not_worn_together")
        assert told.json()["fields"][0]["field"] == "worn_with"
    assert await given() == trousers
    assert (await put(None)).status_code == 200
    assert await given() is None


# --- In the browser -------------------------------------------------------------------------------


@pytest.mark.browser
@BOTH
async def test_an_outfit_is_chosen_by_keyboard(chromium: Browser, brand: Brand, size: str) -> None:
    await hang(brand, "Ink trousers")
    dress = await hang(brand, "Dress", "dresses")
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    complaints = complaints_of(page)
    await page.goto(f"{brand.site.url}/posts")
    await page.evaluate("htmx.config.defaultSettleDelay = 700")  # a slow phone: no key is lost
    await page.locator(f"#choose-{brand.post_id}").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    with_it = dialog.get_by_role("group", name="Worn with it")
    await expect(with_it).to_contain_text("Choose the garment first.")
    await dialog.locator(f'[name=garment][value="{dress}"]').focus()
    await page.keyboard.press("Space")
    await expect(with_it).to_contain_text("is worn by itself")
    await page.keyboard.press("ArrowDown")  # the trousers
    await expect(with_it.get_by_label("Tee of Nordlicht")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await expect(dialog.locator(f'[name=garment][value="{brand.garment_id}"]')).to_be_checked()
    await expect(with_it.get_by_label("Ink trousers")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(with_it.get_by_label("Nothing else")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(with_it.get_by_label("Ink trousers")).to_be_checked()
    await dialog.get_by_role("searchbox").fill("dress")
    await expect(dialog.get_by_role("status")).to_have_text("1 found.")
    await expect(with_it.get_by_label("Ink trousers")).to_be_checked()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_label("Keywords of this post").focus()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    tile = page.locator(f"#post-{brand.post_id}")
    await expect(tile).to_contain_text("Tee of Nordlicht + Ink trousers")
    assert [said for said in complaints if "404" not in said] == []  # pictures that are not there
    await context.close()


@pytest.mark.browser
async def test_without_scripts_it_is_chosen_after_saving(chromium: Browser, brand: Brand) -> None:
    await hang(brand, "Ink trousers")
    context = await open_context(chromium, "narrow", java_script_enabled=False)
    page = await signed_in(context, brand)
    choose = f"{brand.site.url}/posts/{brand.post_id}/garment"
    for expected in ("Tee of Nordlicht", "Tee of Nordlicht + Ink trousers"):
        await page.goto(choose)
        await page.locator(f'[name=garment][value="{brand.garment_id}"]').check()
        if "+" in expected:
            await page.get_by_label("Ink trousers").last.check()
        else:
            assert "save it first" in await page.content()
        await page.get_by_role("button", name=re.compile("Save|try it on")).click()
        await expect(page.locator(f"#post-{brand.post_id} strong")).to_have_text(expected)
    await context.close()
