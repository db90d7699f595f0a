import asyncio
import contextlib
import socket

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel

from selify.core.errors import Forbidden
from selify.core.logging import current_trace
from selify.core.web import http
from selify.core.web.middleware import BodyLimits

LIMITS = BodyLimits(default=1000, by_path={"/photos": 50_000, "/photos/sm[^/]+": 100})


class Note(BaseModel):
    text: str


def make_app(https: bool = False) -> FastAPI:
    app = FastAPI()
    http.install(app, https=https, limits=LIMITS)

    @app.post("/raw")
    @app.post("/photos")
    @app.post("/photos/small")
    async def raw(request: Request):
        return {"size": len(await request.body())}

    @app.post("/stream")
    async def stream(request: Request):
        return {"size": sum([len(part) async for part in request.stream()])}

    @app.post("/parsed")
    async def parsed(note: Note):
        return {"size": len(note.text)}

    @app.get("/trace")
    @app.get("/api/v1/trace")
    async def trace():
        return {"trace": current_trace()}

    @app.get("/bug")
    async def bug():
        raise RuntimeError("the secret is 42")

    @app.get("/late-bug")
    async def late_bug():
        async def parts():
            yield b"begun"
            raise RuntimeError("too late")

        return StreamingResponse(parts())

    @app.get("/own-policy")
    async def own_policy(request: Request):
        http.add_response_header(request, "X-Extra", "1")
        return StreamingResponse(
            iter([b""]), headers={"Content-Security-Policy": "default-src 'none'"}
        )

    return app


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(make_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def chunks(size, piece=100):
    for start in range(0, size, piece):
        yield b"x" * min(piece, size - start)


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
@pytest.mark.parametrize("path", ["/raw", "/stream"])
async def test_bodies_up_to_the_limit_pass(client, path, announced):
    for size, status in ((0, 200), (1000, 200), (1001, 413), (5000, 413)):
        body = b"x" * size if announced else chunks(size)
        answer = await client.post(path, content=body)
        assert answer.status_code == status
        if status == 200:
            assert answer.json() == {"size": size}
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["code"] == "too_large"
            assert answer.headers["x-trace-id"] == answer.json()["trace"]
            assert "content-security-policy" in answer.headers


async def test_a_parsed_body_over_the_limit_is_too_large_and_not_malformed(client):
    body = b'{"text": "' + b"x" * 2000 + b'"}'

    async def in_parts():
        yield body[:900]
        yield body[900:]

    for content in (body, in_parts()):
        answer = await client.post(
            "/parsed", content=content, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["status"]) == (413, 413)


async def test_a_place_has_its_own_limit_and_its_neighbours_the_default(client):
    assert (await client.post("/photos", content=b"x" * 50_000)).status_code == 200
    assert (await client.post("/photos", content=b"x" * 50_001)).status_code == 413
    assert (await client.post("/photos/small", content=b"x" * 101)).status_code == 413
    for beside in ("/photos/", "/photos/small/", "/photosalot"):
        assert (await client.post(beside, content=b"x" * 1001)).status_code == 413


@pytest.mark.parametrize(
    ("length", "status"), [("9" * 5000, 413), ("-1", 400), ("1e3", 400), ("", 400), ("0x10", 400)]
)
async def test_odd_lengths_are_refused(client, length, status):
    answer = await client.post("/raw", content=b"x", headers={"Content-Length": length})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_trace_id_is_accepted_or_made(client):
    given = await client.get("/trace", headers={"X-Trace-Id": "order-4711_a"})
    assert given.json()["trace"] == given.headers["x-trace-id"] == "order-4711_a"
    made = [await client.get("/trace") for _ in range(2)]
    assert made[0].headers["x-trace-id"] != made[1].headers["x-trace-id"]
    assert made[0].json()["trace"] == made[0].headers["x-trace-id"]


@pytest.mark.parametrize(
    "bad", ["short", "x" * 65, "line\tbreak-here", "<script>alert(1)", b"\xfc" * 9]
)
async def test_trace_ids_that_would_spoil_a_log_line_are_replaced(client, bad):
    answer = await client.get("/trace", headers={"X-Trace-Id": bad})
    assert answer.headers["x-trace-id"] == answer.json()["trace"]
    assert answer.headers["x-trace-id"] != bad


async def test_simultaneous_requests_keep_their_traces_apart(client):
    names = [f"request-{n:04}" for n in range(50)]
    answers = await asyncio.gather(
        *(client.get("/trace", headers={"X-Trace-Id": name}) for name in names)
    )
    assert [answer.json()["trace"] for answer in answers] == names


async def test_every_answer_carries_the_security_headers(client):
    for path in ("/trace", "/nowhere", "/bug"):
        headers = (await client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in headers
    transport = httpx.ASGITransport(make_app(https=True))
    async with httpx.AsyncClient(transport=transport, base_url="https://test") as secure:
        assert "max-age" in (await secure.get("/trace")).headers["strict-transport-security"]


async def test_a_route_may_set_its_own_policy(client):
    headers = (await client.get("/own-policy")).headers
    assert headers.get_list("content-security-policy") == ["default-src 'none'"]
    assert headers["x-extra"] == "1"


async def test_answers_of_the_api_stay_out_of_caches(client):
    assert (await client.get("/api/v1/trace")).headers["cache-control"] == "no-store"
    assert "cache-control" not in (await client.get("/trace")).headers


async def test_a_bug_is_a_problem_with_the_trace_and_tells_nothing(client):
    answer = await client.get("/bug", headers={"X-Trace-Id": "find-me-again"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["trace"] == answer.headers["x-trace-id"] == "find-me-again"
    assert "42" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "not_found"), ("PUT", "/raw", 405, "method_not_allowed")],
)
async def test_the_frameworks_own_errors_are_problems_too(client, method, path, status, code):
    answer = await client.request(method, path)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)


