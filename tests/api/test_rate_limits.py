"""Rate limits as the world meets them: a real server, sessions, a proxy in front, and pages."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from tests.infra.settings import Settings
from tests.infra.site import served

from selify.core.clock import FrozenClock

WHO = {"email": "mira@people.example", "password": "correct horse battery"}
PAGE = {"Accept": "text/html"}


@pytest_asyncio.fixture(loop_scope="session")
async def server(
    database_url: str, tmp_path: Path, clock: FrozenClock
) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(
        database_url=database_url,
        data_dir=tmp_path,
        requests_per_minute_per_key=4,
        requests_per_minute_per_person=6,
        requests_per_minute_per_address=3,
    )
    async with served(settings, clock=clock) as client:
        yield client


def behind(address: str) -> dict[str, str]:
    """What a proxy says of whom it speaks for."""
    return {"X-Forwarded-For": address}


async def statuses(client: httpx.AsyncClient, path: str, tries: int, **request: Any) -> list[int]:
    return [(await client.get(path, **request)).status_code for _ in range(tries)]


async def test_behind_a_proxy_each_visitor_counts(server: httpx.AsyncClient) -> None:
    me = "/api/v1/auth/me"
    assert await statuses(server, me, 5, headers=behind("203.0.113.1")) == [401] * 3 + [429] * 2
    assert await statuses(server, me, 1, headers=behind("203.0.113.2")) == [401]
    assert await statuses(server, "/healthz", 8, headers=behind("203.0.113.1")) == [200] * 8
    assert await statuses(server, "/sign-in", 8, headers=behind("203.0.113.1")) == [200] * 8


async def test_who_is_signed_in_counts_by_key_and_person(server: httpx.AsyncClient) -> None:
    (
        await server.post("/api/v1/auth/sign-up", json={**WHO, "full_name": "Mira"})
    ).raise_for_status()
    (await server.post("/api/v1/auth/sign-in", json=WHO)).raise_for_status()
    cookie = dict(server.cookies)
    server.cookies.clear()
    signed = await server.post("/api/v1/auth/token", json={"grant_type": "password", **WHO})
    by_token = {"Authorization": f"Bearer {signed.json()['access_token']}", **behind("192.0.2.1")}
    by_cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookie.items())}
    by_cookie |= behind("192.0.2.1")
    me = "/api/v1/auth/me"
    # Each one's first is the address's: nobody knows yet whose they are.
    assert await statuses(server, me, 6, headers=by_token) == [200] * 5 + [429]
    assert await statuses(server, me, 4, headers=by_cookie) == [200] * 3 + [429]
    refused = await server.get(me, headers=by_cookie)
    assert refused.json()["violated-policies"] == ["person"]


async def test_on_a_page_a_refusal_is_for_people(server: httpx.AsyncClient) -> None:
    headers = {**PAGE, **behind("198.51.100.3")}
    await statuses(server, "/docs", 3, headers=headers)
    refused = await server.get("/docs", headers=headers)
    assert refused.status_code == 429
    assert refused.headers["content-type"].startswith("text/html")
    assert refused.headers["retry-after"] == "20"
    assert "More than 3 requests a minute come from this address." in refused.text
