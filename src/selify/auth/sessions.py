"""Sessions: a row in ``auth.sessions``, and a secret that only its holder knows.

The secret rotates while it is used, so that a copied one does not stay good for long. Because an
answer that carries a new secret can be lost, and because pages ask several things at once, the
secret before it stays good until the new one has been seen, and then for ``GRACE``. Whoever shows
it later holds a copy: the session ends for both.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selify.auth import repository, sign_in_audit
from selify.auth.repository import HeldSecret
from selify.auth.sign_in_audit import SignInEvent
from selify.auth.types import ClientInfo, Session, SignedIn, User
from selify.core.database import Tx
from selify.core.errors import Forbidden, Unauthenticated
from selify.core.language import When, _
from selify.core.logging import get_logger
from selify.core.wrong_clocks import Bound, interval

log = get_logger(__name__)

ROTATE_EVERY = timedelta(hours=1)
GRACE = timedelta(seconds=60)
# Requests sent at the same moment as the one that rotated must not rotate again: the slowest answer
# would leave the browser with a secret that is no more. Longer than any answer takes, a large
# upload over a slow line too.
SETTLING = timedelta(minutes=10)


# How far ahead these times can honestly lie; see ``selify.core.wrong_clocks``.
BOUNDS = (
    Bound("internal.session_secrets", "rotated_at"),
    Bound("internal.session_secrets", "previous_until", longest=interval(GRACE)),
)


class AccountClosed(Forbidden):
    """Said only to who has proven that the account is theirs."""

    code = "account_closed"
    title = _("This account cannot sign in")

    def __init__(self, banned_until: datetime | None, *, now: datetime) -> None:
        ask = _("Ask us if this is a mistake.")
        if banned_until is None or banned_until <= now:
            super().__init__(_("It was suspended or deleted."), hint=ask)
            return
        super().__init__(
            _("It is suspended until %(until)s.", until=When(banned_until, "at")),
            hint=ask,
            until=banned_until.isoformat(),
        )


@dataclass(frozen=True, slots=True)
class Presented:
    """A live session. ``new_secret``: what its holder must use from now on, if it changed."""

    session: Session
    new_secret: str | None


def hash_of(secret: str) -> bytes:
    # The secret has 256 random bits: one round of SHA-256 is enough, unlike for passwords.
    return hashlib.sha256(secret.encode()).digest()


async def start(
    tx: Tx, user: User, *, client: ClientInfo, now: datetime, lifetime: timedelta
) -> SignedIn:
    """Always a new session and a new secret, whatever the browser held before. Raises AccountClosed."""
    secret = secrets.token_urlsafe(32)
    session = await repository.insert_session(
        tx, user, client=client, secret_hash=hash_of(secret), now=now, ends_at=now + lifetime
    )
    if session is None:
        raise AccountClosed(await repository.banned_until(tx, user.id), now=now)
    return SignedIn(session, secret)


async def present(tx: Tx, secret: str, *, now: datetime) -> Presented | None:
    """The live session this secret belongs to, rotating the secret when it is time."""
    held = await repository.find_by_secret(tx, hash_of(secret), now=now)
    if held is None:
        return None
    if held.is_current:
        return await _present_current(tx, held, secret, now)
    return await _present_previous(tx, held, secret, now)


async def _present_current(tx: Tx, held: HeldSecret, secret: str, now: datetime) -> Presented:
    if now - held.rotated_at >= ROTATE_EVERY:
        return await _rotate(tx, held, secret, now)
    if held.has_previous and held.previous_until is None:
        await repository.end_previous_secret(tx, held.session.id, at=now + GRACE)
    return Presented(held.session, None)


async def _present_previous(
    tx: Tx, held: HeldSecret, secret: str, now: datetime
) -> Presented | None:
    if held.previous_until is not None:
        if now < held.previous_until:
            return Presented(held.session, None)
        log.warning("an old session secret was used", session=str(held.session.id))
        await repository.delete_session(tx, held.session.id)
        await sign_in_audit.record(
            tx,
            SignInEvent.SESSION_REVOKED,
            now=now,
            user=held.session.user,
            error_code="old_secret_used",
        )
        return None
    if now - held.rotated_at < SETTLING:
        return Presented(held.session, None)
    return await _rotate(tx, held, secret, now)  # the answer with the new secret was lost


async def _rotate(tx: Tx, held: HeldSecret, secret: str, now: datetime) -> Presented:
    new = secrets.token_urlsafe(32)
    rotated = await repository.replace_secret(
        tx,
        held.session.id,
        held=hash_of(secret),
        new=hash_of(new),
        rotated_at=held.rotated_at,
        now=now,
    )
    return Presented(held.session, new if rotated else None)


async def check_session(tx: Tx, session_id: UUID, *, now: datetime) -> None:
    """For work that takes its time, at its end: raises Unauthenticated when the session has ended
    meanwhile, or its user may not sign in any more.
    """
    if await repository.find_session(tx, session_id, now=now) is None:
        raise Unauthenticated(
            _("You were signed out meanwhile."), hint=_("Sign in and start again.")
        )
