"""``/api/v1/auth``: what people do with their own account."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from selify.auth import sign_in_audit
from selify.auth.account import (
    email_change,
    email_confirmation,
    own_sessions,
    password_change,
    password_reset,
    schemas,
)
from selify.auth.authenticator import CurrentAuthenticator, CurrentSession, client_of
from selify.auth.schemas import MailedOutput, MeOutput
from selify.core.permissions import EVERYONE, SIGNED_IN, allows
from selify.core.web.http import CurrentClock, CurrentUserId, SystemTx

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


@router.post("/password-reset", status_code=202)
@allows(EVERYONE)
async def ask_reset(
    body: schemas.ResetAskedInput, request: Request, authenticator: CurrentAuthenticator
) -> MailedOutput:
    """A link to set a new password, good for an hour, to the address; if there is such an account. The answer
    is the same if there is none, and after three mails an hour.
    """
    authenticator.demand_same_origin(request)
    await password_reset.ask(authenticator, email=body.email, client=client_of(request))
    return MailedOutput()


@router.post("/password-reset/confirm")
@allows(EVERYONE)
async def reset(
    body: schemas.ResetInput, request: Request, authenticator: CurrentAuthenticator
) -> MeOutput:
    """Set a new password with a mailed link, once. Every session ends; the answer sets a new one's cookie."""
    authenticator.demand_same_origin(request)
    signed_in = await password_reset.reset(
        authenticator, secret=body.token, password=body.password, client=client_of(request)
    )
    await authenticator.enter(request, signed_in)
    return MeOutput.of(signed_in.session)


@router.post("/password", status_code=204)
@allows(SIGNED_IN)
async def change_password(
    body: schemas.PasswordChangeInput,
    request: Request,
    session: CurrentSession,
    authenticator: CurrentAuthenticator,
) -> None:
    """Change your password. Your other sessions end."""
    await password_change.change(
        authenticator,
        session,
        old=body.old_password,
        new=body.new_password,
        client=client_of(request),
    )


@router.post("/email", status_code=202)
@allows(SIGNED_IN)
async def ask_email_change(
    body: schemas.EmailChangeInput,
    request: Request,
    session: CurrentSession,
    authenticator: CurrentAuthenticator,
) -> MailedOutput:
    """Change your address: a link goes to the new one, and nothing changes before it is used."""
    await email_change.ask(
        authenticator,
        session,
        password=body.password,
        email=body.email,
        client=client_of(request),
    )
    return MailedOutput()


@router.post("/email/confirm", status_code=204)
@allows(EVERYONE)
async def confirm_email_change(
    body: schemas.LinkInput, request: Request, authenticator: CurrentAuthenticator
) -> None:
    """The link in the new mailbox. The old one gets a mail with a way back."""
    authenticator.demand_same_origin(request)
    await email_change.confirm(authenticator, secret=body.token, client=client_of(request))


@router.post("/email/undo")
@allows(EVERYONE)
async def undo_email_change(
    body: schemas.LinkInput, request: Request, authenticator: CurrentAuthenticator
) -> schemas.UndoneOutput:
    """The link in the old mailbox. Every session ends, and the password is good for nothing any more."""
    authenticator.demand_same_origin(request)
    secret = await email_change.undo(authenticator, secret=body.token, client=client_of(request))
    return schemas.UndoneOutput(password_reset_token=secret)


@router.post("/email-confirmation", status_code=202)
@allows(SIGNED_IN)
async def send_confirmation_again(
    session: CurrentSession, authenticator: CurrentAuthenticator
) -> MailedOutput:
    """Another link to confirm your address; three an hour."""
    await email_confirmation.send_again(authenticator, session)
    return MailedOutput()


@router.post("/email-confirmation/confirm", status_code=204)
@allows(EVERYONE)
async def confirm_email(
    body: schemas.LinkInput, request: Request, authenticator: CurrentAuthenticator
) -> None:
    """The link in the mailbox."""
    authenticator.demand_same_origin(request)
    await email_confirmation.confirm(authenticator, secret=body.token, client=client_of(request))


@router.get("/sessions")
@allows(SIGNED_IN)
async def list_sessions(
    session: CurrentSession, tx: SystemTx, clock: CurrentClock
) -> schemas.SessionsOutput:
    """Where you are signed in."""
    found = await own_sessions.list_own(tx, session.user.id, now=clock.now())
    return schemas.SessionsOutput(
        sessions=[schemas.SessionOutput.of(one, session) for one in found]
    )


@router.delete("/sessions/{session_id}", status_code=204)
@allows(SIGNED_IN)
async def revoke_session(
    session_id: UUID,
    request: Request,
    session: CurrentSession,
    tx: SystemTx,
    clock: CurrentClock,
) -> None:
    """End one of your sessions: its cookie and its tokens stop working at once."""
    await own_sessions.revoke(tx, session, session_id, now=clock.now(), client=client_of(request))


@router.post("/sign-out-everywhere", status_code=204)
@allows(SIGNED_IN)
async def sign_out_everywhere(
    request: Request,
    session: CurrentSession,
    authenticator: CurrentAuthenticator,
    tx: SystemTx,
    clock: CurrentClock,
) -> None:
    """End all your sessions, this one too."""
    await own_sessions.end_all(tx, session, now=clock.now(), client=client_of(request))
    authenticator.take_cookie(request)


@router.get("/audit")
@allows(SIGNED_IN)
async def list_audit(
    tx: SystemTx,
    user_id: CurrentUserId,
    after: Annotated[UUID | None, Query(description="The last line seen.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> schemas.SignInLinesOutput:
    """What happened to your account, the newest first: sign-ins, refused ones too, and changes."""
    found = await sign_in_audit.list_own(tx, user_id, after=after, limit=limit + 1)
    shown = found[:limit]
    return schemas.SignInLinesOutput(
        lines=[schemas.SignInLineOutput.of(line) for line in shown],
        next=shown[-1].id if len(found) > limit else None,
    )
