"""Workspaces, who belongs to them, and how they end.

The database keeps the rules whoever asks: policies (admins and owners manage members, only owners
touch an owner, everyone may leave) and a trigger (a workspace never loses its last owner). Here
they are asked as permissions, and said in words.
"""

import contextlib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from selify.auth import keys, permissions, roles
from selify.auth.api_keys import keys as api_keys
from selify.auth.permissions import check_held
from selify.auth.types import DeletedWorkspace, Member, Workspace
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.errors import Conflict, Gone, Invalid, NotFound, Unauthenticated
from selify.core.language import _
from selify.core.permissions import BRAND_READ, Permission, WorkspaceRole
from selify.core.queue import jobs
from selify.core.queue.payload import Payload
from selify.notifications import outbox

DELETION = "workspace deletion"
KEPT_FOR = timedelta(days=30)
_WORKSPACE = "w.id, w.name, w.slug, w.description, w.created_at"
# By the clock that row level security asks (internal.active_members): by another one, a page would open
# whose rows nobody sees.
_NOT_OVER = "(m.expires_at IS NULL OR m.expires_at > now())"
# As internal.active_members has it: joined (or never invited), not expired, workspace not deleted.
_BELONGS = f"(m.joined_at IS NOT NULL OR m.invited_at IS NULL) AND {_NOT_OVER}"
_ACTIVE = f"w.deleted_at IS NULL AND {_BELONGS}"
# From the moment that its forgetting began it is not whole any more, whatever the clock says.
_STILL_WHOLE = "NOT coalesce(w.settings, '{}') ?| ARRAY['forgetting_since', 'purged_at']"


class Deletion(Payload):
    """Of a workspace at that moment: one that was brought back and deleted again has another."""

    deleted_at: datetime


class WorkspaceNotFound(NotFound):
    code = "workspace_not_found"


class MemberNotFound(NotFound):
    code = "member_not_found"


class NameDiffers(Invalid):
    code = "name_differs"
    title = _("The name is not the same")


class HoldsBrands(Conflict):
    code = "holds_brands"
    title = _("This workspace holds brands")


class WorkspaceForgotten(Gone):
    code = "workspace_forgotten"
    title = _("This workspace cannot be brought back")


class LastOwner(Conflict):
    code = "last_owner"
    title = _("A workspace needs an owner")


async def create_workspace(
    tx: Tx,
    *,
    name: str,
    owner_id: UUID | None = None,
    slug: str | None = None,
    description: str | None = None,
) -> Workspace:
    """A workspace with its owner, weekly credits, balance and settings, all at once.

    In a user's transaction the user becomes the owner; the system must name one. A slug that is
    taken gets a suffix.
    """
    made = await tx.fetch_one_as(
        Workspace,
        f"""
        SELECT {_WORKSPACE}, 'owner' AS role FROM public.create_workspace_with_owner(
            workspace_name => $1, workspace_slug => $2, owner_id => $3,
            workspace_description => $4) AS w
        """,
        name,
        slug,
        owner_id,
        description,
    )
    assert made is not None  # noqa: S101 - the function returns the row or raises
    return made


async def list_workspaces(tx: Tx, *, user_id: UUID | None = None) -> list[Workspace]:
    """The user's workspaces, by name. Defaults to the user whose transaction this is."""
    return await tx.fetch_as(
        Workspace,
        f"""
        SELECT {_WORKSPACE}, m.role
          FROM public.workspaces w JOIN public.workspace_members m ON m.workspace_id = w.id
         WHERE m.user_id = $1 AND {_ACTIVE} ORDER BY lower(w.name), w.id
        """,
        _asking(tx, user_id),
    )


