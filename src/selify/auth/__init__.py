"""The auth domain: who is who, and who may do what in which workspace.

Owns ``profiles``, ``workspaces``, ``workspace_members``, ``workspace_events``, ``oauth_audit_logs``,
``sso_audit_log``, ``auth.users``, ``auth.sessions``, ``internal.session_secrets``, ``internal.sign_in_attempts``,
``internal.sign_in_history``, ``internal.one_time_links``, ``internal.ownership_offers``,
``internal.holding_offers``, ``internal.api_keys``, ``internal.personal_exports`` and ``internal.erasures``.
Offers the names below: signing in and out hangs on the ``Authenticator``, a permission is asked with
``access_workspace``, connections of outside accounts are written down with ``audit``, and what
a holding may see is asked of ``holdings``.
Needs ``dash`` for its pages, whose port ``People`` it fills, and ``notifications``; of whoever keeps something of a
workspace, a ``Departure``.
"""

from datetime import datetime

from selify.auth import audit, bans, permissions, repository, throttle
from selify.auth.audit import OAuthEvent
from selify.auth.authenticator import Authenticator, CurrentAuthenticator, CurrentSession, client_of
from selify.auth.sessions import check_session
from selify.auth.types import (
    ClientInfo,
    DeletedWorkspace,
    Member,
    Session,
    SignedIn,
    User,
    Workspace,
)
from selify.auth.workspaces import (
    DELETION,
    KEPT_FOR,
    WorkspaceNotFound,
    access_workspace,
    begin_forgetting,
    change_platform_settings,
    change_role,
    create_workspace,
    delete_workspace,
    list_deleted,
    list_members,
    list_workspaces,
    remove_member,
    restore_workspace,
)
from selify.core.database import Tx
from selify.core.permissions import WorkspaceRole

__all__ = [
    "DELETION",
    "KEPT_FOR",
    "Authenticator",
    "ClientInfo",
    "CurrentAuthenticator",
    "CurrentSession",
    "DeletedWorkspace",
    "Member",
    "OAuthEvent",
    "Session",
    "SignedIn",
    "User",
    "Workspace",
    "WorkspaceNotFound",
    "WorkspaceRole",
    "access_workspace",
    "audit",
    "begin_forgetting",
    "change_platform_settings",
    "change_role",
    "check_session",
    "client_of",
    "create_workspace",
    "delete_workspace",
    "list_deleted",
    "list_members",
    "list_workspaces",
    "permissions",
    "remove_member",
    "restore_workspace",
    "tidy",
]


async def tidy(tx: Tx, *, now: datetime) -> int:
    """Forget sessions and bans that have ended and tries that no longer count; how many rows. For the
    worker, every so often.
    """
    ended = await repository.delete_ended_sessions(tx, now=now)
    ended += await bans.forget_ended(tx, now=now)
    return ended + await throttle.forget_old_attempts(tx, now=now)
