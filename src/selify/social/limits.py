"""How fast we may send: ``instagram_rate_limits`` as one atomic gate.

Our own safety limits are 200 messages an hour and 1000 a day per account (reference). Both windows
are derived from ``last_message_at``: a new clock hour or UTC day starts its count at zero, so no
job has to reset anything. A refused send is not dropped: it waits, and we can say how long.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selify.core.database import Tx

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# A worker whose clock is a little behind must not start an hour anew that is over for the others.
_COUNT = "internal.in_window(l.{}, l.last_message_at, greatest($2, l.last_message_at), '{}')"
_TODAY = _COUNT.format("messages_sent_today", "day")
_THIS_HOUR = _COUNT.format("messages_sent_this_hour", "hour")


@dataclass(frozen=True, slots=True)
class Pace:
    """What is used up and what is waiting. ``clear_at``: when the last waiting one has left."""

    sent_this_hour: int
    sent_today: int
    hourly_limit: int
    daily_limit: int
    waiting: int
    clear_at: datetime | None


async def take(tx: Tx, account_id: UUID, now: datetime) -> datetime | None:
    """Count one send. ``None``: go ahead; otherwise: when to try again. Never counts a refusal."""
    granted = await tx.execute(
        f"""
        INSERT INTO public.instagram_rate_limits AS l
               (account_id, messages_sent_today, messages_sent_this_hour, last_message_at, reset_at)
        VALUES ($1, 1, 1, $2, date_trunc('hour', $2, 'UTC') + interval '1 hour')
        ON CONFLICT (account_id) DO UPDATE
           SET messages_sent_today = {_TODAY} + 1,
               messages_sent_this_hour = {_THIS_HOUR} + 1,
               last_message_at = greatest(l.last_message_at, $2),
               reset_at = date_trunc('hour', $2, 'UTC') + interval '1 hour'
         WHERE {_TODAY} < l.daily_limit
           AND {_THIS_HOUR} < l.hourly_limit
        """,
        account_id,
        now,
    )
    return None if granted else await _next_opening(tx, account_id, now)


async def give_back(tx: Tx, account_id: UUID) -> None:
    """A counted send that never left."""
    await tx.execute(
        """
        UPDATE public.instagram_rate_limits
           SET messages_sent_today = greatest(0, messages_sent_today - 1),
               messages_sent_this_hour = greatest(0, messages_sent_this_hour - 1)
         WHERE account_id = $1
        """,
        account_id,
    )


async def pace(tx: Tx, account_id: UUID, now: datetime) -> Pace:
    """Where the account stands, with an honest estimate for what is waiting."""
    row = await tx.fetch_one(
        """
        SELECT internal.in_window(messages_sent_this_hour, last_message_at, $2, 'hour') AS hour,
               internal.in_window(messages_sent_today, last_message_at, $2, 'day') AS day,
               hourly_limit, daily_limit
          FROM public.instagram_rate_limits WHERE account_id = $1
        """,
        account_id,
        now,
    )
    waiting = await tx.fetch_value(
        "SELECT count(*) FROM internal.outbox WHERE account_id = $1 AND state = 'queued'",
        account_id,
    )
    hour, day, hourly, daily = tuple(row) if row else (0, 0, 200, 1000)
    return Pace(hour, day, hourly, daily, waiting, estimate(waiting, hour, day, hourly, daily, now))


def estimate(
    waiting: int, hour: int, day: int, hourly: int, daily: int, now: datetime
) -> datetime | None:
    """When the last of ``waiting`` messages leaves, hour by hour and day by day."""
    if waiting <= 0:
        return None
    if hourly <= 0 or daily <= 0:
        return None
    at = now
    while True:
        room = max(0, min(hourly - hour, daily - day))
        if waiting <= room:
            return at
        waiting, day = waiting - room, day + room
        following = _floor(at, HOUR) + HOUR
        hour = 0
        if day >= daily:
            following, day = _floor(at, DAY) + DAY, 0
        elif following.date() != at.date():
            day = 0
        at = following


async def _next_opening(tx: Tx, account_id: UUID, now: datetime) -> datetime:
    current = await pace(tx, account_id, now)
    full_day = current.sent_today >= current.daily_limit
    window = DAY if full_day else HOUR
    return _floor(now, window) + window


def _floor(at: datetime, window: timedelta) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if window == DAY else midnight.replace(hour=at.hour)
