"""Half requests, slow ones, oversized heads and full houses, over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Form, Request, UploadFile
from fastapi.responses import StreamingResponse
from tests.infra.settings import Settings

from selify.core.web import http, serving
from selify.core.web.connections import ConnectionLimits
from selify.core.web.middleware import BodyLimits
from selify.supervisor import free_port

PATIENCE = 60.0
# So short that a test need not wait, and so long that a busy machine is in time.
SHORT = ConnectionLimits(head=0.6, silence=0.9, linger=0.6, head_bytes=4096, headers=30)
PROBLEM = "application/problem+json"


@dataclass(slots=True)
class Site:
    """A small app behind the real server. ``go`` lets its waiting handler answer."""

    port: int
    server: serving.Server
    go: asyncio.Event = field(default_factory=asyncio.Event)
    handling: int = 0
    left: int = 0
    talks: list["Talk"] = field(default_factory=list)

    async def open(self, sent: bytes = b"") -> "Talk":
        talk = Talk(*await asyncio.open_connection("127.0.0.1", self.port))
        self.talks.append(talk)
        await talk.send(sent)
        return talk

    async def get(self, path: str = "/small") -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}")


@dataclass(slots=True)
class Talk:
    """A connection by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def rest(self) -> str:
        """Everything until the server closes."""
        async with asyncio.timeout(PATIENCE):
            received = await self.reader.read()
        self.writer.close()
        return received.decode()

    async def line(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.readline()).decode()

    async def dribble(self, text: bytes, pause: float = 0.05) -> str:
        """Byte by byte, over and over, until the server has had enough."""
        answer = asyncio.create_task(self.rest())
        while not answer.done():
            for byte in text:
                await self.send(bytes([byte]))
                await asyncio.sleep(pause)
                if answer.done():
                    break
        return await answer


def make_app(site: Site) -> FastAPI:
    app = FastAPI()
    http.install(app, https=False, limits=BodyLimits(by_path={"/large": 50_000_000}))

    @app.get("/small")
    async def small() -> dict[str, bool]:
        return {"ok": True}

    @app.post("/raw")
    @app.post("/large")
    async def raw(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @app.post("/json")
    async def parsed(body: dict[str, Any]) -> dict[str, int]:
        return {"size": len(body)}

    @app.post("/form")
    async def form(word: Annotated[str, Form()]) -> dict[str, int]:
        return {"size": len(word)}

    @app.post("/upload")
    async def upload(picture: UploadFile) -> dict[str, int]:
        return {"size": len(await picture.read())}

    @app.get("/wait")
    async def wait() -> dict[str, bool]:
        site.handling += 1
        await site.go.wait()
        return {"ok": True}

    @app.get("/live")
    async def live() -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            site.handling += 1
            try:
                yield "data: first\n\n"
                await site.go.wait()
                yield "data: last\n\n"
            finally:
                site.left += 1

        return StreamingResponse(events(), media_type="text/event-stream")

    @app.get("/heavy")
    async def heavy() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            site.handling += 1
            try:
                while True:
                    yield b"x" * 262_144
                    await asyncio.sleep(0)
            finally:
                site.left += 1

        return StreamingResponse(parts())

    return app


@contextlib.asynccontextmanager
async def serving_site(limits: ConnectionLimits) -> AsyncIterator[Site]:
    settings = Settings(port=free_port())
    site = Site(settings.port, None)  # type: ignore[arg-type]
    site.server = serving.build(make_app(site), settings, limits)
    running = asyncio.create_task(site.server.serve())
    await until(lambda: site.server.started or running.done())
    try:
        yield site
    finally:
        site.go.set()
        for talk in site.talks:
            talk.writer.transport.abort()
        site.server.should_exit = True
        await running


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - a server tells nobody
            await asyncio.sleep(0.02)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving_site(SHORT) as made:
        yield made


def post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode()


GET = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n"
MULTIPART = "Content-Type: multipart/form-data; boundary=b"
PART = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\nhalf'
HALF = {
    "nothing": b"",
    "half a line": b"GET /small HT",
    "a head without an end": b"GET /small HTTP/1.1\r\nHost: x\r\n",
    "raw": post("/raw", "Content-Length: 100") + b"half",
    "no body at all": post("/raw", "Content-Length: 100"),
    "chunked": post("/raw", "Transfer-Encoding: chunked") + b"4\r\nhalf\r\n",
    "json": post("/json", "Content-Type: application/json", "Content-Length: 100") + b'{"a": ',
    "form": post("/form", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 99")
    + b"word=ha",
    "upload": post("/upload", MULTIPART, "Content-Length: 999") + PART,
    "a body nobody reads": b"GET /small HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1",
    "no such page": post("/nowhere", "Content-Length: 100") + b"half",
}


def assert_problem(answer: str, status: int, code: str) -> None:
    """In our shape, with what every answer of ours carries."""
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} "), answer
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (status, code)
    assert headers["content-type"] == PROBLEM
    assert headers["x-trace-id"] == problem["trace"]
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body.encode())
    for name in ("content-security-policy", "x-content-type-options", "date"):
        assert name in headers


