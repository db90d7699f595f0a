"""Links that are mailed and do one thing, once: ``internal.one_time_links``.

The secret is in the mail alone, and here only its hash. Fetching such a link does nothing, for mail scanners fetch
every link: the page it opens has a button, whose form brings along a field (``FormFields``) that nobody has who did
not open the page. Whoever uses one locks what it is about first, and then calls ``use``: of two at once one wins.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlencode
from uuid import UUID

from selify.core.database import Tx
from selify.core.errors import Forbidden, Gone
from selify.core.ids import new_id
from selify.core.language import _
from selify.core.pruning import Rule
from selify.core.secrets import SecretBox, SecretUnreadable
from selify.core.wrong_clocks import Bound, interval


class LinkKind(StrEnum):
    """What a link does. The subject of these is a user."""

    EMAIL_CONFIRMATION = "email_confirmation"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of a link
    EMAIL_CHANGE = "email_change"
    EMAIL_UNDO = "email_undo"


LIFETIMES: Mapping[LinkKind, timedelta] = MappingProxyType(
    {
        LinkKind.EMAIL_CONFIRMATION: timedelta(days=7),
        LinkKind.PASSWORD_RESET: timedelta(minutes=60),
        LinkKind.EMAIL_CHANGE: timedelta(hours=24),
        LinkKind.EMAIL_UNDO: timedelta(days=7),
    }
)
LONGEST = max(LIFETIMES.values())
LONGEST_SECRET = 100

# How far ahead these times can honestly lie; see ``selify.core.wrong_clocks``.
BOUNDS = (Bound("internal.one_time_links", "expires_at", longest=interval(LONGEST)),)
# As long as somebody may ask why a link does nothing.
PRUNED = Rule("internal.one_time_links", "expires_at", timedelta(days=30))


class LinkGone(Gone):
    code = "link_gone"
    title = _("This link is no longer good")


class FormFieldWrong(Forbidden):
    code = "form_field_wrong"
    title = _("This form cannot be sent like that")


@dataclass(frozen=True, slots=True)
class Link:
    """One that is still good. ``address``: the mailbox it was sent to."""

    id: UUID
    kind: LinkKind
    subject: UUID
    address: str
    expires_at: datetime


def hash_of(secret: str) -> bytes:
    # The secret has 256 random bits: one round of SHA-256 is enough, unlike for passwords.
    return hashlib.sha256(secret.encode()).digest()


def path(page: str, secret: str) -> str:
    """Where a mail's button leads: a page of ours that is told the secret."""
    return f"{page}?{urlencode({'token': secret})}"


async def make(
    tx: Tx,
    kind: LinkKind,
    *,
    subject: UUID,
    address: str,
    now: datetime,
    beside_others: bool = False,
) -> str:
    """The secret of a new link. It takes the place of an older one of its kind for the same subject, unless
    it is to be good beside it.
    """
    secret = secrets.token_urlsafe(32)
    if not beside_others:
        # Of two made at once the later one is the newest.
        await tx.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{kind}/{subject}"
        )
        await end(tx, subject, kind)
    await tx.execute(
        """
        INSERT INTO internal.one_time_links
               (id, kind, subject, address, secret_hash, made_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        new_id(),
        kind.value,
        subject,
        address,
        hash_of(secret),
        now,
        now + LIFETIMES[kind],
    )
    return secret


async def find(tx: Tx, kind: LinkKind, secret: str, *, now: datetime) -> Link:
    """Changes nothing. Raises LinkGone for one that was never made, was used or ended, or is too old."""
    found = await tx.fetch_as(
        Link,
        """
        SELECT id, kind, subject, address, expires_at FROM internal.one_time_links
         WHERE secret_hash = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3
        """,
        hash_of(secret[: LONGEST_SECRET + 1]),
        kind.value,
        now,
    )
    if not found:
        raise gone()
    return found[0]


async def use(tx: Tx, link: Link, *, now: datetime) -> None:
    """From now on it is used. Raises LinkGone where somebody was quicker, or it ended meanwhile."""
    used = await tx.execute(
        """
        UPDATE internal.one_time_links SET used_at = $2
         WHERE id = $1 AND used_at IS NULL AND expires_at > $2
        """,
        link.id,
        now,
    )
    if not used:
        raise gone()


async def end(tx: Tx, subject: UUID, *kinds: LinkKind) -> None:
    """None of these kinds, of a subject, is good any more; the used ones are remembered."""
    await tx.execute(
        """
        DELETE FROM internal.one_time_links
         WHERE subject = $1 AND kind = ANY ($2::text[]) AND used_at IS NULL
        """,
        subject,
        [kind.value for kind in kinds],
    )


async def is_out(
    tx: Tx, kind: LinkKind, address: str, *, now: datetime, but: UUID | None = None
) -> bool:
    """Whether a good one was sent to a mailbox. ``but``: a subject whose links do not count."""
    return bool(
        await tx.fetch_value(
            """
            SELECT true FROM internal.one_time_links
             WHERE address = $1 AND kind = $2 AND used_at IS NULL AND expires_at > $3
               AND subject IS DISTINCT FROM $4 LIMIT 1
            """,
            address,
            kind.value,
            now,
            but,
        )
    )


def gone() -> LinkGone:
    return LinkGone(
        _("It was used already, it is too old, or a newer one has taken its place."),
        hint=_("Ask for a new one."),
    )


class FormFields:
    """The one-time field of the form that a link's page shows: sealed about the link's secret. It is good as
    long as the link is.
    """

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def make(self, secret: str) -> str:
        return self._box.seal("", about=_about(secret))

    def check(self, field: str, secret: str) -> None:
        """Raises FormFieldWrong."""
        try:
            self._box.open(field, about=_about(secret))
        except SecretUnreadable:
            raise FormFieldWrong(
                _("Nothing was changed."),
                hint=_("Open the link in the mail again, and press the button there."),
            ) from None


def _about(secret: str) -> str:
    return f"form of link {hash_of(secret).hex()}"
