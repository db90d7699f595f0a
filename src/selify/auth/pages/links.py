"""What mailed links open, and where one asks for a new password. Looking at any of these changes nothing.

Their addresses are secrets: their pages tell nobody where somebody came from.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from selify.auth import Authenticator, CurrentAuthenticator, client_of
from selify.auth.account import email_change, email_confirmation, mails, password_reset
from selify.auth.account.links import access_link, own_user
from selify.auth.one_time_links import LinkKind, path
from selify.core.errors import Invalid, SelifyError
from selify.core.permissions import EVERYONE, allows
from selify.core.text import OneLine, Verbatim
from selify.dash.rendering import plain

router = APIRouter()

Email = Annotated[OneLine, Form(max_length=300)]
Password = Annotated[Verbatim, Form(max_length=1000)]
Token = Annotated[OneLine, Form(max_length=200)]
Once = Annotated[OneLine, Form(max_length=500)]
TokenQuery = Annotated[OneLine, Query(max_length=200)]
PAGES: Final = {
    LinkKind.EMAIL_CONFIRMATION: mails.CONFIRM,
    LinkKind.EMAIL_CHANGE: mails.CHANGE,
    LinkKind.EMAIL_UNDO: mails.UNDO,
}


@router.get("/forgot")
@allows(EVERYONE)
async def show_forgot(request: Request) -> Response:
    return plain(request, "auth/forgot.html", email="", asked=False, refusal=None)


@router.post("/forgot")
@allows(EVERYONE)
async def forgot(
    request: Request, authenticator: CurrentAuthenticator, email: Email = ""
) -> Response:
    """The same answer, whether there is such an account or not."""
    authenticator.demand_same_origin(request)
    refusal: SelifyError | None = None
    try:
        await password_reset.ask(authenticator, email=email, client=client_of(request))
    except SelifyError as error:
        refusal = error
    return plain(
        request,
        "auth/forgot.html",
        status=refusal.status if refusal else 202,
        email=email,
        asked=refusal is None,
        refusal=refusal,
    )


@router.get(mails.RESET)
@allows(EVERYONE)
async def show_reset(
    request: Request, authenticator: CurrentAuthenticator, token: TokenQuery = ""
) -> Response:
    return await _reset_page(request, authenticator, token)


@router.post(mails.RESET)
@allows(EVERYONE)
async def reset(
    request: Request,
    authenticator: CurrentAuthenticator,
    token: Token = "",
    once: Once = "",
    password: Password = "",
) -> Response:
    authenticator.demand_own_form(request, once, token)
    try:
        signed_in = await password_reset.reset(
            authenticator, secret=token, password=password, client=client_of(request)
        )
    except Invalid as refusal:
        return await _reset_page(request, authenticator, token, refusal)
    await authenticator.enter(request, signed_in)
    return RedirectResponse("/", status_code=303)


async def _reset_page(
    request: Request, authenticator: Authenticator, token: str, refusal: Invalid | None = None
) -> Response:
    link = await access_link(authenticator, LinkKind.PASSWORD_RESET, token, client_of(request))
    user = await own_user(authenticator, link)
    return _secretive(
        plain(
            request,
            "auth/reset.html",
            status=refusal.status if refusal else 200,
            email=link.address,
            claimed=not user.email_confirmed,
            token=token,
            once=authenticator.form_fields.make(token),
            refusal=refusal,
        )
    )


@router.get(mails.CONFIRM)
@allows(EVERYONE)
async def show_confirmation(
    request: Request, authenticator: CurrentAuthenticator, token: TokenQuery = ""
) -> Response:
    return await _page(request, authenticator, LinkKind.EMAIL_CONFIRMATION, token)


@router.post(mails.CONFIRM)
@allows(EVERYONE)
async def confirm_email(
    request: Request, authenticator: CurrentAuthenticator, token: Token = "", once: Once = ""
) -> Response:
    authenticator.demand_own_form(request, once, token)
    await email_confirmation.confirm(authenticator, secret=token, client=client_of(request))
    return RedirectResponse(f"{mails.CONFIRM}/done", status_code=303)


@router.get(f"{mails.CONFIRM}/done")
@allows(EVERYONE)
async def show_confirmed(request: Request) -> Response:
    return _done(request, LinkKind.EMAIL_CONFIRMATION)


@router.get(mails.CHANGE)
@allows(EVERYONE)
async def show_change(
    request: Request, authenticator: CurrentAuthenticator, token: TokenQuery = ""
) -> Response:
    return await _page(request, authenticator, LinkKind.EMAIL_CHANGE, token)


@router.post(mails.CHANGE)
@allows(EVERYONE)
async def change_email(
    request: Request, authenticator: CurrentAuthenticator, token: Token = "", once: Once = ""
) -> Response:
    authenticator.demand_own_form(request, once, token)
    await email_change.confirm(authenticator, secret=token, client=client_of(request))
    return RedirectResponse(f"{mails.CHANGE}/done", status_code=303)


@router.get(f"{mails.CHANGE}/done")
@allows(EVERYONE)
async def show_changed(request: Request) -> Response:
    return _done(request, LinkKind.EMAIL_CHANGE)


@router.get(mails.UNDO)
@allows(EVERYONE)
async def show_undo(
    request: Request, authenticator: CurrentAuthenticator, token: TokenQuery = ""
) -> Response:
    return await _page(request, authenticator, LinkKind.EMAIL_UNDO, token)


@router.post(mails.UNDO)
@allows(EVERYONE)
async def undo_change(
    request: Request, authenticator: CurrentAuthenticator, token: Token = "", once: Once = ""
) -> Response:
    """Somebody else may know the password: on to a new one."""
    authenticator.demand_own_form(request, once, token)
    secret = await email_change.undo(authenticator, secret=token, client=client_of(request))
    return _secretive(RedirectResponse(path(mails.RESET, secret), status_code=303))


async def _page(
    request: Request, authenticator: Authenticator, kind: LinkKind, token: str
) -> Response:
    """What it does, and the button that does it."""
    link = await access_link(authenticator, kind, token, client_of(request))
    return _secretive(
        plain(
            request,
            "auth/link.html",
            kind=kind.value,
            done=False,
            email=link.address,
            action=PAGES[kind],
            token=token,
            once=authenticator.form_fields.make(token),
        )
    )


def _done(request: Request, kind: LinkKind) -> Response:
    return plain(request, "auth/link.html", kind=kind.value, done=True)


def _secretive(answer: Response) -> Response:
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
