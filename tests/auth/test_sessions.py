import asyncio
from datetime import datetime, timedelta

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


# What others prepared -----------------------------------------------------------------------------


async def test_a_cookie_that_somebody_chose_becomes_nobodys(container, browser, joined, password):
    await joined(browser)
    chosen = "a-secret-that-somebody-else-has-chosen-for-me"
    body = {"email": "mira@example.com", "password": password}
    async with container.client(headers={"Cookie": f"{COOKIE}={chosen}"}) as client:
        answer = await client.post("/api/v1/auth/sign-in", json=body)
    given = answer.cookies[COOKIE]
    assert given != chosen
    assert (await with_cookie(container, chosen)).status_code == 401
    assert (await with_cookie(container, given)).status_code == 200


async def test_a_cookie_of_the_parent_domain_is_not_read(new_house, joined):
    """A subdomain can set a cookie of our name, but none with the prefix that keeps it to one host."""
    secure = new_house(public_url="https://shop.test")
    async with secure.client() as client:
        await joined(client)
        secret = client.cookies[f"__Host-{COOKIE}"]
    for name, status in ((COOKIE, 401), (f"__Secure-{COOKIE}", 401), (f"__Host-{COOKIE}", 200)):
        async with secure.client(headers={"Cookie": f"{name}={secret}"}) as client:
            assert (await client.get(ME)).status_code == status


async def test_signing_in_as_somebody_else_ends_the_browsers_session(
    container, browser, joined, password
):
    await joined(browser, "b@example.com")
    of_b = browser.cookies[COOKIE]
    async with container.client() as phone:
        await joined(phone, "a@example.com")
        elsewhere = phone.cookies[COOKIE]
    body = {"email": "a@example.com", "password": password}
    assert (await browser.post("/api/v1/auth/sign-in", json=body)).status_code == 200
    assert (await browser.get(ME)).json()["user"]["email"] == "a@example.com"
    assert (await with_cookie(container, of_b)).status_code == 401
    assert (await with_cookie(container, elsewhere)).status_code == 200


