"""One line for everything that happens at the door, refused or not; each person reads their own."""

import json
from datetime import timedelta

import pytest
from tests.auth.conftest import PASSWORD

from selify.auth import sign_in_audit
from selify.auth.sign_in_audit import SignInEvent
from selify.auth.types import ClientInfo
from selify.core.database import Actor

SYSTEM = Actor.system("test")
AUDIT = "/api/v1/auth/audit"
SIGN_IN = "/api/v1/auth/sign-in"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"


async def sign_in(client, password, email="mira@example.com"):
    return await client.post(SIGN_IN, json={"email": email, "password": password})


async def test_coming_and_going_is_written_down(container, browser, joined, audited):
    await joined(browser)
    await browser.post("/api/v1/auth/sign-out")
    await sign_in(browser, "not the password")
    await sign_in(browser, PASSWORD, "nobody@example.com")
    assert await audited() == [
        ("sign_up", None),
        ("sign_in", None),
        ("signed_out", None),
        ("sign_in_failed", "wrong_credentials"),
        ("sign_in_failed", "wrong_credentials"),
    ]


async def test_a_line_says_who_when_and_from_where(container, joined):
    async with container.client("198.51.100.4", headers={"User-Agent": AGENT}) as client:
        client.headers["Origin"] = container.authenticator.public_url
        made = await joined(client)
    *_, line = await container.run("SELECT * FROM public.sso_audit_log ORDER BY id")
    assert str(line["user_id"]) == made["user"]["id"]
    assert (line["email"], line["login_method"]) == ("mira@example.com", "password")
    assert (str(line["ip_address"]), line["user_agent"]) == ("198.51.100.4", AGENT)
    assert (line["created_at"], line["success"]) == (container.clock.now(), True)


async def test_of_a_stranger_there_is_what_was_typed(container, browser):
    await sign_in(browser, PASSWORD, "Nobody@example.com")
    [line] = await container.run("SELECT * FROM public.sso_audit_log")
    assert (line["user_id"], line["email"], line["success"]) == (None, "nobody@example.com", False)


async def test_the_closed_are_written_down(container, browser, joined, audited):
    await joined(browser)
    await container.run("UPDATE auth.users SET banned_until = 'infinity'")
    assert (await sign_in(browser, PASSWORD)).status_code == 403
    assert (await audited())[-1] == ("sign_in_failed", "account_closed")


async def test_whoever_knocks_for_ever_fills_no_log(container, browser, joined, audited):
    await joined(browser)
    for _ in range(15):
        await sign_in(browser, "not the password")
    failed = [code for event, code in await audited() if event == "sign_in_failed"]
    assert failed == ["wrong_credentials"] * 10 + ["too_many_attempts"]
    container.clock.advance(timedelta(minutes=15))
    assert (await sign_in(browser, PASSWORD)).status_code == 200


async def test_no_secret_is_in_it(container, browser, joined, mailbox):
    await joined(browser)
    await browser.post("/api/v1/auth/password-reset", json={"email": "mira@example.com"})
    token = await mailbox.newest("/reset")
    body = {"token": token, "password": "quite another one"}
    await browser.post("/api/v1/auth/password-reset/confirm", json=body)
    async with container.database.tx(SYSTEM) as tx:
        await sign_in_audit.record(
            tx,
            SignInEvent.SIGN_IN_FAILED,
            now=container.clock.now(),
            error_code="x",
            metadata={"password": "s3cr3t-word", "said": "token=t0k3n-value"},
        )
    written = str([dict(row) for row in await container.run("SELECT * FROM public.sso_audit_log")])
    held = (token, PASSWORD, "quite another one", browser.cookies["selify_session"])
    for secret in (*held, "s3cr3t-word", "t0k3n-value"):
        assert secret not in written


async def test_each_reads_their_own(container, browser, joined):
    await joined(browser)
    async with container.client("198.51.100.4") as other:
        await joined(other, "eva@example.com")
        await sign_in(other, "not the password")  # at mira's door
        mine = (await browser.get(AUDIT)).json()["lines"]
        theirs = (await other.get(AUDIT)).json()["lines"]
    assert [line["event"] for line in mine] == ["sign_in_failed", "sign_in", "sign_up"]
    assert (mine[0]["address"], mine[0]["error_code"]) == ("198.51.100.4", "wrong_credentials")
    assert [line["event"] for line in theirs] == ["sign_in", "sign_up"]
    async with container.client() as visitor:
        assert (await visitor.get(AUDIT)).status_code == 401


async def write(container, user, many):
    async with container.database.tx(SYSTEM) as tx:
        for number in range(many):
            await sign_in_audit.record(
                tx,
                SignInEvent.SIGN_IN,
                now=container.clock.now(),
                user=user,
                metadata={"n": number},
                client=ClientInfo("192.0.2.1", None),
            )


async def someone(container, browser):
    async with container.database.tx(SYSTEM) as tx:
        from selify.auth import repository

        account = await repository.find_account(
            tx, email="mira@example.com", now=container.clock.now()
        )
    return account.user


async def test_long_lists_go_on_after_a_line(container, browser, joined):
    await joined(browser)
    await write(container, await someone(container, browser), 23)
    seen, after = [], None
    while True:
        params = {"limit": 10} | ({"after": after} if after else {})
        page = (await browser.get(AUDIT, params=params)).json()
        seen += [line["id"] for line in page["lines"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == 25
    assert seen == sorted(set(seen), reverse=True)
    for bad in ("0", "201", "x"):
        assert (await browser.get(AUDIT, params={"limit": bad})).status_code == 422


async def test_the_list_is_read_by_an_index(container, browser, joined):
    """However many lines others have, and oneself."""
    await joined(browser)
    user = await someone(container, browser)
    await write(container, user, 300)
    async with container.database.tx(SYSTEM) as tx:
        await tx.execute("SET LOCAL enable_seqscan = off")
        found = await tx.fetch_value(
            """
            EXPLAIN (FORMAT JSON)
            SELECT l.id FROM internal.sign_in_history h
              JOIN public.sso_audit_log l ON l.id = h.line_id
             WHERE h.user_id = $1 AND h.line_id < $2 ORDER BY h.line_id DESC LIMIT 50
            """,
            user.id,
            user.id,
        )
    plan = json.dumps(found)
    assert "sign_in_history_pkey" in plan
    assert '"Sort"' not in plan


async def test_history_is_not_rewritten(container, browser, joined):
    import asyncpg

    await joined(browser)
    for sql in ("UPDATE public.sso_audit_log SET email = ''", "DELETE FROM public.sso_audit_log"):
        with pytest.raises(asyncpg.PostgresError):
            await container.run(sql)


async def test_what_is_refused_is_committed_though_the_request_fails(container, browser, joined):
    """The line does not go with the refusal."""
    await joined(browser)
    before = len(await container.run("SELECT FROM public.sso_audit_log"))
    assert (await sign_in(browser, "not the password")).status_code == 401
    assert len(await container.run("SELECT FROM public.sso_audit_log")) == before + 1
