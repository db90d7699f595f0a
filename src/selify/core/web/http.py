"""What every router needs: who is asking, and one transaction on their behalf.

A router asks for ``UserTx``, ``VisitorTx`` or ``SystemTx`` and gets an open transaction. It is
committed after the endpoint returns and before a single byte of the answer leaves: nothing is
answered that is not stored, and a failing commit is answered as an error. An endpoint that raises
is rolled back. Answers that stream must open their own transactions from ``OpenDatabase``, because
by the time they run, this one is over.

What the composition root puts on ``app.state``: ``database`` (Database), ``clock`` (Clock),
``authenticate`` (who is asking; a port, because core knows no users) and ``still_signed_in`` (whether
they still may, for answers that go on for long); ``plain_posts`` (paths that
are answered without the framework) where there are any.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import Unauthenticated
from selify.core.language import _
from selify.core.web import language, middleware, openapi, problems, rate_limits
from selify.core.web.rate_limits import RequestRates

SESSION_COOKIE = "selify_session"

Authenticate = Callable[[Request], Awaitable[Actor]]
"""Who is asking: a user, or the visitor. Raises Unauthenticated for credentials that are wrong."""

StillSignedIn = Callable[[Request], Awaitable[bool]]
"""Whether the sign-in that a request came with has not ended since."""


def install(
    app: FastAPI,
    *,
    https: bool,
    limits: middleware.BodyLimits | None = None,
    rates: RequestRates | None = None,
) -> None:
    """Give an app the house's errors, headers, trace ids, body limits and rate limits.

    ``https``: whether the world reaches us by https, so that browsers may be told to insist on it.
    """
    problems.install(app)
    openapi.install(app)
    # The last one added is the outermost.
    if rates is not None:
        app.add_middleware(rate_limits.LimitRates, rates=rates)
    app.add_middleware(middleware.PlainPosts)
    app.add_middleware(middleware.LimitBody, limits=limits or middleware.BodyLimits())
    app.add_middleware(middleware.CatchUnhandled)
    app.add_middleware(language.SpeakLanguage)
    app.add_middleware(middleware.Envelope, https=https)


def add_response_header(request: Request, name: str, value: str) -> None:
    """Add a header to whatever answer this request gets, an error included."""
    extra: list[tuple[bytes, bytes]] = request.scope.setdefault(middleware.EXTRA_HEADERS, [])
    extra.append((name.lower().encode("latin-1"), value.encode("latin-1")))


def open_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def open_clock(request: Request) -> Clock:
    clock: Clock = request.app.state.clock
    return clock


# The two ways to say who one is, as the API's documentation shows them. The reading is done by
# ``app.state.authenticate``.
_cookie = APIKeyCookie(name=SESSION_COOKIE, scheme_name="session", auto_error=False)
_bearer = HTTPBearer(scheme_name="bearer", bearerFormat="JWT", auto_error=False)


async def current_actor(request: Request) -> Actor:
    """The user who is asking, or the visitor."""
    authenticate: Authenticate = request.app.state.authenticate
    try:
        actor = await authenticate(request)
    except Unauthenticated:
        rate_limits.remember(request.scope, None)
        raise
    rate_limits.remember(request.scope, actor.user_id)
    return actor


async def still_signed_in(request: Request) -> bool:
    still: StillSignedIn = request.app.state.still_signed_in
    return await still(request)


AnyActor = Annotated[Actor, Depends(current_actor)]


async def current_user(
    actor: AnyActor,
    _by_cookie: Annotated[Any, Security(_cookie)],
    _by_bearer: Annotated[Any, Security(_bearer)],
) -> Actor:
    """The user who is asking. Raises Unauthenticated for a visitor."""
    if actor.user_id is None:
        raise Unauthenticated(_("This needs a signed-in user."), hint=_("Sign in and try again."))
    return actor


CurrentUser = Annotated[Actor, Depends(current_user)]


def current_user_id(user: CurrentUser) -> UUID:
    if user.user_id is None:
        raise Unauthenticated(_("This needs a signed-in user."))
    return user.user_id


CurrentUserId = Annotated[UUID, Depends(current_user_id)]


async def _user_tx(request: Request, user: CurrentUser) -> AsyncIterator[Tx]:
    async with open_database(request).tx(user) as tx:
        yield tx


async def _visitor_tx(request: Request) -> AsyncIterator[Tx]:
    async with open_database(request).tx(Actor.visitor()) as tx:
        yield tx


async def _system_tx(request: Request) -> AsyncIterator[Tx]:
    route = getattr(request.scope.get("route"), "path", "")
    async with open_database(request).tx(Actor.system(f"{request.method} {route}")) as tx:
        yield tx


# scope="function" is what makes the commit come before the answer: with FastAPI's default scope a
# dependency is closed only after the response has been sent.
UserTx = Annotated[Tx, Depends(_user_tx, scope="function")]
"""A transaction as the signed-in user; row level security decides what it sees."""

VisitorTx = Annotated[Tx, Depends(_visitor_tx, scope="function")]
"""A transaction as someone who has not signed in."""

SystemTx = Annotated[Tx, Depends(_system_tx, scope="function")]
"""A transaction of the program itself, named after the route. It sees everything: the endpoint
must itself make sure that the caller may (``CurrentUser`` and an ``access_…`` function)."""

OpenDatabase = Annotated[Database, Depends(open_database)]
CurrentClock = Annotated[Clock, Depends(open_clock)]
