"""Several pictures at once in Chromium: what was not added, and what was typed, is still there."""

import pytest
from playwright.async_api import Browser, Page, Route, expect
from tests.dash.conftest import PICTURE, signed_in
from tests.infra.browsers import BOTH, open_context

from selify.tryon.engine.codec import encode
from selify_sandbox.drawn_people import LOOKS, draw_person

pytestmark = pytest.mark.browser
NO_PICTURE = b"not a picture"


def files(**pictures: bytes) -> list[dict[str, object]]:
    return [
        {"name": f"{name}.png", "mimeType": "image/png", "buffer": data}
        for name, data in pictures.items()
    ]


async def choose(page: Page, brand, **pictures: bytes) -> None:
    """The form of the wardrobe with a price, a stock and these pictures."""
    await page.goto(f"{brand.site.url}/wardrobe")
    await page.get_by_text("Add a garment", exact=True).click()
    await page.get_by_label("Price").first.fill("39,90")
    await page.get_by_label("In stock").first.fill("12")
    await page.locator("input[name=picture]").set_input_files(files(**pictures))


async def send(page: Page) -> None:
    await page.get_by_role("button", name="Add to the wardrobe").click()


async def chosen(page: Page) -> list[str]:
    return await page.locator("input[name=picture]").evaluate(
        "field => [...field.files].map((file) => file.name)"
    )


async def expect_kept(page: Page, *names: str) -> None:
    """Everything that was typed, these files, and a button that can be pressed."""
    await expect(page.get_by_role("button", name="Add to the wardrobe")).to_be_enabled()
    assert await chosen(page) == [f"{name}.png" for name in names]
    await expect(page.get_by_label("In stock").first).to_have_value("12")
    await expect(page.locator("form.upload progress")).to_have_count(1)
    await expect(page.locator("form.upload progress")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@BOTH
async def test_a_refused_field_stops_them_all_and_keeps_everything(
    chromium: Browser, brand, size: str
) -> None:
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    await choose(page, brand, first=PICTURE, second=PICTURE)
    price = page.get_by_label("Price").first
    await price.fill("39,90 EUR")
    await send(page)
    await expect(price).to_have_attribute("aria-invalid", "true")
    await expect(price).to_be_focused()
    await expect(price).to_have_accessible_description("A price looks like 39 or 39.90.")
    await expect(price).to_have_value("39,90 EUR")
    await expect_kept(page, "first", "second")
    await expect(page.locator(".uploads")).not_to_contain_text("In the wardrobe")
    await context.close()


async def test_a_file_that_is_refused_stays_chosen(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "narrow")
    page = await signed_in(context, brand)
    await choose(page, brand, first=NO_PICTURE, second=NO_PICTURE)
    await send(page)
    for line in await page.locator(".uploads li").all():
        await expect(line).to_have_class("bad")
        await expect(line).to_contain_text("not a picture that we can read")
    await expect(page.locator("form.upload").get_by_role("alert")).to_contain_text("still chosen")
    await expect_kept(page, "first", "second")
    await send(page)  # once more: what was said before is gone
    await expect(page.locator(".uploads li.bad")).to_have_count(2)
    await context.close()


async def test_offline_says_so_and_sends_nothing(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "narrow")
    page = await signed_in(context, brand)
    await choose(page, brand, first=PICTURE, second=PICTURE)
    await context.set_offline(True)
    await send(page)
    await expect(page.locator("#toasts")).to_contain_text("You are offline. Nothing was sent")
    await expect(page.locator(".uploads li")).to_have_count(0)
    await expect_kept(page, "first", "second")
    await context.close()


@pytest.mark.parametrize("trouble", ["hangs", "is away", "answers with a proxy's page"])
async def test_a_server_that(chromium: Browser, brand, trouble: str) -> None:
    """Does not answer: none of the others is tried, and all of them stay chosen."""
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand)
    await choose(page, brand, first=PICTURE, second=PICTURE)
    await page.evaluate(HASTE)
    asked = []

    async def answer(route: Route) -> None:
        asked.append(route)
        if trouble == "is away":
            await route.abort("connectionrefused")
        elif trouble != "hangs":
            await route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")

    await page.route("**/wardrobe*", answer)
    await send(page)
    lines = page.locator(".uploads li")
    await expect(lines.nth(0)).to_contain_text("Selify does not answer")
    await expect(lines.nth(1)).to_contain_text("Not sent")
    await expect_kept(page, "first", "second")
    assert len(asked) == 1
    await page.unroute_all(behavior="ignoreErrors")
    await context.close()


# Whatever time limit a request is given is over soon; one that is given none still waits for ever.
HASTE = """() => {
  const { set } = Object.getOwnPropertyDescriptor(XMLHttpRequest.prototype, "timeout");
  Object.defineProperty(XMLHttpRequest.prototype, "timeout", {
    set(within) { set.call(this, within && 300); },
  });
}"""


@pytest.mark.parametrize("number", [1, 2])
async def test_whoever_was_signed_out_keeps_what_they_typed(
    chromium: Browser, brand, number: int
) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand)
    names = ["first", "second"][:number]
    await choose(page, brand, **dict.fromkeys(names, PICTURE))
    await expect(page.locator("#liveness")).to_have_text("Live")
    await brand.site.run("DELETE FROM auth.sessions WHERE user_id = $1", brand.owner.id)
    await send(page)
    said = page.locator("form.upload").get_by_role("alert")
    await expect(said).to_contain_text("You were signed out")
    await expect_kept(page, *names)
    await expect(page.locator(".uploads")).not_to_contain_text("In the wardrobe")
    async with page.expect_response("**/fragments/garments*"):
        await page.evaluate("htmx.trigger('#garments', 'look-again')")
    await expect_kept(page, *names)  # nor does a part that looks by itself lead away from it
    await context.close()


@pytest.mark.slow
@BOTH
async def test_a_photo_of_a_person_is_said_in_its_line(chromium: Browser, brand, size: str) -> None:
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    person = encode(draw_person(LOOKS["alex"]))
    await choose(page, brand, broken=NO_PICTURE, person=person, shirt=PICTURE)
    await send(page)
    lines = page.locator(".uploads li")
    await expect(lines.nth(2)).to_contain_text("In the wardrobe", timeout=60_000)
    await expect(lines.nth(1)).to_contain_text("Somebody wears the garment in this picture")
    await expect(lines.nth(1)).to_have_class("bad")
    await expect(lines.nth(0)).to_have_class("bad")
    await expect_kept(page, "broken", "person")
    await context.close()


@pytest.mark.slow
async def test_all_that_went_well_empties_the_form(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "narrow")
    page = await signed_in(context, brand)
    await choose(page, brand, first=PICTURE, second=PICTURE)
    await send(page)
    await expect(page.locator(".uploads li.good")).to_have_count(2, timeout=60_000)
    await expect(page.get_by_label("In stock").first).to_have_value("")
    assert await chosen(page) == []
    await context.close()


@pytest.mark.slow
async def test_a_single_photo_of_somebody_is_refused_with_what_to_do(brand) -> None:
    """Without the large networks nothing cuts a garment off its wearer."""
    picture = {"picture": ("me.png", encode(draw_person(LOOKS["alex"])), "image/png")}
    for headers in ({"HX-Request": "true"}, {}):
        answer = await brand.owner.browser.post(
            brand.at("/wardrobe"), files=picture, headers=headers, follow_redirects=True
        )
        assert "Somebody wears the garment in this picture" in answer.text
        assert "Take a picture of the piece alone" in answer.text