ANSWERED_FIRST = ("a body nobody reads", "no such page")


@pytest.mark.parametrize("half", [half for half in HALF if half not in ANSWERED_FIRST])
async def test_half_a_request_is_told_that_it_is_late_and_let_go(site: Site, half: str) -> None:
    talk = await site.open(HALF[half])
    assert_problem(await talk.rest(), 408, "too_slow")
    assert (await site.get()).status_code == 200
    await until(lambda: not site.server.server_state.connections)


@pytest.mark.parametrize("half", ANSWERED_FIRST)
async def test_half_a_body_that_nobody_waited_for_does_not_hold_the_line(
    site: Site, half: str
) -> None:
    """It was answered; a second answer would be taken for that of the next request."""
    talk = await site.open(HALF[half])
    assert (await talk.rest()).count("HTTP/1.1 ") == 1


@pytest.mark.parametrize("half", ["nothing", "half a line", "raw", "upload"])
async def test_half_a_request_after_a_whole_one_is_let_go_too(site: Site, half: str) -> None:
    talk = await site.open(GET + HALF[half])
    answer = await talk.rest()
    assert answer.startswith("HTTP/1.1 200 ")
    assert answer.count("HTTP/1.1 ") == (1 if half == "nothing" else 2)
    assert (" 408 " in answer) is (half != "nothing")


