"""Everything about me, and gone (I20)."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import orjson
import pytest
import pytest_asyncio
from tests.auth.conftest import CHEAP, PASSWORD, SYSTEM, House
from tests.auth.conftest import sign_up as join
from tests.infra.worlds import World, add_member, build_world, new_workspace, read_tables, sign_up

from selify.auth.passwords import Passwords
from selify.auth.personal import catalog, endpoints
from selify.auth.personal.erasure import ERASURE, Erasure, ErasureJob
from selify.auth.personal.export import EXPORT, PersonalExport, collected
from selify.auth.personal.parts import ACCOUNTS
from selify.billing.departure import EARNINGS
from selify.core import retention
from selify.core.files.storage import Storage
from selify.core.personal_data import PersonalPart
from selify.core.queue import jobs
from selify.core.queue.jobs import JobRunner
from selify.core.web import file_endpoints
from selify.core.web.links import FileLinks
from selify.notifications.notices import PERSONAL

PARTS = (ACCOUNTS, EARNINGS, PERSONAL)
ERASE, EXPORTED = "/api/v1/auth/erasure", "/api/v1/auth/export"
OTHERS = "other.person@example.com"


@dataclass
class Scene:
    house: House
    db: asyncpg.Connection
    storage: Storage
    world: World
    other: World
    lena: UUID
    email: str
    browser: httpx.AsyncClient

    async def work(self) -> None:
        """Whatever jobs are due."""
        house = self.house
        kinds = {
            EXPORT: PersonalExport(house.database, house.clock, self.storage, PARTS),
            ERASURE: Erasure(house.database, house.clock, PARTS),
        }
        runner = JobRunner(house.database, kinds, clock=house.clock, worker_id="w", parallel=1)
        while await runner.run_once():
            await runner.finish_running()

    async def sign_in(self, email: str | None = None) -> httpx.Response:
        async with self.house.client() as client:
            return await client.post(
                "/api/v1/auth/sign-in", json={"email": email or self.email, "password": PASSWORD}
            )

    async def come_in(self) -> None:
        signed_in = await self.browser.post(
            "/api/v1/auth/sign-in", json={"email": self.email, "password": PASSWORD}
        )
        assert signed_in.status_code == 200, signed_in.text

    async def erase(self, password: str = PASSWORD) -> httpx.Response:
        return await self.browser.post(ERASE, json={"password": password})

    async def keep(self, password: str = PASSWORD) -> httpx.Response:
        async with self.house.client() as client:
            body = {"email": self.email, "password": password}
            return await client.post(f"{ERASE}/keep", json=body)

    async def exported(self) -> tuple[str, dict[str, Any]]:
        """What the file says, as it is and by its parts."""
        asked = await self.browser.post(EXPORTED)
        assert asked.status_code == 202, asked.text
        assert (asked.json()["state"], asked.json()["link"]) == ("making", None)
        await self.work()
        found = (await self.browser.get(EXPORTED)).json()
        assert found["state"] == "ready"
        async with self.house.client() as anybody:  # who has the link
            answer = await anybody.get(found["link"])
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            parts = {name: archive.read(name).decode() for name in archive.namelist()}
        said = {name.removesuffix(".json"): orjson.loads(text) for name, text in parts.items()}
        return "\n".join(parts.values()), said


@pytest_asyncio.fixture(loop_scope="session")
async def scene(container: House, database_url: str) -> AsyncIterator[Scene]:
    """Two brands with a row in every table; lena is an admin of the first, and her rows are there."""
    db = await asyncpg.connect(database_url)
    tables = await read_tables(db)
    world, other = [await build_world(db, tables, name) for name in ("a", "b")]
    lena, storage = world.users["member"], Storage.open("memory://")
    email = await db.fetchval("SELECT email FROM auth.users WHERE id = $1", lena)
    await db.execute(
        "UPDATE auth.users SET encrypted_password = $2 WHERE id = $1",
        lena,
        await Passwords(CHEAP).hash(PASSWORD),
    )
    await db.execute("UPDATE public.workspace_members SET role = 'admin' WHERE user_id = $1", lena)
    await _history(db, world, lena)
    container.app.include_router(endpoints.router)
    container.app.include_router(file_endpoints.router)
    container.app.state.links = FileLinks(container.box, container.authenticator.public_url)
    container.app.state.storage = storage
    async with container.client() as browser:
        scene = Scene(container, db, storage, world, other, lena, email, browser)
        await scene.come_in()
        yield scene
    await db.close()


async def _history(db: asyncpg.Connection, world: World, lena: UUID) -> None:
    for cents, status in ((580, "paid"), (1980, "pending")):
        await db.execute(
            "INSERT INTO public.affiliate_commissions (affiliate_user_id, commission_type,"
            " source_amount_cents, commission_rate, commission_cents, status, paid_at)"
            " VALUES ($1, 'sale', 10000, 0.2, $2, $3, CASE WHEN $3 = 'paid' THEN now() END)",
            lena,
            cents,
            status,
        )
    for _ in range(3):
        invited = await sign_up(db, f"invited-by-lena-{uuid4().hex}")
        await db.execute(
            "INSERT INTO public.workspace_members (workspace_id, user_id, role, invited_at, invited_by)"
            " VALUES ($1, $2, 'member', now(), $3)",
            world.workspace_id,
            invited,
            lena,
        )
    await db.execute(
        "INSERT INTO internal.api_keys (id, workspace_id, name, made_by, prefix, secret_hash, scopes,"
        " role, made_at) VALUES ($1, $2, 'Till', $3, 'slf_abcdefgh', decode(repeat('ab', 32), 'hex'),"
        " '{conversations:read}', 'member', now())",
        uuid4(),
        world.workspace_id,
        lena,
    )
    for table, column in (("oauth_audit_logs", "platform"), ("sso_audit_log", "source_subdomain")):
        await db.execute(
            f"INSERT INTO public.{table} (user_id, event_type, {column}, ip_address, user_agent)"
            " VALUES ($1, 'account_connected', 'x', '203.0.113.9', 'Lena''s browser')",
            lena,
        )
    await db.execute(
        "UPDATE public.profiles SET full_name = 'Lena Lund', phone = '+49 1', username = 'lena',"
        " location = 'Kiel' WHERE id = $1",
        lena,
    )


async def test_everything_about_me_and_nothing_of_others(scene: Scene) -> None:
    text, said = await scene.exported()
    assert said["profile"][0]["email"] == scene.email
    assert len(said["sessions"]) == 1
    assert [one["role"] for one in said["memberships"]] == ["admin"]
    assert len(said["invitations_sent"]) == 3
    assert {one["commission_cents"] for one in said["commissions"]} >= {580, 1980}
    assert [one["name"] for one in said["api_keys_made"]] == ["Till"]
    assert "203.0.113.9" in {one["ip_address"] for one in said["audit_of_connections"]}
    assert "203.0.113.9" in {one["ip_address"] for one in said["audit_of_sign_ins"]}
    assert said["notifications"]
    assert "public.wardrobe_garments" in {one["table"] for one in said["elsewhere"]}
    # No secrets, and of nobody else an address.
    for row in await scene.db.fetch("SELECT email FROM auth.users WHERE id <> $1", scene.lena):
        assert row["email"] not in text
    hashed = await scene.db.fetchval(
        "SELECT encrypted_password FROM auth.users WHERE id = $1", scene.lena
    )
    assert hashed not in text
    assert "abababab" not in text
    for row in await scene.db.fetch(
        "SELECT encode(current_hash, 'hex') AS h FROM internal.session_secrets"
    ):
        assert row["h"] not in text
    assert PASSWORD not in text


async def test_a_later_table_adds_itself(scene: Scene) -> None:
    """Declared by its wing, or found in the catalogs."""
    await scene.db.execute(
        "CREATE TABLE internal.toys (id uuid PRIMARY KEY, made_by uuid REFERENCES auth.users (id))"
    )
    try:
        toy = uuid4()
        await scene.db.execute("INSERT INTO internal.toys VALUES ($1, $2)", toy, scene.lena)
        await scene.db.execute("GRANT SELECT ON internal.toys TO service_role")
        part = PersonalPart(told={"toys": "SELECT id FROM internal.toys WHERE made_by = $1"})
        async with scene.house.database.tx(SYSTEM) as tx:
            said = await collected(tx, scene.lena, [*PARTS, part])
            with pytest.raises(ValueError, match="two wings tell toys"):
                await collected(tx, scene.lena, [part, part])
        assert said["toys"] == [{"id": str(toy)}]
        assert {"table": "internal.toys", "as": "made_by", "rows": [str(toy)]} in said["elsewhere"]
    finally:
        await scene.db.execute("DROP TABLE internal.toys")


async def test_the_link_and_the_file_expire(scene: Scene) -> None:
    await scene.exported()
    clock = scene.house.clock
    link = (await scene.browser.get(EXPORTED)).json()["link"]
    clock.advance(timedelta(hours=1, seconds=1))
    assert (await scene.browser.get(link)).status_code == 410
    again = (await scene.browser.get(EXPORTED)).json()["link"]
    assert (await scene.browser.get(again)).status_code == 200
    clock.advance(timedelta(days=7))
    assert (await scene.browser.get(EXPORTED)).status_code == 404
    await retention.sweep(scene.house.database, scene.storage, now=clock.now())
    assert await scene.storage.keys() == []


async def test_one_is_made_at_a_time(scene: Scene) -> None:
    one, other = [(await scene.browser.post(EXPORTED)).json() for _ in range(2)]
    assert one == other
    queued = await scene.db.fetch("SELECT FROM internal.jobs WHERE kind = $1", EXPORT)
    assert len(queued) == 1
    answers = [(await scene.browser.post(EXPORTED)).status_code for _ in range(4)]
    assert answers == [202, 202, 202, 429]
    async with scene.house.client() as visitor:
        assert (await visitor.post(EXPORTED)).status_code == 401
        assert (await visitor.get(EXPORTED)).status_code == 401


async def test_an_export_that_fails_says_so(scene: Scene) -> None:
    await scene.browser.post(EXPORTED)
    house = scene.house
    job = await house.run("SELECT id FROM internal.jobs WHERE kind = $1", EXPORT)
    assert job
    broken = PersonalExport(house.database, house.clock, scene.storage, PARTS)
    async with house.database.tx(SYSTEM) as tx:
        [held] = await jobs.claim(tx, worker_id="w", now=house.clock.now(), limit=1, kinds=[EXPORT])
        await broken.give_up(tx, held, "the store is away")
    assert (await scene.browser.get(EXPORTED)).json()["state"] == "failed"
    assert (await scene.browser.post(EXPORTED)).json()["state"] == "making"


async def test_who_asks_to_be_forgotten_is_out_at_once_and_may_come_back(scene: Scene) -> None:
    async with scene.house.client() as other_browser:
        await other_browser.post(
            "/api/v1/auth/sign-in", json={"email": scene.email, "password": PASSWORD}
        )
        wrong = await scene.erase("wrong password")
        assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_credentials")
        assert (await scene.sign_in()).status_code == 200
        asked = await scene.erase()
        assert asked.status_code == 202, asked.text
        assert asked.json()["due_at"].startswith(
            (scene.house.clock.now() + timedelta(days=14)).date().isoformat()
        )
        for browser in (scene.browser, other_browser):
            assert (await browser.get("/api/v1/auth/me")).status_code == 401
    assert (await scene.sign_in()).status_code == 403
    scene.house.clock.advance(timedelta(days=8))
    assert (await scene.keep("wrong password")).status_code == 401
    assert (await scene.keep()).status_code == 200
    assert (await scene.sign_in()).status_code == 200
    again = await scene.keep()
    assert (again.status_code, again.json()["code"]) == (404, "no_erasure_asked")
    # The first job comes when it was due, and leaves the account alone.
    scene.house.clock.advance(timedelta(days=7))
    await scene.work()
    assert (await scene.sign_in()).status_code == 200
    assert len(await _memberships(scene)) == 1


async def test_after_the_grace_nobody_is_left_and_the_books_are(scene: Scene) -> None:
    await scene.exported()
    books = ("workspace_usage_events", "workspace_financial_transactions", "affiliate_commissions")
    trails = ("oauth_audit_logs", "sso_audit_log", "social_messages", "conversation_messages")
    before = {table: await _count(scene, table) for table in (*books, *trails)}
    assert (await scene.erase()).status_code == 202
    clock = scene.house.clock
    clock.advance(timedelta(days=13, hours=23))
    await scene.work()
    assert await scene.db.fetchval("SELECT email FROM auth.users WHERE id = $1", scene.lena)
    clock.advance(timedelta(hours=1))
    assert (await scene.keep()).status_code == 404
    await scene.work()
    assert {table: await _count(scene, table) for table in (*books, *trails)} == before
    assert await _memberships(scene) == []
    profile = await scene.db.fetchrow("SELECT * FROM public.profiles WHERE id = $1", scene.lena)
    for column in ("email", "full_name", "username", "phone", "location", "avatar_url", "website"):
        assert profile[column] is None, column
    assert profile["status"] == "deleted"
    statuses = await scene.db.fetch(
        "SELECT status, reversal_reason FROM public.affiliate_commissions"
        " WHERE affiliate_user_id = $1 AND commission_cents IN (580, 1980) ORDER BY commission_cents",
        scene.lena,
    )
    assert [tuple(row) for row in statuses] == [
        ("paid", None),
        ("reversed", "The account was erased."),
    ]
    assert await scene.db.fetchval(
        "SELECT count(*) FROM public.workspace_usage_events WHERE user_id = $1", scene.lena
    )
    # The key she made works on, and is listed for review.
    assert await scene.db.fetchval("SELECT review FROM internal.api_keys") == "maker_left"
    await retention.sweep(scene.house.database, scene.storage, now=clock.now())
    assert await scene.storage.keys() == []


async def test_no_row_says_her_name_or_address_any_more(scene: Scene) -> None:
    """Wherever it might stand."""
    await scene.erase()
    scene.house.clock.advance(timedelta(days=14))
    await scene.work()
    for table in await scene.db.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace::regnamespace::text IN ('public', 'internal', 'auth')"
    ):
        for row in await scene.db.fetch(f"SELECT t::text AS row FROM {table['name']} t"):
            for word in (scene.email, "Lena Lund", "203.0.113.9", "Lena's browser"):
                assert word not in row["row"], (table["name"], row["row"])


async def test_nobody_else_is_touched(scene: Scene) -> None:
    others = "SELECT count(*) FROM public.workspace_members WHERE user_id <> $1"
    people = "SELECT id, email, encrypted_password FROM auth.users WHERE id <> $1 ORDER BY id"
    before = [tuple(row) for row in await scene.db.fetch(people, scene.lena)]
    counted = await scene.db.fetchval(others, scene.lena)
    notices = "SELECT count(*) FROM public.notifications WHERE user_id <> $1"
    told = await scene.db.fetchval(notices, scene.lena)
    await scene.erase()
    scene.house.clock.advance(timedelta(days=14))
    await scene.work()
    assert [tuple(row) for row in await scene.db.fetch(people, scene.lena)] == before
    assert await scene.db.fetchval(others, scene.lena) == counted
    assert await scene.db.fetchval(notices, scene.lena) == told


async def test_the_address_is_free_for_whoever_comes(scene: Scene) -> None:
    sign_up_again = {"email": scene.email, "password": PASSWORD}
    await scene.erase()
    async with scene.house.client() as client:
        await client.post("/api/v1/auth/sign-up", json=sign_up_again)
        closed = await client.post("/api/v1/auth/sign-in", json=sign_up_again)
        assert closed.status_code == 403, "it may still be wanted"
        scene.house.clock.advance(timedelta(days=14))
        await scene.work()
        me = await join(client, scene.email)
        assert me["user"]["id"] != str(scene.lena)
        assert (await client.get("/api/v1/workspaces")).json() == {"workspaces": []}


async def test_erased_twice_or_killed_halfway_is_harmless(scene: Scene) -> None:
    await scene.erase()
    scene.house.clock.advance(timedelta(days=14))
    database, clock = scene.house.database, scene.house.clock
    [row] = await scene.house.run("SELECT payload, asked_at FROM internal.jobs, internal.erasures")
    assert ErasureJob.read(row["payload"]).asked_at == row["asked_at"]
    dies = PersonalPart(forget=("SELECT $1::uuid, $2::timestamptz, 1 / 0",))
    async with database.tx(SYSTEM) as tx:
        [job] = await jobs.claim(tx, worker_id="w", now=clock.now(), limit=1, kinds=[ERASURE])
    with pytest.raises(asyncpg.DivisionByZeroError):
        await Erasure(database, clock, [*PARTS, dies]).run(job)
    assert len(await _memberships(scene)) == 1, "all of it or nothing"
    for _ in range(2):
        await Erasure(database, clock, PARTS).run(job)
    assert await _memberships(scene) == []


async def test_who_gives_up_starts_anew_later(scene: Scene) -> None:
    await scene.erase()
    scene.house.clock.advance(timedelta(days=14))
    database, clock = scene.house.database, scene.house.clock
    async with database.tx(SYSTEM) as tx:
        [job] = await jobs.claim(tx, worker_id="w", now=clock.now(), limit=1, kinds=[ERASURE])
        await Erasure(database, clock, PARTS).give_up(tx, job, "the disk was full")
    clock.advance(timedelta(hours=1))
    await scene.work()
    assert await _memberships(scene) == []


@pytest.mark.parametrize("other", ["nobody", "invited", "banned", "deleted", "acting"])
async def test_a_last_owner_who_can_act_hands_over_first(scene: Scene, other: str) -> None:
    db, clock = scene.db, scene.house.clock
    workspace = await new_workspace(db, scene.lena)
    if other != "nobody":
        second = await sign_up(db, f"second-{uuid4().hex}")
        await add_member(db, workspace, second, "owner")
        changes = {
            "invited": "UPDATE public.workspace_members SET joined_at = NULL, invited_at = now()"
            " WHERE user_id = $1",
            "banned": "UPDATE auth.users SET banned_until = now() + interval '1 hour' WHERE id = $1",
            "deleted": "UPDATE auth.users SET deleted_at = now() WHERE id = $1",
            "acting": "SELECT $1::uuid",
        }
        await db.execute(changes[other], second)
    asked = await scene.erase()
    if other == "acting":
        assert asked.status_code == 202, asked.text
        clock.advance(timedelta(days=14))
        await scene.work()
        owner = await db.fetchval("SELECT owner_id FROM public.workspaces WHERE id = $1", workspace)
        assert owner == second
        return
    assert (asked.status_code, asked.json()["code"]) == (409, "last_owner")
    assert "Brand" in asked.json()["detail"]
    assert (await scene.browser.get("/api/v1/auth/me")).status_code == 200, "nothing has changed"


async def test_of_two_owners_who_go_at_once_one_stays(scene: Scene) -> None:
    workspace = await new_workspace(scene.db, scene.lena)
    async with scene.house.client() as client:
        me = await join(client, OTHERS)
        await add_member(scene.db, workspace, UUID(me["user"]["id"]), "owner")
        answers = await asyncio.gather(
            scene.erase(), client.post(ERASE, json={"password": PASSWORD})
        )
    assert sorted(answer.status_code for answer in answers) == [202, 409]


async def test_whoever_became_the_last_owner_meanwhile_is_nameless_all_the_same(
    scene: Scene,
) -> None:
    workspace = await new_workspace(scene.db, scene.lena)
    second = await sign_up(scene.db, "second")
    await add_member(scene.db, workspace, second, "owner")
    assert (await scene.erase()).status_code == 202
    await scene.db.execute(
        "UPDATE auth.users SET banned_until = now() + interval '1 year' WHERE id = $1", second
    )
    scene.house.clock.advance(timedelta(days=14))
    await scene.work()
    assert await scene.db.fetchval("SELECT email FROM auth.users WHERE id = $1", scene.lena) is None


async def test_guessing_the_password_of_a_closed_account_is_slow(scene: Scene) -> None:
    await scene.erase()
    answers = [(await scene.keep("wrong password")).status_code for _ in range(11)]
    assert answers[:9] == [401] * 9
    assert answers[-1] == 429


async def test_each_reference_to_an_account_is_found(scene: Scene) -> None:
    async with scene.house.database.tx(SYSTEM) as tx:
        found = await catalog.references(tx)
    places = {(one.table, one.column): one for one in found}
    assert places["public.user_email_accounts", "user_id"].goes
    assert not places["public.workspace_usage_events", "user_id"].goes
    assert "user_email" in places["public.user_feedback", "user_id"].says
    assert set(places["public.sso_audit_log", "user_id"].says) >= {
        "email",
        "ip_address",
        "user_agent",
    }
    assert len(places) > 25


async def _memberships(scene: Scene) -> list[Any]:
    return await scene.db.fetch(
        "SELECT id FROM public.workspace_members WHERE user_id = $1", scene.lena
    )


async def _count(scene: Scene, table: str) -> int:
    return await scene.db.fetchval(f"SELECT count(*) FROM public.{table}")
