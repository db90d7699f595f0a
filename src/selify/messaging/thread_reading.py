"""Reading a thread back, to find out whether a send arrived.

A platform lets an account read its conversations only so often, listing, threads and single messages
together, and what reads too fast is refused. So every request has its turn, shared by all workers,
and a reading that is interrupted goes on from where it stopped.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database
from selify.messaging import limits
from selify.messaging.ports import Credentials, Messenger, NotNow, SentMessage

ACTOR = Actor.system("reading a thread back")
# Refused for less than this is waited for on the spot, a few times.
SHORT_REFUSAL = 3.0
REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Not read to its end. ``cursor``: where to go on."""

    cursor: Mapping[str, Any]
    reason: str


class ThreadReader:
    """Looks through what an account wrote to a person."""

    def __init__(self, database: Database, messenger: Messenger, *, clock: Clock) -> None:
        self._database = database
        self._messenger = messenger
        self._clock = clock

    async def turn(self, account_id: UUID) -> bool:
        """Waits for a read's turn; false when too many others wait for theirs."""
        async with self._database.tx(ACTOR) as tx:
            moment = await limits.acquire_read(tx, account_id, self._clock.now())
        if moment is None:
            return False
        await self._clock.sleep_until(moment)
        return True

    async def find(
        self,
        account_id: UUID,
        sender: Credentials,
        person_ref: str,
        *,
        since: datetime,
        cursor: Mapping[str, Any],
        fits: Callable[[SentMessage], Awaitable[bool]],
    ) -> SentMessage | Interrupted | None:
        """The newest message that fits; ``None``: the thread was read, and there is none."""
        at: Mapping[str, Any] | None = cursor
        refusals = 0
        while at is not None:
            if not await self.turn(account_id):
                return Interrupted(at, "many threads of this account are being read")
            step = await self._messenger.read_back(sender, person_ref, since=since, cursor=at)
            if isinstance(step, NotNow):
                refusals += 1
                after = step.retry_after
                if after is None or after > SHORT_REFUSAL or refusals >= REFUSALS:
                    return Interrupted(at, "the thread cannot be read now")
                await self._clock.sleep_until(self._clock.now() + timedelta(seconds=after))
                continue
            if step.message is not None and await fits(step.message):
                return step.message
            at = step.cursor
        return None
