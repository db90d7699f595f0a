"""A real PostgreSQL for tests: one server per test worker, one migrated template, clones of it.

``database_url`` gives every test a database of its own, made and dropped in a fraction of a second.
``shared_database_url`` is one database for all tests that only read, or that roll back.
"""

import asyncio
import atexit
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from selify.db import embedded, migrate

_ROOM = 2 * 1024**3
_numbers = itertools.count(1)
# The data of a test need not survive a power cut.
_NOT_DURABLE = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


def named(url: str, database: str) -> str:
    """The same server's URL with another database."""
    return url.replace(f"/{embedded.DATABASE_NAME}?", f"/{database}?")


def _quick_folder() -> str | None:
    """Memory, where the machine has a folder in it: making databases is mostly waiting for disks."""
    memory = Path("/dev/shm")  # mkdtemp makes a folder of our own in it
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > _ROOM
    return str(memory) if roomy else None


@cache
def _prepared_folder() -> Path:
    """A migrated database at rest: making one takes as long as many a test."""
    folder = Path(tempfile.mkdtemp(prefix="selify-test-", dir=_quick_folder()))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = embedded.start(folder / "postgres")
    try:
        with ThreadPoolExecutor(1) as beside:  # this thread may have a loop that runs
            beside.submit(asyncio.run, migrate.upgrade(server.url)).result()
    finally:
        server.stop()
    return folder / "postgres"


def copy_prepared(folder: Path) -> None:
    """The embedded database of a data directory, migrated and not yet running."""
    subprocess.run(["cp", "-a", _prepared_folder(), folder / "postgres"], check=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[embedded.EmbeddedServer]:
    """A running server with a migrated database ``selify``."""
    folder = Path(tempfile.mkdtemp(prefix="selify-test-", dir=_quick_folder()))
    copy_prepared(folder)
    server = embedded.start(folder / "postgres")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template_database(postgres_server: embedded.EmbeddedServer) -> str:
    """The migrated database that clones are made of; its name."""
    admin = await asyncpg.connect(named(postgres_server.url, "postgres"))
    for setting in _NOT_DURABLE:
        await admin.execute(f"ALTER SYSTEM SET {setting}")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()
    return embedded.DATABASE_NAME


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(
    postgres_server: embedded.EmbeddedServer, template_database: str
) -> AsyncIterator[str]:
    """A fresh migrated database, for this test alone; owner's URL."""
    async for url in _database(postgres_server, f"TEMPLATE {template_database}"):
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_database_url(
    postgres_server: embedded.EmbeddedServer, template_database: str
) -> AsyncIterator[str]:
    """A migrated database for tests that leave nothing behind; owner's URL."""
    async for url in _database(postgres_server, f"TEMPLATE {template_database}"):
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def empty_database_url(postgres_server: embedded.EmbeddedServer) -> AsyncIterator[str]:
    """A database with nothing in it; owner's URL."""
    async for url in _database(postgres_server, "TEMPLATE template0"):
        yield url


async def _database(server: embedded.EmbeddedServer, template: str) -> AsyncIterator[str]:
    name = f"test_{next(_numbers)}"
    admin = await asyncpg.connect(named(server.url, "postgres"))
    # Copying files costs a fifth of writing each of their pages to the log first.
    await admin.execute(f"CREATE DATABASE {name} {template} STRATEGY FILE_COPY")
    yield named(server.url, name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()
