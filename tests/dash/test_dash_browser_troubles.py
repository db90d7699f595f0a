"""The pages in Chromium when something is wrong: trouble, refusals, toasts, nobody answering."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, Route, expect
from tests.dash.conftest import signed_in
from tests.dash.test_dash_health import REASON, fail, hold, switch_off
from tests.infra.browsers import BOTH, complaints_of, open_context

pytestmark = pytest.mark.browser
OFFLINE = "You are offline. Nothing was sent"


@BOTH
async def test_trouble_reaches_an_open_page_by_itself(chromium: Browser, brand, size: str) -> None:
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    complaints = complaints_of(page)
    await expect(page.locator("#liveness")).to_have_text("Live")
    await page.evaluate("window.stillTheSamePage = true")
    await page.evaluate(ONLY_WHAT_IS_TOLD)
    await fail(brand, 3)
    for part in ("#banner", "#health"):
        await expect(page.locator(part)).to_contain_text(f"all failed. {REASON}")
    await expect(page.locator("#bell")).to_contain_text("1 unread")
    await hold(brand, may_end_early=True)
    await expect(page.locator("#health")).to_contain_text("1 answer waits")
    await page.locator("#health").get_by_role("button", name="Send now").click()
    await expect(page.locator("#toasts")).to_contain_text("What waits is tried now")
    await switch_off(brand, "workspace")
    await page.get_by_role("button", name="Switch it on").click()
    await expect(page.locator("#banner")).not_to_contain_text("switched off")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate("window.stillTheSamePage")
    assert complaints == []
    await context.close()


# The page looks at everything a moment after it was told something, and now and then. Without that,
# what it shows can only come from the change itself having been told.
ONLY_WHAT_IS_TOLD = """() => document.addEventListener("htmx:beforeRequest", (event) => {
  const { triggeringEvent } = event.detail.requestConfig;
  if (triggeringEvent?.type === "sse:everything") event.preventDefault();
})"""


@BOTH
async def test_a_refusal_stands_at_its_field_and_the_form_is_kept(
    chromium: Browser, brand, size: str
) -> None:
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    await page.goto(f"{brand.site.url}/wardrobe")
    await page.locator("#garments .edit > summary").click()
    form = page.locator("#garments .edit form").first
    await form.get_by_label("Price").fill("cheap")
    await form.get_by_label("In stock").fill("12")
    await form.get_by_role("button", name="Save").click()
    price = form.get_by_label("Price")
    await expect(price).to_have_attribute("aria-invalid", "true")
    await expect(price).to_be_focused()
    await expect(price).to_have_accessible_description("A price looks like 39 or 39.90.")
    await expect(price).to_have_accessible_name("Price")
    await expect(form.get_by_text("A price looks like")).to_be_visible()
    await expect_below(form.get_by_text("A price looks like"), price)
    await expect(price).to_have_value("cheap")
    await expect(form.get_by_label("In stock")).to_have_value("12")
    await expect(page.locator("#toasts .toast")).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await price.fill("39")
    await form.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("€39.00")).to_be_visible()
    await context.close()


@BOTH
async def test_a_page_s_refusal_stands_below_its_field(chromium: Browser, brand, size: str) -> None:
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    await page.goto(f"{brand.site.url}/brands/new")
    await page.get_by_label("Brand name").fill("   ")
    await page.get_by_role("button", name="Create brand").click()
    said = page.get_by_text("A brand needs a name.")
    await expect_below(said, page.get_by_label("Brand name"))
    await context.close()


async def expect_below(said: Locator, field: Locator) -> None:
    """Not over it: the words begin where the field's box ends."""
    await expect(said).to_be_visible()
    words, box = await said.bounding_box(), await field.bounding_box()
    assert words
    assert box
    assert words["y"] >= box["y"] + box["height"]


async def test_several_refusals_of_one_field_leave_nothing_behind(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand)
    await page.goto(f"{brand.site.url}/accounts/{brand.account_id}/texts")
    await page.locator("details.bot-text > summary").first.click()
    form = page.locator("details.bot-text form").first
    text = form.get_by_label("Text")
    before = await text.get_attribute("aria-describedby")
    await text.fill("Hello {nobody}, and {nothing}")
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator(".field-refusal")).not_to_have_count(1)
    await expect(text).to_have_attribute("aria-invalid", "true")
    described = (await text.get_attribute("aria-describedby") or "").split()
    assert described == [said async for said in ids(form.locator(".field-refusal"))]
    await page.evaluate("document.querySelectorAll('form').forEach(forgive)")
    assert await text.get_attribute("aria-describedby") == before
    await context.close()


async def ids(parts: Locator) -> AsyncIterator[str]:
    for part in await parts.all():
        yield str(await part.get_attribute("id"))


