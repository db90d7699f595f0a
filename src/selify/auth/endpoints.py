"""``/api/v1/auth`` and ``/api/v1/workspaces``."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request

from selify.auth import permissions as may
from selify.auth import schemas, workspaces
from selify.auth.authenticator import CurrentAuthenticator, CurrentSession, client_of
from selify.auth.types import SignedIn
from selify.core.permissions import EVERYONE, SIGNED_IN, allows
from selify.core.web import idempotency
from selify.core.web.http import CurrentClock, CurrentUserId, SystemTx, UserTx

router = APIRouter(prefix="/api/v1")

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="The same request with the same key within 24 hours is done once.",
    ),
]


@router.post("/auth/sign-up", status_code=202, tags=["auth"])
@allows(EVERYONE)
async def sign_up(
    body: schemas.SignUpInput, request: Request, authenticator: CurrentAuthenticator
) -> schemas.MailedOutput:
    """Make an account. The address is mailed a link to confirm it; where it has an account already, its owner
    is told so, and the answer is the same. Sign in with the password to go on at once.
    """
    authenticator.demand_same_origin(request)
    await authenticator.sign_up(
        email=body.email,
        password=body.password,
        full_name=body.full_name,
        client=client_of(request),
    )
    return schemas.MailedOutput()


@router.post("/auth/sign-in", tags=["auth"])
@allows(EVERYONE)
async def sign_in(
    body: schemas.SignInInput, request: Request, authenticator: CurrentAuthenticator
) -> schemas.MeOutput:
    """Sign in: the answer sets the session cookie."""
    authenticator.demand_same_origin(request)
    signed_in = await authenticator.sign_in(
        email=body.email, password=body.password, client=client_of(request)
    )
    await authenticator.enter(request, signed_in)
    return schemas.MeOutput.of(signed_in.session)


@router.post("/auth/sign-out", status_code=204, tags=["auth"])
@allows(EVERYONE)
async def sign_out(request: Request, authenticator: CurrentAuthenticator) -> None:
    """End the session: its cookie and its tokens stop working at once."""
    await authenticator.sign_out(request)


@router.get("/auth/me", tags=["auth"])
@allows(SIGNED_IN)
async def me(session: CurrentSession) -> schemas.MeOutput:
    """Who is signed in."""
    return schemas.MeOutput.of(session)


@router.post("/auth/token", tags=["auth"])
@allows(EVERYONE)
async def token(
    body: schemas.TokenInput, request: Request, authenticator: CurrentAuthenticator
) -> schemas.TokenOutput:
    """An access token for `Authorization: Bearer`, good for an hour at most."""
    match body:
        case schemas.PasswordGrant():
            signed_in = await authenticator.sign_in(
                email=body.email, password=body.password, client=client_of(request)
            )
        case schemas.RefreshGrant():
            signed_in = await authenticator.renew(body.refresh_token)
        case schemas.SessionGrant():
            signed_in = SignedIn(await authenticator.demand_browser(request), "")
    issued = authenticator.issue_token(signed_in.session)
    return schemas.TokenOutput(
        access_token=issued.text,
        expires_in=int((issued.expires_at - authenticator.clock.now()).total_seconds()),
        expires_at=issued.expires_at,
        refresh_token=signed_in.secret or None,
        user=schemas.MeOutput.of(signed_in.session).user,
    )


@router.get("/workspaces", tags=["workspaces"])
@allows(SIGNED_IN)
async def list_workspaces(tx: UserTx) -> schemas.WorkspacesOutput:
    """The workspaces you are a member of."""
    mine = await workspaces.list_workspaces(tx)
    return schemas.WorkspacesOutput(workspaces=[schemas.WorkspaceOutput.of(w) for w in mine])


@router.post("/workspaces", status_code=201, tags=["workspaces"])
@allows(SIGNED_IN)
async def create_workspace(
    body: schemas.WorkspaceInput,
    tx: SystemTx,
    clock: CurrentClock,
    owner_id: CurrentUserId,
    idempotency_key: IdempotencyKey = None,
) -> schemas.WorkspaceOutput:
    """Make a workspace; you become its owner."""

    async def work() -> dict[str, Any]:
        made = await workspaces.create_workspace(tx, owner_id=owner_id, **body.model_dump())
        return schemas.WorkspaceOutput.of(made).model_dump(mode="json")

    if idempotency_key is None:
        return schemas.WorkspaceOutput.model_validate(await work())
    answer = await idempotency.once(
        tx,
        clock,
        scope_id=owner_id,  # there is no workspace yet: the key belongs to the user
        key=idempotency_key,
        request=["create workspace", body.model_dump()],
        work=work,
    )
    return schemas.WorkspaceOutput.model_validate(answer)


@router.post("/workspaces/{workspace_id}/delete", status_code=204, tags=["workspaces"])
@allows(may.BRAND_DELETE)
async def delete_workspace(
    workspace_id: UUID,
    body: schemas.DeletionInput,
    tx: SystemTx,
    clock: CurrentClock,
    user_id: CurrentUserId,
) -> None:
    """Delete a workspace; owners only. At once nobody enters it, its bot is silent, and its accounts are
    disconnected. For 30 days an owner can bring it back; then what is personal in it is forgotten:
    conversations, files, people. Invoices and charges stay on the books without names.
    """
    await workspaces.delete_workspace(
        tx, clock, workspace_id, user_id=user_id, typed_name=body.name
    )


@router.get("/workspaces/deleted", tags=["workspaces"])
@allows(SIGNED_IN)
async def list_deleted(
    tx: SystemTx, clock: CurrentClock, user_id: CurrentUserId
) -> schemas.DeletedWorkspacesOutput:
    """Your workspaces that were deleted and can still be brought back."""
    found = await workspaces.list_deleted(tx, clock, user_id=user_id)
    return schemas.DeletedWorkspacesOutput(
        workspaces=[schemas.DeletedWorkspaceOutput.of(workspace) for workspace in found]
    )


@router.post("/workspaces/{workspace_id}/restore", status_code=204, tags=["workspaces"])
@allows(may.BRAND_RESTORE)
async def restore_workspace(
    workspace_id: UUID, tx: SystemTx, clock: CurrentClock, user_id: CurrentUserId
) -> None:
    """Bring back a workspace within 30 days of its deletion; owners only. Its accounts have to be
    connected again.
    """
    await workspaces.restore_workspace(tx, clock, workspace_id, user_id=user_id)


@router.get("/workspaces/{workspace_id}/members", tags=["workspaces"])
@allows(may.MEMBERS_READ)
async def list_members(
    workspace_id: UUID, tx: SystemTx, user_id: CurrentUserId
) -> schemas.MembersOutput:
    """Everyone in the workspace, owners first."""
    await workspaces.access_workspace(tx, workspace_id, may.MEMBERS_READ, user_id=user_id)
    members = await workspaces.list_members(tx, workspace_id)
    return schemas.MembersOutput(members=[schemas.MemberOutput.of(m) for m in members])


@router.patch("/workspaces/{workspace_id}/members/{user_id}", status_code=204, tags=["workspaces"])
@allows(may.MEMBERS_CHANGE, sometimes=[may.OWNERS_CHANGE])
async def change_role(
    workspace_id: UUID, user_id: UUID, body: schemas.RoleInput, tx: UserTx
) -> None:
    """Give a member another role."""
    await workspaces.change_role(tx, workspace_id, user_id, body.role)


@router.delete("/workspaces/{workspace_id}/members/{user_id}", status_code=204, tags=["workspaces"])
@allows(may.MEMBERS_REMOVE, sometimes=[may.MEMBERS_LEAVE, may.OWNERS_CHANGE])
async def remove_member(workspace_id: UUID, user_id: UUID, tx: UserTx) -> None:
    """Remove a member, or leave the workspace yourself."""
    await workspaces.remove_member(tx, workspace_id, user_id)
