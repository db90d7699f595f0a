"""The phone in Chromium: a shopper's whole visit, at both widths, and the switchboard."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from playwright.async_api import Page, expect
from tests.infra.browsers import PATIENCE

from selify_sandbox.instagram.phone.pages import _environment

from .conftest import picture

pytestmark = pytest.mark.browser
PHOTO = {"name": "me.png", "mimeType": "image/png", "buffer": picture("salmon")}


@pytest.fixture(params=[1280, 390], ids=["wide", "narrow"])
async def page(request, chromium, sandbox) -> AsyncIterator[Page]:
    context = await chromium.new_context(viewport={"width": request.param, "height": 844})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    await page.goto(f"{sandbox.url}/?as=ana")
    yield page
    await context.close()
    assert problems == []


async def go(page: Page, place: str) -> None:
    await page.evaluate("place => { location.hash = place }", f"#/{place}")


async def test_comment_request_photo_answer(page, sandbox):
    """What the demo's visitor does, with the shop's side played by the test."""
    await page.get_by_role("button", name="Comment", exact=True).click()
    await page.get_by_label("Your comment").fill("try on please")
    await page.keyboard.press("Enter")
    await expect(page.locator(".comment")).to_contain_text("try on please")
    comment = (await sandbox.receiver.expect("comments"))[0]["value"]["id"]

    sent = await sandbox.send({"comment_id": comment}, message={"text": "Send me a photo!"})
    igsid = sent.json()["recipient_id"]
    banner = page.locator("#banner")
    await expect(banner).to_contain_text("Atelier Nord wants to write to you")
    await banner.click()
    await expect(page.locator(".request")).to_contain_text("you do not follow them")
    await page.get_by_role("button", name="Accept").click()
    await sandbox.receiver.expect("read")

    await page.locator("[data-gallery]").set_input_files(PHOTO)
    await page.locator("#screen").get_by_role("button", name="Send", exact=True).click()
    await expect(page.locator(".row.mine .photo")).to_have_count(1)
    link = (await sandbox.receiver.expect("message", 2))[1]["message"]["attachments"][0]["payload"]
    assert (await sandbox.http.get(link["url"])).content == PHOTO["buffer"]

    await sandbox.send({"id": igsid}, sender_action="typing_on")
    await expect(page.locator(".typing")).to_be_visible()
    url = sandbox.receiver.serve_picture("result.png", picture("gold"))
    part = {"type": "image", "payload": {"url": url}}
    await sandbox.send({"id": igsid}, message={"attachment": part})
    chips = [{"content_type": "text", "title": "Love it", "payload": "LIKE"}]
    await sandbox.send({"id": igsid}, message={"text": "There!", "quick_replies": chips})
    await expect(page.locator(".row.theirs .photo")).to_have_count(1)
    await expect(page.locator(".typing")).to_be_hidden()
    await page.get_by_role("button", name="Love it").click()
    tapped = await sandbox.receiver.message("Love it")
    assert tapped["message"]["quick_reply"] == {"payload": "LIKE"}
    await expect(page.locator(".chips")).to_have_count(0)

    await page.locator(".row.theirs .photo").click()
    await expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_message_s_menu_by_keyboard(page, sandbox):
    await sandbox.driver.write("ana", "nord", "first try")
    await go(page, "thread/nord")
    opener = page.locator(".row.mine .act")
    await opener.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Heart")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".reacted")).to_contain_text("❤️")
    await opener.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitem", name="Edit").click()
    await page.get_by_label("Message", exact=True).fill("second try")
    await page.keyboard.press("Enter")
    await expect(page.locator(".row.mine .bubble")).to_contain_text("second try")
    await opener.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("menuitem", name="Take back").click()
    await expect(page.locator(".row")).to_have_count(0)
    await sandbox.receiver.expect("message_edit")


async def test_typing_survives_what_arrives_meanwhile(page, sandbox):
    await sandbox.driver.write("ana", "nord", "hi")
    await go(page, "thread/nord")
    box = page.get_by_label("Message", exact=True)
    await box.fill("half a sen")
    thread = await sandbox.driver.thread("ana", "nord")
    await sandbox.send({"id": thread.igsid}, message={"text": "hello Ana"})
    await expect(page.locator(".row.theirs")).to_have_count(1)
    await expect(box).to_have_value("half a sen")
    await expect(box).to_be_focused()


async def test_likes_following_and_sharing(page, sandbox):
    like = page.get_by_role("button", name="Like")
    await like.click()
    await expect(like).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".likes")).to_contain_text("13")
    await go(page, "brand/nord")
    await page.get_by_role("button", name="Follow", exact=True).click()
    await expect(page.get_by_role("button", name="Following")).to_be_visible()
    await go(page, "feed")
    await page.get_by_role("button", name="Send this post to nord").click()
    await expect(page.locator(".shared")).to_contain_text("The mint dress")
    shared = (await sandbox.receiver.expect("message"))[0]["message"]["attachments"][0]
    assert shared["type"] == "ig_post"


async def test_two_people_in_two_windows(page, chromium, sandbox):
    await sandbox.driver.write("tom", "nord", "Tom was here")
    await go(page, "inbox")
    await expect(page.locator("#screen .empty")).to_contain_text("No messages yet")
    await go(page, "people")
    await page.locator("#screen").get_by_role("button", name="Tom").click()
    await go(page, "thread/nord")
    await expect(page.locator(".row.mine")).to_contain_text("Tom was here")
    await go(page, "people")
    await page.get_by_label("New shopper").fill("lea.k")
    await page.get_by_role("button", name="Add").click()
    await expect(page).to_have_url(f"{sandbox.url}/?as=lea.k#/feed")


async def _open_board(page: Page) -> None:
    if page.viewport_size["width"] < 900:
        await page.get_by_role("button", name="Switchboard").click()


async def test_the_switchboard_switches_and_the_list_follows(page, sandbox):
    await _open_board(page)
    switch = page.get_by_role("switch", name="Deliver everything more than once")
    await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "true")
    await expect(page.locator(".mood")).to_contain_text("1 trouble is on")
    amount = page.locator("[data-amount=duplicate]")
    await amount.fill("2")
    await amount.press("Tab")
    await expect(amount).to_have_value("2")
    await page.get_by_role("switch", name="Slip in forgeries").click()
    await expect(page.locator(".mood")).to_contain_text("2 troubles are on")
    await sandbox.driver.write("ana", "nord", "three times")
    mids = [m["message"]["mid"] for m in await sandbox.receiver.expect("message", 3)]
    assert len(set(mids)) == 1
    await expect(page.locator(".delivery").first).to_contain_text("refused (403)")
    await page.get_by_role("button", name="Calm down").click()
    await expect(page.locator(".mood")).to_contain_text("A calm day")
    await page.get_by_role("button", name="Expire the token").click()
    await expect(page.locator(".shop-line")).to_contain_text("token expired")
    assert (await sandbox.get("/me")).json()["error"]["error_subcode"] == 463


BEHIND = "(() => { const t = document.querySelector('.talk');"
BEHIND += " return t.scrollHeight - t.scrollTop - t.clientHeight })()"


async def _until_behind(page: Page, enough: Callable[[float], bool]) -> None:
    """Until the conversation is that far from its end, in pixels. Raises TimeoutError."""
    async with asyncio.timeout(20):
        while not enough(await page.evaluate(BEHIND)):
            await page.wait_for_timeout(20)


async def _long_conversation(page: Page, sandbox) -> str:
    """Open, at its end; the id by which the shop writes."""
    for number in range(14):
        await sandbox.driver.write("ana", "nord", f"{number} " + "and more words " * 12)
    await go(page, "thread/nord")
    await expect(page.locator(".row")).to_have_count(14)
    await _until_behind(page, lambda pixels: pixels < 2)
    return (await sandbox.driver.thread("ana", "nord")).igsid


async def test_a_picture_that_grows_late_stays_in_view(page, sandbox):
    await _long_conversation(page, sandbox)
    await page.evaluate(
        """() => {
            const talk = document.querySelector('.talk');
            talk.scrollTop -= 1;  // told as a scroll once the conversation is longer
            const late = document.createElement('li');
            late.style.cssText = 'flex: none; height: 420px';
            document.querySelector('.bubbles').append(late);
        }"""
    )
    await _until_behind(page, lambda pixels: pixels < 2)


async def test_whoever_reads_further_up_is_left_there(page, sandbox):
    igsid = await _long_conversation(page, sandbox)
    await page.locator(".talk").hover()
    await page.mouse.wheel(0, -600)
    await _until_behind(page, lambda pixels: pixels > 400)
    await sandbox.send({"id": igsid}, message={"text": "are you there?"})
    await expect(page.locator(".row.theirs")).to_have_count(1)
    assert await page.evaluate(BEHIND) > 400


def test_a_link_breaks_after_a_slash_and_markup_stays_text():
    html = _linked("<b>see</b> https://nord.example/a/tee?x=<i>&y=1 </a> a/b")
    assert ">https://nord.example/<wbr>a/<wbr>tee?x=" in html
    assert 'href="https://nord.example/a/tee?x=' in html
    assert "&lt;b&gt;see&lt;/b&gt;" in html
    assert "<b>" not in html
    assert "<i>" not in html
    assert html.endswith(" &lt;/a&gt; a/b")


def _linked(text: str) -> str:
    return _environment.from_string("{{ text | urlize | breakable }}").render(text=text)


async def test_a_number_that_is_none_is_not_sent(page, sandbox):
    await _open_board(page)
    await page.get_by_role("switch", name="Deliver everything more than once").click()
    amount = page.locator("[data-amount=duplicate]")
    for wrong in ("", "0", "100000"):
        await amount.fill(wrong)
        await amount.press("Tab")
        assert not await amount.evaluate("field => field.checkValidity()")
    await expect(page.locator("#banner")).to_be_hidden()


async def test_a_post_s_own_address_opens_it_on_the_phone(page, sandbox):
    media = (await sandbox.get("/me/media", fields="permalink")).json()["data"][0]
    assert media["permalink"].startswith(sandbox.url)
    await page.goto(media["permalink"])
    await expect(page.locator("#screen .caption")).to_contain_text("The mint dress")
    await page.get_by_role("button", name="Comment", exact=True).click()
    await expect(page.get_by_label("Your comment")).to_be_visible()


async def test_controls_can_be_seen_and_hit(page, sandbox):
    """WCAG 2.2: 3 : 1 between a control and what it lies on, and 24 pixels to hit."""
    await sandbox.driver.write("ana", "nord", "hi")
    await go(page, "thread/nord")
    await expect(page.locator("#message-text")).to_be_visible()
    assert await page.evaluate(CONTRAST, ["#message-text", "borderTopColor"]) >= 3
    await _open_board(page)
    await expect(page.locator(".owner input")).to_be_visible()
    assert await page.evaluate(CONTRAST, [".switch", "backgroundColor"]) >= 3
    assert await page.evaluate(CONTRAST, [".owner input", "borderTopColor"]) >= 3
    send_all = await page.get_by_role("button", name="Send all now").bounding_box()
    assert send_all["height"] >= 24


CONTRAST = """([selector, property]) => {
    const colour = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const part = document.querySelector(selector);
    let under = part.parentElement;
    while ((colour(getComputedStyle(under).backgroundColor)[3] ?? 1) === 0) under = under.parentElement;
    const [a, b] = [getComputedStyle(part)[property], getComputedStyle(under).backgroundColor]
        .map((text) => light(colour(text))).sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
}"""


async def test_nothing_is_wider_than_the_screen(page, sandbox):
    await sandbox.driver.write("ana", "nord", "w" * 300 + " https://example.com/" + "x" * 200)
    for place in ("feed", "inbox", "requests", "people", "thread/nord", "brand/nord"):
        await go(page, place)
        await expect(page.locator("#screen .view")).to_be_visible()
        widths = await page.evaluate(
            "[document.documentElement.scrollWidth - innerWidth,"
            " document.querySelector('#screen').scrollWidth"
            " - document.querySelector('#screen').clientWidth]"
        )
        assert max(widths) <= 0, place
    await _open_board(page)
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_every_control_has_a_name(page, sandbox):
    await sandbox.driver.write("ana", "nord", "hi")
    for place in ("feed", "inbox", "people", "thread/nord", "brand/nord"):
        await go(page, place)
        await expect(page.locator("#screen .view")).to_be_visible()
        nameless = await page.evaluate(
            """() => [...document.querySelectorAll('button:not([hidden]), a[href], input:not([type=hidden])')]
                 .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim()
                     || e.getAttribute('aria-labelledby') || e.labels?.length
                     || e.querySelector('img[alt]:not([alt=""])')))
                 .map(e => e.outerHTML)"""
        )
        assert nameless == [], place


async def test_an_empty_stand_in_says_what_to_do(bare, chromium):
    page = await chromium.new_page()
    await page.goto(bare.url)
    await expect(page.locator(".empty").first).to_contain_text("Nobody is here yet")
    await page.get_by_label("New shopper").fill("first.one")
    await page.get_by_role("button", name="Add").click()
    await expect(page.locator("#screen .empty")).to_contain_text("No posts yet")
    await page.close()


async def test_the_consent_screen_by_hand(chromium, sandbox):
    page = await chromium.new_page()
    await page.goto(sandbox.authorize_url())
    await page.get_by_label("Read and answer comments").uncheck()
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_text("welcome back")).to_be_visible()
    assert "code=" in page.url
    assert page.url.endswith("#_")
    await page.close()
