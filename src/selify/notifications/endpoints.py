"""``/api/v1/notifications``: the bell."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from selify.core.permissions import SIGNED_IN, allows
from selify.core.web.http import CurrentClock, UserTx
from selify.notifications import notices, schemas

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"])


@router.get("")
@allows(SIGNED_IN)
async def list_notifications(
    tx: UserTx,
    workspace_id: UUID | None = None,
    *,
    unread: bool = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> schemas.NotificationsOutput:
    """What you were told and have not archived, newest first; of a workspace, together with what you
    alone were told.
    """
    found = await notices.list_notifications(
        tx, workspace_id=workspace_id, unread_only=unread, limit=limit
    )
    return schemas.NotificationsOutput(
        notifications=[schemas.NotificationOutput.of(n) for n in found],
        unread=await notices.count_unread(tx, workspace_id=workspace_id),
    )


@router.post("/read")
@allows(SIGNED_IN)
async def mark_read(
    body: schemas.NotificationIds, tx: UserTx, clock: CurrentClock
) -> schemas.Changed:
    """You have seen these."""
    return schemas.Changed(changed=await notices.mark_read(tx, body.ids, now=clock.now()))


@router.post("/archive")
@allows(SIGNED_IN)
async def archive(
    body: schemas.NotificationIds, tx: UserTx, clock: CurrentClock
) -> schemas.Changed:
    """You are done with these: they disappear from the list."""
    return schemas.Changed(changed=await notices.archive(tx, body.ids, now=clock.now()))
