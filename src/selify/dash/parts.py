"""``/fragments/…``: one part of a page as it is now, for pages that stay open."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from selify.core.errors import NotFound
from selify.core.language import _
from selify.core.permissions import BRAND_READ, allows
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Part, Room
from selify.dash.rendering import fragment, insets
from selify.dash.shell import ROOM_LIST, Shell, shell_of

FRAGMENTS = "/fragments"


async def show_banner(ctx: PageContext, _: object) -> dict[str, Any]:
    """What wings say on every page."""
    return {"banner": await insets(ctx, "banner")}


async def show_rooms(ctx: PageContext, _: object) -> dict[str, Any]:
    """The navigation: the rooms that the user may enter, by section, with their numbers."""
    groups: dict[str, list[tuple[Room, int]]] = {}
    for room in shell_of(ctx.request).rooms:
        if ctx.may(room.permission):
            count = await room.badge.count(ctx) if room.badge else 0
            groups.setdefault(room.section, []).append((room, count))
    return {"room_groups": list(groups.items()), "room_path": _looked_at(ctx.request)}


def _looked_at(request: Request) -> str:
    """Of a part that is drawn again: the address of the page that it is a part of."""
    page = request.headers.get("hx-current-url") if request.url.path.startswith(FRAGMENTS) else None
    return urlsplit(page).path if page else request.url.path


BANNER = Part(name="banner", template="banner.html", draw=show_banner, permissions=(BRAND_READ,))
ROOMS = Part(name=ROOM_LIST, template="room_list.html", draw=show_rooms, permissions=(BRAND_READ,))


async def draw(ctx: PageContext, part: Part, view: object = None, *, toast: str = "") -> Response:
    return fragment(ctx, part.template, toast=toast, view=view, **await part.draw(ctx, view))


def router(shell: Shell) -> APIRouter:
    """An address for each part."""
    routes = APIRouter(prefix=FRAGMENTS)
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
