"""The pages in Chromium, wide and narrow, with the keyboard alone, and without scripts."""

import asyncio

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect
from tests.dash.conftest import PASSWORD, PICTURE, signed_in
from tests.infra.browsers import BOTH, complaints_of, open_context

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
)


async def sign_in(context: BrowserContext, brand) -> Page:
    """By the keyboard: the first field has the focus."""
    page = await context.new_page()
    await page.goto(f"{brand.site.url}/sign-in")
    await expect(page.get_by_label("E-mail address")).to_be_focused()
    await page.keyboard.type(brand.owner.email)
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{brand.site.url}/")
    return page


@BOTH
async def test_the_page_follows_what_happens(chromium: Browser, brand, size: str) -> None:
    context = await open_context(chromium, size)
    page = await sign_in(context, brand)
    complaints = complaints_of(page)
    await expect(page.locator("#liveness")).to_have_text("Live")
    await page.evaluate("window.stillTheSamePage = true")
    await brand.charge()
    await expect(page.locator("#money .charge").first).to_contain_text("383 credits")
    assert await page.evaluate("window.stillTheSamePage")

    await page.goto(f"{brand.site.url}/conversations/{brand.conversation_id}")
    await expect(page.locator("#liveness")).to_have_text("Live")
    await page.evaluate("window.stillTheSamePage = true")
    await brand.hear("Is it live? <b>Yes</b>")
    await expect(page.get_by_role("log").get_by_text("Is it live? <b>Yes</b>")).to_be_visible()
    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_role("button", name="Hand back to the bot")).to_be_visible()
    await expect(page.locator("#toasts")).to_contain_text("the bot keeps quiet")
    await expect(page.locator("#conversations")).to_contain_text("A person answers")
    await expect(page.locator("#room-list")).to_contain_text("Waiting for a person: 1")
    assert await page.evaluate("window.stillTheSamePage")
    assert complaints == []
    await context.close()


@BOTH
async def test_a_charge_explains_itself_by_keyboard(chromium: Browser, brand, size: str) -> None:
    await brand.charge()
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    await page.locator("#money .charge").first.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("came from the week's allowance")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    assert await page.evaluate("document.activeElement.className.includes('charge')")
    await context.close()


@BOTH
async def test_every_room_fits_and_shows_where_the_focus_is(
    chromium: Browser, brand, size: str
) -> None:
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    complaints = complaints_of(page)
    for path in (*ROOMS, f"/accounts/{brand.account_id}/texts"):
        await page.goto(brand.site.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert await page.locator("h1, h2").count(), path
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        for _ in range(12):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement === document.body"):
                break  # once around
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            focused = await page.evaluate("document.activeElement.outerHTML")
            assert outline != "none", (path, focused)
    assert complaints == []
    await context.close()


async def test_choosing_a_conversation_keeps_following_it(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand, "/conversations")
    await expect(page.locator("#liveness")).to_have_text("Live")
    choice = page.locator("#conversations").locator(f'a[href*="{brand.conversation_id}"]')
    await choice.click()
    await page.wait_for_url(f"**/conversations/{brand.conversation_id}*")
    await brand.hear("Still listening?")
    await expect(page.get_by_role("log").get_by_text("Still listening?")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_text("The latest conversation")).to_be_visible()
    await context.close()


async def test_the_focus_stays_when_a_part_is_drawn_again(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand, "/conversations")
    await expect(page.locator("#liveness")).to_have_text("Live")
    button = page.get_by_role("button", name="Take over")
    await button.focus()
    await brand.hear("Drawn again")
    await expect(page.get_by_role("log").get_by_text("Drawn again")).to_be_visible()
    await expect(button).to_be_focused()
    await context.close()


async def test_whoever_takes_over_stays_with_that_shopper(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand, "/conversations")
    await expect(page.locator("#liveness")).to_have_text("Live")
    await page.get_by_role("log").hover()
    await brand.hear_from("ann", "And I?")
    news = page.get_by_role("link", name="New message from ann")
    await expect(news).to_be_visible()  # and the conversation one reads is still there
    await expect(page.get_by_role("log").get_by_text("Hello Nordlicht")).to_be_visible()

    await page.get_by_role("button", name="Take over").click()
    await page.wait_for_url(f"**/conversations/{brand.conversation_id}")
    await page.mouse.move(5, 5)
    await brand.hear_from("ann", "Hello?")
    await expect(page.locator("#conversations").get_by_text("Hello?")).to_be_visible()
    await expect(page.get_by_role("log").get_by_text("Hello Nordlicht")).to_be_visible()
    await context.close()


async def test_whoever_comes_to_read_while_the_page_asks_keeps_that_shopper(
    chromium: Browser, brand
) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand, "/conversations")
    await expect(page.locator("#liveness")).to_have_text("Live")
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def answer_late(route: Route) -> None:
        asked.set()
        await may_answer.wait()
        await route.continue_()

    await page.route("**/fragments/thread*", answer_late, times=1)
    await brand.hear("Asked for without a pointer on it")
    await asked.wait()
    await page.get_by_role("log").hover()
    await brand.hear_from("ann", "And I?")
    may_answer.set()
    await expect(page.get_by_role("link", name="New message from ann")).to_be_visible()
    await expect(page.get_by_role("log").get_by_text("Hello Nordlicht")).to_be_visible()
    await context.close()


