"""Coming in, brands that come and go, and the menu of whoever is signed in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.types import Scope

from selify.auth import list_deleted
from selify.auth.pages import deleted, links, settings, welcome, words
from selify.auth.people import DELETED
from selify.core.database import Actor
from selify.core.language import _
from selify.core.permissions import BRAND_READ
from selify.dash.context import PageContext
from selify.dash.pages import Inset, Pages, Room


async def show_menu(ctx: PageContext, _about: object) -> dict[str, Any]:
    """With what the user could bring back, or see brought back."""
    async with ctx.database.statements(Actor.system("look for deleted brands")) as tx:
        return {"deleted": await list_deleted(tx, ctx.clock, user_id=ctx.person.id)}


def lead_to_sign_in(scope: Scope, problem: Mapping[str, Any], script: bool) -> str:
    """Only a page that was looked at is worth coming back to."""
    if problem["code"] != "unauthenticated":
        return ""
    if script or scope["method"] != "GET":
        return "/sign-in"
    query = scope["query_string"].decode("latin-1")
    back = scope["path"] + (f"?{query}" if query else "")
    return "/sign-in" if back == "/" else f"/sign-in?{urlencode({'return_to': back})}"


def lead_to_deleted(_scope: Scope, problem: Mapping[str, Any], _script: bool) -> str:
    """Whoever wants something of a brand that was deleted."""
    is_deleted = problem["code"] == "workspace_deleted"
    return DELETED.format(problem["workspace_id"]) if is_deleted else ""


TEMPLATES = Path(__file__).parents[1] / "templates"

PAGES = Pages(
    routers=[welcome.router, links.router, deleted.router, settings.router],
    templates=TEMPLATES,
    style=TEMPLATES / "style.css",
    rooms=[
        Room(
            path="/settings",
            title=_("Settings"),
            icon="settings",
            section=_("The brand"),
            order=90,
            permission=BRAND_READ,
        )
    ],
    insets=[Inset(place="header", order=20, template="auth/menu.html", draw=show_menu)],
    words=words,
    confirmations=words.DONE,
    fields=words.FIELDS,
    leads=[lead_to_sign_in, lead_to_deleted],
)
