"""The bell: what a person is told, and that they have seen it."""

from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from selify import notifications
from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import BRAND_READ, allows
from selify.core.web import origins
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Inset, Pages, Part
from selify.dash.rendering import by_script, fragment, page, went_well
from selify.notifications.email import pages as mailbox

router = APIRouter(prefix="/notifications")

AS_MANY_AS_SHOWN = 200
LATEST = 12


async def show_bell(ctx: PageContext, _: object) -> dict[str, Any]:
    return await ctx.once(_told)


async def _told(ctx: PageContext) -> dict[str, Any]:
    async with ctx.reading() as tx:
        told = await notifications.list_notifications(
            tx, workspace_id=ctx.workspace.id, limit=LATEST
        )
        unread = await notifications.count_unread(tx, workspace_id=ctx.workspace.id)
    return {"notices": told, "unread": unread}


@router.get("")
@allows(BRAND_READ)
async def show(ctx: OpenPage) -> Response:
    if by_script(ctx.request):
        return fragment(ctx, "notifications/notices.html", **await _told(ctx))
    return await page(ctx, "notifications/notifications.html", **await ctx.once(_told))


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
        return fragment(ctx, "notifications/notices.html", **await _told(ctx))
    return went_well(ctx, "/notifications", "notices_read")


@router.post("/{notice_id}/open")
@allows(BRAND_READ)
async def open_notice(ctx: OpenPage, notice_id: UUID) -> Response:
    """Seen, and on to where something can be done about it."""
    async with ctx.reading() as tx:
        told = await notifications.list_notifications(
            tx, workspace_id=ctx.workspace.id, limit=AS_MANY_AS_SHOWN
        )
        notice = next((n for n in told if n.id == notice_id), None)
        if notice is None:
            raise NotFound(_("This notification is not here (any more)."))
        await notifications.mark_read(tx, [notice.id], now=ctx.now)
    public_url: str = ctx.request.app.state.settings.public_url
    goal = origins.safe_return_to(notice.action_url, public_url=public_url)
    return RedirectResponse(ctx.here(goal) if "?" not in goal else goal, status_code=303)


TEMPLATES = Path(__file__).parent / "templates"

PAGES = Pages(
    routers=[router, mailbox.router],
    templates=TEMPLATES,
    style=TEMPLATES / "style.css",
    parts=[
        Part(
            name="bell",
            template="notifications/fragments/bell.html",
            draw=show_bell,
            permissions=(BRAND_READ,),
            tables=("notifications",),
        )
    ],
    insets=[
        Inset(place="header", order=10, template="notifications/bell_menu.html", draw=show_bell)
    ],
    confirmations={"notices_read": _("All read.")},
)
