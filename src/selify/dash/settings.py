"""What belongs to a brand as a whole, and its end."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from selify.auth import KEPT_FOR, delete_workspace
from selify.auth.permissions import BRAND_DELETE, BRAND_READ
from selify.core.permissions import allows
from selify.core.text import OneLine
from selify.dash.desk import DELETED, AtDesk
from selify.dash.rendering import by_script, page

router = APIRouter(prefix="/settings", include_in_schema=False)


@router.get("")
@allows(BRAND_READ)
async def show(desk: AtDesk) -> Response:
    return await page(
        desk,
        "settings.html",
        may_delete=desk.may(BRAND_DELETE),
        kept_for=KEPT_FOR.days,
        forgotten_at=desk.now + KEPT_FOR,
    )


@router.post("/delete")
@allows(BRAND_DELETE)
async def delete(desk: AtDesk, name: Annotated[OneLine, Form(max_length=200)] = "") -> Response:
    """Owners only, with the brand's name typed again. Ends on the page that says what became of it."""
    async with desk.acting() as tx:
        await delete_workspace(
            tx, desk.clock, desk.workspace.id, user_id=desk.session.user.id, typed_name=name
        )
    goal = DELETED.format(desk.workspace.id)
    if by_script(desk.request):
        return Response(headers={"HX-Redirect": goal})
    return RedirectResponse(goal, status_code=303)
