"""A new password by a mailed link: only the newest, once, for an hour."""

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from tests.auth.conftest import PASSWORD

from selify.core.database import Actor

ASK = "/api/v1/auth/password-reset"
RESET = "/api/v1/auth/password-reset/confirm"
SIGN_IN = "/api/v1/auth/sign-in"
TOKEN = "/api/v1/auth/token"
ME = "/api/v1/auth/me"
LENA = "lena@shop.example"
NEW = "quite another password"
SYSTEM = Actor.system("test")


@pytest.fixture
async def lena(container, browser, joined, mailbox):
    """Confirmed, in a browser."""
    await joined(browser, LENA)
    token = await mailbox.newest("/confirm-email")
    await browser.post("/api/v1/auth/email-confirmation/confirm", json={"token": token})
    return browser


async def ask(container, email=LENA, address="198.51.100.9", **headers):
    async with container.client(address) as visitor:
        return await visitor.post(ASK, json={"email": email}, headers=headers)


async def reset(container, token, password=NEW, address="198.51.100.9"):
    async with container.client(address) as visitor:
        return await visitor.post(RESET, json={"token": token, "password": password})


async def sessions_of(container):
    return {str(row["id"]) for row in await container.run("SELECT id FROM auth.sessions")}


async def test_only_the_newest_link_is_good(container, lena, mailbox):
    assert [(await ask(container)).status_code for _ in range(2)] == [202, 202]
    older, newest = await mailbox.links("/reset")
    assert (await reset(container, older)).status_code == 410
    assert (await reset(container, newest)).status_code == 200


async def test_two_asked_at_once_leave_one(container, lena, mailbox):
    await asyncio.gather(ask(container), ask(container), ask(container))
    answers = [(await reset(container, one)).status_code for one in await mailbox.links("/reset")]
    assert sorted(answers) == [200, 410, 410]


async def test_an_unknown_address_gets_the_same_answer_and_costs_the_same(
    container, lena, mailbox, monkeypatch
):
    from selify.core import database

    asked = []
    execute, fetch = database.Tx.execute, database.Tx.fetch

    async def counted(tx, sql, *args):
        asked.append(sql)
        return await execute(tx, sql, *args)

    async def counted_fetch(tx, sql, *args):
        asked.append(sql)
        return await fetch(tx, sql, *args)

    monkeypatch.setattr(database.Tx, "execute", counted)
    monkeypatch.setattr(database.Tx, "fetch", counted_fetch)
    before = len(await mailbox.deliver())
    asked.clear()
    known = await ask(container)
    of_known, asked[:] = list(asked), []
    unknown = await ask(container, "nobody@shop.example")
    of_unknown = list(asked)
    for answer in (known, unknown):
        assert answer.status_code == 202
    assert known.json() == unknown.json()
    assert known.headers.keys() == unknown.headers.keys()
    only_known = [sql for sql in of_known if sql not in of_unknown]
    assert len(only_known) == 1, "the mail itself"
    assert "internal.outbox" in only_known[0]
    assert len(await mailbox.deliver()) == before + 1


async def test_two_browsers_send_the_same_link(container, lena, mailbox, audited):
    """At once: one has it. All sessions of before end, the owner is told, and it is written down."""
    async with container.client() as phone, container.client() as tablet:
        for other in (phone, tablet):
            await other.post(SIGN_IN, json={"email": LENA, "password": PASSWORD})
        before = await sessions_of(container)
        assert len(before) == 3
        await ask(container)
        token = await mailbox.newest("/reset")
        answers = await asyncio.gather(reset(container, token), reset(container, token, NEW + "!"))
        assert sorted(answer.status_code for answer in answers) == [200, 410]
        gone = next(answer for answer in answers if answer.status_code == 410)
        assert gone.json()["code"] == "link_gone"
        after = await sessions_of(container)
        assert len(after) == 1
        assert not after & before
        for browser in (lena, phone, tablet):
            assert (await browser.get(ME)).status_code == 401
    told = [letter.subject for letter in await mailbox.to(LENA)]
    assert told.count("Your password was changed") == 1
    assert [line for line in await audited() if line[0] == "password_reset"] == [
        ("password_reset", None)
    ]


