"""``dash.ports.People``: who looks at pages, and at which workspaces."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from fastapi import Request

from selify.auth import workspaces
from selify.auth.authenticator import open_authenticator
from selify.auth.types import Workspace
from selify.auth.workspaces import WorkspaceNotFound
from selify.core.database import Actor, Tx
from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import BRAND_READ, Permission
from selify.core.web import http
from selify.dash.ports import Person

DELETED: Final = "/brands/{}/deleted"


class BrandDeleted(NotFound):
    code = "workspace_deleted"
    title = _("This brand was deleted")


class PeopleOfPages:
    """An address in a workspace that was deleted leads to the page that says so, as long as it can be
    brought back.
    """

    first_page = "/brands/new"

    async def person(self, request: Request) -> Person:
        return (await open_authenticator(request).demand_session(request)).user

    async def list_workspaces(self, tx: Tx) -> Sequence[Workspace]:
        return await workspaces.list_workspaces(tx)

    async def access_workspace(
        self,
        tx: Tx,
        workspace_id: UUID,
        permission: Permission = BRAND_READ,
        *,
        user_id: UUID | None = None,
    ) -> Workspace:
        return await workspaces.access_workspace(tx, workspace_id, permission, user_id=user_id)

    async def why_not(self, request: Request, person: Person, workspace_id: UUID) -> NotFound:
        who = Actor.system("look for a deleted brand")
        async with http.open_database(request).statements(who) as tx:
            found = await workspaces.list_deleted(
                tx, http.open_clock(request), user_id=person.id, workspace_id=workspace_id
            )
        if not found:
            return WorkspaceNotFound(
                _("There is no such workspace, or you are not a member of it.")
            )
        said = _("%(name)s was deleted.", name=found[0].name)
        return BrandDeleted(said, workspace_id=str(workspace_id))

    async def choose_language(self, request: Request, language: str) -> None:
        await open_authenticator(request).choose_language(request, language)
