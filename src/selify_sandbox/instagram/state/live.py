"""Who wants to know when something changes: pages (everything) and waiters (one topic)."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from selify.core.waiting import wait_with_timeout

QUEUE_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Note:
    """Something changed: ``topic`` says what (``thread:<id>``, ``feed``, ``deliveries`` …)."""

    topic: str
    data: dict[str, Any] = field(default_factory=dict)


class Hub:
    """In-process publish and subscribe; lives on the event loop's thread."""

    def __init__(self) -> None:
        self._readers: set[asyncio.Queue[Note | None]] = set()
        self._waiters: dict[str, set[asyncio.Event]] = defaultdict(set)

    def publish(self, note: Note) -> None:
        """Hand the note to every page and wake whoever waits for its topic."""
        for event in self._waiters.get(note.topic, ()):
            event.set()
        for queue in self._readers:
            if queue.qsize() < QUEUE_LIMIT:
                queue.put_nowait(note)

    @contextmanager
    def reading(self) -> Iterator["asyncio.Queue[Note | None]"]:
        """A queue of all notes; ``None`` means the server is going away."""
        queue: asyncio.Queue[Note | None] = asyncio.Queue()
        self._readers.add(queue)
        try:
            yield queue
        finally:
            self._readers.discard(queue)

    @contextmanager
    def watching(self, topic: str) -> Iterator[asyncio.Event]:
        """An event set whenever ``topic`` is published; take it before looking, then wait."""
        event = asyncio.Event()
        self._waiters[topic].add(event)
        try:
            yield event
        finally:
            self._waiters[topic].discard(event)
            if not self._waiters[topic]:
                del self._waiters[topic]

    def close(self) -> None:
        """Let every open page stream and long poll end, so that the server can stop."""
        for queue in self._readers:
            queue.put_nowait(None)
        for events in self._waiters.values():
            for event in events:
                event.set()


async def until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event; False when the time ran out. Leaves it cleared for the next round."""
    happened = await wait_with_timeout(event, seconds)
    if happened:
        event.clear()
    return happened
