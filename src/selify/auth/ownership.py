"""Handing a workspace over: an offer with the password, and an acceptance. Whoever gave it stays as admin.

An offer is void once either of the two has left (the database's foreign keys), once its giver is no owner who
can act any more, and after a week.

Memberships are locked before the offer, and that before the workspace: so does the database where a member
leaves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from selify.auth import permissions, sign_in_audit
from selify.auth.owners import CAN_ACT
from selify.auth.sign_in_audit import SignInEvent
from selify.auth.types import ClientInfo, User, Workspace
from selify.auth.workspaces import access_workspace, keeping_an_owner, member_missing
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.errors import Conflict, NotFound
from selify.core.language import _
from selify.core.permissions import WorkspaceRole
from selify.core.wrong_clocks import Bound
from selify.notifications import outbox

OPEN_FOR = timedelta(days=7)
# How far ahead these times can honestly lie; see ``selify.core.wrong_clocks``.
BOUNDS = (Bound("internal.ownership_offers", "offered_at"),)


class OfferMissing(NotFound):
    code = "ownership_offer_missing"
    title = _("There is no such offer")


class AlreadyOwner(Conflict):
    code = "already_owner"
    title = _("This is an owner already")


@dataclass(frozen=True, slots=True)
class Offer:
    """``ends_at``: from then on it is void."""

    offered_by: UUID
    offered_to: UUID
    offered_at: datetime

    @property
    def ends_at(self) -> datetime:
        return self.offered_at + OPEN_FOR


@dataclass(frozen=True, slots=True)
class _Party:
    user_id: UUID
    role: WorkspaceRole
    can_act: bool


_FIND: Final = """
SELECT offered_by, offered_to, offered_at FROM internal.ownership_offers
 WHERE workspace_id = $1 AND offered_at > $2
