"""What a page is opened with: a signed-in person, and the workspace they are looking at.

Which workspace: the one the address names (``?workspace=``), else the one looked at last (a cookie),
else the first. Whoever has none is sent to make one; an address in one that was deleted leads to the page
that says so, as long as it can be brought back. A page reads as the user, so that row level
security decides what there is to see; what a user's role may not write itself (states, counters,
settings) is written by the system, after the page's permissions were asked in that same transaction.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, HTTPException, Query, Request

from selify.auth import (
    CurrentSession,
    DeletedWorkspace,
    Session,
    Workspace,
    WorkspaceNotFound,
    access_workspace,
    list_deleted,
    list_workspaces,
)
from selify.auth.permissions import check_held
from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import Permission, access_of
from selify.core.web import http

COOKIE = "selify_workspace"
A_YEAR = 365 * 24 * 3600
T = TypeVar("T")
FIRST_STEPS = "/brands/new"
DELETED = "/brands/{}/deleted"


class BrandDeleted(NotFound):
    code = "workspace_deleted"
    title = _("This brand was deleted")


@dataclass(frozen=True, slots=True)
class PageContext:
    """No transaction is open between two looks: pages may take their time drawing."""

    request: Request
    session: Session
    actor: Actor
    workspace: Workspace
    workspaces: tuple[Workspace, ...]
    answers: dict[Callable[..., Any], Any] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return http.open_database(self.request)

    @property
    def clock(self) -> Clock:
        return http.open_clock(self.request)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def may(self, permission: Permission) -> bool:
        return permission.held_by(self.workspace.role)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """As the user: sees what row level security shows."""
        async with self.database.tx(self.actor) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def acting(self) -> AsyncIterator[Tx]:
        """As the system, for a member who holds what the page asks for, which is asked again. Raises
        what access_workspace does.
        """
        route = getattr(self.request.scope.get("route"), "path", "")
        async with self.database.tx(Actor.system(f"{self.request.method} {route}")) as tx:
            user_id = self.session.user.id
            workspace = await access_workspace(tx, self.workspace.id, user_id=user_id)
            _check_page(self.request, workspace)
            yield tx

    async def once(self, ask: "Callable[[PageContext], Awaitable[T]]") -> T:
        """What several parts of one page want to know is asked once."""
        if ask not in self.answers:
            self.answers[ask] = await ask(self)
        answer: T = self.answers[ask]
        return answer

    def here(self, path: str, **query: object) -> str:
        """The address of a page or action in this very workspace, whatever other tabs look at."""
        known = {key: value for key, value in query.items() if value is not None}
        return f"{path}?{urlencode({'workspace': self.workspace.id, **known})}"

    def page(self, path: str, **query: object) -> str:
        """A page's address, plain as long as there is only one workspace to speak of."""
        if len(self.workspaces) > 1:
            return self.here(path, **query)
        return f"{path}?{urlencode(query)}" if query else path


Chosen = Annotated[UUID | None, Query(alias="workspace")]


async def open_page(
    request: Request, session: CurrentSession, actor: http.CurrentUser, chosen: Chosen = None
) -> PageContext:
    """Raises WorkspaceNotFound for a workspace that is not the user's, BrandDeleted for one that was,
    RoleTooLow where the user lacks what the page asks for.
    """
    async with http.open_database(request).tx(actor) as tx:
        mine = await list_workspaces(tx)
    if chosen is not None and chosen not in {workspace.id for workspace in mine}:
        raise await _not_here(request, session, chosen)
    if not mine:
        raise HTTPException(303, headers={"Location": FIRST_STEPS})
    if chosen is not None and request.method == "GET":
        _remember(request, chosen)
    wanted = str(chosen or request.cookies.get(COOKIE))
    workspace = next((w for w in mine if str(w.id) == wanted), mine[0])
    _check_page(request, workspace)
    return PageContext(request, session, actor, workspace, tuple(mine))


def _check_page(request: Request, workspace: Workspace) -> None:
    """Whether its user holds every permission that the page says it ``allows``. Raises RoleTooLow."""
    access = access_of(request.scope["endpoint"])
    if access is None or not access.permissions:
        raise RuntimeError(f"{request.scope['endpoint']} does not say which permission it asks for")
    for permission in access.permissions:
        check_held(permission, workspace.role, workspace=workspace.name)


async def _not_here(request: Request, session: Session, chosen: UUID) -> NotFound:
    """Why it cannot be looked at."""
    who = Actor.system("look for a deleted brand")
    async with http.open_database(request).statements(who) as tx:
        found = await list_deleted(
            tx, http.open_clock(request), user_id=session.user.id, workspace_id=chosen
        )
    if not found:
        return WorkspaceNotFound(_("There is no such workspace, or you are not a member of it."))
    return BrandDeleted(_("%(name)s was deleted.", name=found[0].name), workspace_id=str(chosen))


async def deleted_brands(ctx: PageContext) -> list[DeletedWorkspace]:
    """What the user could bring back, or see brought back."""
    async with ctx.database.statements(Actor.system("look for deleted brands")) as tx:
        return await list_deleted(tx, ctx.clock, user_id=ctx.session.user.id)


def _remember(request: Request, workspace_id: UUID) -> None:
    if request.cookies.get(COOKIE) != str(workspace_id) and "hx-request" not in request.headers:
        cookie = f"{COOKIE}={workspace_id}; Path=/; Max-Age={A_YEAR}; HttpOnly; SameSite=Lax"
        secure = request.app.state.settings.public_url.startswith("https:")
        http.add_response_header(request, "Set-Cookie", cookie + ("; Secure" * secure))


OpenPage = Annotated[PageContext, Depends(open_page)]
