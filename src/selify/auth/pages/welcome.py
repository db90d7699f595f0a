"""Coming in: signing in and up, signing out, and the first brand."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from selify.auth import (
    Authenticator,
    CurrentAuthenticator,
    CurrentSession,
    Session,
    client_of,
    create_workspace,
    list_deleted,
    list_workspaces,
)
from selify.core.clock import Clock
from selify.core.database import Actor, Database
from selify.core.errors import Invalid, SelifyError
from selify.core.language import _
from selify.core.permissions import EVERYONE, SIGNED_IN, allows
from selify.core.text import OneLine, Verbatim
from selify.core.web.http import CurrentClock, OpenDatabase
from selify.dash.rendering import plain

router = APIRouter()

Email = Annotated[OneLine, Form(max_length=300)]
Password = Annotated[Verbatim, Form(max_length=1000)]
LONGEST_NAME = 120
Name = Annotated[OneLine, Form(max_length=LONGEST_NAME)]
# However long: what is no place of ours leads to the first page, and is no reason to refuse anybody.
ReturnTo = Annotated[list[str], Form()]
ReturnToQuery = Annotated[list[str], Query()]
NOWHERE: list[str] = []


@router.get("/sign-in")
@allows(EVERYONE)
async def show_sign_in(
    request: Request, authenticator: CurrentAuthenticator, return_to: ReturnToQuery = NOWHERE
) -> Response:
    """Who is signed in already goes straight on."""
    goal = _goal(authenticator, return_to)
    if await authenticator.identify(request):
        return RedirectResponse(goal, status_code=303)
    return plain(request, "auth/sign_in.html", return_to=goal, email="", refusal=None)


@router.post("/sign-in")
@allows(EVERYONE)
async def sign_in(
    request: Request,
    authenticator: CurrentAuthenticator,
    email: Email = "",
    password: Password = "",
    return_to: ReturnTo = NOWHERE,
) -> Response:
    authenticator.demand_same_origin(request)
    goal = _goal(authenticator, return_to)
    try:
        signed_in = await authenticator.sign_in(
            email=email, password=password, client=client_of(request)
        )
    except SelifyError as refusal:
        return plain(
            request,
            "auth/sign_in.html",
            status=refusal.status,
            return_to=goal,
            email=email,
            refusal=refusal,
        )
    await authenticator.enter(request, signed_in)
    return RedirectResponse(goal, status_code=303)


def _goal(authenticator: Authenticator, return_to: Sequence[str]) -> str:
    """Where two are named, neither is meant."""
    return authenticator.safe_return_to(return_to[0] if len(return_to) == 1 else None)


@router.get("/sign-up")
@allows(EVERYONE)
async def show_sign_up(request: Request, authenticator: CurrentAuthenticator) -> Response:
    if await authenticator.identify(request):
        return RedirectResponse("/", status_code=303)
    return plain(request, "auth/sign_up.html", email="", full_name="", refusal=None)


@router.post("/sign-up")
@allows(EVERYONE)
async def sign_up(
    request: Request,
    authenticator: CurrentAuthenticator,
    email: Email = "",
    password: Password = "",
    full_name: Name = "",
) -> Response:
    authenticator.demand_same_origin(request)
    try:
        await authenticator.sign_up(
            email=email, password=password, full_name=full_name or None, client=client_of(request)
        )
    except SelifyError as refusal:
        return plain(
            request,
            "auth/sign_up.html",
            status=refusal.status,
            email=email,
            full_name=full_name,
            refusal=refusal,
        )
    return RedirectResponse("/sign-up/done", status_code=303)


@router.get("/sign-up/done")
@allows(EVERYONE)
async def show_signed_up(request: Request) -> Response:
    """Also for who has an account already: whoever asks is not told."""
    return plain(request, "auth/signed_up.html")


@router.post("/sign-out")
@allows(EVERYONE)
async def sign_out(request: Request, authenticator: CurrentAuthenticator) -> Response:
    await authenticator.sign_out(request)
    return RedirectResponse("/sign-in", status_code=303)


@router.get("/brands/new")
@allows(SIGNED_IN)
async def show_new_brand(
    request: Request, session: CurrentSession, database: OpenDatabase, clock: CurrentClock
) -> Response:
    return await _new_brand(request, session, database, clock)


@router.post("/brands")
@allows(SIGNED_IN)
async def create_brand(
    request: Request,
    session: CurrentSession,
    database: OpenDatabase,
    clock: CurrentClock,
    name: Annotated[OneLine, Form(max_length=1000)] = "",
) -> Response:
    try:
        _demand_name(name)
    except Invalid as refusal:
        return await _new_brand(request, session, database, clock, name=name, refusal=refusal)
    async with database.tx(Actor.system("create a brand")) as tx:
        made = await create_workspace(tx, owner_id=session.user.id, name=name)
    return RedirectResponse(f"/accounts?workspace={made.id}&done=brand_made", status_code=303)


def _demand_name(name: str) -> None:
    """Raises Invalid."""
    if not name.strip():
        raise Invalid(_("A brand needs a name."), field="name")
    if len(name) > LONGEST_NAME:
        raise Invalid(
            _("A name has at most %(limit)s characters.", limit=LONGEST_NAME),
            field="name",
        )


async def _new_brand(
    request: Request,
    session: Session,
    database: Database,
    clock: Clock,
    *,
    name: str = "",
    refusal: Invalid | None = None,
) -> Response:
    user = session.user
    async with database.tx(Actor.system("another brand")) as tx:
        others = await list_workspaces(tx, user_id=user.id)
        deleted = await list_deleted(tx, clock, user_id=user.id)
    status = refusal.status if refusal else 200
    return plain(
        request,
        "auth/new_brand.html",
        status=status,
        user=user,
        others=others,
        deleted=deleted,
        name=name,
        refusal=refusal,
    )