async def access_workspace(
    tx: Tx,
    workspace_id: UUID,
    permission: Permission = BRAND_READ,
    *,
    user_id: UUID | None = None,
) -> Workspace:
    """The workspace, promising that the user is a member who holds this permission.

    Defaults to the user whose transaction this is; a system transaction names one. The user may be an API
    key. Raises WorkspaceNotFound for non-members, so that nobody learns what exists, RoleTooLow for members,
    and ScopeMissing for keys.
    """
    workspace = await tx.fetch_one_as(
        Workspace,
        f"""
        SELECT {_WORKSPACE}, m.role
          FROM public.workspaces w JOIN public.workspace_members m ON m.workspace_id = w.id
         WHERE w.id = $2 AND m.user_id = $1 AND {_ACTIVE}
        """,
        _asking(tx, user_id),
        workspace_id,
    )
    if workspace is None:
        workspace = await api_keys.workspace_of(
            tx, workspace_id, permission, key_id=_asking(tx, user_id)
        )
    if workspace is None:
        raise WorkspaceNotFound(_("There is no such workspace, or you are not a member of it."))
    workspace.check(permission)
    return workspace


async def change_platform_settings(
    tx: Tx,
    workspace_id: UUID,
    platform: str,
    change: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> None:
    """What the workspace says for all its accounts of a platform: old settings in, new settings out.
    Two who change at once do not undo each other.
    """
    config = await tx.fetch_value(
        "SELECT social_platforms_config FROM public.workspaces WHERE id = $1 FOR UPDATE",
        workspace_id,
    )
    known = config if isinstance(config, dict) else {}
    platforms = known.get("platforms")
    others = platforms if isinstance(platforms, dict) else {}
    changed = {**others, platform: dict(change(others.get(platform) or {}))}
    await tx.execute(
        "UPDATE public.workspaces SET social_platforms_config = $2 WHERE id = $1",
        workspace_id,
        {**known, "platforms": changed},
    )


async def list_members(tx: Tx, workspace_id: UUID) -> list[Member]:
    """Everyone in the workspace, owners first. A system transaction (other people's e-mail
    addresses are not readable by users): call ``access_workspace`` before.
    """
    return await tx.fetch_as(
        Member,
        # Who made the workspace was never invited: they joined when it was made.
        f"""
        SELECT m.user_id, m.role, p.email, p.full_name,
               CASE WHEN m.joined_at IS NULL AND m.invited_at IS NULL
                    THEN m.created_at ELSE m.joined_at END AS joined_at
          FROM public.workspace_members m LEFT JOIN public.profiles p ON p.id = m.user_id
         WHERE m.workspace_id = $1 AND {_NOT_OVER}
         ORDER BY array_position(ARRAY['owner', 'admin', 'member'], m.role), m.created_at, m.id
        """,
        workspace_id,
    )


async def change_role(tx: Tx, workspace_id: UUID, member_id: UUID, role: WorkspaceRole) -> None:
    """Give a member another role, in a user's transaction.

    Raises WorkspaceNotFound, MemberNotFound, RoleTooLow, LastOwner.
    """
    mine = await access_workspace(tx, workspace_id, permissions.MEMBERS_CHANGE)
    roles.check_reach(mine, await role_of(tx, workspace_id, member_id), role)
    with keeping_an_owner():
        async with tx.savepoint():
            changed = await tx.execute(
                # What an owner has does not run out.
                """
                UPDATE public.workspace_members
                   SET role = $3, expires_at = CASE WHEN $3 <> 'owner' THEN expires_at END
                 WHERE workspace_id = $1 AND user_id = $2
                """,
                workspace_id,
                member_id,
                role.value,
            )
    if not changed:  # somebody else was faster
        raise member_missing()


async def remove_member(tx: Tx, workspace_id: UUID, member_id: UUID) -> None:
    """End a membership, in a user's transaction; everyone may end their own.

    Raises WorkspaceNotFound, MemberNotFound, RoleTooLow, LastOwner.
    """
    leaving = member_id == _asking(tx, None)
    needed = permissions.MEMBERS_LEAVE if leaving else permissions.MEMBERS_REMOVE
    mine = await access_workspace(tx, workspace_id, needed)
    theirs = await role_of(tx, workspace_id, member_id)
    if not leaving:
        roles.check_reach(mine, theirs)
    with keeping_an_owner():
        async with tx.savepoint():
            removed = await tx.execute(
                "DELETE FROM public.workspace_members WHERE workspace_id = $1 AND user_id = $2",
                workspace_id,
                member_id,
            )
    if not removed:
        raise member_missing()


async def delete_workspace(
    tx: Tx, clock: Clock, workspace_id: UUID, *, user_id: UUID, typed_name: str
) -> None:
    """Owners only, in a system transaction. From its commit on nobody enters and nothing of it runs
    (the database's trigger ``silence_workspace``); the job that this starts takes leave of the
    platforms, and forgets what is personal after KEPT_FOR.

    Raises WorkspaceNotFound, RoleTooLow, NameDiffers, HoldsBrands.
    """
    workspace = await access_workspace(tx, workspace_id, permissions.BRAND_DELETE, user_id=user_id)
    if _words(typed_name) != _words(workspace.name):
        raise NameDiffers(
            _("This is not its name. %(workspace)s was not deleted.", workspace=workspace.name),
            hint=_("Type the name exactly as it is written."),
            field="name",
        )
    now = clock.now()
    deleted = await tx.execute(
        "UPDATE public.workspaces SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL",
        workspace_id,
        now,
    )
    if not deleted:  # somebody else was faster
        raise WorkspaceNotFound(_("There is no such workspace, or you are not a member of it."))
    # Asked while its row is locked: no brand comes to it, or back to it, meanwhile.
    if await tx.fetch_value(
        "SELECT true FROM public.workspaces WHERE parent_workspace_id = $1 AND deleted_at IS NULL",
        workspace_id,
    ):
        raise HoldsBrands(
            _("Brands belong to this workspace."), hint=_("Delete or move them first.")
        )
    await outbox.notify_workspace(
        tx,
        workspace_id=workspace_id,
        kind="workspace_deleted",
        title=_("%(name)s was deleted", name=workspace.name),
        body=_(
            "Its bot is silent and its accounts are disconnected. All personal data in it is"
            " deleted in %(days)s days, unless an owner brings it back before."
            " Invoices and charges are kept, without names.",
            days=KEPT_FOR.days,
        ),
        action_url=f"/brands/{workspace_id}/deleted",
        dedupe_key=f"deleted/{now.isoformat()}",
        now=now,
        everyone=True,
    )
    await jobs.start(
        tx,
        kind=DELETION,
        key=keys.deletion(workspace_id, now.isoformat()),
        payload=Deletion(deleted_at=now),
        workspace_id=workspace_id,
        run_after=now,
        now=now,
    )


async def list_deleted(
    tx: Tx, clock: Clock, *, user_id: UUID, workspace_id: UUID | None = None
) -> list[DeletedWorkspace]:
    """The user's workspaces that were deleted and can still be brought back, the latest first; or that
    very one. A system transaction: row level security hides them from everybody.
    """
    return await tx.fetch_as(
        DeletedWorkspace,
        f"""
        SELECT w.id, w.name, w.deleted_at, w.deleted_at + $4::interval AS forgotten_at, m.role
          FROM public.workspaces w JOIN public.workspace_members m ON m.workspace_id = w.id
         WHERE m.user_id = $1 AND ($2::uuid IS NULL OR w.id = $2) AND {_BELONGS}
           AND w.deleted_at > $3 AND {_STILL_WHOLE}
         ORDER BY w.deleted_at DESC, w.id
        """,
        user_id,
        workspace_id,
        clock.now() - KEPT_FOR,
        KEPT_FOR,
    )


async def restore_workspace(tx: Tx, clock: Clock, workspace_id: UUID, *, user_id: UUID) -> None:
    """Take a deletion back, as an owner, in a system transaction; harmless where nothing is deleted. Its
    accounts stay disconnected and its automatic reload off until somebody switches them on again.

    Raises WorkspaceNotFound, RoleTooLow, WorkspaceForgotten.
    """
    row = await tx.fetch_one(
        f"""
        SELECT w.name, w.deleted_at, w.parent_workspace_id, m.role, {_STILL_WHOLE} AS whole
          FROM public.workspaces w JOIN public.workspace_members m ON m.workspace_id = w.id
         WHERE w.id = $1 AND m.user_id = $2 AND {_BELONGS} FOR UPDATE OF w
        """,
        workspace_id,
        user_id,
    )
    if row is None:
        raise WorkspaceNotFound(_("There is no such workspace, or you are not a member of it."))
    check_held(permissions.BRAND_RESTORE, WorkspaceRole(row["role"]), workspace=row["name"])
    if row["deleted_at"] is None:
        return
    if not row["whole"] or row["deleted_at"] + KEPT_FOR <= clock.now():
        raise WorkspaceForgotten(
            _("It was deleted more than %(days)s days ago.", days=KEPT_FOR.days)
        )
    # A holding that was deleted meanwhile has no brands any more.
    await tx.execute(
        """
        WITH holding AS (
            SELECT id FROM public.workspaces
             WHERE id = $2 AND deleted_at IS NULL AND is_holding_company FOR SHARE)
        UPDATE public.workspaces
           SET deleted_at = NULL, parent_workspace_id = (SELECT id FROM holding)
         WHERE id = $1
        """,
        workspace_id,
        row["parent_workspace_id"],
    )
    await outbox.notify_workspace(
        tx,
        workspace_id=workspace_id,
        kind="workspace_restored",
        title=_("%(name)s is back", name=row["name"]),
        body=_(
            "An owner undid its deletion. Its bot answers again once its accounts are connected."
        ),
        action_url="/accounts",
        dedupe_key=f"restored/{row['deleted_at'].isoformat()}",
        now=clock.now(),
        everyone=True,
    )


async def begin_forgetting(
    tx: Tx, workspace_id: UUID, *, deleted_at: datetime, now: datetime
) -> bool:
    """Whether it is still deleted since then; if so, from this transaction's end on nobody can bring it
    back, whatever a clock that was set back says.
    """
    begun = await tx.execute(
        """
        UPDATE public.workspaces
           SET settings = jsonb_build_object('forgetting_since', $3::text)
         WHERE id = $1 AND deleted_at = $2
        """,
        workspace_id,
        deleted_at,
        now.isoformat(),
    )
    return begun > 0


def _words(name: str) -> list[str]:
    """An é may be stored as one letter and typed as two, and nobody sees how many spaces there are."""
    return unicodedata.normalize("NFC", name).split()


async def role_of(tx: Tx, workspace_id: UUID, user_id: UUID) -> WorkspaceRole:
    """Of a member, or of somebody who is invited to be one. Raises MemberNotFound."""
    role = await tx.fetch_value(
        "SELECT role FROM public.workspace_members WHERE workspace_id = $1 AND user_id = $2",
        workspace_id,
        user_id,
    )
    if role is None:
        raise member_missing()
    return WorkspaceRole(role)


def member_missing() -> MemberNotFound:
    return MemberNotFound(_("This person is not a member of the workspace."))


@contextlib.contextmanager
def keeping_an_owner() -> Iterator[None]:
    """The trigger's refusal, in words."""
    try:
        yield
    except asyncpg.CheckViolationError as error:
        if error.constraint_name != "workspaces_keep_an_owner":
            raise
        raise LastOwner(
            _("This is the workspace's only owner who can act."),
            hint=_("Make someone else an owner first."),
        ) from error


def _asking(tx: Tx, user_id: UUID | None) -> UUID:
    asking = user_id or tx.actor.user_id
    if asking is None:
        raise Unauthenticated(_("This needs a signed-in user."))
    return asking
