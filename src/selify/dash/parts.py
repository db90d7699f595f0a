"""``/fragments/…``: one part of a page as it is now, for pages that stay open."""

from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import BRAND_READ, allows
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Part
from selify.dash.rendering import fragment, insets
from selify.dash.shell import Shell


async def show_banner(ctx: PageContext, _: object) -> dict[str, Any]:
    """What wings say on every page."""
    return {"banner": await insets(ctx, "banner")}


BANNER = Part(name="banner", template="banner.html", draw=show_banner, permissions=(BRAND_READ,))


async def draw(ctx: PageContext, part: Part, view: object = None, *, toast: str = "") -> Response:
    return fragment(ctx, part.template, toast=toast, view=view, **await part.draw(ctx, view))


def router(shell: Shell) -> APIRouter:
    """An address for each part."""
    routes = APIRouter(prefix="/fragments")
    for part in shell.parts.values():
        routes.add_api_route(f"/{part.name}", _address(part), name=f"part {part.name}")

    @routes.get("/{name}")
    @allows(BRAND_READ)
    async def no_such_part(_ctx: OpenPage, name: str) -> Response:  # noqa: ARG001 - of the address
        raise NotFound(_("There is no such part of a page."))

    return routes


def _address(part: Part) -> Any:
    @allows(*part.permissions)
    async def draw_again(ctx: OpenPage, view: Any = Depends(part.view)) -> Response:
        return await draw(ctx, part, view)

    return draw_again