async def test_the_new_password_is_the_password(container, lena, mailbox):
    await ask(container)
    made = await reset(container, await mailbox.newest("/reset"))
    assert made.cookies["selify_session"]
    assert made.json()["user"]["email"] == LENA
    async with container.client("203.0.113.99") as phone:
        for password, status in ((PASSWORD, 401), (NEW, 200)):
            answer = await phone.post(SIGN_IN, json={"email": LENA, "password": password})
            assert answer.status_code == status


async def test_programs_of_before_are_out(container, lena, mailbox):
    async with container.client() as program:
        who = {"grant_type": "password", "email": LENA, "password": PASSWORD}
        held = (await program.post(TOKEN, json=who)).json()
        await ask(container)
        await reset(container, await mailbox.newest("/reset"))
        grant = {"grant_type": "refresh_token", "refresh_token": held["refresh_token"]}
        assert (await program.post(TOKEN, json=grant)).status_code == 401
        bearer = {"Authorization": f"Bearer {held['access_token']}"}
        assert (await program.get(ME, headers=bearer)).status_code == 401


async def test_it_dies_with_a_sign_in(container, lena, mailbox):
    await ask(container)
    token = await mailbox.newest("/reset")
    async with container.client("203.0.113.99") as phone:
        wrong = {"email": LENA, "password": "not the password"}
        assert (await phone.post(SIGN_IN, json=wrong)).status_code == 401
        right = {"email": LENA, "password": PASSWORD}
        assert (await phone.post(SIGN_IN, json=right)).status_code == 200
    assert (await reset(container, token)).status_code == 410
    assert (await lena.get(ME)).status_code == 200


async def test_it_dies_with_a_change_of_the_password(container, lena, mailbox):
    await ask(container)
    token = await mailbox.newest("/reset")
    change = {"old_password": PASSWORD, "new_password": "a third password"}
    assert (await lena.post("/api/v1/auth/password", json=change)).status_code == 204
    assert (await reset(container, token)).status_code == 410


async def test_it_dies_with_a_change_of_the_address(container, lena, mailbox):
    await ask(container)
    token = await mailbox.newest("/reset")
    change = {"email": "lena@new.example", "password": PASSWORD}
    assert (await lena.post("/api/v1/auth/email", json=change)).status_code == 202
    confirmed = {"token": await mailbox.newest("/change-email", "lena@new.example")}
    assert (await lena.post("/api/v1/auth/email/confirm", json=confirmed)).status_code == 204
    assert (await reset(container, token)).status_code == 410


async def test_its_link_is_our_own_whatever_the_request_says(container, lena, mailbox):
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    answer = await ask(container, **evil)
    assert answer.status_code == 202
    link = urlsplit((await mailbox.to(LENA))[-1].link)
    own = urlsplit(container.authenticator.public_url)
    assert (link.scheme, link.netloc) == (own.scheme, own.netloc)


@pytest.mark.parametrize(("minutes", "status"), [(59, 200), (60, 410), (61, 410)])
async def test_it_is_good_for_an_hour(container, lena, mailbox, minutes, status):
    await ask(container)
    token = await mailbox.newest("/reset")
    container.clock.advance(timedelta(minutes=minutes))
    assert (await reset(container, token)).status_code == status


async def test_a_password_that_is_no_good_uses_nothing_up(container, lena, mailbox):
    await ask(container)
    token = await mailbox.newest("/reset")
    for bad in ("short", LENA, "aaaaaaaaaaaa"):
        answer = await reset(container, token, bad)
        assert (answer.status_code, answer.json()["code"]) == (422, "password_invalid")
    assert (await reset(container, token)).status_code == 200


async def test_three_mails_an_hour(container, lena, mailbox):
    async def mails():
        return len([letter for letter in await mailbox.to(LENA) if "/reset?" in letter.link])

    for number in range(5):
        answer = await ask(container, LENA.upper(), f"198.51.100.{number}")
        assert answer.status_code == 202
    assert await mails() == 3
    assert (await reset(container, await mailbox.newest("/reset"))).status_code == 200
    container.clock.advance(timedelta(minutes=61))
    await ask(container)
    assert await mails() == 4