@pytest.mark.parametrize(
    ("begun", "drop"),
    [
        (b"GET /small HTTP/1.1\r\n", b"X-A: b\r\n"),
        (b"", b"\r\n"),
        (post("/large", "Content-Length: 40000000"), b"x"),
        (post("/large", "Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
        (post("/raw", "Transfer-Encoding: chunked") + b"1;", b"extension"),
    ],
    ids=["headers", "empty lines", "body", "chunks", "chunk extension"],
)
async def test_drop_by_drop_is_too_slow(site: Site, begun: bytes, drop: bytes) -> None:
    talk = await site.open(begun)
    assert_problem(await talk.dribble(drop), 408, "too_slow")


async def test_a_body_that_keeps_coming_may_take_its_time() -> None:
    """Far longer than silence would be allowed."""
    limits = ConnectionLimits(head=0.6, silence=0.9, least_rate=100)
    async with serving_site(limits) as site:
        talk = await site.open(post("/large", "Content-Length: 2000", "Connection: close"))
        for _ in range(20):
            await asyncio.sleep(0.1)
            await talk.send(b"x" * 100)
        assert (await talk.rest()).endswith('{"size":2000}')


async def test_a_handler_and_a_live_page_may_take_their_time(site: Site) -> None:
    handler = await site.open(GET.replace(b"/small", b"/wait"))
    live = await site.open(GET.replace(b"/small", b"/live"))
    await until(lambda: site.handling == 2)
    late = await site.open(b"GET /small HT")
    assert_problem(await late.rest(), 408, "too_slow")  # so much time has passed
    await asyncio.sleep(SHORT.silence + 2)
    site.go.set()
    assert "data: last" in await live.rest()
    assert (await handler.line()).startswith("HTTP/1.1 200 ")


async def test_who_does_not_take_the_answer_is_let_go() -> None:
    async with serving_site(ConnectionLimits(silence=1.0, least_rate=1_000_000)) as site:
        talk = await site.open(GET.replace(b"/small", b"/heavy"))
        talk.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: site.left == 1)
        await until(lambda: not site.server.server_state.connections)


# Heads -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        b"GET /small?" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /small?" + b"x" * 5000,
        b"GET /small HTTP/1.1\r\nCookie: " + b"x" * 5000 + b"\r\n\r\n",
        b"GET /small HTTP/1.1\r\nCookie: " + b"x" * 400_000,
        b"GET /small HTTP/1.1\r\n" + b"A: b\r\n" * 31 + b"\r\n",
        GET + b"GET /small HTTP/1.1\r\n" + b"A: b\r\n" * 31 + b"\r\n",
        post("/raw", "Transfer-Encoding: chunked") + b"0\r\n" + b"A: b\r\n" * 31 + b"\r\n",
        post("/raw", "Transfer-Encoding: chunked") + b"1;" + b"x" * 400_000,
    ],
    ids=[
        "line", "half a line", "value", "half a value", "many", "many in the second request",
        "trailers", "chunk extension",
    ],
)  # fmt: skip
async def test_a_head_over_its_limits_is_refused(site: Site, head: bytes) -> None:
    talk = await site.open(head)
    answer = await talk.rest()
    if head.startswith(GET):  # the first one was not answered yet: nobody's answer but its own
        assert " 431 " not in answer
        return
    assert_problem(answer, 431, "head_too_large")
    assert (await site.get()).status_code == 200


async def test_a_head_within_its_limits_passes(site: Site) -> None:
    head = b"GET /small?" + b"x" * 1900 + b" HTTP/1.1\r\nHost: x\r\nCookie: " + b"x" * 1900
    talk = await site.open(head + b"\r\nA: b" * 27 + b"\r\nConnection: close\r\n\r\n")
    assert (await talk.rest()).startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00\x01", b"HELLO\r\n\r\n", b"\0" * 9])
async def test_what_is_no_request_is_a_problem_too(site: Site, noise: bytes) -> None:
    talk = await site.open(noise)
    assert_problem(await talk.rest(), 400, "bad_request")


# Full --------------------------------------------------------------------------------------------

FEW = ConnectionLimits(connections=8, per_address=4)


async def fill(site: Site, count: int, sent: bytes = b"GET /small HT") -> list[Talk]:
    return [await site.open(sent) for _ in range(count)]


@pytest.mark.parametrize("half", ["nothing", "half a line", "raw", "upload", "no such page"])
async def test_half_requests_give_way_when_the_server_is_full(half: str) -> None:
    async with serving_site(FEW) as site:
        crowd = await fill(site, 40, HALF[half])
        assert (await site.get()).status_code == 200
        first = await crowd[0].rest()  # it was let go, long before its time
        if half in ("half a line", "raw", "upload"):
            assert_problem(first, 503, "unavailable")
        assert len(site.server.server_state.connections) <= FEW.connections


async def test_who_is_being_answered_never_gives_way_and_the_next_one_is_told() -> None:
    async with serving_site(FEW) as site:
        busy = await fill(site, FEW.connections, GET.replace(b"/small", b"/wait"))
        await until(lambda: site.handling == FEW.connections)
        refused = await site.get()
        assert (refused.status_code, refused.headers["content-type"]) == (503, PROBLEM)
        assert int(refused.headers["retry-after"]) > 0
        assert "x-trace-id" in refused.headers
        site.go.set()
        assert [(await talk.line())[:12] for talk in busy] == ["HTTP/1.1 200"] * len(busy)
        assert (await site.get()).status_code == 200


