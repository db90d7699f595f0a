"""What was spent, and why."""

from pathlib import Path

from selify.billing.pages import money, words
from selify.billing.permissions import USAGE_READ
from selify.core.language import _
from selify.dash.pages import Pages, Room

TEMPLATES = Path(__file__).parents[1] / "templates"

PAGES = Pages(
    routers=[money.router],
    templates=TEMPLATES,
    style=TEMPLATES / "style.css",
    rooms=[
        Room(
            path="/billing",
            title=_("Usage"),
            icon="wallet",
            section=_("The brand"),
            order=50,
            permission=USAGE_READ,
        )
    ],
    parts=money.PARTS,
    words=words,
)