async def test_one_place_does_not_write_to_everybody(container):
    answers = [
        (await ask(container, f"user{number}@shop.example")).status_code for number in range(31)
    ]
    assert answers == [202] * 30 + [429]


async def test_secrets_are_not_guessed(container, lena, mailbox):
    answers = [(await reset(container, f"guess-{n}", address="192.0.2.1")) for n in range(21)]
    assert [answer.status_code for answer in answers] == [410] * 20 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    await ask(container)
    assert (await reset(container, await mailbox.newest("/reset"))).status_code == 200


async def test_nothing_at_rest_opens_the_door(container, lena, mailbox):
    await ask(container)
    token = await mailbox.newest("/reset")
    for table in ("internal.one_time_links", "internal.outbox", "internal.local_mails"):
        rows = [dict(row) for row in await container.run(f"SELECT * FROM {table}")]
        assert rows
        assert token not in str(rows)
    audit = [dict(row) for row in await container.run("SELECT * FROM public.sso_audit_log")]
    assert token not in str(audit)


@pytest.mark.parametrize("closed", ["banned_until = 'infinity'", "deleted_at = now()"])
async def test_it_is_no_side_door(container, lena, mailbox, closed):
    await ask(container)
    token = await mailbox.newest("/reset")
    await container.run(f"UPDATE auth.users SET {closed}")
    await container.run("DELETE FROM auth.sessions")
    before = len(await mailbox.deliver())
    assert (await reset(container, token)).status_code == 403
    assert (await ask(container)).status_code == 202
    assert len(await mailbox.deliver()) == before
    assert not await sessions_of(container)


async def test_whoever_reads_the_mailbox_has_the_account(
    container, browser, joined, mailbox, audited
):
    """It was made with their address by somebody who never confirmed it: all of theirs ends."""
    made = await joined(browser, LENA)
    assert made["user"]["email_confirmed"] is False
    workspace = await browser.post("/api/v1/workspaces", json={"name": "Nordlicht"})
    assert workspace.status_code == 201
    change = {"email": "other@evil.example", "password": PASSWORD}
    await browser.post("/api/v1/auth/email", json=change)
    link_from_before = await mailbox.newest("/change-email")
    await ask(container)
    answer = await reset(container, await mailbox.newest("/reset"))
    assert answer.json()["user"]["id"] == made["user"]["id"]
    assert (await browser.get(ME)).status_code == 401
    async with container.client("203.0.113.99") as attacker:
        old = {"email": LENA, "password": PASSWORD}
        assert (await attacker.post(SIGN_IN, json=old)).status_code == 401
        claim = {"token": link_from_before}
        confirmed = await attacker.post("/api/v1/auth/email/confirm", json=claim)
        assert confirmed.status_code == 410
    [user] = await container.run("SELECT email, email_confirmed_at FROM auth.users")
    assert (user["email"], user["email_confirmed_at"]) == (LENA, container.clock.now())
    assert ("address_claimed", None) in await audited()


async def test_of_who_confirmed_nothing_is_claimed(container, lena, mailbox, audited):
    await ask(container)
    await reset(container, await mailbox.newest("/reset"))
    assert ("address_claimed", None) not in await audited()


async def test_a_reset_while_somebody_else_is_signed_in_here_ends_their_session(
    container, lena, joined, mailbox
):
    async with container.client("203.0.113.50") as shared:
        await joined(shared, "eva@shop.example")
        held = shared.cookies["selify_session"]
        await ask(container)
        body = {"token": await mailbox.newest("/reset"), "password": NEW}
        assert (await shared.post(RESET, json=body)).status_code == 200
        assert (await shared.get(ME)).json()["user"]["email"] == LENA
    async with container.client(headers={"Cookie": f"selify_session={held}"}) as thief:
        assert (await thief.get(ME)).status_code == 401


async def test_another_website_cannot_ask_or_reset(container, lena, mailbox):
    evil = {"Origin": "https://evil.example"}
    async with container.client(headers=evil) as visitor:
        assert (await visitor.post(ASK, json={"email": LENA})).status_code == 403
        body = {"token": "x", "password": NEW}
        assert (await visitor.post(RESET, json=body)).status_code == 403
