"""How good try-ons of a garment will be: said in the wardrobe, to programs, and where posts choose it."""

import re

import pytest
from playwright.async_api import Browser
from tests.dash.conftest import Brand, signed_in
from tests.infra.browsers import BOTH, open_context

from selify.tryon.engine.leffa import _LIMITS

REASON = "The picture ends before the garment does: show all of it."


async def read_as(brand: Brand, state: str | None, *reasons: str) -> None:
    said = None if state is None else {"state": state, "reasons": list(reasons)}
    await brand.site.run(
        "UPDATE public.wardrobe_garments SET leffa_metadata = leffa_metadata"
        " || jsonb_build_object('readiness', $2::jsonb) WHERE id = $1",
        brand.garment_id,
        said,
    )


@pytest.mark.parametrize(
    ("state", "badge"), [("limited", "Limited try-ons"), ("unfit", "Not fit for try-ons")]
)
async def test_what_limits_a_garment_stands_beside_it(brand: Brand, state: str, badge: str) -> None:
    await read_as(brand, state, REASON)
    for path in ("/wardrobe", f"/posts/{brand.post_id}/garment"):
        assert badge in await brand.owner.look(path), path
    assert REASON in await brand.owner.look("/wardrobe")


@pytest.mark.parametrize("state", ["ready", None])
async def test_nothing_is_said_of_what_is_ready_or_was_never_read(
    brand: Brand, state: str | None
) -> None:
    await read_as(brand, state)
    for path in ("/wardrobe", f"/posts/{brand.post_id}/garment"):
        assert "try-ons</span>" not in await brand.owner.look(path)


async def test_programs_read_it_too(brand: Brand) -> None:
    garments = f"/api/v1/workspaces/{brand.id}/garments"
    await read_as(brand, "limited", REASON)
    (shown,) = (await brand.owner.browser.get(garments)).json()
    assert shown["readiness"] == {"state": "limited", "reasons": [REASON]}
    await read_as(brand, None)
    (shown,) = (await brand.owner.browser.get(garments)).json()
    assert shown["readiness"] is None


async def test_what_was_read_of_another_kind_says_nothing(brand: Brand) -> None:
    await read_as(brand, "limited", REASON)
    category = brand.at(f"/wardrobe/{brand.garment_id}/category")
    changed = await brand.owner.post(category, script=True, category="lower_body")
    assert changed.is_success
    assert REASON not in changed.text


@pytest.mark.browser
@BOTH
async def test_reasons_fit_their_place(chromium: Browser, brand: Brand, size: str) -> None:
    await read_as(brand, "unfit", *_LIMITS.values())
    page = await signed_in(await open_context(chromium, size), brand)
    for path in ("/wardrobe", f"/posts/{brand.post_id}/garment"):
        await page.goto(f"{brand.site.url}{path}")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert re.search("Not fit", await page.content())
