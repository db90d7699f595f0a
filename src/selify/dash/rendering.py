"""From values to HTML: whole pages with everything around them, parts of pages, and insets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from selify.core.web.http import open_clock
from selify.core.web.links import FileLinks
from selify.dash.context import PageContext
from selify.dash.shell import ROOM_LIST, Shell, shell_of

PICTURE_LIFE = timedelta(hours=2)
# What a page shows belongs to who is signed in, and is live: it is never shown from a cache.
_HEADERS = {"Cache-Control": "no-store", "Vary": "HX-Request, Cookie"}


def render(shell: Shell, template: str, **context: Any) -> str:
    return shell.templates.get_template(template).render(context)


def plain(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page for somebody who looks at no workspace: signing in, signing up, an error."""
    body = render(shell_of(request), template, **context)
    return HTMLResponse(body, status_code=status, headers=_HEADERS)


async def page(
    ctx: PageContext, template: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """A whole page, with the navigation, what wings show on each, and what was just done or refused."""
    shell, asked = shell_of(ctx.request), ctx.request.query_params
    around = {
        **await shell.parts[ROOM_LIST].draw(ctx, None),
        "header": await insets(ctx, "header"),
        "banner": await insets(ctx, "banner"),
        "done": shell.confirmations.get(asked.get("done", "")),
        "refused": shell.refusals.get(asked.get("refused", "")),
    }
    body = render(shell, template, **_surroundings(ctx), **around, **context)
    return HTMLResponse(body, status_code=status, headers=_HEADERS)


@dataclass(frozen=True, slots=True)
class Undo:
    """The way back from what was just done: a form sent to ``path``, whose answer is shown at ``target``."""

    path: str
    target: str


def fragment(
    ctx: PageContext,
    template: str,
    *,
    toast: str = "",
    doubt: str = "",
    undo: Undo | None = None,
    **context: Any,
) -> HTMLResponse:
    """A part of a page, and a word of confirmation beside it, or what is doubtful about it."""
    shell = shell_of(ctx.request)
    body = render(shell, template, **_surroundings(ctx), **context)
    if doubt:
        body += render(shell, "toast.html", text=doubt, state="fair", oob=True)
    elif toast:
        body += render(shell, "toast.html", text=toast, undo=undo, oob=True)
    return HTMLResponse(body, headers=_HEADERS)


async def insets(ctx: PageContext, place: str, about: object = None) -> Markup:
    """What wings show at a place. ``about``: what the place is about, as its page says."""
    shell, drawn = shell_of(ctx.request), ""
    for inset in shell.insets.get(place, ()):
        if ctx.may(inset.permission):
            shown = await inset.draw(ctx, about)
            drawn += render(shell, inset.template, **_surroundings(ctx), **shown)
    return Markup(drawn)  # noqa: S704 - what templates drew is escaped already


def went_well(ctx: PageContext, path: str, done: str, **query: object) -> Response:
    """After a form that was sent without scripts: back to the page, which confirms it."""
    return RedirectResponse(ctx.here(path, done=done, **query), status_code=303)


def by_script(request: Request) -> bool:
    """Whether a part of the page is wanted (htmx) and not the whole."""
    return request.headers.get("hx-request") == "true"


def picture_link(request: Request, storage_key: str) -> str:
    """A signed link as a path of our own origin, by whatever name the visitor reached us.

    Made for the running hour, so that a page drawn again shows the picture it has already.
    """
    links: FileLinks = request.app.state.links
    hour = open_clock(request).now().replace(minute=0, second=0, microsecond=0)
    return urlsplit(links.make(storage_key, now=hour, lasts=PICTURE_LIFE)).path


def _surroundings(ctx: PageContext) -> Mapping[str, Any]:
    request = ctx.request
    return {
        "ctx": ctx,
        "workspace": ctx.workspace,
        "user": ctx.person,
        "here": ctx.here,
        "page": ctx.page,
        "path": request.url.path,
        "now": ctx.now,
        "picture": lambda key: picture_link(request, key),
    }
