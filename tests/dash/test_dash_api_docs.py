"""The API's own page: drawn and usable under the pages' policy, with nothing from anywhere else."""

import re

import pytest
from playwright.async_api import Browser, expect
from tests.dash.conftest import signed_in
from tests.infra.browsers import BOTH, complaints_of, open_context

from selify.dash.environment import TEMPLATES


@pytest.mark.browser
@BOTH
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_api_shows_its_operations_and_lets_one_try_them(
    chromium: Browser,
    brand,
    size: str,
    scheme: str,
) -> None:
    context = await open_context(chromium, size, color_scheme=scheme)
    page = await signed_in(context, brand)
    complaints, asked = complaints_of(page), []
    page.on("request", lambda request: asked.append(request.url))
    answer = await page.goto(f"{brand.site.url}/docs")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy, "no exception was made for it"

    operation = page.locator("#operations-auth-me_api_v1_auth_me_get")
    await expect(operation).to_be_visible()
    assert await page.locator(".opblock").count() > 30
    await operation.click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    await expect(operation.locator(".live-responses-table")).to_contain_text(brand.owner.email)

    assert complaints == []
    assert asked
    assert {re.match(r"(data:|https?://[^/]+)", url)[1] for url in asked} <= {
        "data:",
        brand.site.url,
    }
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await context.close()


def test_no_page_names_a_file_of_another_house_or_carries_a_script() -> None:
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text()
        for tag in re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", text):
            assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", tag), (template.name, tag)
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), template.name
        assert not re.search(r"<style|\sstyle=|\son\w+=", text), template.name


async def test_the_frameworks_own_pages_of_the_api_are_not_there(site) -> None:
    async with site.visitor() as visitor:
        assert (await visitor.get("/redoc")).status_code == 404
        assert "//cdn" not in (await visitor.get("/docs")).text
