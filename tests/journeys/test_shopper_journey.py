"""The whole story in Chromium: a shopper comments, writes, sends a photo and gets the picture, while
the brand's page follows. Real processes, the real engine, a drawn person.

With SELIFY_PICTURES=docs/pictures the screenshots of the documentation are taken on the way.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from tests.infra.stack import WholeStack, quick_folder, running_stack

from selify.core.database import Actor
from selify_sandbox import demo, drawn_people

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SYSTEM = Actor.system("test")
PATIENCE = 60_000
WIDTHS = pytest.mark.parametrize("width", [1280, 390], ids=["wide", "narrow"])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack() -> AsyncIterator[WholeStack]:
    """The demo as a newcomer gets it, with two garments to be quick."""
    environment = {"SELIFY_TRYON_ENGINES": "embedded", "SELIFY_TRYON_SMALL": "0"}
    with quick_folder() as folder:
        async with running_stack(folder, environment=environment) as running:
            async with running.brand() as brand:
                await brand.set_up(demo.PIECES[-2:])
            yield running


def photo() -> dict[str, object]:
    """A drawn person, as a phone's camera would hand it over."""
    done, encoded = cv2.imencode(".jpg", drawn_people.draw_person())
    assert done
    return {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": encoded.tobytes()}


async def open_page(chromium: Browser, width: int) -> Page:
    context = await chromium.new_context(
        viewport={"width": width, "height": 844 if width < 900 else 900},
        device_scale_factor=1,
        reduced_motion="reduce",  # a picture taken of something that fades in shows nothing
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    return page


async def sign_in(page: Page, stack: WholeStack) -> None:
    await page.goto(f"{stack.parts.server_url}/sign-in")
    await page.get_by_label("E-mail").fill(demo.EMAIL)
    await page.get_by_label("Password").fill(demo.PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(f"{stack.parts.server_url}/")


async def keep(page: Page, name: str) -> None:
    """A picture for the documentation, once every image is there and nothing moves any more."""
    folder = os.environ.get("SELIFY_PICTURES")
    if not folder:
        return
    await expect(page.locator("img:visible").last).to_be_visible()
    await page.evaluate(
        """() => Promise.all([
            document.fonts.ready,
            ...[...document.images].filter((image) => image.loading !== 'lazy')
                .map((image) => image.decode().catch(() => {})),
            ...document.getAnimations().map((one) => one.finished.catch(() => {})),
        ])"""
    )
    await page.screenshot(path=Path(folder) / f"{name}.png")


AT_THE_END = """(() => {
    const talk = document.querySelector('.talk');
    return talk.scrollHeight - talk.scrollTop - talk.clientHeight;
})()"""


async def until_settled(phone: Page) -> None:
    """The conversation has been read (no badge) and stands at its end, chips and all. Raises
    TimeoutError.
    """
    await expect(phone.locator("#banner")).to_be_hidden()
    await expect(phone.locator("#unread")).to_be_hidden()
    await expect(phone.locator(".typing")).to_be_hidden()
    await expect(phone.get_by_role("button", name="Love it")).to_be_in_viewport(ratio=1)
    await expect(phone.locator(".row.theirs").last).to_be_in_viewport(ratio=1)
    async with asyncio.timeout(PATIENCE / 1000):
        while await phone.evaluate(AT_THE_END) > 1:
            await phone.wait_for_timeout(50)


@WIDTHS
async def test_a_shopper_tries_a_tee_on_while_the_brand_watches(
    stack: WholeStack, chromium: Browser, width: int
) -> None:
    expect.set_options(timeout=PATIENCE)
    shopper = "mia" if width > 900 else "noor"
    async with stack.brand() as brand:
        await brand.phone.create_shopper(shopper)
    brand_page = await open_page(chromium, width)
    await sign_in(brand_page, stack)
    await brand_page.goto(f"{stack.parts.server_url}/conversations")
    phone = await open_page(chromium, width)
    await phone.goto(f"{stack.parts.phone_url}/?as={shopper}")

    await phone.get_by_role("button", name="Comment", exact=True).first.click()
    await phone.get_by_label("Your comment").fill("try on please")
    await phone.keyboard.press("Enter")
    await phone.locator("#banner").click()
    await expect(phone.locator(".row.theirs").first).to_contain_text("automatic try-on assistant")
    accept = phone.get_by_role("button", name="Accept")
    if await accept.count():
        await accept.click()
    await phone.locator("[data-gallery]").set_input_files(photo())
    await phone.locator("#screen").get_by_role("button", name="Send", exact=True).click()

    await expect(phone.locator(".row.theirs .photo")).to_have_count(1)
    await expect(phone.locator(".row.theirs").last).to_contain_text("How do you like it?")
    await until_settled(phone)
    await keep(phone, f"phone-{width}")
    await expect(brand_page.get_by_text("How do you like it?").first).to_be_visible()
    await brand_page.locator(".people a").filter(has_text=shopper).click()
    await expect(brand_page.get_by_role("log").get_by_text("How do you like it?")).to_be_visible()
    await keep(brand_page, f"brand-{width}")

    await phone.get_by_role("button", name="Love it").click()
    await expect(phone.locator(".row.theirs").last).to_contain_text("So glad you like it!")
    async with stack.database() as database, database.tx(SYSTEM) as tx:
        row = await tx.fetch_one(
            """
            SELECT bot_responded, user_sent_photo, generation_successful, user_satisfied
              FROM public.bot_interactions WHERE instagram_username = $1
            """,
            shopper,
        )
        charges = await tx.fetch_value(
            """
            SELECT count(*) FROM public.workspace_usage_events
             WHERE metadata ->> 'shopper' = $1 AND status = 'completed'
            """,
            shopper,
        )
    assert row is not None
    assert (tuple(row), charges) == ((True, True, True, True), 1)
    for page in (phone, brand_page):
        await page.context.close()
