"""What routers get: who is asking, and a transaction that is committed before the answer leaves."""

from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from selify.core.clock import SystemClock
from selify.core.database import Actor, Database
from selify.core.errors import NotFound, Unauthenticated
from selify.core.web import http
from selify.core.web.http import AnyActor, CurrentUser, SystemTx, UserTx, VisitorTx

WHO = "SELECT current_user::text AS role, auth.uid() AS uid, auth.jwt() ->> 'reason' AS reason"
KEEP = (
    "INSERT INTO internal.retention (object_key, delete_after, reason) VALUES ($1, now(), 'test')"
)
USER = uuid4()


@pytest.fixture
def database(swept_database):
    return swept_database


async def authenticate(request: Request) -> Actor:
    match request.headers.get("x-user"):
        case None:
            return Actor.visitor()
        case "wrong":
            raise Unauthenticated("These credentials are wrong.")
        case known:
            return Actor.user(UUID(known))


class Watcher:
    """Sees what is stored at the moment the answer begins to leave."""

    def __init__(self, app, database):
        self.app, self.database, self.stored = app, database, None

    async def __call__(self, scope, receive, send):
        async def watched(message):
            if message["type"] == "http.response.start":
                self.stored = await stored(self.database)
            await send(message)

        await self.app(scope, receive, watched)


async def stored(database):
    async with database.tx(Actor.system("test")) as tx:
        return [
            row["object_key"] for row in await tx.fetch("SELECT object_key FROM internal.retention")
        ]


@pytest.fixture
def app(database: Database) -> FastAPI:
    app = FastAPI()
    http.install(app, https=False)
    app.state.database, app.state.clock = database, SystemClock()
    app.state.authenticate = authenticate

    @app.get("/user")
    async def as_user(tx: UserTx):
        return {**dict(await tx.fetch_one(WHO)), "one": await tx.fetch_value("SELECT 1")}

    @app.get("/visitor")
    async def as_visitor(tx: VisitorTx):
        return dict(await tx.fetch_one(WHO))

    @app.post("/system/{number}")
    async def as_system(number: int, tx: SystemTx):
        return dict(await tx.fetch_one(WHO))

    @app.get("/anyone")
    async def anyone(actor: AnyActor):
        return {"user": actor.user_id}

    @app.post("/keep/{key}")
    async def keep(key: str, tx: SystemTx, fail: str = ""):
        await tx.execute(KEEP, key)
        match fail:
            case "refusal":
                raise NotFound("It was not found after all.")
            case "bug":
                raise RuntimeError("a bug")
            case "cut":  # the connection, just before the commit
                await app.state.terminate(await tx.fetch_value("SELECT pg_backend_pid()"))
            case "commit":  # looked at only when committing
                await tx.execute(
                    "CREATE TEMP TABLE late (id int, UNIQUE (id) DEFERRABLE INITIALLY DEFERRED)"
                    " ON COMMIT DROP"
                )
                await tx.execute("INSERT INTO late VALUES (1), (1)")
        return PlainTextResponse("kept") if fail == "plain" else {"kept": key}

    @app.get("/me")
    async def me(user: CurrentUser):
        return {"user": user.user_id}

    @app.get("/header-then-error")
    async def header_then_error(request: Request):
        http.add_response_header(request, "X-Extra", "kept")
        raise RuntimeError("a bug")

    return app


@pytest.fixture
async def client(app):
    async with _client(app) as client:
        yield client


def _client(app):
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


async def test_each_transaction_has_its_actor(client):
    user = (await client.get("/user", headers={"X-User": str(USER)})).json()
    assert user == {"role": "authenticated", "uid": str(USER), "reason": None, "one": 1}
    visitor = (await client.get("/visitor", headers={"X-User": str(USER)})).json()
    assert visitor == {"role": "anon", "uid": None, "reason": None}
    system = (await client.post("/system/7")).json()
    assert system == {"role": "service_role", "uid": None, "reason": None}


async def test_visitors_and_wrong_credentials_get_no_users_transaction(client):
    for path, headers, code in (
        ("/user", {}, "unauthenticated"),
        ("/me", {}, "unauthenticated"),
        ("/user", {"X-User": "wrong"}, "unauthenticated"),
        ("/anyone", {"X-User": "wrong"}, "unauthenticated"),
    ):
        answer = await client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert (await client.get("/anyone")).json() == {"user": None}


@pytest.mark.parametrize("how", ["", "plain"])
async def test_what_is_answered_is_stored_before(app, database, how):
    watcher = Watcher(app, database)
    async with _client(watcher) as client:
        answer = await client.post("/keep/a", params={"fail": how})
    assert answer.status_code == 200
    assert watcher.stored == ["a"]


@pytest.mark.parametrize(
    ("fail", "status"), [("refusal", 404), ("bug", 500), ("commit", 409), ("cut", 503)]
)
async def test_what_fails_is_not_stored_and_is_answered_as_an_error(
    app, client, database, shared_database_url, fail, status
):
    async def terminate(pid):
        owner = await asyncpg.connect(shared_database_url)
        await owner.execute("SELECT pg_terminate_backend($1, 10000)", pid)
        await owner.close()

    app.state.terminate = terminate
    answer = await client.post("/keep/a", params={"fail": fail})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await stored(database) == []
    assert (await client.post("/keep/b")).status_code == 200  # and the server still answers


async def test_headers_added_on_the_way_are_on_errors_too(client):
    answer = await client.get("/header-then-error")
    assert (answer.status_code, answer.headers["x-extra"]) == (500, "kept")


async def test_the_api_describes_its_refusals_and_credentials(client):
    schema = (await client.get("/openapi.json")).json()
    keep = schema["paths"]["/keep/{key}"]["post"]["responses"]
    assert set(keep) == {"200", "default"}
    assert list(keep["default"]["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    required = schema["components"]["schemas"]["Problem"]["required"]
    problem = (await client.get("/me")).json()
    assert set(required) <= set(problem)
    assert schema["paths"]["/me"]["get"]["security"] == [{"session": []}, {"bearer": []}]
    assert "security" not in schema["paths"]["/visitor"]["get"]
