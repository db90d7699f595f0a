"""Every room is looked at by axe-core: wide and narrow, by day and by night. It finds nothing."""

import pytest
from playwright.async_api import Browser, Page
from tests.dash.conftest import signed_in
from tests.infra.browsers import BOTH, open_context
from tools import axe

pytestmark = pytest.mark.browser
ROOMS = (
    "/",
    "/conversations",
    "/posts",
    "/wardrobe",
    "/accounts",
    "/engines",
    "/billing",
    "/settings",
    "/notifications",
    "/search?q=tee",
    "/dash/components",
)
AXE = axe.folder() / "axe.min.js"
# What keeps somebody out, in the page as it is now.
FINDINGS = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`)"""


async def findings(page: Page) -> list[str]:
    """By day and by night."""
    await page.add_script_tag(path=AXE)
    found = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        found += [f"{page.url}, {scheme}: {one}" for one in await page.evaluate(FINDINGS)]
    return found


@BOTH
async def test_nobody_is_kept_out(chromium: Browser, brand, size: str) -> None:
    context = await open_context(chromium, size, bypass_csp=True, reduced_motion="reduce")
    page = await context.new_page()
    for path in ("/sign-in", "/sign-up"):
        await page.goto(brand.site.url + path)
        assert await findings(page) == []
    await page.close()
    page = await signed_in(context, brand)
    await brand.charge()
    for path in ROOMS:
        await page.goto(brand.site.url + path)
        assert await findings(page) == []
    await page.goto(f"{brand.site.url}/")
    await page.keyboard.press("Control+k")
    await page.get_by_role("combobox").fill("tee")
    await page.get_by_role("menuitem", name="Tee of Nordlicht").wait_for()
    assert await findings(page) == []
    await page.keyboard.press("Escape")
    if size == "narrow":
        await page.get_by_role("button", name="Pages").click()
        await page.get_by_role("link", name="Wardrobe").wait_for()
        assert await findings(page) == []
    await context.close()


async def test_a_room_by_the_keyboard_alone(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand)
    await page.keyboard.press("Control+k")
    await page.get_by_role("menuitem", name="Wardrobe").wait_for()
    await page.keyboard.type("sett")
    await page.get_by_role("menuitem", name="Wardrobe").wait_for(state="detached")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/settings*")
    await context.close()
