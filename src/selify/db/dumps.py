"""A whole database taken out as one stream, and put back, by PostgreSQL's own pg_dump and pg_restore.

Both come in the embedded server's wheel and work with any server that is not newer than they are.
Roles belong to the cluster and settings to the database: no dump has them, so they are made first.
"""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import resources
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import asyncpg

from selify.db import embedded, errors
from selify.db.migrate import SESSION

CHUNK = 1 << 20
BEFORE_A_DUMP = ("roles.sql", "session_defaults.sql")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database as it was at one moment, for a dump and for questions of our own."""

    _url: str
    _name: str
    _connection: "asyncpg.Connection[Any]"

    async def column(self, sql: str) -> set[str]:
        """The first column of what a query finds."""
        return {str(row[0]) for row in await self._connection.fetch(sql)}

    async def dump(self, target: IO[bytes]) -> None:
        options = ("--format=custom", f"--snapshot={self._name}")
        async with _tool("pg_dump", self._url, *options) as tool:
            assert tool.stdout is not None  # noqa: S101 - asked for
            while chunk := await tool.stdout.read(CHUNK):
                target.write(chunk)


@contextlib.asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[Snapshot]:
    """Of this moment, for as long as the block runs. It holds up nobody's work."""
    async with (
        _connected(url) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        name = str(await connection.fetchval("SELECT pg_export_snapshot()"))
        yield Snapshot(url, name, connection)


async def load(url: str, source: IO[bytes]) -> None:
    """Into an empty database, as one transaction: all of it, or nothing."""
    async with _connected(url) as connection:
        for name in BEFORE_A_DUMP:
            await _run_file(connection, name)
    async with _tool("pg_restore", url, "--single-transaction", "--exit-on-error") as tool:
        assert tool.stdin is not None  # noqa: S101 - asked for
        with contextlib.suppress(ConnectionError):  # it gave up, and says why
            while chunk := source.read(CHUNK):
                tool.stdin.write(chunk)
                await tool.stdin.drain()
            tool.stdin.close()
            await tool.stdin.wait_closed()
    async with _connected(url) as connection:
        await connection.execute("ANALYZE")


async def _run_file(connection: "asyncpg.Connection[Any]", name: str) -> None:
    try:
        await connection.execute(resources.files("selify.db").joinpath(name).read_text())
    except asyncpg.PostgresError as error:
        raise errors.DumpFailed(
            f"The database refused the restore: {error} Nothing was restored.",
            hint=getattr(error, "hint", None) or "See to what it says, then restore again.",
        ) from error


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(url, timeout=15, server_settings=SESSION)
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


@contextlib.asynccontextmanager
async def _tool(name: str, url: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Running while the block does. Raises DumpFailed with the reason it gave, unless it succeeded."""
    address, environment = _without_password(url)
    with tempfile.TemporaryFile() as said:
        process = await asyncio.create_subprocess_exec(
            embedded.client_program(name),
            *("--no-owner", "--no-password", f"--dbname={address}", *options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            env={**os.environ, **environment},
        )
        try:
            yield process
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        said.seek(0)
        if code:
            raise _failure(name, said.read().decode(errors="replace"))


def _failure(name: str, said: str) -> errors.DumpFailed:
    complaints = [line for line in said.splitlines() if "error:" in line] or said.splitlines()
    reason = complaints[0].rpartition("error: ")[2].rstrip(".") if complaints else "it said nothing"
    return errors.DumpFailed(
        f"{name} failed: {reason}.",
        hint="Neither the backup nor the database was changed. See to what it says, then try again.",
    )


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    """Everybody on the machine may read a process's arguments, but not its environment."""
    password = urlsplit(url).netloc.rpartition("@")[0].partition(":")[2]
    if not password:
        return url, {}
    return url.replace(f":{password}@", "@", 1), {"PGPASSWORD": unquote(password)}
