"""An outfit: a top and a bottom that a post shows together.

The table has one garment for each post and account. The other one, which is worn with it, is named by
``social_posts_garment_bindings.garment_metadata``: docs/decisions, outfits.
"""

from collections.abc import Mapping
from typing import Final, Protocol
from uuid import UUID

from selify.core.errors import Invalid
from selify.core.language import _
from selify.core.queue.payload import Payload

# In the words of ``wardrobe_garments.leffa_metadata``. A dress is worn by itself.
GOES_WITH: Final[Mapping[str, str]] = {"upper_body": "lower_body", "lower_body": "upper_body"}
# SQL: the categories of two garments are one of these.
PAIRS: Final = str(tuple(GOES_WITH.items()))


class GarmentMetadata(Payload):
    """What ``garment_metadata`` of a binding says. ``worn_with``: the garment beside the bound one."""

    worn_with: UUID | None = None


class NotWornTogether(Invalid):
    code = "not_worn_together"
    title = _("These two are not worn together")


class Piece(Protocol):
    """``covers``: its category; empty where nobody has said it. ``archived``: put away."""

    @property
    def name(self) -> str: ...
    @property
    def covers(self) -> str: ...
    @property
    def archived(self) -> bool: ...


def worn_with(of: str) -> str:
    """SQL: the id of the garment beside the bound one. ``of``: the binding. Brands may write there
    what they like; what is no id is none.
    """
    said = f"{of}.garment_metadata ->> 'worn_with'"
    return f"CASE WHEN {said} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN ({said})::uuid END"


def why_not(main: Piece, second: Piece) -> str:
    """Why the second is not worn with the main garment; empty where it is."""
    if second.archived:
        return _("“%(name)s” was put away.", name=second.name)
    for one in (main, second):
        if not one.covers:
            return _("Nobody has said yet what “%(name)s” is.", name=one.name)
        if one.covers not in GOES_WITH:
            return _("“%(name)s” is a dress: it is worn by itself.", name=one.name)
    if main.covers == second.covers == "upper_body":
        return _("“%(name)s” is a top too: choose a bottom.", name=second.name)
    if main.covers == second.covers:
        return _("“%(name)s” is a bottom too: choose a top.", name=second.name)
    return ""


def check_pair(main: Piece, second: Piece, *, field: str) -> None:
    """Raises NotWornTogether. ``field``: where the second was chosen."""
    if said := why_not(main, second):
        raise NotWornTogether(said, field=field)
