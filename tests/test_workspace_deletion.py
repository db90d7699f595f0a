"""A deleted workspace: goodbye at once, forgotten after thirty days, and the books stay."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from tests.infra import worlds

from selify import billing
from selify.auth import DELETION, KEPT_FOR, workspaces
from selify.auth.workspace_deletion import WorkspaceDeletion, kept
from selify.billing import departure as billing_departure
from selify.billing import spending
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database
from selify.core.departure import Departure, StillDeleted
from selify.core.files.storage import Storage
from selify.core.queue.inbox import LONGEST_WAIT
from selify.core.queue.jobs import LEASE, JobRunner
from selify.core.secrets import SecretBox
from selify.db.base import Base
from selify.db.metadata import declared_metadata
from selify.messaging import departure as messaging_departure
from selify.messaging.connecting import Connector
from selify.messaging.ports import PlatformRefused
from selify.messaging.tokens import identity
from selify.notifications.notices import notify
from selify.tryon import bot
from selify.tryon.bot import TryOnBot
from selify.tryon.invariants import PicturesArePaidFor

SYSTEM = Actor.system("test")
KEPT = kept([billing_departure.BOOKS])
COUNT = """
SELECT c.relname AS table, a.attname AS column, c.relnamespace::regnamespace::text AS schema
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relkind = 'r' AND c.relnamespace::regnamespace::text IN ('public', 'internal')
   AND a.attname IN ('workspace_id', 'linked_workspace_id', 'holding_workspace_id')
"""


@dataclass
class Gateway:
    """The platform's side of leaving. ``refusals`` in turn; then it agrees."""

    platform: str = "instagram"
    unsubscribed: list[str] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def unsubscribe(self, token: str) -> None:
        if self.meanwhile:
            await self.meanwhile()
        if self.refusals:
            raise self.refusals.pop(0)
        self.unsubscribed.append(token)


@dataclass
class Scene:
    """Two brands with a row in every table, one of which is deleted."""

    db: asyncpg.Connection
    database: Database
    clock: FrozenClock
    storage: Storage
    secrets: SecretBox
    mine: worlds.World
    other: worlds.World
    gateway: Gateway = field(default_factory=Gateway)
    others: tuple[Departure, ...] = ()

    def runner(self, name: str = "worker", storage: Any = None) -> JobRunner:
        clients = bot.clients(TryOnBot(self.database, self.clock, self.secrets))
        connector = Connector(
            self.database, clients, self.clock, self.secrets, public_url="http://127.0.0.1:8700"
        )
        accounts = messaging_departure.departure(
            self.database,
            self.clock,
            clients,
            connector,
            {"instagram": self.gateway},  # type: ignore[dict-item]
        )
        kind = WorkspaceDeletion(
            self.database,
            self.clock,
            storage or self.storage,
            [billing_departure.BOOKS, accounts, *self.others],
        )
        return JobRunner(
            self.database, {DELETION: kind}, clock=self.clock, worker_id=name, parallel=1
        )

    async def work(self, **how: Any) -> None:
        runner = self.runner(**how)
        await runner.run_once()
        await runner.finish_running()

    async def delete(self) -> None:
        name = await self.db.fetchval(
            "SELECT name FROM public.workspaces WHERE id = $1", self.mine.workspace_id
        )
        async with self.database.tx(SYSTEM) as tx:
            await workspaces.delete_workspace(
                tx,
                self.clock,
                self.mine.workspace_id,
                user_id=self.mine.users["owner"],
                typed_name=name,
            )

    async def restore(self) -> None:
        async with self.database.tx(SYSTEM) as tx:
            await workspaces.restore_workspace(
                tx, self.clock, self.mine.workspace_id, user_id=self.mine.users["owner"]
            )

    async def job(self) -> asyncpg.Record:
        return await self.db.fetchrow(
            "SELECT * FROM internal.jobs WHERE kind = $1 ORDER BY created_at DESC LIMIT 1", DELETION
        )

    async def rows(self, world: worlds.World) -> dict[str, int]:
        """Tables in which the workspace is named, and how many rows do."""
        counted: dict[str, int] = {}
        for place in await self.db.fetch(COUNT):
            number = await self.db.fetchval(
                f'SELECT count(*) FROM {place["schema"]}."{place["table"]}"'
                f' WHERE "{place["column"]}" = $1',
                world.workspace_id,
            )
            if number:
                counted[place["table"]] = counted.get(place["table"], 0) + number
        return counted