ALTERNATING = (b"", GET.replace(b"/small", b"/wait"))


@pytest.mark.parametrize(
    "limits",
    [FEW, ConnectionLimits(connections=40, per_address=FEW.connections, trusted=())],
    ids=["of all", "of one address"],
)
async def test_however_many_silent_ones_come_between_no_more_than_the_limit_are_answered(
    limits: ConnectionLimits,
) -> None:
    """One that was refused and stays gives way to the next, which must not be taken for room."""
    async with serving_site(limits) as site:
        busy = await fill(site, FEW.connections, ALTERNATING[1])
        await until(lambda: site.handling == FEW.connections)
        late = [await site.open(ALTERNATING[turn % 2]) for turn in range(30)]
        answers = [await talk.line() for talk in late[1::2]]
        assert {answer[:12] for answer in answers} == {"HTTP/1.1 503"}
        assert site.handling == FEW.connections
        # Those refused leave no place taken behind.
        site.go.set()
        assert {(await talk.line())[:12] for talk in busy} == {"HTTP/1.1 200"}
        again = await fill(site, FEW.connections, ALTERNATING[1])
        assert {(await talk.line())[:12] for talk in again} == {"HTTP/1.1 200"}


async def ask_many(site: Site) -> list[int]:
    busy = await fill(site, FEW.per_address + 2, GET.replace(b"/small", b"/wait"))
    await until(lambda: site.handling >= FEW.per_address)
    site.go.set()
    return [int((await talk.line()).split()[1]) for talk in busy]


async def test_one_address_does_not_take_all_places() -> None:
    limits = ConnectionLimits(connections=8, per_address=4, trusted=("10.0.0.0/8",))
    async with serving_site(limits) as site:
        assert sorted(await ask_many(site)) == [200] * 4 + [503] * 2


@pytest.mark.parametrize("trusted", ["127.0.0.1", "127.0.0.0/8", "*"])
async def test_a_reverse_proxy_may_bring_everybody(trusted: str) -> None:
    limits = ConnectionLimits(connections=8, per_address=4, trusted=(trusted,))
    async with serving_site(limits) as site:
        assert await ask_many(site) == [200] * 6


async def test_an_address_s_own_idle_connections_give_way_first() -> None:
    limits = ConnectionLimits(connections=8, per_address=4, trusted=())
    async with serving_site(limits) as site:
        await fill(site, 4, GET)
        assert [(await site.get()).status_code for _ in range(6)] == [200] * 6


# Stopping ----------------------------------------------------------------------------------------


async def test_half_a_body_is_told_that_the_server_stops(site: Site) -> None:
    talk = await site.open(HALF["raw"])
    await until(lambda: bool(site.server.server_state.tasks))
    site.server.should_exit = True
    assert_problem(await talk.rest(), 503, "unavailable")


async def test_live_pages_end_when_the_server_stops(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """It does not wait for its grace to be over, of which it would complain."""
    pages = await fill(site, 3, GET.replace(b"/small", b"/live"))
    await until(lambda: site.handling == 3)
    site.server.should_exit = True
    assert ["data: first" in await page.rest() for page in pages] == [True] * 3
    await until(lambda: site.left == 3)
    assert "exceeded" not in caplog.text


async def test_a_handler_that_outlasts_the_grace_is_answered_all_the_same(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.server.config.timeout_graceful_shutdown = 1
    talk = await site.open(GET.replace(b"/small", b"/wait"))
    await until(lambda: site.handling == 1)
    site.server.should_exit = True
    assert_problem(await talk.rest(), 503, "unavailable")
    assert "Traceback" not in caplog.text
