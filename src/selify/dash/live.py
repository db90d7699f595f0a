"""Live pages: PostgreSQL's notifications, passed on to every open page of the workspace.

The database tells which row changed (``selify_changes``: workspace, table, id); the page is told
the table's name only and fetches what it may see, as the signed-in user. Nothing secret travels
here, and a page that missed something fetches everything again.

Notifications are hints: while one transaction notifies, others on their way to the disk say
nothing (``db/migrations/baseline/notifications.sql``). So a page looks at everything once more a
moment after a hint, and now and then when all is quiet.
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
from selify.core.waiting import wait_with_timeout

CHANNEL = "selify_changes"
EVERYTHING = "everything"
MAX_PAGES_PER_WORKSPACE = 200


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds. ``quiet_rounds``: after so many silent rounds the page looks at everything."""

    gather: float = 0.15
    look_again: float = 2.0
    keep_alive: float = 15.0
    quiet_rounds: int = 4


@dataclass(eq=False, slots=True)
class Page:
    """One open page: the names of what changed since it was last told."""

    changed: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, name: str) -> None:
        self.changed.add(name)
        self.wake.set()

    async def listen(self, seconds: float, gather: float) -> set[str]:
        """What it is told within so many seconds, gathered for a moment; else nothing."""
        if await wait_with_timeout(self.wake, seconds):
            await asyncio.sleep(gather)
        changed, self.changed = self.changed, set()
        self.wake.clear()
        return changed


class Changes:
    """Who is looking at what."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pages: defaultdict[UUID, set[Page]] = defaultdict(set)
        self._pace = pace or Pace()

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
        """What changed, beginning with everything: the page was drawn before anyone listened.

        An empty set now and then keeps the line open.
        """
        page = Page()
        page.tell(EVERYTHING)
        self._pages[workspace_id].add(page)
        metrics.live_pages.inc()
        try:
            async for changed in self._rounds(page):
                yield changed
        finally:
            metrics.live_pages.dec()
            self._pages[workspace_id].discard(page)
            if not self._pages[workspace_id]:
                del self._pages[workspace_id]

    async def _rounds(self, page: Page) -> AsyncIterator[set[str]]:
        pace, look_again, quiet = self._pace, False, 0
        while True:
            patience = pace.look_again if look_again else pace.keep_alive
            changed = await page.listen(patience, pace.gather)
            if changed:
                # Also what is told together with everything else is told once more: a part that was
                # being drawn at that moment has not heard it.
                look_again, quiet = changed != {EVERYTHING}, 0
                yield changed
                continue
            quiet += 1
            due = look_again or quiet % pace.quiet_rounds == 0
            look_again = False
            yield {EVERYTHING} if due else set()


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
