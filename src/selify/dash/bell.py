"""The bell: what a person is told, and that they have seen it."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from selify import notifications
from selify.auth import CurrentGate
from selify.auth.permissions import BRAND_READ
from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import allows
from selify.dash.desk import AtDesk
from selify.dash.rendering import bell, by_script, fragment, page, went_well

router = APIRouter(prefix="/notifications", include_in_schema=False)

AS_MANY_AS_SHOWN = 200


@router.get("")
@allows(BRAND_READ)
async def show(desk: AtDesk) -> Response:
    if by_script(desk.request):
        return fragment(desk, "notices.html", **await bell(desk))
    return await page(desk, "notifications.html")


@router.post("/read")
@allows(BRAND_READ)
async def mark_all_read(desk: AtDesk) -> Response:
    """Everything unread in this workspace."""
    async with desk.reading() as tx:
        unread = await notifications.list_notifications(
            tx, workspace_id=desk.workspace.id, unread_only=True, limit=AS_MANY_AS_SHOWN
        )
        await notifications.mark_read(tx, [notice.id for notice in unread])
    if by_script(desk.request):
        return fragment(desk, "notices.html", **await bell(desk))
    return went_well(desk, "/notifications", "notices_read")


@router.post("/{notice_id}/open")
@allows(BRAND_READ)
async def open_notice(desk: AtDesk, gate: CurrentGate, notice_id: UUID) -> Response:
    """Seen, and on to where something can be done about it."""
    async with desk.reading() as tx:
        told = await notifications.list_notifications(
            tx, workspace_id=desk.workspace.id, limit=AS_MANY_AS_SHOWN
        )
        notice = next((n for n in told if n.id == notice_id), None)
        if notice is None:
            raise NotFound(_("This notification is not here (any more)."))
        await notifications.mark_read(tx, [notice.id])
    goal = gate.safe_return_to(notice.action_url)
    return RedirectResponse(desk.here(goal) if "?" not in goal else goal, status_code=303)