async def test_a_plain_post_is_answered_without_the_framework_and_with_all_its_protections(client):
    """There is no such route: nobody but the middleware can have answered."""

    async def plain(body, headers):
        if body == b"bug":
            raise RuntimeError("the secret is 42")
        if body == b"no":
            raise Forbidden("Not you.")
        return Response(body + headers["x-word"].encode(), media_type="text/plain")

    client._transport.app.state.plain_posts = {"/plain": plain}
    word = {"X-Word": "!", "X-Trace-Id": "find-me-again"}
    statuses = {b"hello": 200, b"no": 403, b"bug": 500, b"x" * 1001: 413}
    for body, status in statuses.items():
        for content in (body, chunked(body)):
            answer = await client.post("/plain", content=content, headers=word)
            assert answer.status_code == status
            assert answer.headers["x-trace-id"] == "find-me-again"
            assert "content-security-policy" in answer.headers
            assert "42" not in answer.text
            if status == 200:
                assert answer.text == "hello!"
            else:
                assert answer.json()["status"] == status
    assert (await client.get("/plain")).status_code == 404
    assert (await client.post("/plain/", content=b"hello")).status_code == 404


async def chunked(body):
    yield body[:2]
    yield body[2:]


# Over real sockets


@pytest.fixture(scope="module")
async def server():
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(make_app(), log_config=None, lifespan="off", http="httptools")
    running = uvicorn.Server(config)
    task = asyncio.create_task(running.serve(sockets=[listening]))
    while not running.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    yield listening.getsockname()[1]
    running.should_exit = True
    await task


async def talk(port, request, *more, close=False):
    """Send bytes, and read until the server is done with us; the answer as text."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    with contextlib.suppress(ConnectionError):
        for part in (request, *more):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if close:
            writer.write_eof()
        received = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return received.decode("latin-1")


def request_head(path, *headers):
    lines = [f"POST {path} HTTP/1.1", "Host: test", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_an_announced_flood_is_refused_before_it_is_read(server):
    answer = await talk(server, request_head("/raw", "Content-Length: 10000000000"))
    assert answer.startswith("HTTP/1.1 413 ")
    assert "application/problem+json" in answer
    assert "x-trace-id" in answer


async def test_a_chunked_flood_is_cut_off(server):
    endless = [b"3e8\r\n" + b"x" * 1000 + b"\r\n"] * 3
    answer = await talk(server, request_head("/raw", "Transfer-Encoding: chunked"), *endless)
    assert answer.startswith("HTTP/1.1 413 ")
    assert '"code":"too_large"' in answer


async def test_what_fits_passes(server):
    pieces = [b"1f4\r\n" + b"x" * 500 + b"\r\n"] * 2 + [b"0\r\n\r\n"]
    answer = await talk(server, request_head("/raw", "Transfer-Encoding: chunked"), *pieces)
    assert answer.startswith("HTTP/1.1 200 ")
    assert answer.endswith('{"size":1000}')


async def test_a_client_that_goes_away_leaves_the_server_standing(server):
    assert await talk(server, request_head("/raw", "Content-Length: 900"), b"x", close=True) == ""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server}", timeout=60) as client:
        assert (await client.post("/raw", content=b"ok")).json() == {"size": 2}


async def test_an_answer_that_breaks_half_way_does_not_look_whole(server):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server}", timeout=60) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get("/late-bug")
