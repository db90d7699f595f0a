"""Tiny real HTTP servers on this machine that answer as told, for the tests of our own client."""

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class GraphServer:
    """``answers`` are given in turn; ``seen`` holds what was asked."""

    url: str = ""
    answers: deque[Response] = field(default_factory=deque)
    seen: list[Seen] = field(default_factory=list)

    def will_answer(
        self, content: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        self.answers.append(JSONResponse(content, status, headers))

    def will_refuse(self, code: int, subcode: int = 0, status: int = 400, **members: Any) -> None:
        error = {"message": "no", "type": "OAuthException", "code": code, "fbtrace_id": "Ab1"}
        error |= {"error_subcode": subcode} if subcode else {}
        self.will_answer({"error": error | members}, status)

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    async def answer(self, request: Request) -> Response:
        self.seen.append(
            Seen(
                request.method,
                request.scope["raw_path"].decode(),
                dict(request.query_params),
                dict(request.headers),
                await request.body(),
            )
        )
        return self.answers.popleft()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture(scope="session")
async def graph_server() -> AsyncIterator[GraphServer]:
    async with running_graph_server() as server:
        yield server


@pytest.fixture
def graph(graph_server) -> GraphServer:
    graph_server.answers.clear()
    graph_server.seen.clear()
    return graph_server


@pytest.fixture
def our_log(caplog):
    """Everything logged on our side of the wire, down to DEBUG (uvicorn is the other side)."""
    caplog.set_level(logging.DEBUG)
    return lambda: "\n".join(
        f"{record.name} {record.getMessage()}"
        for record in caplog.records
        if not record.name.startswith("uvicorn")
    )


@pytest.fixture
def raw_server():
    """``async with raw_server(answer, stay_open=…) as (url, received)``."""
    return running_raw_server


@contextlib.asynccontextmanager
async def running_graph_server() -> AsyncIterator[GraphServer]:
    """The server on a free port of this machine."""
    graph = GraphServer()
    methods = ["GET", "POST", "DELETE"]
    app = Starlette(routes=[Route("/{path:path}", graph.answer, methods=methods)])
    config = uvicorn.Config(app, lifespan="off", ws="none", log_config=None)
    server = uvicorn.Server(config)
    # Listening before the server starts: whoever comes early waits, and nobody has to poll.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        graph.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield graph
        finally:
            server.should_exit = True
            await task


@contextlib.asynccontextmanager
async def running_raw_server(
    answer: bytes, *, stay_open: bool
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Reads a whole request, writes these bytes, then hangs up or says nothing more."""
    received: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            ),
            0,
        )
        received.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()
        if stay_open:
            await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}", received
    finally:
        over.set()
        server.close()
        await server.wait_closed()
