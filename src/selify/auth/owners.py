"""A workspace always has an owner who can act: joined, and neither banned nor deleted.

The database keeps it for whatever happens to memberships (``internal.keep_an_owner``); here is what happens to
people, and the way out where our team has banned the only owner.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from selify.auth import repository, sign_in_audit
from selify.auth.sign_in_audit import SignInEvent
from selify.auth.types import ClientInfo
from selify.auth.workspaces import LastOwner, WorkspaceNotFound, member_missing
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.errors import Conflict
from selify.core.ids import WorkspaceId
from selify.core.language import Listed, _
from selify.notifications import outbox

# Of a membership ``m`` and its account ``u``, at the time $1.
CAN_ACT: Final = """(m.joined_at IS NOT NULL OR m.invited_at IS NULL) AND u.deleted_at IS NULL
    AND (u.banned_until IS NULL OR u.banned_until <= $1)
    AND (m.expires_at IS NULL OR m.expires_at > $1)"""


class OwnerCanAct(Conflict):
    code = "owner_can_act"
    title = _("The workspace has an owner who can act")


@dataclass(frozen=True, slots=True)
class Owned:
    id: WorkspaceId
    name: str


async def owned_alone(tx: Tx, user_id: UUID, *, now: datetime) -> list[Owned]:
    """The workspaces that nobody but them can act as an owner of. Nobody else becomes an owner of one, or
    stops being it, before the transaction ends. A system transaction.
    """
    owned = await tx.fetch(
        """
        SELECT w.id FROM public.workspaces w JOIN public.workspace_members m ON m.workspace_id = w.id
         WHERE m.user_id = $1 AND m.role = 'owner' AND w.deleted_at IS NULL
           AND (m.joined_at IS NOT NULL OR m.invited_at IS NULL)
         ORDER BY w.id FOR NO KEY UPDATE OF w
        """,
        user_id,
    )
    return await tx.fetch_as(
        Owned,
        f"""
        SELECT w.id, w.name FROM public.workspaces w
         WHERE w.id = ANY ($2::uuid[]) AND NOT EXISTS (
               SELECT FROM public.workspace_members m JOIN auth.users u ON u.id = m.user_id
                WHERE m.workspace_id = w.id AND m.role = 'owner' AND m.user_id <> $3 AND {CAN_ACT})
         ORDER BY w.name, w.id
        """,
        now,
        [row["id"] for row in owned],
        user_id,
    )


async def check_leaves_none_alone(tx: Tx, user_id: UUID, *, now: datetime) -> None:
    """Whether each of their workspaces has another owner who can act; it stays so until the transaction
    ends, which is the one to delete the account in. A system transaction. Raises LastOwner, with the
    workspaces in question.
    """
    alone = await owned_alone(tx, user_id, now=now)
    if alone:
        raise LastOwner(
            _(
                "You are the only owner of %(names)s.",
                names=Listed(tuple(one.name for one in alone)),
            ),
            hint=_("Hand over or delete what is yours alone first."),
            workspaces=[{"id": str(one.id), "name": one.name} for one in alone],
        )


async def appoint(
    tx: Tx, clock: Clock, workspace_id: UUID, user_id: UUID, *, by: UUID, client: ClientInfo
) -> None:
    """Make a member the owner where no owner can act, as our team, in a system transaction.

    Raises WorkspaceNotFound, OwnerCanAct, MemberNotFound.
    """
    now = clock.now()
    name = await _lock(tx, workspace_id)
    if await _has_acting_owner(tx, workspace_id, now=now):
        raise OwnerCanAct(_("Only where no owner can act is one appointed."))
    appointed = await tx.execute(
        f"""
        UPDATE public.workspace_members SET role = 'owner', expires_at = NULL
         WHERE workspace_id = $2 AND user_id = (
               SELECT m.user_id FROM public.workspace_members m JOIN auth.users u ON u.id = m.user_id
                WHERE m.workspace_id = $2 AND m.user_id = $3 AND {CAN_ACT})
        """,
        now,
        workspace_id,
        user_id,
    )
    user = await repository.find_user(tx, user_id)
    if not appointed or user is None:
        raise member_missing()
    await tx.execute(
        "UPDATE public.workspaces SET owner_id = $2 WHERE id = $1", workspace_id, user_id
    )
    await sign_in_audit.record(
        tx,
        SignInEvent.OWNER_APPOINTED,
        now=now,
        user=user,
        client=client,
        metadata={"workspace_id": str(workspace_id), "by": str(by)},
    )
    await outbox.notify_workspace(
        tx,
        workspace_id=workspace_id,
        kind="you_are_owner",
        title=_("You are the owner of %(name)s now", name=name),
        body=_("We made you its owner, because no other owner can act."),
        dedupe_key=f"owner/{user_id}/{now.isoformat()}",
        now=now,
        only=user_id,
    )


async def tell_without_owner(tx: Tx, workspaces: list[Owned], *, now: datetime) -> None:
    """Their admins are told that nobody can do what only an owner may."""
    for workspace in workspaces:
        await outbox.notify_workspace(
            tx,
            workspace_id=workspace.id,
            kind="workspace_without_acting_owner",
            title=_("%(name)s has no owner who can act", name=workspace.name),
            body=_(
                "Its owner was suspended. Everything else goes on; what only an owner may do waits"
                " until we have appointed one. Please write to us."
            ),
            dedupe_key=f"without owner/{now.isoformat()}",
            now=now,
        )


async def _lock(tx: Tx, workspace_id: UUID) -> str:
    """Its name. Nobody else changes its owners meanwhile."""
    name: str | None = await tx.fetch_value(
        "SELECT name FROM public.workspaces WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE",
        workspace_id,
    )
    if name is None:
        raise WorkspaceNotFound(_("There is no such workspace."))
    return name


async def _has_acting_owner(tx: Tx, workspace_id: UUID, *, now: datetime) -> bool:
    return bool(
        await tx.fetch_value(
            f"""
            SELECT true FROM public.workspace_members m JOIN auth.users u ON u.id = m.user_id
             WHERE m.workspace_id = $2 AND m.role = 'owner' AND {CAN_ACT} LIMIT 1
            """,
            now,
            workspace_id,
        )
    )
