from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request

from selify.auth import create_workspace
from selify.core.clock import SystemClock
from selify.core.database import Actor
from selify.core.queue.outbox import OutboxWorker
from selify.core.web import http
from selify.notifications import (
    NoticeChannel,
    count_unread,
    endpoints,
    list_notifications,
    mark_read,
    notify,
)
from selify.notifications.outbox import CHANNEL, notify_workspace

NOW = datetime.now(UTC)
SYSTEM = Actor.system("test")
NOTICE = {
    "kind": "credits_exhausted",
    "title": "Shoppers are waiting: the credits are used up",
    "body": "Top up, or wait until Monday.",
    "action_url": "/billing",
}


@pytest.fixture
async def brand(database):
    """A workspace with an owner, an admin, a member and someone only invited; their actors."""
    people = {name: uuid4() for name in ("owner", "admin", "member", "invited", "stranger")}
    async with database.tx(SYSTEM) as tx:
        for name, user_id in people.items():
            await tx.execute(
                "INSERT INTO auth.users (id, email) VALUES ($1, $2)", user_id, f"{name}@example.com"
            )
        workspace = await create_workspace(tx, name="Nordlicht", owner_id=people["owner"])
        for name, role in (("admin", "admin"), ("member", "member"), ("invited", "admin")):
            await tx.execute(
                "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at, invited_at)"
                " VALUES ($1, $2, $3, CASE WHEN $4 THEN NULL ELSE now() END, now())",
                workspace.id,
                people[name],
                role,
                name == "invited",
            )
    return {"workspace": workspace.id, **{n: Actor.user(u) for n, u in people.items()}}


@pytest.fixture
def worker(database):
    return OutboxWorker(
        database,
        {CHANNEL: NoticeChannel(SystemClock())},
        clock=SystemClock(),
        worker_id="test",
    )


async def told(database, brand):
    found = {}
    for name in ("owner", "admin", "member", "invited", "stranger"):
        async with database.tx(brand[name]) as tx:
            found[name] = [n.title for n in await list_notifications(tx)]
    return {name: titles for name, titles in found.items() if titles}


async def announce(database, brand, key="credits/monday", **more):
    async with database.tx(SYSTEM) as tx:
        await notify_workspace(
            tx, workspace_id=brand["workspace"], dedupe_key=key, now=NOW, **{**NOTICE, **more}
        )


async def test_those_who_can_act_are_told_once(database, brand, worker):
    for _ in range(3):
        await announce(database, brand)
        await worker.run_once()
    assert await told(database, brand) == {
        "owner": [NOTICE["title"]],
        "admin": [NOTICE["title"]],
    }
    async with database.tx(brand["owner"]) as tx:
        [notification] = await list_notifications(tx, workspace_id=brand["workspace"])
    assert (notification.kind, notification.body, notification.action_url) == (
        NOTICE["kind"],
        NOTICE["body"],
        NOTICE["action_url"],
    )


async def test_writing_the_same_event_twice_is_harmless(database, brand):
    for expected in (2, 0):
        async with database.tx(SYSTEM) as tx:
            new = await notify(
                tx, workspace_id=brand["workspace"], dedupe_key="k", now=NOW, **NOTICE
            )
        assert new == expected
    async with database.tx(SYSTEM) as tx:
        assert (
            await notify(tx, workspace_id=brand["workspace"], dedupe_key="k2", now=NOW, **NOTICE)
            == 2
        )


