"""Charges of actions that write nothing else: those that come together share a statement.

What else an action writes belongs in one transaction with its charge (a try-on: the job, the picture,
the messages), and that transaction calls ``reserve`` and ``settle`` itself. An action whose result is
stored by others, or nowhere, has only its charge to commit. A statement for one of those is mostly the
cost of a statement, and on a hot brand of waiting for its quota row: several in one are cheaper each
(``bench/charges.py``).

A charge is committed when its call returns. One that raised for want of an answer
(DatabaseUnavailable) may have been made all the same: ask again, the source is the same charge.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg

from selify.billing.credits import reserve_each, settle_each
from selify.billing.types import Order, Reservation, Work
from selify.core.batching import Batches
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import SelifyError

ACTOR = Actor.system("charges")
LARGEST_BATCH = 32
PARALLEL = 2

Item = TypeVar("Item", Order, Work)
Outcome = TypeVar("Outcome", Reservation, bool)
DoEach = Callable[[Tx, Clock, Sequence[Item]], Awaitable[list[Outcome | SelifyError]]]


class ChargeBatches:
    """One for each process that charges much."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._orders = Batches(self._reserve, largest=LARGEST_BATCH, parallel=PARALLEL)
        self._works = Batches(self._settle, largest=LARGEST_BATCH, parallel=PARALLEL)

    async def reserve(self, order: Order) -> Reservation:
        """As ``credits.reserve``, committed. Raises what it raises."""
        return await self._orders.put(order)

    async def settle(self, work: Work) -> bool:
        """As ``credits.settle``, committed. Raises what it raises."""
        return await self._works.put(work)

    async def _reserve(self, orders: Sequence[Order]) -> list[Reservation | BaseException]:
        return await self._together(reserve_each, orders)

    async def _settle(self, works: Sequence[Work]) -> list[bool | BaseException]:
        return await self._together(settle_each, works)

    async def _together(
        self, do: DoEach[Item, Outcome], items: Sequence[Item]
    ) -> list[Outcome | BaseException]:
        """In one statement; where the database refuses it, each in one of its own, so that what is
        wrong with one (an unknown user) is not the others' trouble.
        """
        try:
            async with self._database.statements(ACTOR) as tx:
                done = await do(tx, self._clock, items)
        except asyncpg.PostgresError as error:
            if len(items) == 1:
                return [error]
            alone = [await self._together(do, [item]) for item in items]
            return [outcome for [outcome] in alone]
        return list[Outcome | BaseException](done)
