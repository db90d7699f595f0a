"""The wardrobe."""

from pathlib import Path

from selify.commerce.pages import wardrobe, words
from selify.commerce.permissions import GARMENTS_READ
from selify.core.language import _
from selify.dash.pages import Pages, Room

TEMPLATES = Path(__file__).parents[1] / "templates"

PAGES = Pages(
    routers=[wardrobe.router],
    templates=TEMPLATES,
    style=TEMPLATES / "style.css",
    rooms=[
        Room(
            path="/wardrobe", title=_("Wardrobe"), icon="shirt", order=30, permission=GARMENTS_READ
        )
    ],
    parts=[wardrobe.GARMENTS],
    finders=[wardrobe.FINDER],
    words=words,
    confirmations=words.DONE,
    fields=words.FIELDS,
    chosen=frozenset({"category", "currency"}),
)
