"""Pauses: the platform asked an account to slow down, or cannot be reached. Its messages wait.

A pause that is asked for again soon after it ended lasts twice as long, up to 32 times its first
length; after a quiet while it begins short again. Refusals that arrive during a pause belong to the
sends that were on their way when it began: they do not make it grow. When it ends, those who waited
do not all leave in the same second: each got a turn (``limits.queue``).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selify.core.database import Tx
from selify.core.language import _
from selify.messaging import limits

QUIET = timedelta(seconds=30)
GROWS_TO = 32
LONGEST = timedelta(hours=24)
SLOW_DOWN = _("The platform asked us to slow down.")
# None ends later than its own length from now: it would have been written by a clock that was wrong.
_LATEST = "$2::timestamptz + coalesce(paused_for, '0')"
UNTIL = f"CASE WHEN paused_until > {_LATEST} THEN {_LATEST} ELSE paused_until END"


@dataclass(frozen=True, slots=True)
class Pause:
    """``why``: in words for the owner. ``may_end_early``: it is our own guess how long it must be."""

    since: datetime | None
    until: datetime
    why: str
    may_end_early: bool


async def pause(
    tx: Tx,
    account_id: UUID,
    *,
    now: datetime,
    length: timedelta,
    grows: bool = False,
    why: str = SLOW_DOWN,
    may_end_early: bool = False,
) -> datetime:
    """Every worker waits with this account's messages until then. ``length``: of a first pause."""
    until, length = await _next(tx, account_id, now, length, grows=grows)
    await _hold(tx, "a.id = $1", account_id, Pause(now, until, why, may_end_early), length)
    return until


async def pause_platform(
    tx: Tx,
    account_id: UUID,
    *,
    now: datetime,
    length: timedelta,
    grows: bool = False,
    why: str = SLOW_DOWN,
    may_end_early: bool = False,
) -> datetime:
    """Every active account of this one's platform waits: what they share is used up."""
    until, length = await _next(tx, account_id, now, length, grows=grows)
    same = """
        a.status = 'active'
        AND a.platform = (SELECT platform FROM public.connected_social_accounts WHERE id = $1)
    """
    await _hold(tx, same, account_id, Pause(now, until, why, may_end_early), length)
    return until


async def paused_until(tx: Tx, account_id: UUID, now: datetime) -> datetime | None:
    """May be over already."""
    until: datetime | None = await tx.fetch_value(
        f"SELECT {UNTIL} FROM internal.send_pace WHERE account_id = $1", account_id, now
    )
    return until


async def current(tx: Tx, account_id: UUID, now: datetime) -> Pause | None:
    """The pause that the account is in."""
    row = await tx.fetch_one(
        f"""
        SELECT paused_since, {UNTIL} AS paused_until, paused_why, may_end_early
          FROM internal.send_pace WHERE account_id = $1 AND paused_until > $2
        """,
        account_id,
        now,
    )
    if row is None:
        return None
    why = row["paused_why"] or SLOW_DOWN
    return Pause(row["paused_since"], row["paused_until"], why, row["may_end_early"])


async def end_early(tx: Tx, account_id: UUID, now: datetime) -> bool:
    """Try again now, where how long it must be was our own guess; whether that was so. If the next
    send is refused for the same reason, the pause that follows is a longer one.
    """
    return bool(
        await tx.execute(
            """
            UPDATE internal.send_pace SET paused_until = $2, last_turn = NULL, free_at = NULL
             WHERE account_id = $1 AND paused_until > $2 AND may_end_early
            """,
            account_id,
            now,
        )
    )


async def lift(tx: Tx, account_id: UUID) -> None:
    """The owner connected the account again: what it was paused for may be mended."""
    await tx.execute(
        """
        UPDATE internal.send_pace
           SET paused_until = NULL, paused_for = NULL, paused_since = NULL, paused_why = NULL,
               may_end_early = false, last_turn = NULL, free_at = NULL
         WHERE account_id = $1
        """,
        account_id,
    )


def grown(
    first: timedelta, now: datetime, last_until: datetime | None, last_length: timedelta | None
) -> timedelta:
    """How long a pause lasts that is asked for now, after one that lasted until then."""
    if last_until is None or last_length is None or now - last_until > max(QUIET, last_length):
        return first
    return max(first, min(2 * last_length, GROWS_TO * first, LONGEST))


async def _next(
    tx: Tx, account_id: UUID, now: datetime, length: timedelta, *, grows: bool
) -> tuple[datetime, timedelta]:
    """Until when, and what to remember as the pause's length."""
    row = await tx.fetch_one(
        f"SELECT {UNTIL} AS paused_until, paused_for FROM internal.send_pace WHERE account_id = $1",
        account_id,
        now,
    )
    last_until, last_length = (row["paused_until"], row["paused_for"]) if row else (None, None)
    if last_until and last_until > now:
        return max(last_until, now + length), max(last_length or length, length)
    if grows:
        length = grown(length, now, last_until, last_length)
    return now + length, length


async def _hold(tx: Tx, which: str, account_id: UUID, pause: Pause, length: timedelta) -> None:
    """In the order of their ids, so that two who pause several at once do not block each other. Of two
    reasons the one that holds longer is kept, and a pause that is prolonged has its old beginning.

    No pause ends later than its length from now: one that does was begun by a wrong clock (``bounds``).
    """
    await tx.execute(
        f"""
        INSERT INTO internal.send_pace AS p
               (account_id, paused_until, paused_for, free_at, paused_since, paused_why,
                may_end_early)
        SELECT a.id, $2, $3, $2::timestamptz + $4, $5, $6, $7
          FROM public.connected_social_accounts a WHERE {which} ORDER BY a.id
        ON CONFLICT (account_id) DO UPDATE
           SET paused_until = greatest(p.paused_until, excluded.paused_until),
               paused_for = CASE WHEN p.paused_until > $5
                                 THEN greatest(p.paused_for, excluded.paused_for)
                                 ELSE excluded.paused_for END,
               free_at = greatest(p.free_at, excluded.free_at),
               paused_since = CASE WHEN p.paused_until >= $5 THEN p.paused_since
                                   ELSE excluded.paused_since END,
               paused_why = CASE WHEN p.paused_until > excluded.paused_until THEN p.paused_why
                                 ELSE excluded.paused_why END,
               may_end_early = CASE WHEN p.paused_until > excluded.paused_until
                                    THEN p.may_end_early ELSE excluded.may_end_early END
        """,
        account_id,
        pause.until,
        length,
        limits.HEAD_START,
        pause.since,
        pause.why,
        pause.may_end_early,
    )
