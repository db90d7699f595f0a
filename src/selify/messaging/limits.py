"""How fast we may send: ``instagram_rate_limits`` as one atomic gate, and a pace per second.

Our own safety limits are 200 messages an hour and 1000 a day per account (reference). Both windows
are derived from ``last_message_at``: a new clock hour or UTC day starts its count at zero, so no
job has to reset anything. A refused send is not dropped: it waits, and we can say how long.

Within a second the platform takes 100 sends of an account, and refuses everything for a while when
there are more. So they leave at a steady pace well below (``internal.send_pace``), and whoever has
to wait gets a turn: several hundred that waited for the same pause come back one after another.

Reading conversations back has a pace of its own, slower by far.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selify.core.database import Tx
from selify.core.language import _
from selify.core.queue import outbox_rows
from selify.messaging import outgoing

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

SENDS_PER_SECOND = 40
TURN = timedelta(seconds=1) / SENDS_PER_SECOND
# This many may leave at once when nothing left for a while.
BURST = 20
HEAD_START = (BURST - 1) * TURN
# Thousands would have to wait for one account at the same moment for their turns to lie further ahead.
LONGEST_LINE = timedelta(minutes=1)


def used_up(limit: str) -> str:
    return _(
        "The safety limit of %(limit)s is reached: answers go on leaving as soon as it allows.",
        limit=limit,
    )


# Conversations may be read twice a second, listing, threads and messages together. A little slower,
# because what leaves evenly does not arrive evenly.
READ_TURN = timedelta(seconds=0.6)
READS_AHEAD = timedelta(seconds=10)

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

    @property
    def used_up(self) -> str:
        """Which limit is reached; empty when none is."""
        if self.sent_today >= self.daily_limit:
            return _("%(count)s messages a day", count=self.daily_limit)
        if self.sent_this_hour >= self.hourly_limit:
            return _("%(count)s messages an hour", count=self.hourly_limit)
        return ""


class NotInTurn(Exception):
    """Others leave at this moment: whoever asked has a turn ``until`` which they wait."""

    def __init__(self, until: datetime) -> None:
        super().__init__("many answers leave at this moment: this one has its turn soon")
        self.until = until


_TURN = """
    INSERT INTO internal.send_pace AS p (account_id, free_at)
    VALUES ($1, $2::timestamptz + $3::interval)
    ON CONFLICT (account_id) DO UPDATE SET free_at = greatest(p.free_at, $2) + $3
     WHERE p.free_at IS NULL OR p.free_at <= $2::timestamptz + $4::interval
"""
_COUNTED = f"""
    INSERT INTO public.instagram_rate_limits AS l
           (account_id, messages_sent_today, messages_sent_this_hour, last_message_at, reset_at)
    SELECT $1::uuid, 1, 1, $2::timestamptz, date_trunc('hour', $2, 'UTC') + interval '1 hour'
      {{}}
    ON CONFLICT (account_id) DO UPDATE
       SET messages_sent_today = {_TODAY} + 1,
           messages_sent_this_hour = {_THIS_HOUR} + 1,
           last_message_at = greatest(l.last_message_at, $2),
           reset_at = date_trunc('hour', $2, 'UTC') + interval '1 hour'
     WHERE {_TODAY} < l.daily_limit
       AND {_THIS_HOUR} < l.hourly_limit
"""


async def acquire(tx: Tx, account_id: UUID, now: datetime) -> datetime | None:
    """Count one send. ``None``: go ahead; otherwise: when to try again. Never counts a refusal."""
    granted = await tx.execute(_COUNTED.format(""), account_id, now)
    return None if granted else await _next_opening(tx, account_id, now)


async def take_in_turn(tx: Tx, account_id: UUID, now: datetime) -> datetime | None:
    """The same for a send that has its turn now. Raises NotInTurn: then nothing is counted."""
    row = await tx.fetch_one(
        f"""
        WITH turn AS ({_TURN} RETURNING 1), counted AS ({_COUNTED.format("FROM turn")} RETURNING 1)
        SELECT EXISTS (SELECT FROM turn) AS in_turn, EXISTS (SELECT FROM counted) AS counted
        """,
        account_id,
        now,
        TURN,
        HEAD_START,
    )
    assert row is not None  # noqa: S101 - it has no condition
    if not row["in_turn"]:
        raise NotInTurn(await queue(tx, account_id, now))
    return None if row["counted"] else await _next_opening(tx, account_id, now)


async def release(tx: Tx, account_id: UUID) -> None:
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


async def acquire_slot(tx: Tx, account_id: UUID, now: datetime) -> datetime | None:
    """``None``: go ahead; otherwise: the turn of whoever asked."""
    granted = await tx.execute(_TURN, account_id, now, TURN, HEAD_START)
    return None if granted else await queue(tx, account_id, now)


async def queue(tx: Tx, account_id: UUID, since: datetime) -> datetime:
    """A turn after ``since``, behind everybody who waits already."""
    turn: datetime = await tx.fetch_value(
        """
        INSERT INTO internal.send_pace AS p (account_id, last_turn)
        VALUES ($1, $2::timestamptz + $3::interval)
        ON CONFLICT (account_id) DO UPDATE
           -- What lies further ahead was given by a clock that was wrong.
           SET last_turn = CASE WHEN p.last_turn <= $2::timestamptz + $4::interval
                                THEN greatest(p.last_turn, $2) ELSE $2 END + $3
        RETURNING last_turn
        """,
        account_id,
        since,
        TURN,
        LONGEST_LINE,
    )
    return turn


async def acquire_read(tx: Tx, account_id: UUID, now: datetime) -> datetime | None:
    """When the caller's next read of this account's conversations may leave, seconds from now at
    most; ``None``: too many others wait for theirs.
    """
    turn: datetime | None = await tx.fetch_value(
        """
        INSERT INTO internal.send_pace AS p (account_id, last_read) VALUES ($1, $2)
        ON CONFLICT (account_id) DO UPDATE
           SET last_read = CASE WHEN p.last_read BETWEEN $2 - $3::interval AND $2 + $4::interval
                                THEN p.last_read + $3 ELSE $2 END
               -- What lies further ahead was given by a clock that was wrong.
         WHERE p.last_read IS NULL OR p.last_read NOT BETWEEN $2 + $4::interval AND $2 + 2 * $4
        RETURNING last_read
        """,
        account_id,
        now,
        READ_TURN,
        READS_AHEAD,
    )
    return turn


async def pace(tx: Tx, account_id: UUID, now: datetime) -> Pace:
    """Where the account stands, with an honest estimate for what is waiting."""
    waiting = await outbox_rows.count_waiting(
        tx, channel=outgoing.CHANNEL, account_id=account_id, but=outgoing.DOTS
    )
    hour, day, hourly, daily = await _counters(tx, account_id, now)
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
    _, today, _, daily_limit = await _counters(tx, account_id, now)
    window = DAY if today >= daily_limit else HOUR
    return _floor(now, window) + window


async def _counters(tx: Tx, account_id: UUID, now: datetime) -> tuple[int, int, int, int]:
    """Sent this hour and today, and how many may be."""
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
    if row is None:
        return 0, 0, 200, 1000
    return row["hour"], row["day"], row["hourly_limit"], row["daily_limit"]


def _floor(at: datetime, window: timedelta) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if window == DAY else midnight.replace(hour=at.hour)
