"""Slows down guessing: counts tries in PostgreSQL, so that all server processes count together.

A try is counted before the password is looked at, or many tries at once would slip through.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from selify.core.database import Tx
from selify.core.errors import TooMany
from selify.core.language import _, _n
from selify.core.wrong_clocks import Bound, interval

WINDOW = timedelta(minutes=15)
AN_HOUR = timedelta(hours=1)
LONGEST_WINDOW = timedelta(days=1)
# Of one kind, to one mailbox, in an hour: more would be a nuisance that anybody could order for it.
MAILS_AN_HOUR = 3


class TooManyAttempts(TooMany):
    code = "too_many_attempts"
    title = _("Too many tries")


# How far ahead these times can honestly lie; see ``selify.core.wrong_clocks``.
BOUNDS = (
    Bound(
        "internal.sign_in_attempts",
        "window_ends",
        longest=interval(LONGEST_WINDOW),
        back_to=interval(WINDOW),
    ),
)


@dataclass(frozen=True, slots=True)
class Over:
    """Too many tries; ``until`` when. ``first``: this one was the first too many."""

    until: datetime
    first: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many tries per window by one subject."""

    kind: str
    value: str
    most: int
    window: timedelta = WINDOW

    @property
    def subject(self) -> bytes:
        return hashlib.sha256(f"{self.kind}\n{self.value}".encode()).digest()


def sign_in_limits(email: str, address: str | None) -> list[Limit]:
    """One guesser at one account is stopped soon; guessing spread over many addresses or many
    accounts later, because others share the address, and the account's owner must not be locked
    out by a stranger's ten tries.
    """
    place = address or "unknown"
    return [
        Limit("e-mail and address", f"{email}\n{place}", 10),
        Limit("e-mail", email, 60),
        Limit("address", place, 100),
    ]


def sign_up_limits(address: str | None) -> list[Limit]:
    return [Limit("sign-up", address or "unknown", 20)]


def reset_limits(address: str | None) -> list[Limit]:
    return [Limit("reset", address or "unknown", 30)]


def link_limits(address: str | None) -> list[Limit]:
    """Of links that were never made, or are no longer good."""
    return [Limit("link", address or "unknown", 20)]


def wrong_key_limits(address: str | None) -> list[Limit]:
    """Only keys that open nothing are counted: nobody guesses one, but a program that goes on for ever
    with one that ended is told to wait.
    """
    return [Limit("API key", address or "unknown", 100)]


def mail_limits(kind: str, email: str) -> list[Limit]:
    """Mails of one kind to one mailbox: who is over gets the same answer, and no further mail is sent."""
    return [Limit(f"mail/{kind}", email, MAILS_AN_HOUR, AN_HOUR)]


async def count_attempt(tx: Tx, limits: list[Limit], *, now: datetime) -> Over | None:
    """Count a try by each subject; when one is over its limit, until when.

    The caller commits and then refuses, so that refused tries are counted too.
    """
    rows = await tx.fetch(
        """
        INSERT INTO internal.sign_in_attempts AS a (subject, attempts, window_ends)
        SELECT subject, 1, window_ends
          FROM unnest($1::bytea[], $2::timestamptz[]) AS s (subject, window_ends) ORDER BY subject
        ON CONFLICT (subject) DO UPDATE
           SET attempts = CASE WHEN a.window_ends <= $3 THEN 1 ELSE a.attempts + 1 END,
               window_ends = CASE WHEN a.window_ends <= $3 THEN excluded.window_ends
                                  ELSE a.window_ends END
        RETURNING subject, attempts, window_ends
        """,
        [limit.subject for limit in limits],
        [now + limit.window for limit in limits],
        now,
    )
    most = {limit.subject: limit.most for limit in limits}
    beyond = {
        row["window_ends"]: row["attempts"] - most[bytes(row["subject"])]
        for row in rows
        if row["attempts"] > most[bytes(row["subject"])]
    }
    return Over(max(beyond), first=1 in beyond.values()) if beyond else None


async def forgive_attempt(tx: Tx, limits: list[Limit]) -> None:
    """A try that succeeded was no guess."""
    await tx.execute(
        """
        UPDATE internal.sign_in_attempts SET attempts = greatest(0, attempts - 1)
         WHERE subject IN (SELECT subject FROM internal.sign_in_attempts
                            WHERE subject = ANY ($1::bytea[]) ORDER BY subject FOR UPDATE)
        """,
        [limit.subject for limit in limits],
    )


async def forget_old_attempts(tx: Tx, *, now: datetime) -> int:
    return await tx.execute("DELETE FROM internal.sign_in_attempts WHERE window_ends < $1", now)


def refusal(until: datetime, *, now: datetime) -> TooManyAttempts:
    seconds = max(1.0, (until - now).total_seconds())
    minutes = round(seconds / 60)
    return TooManyAttempts(
        _("This was tried too often."),
        retry_after=seconds,
        hint=_n("Please wait a minute.", "Please wait %(count)s minutes.", count=max(1, minutes)),
    )
