"""Keeping somebody out for a while, by our team.

A ban is ``auth.users.banned_until``: every way in asks for it (``repository``), row level security does
(``internal.active_members``), and the profile follows it. It ends by itself; sessions that it ended do not
come back.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from selify.auth import owners, repository, sign_in_audit
from selify.auth.owners import Owned
from selify.auth.sign_in_audit import SignInEvent
from selify.auth.types import ClientInfo, User
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.errors import Conflict, Invalid, NotFound
from selify.core.language import _


class PersonMissing(NotFound):
    code = "user_missing"


class NotYourself(Conflict):
    code = "not_yourself"
    title = _("You cannot ban yourself")


@dataclass(frozen=True, slots=True)
class Ban:
    """``ownerless``: workspaces in which no owner can act as long as it lasts."""

    user_id: UUID
    until: datetime
    reason: str
    ended_sessions: int
    ownerless: tuple[Owned, ...]


async def ban(
    tx: Tx,
    clock: Clock,
    user_id: UUID,
    *,
    until: datetime,
    reason: str,
    by: UUID,
    client: ClientInfo,
) -> Ban:
    """From this transaction's end on nobody gets in as them; another ban takes this one's place. A system
    transaction. Raises PersonMissing, NotYourself, and Invalid for a time that is over.
    """
    now = clock.now()
    if user_id == by:
        raise NotYourself(_("Somebody else of the team has to do that."))
    if until <= now:
        raise Invalid(_("A ban ends in the future."), field="until")
    # Before the account's own row, in the order in which everybody takes them.
    alone = await owners.owned_alone(tx, user_id, now=now)
    user = await _set(tx, user_id, until, now=now)
    ended = await repository.delete_sessions_of(tx, user_id)
    await sign_in_audit.record(
        tx,
        SignInEvent.BANNED,
        now=now,
        user=user,
        client=client,
        metadata={"until": until.isoformat(), "reason": reason, "by": str(by)},
    )
    await owners.tell_without_owner(tx, alone, now=now)
    return Ban(user_id, until, reason, ended, tuple(alone))


async def lift(tx: Tx, clock: Clock, user_id: UUID, *, by: UUID, client: ClientInfo) -> None:
    """Before its time; harmless where there is none. Raises PersonMissing."""
    now = clock.now()
    user = await _set(tx, user_id, None, now=now)
    await sign_in_audit.record(
        tx,
        SignInEvent.BAN_LIFTED,
        now=now,
        user=user,
        client=client,
        metadata={"by": str(by)},
    )


async def forget_ended(tx: Tx, *, now: datetime) -> int:
    """Profiles do not notice that a ban is over; how many were told. For the worker, every so often."""
    return await tx.execute(
        """
        UPDATE public.profiles SET status = 'active'
         WHERE status = 'banned' AND banned_until <= $1 AND deleted_at IS NULL
        """,
        now,
    )


async def _set(tx: Tx, user_id: UUID, until: datetime | None, *, now: datetime) -> User:
    changed = await tx.execute(
        """
        UPDATE auth.users SET banned_until = $2, updated_at = $3
         WHERE id = $1 AND deleted_at IS NULL
        """,
        user_id,
        until,
        now,
    )
    user = await repository.find_user(tx, user_id)
    if not changed or user is None:
        raise PersonMissing(_("There is no such account."))
    return user