@pytest_asyncio.fixture(loop_scope="session")
async def scene(
    database_url: str, database: Database, clock: FrozenClock, storage: Storage, secrets: SecretBox
) -> AsyncIterator[Scene]:
    db = await asyncpg.connect(database_url)
    tables = await worlds.read_tables(db)
    mine, other = [await worlds.build_world(db, tables, name) for name in ("mine", "other")]
    for world in (mine, other):
        account = world.rows["connected_social_accounts"]["id"]
        await db.execute(
            "UPDATE public.connected_social_accounts SET platform = 'instagram',"
            " status = 'active', access_token = $2 WHERE id = $1",
            account,
            secrets.seal(f"token of {account}", about=identity(account)),
        )
        for folder in ("garments", "photos", "results/old"):
            key = f"workspaces/{world.workspace_id}/{folder}/a.jpg"
            await storage.put(key, b"picture", content_type="image/jpeg")
    yield Scene(db, database, clock, storage, secrets, mine, other)
    await db.close()


def mappers() -> Any:
    declared_metadata()
    return Base.registry.mappers


async def _personal(db: asyncpg.Connection, world: worlds.World) -> list[str]:
    """What of the books would still say about people."""
    await db.execute("SELECT 1")
    return [
        str(dict(row))
        for table in ("workspace_usage_events", "workspace_financial_transactions")
        for row in await db.fetch(
            f"SELECT user_id, metadata::text FROM public.{table} WHERE workspace_id = $1",
            world.workspace_id,
        )
        if row["user_id"] is not None or "shopper" in (row["metadata"] or "")
    ]


async def test_the_platforms_are_told_at_once_and_the_rest_waits(scene: Scene) -> None:
    await scene.delete()
    await scene.work()
    account = scene.mine.rows["connected_social_accounts"]["id"]
    assert scene.gateway.unsubscribed == [f"token of {account}"]
    assert await scene.db.fetchval(
        "SELECT access_token = '' AND status = 'disconnected'"
        " FROM public.connected_social_accounts WHERE id = $1",
        account,
    )
    job = await scene.job()
    assert (job["state"], job["attempts"]) == ("queued", 0)
    assert job["run_after"] == scene.clock.now() + LONGEST_WAIT, "it looks again until then"
    assert await scene.storage.exists(f"workspaces/{scene.mine.workspace_id}/garments/a.jpg")


async def test_after_thirty_days_only_nameless_books_are_left(scene: Scene) -> None:
    charged = "UPDATE public.workspace_usage_events SET metadata = $2, user_id = $3 WHERE workspace_id = $1"
    for world in (scene.mine, scene.other):
        details = '{"charge": {"price": 1700}, "shopper": "ana"}'
        await scene.db.execute(charged, world.workspace_id, details, world.users["member"])
    before, untouched = await scene.rows(scene.mine), await scene.rows(scene.other)
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    await scene.work()
    assert (await scene.job())["state"] == "done"
    left = await scene.rows(scene.mine)
    own = {"jobs": 1, "retention": left.get("retention", 0)}
    assert {table: n for table, n in left.items() if table not in own} == {
        table: n for table, n in before.items() if table in KEPT and table != "workspaces"
    }
    assert await scene.rows(scene.other) == untouched
    assert await _personal(scene.db, scene.mine) == []
    assert await _personal(scene.db, scene.other)
    row = await scene.db.fetchrow(
        "SELECT name, slug, brand_voice, settings FROM public.workspaces WHERE id = $1",
        scene.mine.workspace_id,
    )
    assert row["name"] == "Deleted workspace"
    assert row["slug"] == f"deleted-{scene.mine.workspace_id}"
    assert await scene.storage.list_under(f"workspaces/{scene.mine.workspace_id}") == []
    assert len(await scene.storage.list_under(f"workspaces/{scene.other.workspace_id}")) == 3


async def test_a_new_wing_says_what_becomes_of_its_part(scene: Scene) -> None:
    """It is asked at once and again when the time has come, and what it keeps stays, without people."""
    said = []

    async def leave(workspace_id: UUID, still_deleted: StillDeleted) -> None:
        said.append(("leave", workspace_id, await still_deleted()))

    async def forget(workspace_id: UUID) -> None:
        said.append(("forget", workspace_id, scene.clock.now()))

    nameless = """
        UPDATE public.vr_shops SET name = 'A shop' WHERE id IN (SELECT id FROM public.vr_shops
         WHERE workspace_id = $1 AND name <> 'A shop' ORDER BY id LIMIT $2)
    """
    scene.others = (
        Departure(kept={"vr_shops": "a museum"}, nameless=[nameless], leave=leave, forget=forget),
    )
    mine = scene.mine.workspace_id
    await scene.delete()
    await scene.work()
    assert said == [("leave", mine, True)]
    scene.clock.advance(KEPT_FOR)
    await scene.work()
    assert said[1:] == [("leave", mine, True), ("forget", mine, scene.clock.now())]
    names = await scene.db.fetch("SELECT name FROM public.vr_shops WHERE workspace_id = $1", mine)
    assert [row["name"] for row in names] == ["A shop"]


