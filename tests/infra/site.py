"""The real server in this process, on a real socket: for tests of what travels over HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx

from selify.app import create_server
from selify.core.clock import Clock
from selify.core.settings import Settings
from selify.core.web import serving
from selify.core.web.connections import ConnectionLimits
from selify.supervisor import free_port


@contextlib.asynccontextmanager
async def served(
    settings: Settings,
    limits: ConnectionLimits | None = None,
    clock: Clock | None = None,
    port: int | None = None,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server with these settings (``port`` and ``public_url`` are chosen here)."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    ours = settings.model_copy(update={"port": port, "public_url": url})
    server = serving.build(create_server(ours, clock=clock), ours, limits)
    running = asyncio.create_task(server.serve())
    try:
        while not server.started and not running.done():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            yield client
    finally:
        server.should_exit = True
        await running
