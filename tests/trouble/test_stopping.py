"""Ctrl-C while pages are open: they are let go at once, nothing is cut off and nothing complains.

How long it took is not measured. What tells is the log: uvicorn says so when it has to wait for its
grace to be over, and whatever is cancelled then leaves a traceback. And its grace is short.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from tests.infra.settings import Settings
from tests.infra.stack import quick_folder

from selify.core.web import serving
from selify.supervisor import free_port

PATIENCE = 120.0
PAGES = 5
LINES = PAGES + 1  # and a subscription
WHO = {"email": "owner@people.example", "password": "correct horse battery"}


@dataclass(slots=True)
class Running:
    """A process of ours that answers, and everything it says."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def stop(self, number: signal.Signals = signal.SIGINT) -> str:
        """What it had to say until it ended."""
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            _, said = await self.process.communicate()
        return said.decode()


@contextlib.asynccontextmanager
async def running(folder: Path, *command: str, **more: str) -> AsyncIterator[Running]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    inherited = {name: value for name, value in os.environ.items() if "SELIFY" not in name}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "selify", *command),
        env={
            **inherited,
            "SELIFY_DATA_DIR": str(folder),
            "SELIFY_PORT": str(port),
            "SELIFY_PHONE_PORT": str(free_port()),
            "SELIFY_PUBLIC_URL": url,
            "SELIFY_LOG_LEVEL": "WARNING",
            **more,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, trust_env=False) as http:
            async with asyncio.timeout(PATIENCE):
                while not await ready(http):
                    assert process.returncode is None, "it ended instead of starting"
                    await asyncio.sleep(0.1)
            yield Running(process, http)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def ready(http: httpx.AsyncClient, url: str = "/readyz") -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.TransportError:
        return False


async def open_pages(http: httpx.AsyncClient) -> list[asyncio.Task[bool]]:
    """Live pages and a subscription that have been told something; each task ends with its line."""
    signed_up = await http.post("/api/v1/auth/sign-up", json={**WHO, "full_name": "Nora Lind"})
    assert signed_up.status_code == 202
    (await http.post("/api/v1/auth/sign-in", json=WHO)).raise_for_status()
    made = await http.post("/api/v1/workspaces", json={"name": "Atelier Nord"})
    assert made.status_code == 201, made.text
    workspace = made.json()["id"]
    lines = [("/live", {"workspace": workspace})] * PAGES
    table = {"workspace_id": workspace, "table": "oauth_audit_logs"}
    lines.append(("/api/v1/realtime", table))
    told = [asyncio.Event() for _ in lines]
    pages = [
        asyncio.create_task(follow(http, event, *line))
        for event, line in zip(told, lines, strict=True)
    ]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(event.wait() for event in told))
    return pages


async def follow(
    http: httpx.AsyncClient, told: asyncio.Event, path: str, parameters: Mapping[str, str]
) -> bool:
    async with http.stream("GET", path, params=parameters) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        with contextlib.suppress(httpx.TransportError):  # it is cut off, as it has no end
            async for _ in answer.aiter_text():
                told.set()
    return True


def assert_calm(said: str) -> None:
    assert "Traceback" not in said, said
    assert "timeout graceful shutdown exceeded" not in said, said
    assert "restarting" not in said, said


def test_what_does_not_let_go_is_cut_off_within_two_seconds() -> None:
    server = serving.build(
        FastAPI(), Settings(data_dir="unused", database_url="postgresql://unused")
    )
    assert server.config.timeout_graceful_shutdown <= 2


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_server_lets_go_of_open_pages(
    database_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    async with running(tmp_path, "serve", SELIFY_DATABASE_URL=database_url) as server:
        pages = await open_pages(server.http)
        # Half a body and an idle connection hold it up no more than a page does.
        address = server.http.base_url
        _, half = await asyncio.open_connection(address.host, address.port)
        half.write(b"POST /webhooks/instagram HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        await half.drain()
        _, idle = await asyncio.open_connection(address.host, address.port)
        assert_calm(await server.stop(number))
        assert await asyncio.gather(*pages) == [True] * LINES
        half.close()
        idle.close()
        assert server.process.returncode in (0, -number)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["up", "demo"])
async def test_everything_together_stops_in_order_with_pages_open(command: str) -> None:
    with quick_folder() as folder:
        async with running(folder, command) as everything:
            pages = await open_pages(everything.http)
            assert_calm(await everything.stop())
            assert await asyncio.gather(*pages) == [True] * LINES
            assert everything.process.returncode == 0


async def test_a_worker_stops_as_calmly(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "selify", "worker"),
        env={
            **{name: value for name, value in os.environ.items() if "SELIFY" not in name},
            "SELIFY_DATABASE_URL": database_url,
            "SELIFY_DATA_DIR": str(tmp_path),
            "SELIFY_METRICS_PORT": str(port),
            "SELIFY_LOG_LEVEL": "WARNING",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.timeout(PATIENCE):
        while not await ready(http, f"http://127.0.0.1:{port}/metrics"):
            assert process.returncode is None, "it ended instead of starting"
            await asyncio.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = await process.communicate()
    assert_calm(said.decode())
    assert process.returncode == 0
