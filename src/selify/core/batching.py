"""What arrives at the same time is done together: one statement for many callers.

While ``parallel`` batches are on their way, what arrives gathers for the next: the more there is to
do, the less each costs. Nobody is kept waiting for company: a first one goes at once, alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

Do = Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | BaseException]]]


class Batches(Generic[Item, Outcome]):
    """Hands each item to ``do`` in some batch, and each caller their own outcome.

    ``do`` answers in the order of its items; an error among its outcomes is raised to that caller
    alone, one that it raises to all of them.
    """

    def __init__(self, do: Do[Item, Outcome], *, largest: int, parallel: int) -> None:
        self._do = do
        self._largest = largest
        self._parallel = parallel
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._flushers: set[asyncio.Task[None] | None] = set()

    async def put(self, item: Item) -> Outcome:
        """Returns, or raises, when its batch is done."""
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        if len(self._flushers) < self._parallel:
            self._flushers.add(asyncio.create_task(self._flush()))
        return await outcome

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._largest]
                self._waiting = self._waiting[self._largest :]
                outcomes: Sequence[Outcome | BaseException]
                try:
                    outcomes = await self._do([item for item, _ in batch])
                except BaseException as error:  # noqa: BLE001 - everybody who waits must hear of it
                    outcomes = [error] * len(batch)
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    if future.done():  # nobody waits any more
                        continue
                    if isinstance(outcome, BaseException):
                        future.set_exception(outcome)
                    else:
                        future.set_result(outcome)
        finally:
            # In the same step in which it saw that nothing waits: what comes after has a flusher.
            self._flushers.discard(asyncio.current_task())
