"""What crosses the border between identity and everybody else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from selify.auth.permissions import check_held
from selify.core.ids import UserId, WorkspaceId
from selify.core.permissions import Permission, WorkspaceRole


@dataclass(frozen=True, slots=True)
class User:
    """``email_confirmed``: whether they have shown that they read its mailbox."""

    id: UserId
    email: str
    email_confirmed: bool
    full_name: str | None
    is_team: bool
    language: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in, on one browser or program."""

    id: UUID
    user: User
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SessionOverview:
    """One as its user is told of it. ``address``: the network's; ``seen_at``: to the hour."""

    id: UUID
    address: str | None
    user_agent: str | None
    started_at: datetime
    seen_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and the secret that proves it; the only time the secret is seen."""

    session: Session
    secret: str


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Where a request comes from, as far as one can know."""

    address: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Workspace:
    """``role`` is the role of the user who asked."""

    id: WorkspaceId
    name: str
    slug: str
    description: str | None
    role: WorkspaceRole
    created_at: datetime

    def may(self, permission: Permission) -> bool:
        return permission.held_by(self.role)

    def check(self, permission: Permission) -> None:
        """Raises RoleTooLow."""
        check_held(permission, self.role, workspace=self.name)


@dataclass(frozen=True, slots=True)
class DeletedWorkspace:
    """One that is still kept. ``role`` is the role of the user who asked; from ``forgotten_at`` on
    nobody can bring it back.
    """

    id: WorkspaceId
    name: str
    role: WorkspaceRole
    deleted_at: datetime
    forgotten_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """``joined_at`` is None while an invitation is open."""

    user_id: UserId
    email: str | None
    full_name: str | None
    role: WorkspaceRole
    joined_at: datetime | None
