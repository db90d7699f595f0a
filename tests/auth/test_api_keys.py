"""What an API key opens, and for how long (I16): through the API, as programs use it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import randrange
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from tests.auth.conftest import CHEAP
from tests.infra import postgres
from tests.infra.settings import Settings
from tests.infra.site import served
from tests.infra.worlds import add_member, build_world, new_workspace, read_tables

from selify.app import create_server
from selify.auth import Authenticator, ClientInfo
from selify.auth.api_keys import keys, reviews, scopes
from selify.auth.api_keys.types import ApiKey
from selify.auth.passwords import Passwords
from selify.auth.permissions import RoleTooLow
from selify.auth.types import Workspace
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database
from selify.core.ids import new_id
from selify.core.permissions import MEMBER, OWNER, Permission, WorkspaceRole
from selify.core.web.access import addresses
from selify.permissions_reference import PERMISSIONS
from selify_sandbox import drawn_garments

PASSWORD = "correct horse battery"
READ = "conversations:read"
SYSTEM = Actor.system("test")


@dataclass
class Person:
    id: UUID
    browser: httpx.AsyncClient


@dataclass
class House:
    """A running server with a clock that stands still. People join through an authenticator of the test's own:
    the real one would stop so many, and makes a password cost more than a test has.
    """

    url: str
    clock: FrozenClock
    database: Database
    db: asyncpg.Connection
    authenticator: Authenticator


@dataclass
class Place:
    """nordlicht and its people."""

    house: House
    stack: contextlib.AsyncExitStack
    people: dict[str, Person] = field(default_factory=dict)
    workspace: UUID = field(default_factory=uuid4)

    @property
    def clock(self) -> FrozenClock:
        return self.house.clock

    @property
    def database(self) -> Database:
        return self.house.database

    @property
    def db(self) -> asyncpg.Connection:
        return self.house.db

    async def client(self, **headers: str) -> httpx.AsyncClient:
        own = {"Origin": self.house.url, **headers}
        client = httpx.AsyncClient(
            base_url=self.house.url, timeout=60, trust_env=False, headers=own
        )
        return await self.stack.enter_async_context(client)

    async def join(self, name: str) -> Person:
        browser = await self.client()
        who = {
            "email": f"{name}.{uuid4().hex}@people.example",
            "password": PASSWORD,
            "client": ClientInfo(f"198.51.100.{randrange(256)}", None),
        }
        await self.house.authenticator.sign_up(full_name=name.title(), **who)
        signed_in = await self.house.authenticator.sign_in(**who)
        browser.cookies.set(self.house.authenticator.cookie_name, signed_in.secret)
        self.people[name] = Person(signed_in.session.user.id, browser)
        return self.people[name]

    async def ask(self, name: str, method: str, path: str = "", **request: Any) -> httpx.Response:
        """Of the keys of nordlicht."""
        browser = self.people[name].browser
        return await browser.request(method, f"{self.of()}/keys{path}", **request)

    async def make(self, name: str = "adam", **body: Any) -> dict[str, Any]:
        asked = {"name": "Till", "scopes": [READ], **body}
        made = await self.ask(name, "POST", json=asked)
        assert made.status_code == 201, made.text
        return made.json()

    async def program(self, secret: str) -> httpx.AsyncClient:
        client = await self.client(Authorization=f"Bearer {secret}")
        del client.headers["Origin"]
        return client

    async def opens(self, secret: str) -> int:
        program = await self.program(secret)
        return (await program.get(f"{self.of()}/conversations")).status_code

    async def shown(self, key_id: str) -> dict[str, Any]:
        listed = await self.ask("olga", "GET")
        assert listed.status_code == 200, listed.text
        return next(key for key in listed.json()["keys"] if key["id"] == key_id)

    def of(self, workspace: UUID | None = None) -> str:
        return f"/api/v1/workspaces/{workspace or self.workspace}"

    async def tell(self) -> list[str]:
        """The routine; what the owners were told of keys."""
        async with self.database.tx(SYSTEM) as tx:
            await reviews.tell_owners(tx, now=self.clock.now())
        rows = await self.db.fetch(
            "SELECT payload FROM internal.outbox WHERE channel = 'notice' AND workspace_id = $1",
            self.workspace,
        )
        return [row["payload"] for row in rows if "api_key_review" in row["payload"]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_database_url(postgres_server: Any, template_database: str) -> AsyncIterator[str]:
    async for url in postgres._database(postgres_server, f"TEMPLATE {template_database}"):
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    own_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    clock = FrozenClock(datetime.now(UTC))
    settings = Settings(
        database_url=own_database_url, data_dir=tmp_path_factory.mktemp("keys"), tryon_small=True
    )
    db = await asyncpg.connect(own_database_url)
    database = await Database.connect(own_database_url, max_size=4)
    async with served(settings, clock=clock) as client:
        url = str(client.base_url)
        authenticator = replace(
            Authenticator.from_settings(settings, database, clock), passwords=Passwords(CHEAP)
        )
        yield House(url, clock, database, db, replace(authenticator, public_url=url))
    await database.close()
    await db.close()


@pytest_asyncio.fixture(loop_scope="session")
async def place(house: House) -> AsyncIterator[Place]:
    house.clock.advance(timedelta(minutes=16))  # what was counted before is forgotten
    async with contextlib.AsyncExitStack() as stack:
        place = Place(house, stack)
        for name in ("olga", "adam", "max"):
            await place.join(name)
        place.workspace = await new_workspace(place.db, place.people["olga"].id)
        await add_member(place.db, place.workspace, place.people["adam"].id, "admin")
        await add_member(place.db, place.workspace, place.people["max"].id)
        yield place


async def test_a_key_does_what_its_scope_is_for_and_nothing_else(place: Place) -> None:
    secret = (await place.make())["secret"]
    other = await new_workspace(place.db, place.people["adam"].id)
    program, here = await place.program(secret), place.of()

    async def said(method: str, path: str, **request: Any) -> tuple[int, str]:
        answer = await program.request(method, path, **request)
        return answer.status_code, answer.json()["code"] if answer.is_error else ""

    assert await said("GET", f"{here}/conversations") == (200, "")
    take_over = f"{here}/conversations/{uuid4()}/take-over"
    assert await said("POST", take_over) == (403, "scope_missing")
    assert await said("GET", f"{place.of(other)}/conversations") == (404, "workspace_not_found")
    assert await said("GET", f"{here}/billing/usage") == (403, "scope_missing")
    wanted = {"name": "Another", "scopes": [READ]}
    assert await said("POST", f"{here}/keys", json=wanted) == (403, "scope_missing")
    key = (await place.ask("olga", "GET")).json()["keys"][0]["id"]
    more = {"scopes": [READ, "billing:read"]}
    assert await said("PATCH", f"{here}/keys/{key}", json=more) == (403, "scope_missing")
    assert await said("POST", f"{here}/keys/{key}/confirm") == (403, "scope_missing")
    assert await said("DELETE", f"{here}/keys/{key}") == (403, "scope_missing")
    assert await said("POST", "/api/v1/auth/sign-out") == (403, "scope_missing")
    assert await said("GET", "/api/v1/auth/me") == (403, "scope_missing")
    assert await said("GET", "/api/v1/workspaces") == (403, "scope_missing")
    session = {"grant_type": "session"}
    assert await said("POST", "/api/v1/auth/token", json=session) == (401, "unauthenticated")


async def test_each_address_asks_a_key_for_its_scopes(place: Place) -> None:
    """Of the whole API, whatever is added to it: with all scopes what needs none is refused, and with
    none of those that it needs everything is.
    """
    every = await place.make(scopes=scopes.known(PERMISSIONS))
    none = await place.make(scopes=[READ])
    widest, narrow = await place.program(every["secret"]), await place.program(none["secret"])
    opened = 0
    for address in addresses(_server()):
        if address.access is None or not address.path.startswith("/api/"):
            continue
        asked = (*address.access.permissions, *address.access.sometimes)
        path = address.path.replace("{workspace_id}", str(place.workspace))
        for name in ("{user_id}", "{key_id}", "{account_id}", "{post_id}", "{garment_id}"):
            path = path.replace(name, str(uuid4()))
        path = path.replace("{conversation_id}", str(uuid4())).replace(
            "{usage_event_id}", str(uuid4())
        )
        if "{" in path or path == "/api/v1/realtime":
            continue
        answers = [await one.request(address.method, path) for one in (widest, narrow)]
        codes = [one.json().get("code") if one.is_error else "" for one in answers]
        if not asked and not address.access.permissions and address.access.audience == "everyone":
            continue
        for code, held in zip(codes, (set(scopes.known(PERMISSIONS)), {READ}), strict=True):
            may = bool(asked) and all(one.scope in held for one in asked)
            assert (code != "scope_missing") is may, (str(address), code)
            opened += may
        assert max(one.status_code for one in answers) < 500, str(address)
    assert opened > 15


async def test_a_key_opens_no_page_and_is_taken_from_nowhere_but_the_header(place: Place) -> None:
    secret = (await place.make(scopes=scopes.known(PERMISSIONS)))["secret"]
    program, stranger = await place.program(secret), await place.client()
    for page in ("/", "/posts", "/settings", "/wardrobe", "/live", "/fragments/bell"):
        for accept in ("text/html", "application/json"):
            answer = await program.get(
                page, params={"workspace": str(place.workspace)}, headers={"Accept": accept}
            )
            assert answer.status_code == 401, (page, answer.status_code)
    there = f"{place.of()}/conversations"
    for name in ("api_key", "key", "access_token", "token", "authorization"):
        assert (await stranger.get(there, params={name: secret})).status_code == 401
    for header in ("X-Api-Key", "Api-Key", "Cookie"):
        said = await stranger.get(there, headers={header: secret})
        assert said.status_code == 401
    basic = {"Authorization": f"Basic {secret}"}
    assert (await stranger.get(there, headers=basic)).status_code == 401


async def test_a_key_with_one_letter_changed_opens_nothing(place: Place) -> None:
    secret = (await place.make())["secret"]
    for at in (0, 4, len(secret) // 2, len(secret) - 1):
        other = "A" if secret[at] != "A" else "B"
        assert await place.opens(secret[:at] + other + secret[at + 1 :]) == 401
    assert await place.opens(secret + "A") == 401
    assert await place.opens(secret[:-1]) == 401
    assert await place.opens("slf_") == 401
    assert await place.opens("slf_" + "A" * 4000) == 401
    assert await place.opens(secret) == 200


async def test_wrong_keys_from_one_place_are_slowed_down(place: Place) -> None:
    """A good one from there still opens."""
    secret = (await place.make())["secret"]
    wrong = await place.program("slf_" + "x" * 43)
    answers = [await wrong.get(f"{place.of()}/conversations") for _ in range(101)]
    assert [one.status_code for one in answers] == [401] * 100 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert await place.opens(secret) == 200
    place.clock.advance(timedelta(minutes=15, seconds=1))
    assert (await wrong.get(f"{place.of()}/conversations")).status_code == 401


async def test_after_its_maker_was_demoted_it_works_and_is_listed_for_review(place: Place) -> None:
    made = await place.make()
    other = await place.make("olga")
    adam = f"{place.of()}/members/{place.people['adam'].id}"
    changed = await place.people["olga"].browser.patch(adam, json={"role": "member"})
    assert changed.status_code == 204
    assert await place.opens(made["secret"]) == 200
    assert (await place.shown(made["key"]["id"]))["review"] == "maker_demoted"
    assert (await place.shown(other["key"]["id"]))["review"] is None
    assert (await place.ask("olga", "POST", f"/{made['key']['id']}/confirm")).status_code == 204
    assert (await place.shown(made["key"]["id"]))["review"] is None
    promoted = await place.people["olga"].browser.patch(adam, json={"role": "admin"})
    assert promoted.status_code == 204
    assert (await place.shown(made["key"]["id"]))["review"] is None


async def test_after_its_maker_left_it_works_and_the_owners_were_told(place: Place) -> None:
    made = await place.make()
    me = f"{place.of()}/members/{place.people['adam'].id}"
    assert (await place.people["adam"].browser.delete(me)).status_code == 204
    assert await place.opens(made["secret"]) == 200
    assert (await place.shown(made["key"]["id"]))["review"] == "maker_left"
    (told,) = await place.tell()
    assert "Till" in told
    assert len(await place.tell()) == 1, "once"


async def test_after_its_maker_was_banned_it_waits_for_an_owner(place: Place) -> None:
    made = await place.make()
    confirm = f"/{made['key']['id']}/confirm"
    until = place.clock.now() + timedelta(hours=1)
    banning = "UPDATE auth.users SET banned_until = $2 WHERE id = $1"
    await place.db.execute(banning, place.people["adam"].id, until)
    assert await place.opens(made["secret"]) == 401
    shown = await place.shown(made["key"]["id"])
    assert (shown["state"], shown["review"]) == ("suspended", "maker_banned")
    assert len(await place.tell()) == 1
    # Not even once the ban is over, nor by an admin.
    await place.db.execute(banning, place.people["adam"].id, None)
    assert await place.opens(made["secret"]) == 401
    assert (await place.ask("adam", "POST", confirm)).status_code == 403
    assert (await place.ask("max", "POST", confirm)).status_code == 403
    assert (await place.ask("olga", "POST", confirm)).status_code == 204
    assert await place.opens(made["secret"]) == 200
    # Another ban is asked about anew, also of who left meanwhile.
    await place.db.execute(banning, place.people["adam"].id, until)
    await place.db.execute(
        "DELETE FROM public.workspace_members WHERE user_id = $1", place.people["adam"].id
    )
    assert (await place.shown(made["key"]["id"]))["review"] == "maker_banned"
    assert await place.opens(made["secret"]) == 401


async def test_a_revoked_key_opens_nothing_at_once(place: Place) -> None:
    made, other = await place.make(), await place.make()
    key = f"/{made['key']['id']}"
    assert (await place.ask("max", "DELETE", key)).status_code == 403
    assert (await place.ask("olga", "DELETE", f"/{uuid4()}")).status_code == 404
    assert (await place.ask("olga", "DELETE", key)).status_code == 204
    assert await place.opens(made["secret"]) == 401
    assert await place.opens(other["secret"]) == 200
    revoked_at = (await place.shown(made["key"]["id"]))["revoked_at"]
    place.clock.advance(timedelta(minutes=1))
    assert (await place.ask("olga", "DELETE", key)).status_code == 204, "twice is harmless"
    shown = await place.shown(made["key"]["id"])
    assert (shown["state"], shown["revoked_at"]) == ("revoked", revoked_at)
    refused = await place.ask("olga", "POST", f"{key}/confirm")
    assert (refused.status_code, refused.json()["code"]) == (409, "api_key_revoked")
    assert await place.opens(made["secret"]) == 401


@contextlib.asynccontextmanager
async def stream(place: Place, secret: str) -> AsyncIterator[AsyncIterator[str]]:
    program = await place.program(secret)
    params = {"workspace_id": str(place.workspace), "table": "oauth_audit_logs"}
    async with program.stream("GET", "/api/v1/realtime", params=params) as answer:
        assert answer.status_code == 200, await answer.aread()
        lines = answer.aiter_lines()
        async for line in lines:
            if line == "event: subscribed":
                break
        yield lines


@pytest.mark.parametrize("ending", ["revoked", "banned", "workspace deleted"])
async def test_a_stream_ends_with_its_key(place: Place, ending: str) -> None:
    made = await place.make(scopes=["changes:read"])
    async with stream(place, made["secret"]) as lines, asyncio.timeout(5):
        match ending:
            case "revoked":
                await place.ask("olga", "DELETE", f"/{made['key']['id']}")
            case "banned":
                await place.db.execute(
                    "UPDATE auth.users SET banned_until = $2 WHERE id = $1",
                    place.people["adam"].id,
                    place.clock.now() + timedelta(hours=1),
                )
            case _:
                await place.db.execute(
                    "UPDATE public.workspaces SET deleted_at = now() WHERE id = $1", place.workspace
                )
        assert "event: closed" in [line async for line in lines]


async def test_a_subscribed_key_is_told_of_its_own_workspace_alone(place: Place) -> None:
    made = await place.make(scopes=["changes:read"])
    other = await new_workspace(place.db, place.people["adam"].id)
    logging = (
        "INSERT INTO public.oauth_audit_logs (workspace_id, event_type, platform)"
        " VALUES ($1, 'account_connected', $2)"
    )
    async with stream(place, made["secret"]) as lines, asyncio.timeout(30):
        await place.db.execute(logging, other, "theirs")
        await place.db.execute(logging, place.workspace, "ours")
        async for line in lines:
            assert "theirs" not in line
            if line.startswith("data:") and "ours" in line:
                break
        else:
            raise AssertionError("the stream has ended")


async def test_after_its_workspace_was_deleted_a_key_is_dead_for_good(place: Place) -> None:
    made = await place.make()
    olga = place.people["olga"].browser
    gone = await olga.post(f"{place.of()}/delete", json={"name": "Brand"})
    assert gone.status_code == 204, gone.text
    assert await place.opens(made["secret"]) == 401
    place.clock.advance(timedelta(days=10))
    assert (await olga.post(f"{place.of()}/restore")).status_code == 204
    assert await place.opens(made["secret"]) == 401
    confirmed = await place.ask("olga", "POST", f"/{made['key']['id']}/confirm")
    assert confirmed.status_code == 409
    assert await place.opens(made["secret"]) == 401
    assert await place.opens((await place.make("olga"))["secret"]) == 200


async def test_an_expired_key_opens_nothing(place: Place) -> None:
    ends = place.clock.now() + timedelta(hours=1)
    made = await place.make(expires_at=ends.isoformat())
    assert await place.opens(made["secret"]) == 200
    place.clock.advance(timedelta(minutes=59, seconds=59))
    assert await place.opens(made["secret"]) == 200
    place.clock.advance(timedelta(seconds=2))
    assert await place.opens(made["secret"]) == 401
    assert (await place.shown(made["key"]["id"]))["state"] == "expired"


async def test_its_secret_is_never_read_again(place: Place) -> None:
    made = await place.make()
    secret = made["secret"]
    assert made["key"]["prefix"] == secret[:12]
    rest = secret[12:]
    listed = (await place.ask("olga", "GET")).text
    assert made["key"]["prefix"] in listed
    assert rest not in listed
    async for row in _every_text(place.db):
        assert rest not in row
    for name in ("olga", "adam", "max"):
        async with place.database.tx(Actor.user(place.people[name].id)) as tx:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await tx.fetch("SELECT secret_hash FROM internal.api_keys")
    for role in ("anon", "authenticated", "public"):
        rights = await place.db.fetchval(
            "SELECT count(*) FROM information_schema.column_privileges"
            " WHERE table_schema = 'internal' AND table_name = 'api_keys' AND lower(grantee) = $1",
            role,
        )
        assert rights == 0


async def _every_text(db: asyncpg.Connection) -> AsyncIterator[str]:
    """Every row of every table."""
    for table in await db.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace::regnamespace::text IN ('public', 'internal', 'auth')"
    ):
        for row in await db.fetch(f"SELECT t::text AS row FROM {table['name']} t"):
            yield row["row"]


async def test_when_it_was_used_is_written_once_a_minute(place: Place) -> None:
    made = await place.make()
    key = made["key"]["id"]
    assert made["key"]["last_used_at"] is None
    await place.opens(made["secret"])
    first = (await place.shown(key))["last_used_at"]
    place.clock.advance(timedelta(seconds=59))
    await place.opens(made["secret"])
    assert (await place.shown(key))["last_used_at"] == first
    place.clock.advance(timedelta(seconds=1))
    await place.opens(made["secret"])
    last = datetime.fromisoformat((await place.shown(key))["last_used_at"])
    assert last == place.clock.now()
    await place.db.execute(  # by a clock that was wrong
        "UPDATE internal.api_keys SET last_used_at = $1", last + timedelta(days=1)
    )
    await place.opens(made["secret"])
    assert datetime.fromisoformat((await place.shown(key))["last_used_at"]) == last


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scopes": []}, "body.scopes"),
        ({"scopes": ["conversations:read", "everything"]}, "body.scopes"),
        ({"scopes": ["workspace.keys.make"]}, "body.scopes"),
        ({"name": ""}, "body.name"),
        ({"name": "nul\x00"}, "body.name"),
        ({"name": "x" * 121}, "body.name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "body.expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "body.expires_at"),
        ({"role": "owner"}, "body.role"),
    ],
)
async def test_what_is_no_key_is_refused_at_its_field(
    place: Place, body: dict[str, Any], field: str
) -> None:
    refused = await place.ask("adam", "POST", json={"name": "Till", "scopes": [READ], **body})
    assert refused.status_code == 422, refused.text
    assert field in {one["field"] for one in refused.json()["fields"]}
    assert (await place.ask("adam", "GET")).json()["keys"] == []


async def test_members_and_strangers_make_and_see_none(place: Place) -> None:
    await place.join("stranger")
    body = {"name": "Till", "scopes": [READ]}
    for name, status in (("max", 403), ("stranger", 404)):
        assert (await place.ask(name, "POST", json=body)).status_code == status
        assert (await place.ask(name, "GET")).status_code == status


async def test_a_key_is_renamed_and_keeps_its_scopes(place: Place) -> None:
    made = await place.make()
    path = f"/{made['key']['id']}"
    assert (await place.ask("olga", "PATCH", path, json={"name": "Shelf"})).status_code == 204
    refused = await place.ask("olga", "PATCH", path, json={"name": "x", "scopes": ["bot:write"]})
    assert refused.status_code == 422
    shown = await place.shown(made["key"]["id"])
    assert (shown["name"], shown["scopes"]) == ("Shelf", [READ])


async def test_there_are_at_most_so_many(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of those that are made at once."""
    monkeypatch.setattr(keys, "MOST_KEYS", 3)
    body = {"name": "Till", "scopes": [READ]}
    answers = await asyncio.gather(*(place.ask("olga", "POST", json=body) for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [201, 201, 201, 409, 409]


async def test_nobody_gives_a_key_more_than_they_may(place: Place) -> None:
    only = Permission("toy.thing.change", OWNER, "change it", scope="things:write")
    anybody = Permission("toy.thing.read", MEMBER, "see it", scope="things:read")
    words = {one.name: one for one in (only, anybody)}
    for role, allowed in ((WorkspaceRole.ADMIN, False), (WorkspaceRole.OWNER, True)):
        workspace = Workspace(place.workspace, "Nordlicht", "n", None, role, place.clock.now())
        outcome = contextlib.nullcontext() if allowed else pytest.raises(RoleTooLow)
        async with place.database.tx(SYSTEM) as tx:
            with outcome:
                made = await keys.make(
                    tx,
                    workspace,
                    words,
                    name="x",
                    scopes=["things:read", "things:write"],
                    made_by=place.people["olga"].id,
                    expires_at=None,
                    now=place.clock.now(),
                )
                assert made.key.role == "owner"


async def test_what_a_key_made_names_nobody(place: Place) -> None:
    """It is no person: rows that say who did it say nobody."""
    secret = (await place.make(scopes=["wardrobe:write", "wardrobe:read"]))["secret"]
    program = await place.program(secret)
    picture = drawn_garments.tee("tee", "Tee", (74, 98, 190)).png()
    made = await program.post(
        f"{place.of()}/garments", files={"picture": ("tee.png", picture)}, timeout=120
    )
    assert made.status_code == 201, made.text
    by = await place.db.fetch(
        "SELECT created_by FROM public.wardrobe_garments WHERE workspace_id = $1", place.workspace
    )
    assert [row["created_by"] for row in by] == [None]


async def test_row_level_security_keeps_a_key_in_its_workspace(place: Place) -> None:
    """Whatever an endpoint would forget to ask: a key with all rights there are sees what an owner of its
    workspace sees, less what is the owner's own, and of the other workspace nothing.
    """
    tables = await read_tables(place.db)
    ours, theirs = [await build_world(place.db, tables, name) for name in ("a", "b")]
    key = Actor.api_key(
        new_id(), workspace_id=ours.workspace_id, role="owner", scopes=scopes.known(PERMISSIONS)
    )
    seen = 0
    for table in tables.values():
        if "workspace_id" not in {column.name for column in table.columns}:
            continue
        counts = [
            await _visible(place.database, key, table.name, workspace)
            for workspace in (ours.workspace_id, theirs.workspace_id)
        ]
        assert counts[1] == 0, table.name
        seen += counts[0]
    assert seen > 15
    async with place.database.tx(key) as tx:
        assert await tx.fetch_value("SELECT count(*) FROM public.workspaces") == 1
        changed = await tx.execute(
            "UPDATE public.workspaces SET description = 'mine' WHERE id = $1", theirs.workspace_id
        )
        assert changed == 0
        assert await tx.fetch_value("SELECT count(*) FROM public.notifications") == 0


async def _visible(database: Database, actor: Actor, table: str, workspace: UUID) -> int:
    try:
        async with database.tx(actor) as tx:
            return await tx.fetch_value(
                f"SELECT count(id) FROM public.{table} WHERE workspace_id = $1", workspace
            )
    except (asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedColumnError):
        return 0


async def test_the_claims_of_a_user_make_no_key(place: Place) -> None:
    """What a user may say of themselves lies elsewhere."""
    stranger = await place.join("stranger")
    mine = {"user_metadata": {"api_key": {"workspace_id": str(place.workspace), "role": "owner"}}}
    async with place.database.tx(Actor.user(stranger.id, claims=mine)) as tx:
        assert await tx.fetch_value("SELECT count(*) FROM public.workspaces") == 0


def test_a_key_that_is_shown_never_says_its_hash() -> None:
    assert "secret_hash" not in ApiKey.__dataclass_fields__


def _server() -> Any:
    return create_server(Settings())
