"""``/fragments/…``: one part of a page as it is now, for pages that stay open."""

from fastapi import APIRouter
from fastapi.responses import Response

from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import allows
from selify.dash import accounts, health, home, money, posts, wardrobe
from selify.dash.context import OpenPage
from selify.dash.rendering import fragment
from selify.dash.view import Viewed

router = APIRouter(include_in_schema=False)

PARTS = {
    **health.PARTS,
    **home.PARTS,
    **posts.PARTS,
    **wardrobe.PARTS,
    **accounts.PARTS,
    **money.PARTS,
}


@router.get("/fragments/{name}")
@allows(*home.SHOWN)
async def draw_again(ctx: OpenPage, view: Viewed, name: str) -> Response:
    """A part and what it is drawn from stand under the same name."""
    if name not in PARTS:
        raise NotFound(_("There is no such part of a page."))
    return fragment(ctx, f"fragments/{name}.html", view=view, **await PARTS[name](ctx, view))
