"""Subscribing over HTTP: each row as the subscriber may see it, and only as long as they may."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import orjson
import pytest
import pytest_asyncio
from tests.infra.settings import Settings
from tests.infra.site import served
from tests.infra.worlds import add_member, new_workspace

from selify.db.lints import security
from selify.realtime.feed import CHANNEL
from selify.realtime.reading import PUBLICATION, TABLES

URL = "/api/v1/realtime"
PASSWORD = "correct horse battery"


@dataclass
class Place:
    """A running server, its database, and two brands with an owner each."""

    client: httpx.AsyncClient
    db: asyncpg.Connection

    async def person(self) -> tuple[UUID, str]:
        """Somebody new, and an access token of theirs."""
        who = {"email": f"{uuid4().hex}@people.example", "password": PASSWORD}
        (await self.client.post("/api/v1/auth/sign-up", json=who)).raise_for_status()
        self.client.cookies.clear()
        signed = await self.client.post(
            "/api/v1/auth/token", json={"grant_type": "password", **who}
        )
        return UUID(signed.json()["user"]["id"]), signed.json()["access_token"]

    async def log(self, workspace: UUID, platform: str = "instagram") -> UUID:
        return await self.db.fetchval(
            "INSERT INTO public.oauth_audit_logs (workspace_id, event_type, platform, success)"
            " VALUES ($1, 'account_connected', $2, true) RETURNING id",
            workspace,
            platform,
        )

    @contextlib.asynccontextmanager
    async def line(
        self, token: str, workspace: UUID, *, after: str = "", **query: Any
    ) -> AsyncIterator["Line"]:
        headers = {"Authorization": f"Bearer {token}"} | ({"Last-Event-ID": after} if after else {})
        params = {"workspace_id": str(workspace), "table": list(TABLES), **query}
        async with self.client.stream("GET", URL, headers=headers, params=params) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"].startswith("text/event-stream")
            line = Line(answer.aiter_lines())
            assert (await line.event())[0] == "subscribed"
            yield line


@dataclass
class Line:
    lines: AsyncIterator[str]
    mark: str = ""

    async def event(self) -> tuple[str, dict[str, Any]]:
        """The next one; ``mark`` is its id."""
        name, data = "", {}
        async with asyncio.timeout(60):
            async for text in self.lines:
                field, _, value = text.partition(": ")
                if field == "id":
                    self.mark = value
                elif field == "event":
                    name = value
                elif field == "data":
                    data = orjson.loads(value)
                elif not text and name:
                    return name, data
        raise AssertionError("the stream has ended")


@pytest_asyncio.fixture(loop_scope="session")
async def place(database_url: str, tmp_path: Path) -> AsyncIterator[Place]:
    settings = Settings(database_url=database_url, data_dir=tmp_path)
    db = await asyncpg.connect(database_url)
    async with served(settings) as client:
        yield Place(client, db)
    await db.close()


async def test_a_member_is_told_what_happens_and_sees_no_secret(place: Place) -> None:
    user, token = await place.person()
    mine, theirs = (
        await new_workspace(place.db, user),
        await new_workspace(place.db, (await place.person())[0]),
    )
    async with place.line(token, mine) as line:
        await place.log(theirs)
        row = await place.log(mine)
        name, told = await line.event()
        assert (name, told["eventType"], told["table"]) == ("INSERT", "INSERT", "oauth_audit_logs")
        assert told["new"]["id"] == str(row)
        assert told["old"] == {}
        change = "UPDATE public.workspace_auto_reload_settings SET enabled = true, threshold_cents = 700,"
        change += " stripe_payment_method_id = 'pm_secret' WHERE workspace_id = ANY ($1)"
        await place.db.execute(change, [theirs, mine])
        name, told = await line.event()
        assert (name, told["new"]["workspace_id"]) == ("UPDATE", str(mine))
        assert told["new"]["threshold_cents"] == 700
        assert "pm_secret" not in orjson.dumps(told).decode()
        delete = "DELETE FROM public.workspace_auto_reload_settings WHERE workspace_id = ANY ($1)"
        await place.db.execute(delete, [theirs, mine])
        name, told = await line.event()
        assert (name, told["old"], told["new"]) == ("DELETE", {"workspace_id": str(mine)}, {})


async def test_nothing_is_told_of_what_was_undone(place: Place) -> None:
    user, token = await place.person()
    mine = await new_workspace(place.db, user)
    async with place.line(token, mine) as line:
        undone = place.db.transaction()
        await undone.start()
        await place.log(mine)
        await undone.rollback()
        kept = await place.log(mine)
        assert (await line.event())[1]["new"]["id"] == str(kept)


async def test_a_filter_shows_the_rows_it_names(place: Place) -> None:
    user, token = await place.person()
    mine = await new_workspace(place.db, user)
    only = {"table": "oauth_audit_logs", "filter": "platform=eq.shopify"}
    async with place.line(token, mine, **only) as line:
        await place.log(mine)
        wanted = await place.log(mine, "shopify")
        assert (await line.event())[1]["new"]["id"] == str(wanted)


async def test_who_comes_back_gets_what_came_meanwhile_else_is_told_to_reload(place: Place) -> None:
    user, token = await place.person()
    mine = await new_workspace(place.db, user)
    async with place.line(token, mine) as line:
        await place.log(mine)
        await line.event()
    meanwhile = await place.log(mine)
    async with place.line(token, mine, after=line.mark) as again:
        assert (await again.event())[1]["new"]["id"] == str(meanwhile)
    async with place.line(token, mine, after="5b1d0c9e77aa-1") as stranger:
        assert await stranger.event() == ("reload", {})


async def test_a_membership_that_ends_ends_the_stream(place: Place) -> None:
    owner, _ = await place.person()
    member, token = await place.person()
    mine = await new_workspace(place.db, owner)
    await add_member(place.db, mine, member, "member")
    async with place.line(token, mine) as line:
        await place.log(mine)
        assert (await line.event())[0] == "INSERT"
        await place.db.execute("DELETE FROM public.workspace_members WHERE user_id = $1", member)
        await place.log(mine)
        assert (await line.event())[0] == "closed"


@pytest.mark.parametrize(
    "ending",
    [
        "DELETE FROM auth.sessions WHERE user_id = $1",
        "UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE id = $1",
        "UPDATE public.workspaces SET deleted_at = now() WHERE owner_id = $1",
    ],
)
async def test_a_sign_in_that_ends_ends_the_stream(place: Place, ending: str) -> None:
    user, token = await place.person()
    mine = await new_workspace(place.db, user)
    async with place.line(token, mine) as line:
        await place.db.execute(ending, user)
        await place.log(mine)
        assert (await line.event())[0] == "closed"


@pytest.mark.parametrize(
    "ending",
    [
        "DELETE FROM auth.sessions WHERE user_id = $1",
        "UPDATE auth.sessions SET not_after = created_at + interval '1 ms' WHERE user_id = $1",
        "UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE id = $1",
        "UPDATE auth.users SET deleted_at = now() WHERE id = $1",
    ],
)
async def test_a_sign_in_that_ends_is_told_at_once(place: Place, ending: str) -> None:
    """Without waiting for the next change, in each workspace of theirs; the other line stays."""
    owner, theirs = await place.person()
    member, token = await place.person()
    mine = await new_workspace(place.db, owner)
    await add_member(place.db, mine, member, "member")
    async with place.line(token, mine) as line, place.line(theirs, mine) as other:
        await place.db.execute(ending, member)
        assert (await line.event())[0] == "closed"
        await place.log(mine)
        assert (await other.event())[0] == "INSERT"


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE public.workspaces SET deleted_at = now() WHERE id = $1",
        "DELETE FROM public.workspace_members WHERE workspace_id = $1 AND role = 'member'",
        "UPDATE public.workspace_members SET expires_at = now() WHERE workspace_id = $1 AND role = 'member'",
    ],
)
async def test_the_end_of_a_right_is_told_at_once(place: Place, ending: str) -> None:
    owner, _ = await place.person()
    member, _ = await place.person()
    mine = await new_workspace(place.db, owner)
    await add_member(place.db, mine, member, "member")
    heard: asyncio.Queue[str] = asyncio.Queue()
    await place.db.add_listener(CHANNEL, lambda *call: heard.put_nowait(call[3]))
    await place.db.execute(ending, mine)
    async with asyncio.timeout(60):
        assert orjson.loads(await heard.get()) == {"workspace_id": str(mine)}
    await place.db.reset()


async def test_a_browsers_cookie_subscribes_too(place: Place) -> None:
    who = {"email": f"{uuid4().hex}@people.example", "password": PASSWORD}
    (await place.client.post("/api/v1/auth/sign-up", json=who)).raise_for_status()
    made = await place.client.post("/api/v1/auth/sign-in", json=who)
    mine = await new_workspace(place.db, UUID(made.json()["user"]["id"]))
    params = {"workspace_id": str(mine), "table": "oauth_audit_logs"}
    async with place.client.stream("GET", URL, params=params) as answer:
        assert (answer.status_code, (await Line(answer.aiter_lines()).event())[0]) == (
            200,
            "subscribed",
        )


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"table": "workspace_events"}, 422, "not_published"),
        ({"table": "profiles"}, 422, "not_published"),
        ({"table": 'x" t; DROP TABLE y'}, 422, "not_published"),
        ({"table": "oauth_audit_logs", "filter": "platform=gt.x"}, 422, "filter_invalid"),
        ({"table": "oauth_audit_logs", "filter": "nothing=eq.x"}, 422, "filter_invalid"),
        # What one may not read, one may not ask about either.
        (
            {"table": "workspace_financial_transactions", "filter": "stripe_customer_id=eq.cus"},
            422,
            "filter_invalid",
        ),
        ({"table": []}, 422, "invalid"),
    ],
)
async def test_what_cannot_be_subscribed_to_is_refused(
    place: Place, query: dict[str, Any], status: int, code: str
) -> None:
    user, token = await place.person()
    mine = await new_workspace(place.db, user)
    answer = await place.client.get(
        URL,
        params={"workspace_id": str(mine), **query},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_strangers_and_visitors_are_refused(place: Place) -> None:
    theirs = await new_workspace(place.db, (await place.person())[0])
    _, token = await place.person()
    params = {"workspace_id": str(theirs), "table": "oauth_audit_logs"}
    for headers, status in (({"Authorization": f"Bearer {token}"}, 404), ({}, 401)):
        assert (await place.client.get(URL, params=params, headers=headers)).status_code == status


# What the reference says --------------------------------------------------------------------------


async def test_the_database_keeps_what_the_references_comments_promise(database_url: str) -> None:
    db = await asyncpg.connect(database_url)
    promised = await db.fetch(
        "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace"
        " AND obj_description(c.oid) ~ 'REPLICA IDENTITY FULL'"
    )
    full = await db.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relreplident = 'f'"
    )
    published = await db.fetch(
        "SELECT tablename FROM pg_publication_tables WHERE pubname = $1", PUBLICATION
    )
    told = await db.fetch(
        "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgfoid = 'internal.tell_subscribers'::regproc"
    )
    policies = await security.policies(db)
    await db.close()
    assert {row[0] for row in promised} == set(TABLES)
    assert {row[0] for row in full} == set(TABLES)
    assert {row[0] for row in published} == set(TABLES)
    assert {row[0] for row in told} == set(TABLES)
    # A DELETE is told to every member, so every member must have been able to see the row.
    seen_by_members = {
        policy.table
        for policy in policies
        if "SELECT" in policy.commands
        and policy.using
        == "(workspace_id = ANY (( SELECT internal.my_workspaces() AS my_workspaces)::uuid[]))"
    }
    assert set(TABLES) <= seen_by_members
