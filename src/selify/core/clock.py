"""The time, as something tests can set. All times are aware and in UTC."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol

LAST_MOMENT = datetime.max.replace(tzinfo=UTC)


class Clock(Protocol):
    def now(self) -> datetime: ...

    async def sleep_until(self, moment: datetime) -> None:
        """Returns at once when it is over."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))


def is_within(span: timedelta, since: datetime, now: datetime) -> bool:
    """Whether ``since`` is less than ``span`` ago. What lies as far ahead was written by a clock that
    was wrong: no.
    """
    return abs(now - since) < span


class FrozenClock:
    """Stands still until told to move, or until somebody sleeps: for tests of windows, weeks and
    retention.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        self._now += by
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        self._now = max(self._now, moment.astimezone(UTC))
