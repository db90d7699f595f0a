from datetime import timedelta

import httpx
import pytest

from selify.auth import repository, sessions
from selify.core.database import Actor

ME = "/api/v1/auth/me"
SIGN_OUT = "/api/v1/auth/sign-out"
COOKIE = "selify_session"
SYSTEM = Actor.system("test")


async def show(container, secret):
    """Present a secret: the secret to use from now on, or None when it is refused."""
    async with container.database.tx(SYSTEM) as tx:
        presented = await sessions.present(tx, secret, now=container.clock.now())
    return None if presented is None else presented.new_secret or secret


async def signed_in(container, browser, joined):
    await joined(browser)
    return browser.cookies[COOKIE]


async def with_cookie(container, secret, path=ME, method="GET", **headers):
    async with container.client(headers=headers) as client:
        held = secret if isinstance(secret, bytes) else secret.encode()
        return await client.request(method, path, headers={"Cookie": f"{COOKIE}=".encode() + held})


async def test_a_signed_out_cookie_cannot_be_replayed(container, browser, joined):
    secret = await signed_in(container, browser, joined)
    answer = await browser.post(SIGN_OUT)
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert COOKIE not in browser.cookies
    assert (await with_cookie(container, secret)).status_code == 401
    assert (await browser.post(SIGN_OUT)).status_code == 204  # twice is as good as once


async def test_signing_out_ends_one_session_only(container, browser, joined, password):
    secret = await signed_in(container, browser, joined)
    async with container.client() as phone:
        await phone.post(
            "/api/v1/auth/sign-in", json={"email": "mira@example.com", "password": password}
        )
        await phone.post(SIGN_OUT)
    assert (await with_cookie(container, secret)).status_code == 200


async def test_signed_out_everywhere(container, browser, joined, password):
    made = await joined(browser)
    async with container.database.tx(SYSTEM) as tx:
        assert await repository.delete_sessions_of(tx, made["user"]["id"]) == 1
    assert (await browser.get(ME)).status_code == 401


async def test_a_session_ends(container, browser, joined):
    secret = await signed_in(container, browser, joined)
    container.clock.advance(timedelta(days=14))
    assert (await with_cookie(container, secret)).status_code == 401


@pytest.mark.parametrize("secret", ["", "x", "x" * 10_000, "' OR 1=1 --", "nul%00", b"\xfc\xff"])
async def test_invented_cookies_are_visitors(container, browser, secret):
    assert (await with_cookie(container, secret)).status_code == 401


async def test_the_secret_rotates_while_used(container, browser, joined):
    old = await signed_in(container, browser, joined)
    container.clock.advance(sessions.ROTATE_EVERY)
    answer = await browser.get(ME)
    new = browser.cookies[COOKIE]
    assert new != old
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert (await browser.get(ME)).headers.get("set-cookie") is None


async def test_requests_under_way_keep_working_with_the_old_secret(container, browser, joined):
    old = await signed_in(container, browser, joined)
    container.clock.advance(sessions.ROTATE_EVERY)
    new = await show(container, old)
    assert await show(container, old) == old  # sent together with the one that rotated
    assert await show(container, new) == new
    assert await show(container, old) == old  # still in its grace
    container.clock.advance(sessions.GRACE)
    assert await show(container, new) == new


async def test_a_copied_secret_used_later_ends_the_session_for_both(container, browser, joined):
    old = await signed_in(container, browser, joined)
    container.clock.advance(sessions.ROTATE_EVERY)
    new = await show(container, old)
    assert await show(container, new) == new
    container.clock.advance(sessions.GRACE)
    assert await show(container, old) is None
    assert await show(container, new) is None


async def test_a_lost_answer_does_not_sign_out(container, browser, joined):
    """The server rotated, but the browser never received the new cookie."""
    old = await signed_in(container, browser, joined)
    container.clock.advance(sessions.ROTATE_EVERY)
    lost = await show(container, old)
    container.clock.advance(timedelta(hours=5))
    again = await show(container, old)
    assert again not in (None, old, lost)
    assert await show(container, lost) is None
    assert await show(container, again) == again


async def test_a_slow_answer_does_not_leave_the_browser_with_a_dead_secret(
    container, browser, joined
):
    """The answer with the new secret travels for minutes while others are asked for."""
    old = await signed_in(container, browser, joined)
    container.clock.advance(sessions.ROTATE_EVERY)
    on_its_way = await show(container, old)
    container.clock.advance(timedelta(minutes=5))
    assert await show(container, old) == old
    assert await show(container, on_its_way) == on_its_way


async def test_two_rotations_at_once_leave_one_secret(container, browser, joined):
    old = await signed_in(container, browser, joined)
    container.clock.advance(sessions.ROTATE_EVERY)
    async with container.database.tx(SYSTEM) as first:
        one = await sessions.present(first, old, now=container.clock.now())
        async with container.database.tx(SYSTEM) as second:
            # Read before the first has committed, as two requests of one page do.
            held = await repository.find_by_secret(
                second, sessions.hash_of(old), now=container.clock.now()
            )
    async with container.database.tx(SYSTEM) as second:
        other = await sessions._rotate(second, held, old, container.clock.now())
    assert one.new_secret
    assert other.new_secret is None
    assert await show(container, one.new_secret) == one.new_secret


CROSS_SITE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://shop.test.evil.example"},
    {"Origin": "http://[broken"},
    {"Origin": "https://shop.test"},
    # Host and what a proxy forwards are the sender's to choose.
    {"Origin": "https://evil.example", "Host": "evil.example"},
    {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"},
    {"Origin": "https://shop.test", "X-Forwarded-Proto": "https"},
    {"Origin": "https://evil.example", "Forwarded": "host=evil.example;proto=https"},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "anything"},
]
SAME_SITE = [
    {"Origin": "http://shop.test"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://shop.test"},  # our own public address
    {},  # no browser: a program that was given the cookie
]


@pytest.mark.parametrize("headers", CROSS_SITE, ids=str)
async def test_another_site_cannot_use_the_cookie(container, browser, joined, headers):
    secret = await signed_in(container, browser, joined)
    answer = await with_cookie(
        container,
        secret,
        "/api/v1/workspaces",
        "POST",
        **{**headers, "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request")
    assert (await with_cookie(container, secret, SIGN_OUT, "POST", **headers)).status_code == 403
    assert (
        await with_cookie(container, secret, ME, **headers)
    ).status_code == 200  # reading is safe


@pytest.mark.parametrize("headers", SAME_SITE, ids=str)
async def test_our_own_pages_can(container, browser, joined, headers):
    secret = await signed_in(container, browser, joined)
    assert (await with_cookie(container, secret, SIGN_OUT, "POST", **headers)).status_code == 204


@pytest.mark.parametrize("path", ["/api/v1/auth/sign-in", "/api/v1/auth/sign-up"])
async def test_another_site_cannot_sign_a_visitor_in(container, joined, password, path):
    body = {"email": "mira@example.com", "password": password}
    async with container.client(headers={"Origin": "https://evil.example"}) as client:
        answer = await client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request")
    assert isinstance(answer, httpx.Response)
