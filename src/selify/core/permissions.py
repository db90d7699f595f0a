"""The vocabulary of permissions: what a person may do in a workspace, and the least role that holds it.

Each wing says its own words in its ``permissions.py``, as ``wing.noun.verb``, once and with the role
beside it; the one that every member holds and that all of them ask for stands here. Everybody else asks
for a permission and never for a role: an endpoint or page says with ``allows`` whom it is for,
``auth.access_workspace`` checks it.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from selify.core.language import _

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_NAME: Final = re.compile(r"[a-z]+\.[a-z]+\.[a-z]+")
_SCOPE: Final = re.compile(r"[a-z]+:(read|write)")
_ACCESS: Final = "access"  # the attribute of an endpoint


class WorkspaceRole(StrEnum):
    """What a member may do, the most powerful first."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"

    def includes(self, other: "WorkspaceRole") -> bool:
        """Whether whoever has this role may do what the other role may."""
        order = list(WorkspaceRole)
        return order.index(self) <= order.index(other)


OWNER, ADMIN, MEMBER = WorkspaceRole


@dataclass(frozen=True, slots=True)
class Permission:
    """``purpose``: what its holder may do, as it follows the word "may". ``rows``: what it lets them do
    to rows by SQL, as (table, command); row level security says the same, and a test compares both.
    ``scope``: what an API key needs to do it; None: no key does.
    """

    name: str
    least: WorkspaceRole
    purpose: str
    rows: frozenset[tuple[str, str]] = frozenset()
    scope: str | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not of the form wing.noun.verb")
        if self.scope is not None and not _SCOPE.fullmatch(self.scope):
            raise ValueError(f"{self.scope!r} is not of the form nouns:read or nouns:write")

    @property
    def roles(self) -> tuple[WorkspaceRole, ...]:
        """Who holds it, the most powerful first."""
        return tuple(role for role in WorkspaceRole if self.held_by(role))

    def held_by(self, role: WorkspaceRole) -> bool:
        return role.includes(self.least)


def rows(tables: str, commands: str) -> frozenset[tuple[str, str]]:
    """Each of the commands on each of the tables, both separated by spaces."""
    return frozenset((table, command) for table in tables.split() for command in commands.split())


BRAND_READ: Final = Permission(
    "workspace.brand.read",
    MEMBER,
    _("see the brand and what happens in it"),
    rows("workspaces workspace_events oauth_audit_logs", "SELECT"),
    scope="changes:read",
)


class Audience(StrEnum):
    """Whom an endpoint is for that asks for no permission."""

    EVERYONE = "everyone"
    SIGNED_IN = "signed in"
    TEAM = "team"  # our own people; everybody else is told that there is nothing


EVERYONE, SIGNED_IN, TEAM = Audience


@dataclass(frozen=True, slots=True)
class Access:
    """Whom an endpoint is for: an audience, or those who hold all these permissions. ``sometimes`` are
    asked only of some requests.
    """

    audience: Audience
    permissions: tuple[Permission, ...] = ()
    sometimes: tuple[Permission, ...] = ()


def allows(
    *who: Audience | Permission, sometimes: Iterable[Permission] = ()
) -> Callable[[Endpoint], Endpoint]:
    """Says whom an endpoint or page is for: ``EVERYONE``, ``SIGNED_IN``, ``TEAM``, or who holds
    permissions.
    """
    audiences = [one for one in who if isinstance(one, Audience)]
    permissions = tuple(one for one in who if isinstance(one, Permission))
    if len(audiences) + bool(permissions) != 1:
        raise ValueError("an endpoint is for one audience, or for those who hold permissions")
    access = Access(next(iter(audiences), SIGNED_IN), permissions, tuple(sometimes))

    def say(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _ACCESS, access)
        return endpoint

    return say


def access_of(endpoint: object) -> Access | None:
    """What an endpoint says; None for one that says nothing."""
    access: Access | None = getattr(endpoint, _ACCESS, None)
    return access


def vocabulary(permissions: Iterable[Permission]) -> dict[str, Permission]:
    """By name. Raises ValueError for a word that is said twice."""
    found: dict[str, Permission] = {}
    for permission in permissions:
        if found.setdefault(permission.name, permission) is not permission:
            raise ValueError(f"the permission {permission.name} is declared twice")
    return found
