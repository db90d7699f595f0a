"""What a page is opened with: a signed-in person, and the workspace they are looking at.

Which workspace: the one the address names (``?workspace=``), else the one looked at last (a cookie),
else the first. Whoever has none is sent to make one. A page reads as the user, so that row level
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

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.permissions import Permission, access_of
from selify.core.web import http
from selify.dash.ports import People, Person, Workspace

COOKIE = "selify_workspace"
A_YEAR = 365 * 24 * 3600
T = TypeVar("T")


def people_of(request: Request) -> People:
    people: People = request.app.state.people
    return people


@dataclass(frozen=True, slots=True)
class PageContext:
    """No transaction is open between two looks: pages may take their time drawing."""

    request: Request
    person: Person
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
        return self.workspace.may(permission)

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """As the user: sees what row level security shows."""
        async with self.database.tx(self.actor) as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def acting(self) -> AsyncIterator[Tx]:
        """As the system, for a member who holds what the page asks for, which is asked again. Raises
        what ``People.access_workspace`` does.
        """
        route = getattr(self.request.scope.get("route"), "path", "")
        async with self.database.tx(Actor.system(f"{self.request.method} {route}")) as tx:
            workspace = await people_of(self.request).access_workspace(
                tx, self.workspace.id, user_id=self.person.id
            )
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
    request: Request, actor: http.CurrentUser, chosen: Chosen = None
) -> PageContext:
    """Raises what ``People.why_not`` says for a workspace that is not the user's, and RoleTooLow where
    the user lacks what the page asks for.
    """
    people = people_of(request)
    person = await people.person(request)
    async with http.open_database(request).tx(actor) as tx:
        mine = await people.list_workspaces(tx)
    if chosen is not None and chosen not in {workspace.id for workspace in mine}:
        raise await people.why_not(request, person, chosen)
    if not mine:
        raise HTTPException(303, headers={"Location": people.first_page})
    if chosen is not None and request.method == "GET":
        _remember(request, chosen)
    wanted = str(chosen or request.cookies.get(COOKIE))
    workspace = next((w for w in mine if str(w.id) == wanted), mine[0])
    _check_page(request, workspace)
    return PageContext(request, person, actor, workspace, tuple(mine))


def _check_page(request: Request, workspace: Workspace) -> None:
    """Whether its user holds every permission that the page says it ``allows``. Raises RoleTooLow."""
    access = access_of(request.scope["endpoint"])
    if access is None or not access.permissions:
        raise RuntimeError(f"{request.scope['endpoint']} does not say which permission it asks for")
    for permission in access.permissions:
        workspace.check(permission)


def _remember(request: Request, workspace_id: UUID) -> None:
    if request.cookies.get(COOKIE) != str(workspace_id) and "hx-request" not in request.headers:
        cookie = f"{COOKIE}={workspace_id}; Path=/; Max-Age={A_YEAR}; HttpOnly; SameSite=Lax"
        secure = request.app.state.settings.public_url.startswith("https:")
        http.add_response_header(request, "Set-Cookie", cookie + ("; Secure" * secure))


OpenPage = Annotated[PageContext, Depends(open_page)]
