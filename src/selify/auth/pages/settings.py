"""What belongs to a brand as a whole, and its end."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from selify.auth import KEPT_FOR, delete_workspace
from selify.auth.people import DELETED
from selify.auth.permissions import BRAND_DELETE
from selify.core.permissions import BRAND_READ, allows
from selify.core.text import OneLine
from selify.dash.context import OpenPage
from selify.dash.rendering import by_script, page

router = APIRouter(prefix="/settings")


@router.get("")
@allows(BRAND_READ)
async def show(ctx: OpenPage) -> Response:
    return await page(
        ctx,
        "auth/settings.html",
        may_delete=ctx.may(BRAND_DELETE),
        kept_for=KEPT_FOR.days,
        forgotten_at=ctx.now + KEPT_FOR,
    )


@router.post("/delete")
@allows(BRAND_DELETE)
async def delete(ctx: OpenPage, name: Annotated[OneLine, Form(max_length=200)] = "") -> Response:
    """Owners only, with the brand's name typed again. Ends on the page that says what became of it."""
    async with ctx.acting() as tx:
        await delete_workspace(
            tx, ctx.clock, ctx.workspace.id, user_id=ctx.person.id, typed_name=name
        )
    goal = DELETED.format(ctx.workspace.id)
    if by_script(ctx.request):
        return Response(headers={"HX-Redirect": goal})
    return RedirectResponse(goal, status_code=303)