def test_a_wing_keeps_only_tables_of_its_own() -> None:
    declared = {mapper.local_table.name: mapper.class_.__module__ for mapper in mappers()}
    assert {declared[table] for table in billing_departure.BOOKS.kept} == {"selify.billing.models"}


async def test_a_charge_still_says_what_it_was_for(scene: Scene) -> None:
    """Everything that an explanation needs stays; whom it was for does not."""
    details = '{"charge": {"price": 1700, "name": "Try-on"}, "shopper": "ana", "result": "x.jpg"}'
    await scene.db.execute(
        "UPDATE public.workspace_usage_events SET metadata = $2 WHERE workspace_id = $1",
        scene.mine.workspace_id,
        details,
    )
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    await scene.work()
    assert await scene.db.fetchval(
        'SELECT metadata = \'{"charge": {"price": 1700, "name": "Try-on"}}\'::jsonb'
        " FROM public.workspace_usage_events WHERE workspace_id = $1",
        scene.mine.workspace_id,
    )


async def test_no_invariant_is_broken_by_what_was_forgotten(scene: Scene) -> None:
    known = (*billing.invariants(scene.clock), PicturesArePaidFor(scene.clock))
    async with scene.database.tx(SYSTEM) as tx:
        before = [await invariant.violations(tx) for invariant in known]
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    await scene.work()
    async with scene.database.tx(SYSTEM) as tx:
        after = [await invariant.violations(tx) for invariant in known]
    for was, is_now in zip(before, after, strict=True):
        assert {v.subject for v in is_now} <= {v.subject for v in was}


class Broken(Exception):
    pass


class BreaksAfter:
    """Storage that is killed after so many deletions."""

    def __init__(self, storage: Storage, deletions: int) -> None:
        self._storage, self._left = storage, deletions

    async def list_under(self, folder: str) -> list[str]:
        return await self._storage.list_under(folder)

    async def delete(self, key: str) -> None:
        if self._left == 0:
            raise Broken
        self._left -= 1
        await self._storage.delete(key)


@pytest.mark.parametrize("deletions", [0, 1, 2])
async def test_killed_halfway_it_goes_on_with_what_is_left(scene: Scene, deletions: int) -> None:
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    await scene.work(storage=BreaksAfter(scene.storage, deletions))
    assert (await scene.job())["state"] == "queued"
    # A worker that was killed leaves the row in its hands; another takes it over.
    await scene.db.execute(
        "UPDATE internal.jobs SET state = 'running', worker_id = 'dead', leased_until = $1"
        " WHERE kind = $2",
        scene.clock.now(),
        DELETION,
    )
    scene.clock.advance(LEASE + timedelta(minutes=1))
    assert await scene.runner("other").recover() == 1
    await scene.work(name="other")
    assert (await scene.job())["state"] == "done"
    assert set(await scene.rows(scene.mine)) <= {*KEPT, "jobs", "retention"}
    await scene.work(name="again")  # and there is nothing more to do


async def test_who_gives_up_starts_anew_later(scene: Scene) -> None:
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    for _ in range(3):
        await scene.work(storage=BreaksAfter(scene.storage, 0))
        scene.clock.advance(timedelta(minutes=10))
    states = await scene.db.fetch("SELECT state FROM internal.jobs WHERE kind = $1", DELETION)
    assert sorted(row["state"] for row in states) == ["failed", "queued"]
    scene.clock.advance(timedelta(hours=2))
    await scene.work()
    assert set(await scene.rows(scene.mine)) <= {*KEPT, "jobs", "retention"}


async def test_nobody_sums_up_the_days_of_a_forgotten_workspace_again(scene: Scene) -> None:
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    await scene.work()
    scene.clock.advance(timedelta(days=30))
    async with scene.database.tx(SYSTEM) as tx:
        await spending.count_days(tx, now=scene.clock.now())
    summed = await scene.db.fetch("SELECT DISTINCT workspace_id FROM internal.spend_days")
    assert [row["workspace_id"] for row in summed] == [scene.other.workspace_id]


