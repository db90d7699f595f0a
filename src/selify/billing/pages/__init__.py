"""What was spent, and why."""

from pathlib import Path

from selify.billing.pages import money, words
from selify.billing.permissions import USAGE_READ
from selify.core.language import _
from selify.dash.pages import Pages, Room

PAGES = Pages(
    routers=[money.router],
    templates=Path(__file__).parents[1] / "templates",
    rooms=[Room(path="/billing", title=_("Billing"), order=50, permission=USAGE_READ)],
    parts=money.PARTS,
    words=words,
)
