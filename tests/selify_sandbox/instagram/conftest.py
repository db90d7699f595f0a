"""A real stand-in on a real port, and a small server under test that records what it is told."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from selify_sandbox.instagram import SandboxConfig, SandboxDriver
from selify_sandbox.instagram.serve import build_server
from selify_sandbox.instagram.state.limits import Meter
from selify_sandbox.instagram.state.store import Tx
from selify_sandbox.instagram.webhooks.delivery import DeliveryWorker

SECRET = "test-app-secret"
SCOPES = (
    "instagram_business_basic",
    "instagram_business_manage_messages",
    "instagram_business_manage_comments",
    "instagram_business_manage_insights",
)
PATIENCE = 20


def picture(colour: str = "teal", kind: str = "PNG", size: tuple[int, int] = (64, 80)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def free_socket() -> socket.socket:
    # The protocol is named so that asyncio switches Nagle off: 40 ms per answer otherwise.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    return sock


@contextlib.asynccontextmanager
async def running(server: uvicorn.Server, sock: socket.socket) -> AsyncIterator[None]:
    server.capture_signals = contextlib.nullcontext  # pytest keeps its own signal handlers
    task = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task
        sock.close()


@dataclass
class Receiver:
    """The server under test: verifies signatures itself and remembers everything."""

    base: str = ""
    round: int = 0
    status: int = 200
    pass_handshake: bool = True
    handshakes: int = 0
    forged: int = 0
    attempts: int = 0
    posts: list[bytes] = field(default_factory=list)
    forms: dict[str, list[str]] = field(default_factory=lambda: {"deauthorize": [], "deletion": []})
    pictures: dict[str, bytes] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def callback_url(self) -> str:
        """Another one for each test: what the test before still had under way goes nowhere."""
        return f"{self.base}/webhooks/{self.round}"

    def serve_picture(self, name: str, data: bytes) -> str:
        self.pictures[name] = data
        return f"{self.base}/pictures/{name}"

    @property
    def envelopes(self) -> list[Any]:
        return [json.loads(body) for body in self.posts]

    def items(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Every (entry, item) in the order received."""
        found = []
        for envelope in self.envelopes:
            body = envelope[0] if isinstance(envelope, list) else envelope
            for entry in body["entry"]:
                inner = entry.get("messaging") or entry.get("changes") or [entry]
                found += [(entry, item) for item in inner]
        return found

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Items with a member of this name, or comments by their field."""
        return [item for _, item in self.items() if kind in item or item.get("field") == kind]

    async def until(self, ready: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self.arrived:
            await self.arrived.wait_for(ready)

    async def expect(self, kind: str, count: int = 1) -> list[dict[str, Any]]:
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    async def message(self, text: str) -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [item for item in self.of("message") if item["message"].get("text") == text]

        await self.until(lambda: bool(found()))
        return found()[0]

    async def hook(self, request: Request) -> Response:
        if request.path_params["round"] != self.round:
            return PlainTextResponse("of a test that is over")
        if request.method == "GET":
            async with self.arrived:
                self.handshakes += 1
                self.arrived.notify_all()
            good = request.query_params["hub.verify_token"] == "verify-me"
            answer = request.query_params["hub.challenge"] if self.pass_handshake else "no"
            return PlainTextResponse(answer, 200 if good else 403)
        body = await request.body()
        expected = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        async with self.arrived:
            if request.headers["x-hub-signature-256"] != expected:
                self.forged += 1
                return PlainTextResponse("bad signature", 403)
            self.attempts += 1
            if self.status == 200:
                self.posts.append(body)
            self.arrived.notify_all()
        return PlainTextResponse("ok", self.status)

    async def notice(self, request: Request) -> Response:
        form = await request.form()
        async with self.arrived:
            self.forms[request.path_params["kind"]].append(str(form["signed_request"]))
            self.arrived.notify_all()
        return Response('{"url":"http://status","confirmation_code":"c1"}')

    async def give(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.fetched.append(name)
        data = self.pictures.get(name)
        return Response(data) if data is not None else Response(status_code=404)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/webhooks/{round:int}", self.hook, methods=["GET", "POST"]),
                Route("/notice/{kind}", self.notice, methods=["POST"]),
                Route("/pictures/{name}", self.give),
                Route("/back", lambda _: PlainTextResponse("welcome back")),
            ]
        )


@pytest_asyncio.fixture(scope="session")
async def shared_receiver() -> AsyncIterator[Receiver]:
    sock = free_socket()
    receiver = Receiver(base=f"http://127.0.0.1:{sock.getsockname()[1]}")
    config = uvicorn.Config(receiver.app(), log_level="critical", lifespan="off")
    async with running(uvicorn.Server(config), sock):
        yield receiver


@pytest.fixture
def receiver(shared_receiver: Receiver) -> Receiver:
    """As if it had just started."""
    fresh = Receiver(base=shared_receiver.base, round=shared_receiver.round + 1)
    vars(shared_receiver).update(vars(fresh))
    return shared_receiver


@dataclass
class Sandbox:
    """A running stand-in, its driver, and a bare client for the wire."""

    config: SandboxConfig
    driver: SandboxDriver
    http: httpx.AsyncClient
    receiver: Receiver
    token: str = ""
    app: Any = None

    @property
    def url(self) -> str:
        return self.config.public_url

    def authorize_url(self, **changes: str) -> str:
        query = {
            "client_id": self.config.app_id,
            "redirect_uri": f"{self.receiver.base}/back",
            "response_type": "code",
            "scope": ",".join(SCOPES),
            "state": "st4te",
        }
        return f"{self.url}/oauth/authorize?{urlencode(query | changes)}"

    async def code(self, account: str = "nord", scopes: tuple[str, ...] = ()) -> str:
        back = await self.driver.authorize(self.authorize_url(), account, scopes=scopes)
        return parse_qs(urlsplit(back).query)["code"][0]

    async def exchange(self, code: str, /, **changes: str) -> httpx.Response:
        form = {
            "client_id": self.config.app_id,
            "client_secret": self.config.app_secret,
            "grant_type": "authorization_code",
            "redirect_uri": f"{self.receiver.base}/back",
            "code": code,
        }
        return await self.http.post("/oauth/access_token", data=form | changes)

    async def sign_in(self, account: str = "nord", scopes: tuple[str, ...] = ()) -> str:
        answer = await self.exchange(await self.code(account, scopes))
        query = {
            "grant_type": "ig_exchange_token",
            "client_secret": self.config.app_secret,
            "access_token": answer.json()["data"][0]["access_token"],
        }
        long = await self.http.get("/access_token", params=query)
        return str(long.json()["access_token"])

    async def get(self, path: str, **params: Any) -> httpx.Response:
        return await self.http.get(f"/v26.0{path}", params=params, headers=self._auth())

    async def post(self, path: str, body: Any = None, **params: Any) -> httpx.Response:
        return await self.http.post(f"/v26.0{path}", json=body, params=params, headers=self._auth())

    async def send(self, recipient: dict[str, str], **body: Any) -> httpx.Response:
        return await self.post("/me/messages", {"recipient": recipient, **body})

    def _auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def config_for(folder: Path, receiver: Receiver, sock: socket.socket) -> SandboxConfig:
    return SandboxConfig(
        data_dir=folder,
        public_url=f"http://127.0.0.1:{sock.getsockname()[1]}",
        callback_url=receiver.callback_url,
        app_id="app-1",
        app_secret=SECRET,
        verify_token="verify-me",
        deauthorize_url=f"{receiver.base}/notice/deauthorize",
        deletion_url=f"{receiver.base}/notice/deletion",
        retry_delays=(0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.0),
        seed=7,
    )


@contextlib.asynccontextmanager
async def sandbox_at(folder: Path, receiver: Receiver, **changes: Any) -> AsyncIterator[Sandbox]:
    """A stand-in of its own, for tests that restart it or need other settings."""
    sock = free_socket()
    config = replace(config_for(folder, receiver, sock), **changes)
    server = build_server(config, log_level="critical")
    async with (
        running(server, sock),
        SandboxDriver(config.public_url) as driver,
        httpx.AsyncClient(base_url=config.public_url, trust_env=False, verify=False) as http,
    ):
        yield Sandbox(config, driver, http, receiver, app=server.app)


@pytest_asyncio.fixture(scope="session")
async def shared_sandbox(
    tmp_path_factory: pytest.TempPathFactory, shared_receiver: Receiver
) -> AsyncIterator[Sandbox]:
    async with sandbox_at(tmp_path_factory.mktemp("sandbox"), shared_receiver) as sandbox:
        yield sandbox


def _empty(tx: Tx) -> None:
    tx.run("PRAGMA defer_foreign_keys = ON")
    for row in tx.all("SELECT name FROM sqlite_schema WHERE type = 'table'"):
        tx.run(f"DELETE FROM {row['name']}")


@pytest.fixture
async def bare(shared_sandbox: Sandbox, receiver: Receiver) -> Sandbox:
    """A stand-in in which nothing exists yet: one process, emptied before every test."""
    state = shared_sandbox.app.state
    await state.delivery_worker.stop()
    world = state.world
    await world.store.run(_empty)
    await world.switchboard.reset()
    world.switchboard.rng.seed(7)
    config = replace(world.config, callback_url=receiver.callback_url)
    meter = Meter(config.limits, world.switchboard)
    state.world = replace(world, config=config, meter=meter)
    state.delivery_worker = DeliveryWorker(state.world)
    await state.delivery_worker.start()
    return replace(shared_sandbox, config=config, token="")


async def furnish(sandbox: Sandbox) -> None:
    """A connected shop with one post, and two shoppers."""
    driver = sandbox.driver
    await driver.create_account("nord", name="Atelier Nord", biography="Clothes", followers=900)
    await driver.create_post("nord", picture(), caption="The mint dress", key="mint", likes=12)
    await driver.create_shopper("ana", name="Ana Ruiz")
    await driver.create_shopper("tom", name="Tom", follows=("nord",))
    sandbox.token = await sandbox.sign_in()
    answer = await sandbox.post("/me/subscribed_apps", subscribed_fields="comments,messages")
    assert answer.json() == {"success": True}


@pytest.fixture
async def sandbox(bare: Sandbox) -> Sandbox:
    await furnish(bare)
    return bare
