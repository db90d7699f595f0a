"""Nobody gives more than they have: the one rule for changing, removing and inviting members."""

from selify.auth import permissions
from selify.auth.permissions import check_held
from selify.auth.types import Workspace
from selify.core.permissions import WorkspaceRole


def may_give(giver: WorkspaceRole, role: WorkspaceRole) -> bool:
    """Whether somebody with the first role may give the second, to a member or with an invitation."""
    return permissions.MEMBERS_INVITE.held_by(giver) and giver.includes(role)


def at_most(role: WorkspaceRole, giver: WorkspaceRole) -> WorkspaceRole:
    """What is left of a role that was promised, once its giver has this one."""
    return role if giver.includes(role) else giver


def check_reach(mine: Workspace, *roles: WorkspaceRole) -> None:
    """Whether whoever asked may give these roles, or take them away. Raises RoleTooLow.

    Whoever changes members at all is an owner or an admin, so what they cannot reach are owners.
    """
    if not all(may_give(mine.role, role) for role in roles):
        check_held(permissions.OWNERS_CHANGE, mine.role, workspace=mine.name)