async def test_an_open_form_is_not_drawn_again_under_ones_hand(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand)
    await page.goto(f"{brand.site.url}/wardrobe")
    await expect(page.locator("#liveness")).to_have_text("Live")
    edit = page.locator("#garments .edit > summary")
    await edit.click()
    await page.locator("#garments").get_by_label("Name").fill("Being typed")
    async with page.expect_response("**/fragments/garments*"):
        await brand.site.run(
            "UPDATE public.wardrobe_garments SET usage_count = 7 WHERE id = $1", brand.garment_id
        )
    await expect(page.locator("#garments").get_by_label("Name")).to_have_value("Being typed")
    await edit.click()  # closed: now it catches up
    await expect(page.get_by_text("tried on 7 times")).to_be_visible()
    await context.close()


async def test_the_whole_box_takes_a_picture(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "narrow")
    page = await signed_in(context, brand)
    await page.goto(f"{brand.site.url}/wardrobe")
    await page.get_by_text("Add a garment").click()
    box = await page.locator(".drop").bounding_box()
    assert box
    middle = [box["x"] + 12, box["y"] + box["height"] - 12]
    await page.evaluate("scrollTo(0, 0)")
    hit = "([x, y]) => document.elementFromPoint(x, y)?.type"
    assert await page.evaluate(hit, middle) == "file"
    await context.close()


async def test_the_page_says_when_it_is_not_live(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "narrow")
    page = await signed_in(context, brand)
    await expect(page.locator("#liveness")).to_have_text("Live")
    await context.set_offline(True)
    await expect(page.locator("#liveness")).to_have_text("Reconnecting…")
    await context.set_offline(False)
    await expect(page.locator("#liveness")).to_have_text("Live")
    await context.close()


async def test_without_scripts(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "narrow", java_script_enabled=False)
    page = await sign_in(context, brand)
    await page.get_by_role("button", name="Pages").click()
    await page.get_by_role("link", name="Inbox").click()
    await page.get_by_role("link", name="lena").click()
    await page.get_by_role("button", name="Take over").click()
    await expect(page.get_by_role("button", name="Hand back to the bot")).to_be_visible()
    await expect(page.locator("#toasts")).to_contain_text("the bot keeps quiet")
    await page.goto(f"{brand.site.url}/posts")
    await page.get_by_text("Choose its garment").click()
    await page.get_by_role("radio", name="Tee of").check()
    await page.get_by_role("button", name="Let shoppers try it on").click()
    await expect(page.get_by_text("Try-on is on")).to_be_visible()
    await page.get_by_label("More about this post").click()
    await page.get_by_role("link", name="Which words start a try-on?").click()
    await expect(page.get_by_role("heading", name="Which words start a try-on")).to_be_visible()
    await context.close()


def navigations(page: Page) -> list[str]:
    """Where the page goes from now on."""
    seen: list[str] = []
    page.on("request", lambda request: request.is_navigation_request() and seen.append(request.url))
    return seen


