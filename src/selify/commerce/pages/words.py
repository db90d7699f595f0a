"""How garments are said to a shop owner."""

from collections.abc import Mapping
from typing import Any, Final

from selify.core.files import formats
from selify.core.language import N_, _

# What may be uploaded: for a file's field, and in words.
PICTURE_TYPES = formats.ACCEPT
PICTURE_FORMATS = formats.NAMES

CURRENCIES: Final = ("EUR", "USD", "GBP")

CATEGORIES: Mapping[str, str] = {
    "upper_body": _("Top"),
    "dresses": _("Dress"),
    "lower_body": _("Bottom"),
}

READINESS: Mapping[str, str] = {
    "ready": _("Ready for try-ons"),
    "limited": _("Limited try-ons"),
    "unfit": _("Not fit for try-ons"),
}

COLOURS: Mapping[str, str] = {
    "black": _("black"),
    "charcoal": _("charcoal"),
    "grey": _("grey"),
    "light grey": _("light grey"),
    "white": _("white"),
    "cream": _("cream"),
    "beige": _("beige"),
    "brown": _("brown"),
    "tan": _("tan"),
    "red": _("red"),
    "burgundy": _("burgundy"),
    "terracotta": _("terracotta"),
    "coral": _("coral"),
    "orange": _("orange"),
    "mustard": _("mustard"),
    "yellow": _("yellow"),
    "lime": _("lime"),
    "green": _("green"),
    "dark green": _("dark green"),
    "olive": _("olive"),
    "mint": _("mint"),
    "teal": _("teal"),
    "turquoise": _("turquoise"),
    "light blue": _("light blue"),
    "sky blue": _("sky blue"),
    "blue": _("blue"),
    "navy": _("navy"),
    "plum": _("plum"),
    "purple": _("purple"),
    "lilac": _("lilac"),
    "pink": _("pink"),
    "magenta": _("magenta"),
}

# What we read from a garment's picture, by what was read.
_TRAITS: Mapping[str, Mapping[str, str]] = {
    "pattern_type": {
        "solid": _("solid"),
        "stripes": _("stripes"),
        "graphic": _("graphic"),
        "floral": _("floral"),
        "plaid": _("plaid"),
        "polka dots": _("polka dots"),
    },
    "sleeve_type": {
        "sleeveless": _("sleeveless"),
        "short": _("short sleeves"),
        "long": _("long sleeves"),
        "3/4": _("3/4 sleeves"),
    },
    "neckline": {
        "high": _("high neck"),
        "crew": _("crew neck"),
        "scoop": _("scoop neck"),
        "v-neck": _("V-neck"),
        "off-shoulder": _("off the shoulder"),
    },
    "fit": {
        "fitted": _("fitted"),
        "regular": _("regular"),
        "relaxed": _("relaxed"),
    },
}

_OTHERWISE = {"sleeve_type": N_("%(kind)s sleeves"), "neckline": N_("%(kind)s neck")}

# What the fields of our forms are called on their pages, where it is not their own name.
FIELDS: Mapping[str, str] = {
    "category": _("What is it?"),
    "picture": _("Pictures of the garments alone"),
    "stock": _("In stock"),
    "url": _("Link to buy it"),
}

DONE: Mapping[str, str] = {
    "garment_added": _("The garment is in your wardrobe."),
    "garment_doubted": _(
        "It is in your wardrobe, but please look at what we say about its picture."
    ),
    "garment_saved": _("Saved. Shoppers read it like this from now on."),
    "garment_archived": _("Put away. You find it under “Archived”."),
    "garment_restored": _("Back in the wardrobe."),
    "category_confirmed": _("Thank you. The category is saved."),
}


def traits(seen: Mapping[str, Any]) -> list[str]:
    """“short sleeves”, “V-neck”: what we read from a picture, as far as we did."""
    return [
        known.get(str(kind)) or _(_OTHERWISE.get(trait, "%(kind)s"), kind=kind)
        for trait, known in _TRAITS.items()
        if (kind := seen.get(trait))
    ]


def colour(name: str) -> str:
    return COLOURS.get(name, name)


def currencies(also: str = "EUR") -> list[tuple[str, str]]:
    """To choose from, with the one that is there."""
    return [(code, code) for code in dict.fromkeys((*CURRENCIES, also))]
