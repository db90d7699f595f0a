"""The stand-in's memory: one SQLite file, one thread, one transaction per call.

A single thread owns the connection, so the event loop never waits for the disk and no two
transactions ever meet. Write-ahead logging means a killed process loses nothing it committed.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from selify_sandbox.instagram.state.live import Hub, Note

T = TypeVar("T")
Row = sqlite3.Row


class Tx:
    """One transaction: statements now, notes to pages and waiters once it is committed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.notes: list[Note] = []

    def run(self, sql: str, *args: Any) -> int:
        """Execute; number of rows touched."""
        return self._connection.execute(sql, args).rowcount

    def insert(self, sql: str, *args: Any) -> int:
        """Execute an INSERT; the new row id."""
        return int(self._connection.execute(sql, args).lastrowid or 0)

    def all(self, sql: str, *args: Any) -> list[Row]:
        """Every row."""
        return self._connection.execute(sql, args).fetchall()

    def one(self, sql: str, *args: Any) -> Row | None:
        """The first row, if any."""
        row: Row | None = self._connection.execute(sql, args).fetchone()
        return row

    def value(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.one(sql, *args)
        return row[0] if row else None

    def note(self, topic: str, **data: Any) -> None:
        """Tell whoever listens, after the commit."""
        self.notes.append(Note(topic, data))


class Store:
    """Runs functions of a ``Tx`` on the database thread."""

    def __init__(self, path: Path, hub: Hub) -> None:
        self._path = path
        self._hub = hub
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox-db")
        self._connection: sqlite3.Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Create or reopen the file. Raises sqlite3.Error if it cannot be used."""
        self._loop = asyncio.get_running_loop()
        await self._loop.run_in_executor(self._thread, self._connect)

    def _connect(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(files(__package__).joinpath("schema.sql").read_text("utf-8"))
        self._connection = connection

    async def close(self) -> None:
        """Finish what is running and close the file."""
        if self._loop and self._connection:
            await self._loop.run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown(wait=True)

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """``work(tx, *args)`` in one transaction; rolled back if it raises."""
        if self._loop is None:
            raise RuntimeError("the store is not open")
        return await self._loop.run_in_executor(self._thread, self._transact, work, args)

    def _transact(self, work: Callable[..., T], args: tuple[Any, ...]) -> T:
        if self._connection is None:
            raise RuntimeError("the store is not open")
        tx = Tx(self._connection)
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            result = work(tx, *args)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        self._publish(tx.notes)
        return result

    def _publish(self, notes: list[Note]) -> None:
        # From here, not from the awaiting caller: a cancelled request must not swallow the news.
        loop = self._loop
        if notes and loop and not loop.is_closed():
            loop.call_soon_threadsafe(self._publish_on_loop, notes)

    def _publish_on_loop(self, notes: list[Note]) -> None:
        for note in notes:
            self._hub.publish(note)
