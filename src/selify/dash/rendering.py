"""From values to HTML: one Jinja environment, everything escaped, nothing missing in silence."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from selify import commerce, notifications
from selify.auth import permissions as workspace_permissions
from selify.core import language
from selify.core.language import _n
from selify.core.money import Credits, MicroUnits
from selify.core.web.http import open_clock
from selify.core.web.links import FileLinks
from selify.dash import health, words
from selify.dash.context import PageContext, deleted_brands
from selify.dash.view import View
from selify.messaging import permissions as messaging_permissions
from selify.tryon import permissions as tryon_permissions

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
PICTURE_LIFE = timedelta(hours=2)
# What a page shows belongs to who is signed in, and is live: it is never shown from a cache.
_HEADERS = {"Cache-Control": "no-store", "Vary": "HX-Request, Cookie"}

# What templates ask for, by wing.
_PERMISSIONS = {
    "workspace": workspace_permissions,
    "messaging": messaging_permissions,
    "tryon": tryon_permissions,
}


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.filters.update(
        number=_spoken(language.number),
        said=_spoken(language.say),
        moment=_spoken(_moment),
        dollars=_spoken(_dollars),
        typed_price=_spoken(_typed_price),
        price=_spoken(_price),
        stored=language.stored,
        upfirst=_upfirst,
        web=_web,
        initial=words.initial,
        tint=words.tint,
    )
    made.globals.update(
        asset=asset,
        words=words,
        permissions=_PERMISSIONS,
        LOW_CONFIDENCE=commerce.LOW_CONFIDENCE,
        RATE=Credits(10_000),
        reader_language=language.current,
        script_words=_script_words,
        _n=_n,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: language.catalogue(language.current()).gettext(text),
        lambda one, many, count: language.catalogue(language.current()).ngettext(one, many, count),
        newstyle=True,
    )
    return made


def render(template: str, **context: Any) -> str:
    return environment().get_template(template).render(context)


def plain(template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page for somebody who looks at no workspace: signing in, signing up, an error."""
    return HTMLResponse(render(template, **context), status_code=status, headers=_HEADERS)


async def page(
    ctx: PageContext, template: str, *, status: int = 200, **context: Any
) -> HTMLResponse:
    """A whole page, with the bell and the navigation around it."""
    asked = ctx.request.query_params
    said = {"done": words.DONE.get(asked.get("done", "")), "refused": _refused(asked)}
    around = {**await ctx.once(bell), **await health.show_banner(ctx, View())}
    shown = {**around, "deleted": await ctx.once(deleted_brands), **context, **said}
    body = render(template, **_surroundings(ctx), **shown)
    return HTMLResponse(body, status_code=status, headers=_HEADERS)


def _refused(asked: Mapping[str, str]) -> str:
    """Why something that ended elsewhere (on a platform's own page) did not work; empty if it did."""
    code = asked.get("refused", "")
    return words.REFUSED.get(code, words.NOT_CONNECTED) if code else ""


def fragment(
    ctx: PageContext, template: str, *, toast: str = "", doubt: str = "", **context: Any
) -> HTMLResponse:
    """A part of a page, and a word of confirmation beside it, or what is doubtful about it."""
    body = render(template, **_surroundings(ctx), **context)
    if doubt:
        body += render("toast.html", text=doubt, state="fair", oob=True)
    elif toast:
        body += render("toast.html", text=toast, oob=True)
    return HTMLResponse(body, headers=_HEADERS)


def went_well(ctx: PageContext, path: str, done: str, **query: object) -> Response:
    """After a form that was sent without scripts: back to the page, which confirms it."""
    return RedirectResponse(ctx.here(path, done=done, **query), status_code=303)


def by_script(request: Request) -> bool:
    """Whether a part of the page is wanted (htmx) and not the whole."""
    return request.headers.get("hx-request") == "true"


async def bell(ctx: PageContext) -> dict[str, Any]:
    async with ctx.reading() as tx:
        return {
            "notices": await notifications.list_notifications(
                tx, workspace_id=ctx.workspace.id, limit=12
            ),
            "unread": await notifications.count_unread(tx, workspace_id=ctx.workspace.id),
        }


def picture_link(request: Request, storage_key: str) -> str:
    """A signed link as a path of our own origin, by whatever name the visitor reached us.

    Made for the running hour, so that a page drawn again shows the picture it has already.
    """
    links: FileLinks = request.app.state.links
    hour = open_clock(request).now().replace(minute=0, second=0, microsecond=0)
    return urlsplit(links.make(storage_key, now=hour, lasts=PICTURE_LIFE)).path


@cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def _surroundings(ctx: PageContext) -> Mapping[str, Any]:
    request = ctx.request
    return {
        "ctx": ctx,
        "workspace": ctx.workspace,
        "user": ctx.session.user,
        "here": ctx.here,
        "page": ctx.page,
        "path": request.url.path,
        "now": ctx.now,
        "picture": lambda key: picture_link(request, key),
        "platforms": sorted(request.app.state.gateways),
    }


def _spoken(write: Callable[[Any, str], str]) -> Callable[[Context, Any], str]:
    """A filter that writes a value in the reader's language. (With the context, so that none of its
    results is worked out once for all readers.)
    """

    @pass_context
    def filtered(_context: Context, value: Any) -> str:
        return write(value, language.current())

    return filtered


def _upfirst(text: str) -> str:
    said = language.translated(text)
    return said[:1].upper() + said[1:]


def _script_words() -> str:
    return json.dumps({name: language.translated(said) for name, said in words.SCRIPT.items()})


def _dollars(amount: MicroUnits | Credits, spoken: str) -> str:
    """Two digits where that is the whole truth, else as many as it takes."""
    micro = amount.to_micro_units() if isinstance(amount, Credits) else amount
    cents = micro.to_cents()
    return language.money(cents if cents.to_micro_units() == micro else micro, spoken)


def _price(product: Mapping[str, Any], spoken: str) -> str:
    """A garment's price; empty where it is not known."""
    known = product.get("price_cents")
    if not isinstance(known, int):
        return ""
    return language.currency(Decimal(known) / 100, str(product.get("currency") or "USD"), spoken)


def _typed_price(cents: int, spoken: str) -> str:
    """As one types it into a form."""
    return language.plain_decimal(Decimal(cents) / 100, spoken)


def _web(address: str | None) -> str:
    """An address one may follow, or nothing: what came from outside may be no web page at all."""
    return address if address and address.startswith(("https://", "http://")) else ""


def _moment(when: datetime, spoken: str) -> str:
    return language.moment(when, "moment", spoken)
