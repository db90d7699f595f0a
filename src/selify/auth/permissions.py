"""What one may do with a workspace and its members; and how any wing's permission is checked."""

from typing import Final

from selify.core.errors import Forbidden
from selify.core.language import N_, _
from selify.core.permissions import (
    ADMIN,
    BRAND_READ,
    MEMBER,
    OWNER,
    Permission,
    WorkspaceRole,
    rows,
)

BRAND_CHANGE: Final = Permission(
    "workspace.brand.change",
    OWNER,
    _("rename and describe the brand"),
    rows("workspaces", "UPDATE"),
)
BRAND_DELETE: Final = Permission("workspace.brand.delete", OWNER, _("delete the brand"))
BRAND_RESTORE: Final = Permission(
    "workspace.brand.restore", OWNER, _("bring the deleted brand back")
)
MEMBERS_READ: Final = Permission(
    "workspace.members.read",
    MEMBER,
    _("see who belongs to the workspace"),
    rows("workspace_members", "SELECT"),
)
MEMBERS_INVITE: Final = Permission(
    "workspace.members.invite",
    ADMIN,
    _("invite people to the workspace"),
    rows("workspace_members", "INSERT"),
)
MEMBERS_CHANGE: Final = Permission(
    "workspace.members.change",
    ADMIN,
    _("give members another role"),
    rows("workspace_members", "UPDATE"),
)
MEMBERS_REMOVE: Final = Permission(
    "workspace.members.remove", ADMIN, _("remove members"), rows("workspace_members", "DELETE")
)
MEMBERS_LEAVE: Final = Permission("workspace.members.leave", MEMBER, _("leave the workspace"))
OWNERS_CHANGE: Final = Permission(
    "workspace.owners.change", OWNER, _("make, change or remove an owner")
)
# No key's: who is asked to own a workspace is a person.
OWNERSHIP_ANSWER: Final = Permission(
    "workspace.ownership.answer", MEMBER, _("answer an offer to own the brand")
)
HOLDING_READ: Final = Permission(
    "workspace.holding.read", OWNER, _("see the numbers of the brands of the holding")
)
HOLDING_CHANGE: Final = Permission(
    "workspace.holding.change", OWNER, _("say to which holding the brand belongs, or which to it")
)

KEYS_READ: Final = Permission("workspace.keys.read", ADMIN, _("see the API keys"))
KEYS_MAKE: Final = Permission("workspace.keys.make", ADMIN, _("make and rename API keys"))
KEYS_REVOKE: Final = Permission("workspace.keys.revoke", ADMIN, _("revoke API keys"))
KEYS_CONFIRM: Final = Permission(
    "workspace.keys.confirm", OWNER, _("confirm API keys whose maker left or was banned")
)

PERMISSIONS: Final = (
    BRAND_READ,
    BRAND_CHANGE,
    BRAND_DELETE,
    BRAND_RESTORE,
    MEMBERS_READ,
    MEMBERS_INVITE,
    MEMBERS_CHANGE,
    MEMBERS_REMOVE,
    MEMBERS_LEAVE,
    OWNERS_CHANGE,
    OWNERSHIP_ANSWER,
    HOLDING_READ,
    HOLDING_CHANGE,
    KEYS_READ,
    KEYS_MAKE,
    KEYS_REVOKE,
    KEYS_CONFIRM,
)

# By the least role that holds a permission. (What a member holds, nobody is refused.)
_ONLY: Final = {
    OWNER: N_("Only owners of %(workspace)s may %(purpose)s; you are %(role)s."),
    ADMIN: N_("Only owners and admins of %(workspace)s may %(purpose)s; you are %(role)s."),
}
_ASK: Final = {
    OWNER: N_("Ask an owner. What you are missing is called %(permission)s."),
    ADMIN: N_("Ask an owner or an admin. What you are missing is called %(permission)s."),
}
_YOU_ARE: Final = {ADMIN: _("an admin"), MEMBER: _("a member")}


class RoleTooLow(Forbidden):
    code = "role_too_low"


def check_held(permission: Permission, role: WorkspaceRole, *, workspace: str) -> None:
    """Whether somebody with this role in the workspace of that name may. Raises RoleTooLow, which says
    what is missing and who has it.
    """
    if permission.held_by(role):
        return
    raise RoleTooLow(
        _(
            _ONLY[permission.least],
            workspace=workspace,
            purpose=permission.purpose,
            role=_YOU_ARE[role],
        ),
        hint=_(_ASK[permission.least], permission=permission.name),
        permission=permission.name,
        held_by=[holder.value for holder in permission.roles],
    )
