"""Debian's Chromium, one for all tests of a worker; each test opens a context of its own in it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from tools import chromium as debians

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Milliseconds: for whatever is expected of a page, and for each step on it.
PATIENCE = 20_000
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
BOTH = pytest.mark.parametrize("size", SIZES)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=debians.find(), args=FLAGS)
        yield browser
        await browser.close()


async def open_context(chromium: Browser, size: str, **options: object) -> BrowserContext:
    """A visitor's window; ``options`` are Playwright's."""
    width, height = SIZES[size]
    viewport = {"width": width, "height": height}
    context = await chromium.new_context(viewport=viewport, **options)
    context.set_default_timeout(PATIENCE)
    return context


def complaints_of(page: Page) -> list[str]:
    """Filled with what the browser refuses or cannot run on this page."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found