async def test_a_sign_in_that_fails_ends_nothing(container, browser, joined):
    secret = await signed_in(container, browser, joined)
    body = {"email": "mira@example.com", "password": "not the password"}
    assert (await browser.post("/api/v1/auth/sign-in", json=body)).status_code == 401
    assert (await with_cookie(container, secret)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_signing_out_is_no_link(container, browser, joined, method):
    secret = await signed_in(container, browser, joined)
    answer = await with_cookie(container, secret, SIGN_OUT, method)
    assert answer.status_code == 405
    assert (await with_cookie(container, secret)).status_code == 200


async def test_a_role_counts_at_once(container, browser, joined):
    """Raised and taken away in the middle of a session."""
    async with container.client() as owner:
        await joined(owner, "olga@example.com")
        made = (await owner.post("/api/v1/workspaces", json={"name": "Nordlicht"})).json()["id"]
        max_id = (await joined(browser, "max@example.com"))["user"]["id"]
        await container.run(
            "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)"
            " VALUES ($1::text::uuid, $2::text::uuid, 'member', now())",
            made,
            max_id,
        )
        eva = await joined(owner, "eva@example.com")
        await container.run(
            "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)"
            " VALUES ($1::text::uuid, $2::text::uuid, 'member', now())",
            made,
            eva["user"]["id"],
        )
    path = f"/api/v1/workspaces/{made}/members/{eva['user']['id']}"
    for role, status in (("member", 403), ("admin", 204), ("member", 403)):
        await container.run(
            "UPDATE public.workspace_members SET role = $2 WHERE user_id = $1::text::uuid",
            max_id,
            role,
        )
        assert (await browser.patch(path, json={"role": "member"})).status_code == status


async def test_two_requests_that_rotate_at_once_both_lead_to_a_living_session(
    container, browser, joined
):
    old = await signed_in(container, browser, joined)
    container.clock.advance(sessions.ROTATE_EVERY)
    answers = await asyncio.gather(*(with_cookie(container, old) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
    given = [answer.cookies.get(COOKIE, old) for answer in answers]
    assert any(secret != old for secret in given)
    for secret in given:
        assert (await with_cookie(container, secret)).status_code == 200


async def test_an_old_secret_ends_the_session_for_both_and_is_written_down(
    container, browser, joined, audited
):
    old = await signed_in(container, browser, joined)
    container.clock.advance(sessions.ROTATE_EVERY)
    new = await show(container, old)
    assert await show(container, new) == new
    container.clock.advance(timedelta(hours=1))
    assert (await with_cookie(container, old)).status_code == 401
    assert (await with_cookie(container, new)).status_code == 401
    assert (await audited())[-1] == ("session_revoked", "old_secret_used")


async def test_over_plain_http_no_cookie_claims_to_be_safe(browser, joined):
    await joined(browser)
    assert list(browser.cookies) == [COOKIE]


# One's own sessions -------------------------------------------------------------------------------

SESSIONS = "/api/v1/auth/sessions"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0"


async def test_where_one_is_signed_in(container, browser, joined, password):
    await joined(browser)
    body = {"email": "mira@example.com", "password": password}
    async with container.client("198.51.100.4", headers={"User-Agent": FIREFOX}) as phone:
        phone.headers["Origin"] = container.authenticator.public_url
        await phone.post("/api/v1/auth/sign-in", json=body)
        container.clock.advance(timedelta(hours=2))
        await phone.get(ME)
        seen = container.clock.now()
        container.clock.advance(timedelta(minutes=5))
    found = (await browser.get(SESSIONS)).json()["sessions"]
    other, this = found
    assert (this["is_this_one"], other["is_this_one"]) == (True, False)
    assert (other["address"], other["browser"]) == ("198.51.100.4", "Firefox, Windows")
    assert datetime.fromisoformat(other["seen_at"]) == seen
    assert "secret" not in str(found)
    assert "hash" not in str(found)


async def test_ended_sessions_are_not_listed(container, browser, joined, password):
    await joined(browser)
    container.clock.advance(timedelta(days=14))
    body = {"email": "mira@example.com", "password": password}
    await browser.post("/api/v1/auth/sign-in", json=body)
    assert len((await browser.get(SESSIONS)).json()["sessions"]) == 1


async def test_one_session_is_ended_from_another(container, browser, joined, password, audited):
    await joined(browser)
    body = {"email": "mira@example.com", "password": password}
    async with container.client() as phone:
        await phone.post("/api/v1/auth/sign-in", json=body)
        token = (await phone.post("/api/v1/auth/token", json={"grant_type": "session"})).json()
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        [held] = [one["id"] for one in (await phone.get(SESSIONS)).json()["sessions"]][:1]
        assert (await browser.delete(f"{SESSIONS}/{held}")).status_code == 204
        assert (await phone.get(ME)).status_code == 401
    async with container.client() as program:
        assert (await program.get(ME, headers=bearer)).status_code == 401
    assert (await browser.get(ME)).status_code == 200
    assert (await audited())[-1] == ("session_revoked", None)
    again = await browser.delete(f"{SESSIONS}/{held}")
    assert (again.status_code, again.json()["code"]) == (404, "session_missing")


async def test_nobody_ends_a_strangers_session(container, browser, joined):
    await joined(browser)
    async with container.client() as other:
        theirs = (await joined(other, "eva@example.com"))["session_id"]
        assert (await browser.delete(f"{SESSIONS}/{theirs}")).status_code == 404
        assert (await other.get(ME)).status_code == 200
    async with container.client() as visitor:
        assert (await visitor.get(SESSIONS)).status_code == 401
        assert (await visitor.delete(f"{SESSIONS}/{theirs}")).status_code == 401


async def test_signing_out_everywhere_ends_all_and_what_was_made_for_them(
    container, browser, joined, password, audited
):
    await joined(browser)
    who = {"email": "mira@example.com", "password": password}
    async with container.client() as phone, container.client() as program:
        await phone.post("/api/v1/auth/sign-in", json=who)
        held = await program.post("/api/v1/auth/token", json={"grant_type": "password", **who})
        bearer = {"Authorization": f"Bearer {held.json()['access_token']}"}
        async with container.client() as other:
            await joined(other, "eva@example.com")
            answer = await browser.post("/api/v1/auth/sign-out-everywhere")
            assert answer.status_code == 204
            assert COOKIE not in browser.cookies
            assert (await other.get(ME)).status_code == 200
        assert (await phone.get(ME)).status_code == 401
        assert (await program.get(ME, headers=bearer)).status_code == 401
        grant = {"grant_type": "refresh_token", "refresh_token": held.json()["refresh_token"]}
        assert (await program.post("/api/v1/auth/token", json=grant)).status_code == 401
    assert ("signed_out_everywhere", None) in await audited()


# Another password ---------------------------------------------------------------------------------


async def test_a_new_password_asks_the_old_one_and_ends_other_sessions(
    container, browser, joined, password, mailbox, audited
):
    await joined(browser)
    who = {"email": "mira@example.com", "password": password}
    async with container.client() as phone:
        await phone.post("/api/v1/auth/sign-in", json=who)
        change = {"old_password": "not the password", "new_password": "quite another one"}
        refused = await browser.post("/api/v1/auth/password", json=change)
        assert (refused.status_code, refused.json()["code"]) == (403, "password_wrong")
        assert (await phone.get(ME)).status_code == 200
        change["old_password"] = password
        weak = await browser.post("/api/v1/auth/password", json={**change, "new_password": "x"})
        assert weak.status_code == 422
        assert (await browser.post("/api/v1/auth/password", json=change)).status_code == 204
        assert (await phone.get(ME)).status_code == 401
        assert (await browser.get(ME)).status_code == 200
        assert (await phone.post("/api/v1/auth/sign-in", json=who)).status_code == 401
        new = {**who, "password": "quite another one"}
        assert (await phone.post("/api/v1/auth/sign-in", json=new)).status_code == 200
    assert [one.subject for one in await mailbox.to("mira@example.com")][
        -1
    ] == "Your password was changed"
    assert ("password_changed", None) in await audited()


async def test_two_changes_at_once_make_one(container, browser, joined, password):
    await joined(browser)
    answers = await asyncio.gather(
        *(
            browser.post(
                "/api/v1/auth/password",
                json={"old_password": password, "new_password": f"quite another one {n}"},
            )
            for n in range(2)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [204, 403]


async def test_guessing_the_old_password_is_stopped(browser, joined, password):
    await joined(browser)
    change = {"old_password": "not the password", "new_password": "quite another one"}
    answers = [await browser.post("/api/v1/auth/password", json=change) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [403] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