async def test_what_is_rolled_back_is_not_told(database, brand, worker):
    async def change_of_mind():
        async with database.tx(SYSTEM) as tx:
            await notify_workspace(
                tx, workspace_id=brand["workspace"], dedupe_key="k", now=NOW, **NOTICE
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_of_mind()
    assert await worker.run_once() == 0
    assert await told(database, brand) == {}


async def test_a_worker_killed_while_telling_tells_once(database, brand, worker):
    await announce(database, brand)
    async with database.tx(SYSTEM) as tx:
        await tx.execute(
            "UPDATE internal.outbox SET state = 'sending', attempts = 1, worker_id = 'dead',"
            " leased_until = now() - interval '1 minute'"
        )
    await worker.recover()
    await worker.recover()
    await worker.finish_reconciling()
    assert await told(database, brand) == {"owner": [NOTICE["title"]], "admin": [NOTICE["title"]]}
    async with database.tx(SYSTEM) as tx:
        assert await tx.fetch_value("SELECT state FROM internal.outbox") == "sent"


async def test_a_worker_leaves_channels_it_does_not_serve(database, brand):
    await announce(database, brand)
    other = OutboxWorker(
        database, {"letters": NoticeChannel(SystemClock())}, clock=SystemClock(), worker_id="w"
    )
    assert await other.run_once() == 0


async def test_notices_of_a_workspace_stay_in_order(database, brand, worker):
    for number in range(3):
        await announce(database, brand, key=str(number), title=f"notice {number}")
    for _ in range(3):
        await worker.run_once()
    async with database.tx(brand["owner"]) as tx:
        titles = [n.title for n in await list_notifications(tx)]
    assert titles == ["notice 2", "notice 1", "notice 0"]


async def test_what_a_deleted_workspace_says_is_read_by_everyone_who_was_in_it(
    database, brand, worker
):
    """In there nobody may read any more; so it belongs to the person."""
    await announce(database, brand, key="before", title="Before")
    await worker.run_once()
    async with database.tx(SYSTEM) as tx:
        await tx.execute("UPDATE public.workspaces SET deleted_at = now()")
        other = await create_workspace(tx, name="Other", owner_id=brand["member"].user_id)
    await announce(database, brand, key="gone", title="Gone", everyone=True)
    await worker.run_once()
    assert await told(database, brand) == {name: ["Gone"] for name in ("owner", "admin", "member")}
    async with database.tx(brand["member"]) as tx:  # and in whatever brand they look at next
        [notice] = await list_notifications(tx, workspace_id=other.id)
        assert await count_unread(tx, workspace_id=other.id) == 1
        assert (notice.title, await mark_read(tx, [notice.id], now=NOW)) == ("Gone", 1)


async def test_links_lead_nowhere_else(database, brand):
    with pytest.raises(ValueError, match="path of our own"):
        await announce(database, brand, action_url="https://evil.example")


async def test_users_cannot_tell_anybody_anything(database, brand):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.tx(brand["owner"]) as tx:
            await notify_workspace(
                tx, workspace_id=brand["workspace"], dedupe_key="k", now=NOW, **NOTICE
            )


@pytest.fixture
async def bell(database):
    async def authenticate(request: Request) -> Actor:
        user = request.headers.get("x-user")
        return Actor.user(UUID(user)) if user else Actor.visitor()

    app = FastAPI()
    http.install(app, https=False)
    app.state.database, app.state.authenticate = database, authenticate
    app.state.clock = SystemClock()
    app.include_router(endpoints.router)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test/api/v1"
    ) as client:
        yield client


def as_(actor):
    return {"X-User": str(actor.user_id)}


async def test_unread_then_read_then_archived(database, brand, worker, bell):
    for key in ("a", "b"):
        await announce(database, brand, key)
        await worker.run_once()
    owner, member = as_(brand["owner"]), as_(brand["member"])
    listed = (await bell.get("/notifications", headers=owner)).json()
    assert listed["unread"] == len(listed["notifications"]) == 2
    first, second = (notification["id"] for notification in listed["notifications"])

    async def change(verb, ids, who):
        return (await bell.post(f"/notifications/{verb}", json={"ids": ids}, headers=who)).json()[
            "changed"
        ]

    assert await change("read", [first, second], member) == 0  # not theirs
    assert await change("read", [first], owner) == 1
    assert await change("read", [first], owner) == 0
    unread = (await bell.get("/notifications", params={"unread": True}, headers=owner)).json()
    assert [n["id"] for n in unread["notifications"]] == [second]
    assert unread["unread"] == 1
    assert await change("archive", [first, second], owner) == 2
    assert await change("archive", [first, second], owner) == 0
    assert (await bell.get("/notifications", headers=owner)).json() == {
        "notifications": [],
        "unread": 0,
    }
    async with database.tx(SYSTEM) as tx:
        row = await tx.fetch_one(
            "SELECT count(*) FILTER (WHERE read_at IS NULL) AS unread, count(*) AS rows"
            " FROM public.notifications WHERE user_id = $1",
            brand["owner"].user_id,
        )
    assert tuple(row) == (0, 2)
    admin = (await bell.get("/notifications", headers=as_(brand["admin"]))).json()
    assert admin["unread"] == 2  # each reads for themselves


async def test_the_bell_refuses_visitors_and_nonsense(bell, brand):
    owner = as_(brand["owner"])
    assert (await bell.get("/notifications")).status_code == 401
    for body in ({}, {"ids": []}, {"ids": ["nul\x00"]}, {"ids": [str(uuid4())] * 201}):
        assert (await bell.post("/notifications/read", json=body, headers=owner)).status_code == 422
    for query in ({"limit": 0}, {"limit": 201}, {"workspace_id": "x"}):
        assert (await bell.get("/notifications", params=query, headers=owner)).status_code == 422
