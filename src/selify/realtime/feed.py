"""Who listens to which tables of which workspace, and what they have not been sent yet.

One feed per process. It remembers the last changes, so that whoever comes back soon (``Last-Event-ID``)
misses none; where it cannot know what was missed, it says so. Numbers belong to the feed's *epoch*:
another process, a restart or a broken connection to the database begins a new one.
"""

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from selify.core.database import Database
from selify.core.waiting import wait_with_timeout

CHANNEL = "selify_realtime"
REMEMBERED = 1000
LONGEST_QUEUE = 200
MOST_SUBSCRIBERS = 1000
MOST_PER_USER = 20


@dataclass(frozen=True, slots=True)
class Change:
    """``kind``: INSERT, UPDATE or DELETE. ``key``: the primary key's column and value. ``mark``: its
    place in the feed, ``before`` the place right before it.
    """

    number: int
    mark: str
    before: str
    workspace_id: UUID
    table: str
    kind: str
    key: Mapping[str, str]
    at: str


@dataclass(eq=False, slots=True)
class Subscriber:
    """One open line, with a short queue: who reads too slowly is told that something was missed."""

    user_id: UUID
    workspace_id: UUID
    tables: frozenset[str]
    missed: bool = False
    waiting: deque[Change] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, change: Change) -> None:
        if change.workspace_id != self.workspace_id or change.table not in self.tables:
            return
        if len(self.waiting) >= LONGEST_QUEUE:
            self.miss()
            return
        self.waiting.append(change)
        self.wake.set()

    def miss(self) -> None:
        """What waits is part of what must be looked up anyway."""
        self.missed = True
        self.waiting.clear()
        self.wake.set()

    async def listen(self, seconds: float) -> tuple[bool, list[Change]]:
        """Within so many seconds: whether something was missed, and the changes after that."""
        await wait_with_timeout(self.wake, seconds)
        self.wake.clear()
        missed, self.missed = self.missed, False
        changes = list(self.waiting)
        self.waiting.clear()
        return missed, changes


class Feed:
    def __init__(self) -> None:
        self._subscribers: set[Subscriber] = set()
        self._remembered: deque[Change] = deque(maxlen=REMEMBERED)
        self._epoch = ""
        self._number = 0
        self.missed_something()

    @property
    def position(self) -> str:
        """The mark of what was told last."""
        return self._mark(self._number)

    def _mark(self, number: int) -> str:
        return f"{self._epoch}-{number}"

    def heard(self, payload: str) -> None:
        """A notification of the database."""
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = orjson.loads(payload)
            if "table" not in said:
                self._look_again(UUID(said["workspace_id"]))
                return
            change = self._change(said)
            self._number = change.number
            self._remembered.append(change)
            for subscriber in self._subscribers:
                subscriber.tell(change)

    def _change(self, said: Any) -> Change:
        [(column, value)] = said["key"].items()
        return Change(
            number=self._number + 1,
            mark=self._mark(self._number + 1),
            before=self.position,
            workspace_id=UUID(said["workspace_id"]),
            table=str(said["table"]),
            kind=str(said["op"]),
            key={column: str(value)},
            at=str(said["at"]),
        )

    def _look_again(self, workspace_id: UUID) -> None:
        """Somebody's right to listen may have ended."""
        for subscriber in self._subscribers:
            if subscriber.workspace_id == workspace_id:
                subscriber.wake.set()

    def missed_something(self) -> None:
        """The connection is new: nobody knows what was said before."""
        self._epoch = secrets.token_hex(6)
        self._remembered.clear()
        for subscriber in self._subscribers:
            subscriber.miss()

    def has_room(self, user_id: UUID) -> bool:
        own = sum(1 for subscriber in self._subscribers if subscriber.user_id == user_id)
        return own < MOST_PER_USER and len(self._subscribers) < MOST_SUBSCRIBERS

    @contextlib.contextmanager
    def subscribed(self, subscriber: Subscriber, *, after: str | None) -> Iterator[Subscriber]:
        """From now on, or from the mark ``after`` as far as it is remembered."""
        if after is not None:
            self._catch_up(subscriber, after)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    def _catch_up(self, subscriber: Subscriber, after: str) -> None:
        epoch, _, number = after.partition("-")
        oldest = self._number - len(self._remembered)
        known = epoch == self._epoch and number.isascii() and number.isdigit() and len(number) < 20
        if not known or not oldest <= int(number) <= self._number:
            subscriber.miss()
            return
        for change in self._remembered:
            if change.number > int(number):
                subscriber.tell(change)


@contextlib.asynccontextmanager
async def listening(database: Database) -> AsyncIterator[Feed]:
    """A feed, for as long as the server runs."""
    feed = Feed()
    task = asyncio.create_task(database.listen(CHANNEL, feed.heard, ready=feed.missed_something))
    try:
        yield feed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
