"""A ban closes every way in at once and ends by itself; what it ended stays ended."""

from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio
from tests.auth.nordlicht import ADMIN, PASSWORD, Nordlicht, Someone, nordlicht

from selify.auth import repository, sessions, tidy
from selify.auth.sessions import AccountClosed
from selify.auth.types import ClientInfo
from selify.core.database import Actor

__all__ = ["nordlicht"]

ME = "/api/v1/auth/me"
SIGN_IN = "/api/v1/auth/sign-in"
SYSTEM = Actor.system("test")
WEEK = timedelta(days=7)
WEB = ClientInfo(None, None)


@pytest_asyncio.fixture(loop_scope="session")
async def bearer(nordlicht) -> str:
    """An access token of another session of max, good for an hour."""
    answer = await nordlicht["max"].ask(
        "POST",
        "/api/v1/auth/token",
        {"grant_type": "password", "email": "max@example.com", "password": PASSWORD},
    )
    token: str = answer.json()["access_token"]
    return token


async def ban(nordlicht: Nordlicht, whom: str = "max", **body: object) -> tuple[int, dict]:
    until = (nordlicht.house.clock.now() + WEEK).isoformat()
    answer = await nordlicht["team"].ask(
        "PUT",
        f"{ADMIN}/users/{nordlicht[whom].id}/ban",
        {"until": until, "reason": "spam", **body},
    )
    return answer.status_code, answer.json()


async def lift(nordlicht: Nordlicht, whom: str = "max") -> int:
    answer = await nordlicht["team"].ask("DELETE", f"{ADMIN}/users/{nordlicht[whom].id}/ban")
    return answer.status_code


async def sign_in(nordlicht: Nordlicht, password: str = PASSWORD, **headers: str):
    async with nordlicht.house.client() as client:
        return await client.post(
            SIGN_IN, json={"email": "max@example.com", "password": password}, headers=headers
        )


async def sessions_of(nordlicht: Nordlicht, someone: Someone) -> int:
    return len(await nordlicht.run("SELECT FROM auth.sessions WHERE user_id = $1", someone.id))


async def test_every_way_in_closes_at_once(nordlicht, bearer) -> None:
    mine = nordlicht["max"]
    assert await sessions_of(nordlicht, mine) == 2
    status, said = await ban(nordlicht)
    assert (status, said["ended_sessions"], said["ownerless"]) == (200, 2, [])
    assert await nordlicht.audited() == ["banned"]

    async with nordlicht.house.client() as program:
        token = {"Authorization": f"Bearer {bearer}"}
        assert (await program.get(ME, headers=token)).status_code == 401
    own = nordlicht.at(f"/members/{mine.id}")
    assert (await mine.ask("GET", ME)).status_code == 401
    assert (await mine.ask("PATCH", own, {"role": "member"})).status_code == 401
    assert await sessions_of(nordlicht, mine) == 0
    async with nordlicht.house.database.tx(mine.actor) as tx:  # whatever still holds a transaction
        assert await tx.fetch("SELECT FROM public.workspaces") == []


async def test_who_knows_the_password_is_told_until_when_and_nobody_else(nordlicht) -> None:
    until = nordlicht.house.clock.now() + WEEK
    await ban(nordlicht)
    right = await sign_in(nordlicht)
    assert (right.status_code, right.json()["code"]) == (403, "account_closed")
    assert f"suspended until {until.day} {until:%B} {until.year}" in right.json()["detail"]
    german = await sign_in(nordlicht, **{"Accept-Language": "de"})
    assert f"bis {until.day}. " in german.json()["detail"]
    wrong = await sign_in(nordlicht, "not the password")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")
    nobody = await nordlicht["eva"].ask(
        "POST", SIGN_IN, {"email": "nobody@example.com", "password": PASSWORD}
    )
    without = {"trace", "instance"}
    assert {k: v for k, v in wrong.json().items() if k not in without} == {
        k: v for k, v in nobody.json().items() if k not in without
    }


async def test_by_no_side_door_a_session_is_made(nordlicht) -> None:
    """Resets, invitations, confirmations and codes between hosts all end here."""
    house = nordlicht.house
    async with house.database.tx(SYSTEM) as tx:
        account = await repository.find_account(tx, email="max@example.com", now=house.clock.now())
    await ban(nordlicht)
    with pytest.raises(AccountClosed):
        async with house.database.tx(SYSTEM) as tx:
            await sessions.start(tx, account.user, client=WEB, now=house.clock.now(), lifetime=WEEK)
    renewed = await nordlicht["eva"].ask(
        "POST",
        "/api/v1/auth/token",
        {
            "grant_type": "refresh_token",
            "refresh_token": nordlicht["max"].client.cookies["selify_session"],
        },
    )
    assert renewed.status_code == 401
    assert await sessions_of(nordlicht, nordlicht["max"]) == 0


