"""A brand that was deleted: nobody works in it any more, but for a while there is a way back."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from selify.auth import (
    CurrentSession,
    list_deleted,
    list_workspaces,
    restore_workspace,
)
from selify.auth.permissions import BRAND_RESTORE
from selify.core.database import Actor
from selify.core.permissions import SIGNED_IN, allows
from selify.core.web.http import CurrentClock, OpenDatabase
from selify.dash.rendering import plain

router = APIRouter(prefix="/brands/{workspace_id}")

ACTOR = Actor.system("a deleted brand")


@router.get("/deleted")
@allows(SIGNED_IN)
async def show(
    request: Request,
    workspace_id: UUID,
    session: CurrentSession,
    database: OpenDatabase,
    clock: CurrentClock,
) -> Response:
    """Where every address of such a brand leads."""
    user = session.user
    async with database.tx(ACTOR) as tx:
        found = await list_deleted(tx, clock, user_id=user.id, workspace_id=workspace_id)
        others = await list_workspaces(tx, user_id=user.id)
    if not found:  # it is back, or it is gone: its first page says which
        return RedirectResponse(f"/?workspace={workspace_id}", status_code=303)
    return plain(
        request,
        "auth/deleted.html",
        brand=found[0],
        may_restore=BRAND_RESTORE.held_by(found[0].role),
        user=user,
        others=others,
    )


@router.post("/restore")
@allows(BRAND_RESTORE)
async def restore(
    workspace_id: UUID, session: CurrentSession, database: OpenDatabase, clock: CurrentClock
) -> Response:
    """Owners only. On to its accounts, which have to be connected again."""
    async with database.tx(ACTOR) as tx:
        await restore_workspace(tx, clock, workspace_id, user_id=session.user.id)
    goal = f"/accounts?workspace={workspace_id}&done=brand_restored"
    return RedirectResponse(goal, status_code=303)
