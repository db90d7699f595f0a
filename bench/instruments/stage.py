"""Where figures are measured: a database server of our own on a real disk, and the real processes.

Durability is as it is in use: nothing is switched off that a shop would have on.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx

from selify.core.database import Actor, Tx
from selify.db import embedded
from selify.running import prepare
from selify.supervisor import free_port

SYSTEM = Actor.system("bench")
PATIENCE = 300.0  # a loaded machine, its first start


class DidNotStart(Exception):
    """A process under measurement ended or stayed silent."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running database server with one migrated database, which others are cloned from."""

    folder: Path
    template_url: str

    async def database(self, name: str) -> str:
        """A fresh migrated database; its address."""
        return await self._create(name, f"TEMPLATE {embedded.DATABASE_NAME}")

    async def empty_database(self, name: str) -> str:
        return await self._create(name, "TEMPLATE template0")

    def url_of(self, name: str) -> str:
        return self.template_url.replace(f"/{embedded.DATABASE_NAME}?", f"/{name}?")

    async def _create(self, name: str, template: str) -> str:
        admin = await asyncpg.connect(self.url_of("postgres"))
        try:
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await admin.execute(f"CREATE DATABASE {name} {template}")
        finally:
            await admin.close()
        return self.url_of(name)


@contextlib.asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """A server in a temporary folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="selify-bench-"))
    try:
        server = await asyncio.to_thread(embedded.start, folder / "postgres")
        try:
            await prepare(server.addresses)
            yield Stage(folder, server.url)
        finally:
            await asyncio.to_thread(server.stop)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def open_workspace(tx: Tx, name: str) -> UUID:
    """A workspace as signing up makes it."""
    owner = uuid4()
    await tx.execute(
        "INSERT INTO auth.users (id, email) VALUES ($1, $2)", owner, f"{owner}@bench.example"
    )
    made: UUID = await tx.fetch_value(
        "SELECT id FROM public.create_workspace_with_owner($1, NULL, $2)", name, owner
    )
    return made


@contextlib.asynccontextmanager
async def server(
    stage: Stage, database_url: str, *module: str, environment: Mapping[str, str]
) -> AsyncIterator[str]:
    """The server's process, ready, on a port of its own; its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    settings = {
        "SELIFY_DATABASE_URL": database_url,
        "SELIFY_DATA_DIR": str(stage.folder),
        "SELIFY_PORT": str(port),
        "SELIFY_LOG_LEVEL": "WARNING",
        **environment,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, env={**os.environ, **settings}
    )
    try:
        await _until_ready(process, f"{address}/readyz")
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, url: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http, asyncio.timeout(PATIENCE):
        while process.returncode is None:
            with contextlib.suppress(httpx.HTTPError):
                if (await http.get(url)).is_success:
                    return
            await asyncio.sleep(0.1)
    raise DidNotStart(f"{url}: its process ended with {process.returncode}")


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


async def database_version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SHOW server_version")).split(" ", 1)[0]
    finally:
        await connection.close()


async def run_quietly(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """What a program printed. Raises CalledProcessError, with what it complained about."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    said, complained = await process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(
            process.returncode, command[0], said.decode(), complained.decode()
        )
    return said.decode()
