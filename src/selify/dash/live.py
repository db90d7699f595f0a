"""Live pages: PostgreSQL's notifications, passed on to every open page of the workspace.

The database tells which row changed (``selify_changes``: workspace, table, id); the page is told
the table's name only and fetches what it may see, as the signed-in user. Nothing secret travels
here, and a page that missed something fetches everything again.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import orjson

from selify.core import metrics
from selify.core.database import Database

CHANNEL = "selify_changes"
EVERYTHING = "everything"
GATHER_SECONDS = 0.15
KEEP_ALIVE_SECONDS = 15.0
MAX_PAGES_PER_WORKSPACE = 200


@dataclass(eq=False, slots=True)
class Page:
    """One open page: the names of what changed since it was last told."""

    changed: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, name: str) -> None:
        self.changed.add(name)
        self.wake.set()


class Changes:
    """Who is looking at what."""

    def __init__(self) -> None:
        self._pages: defaultdict[UUID, set[Page]] = defaultdict(set)

    def heard(self, payload: str) -> None:
        """A notification of the database."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            change = orjson.loads(payload)
            for page in self._pages.get(UUID(change["workspace_id"]), ()):
                page.tell(str(change["table"]))

    def missed_something(self) -> None:
        """The connection was new or renewed: every page looks again."""
        for pages in self._pages.values():
            for page in pages:
                page.tell(EVERYTHING)

    def has_room(self, workspace_id: UUID) -> bool:
        return len(self._pages.get(workspace_id, ())) < MAX_PAGES_PER_WORKSPACE

    async def follow(self, workspace_id: UUID) -> AsyncIterator[set[str]]:
        """What changed, gathered for a moment; an empty set now and then keeps the line open."""
        page = Page()
        self._pages[workspace_id].add(page)
        metrics.live_pages.inc()
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(page.wake.wait(), KEEP_ALIVE_SECONDS)
                    await asyncio.sleep(GATHER_SECONDS)
                changed, page.changed = page.changed, set()
                page.wake.clear()
                yield changed
        finally:
            metrics.live_pages.dec()
            self._pages[workspace_id].discard(page)
            if not self._pages[workspace_id]:
                del self._pages[workspace_id]


@contextlib.asynccontextmanager
async def listening(database: Database) -> AsyncIterator[Changes]:
    """Changes, for as long as the server runs."""
    changes = Changes()
    task = asyncio.create_task(
        database.listen(CHANNEL, changes.heard, ready=changes.missed_something)
    )
    try:
        yield changes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
