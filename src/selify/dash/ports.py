"""What the shell of the pages needs of whoever knows people and workspaces. Filled by wiring."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from fastapi import Request

from selify.core.database import Tx
from selify.core.errors import SelifyError
from selify.core.ids import UserId, WorkspaceId
from selify.core.permissions import BRAND_READ, Permission


class Person(Protocol):
    """Who is signed in."""

    @property
    def id(self) -> UserId: ...
    @property
    def email(self) -> str: ...
    @property
    def is_team(self) -> bool:
        """Whether they are one of our own staff."""


class Workspace(Protocol):
    """One that the person may look at."""

    @property
    def id(self) -> WorkspaceId: ...
    @property
    def name(self) -> str: ...
    def may(self, permission: Permission) -> bool:
        """Whether the person holds it."""

    def check(self, permission: Permission) -> None:
        """Raises Forbidden, which says what is missing and who has it."""


class People(Protocol):
    """Who is asking, and what is theirs. ``first_page``: the address for whoever has no workspace."""

    first_page: str

    async def person(self, request: Request) -> Person:
        """Raises Unauthenticated for a visitor."""

    async def list_workspaces(self, tx: Tx) -> Sequence[Workspace]:
        """Those of the user whose transaction this is, in the order in which they are shown."""

    async def access_workspace(
        self,
        tx: Tx,
        workspace_id: UUID,
        permission: Permission = BRAND_READ,
        *,
        user_id: UUID | None = None,
    ) -> Workspace:
        """Promises that the user holds the permission. Raises for everybody else."""

    async def why_not(self, request: Request, person: Person, workspace_id: UUID) -> SelifyError:
        """Why somebody cannot look at a workspace that is not among theirs."""

    async def choose_language(self, request: Request, language: str) -> None:
        """From now on, wherever they sign in; nothing for a visitor."""