"""


async def find_offer(tx: Tx, clock: Clock, workspace_id: UUID, *, user_id: UUID) -> Offer | None:
    """The open offer, for an owner or for whom it is made, in a system transaction. Raises
    WorkspaceNotFound.
    """
    workspace = await access_workspace(
        tx, workspace_id, permissions.OWNERSHIP_ANSWER, user_id=user_id
    )
    offer = await tx.fetch_one_as(Offer, _FIND, workspace_id, clock.now() - OPEN_FOR)
    concerns = workspace.may(permissions.OWNERS_CHANGE) or (offer and offer.offered_to == user_id)
    return offer if concerns else None


async def offer(
    tx: Tx, clock: Clock, workspace_id: UUID, *, giver_id: UUID, receiver_id: UUID
) -> Offer:
    """Ask a member to be the owner in one's place, as an owner whose password was asked again, in a system
    transaction. Takes the place of an earlier offer.

    Raises WorkspaceNotFound, RoleTooLow, MemberNotFound, AlreadyOwner.
    """
    workspace = await access_workspace(
        tx, workspace_id, permissions.OWNERS_CHANGE, user_id=giver_id
    )
    now = clock.now()
    parties = await _parties(tx, workspace_id, giver_id, receiver_id, now=now)
    receiver = parties.get(receiver_id)
    if receiver is None or not receiver.can_act:
        raise member_missing()
    if receiver.role is WorkspaceRole.OWNER:
        raise AlreadyOwner(_("Nothing was changed."))
    await tx.execute(
        """
        INSERT INTO internal.ownership_offers (workspace_id, offered_by, offered_to, offered_at)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (workspace_id) DO UPDATE
           SET offered_by = excluded.offered_by, offered_to = excluded.offered_to,
               offered_at = excluded.offered_at
        """,
        workspace_id,
        giver_id,
        receiver_id,
        now,
    )
    await _tell_asked(tx, workspace, receiver_id, now=now)
    return Offer(giver_id, receiver_id, now)


async def withdraw(tx: Tx, clock: Clock, workspace_id: UUID, *, user_id: UUID) -> None:
    """Take the offer back as an owner, or decline it as whom it was made. Raises WorkspaceNotFound,
    OfferMissing.
    """
    if await find_offer(tx, clock, workspace_id, user_id=user_id) is None:
        raise _missing()
    await tx.execute("DELETE FROM internal.ownership_offers WHERE workspace_id = $1", workspace_id)


async def accept(
    tx: Tx, clock: Clock, workspace_id: UUID, *, user: User, client: ClientInfo
) -> Workspace:
    """The offer's receiver becomes the owner, its giver an admin, in a system transaction. Nothing is bought
    by card until the new owner says so (the database's trigger ``stop_auto_reload``).

    Raises WorkspaceNotFound, OfferMissing, and AlreadyOwner for who accepts twice.
    """
    now = clock.now()
    workspace = await access_workspace(
        tx, workspace_id, permissions.OWNERSHIP_ANSWER, user_id=user.id
    )
    found = await tx.fetch_one_as(Offer, _FIND, workspace_id, now - OPEN_FOR)
    parties = await _parties(
        tx, workspace_id, user.id, found.offered_by if found else None, now=now
    )
    mine = parties.get(user.id)
    if mine and mine.role is WorkspaceRole.OWNER:
        raise AlreadyOwner(_("You are an owner of this workspace already."))
    giver = found and parties.get(found.offered_by)
    if not (found and mine and giver and await _take(tx, workspace_id, found, user.id)):
        raise _missing()
    if not giver.can_act or giver.role is not WorkspaceRole.OWNER:
        raise _missing()
    await _change_hands(tx, workspace_id, giver.user_id, user.id)
    await sign_in_audit.record(
        tx,
        SignInEvent.OWNERSHIP_HANDED_OVER,
        now=now,
        user=user,
        client=client,
        metadata={"workspace_id": str(workspace_id), "from": str(giver.user_id)},
    )
    await _tell_handed_over(tx, workspace, now=now)
    return await access_workspace(tx, workspace_id, user_id=user.id)


async def _parties(
    tx: Tx, workspace_id: UUID, *users: UUID | None, now: datetime
) -> dict[UUID, _Party]:
    """The memberships of both, locked until the transaction ends."""
    found = await tx.fetch_as(
        _Party,
        f"""
        SELECT m.user_id, m.role, {CAN_ACT} AS can_act
          FROM public.workspace_members m JOIN auth.users u ON u.id = m.user_id
         WHERE m.workspace_id = $2 AND m.user_id = ANY ($3::uuid[])
         ORDER BY m.user_id FOR UPDATE OF m
        """,
        now,
        workspace_id,
        [user for user in users if user],
    )
    return {party.user_id: party for party in found}


async def _take(tx: Tx, workspace_id: UUID, found: Offer, user_id: UUID) -> bool:
    """Whether this very offer was still open, and is used up now, in a workspace that is there."""
    taken = await tx.execute(
        """
        DELETE FROM internal.ownership_offers
         WHERE workspace_id = $1 AND offered_by = $2 AND offered_to = $3
        """,
        workspace_id,
        found.offered_by,
        user_id,
    )
    return bool(taken) and bool(
        await tx.fetch_value(
            """
            SELECT true FROM public.workspaces WHERE id = $1 AND deleted_at IS NULL
               FOR NO KEY UPDATE
            """,
            workspace_id,
        )
    )


async def _change_hands(tx: Tx, workspace_id: UUID, giver_id: UUID, receiver_id: UUID) -> None:
    role = "UPDATE public.workspace_members SET role = $3, expires_at = NULL WHERE workspace_id = $1 AND user_id = $2"
    await tx.execute(role, workspace_id, receiver_id, WorkspaceRole.OWNER.value)
    await tx.execute(
        "UPDATE public.workspaces SET owner_id = $2 WHERE id = $1", workspace_id, receiver_id
    )
    with keeping_an_owner():
        await tx.execute(role, workspace_id, giver_id, WorkspaceRole.ADMIN.value)


async def _tell_asked(tx: Tx, workspace: Workspace, receiver_id: UUID, *, now: datetime) -> None:
    await outbox.notify_workspace(
        tx,
        workspace_id=workspace.id,
        kind="asked_to_own",
        title=_("You are asked to own %(name)s", name=workspace.name),
        body=_(
            "Its owner wants to hand it over to you. If you accept within %(days)s days, you become its"
            " owner, and they stay as admin.",
            days=OPEN_FOR.days,
        ),
        dedupe_key=f"asked to own/{receiver_id}/{now.isoformat()}",
        now=now,
        only=receiver_id,
    )


async def _tell_handed_over(tx: Tx, workspace: Workspace, *, now: datetime) -> None:
    await outbox.notify_workspace(
        tx,
        workspace_id=workspace.id,
        kind="ownership_handed_over",
        title=_("%(name)s has a new owner", name=workspace.name),
        body=_(
            "Credits are not bought automatically any more until the new owner has confirmed the card."
        ),
        dedupe_key=f"handed over/{now.isoformat()}",
        now=now,
    )


def _missing() -> OfferMissing:
    return OfferMissing(
        _("Nobody offers you this workspace, or the offer was taken back."),
        hint=_("Ask its owner to offer it again."),
    )