async def test_what_no_field_is_to_blame_for_stands_in_the_form(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "narrow")
    page = await signed_in(context, brand)
    await page.goto(f"{brand.site.url}/wardrobe")
    await page.get_by_text("Add a garment").click()
    form = page.locator("form.upload")
    await form.locator("input[type=file]").set_input_files(
        {"name": "tee.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    )
    await form.get_by_label("Name").fill("Forest tee")
    await form.get_by_role("button", name="Add to the wardrobe").click()
    await expect(form.get_by_role("alert")).to_be_visible()
    await expect(form.get_by_label("Name")).to_have_value("Forest tee")
    await expect(form.get_by_role("button", name="Add to the wardrobe")).to_be_enabled()
    await context.close()


@BOTH
async def test_a_click_while_offline_says_so_and_works_afterwards(
    chromium: Browser, brand, size: str
) -> None:
    context = await open_context(chromium, size)
    page = await signed_in(context, brand, f"/conversations/{brand.conversation_id}")
    await expect(page.locator("#liveness")).to_have_text("Live")
    await context.set_offline(True)
    take_over = page.get_by_role("button", name="Take over")
    await take_over.click()
    await expect(page.locator("#toasts")).to_contain_text(OFFLINE)
    await expect(take_over).to_be_enabled()
    if size == "narrow":
        await page.get_by_role("button", name="Pages").click()
    await page.get_by_role("link", name="Wardrobe").click()
    await expect(page.locator("#toasts .toast")).to_have_count(1)  # said once more, not twice
    await page.keyboard.press("Escape")
    await context.set_offline(False)
    await take_over.click()
    await expect(page.get_by_role("button", name="Hand back to the bot")).to_be_visible()
    await context.close()


async def test_a_server_that_is_away_is_said_and_its_proxy_s_page_not_shown(
    chromium: Browser, brand
) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand, f"/conversations/{brand.conversation_id}")
    await expect(page.locator("#liveness")).to_have_text("Live")

    async def away(route: Route) -> None:
        await route.abort("connectionrefused")

    async def proxy(route: Route) -> None:
        await route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")

    take_over = page.get_by_role("button", name="Take over")
    for answer in (away, proxy):
        await page.route("**/take-over*", answer)
        await take_over.click()
        await expect(page.locator("#toasts")).to_contain_text("Selify does not answer")
        await page.get_by_role("button", name="Dismiss").click()
        await expect(page.get_by_text("Bad Gateway")).to_have_count(0)
        await expect(take_over).to_be_enabled()
        await page.unroute("**/take-over*", answer)
    await take_over.click()
    await expect(page.get_by_role("button", name="Hand back to the bot")).to_be_visible()
    await context.close()


async def test_a_server_that_hangs_is_given_up(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand, f"/conversations/{brand.conversation_id}")
    await expect(page.locator("#liveness")).to_have_text("Live")
    assert await page.evaluate("htmx.config.timeout") == 30_000
    await page.evaluate("htmx.config.timeout = 200")

    async def hang(_: Route) -> None:
        """No answer, ever."""

    await page.route("**/take-over*", hang)
    await page.get_by_role("button", name="Take over").click()
    await expect(page.locator("#toasts")).to_contain_text("Selify does not answer")
    await expect(page.get_by_role("button", name="Take over")).to_be_enabled()
    await page.unroute_all(behavior="ignoreErrors")
    await context.close()


async def test_toasts_leave_by_themselves_and_wait_for_who_reads_them(
    chromium: Browser, brand
) -> None:
    context = await open_context(chromium, "wide", reduced_motion="reduce")
    page = await signed_in(context, brand)
    await page.clock.install()
    await page.goto(f"{brand.site.url}/?done=settings_saved&refused=consent_denied")
    both = page.locator("#toasts .toast")
    await expect(both).to_have_count(2)
    assert await both.last.evaluate("toast => getComputedStyle(toast).animationName") == "none"
    await both.last.hover()
    await page.clock.run_for(60_000)
    await expect(both).to_have_count(1)  # the refusal left, the one pointed at stayed
    await both.get_by_role("button", name="Dismiss").focus()
    await page.mouse.move(5, 5)
    await page.clock.run_for(60_000)
    await expect(both).to_have_count(1)
    await page.get_by_role("link", name="Posts").focus()
    await page.clock.run_for(8_000)
    await expect(both).to_have_count(0)
    await context.close()


async def test_on_a_phone_a_tapped_conversation_opens_and_leads_back(
    chromium: Browser, brand
) -> None:
    for number in range(6):
        await brand.hear_from(f"shopper{number}", "Hello?")
    context = await open_context(chromium, "narrow", has_touch=True)
    page = await signed_in(context, brand, "/conversations")
    await expect(page.locator("#liveness")).to_have_text("Live")
    choice = page.locator(f"#talk-{brand.conversation_id}")
    title = page.locator("#thread-title")
    for open_it in (choice.tap, lambda: choice.press("Enter")):
        await open_it()
        await expect(title).to_have_text("lena")
        await expect(title).to_be_in_viewport()
        await expect(title).to_be_focused()
        await expect(page.get_by_role("log").get_by_text("Hello Nordlicht")).to_be_in_viewport()
        await page.get_by_role("link", name="Conversations").click()
        await expect(choice).to_be_focused()
        await expect(choice).to_be_in_viewport()
    await context.close()