async def test_nobody_lifts_their_own_ban(nordlicht) -> None:
    await ban(nordlicht)
    assert (
        await nordlicht["max"].ask("DELETE", f"{ADMIN}/users/{nordlicht['max'].id}/ban")
    ).status_code == 404
    for change in ("banned_until = NULL", "status = 'active'"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with nordlicht.house.database.tx(nordlicht["max"].actor) as tx:
                await tx.execute(f"UPDATE public.profiles SET {change}")
    async with nordlicht.house.database.tx(nordlicht["max"].actor) as tx:
        await tx.execute("UPDATE public.profiles SET full_name = 'Max'")
    [row] = await nordlicht.run(
        "SELECT u.banned_until = p.banned_until AS agree, p.status FROM auth.users u"
        " JOIN public.profiles p ON p.id = u.id WHERE u.id = $1",
        nordlicht["max"].id,
    )
    assert tuple(row) == (True, "banned")


async def test_it_ends_by_itself_and_what_it_ended_stays_ended(nordlicht, bearer) -> None:
    house, old = nordlicht.house, nordlicht["max"].client.cookies["selify_session"]
    await ban(nordlicht)
    house.clock.advance(WEEK - timedelta(seconds=1))
    assert (await sign_in(nordlicht)).status_code == 403
    house.clock.advance(timedelta(seconds=1))
    assert (await sign_in(nordlicht)).status_code == 200
    async with house.client() as browser:
        browser.cookies.set("selify_session", old)
        assert (await browser.get(ME)).status_code == 401
    async with house.database.tx(SYSTEM) as tx:
        await tidy(tx, now=house.clock.now())
    [row] = await nordlicht.run(
        "SELECT status FROM public.profiles WHERE id = $1", nordlicht["max"].id
    )
    assert row["status"] == "active"


async def test_the_team_lifts_it_before_its_time(nordlicht) -> None:
    await ban(nordlicht)
    assert await lift(nordlicht) == 204
    assert await lift(nordlicht) == 204  # twice is as good as once
    assert (await nordlicht["max"].ask("GET", ME)).status_code == 401
    assert (await sign_in(nordlicht)).status_code == 200
    assert await nordlicht.audited() == ["banned", "ban_lifted", "ban_lifted"]


async def test_the_audit_says_who_why_and_until_when(nordlicht) -> None:
    await ban(nordlicht)
    [row] = await nordlicht.run(
        "SELECT user_id, metadata FROM public.sso_audit_log WHERE event_type = 'banned'"
    )
    assert row["user_id"] == nordlicht["max"].id
    assert row["metadata"]["by"] == str(nordlicht["team"].id)
    assert row["metadata"]["reason"] == "spam"
    assert row["metadata"]["until"].startswith(str(nordlicht.house.clock.now().year))


@pytest.mark.parametrize(
    "body",
    [
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "9999-12-31T23:59:59-12:00"},
        {"until": "2030-01-01T00:00:00"},
        {"until": None},
        {"reason": ""},
        {"reason": "nul\x00"},
        {"reason": "x" * 501},
        {"for": "ever"},
    ],
    ids=range(8),
)
async def test_what_is_no_ban_is_refused(nordlicht, body) -> None:
    assert (await ban(nordlicht, **body))[0] == 422
    assert (await nordlicht["max"].ask("GET", ME)).status_code == 200


async def test_whom_nobody_can_ban(nordlicht) -> None:
    status, said = await ban(nordlicht, "team")
    assert (status, said["code"]) == (409, "not_yourself")
    answer = await nordlicht["team"].ask(
        "PUT",
        f"{ADMIN}/users/{nordlicht.id}/ban",
        {"until": "2030-01-01T00:00:00Z", "reason": "spam"},
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "user_missing")


async def test_a_banned_member_of_our_team_is_none(nordlicht) -> None:
    await nordlicht.run(
        "UPDATE auth.users SET raw_app_meta_data = '{\"team\": true}' WHERE id = $1",
        nordlicht["eva"].id,
    )
    await ban(nordlicht, "eva")
    answer = await nordlicht["eva"].ask("DELETE", f"{ADMIN}/users/{nordlicht['max'].id}/ban")
    assert answer.status_code == 404