async def test_however_often_it_gives_up_it_can_start_anew(scene: Scene) -> None:
    """A key that held the one before would be too long for its index after a few days."""
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    keys = []
    for _ in range(4):
        keys.append((await scene.job())["key"])
        await scene.db.execute("UPDATE internal.jobs SET max_attempts = 1")
        await scene.work(storage=BreaksAfter(scene.storage, 0))
        scene.clock.advance(timedelta(hours=2))
    assert len(set(keys)) == len(keys)
    assert len({len(key) for key in keys[1:]}) == 1
    assert (await scene.job())["state"] == "queued"


async def test_a_platform_that_says_no_keeps_nobody(scene: Scene) -> None:
    scene.gateway.refusals.append(PlatformRefused("down", "try later"))
    await scene.delete()
    await scene.work()
    assert (await scene.job())["state"] == "queued"
    assert (
        await scene.db.fetchval(
            "SELECT count(*) FROM public.connected_social_accounts WHERE access_token <> ''"
            " AND workspace_id = $1",
            scene.mine.workspace_id,
        )
        == 0
    )


async def test_a_workspace_that_came_back_is_left_alone(scene: Scene) -> None:
    before = await scene.rows(scene.mine)
    await scene.delete()
    await scene.restore()
    scene.clock.advance(KEPT_FOR)
    await scene.work()
    assert (await scene.job())["state"] == "done"
    left = await scene.rows(scene.mine)
    # Invitations are void, and both were told.
    assert {table for table in before if left.get(table, 0) < before[table]} <= {
        "workspace_members"
    }
    assert scene.gateway.unsubscribed == []


async def test_of_what_is_forgotten_its_owner_is_told_that_there_is_nothing(scene: Scene) -> None:
    await scene.delete()
    await scene.restore()
    scene.clock.advance(timedelta(days=1))
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    await scene.work()
    with pytest.raises(workspaces.WorkspaceNotFound):
        await scene.restore()


async def test_what_is_half_forgotten_does_not_come_back_when_the_clock_does(scene: Scene) -> None:
    await scene.delete()
    scene.clock.advance(KEPT_FOR)
    await scene.work(storage=BreaksAfter(scene.storage, 1))
    scene.clock.advance(-KEPT_FOR)
    with pytest.raises(workspaces.WorkspaceForgotten):
        await scene.restore()
    async with scene.database.tx(SYSTEM) as tx:
        owner = scene.mine.users["owner"]
        assert await workspaces.list_deleted(tx, scene.clock, user_id=owner) == []


async def test_an_account_connected_again_while_another_is_let_go_stays(scene: Scene) -> None:
    """The platform takes its time; meanwhile the brand is brought back and connects its accounts."""
    second = uuid4()
    await scene.db.execute(
        "INSERT INTO public.connected_social_accounts"
        " (id, workspace_id, platform, platform_account_id, access_token, status)"
        " VALUES ($1, $2, 'instagram', 'second', $3, 'active')",
        second,
        scene.mine.workspace_id,
        scene.secrets.seal("second token", about=identity(second)),
    )
    await scene.delete()

    async def bring_back() -> None:
        scene.gateway.meanwhile = None
        await scene.restore()
        await scene.db.execute(
            "UPDATE public.connected_social_accounts SET status = 'active', disconnected_at = NULL"
            " WHERE workspace_id = $1 AND access_token <> ''",
            scene.mine.workspace_id,
        )

    scene.gateway.meanwhile = bring_back
    await scene.work()
    kept = await scene.db.fetchval(
        "SELECT count(*) FROM public.connected_social_accounts"
        " WHERE workspace_id = $1 AND status = 'active' AND access_token <> ''",
        scene.mine.workspace_id,
    )
    assert (kept, len(scene.gateway.unsubscribed)) == (1, 1)


async def test_every_member_is_told_and_nobody_who_never_came(scene: Scene) -> None:
    async with scene.database.tx(SYSTEM) as tx:
        told = {"kind": "k", "title": "t", "body": "b", "workspace_id": scene.mine.workspace_id}
        told |= {"now": scene.clock.now()}
        acting = await notify(tx, **told, dedupe_key="few")
        everyone = await notify(tx, **told, dedupe_key="all", everyone=True)
    assert everyone == acting + 1  # the member
    assert isinstance(scene.mine.users["member"], UUID)
