"""What one may do with a workspace and its members; and how any wing's permission is checked."""

from typing import Final

from selify.core.errors import Forbidden
from selify.core.permissions import ADMIN, MEMBER, OWNER, Permission, WorkspaceRole, rows

BRAND_READ: Final = Permission(
    "workspace.brand.read",
    MEMBER,
    "see the brand and what happens in it",
    rows("workspaces workspace_events oauth_audit_logs", "SELECT"),
)
BRAND_CHANGE: Final = Permission(
    "workspace.brand.change", OWNER, "rename and describe the brand", rows("workspaces", "UPDATE")
)
BRAND_DELETE: Final = Permission("workspace.brand.delete", OWNER, "delete the brand")
BRAND_RESTORE: Final = Permission("workspace.brand.restore", OWNER, "bring the deleted brand back")
MEMBERS_READ: Final = Permission(
    "workspace.members.read",
    MEMBER,
    "see who belongs to the workspace",
    rows("workspace_members", "SELECT"),
)
MEMBERS_INVITE: Final = Permission(
    "workspace.members.invite",
    ADMIN,
    "invite people to the workspace",
    rows("workspace_members", "INSERT"),
)
MEMBERS_CHANGE: Final = Permission(
    "workspace.members.change",
    ADMIN,
    "give members another role",
    rows("workspace_members", "UPDATE"),
)
MEMBERS_REMOVE: Final = Permission(
    "workspace.members.remove", ADMIN, "remove members", rows("workspace_members", "DELETE")
)
MEMBERS_LEAVE: Final = Permission("workspace.members.leave", MEMBER, "leave the workspace")
OWNERS_CHANGE: Final = Permission(
    "workspace.owners.change", OWNER, "make, change or remove an owner"
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
)

_PLURAL: Final = {OWNER: "owners", ADMIN: "admins", MEMBER: "members"}
_ONE: Final = {OWNER: "an owner", ADMIN: "an admin", MEMBER: "a member"}


class RoleTooLow(Forbidden):
    code = "role_too_low"


def check_held(permission: Permission, role: WorkspaceRole, *, workspace: str) -> None:
    """Whether somebody with this role in the workspace of that name may. Raises RoleTooLow, which says
    what is missing and who has it.
    """
    if permission.held_by(role):
        return
    holders = " and ".join(_PLURAL[holder] for holder in permission.roles)
    ask = " or ".join(_ONE[holder] for holder in permission.roles)
    raise RoleTooLow(
        f"Only {holders} of {workspace} may {permission.purpose}; you are {_ONE[role]}.",
        hint=f"Ask {ask}. What you are missing is called {permission.name}.",
        permission=permission.name,
        held_by=[holder.value for holder in permission.roles],
    )
