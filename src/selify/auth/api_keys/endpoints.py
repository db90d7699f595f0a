"""``/api/v1/workspaces/{workspace_id}/keys``: for people; a key itself may nothing here."""

from uuid import UUID

from fastapi import APIRouter, Request

from selify.auth import permissions as may
from selify.auth.api_keys import keys, repository, schemas, scopes
from selify.auth.workspaces import access_workspace
from selify.core.permissions import allows
from selify.core.web.http import CurrentClock, CurrentUserId, SystemTx

router = APIRouter(prefix="/api/v1/workspaces/{workspace_id}/keys", tags=["API keys"])


@router.get("")
@allows(may.KEYS_READ)
async def list_keys(
    request: Request, workspace_id: UUID, tx: SystemTx, user_id: CurrentUserId, clock: CurrentClock
) -> schemas.KeysOutput:
    """The workspace's keys, the latest first; those that were revoked for another 90 days."""
    await access_workspace(tx, workspace_id, may.KEYS_READ, user_id=user_id)
    found = await repository.list_all(tx, workspace_id, limit=keys.MOST_LISTED)
    now = clock.now()
    return schemas.KeysOutput(
        keys=[schemas.KeyOutput.of(key, now=now) for key in found],
        scopes=scopes.known(request.app.state.permissions),
    )


@router.post("", status_code=201)
@allows(may.KEYS_MAKE)
async def make_key(
    request: Request,
    workspace_id: UUID,
    body: schemas.KeyInput,
    tx: SystemTx,
    user_id: CurrentUserId,
    clock: CurrentClock,
) -> schemas.NewKeyOutput:
    """A key for a program of yours. Its secret is in this answer and nowhere else, ever."""
    workspace = await access_workspace(tx, workspace_id, may.KEYS_MAKE, user_id=user_id)
    made = await keys.make(
        tx,
        workspace,
        request.app.state.permissions,
        name=body.name,
        scopes=body.scopes,
        made_by=user_id,
        expires_at=body.expires_at,
        now=clock.now(),
    )
    return schemas.NewKeyOutput.of(made, now=clock.now())


@router.patch("/{key_id}", status_code=204)
@allows(may.KEYS_MAKE)
async def rename_key(
    workspace_id: UUID,
    key_id: UUID,
    body: schemas.KeyNameInput,
    tx: SystemTx,
    user_id: CurrentUserId,
) -> None:
    """Give a key another name. Its scopes stay as they are: make another key."""
    await access_workspace(tx, workspace_id, may.KEYS_MAKE, user_id=user_id)
    await keys.rename(tx, workspace_id, key_id, body.name)


@router.delete("/{key_id}", status_code=204)
@allows(may.KEYS_REVOKE)
async def revoke_key(
    workspace_id: UUID, key_id: UUID, tx: SystemTx, user_id: CurrentUserId, clock: CurrentClock
) -> None:
    """From now on it opens nothing, and what it has open ends."""
    await access_workspace(tx, workspace_id, may.KEYS_REVOKE, user_id=user_id)
    await keys.revoke(tx, workspace_id, key_id, now=clock.now())


@router.post("/{key_id}/confirm", status_code=204)
@allows(may.KEYS_CONFIRM)
async def confirm_key(
    workspace_id: UUID, key_id: UUID, tx: SystemTx, user_id: CurrentUserId
) -> None:
    """You have looked at it, and it may go on; owners only. After a ban of its maker it works again."""
    await access_workspace(tx, workspace_id, may.KEYS_CONFIRM, user_id=user_id)
    await keys.confirm(tx, workspace_id, key_id)