@BOTH
async def test_a_brand_is_deleted_and_kept_after_all(chromium: Browser, brand, size: str) -> None:
    """By keyboard. Whatever shows the brand meanwhile says so by itself."""
    context = await open_context(chromium, size)
    elsewhere = await signed_in(context, brand)
    await expect(elsewhere.locator("#liveness")).to_have_text("Live")
    page = await context.new_page()
    await page.goto(brand.site.url)
    await expect(page.locator("#liveness")).to_have_text("Live")
    led = {tab: navigations(tab) for tab in (page, elsewhere)}
    await page.get_by_label("Nordlicht and your account").press("Enter")
    await page.get_by_role("link", name="Brand settings").press("Enter")
    field = page.get_by_label("type its name")
    await field.fill("nordlicht")
    await field.press("Enter")
    await expect(field).to_have_accessible_description(
        "This is not its name. Nordlicht was not deleted. Type the name exactly as it is written."
    )
    await expect(field).to_be_focused()
    await expect(field).to_have_value("nordlicht")
    await field.fill("Nordlicht")
    await field.press("Enter")
    goal = f"{brand.site.url}/brands/{brand.id}/deleted"
    for tab in (page, elsewhere):
        await expect(tab).to_have_url(goal)
        await expect(tab.get_by_role("heading", name="Nordlicht was deleted")).to_be_visible()
        # Once, though every part of the page hears of it, and one of them asked for it.
        assert led[tab].count(goal) == 1
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(page.locator("#toasts")).to_contain_text("Your brand is back")
    await context.close()


async def test_a_brand_is_deleted_and_kept_after_all_without_scripts(
    chromium: Browser, brand
) -> None:
    context = await open_context(chromium, "narrow", java_script_enabled=False)
    page = await signed_in(context, brand)
    await page.goto(f"{brand.site.url}/settings")
    await page.get_by_label("type its name").fill("Something else")
    await page.get_by_role("button", name="Delete this brand").click()
    await expect(page.locator("#name-refused")).to_contain_text("Nordlicht was not deleted")
    await page.get_by_label("Name").fill("Nordlicht")
    await page.get_by_role("button", name="Send again").click()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#toasts")).to_contain_text("Your brand is back")
    await context.close()


@pytest.mark.slow
@BOTH
async def test_two_files_are_both_taken(chromium: Browser, brand, size: str) -> None:
    context = await open_context(chromium, size)
    page = await signed_in(context, brand)
    await page.goto(f"{brand.site.url}/wardrobe")
    await page.get_by_text("Add a garment", exact=True).click()
    pictures = [
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"not a picture"},
        {"name": "first.png", "mimeType": "image/png", "buffer": PICTURE},
        {"name": "second.png", "mimeType": "image/png", "buffer": PICTURE},
    ]
    await page.locator("input[name=picture]").set_input_files(pictures)
    await page.get_by_role("button", name="Add to the wardrobe").click()
    lines = page.locator(".uploads li")
    await expect(lines).to_have_count(3)
    await expect(lines.nth(2)).to_contain_text("In the wardrobe", timeout=60_000)
    await expect(lines.nth(1)).to_contain_text("In the wardrobe")
    await expect(lines.nth(0)).not_to_contain_text("In the wardrobe")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await expect(page.locator("#garments")).to_contain_text("second")
    await context.close()


async def test_what_was_put_away_comes_back_with_one_click(chromium: Browser, brand) -> None:
    context = await open_context(chromium, "wide")
    page = await signed_in(context, brand)
    await page.goto(brand.site.url + brand.at("/wardrobe"))
    garments = page.locator("#garments")
    await garments.get_by_text("Edit", exact=True).first.click()
    await garments.get_by_role("button", name="Archive").first.click()
    await expect(page.locator("#toasts")).to_contain_text("Put away")
    await expect(garments).not_to_contain_text("Tee of Nordlicht")
    await page.get_by_role("button", name="Undo").click()
    await expect(garments).to_contain_text("Tee of Nordlicht")
    await expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    await context.close()
