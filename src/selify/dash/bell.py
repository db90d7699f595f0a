"""The bell: what a person is told, and that they have seen it."""

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from selify import notifications
from selify.auth import CurrentAuthenticator
from selify.auth.permissions import BRAND_READ
from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import allows
from selify.dash.context import OpenPage
from selify.dash.rendering import bell, by_script, fragment, page, went_well

router = APIRouter(prefix="/notifications", include_in_schema=False)

AS_MANY_AS_SHOWN = 200


@router.get("")
@allows(BRAND_READ)
async def show(ctx: OpenPage) -> Response:
    if by_script(ctx.request):
        return fragment(ctx, "notices.html", **await bell(ctx))
    return await page(ctx, "notifications.html")


@router.post("/read")
@allows(BRAND_READ)
async def mark_all_read(ctx: OpenPage) -> Response:
    """Everything unread in this workspace."""
    async with ctx.reading() as tx:
        unread = await notifications.list_notifications(
            tx, workspace_id=ctx.workspace.id, unread_only=True, limit=AS_MANY_AS_SHOWN
        )
        await notifications.mark_read(tx, [notice.id for notice in unread], now=ctx.now)
    if by_script(ctx.request):
        return fragment(ctx, "notices.html", **await bell(ctx))
    return went_well(ctx, "/notifications", "notices_read")


@router.post("/{notice_id}/open")
@allows(BRAND_READ)
async def open_notice(
    ctx: OpenPage, authenticator: CurrentAuthenticator, notice_id: UUID
) -> Response:
    """Seen, and on to where something can be done about it."""
    async with ctx.reading() as tx:
        told = await notifications.list_notifications(
            tx, workspace_id=ctx.workspace.id, limit=AS_MANY_AS_SHOWN
        )
        notice = next((n for n in told if n.id == notice_id), None)
        if notice is None:
            raise NotFound(_("This notification is not here (any more)."))
        await notifications.mark_read(tx, [notice.id], now=ctx.now)
    goal = authenticator.safe_return_to(notice.action_url)
    return RedirectResponse(ctx.here(goal) if "?" not in goal else goal, status_code=303)
