"""Addresses of pictures answer those who only look, too: same headers, no bytes."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.dash.conftest import PICTURE, Brand

from selify.core.web.links import FileLinks

HOUR = timedelta(hours=1)
VARYING = {"date", "x-trace-id"}


@pytest.fixture
async def links(brand: Brand) -> dict[str, str]:
    """One good address, and such as lead nowhere."""
    links: FileLinks = brand.site.links
    key = f"workspaces/{brand.id}/results/head.png"
    await brand.site.storage.put(key, PICTURE, content_type="image/png")
    now = datetime.now(UTC)
    return {
        "good": links.make(key, now=now, lasts=HOUR),
        "expired": links.make(key, now=now - 2 * HOUR, lasts=HOUR),
        "gone": links.make(f"workspaces/{brand.id}/gone.png", now=now, lasts=HOUR),
        "forged": f"{brand.site.url}/files/nonsense",
        "post": f"{brand.site.url}{brand.at(f'/posts/{brand.post_id}/picture')}",
    }


def described(answer: httpx.Response) -> tuple[int, dict[str, str]]:
    shown = {k: v for k, v in answer.headers.items() if k not in VARYING}
    return answer.status_code, shown


@pytest.mark.parametrize("which", ["good", "expired", "gone", "forged", "post"])
async def test_who_looks_hears_what_who_fetches_hears(
    brand: Brand, links: dict[str, str], which: str
) -> None:
    browser = brand.owner.browser
    fetched = await browser.get(links[which])
    looked = await browser.head(links[which])
    assert looked.content == b""
    status, headers = described(looked)
    assert status == fetched.status_code
    assert status in (200, 404, 410)
    if which == "good":
        assert fetched.content == PICTURE
        assert headers == described(fetched)[1]
        assert headers["content-length"] == str(len(PICTURE))
