"""When the database goes away and comes back: what was about to be written waits for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from selify.core.database import DatabaseUnavailable
from selify.core.database_errors import from_database
from selify.core.errors import Unavailable
from selify.core.files.disk import DiskTrouble

T = TypeVar("T")
PATIENCE_SECONDS = 30.0
REST_SECONDS = 1.0
DATABASE_REST = timedelta(seconds=1)
# Space is freed by people.
DISK_REST = timedelta(seconds=10)
# Work that is older than this and finds the database away again spends one of its tries: whatever it
# meets, it ends.
UNCOUNTED_FOR = timedelta(hours=1)


def is_away(error: BaseException) -> bool:
    """Whether an error says nothing about the work, only that nobody was there to store it: no
    database, or no room on a disk of ours.

    Others may be unavailable too (a photo's host, the file store); that is the work's own trouble.
    """
    if isinstance(error, Unavailable):
        return isinstance(error, DatabaseUnavailable | DiskTrouble)
    return isinstance(from_database(error), Unavailable)


def reason_of(error: BaseException) -> tuple[str, timedelta]:
    """Why work waits, in words, and how long until it is tried again."""
    refused = error if isinstance(error, DiskTrouble) else from_database(error)
    if isinstance(refused, DiskTrouble):
        return refused.detail, DISK_REST
    return "The database was away.", DATABASE_REST


async def retry_while_db_down(
    work: Callable[[], Awaitable[T]],
    *,
    patience: float = PATIENCE_SECONDS,
    rest: float = REST_SECONDS,
) -> T:
    """Do it, again after a rest while the database is away. ``work`` must be harmless to repeat:
    a commit whose answer was lost may have happened.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return await work()
        except Exception as error:
            if not is_away(error) or time.monotonic() > deadline:
                raise
        await asyncio.sleep(rest)
