"""``/api/v1/workspaces/{workspace_id}/billing``: read as the signed-in user, so row level security
decides; a workspace that is not yours looks like one that does not exist.
"""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from selify.billing import accounts, auto_reload, explanation, schemas, usage
from selify.billing import permissions as may
from selify.billing.errors import ChargeMissing
from selify.core.language import _
from selify.core.permissions import allows
from selify.core.web.http import CurrentClock, CurrentUserId, SystemTx, UserTx
from selify.dash.context import people_of

router = APIRouter(prefix="/api/v1/workspaces/{workspace_id}/billing", tags=["billing"])

Cursor = Annotated[
    str | None, Query(max_length=200, description="`next_cursor` of the page before.")
]
PageSize = Annotated[int, Query(ge=1, le=usage.LARGEST_PAGE)]


@router.get("/balance")
@allows(may.USAGE_READ)
async def balance(workspace_id: UUID, tx: UserTx, clock: CurrentClock) -> schemas.BalanceOutput:
    """What the workspace can spend now."""
    return schemas.BalanceOutput.of(await accounts.balance(tx, clock, workspace_id))


@router.get("/usage")
@allows(may.USAGE_READ)
async def list_usage(
    workspace_id: UUID, tx: UserTx, clock: CurrentClock, cursor: Cursor = None, limit: PageSize = 50
) -> schemas.UsagePage:
    """What was spent, newest first."""
    after = schemas.decode_cursor(cursor) if cursor else None
    await accounts.balance(tx, clock, workspace_id)  # 404 where an empty list would mislead
    parts = await usage.list_usage(tx, workspace_id, after=after, limit=limit + 1)
    page, more = parts[:limit], len(parts) > limit
    return schemas.UsagePage(
        items=[schemas.UsageOutput.of(part) for part in page],
        next_cursor=schemas.encode_cursor(page[-1]) if more else None,
    )


@router.get("/usage/{usage_event_id}")
@allows(may.USAGE_READ)
async def explain(
    workspace_id: UUID, usage_event_id: UUID, tx: UserTx
) -> schemas.ExplanationOutput:
    """Why a charge is what it is: price, who paid, and what was given back."""
    found = await explanation.explain(tx, usage_event_id)
    if found.workspace_id != workspace_id:
        raise ChargeMissing(_("There is no such charge in this workspace."))
    return schemas.ExplanationOutput.of(found)


@router.get("/auto-reload")
@allows(may.INVOICES_READ)
async def read_auto_reload(workspace_id: UUID, tx: UserTx) -> schemas.AutoReloadOutput:
    """Whether credits are bought by card when the balance falls."""
    return schemas.AutoReloadOutput.of(await auto_reload.read(tx, workspace_id))


@router.put("/auto-reload", status_code=204)
@allows(may.RELOAD_CHANGE)
async def change_auto_reload(
    workspace_id: UUID,
    body: schemas.AutoReloadInput,
    request: Request,
    tx: SystemTx,
    user_id: CurrentUserId,
) -> None:
    """Switch it on or off; owners and admins. After a change of owner it is off until the new owner has
    switched it on.
    """
    await people_of(request).access_workspace(tx, workspace_id, may.RELOAD_CHANGE, user_id=user_id)
    await auto_reload.change(tx, workspace_id, **body.model_dump(), user_id=user_id)
