"""What the shell itself says, and how it draws names."""

import hashlib
from collections.abc import Mapping

from selify.core.language import _

TINTS = 6

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}

# What the pages' script says by itself.
SCRIPT: Mapping[str, str] = {
    "live": _("Live"),
    "reconnecting": _("Reconnecting…"),
    "soon": _("in a moment"),
    "now": _("just now"),
    "offline": _("You are offline. Nothing was sent; what you typed is still here."),
    "noAnswer": _(
        "Selify does not answer. Perhaps it was done, perhaps not: look, then try again."
    ),
    "away": _("Selify cannot be reached just now. Please try again in a moment."),
    "signedOut": _(
        "You were signed out. Sign in again in another tab, then send this once more:"
        " it is all still here."
    ),
    "stillChosen": _(
        "What could not be added is still chosen. Choose other pictures, or add them once more."
    ),
    "waits": _("Waits"),
    "notSent": _("Not sent"),
    "notAdded": _("Not added"),
    "reading": _("Reading the picture…"),
    "added": _("In the wardrobe"),
}


def initial(name: str | None) -> str:
    """What stands in the circle where a face would be."""
    return next((letter.upper() for letter in name or "" if letter.isalnum()), "·")


def tint(name: str | None) -> int:
    """A colour of their own for everybody, the same each time."""
    return hashlib.sha256((name or "").encode()).digest()[0] % TINTS
