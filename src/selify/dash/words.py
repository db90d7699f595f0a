"""How states and numbers are said to a shop owner."""

import hashlib
from collections.abc import Mapping
from typing import Any

from selify.core.language import N_, _

TINTS = 6

STAGES: Mapping[str, str] = {
    "initial": _("Just arrived"),
    "awaiting_photo": _("Waiting for a photo"),
    "generating": _("Making the picture"),
    "result_sent": _("Picture sent"),
    "awaiting_feedback": _("Asked how they like it"),
    "ended": _("Finished"),
}

# Who answers in a conversation: in its header and its footer alike.
ANSWERS: Mapping[str, tuple[str, str, str]] = {
    "bot": (
        "good",
        _("The bot answers"),
        N_("Answer in the app yourself at any time: the bot steps back as soon as you do."),
    ),
    "bot_off": (
        "fair",
        _("The bot is switched off"),
        N_("Try-on is switched off: the bot only tells shoppers so."),
    ),
    "person": (
        "fair",
        _("A person answers"),
        N_(
            "The bot keeps quiet. Answer in the app as you always do: what you write shows up here."
        ),
    ),
    "nobody": (
        "off",
        _("Nobody writes: STOP"),
        N_("%(name)s wrote STOP. The bot stays silent until they write START."),
    ),
    "nobody_connected": (
        "bad",
        _("Not connected"),
        N_("The account is not connected: the bot can read and answer nothing here."),
    ),
}

FUNNEL: tuple[tuple[str, str, str], ...] = (
    ("triggers", _("Asked to try on"), _("by comment or message")),
    ("answered", _("Got an answer"), _("in their inbox")),
    ("photos", _("Sent a photo"), _("of themselves")),
    ("tried_on", _("Saw themselves"), _("in your garment")),
    ("liked", _("Loved it"), _("tapped “Love it”")),
)

CHARGE: Mapping[str, tuple[str, str]] = {
    "reserved": ("fair", _("Being made")),
    "completed": ("good", _("Delivered")),
    "refunded": ("off", _("Given back")),
    "failed": ("bad", _("Failed")),
    "cancelled": ("off", _("Cancelled")),
}

CATEGORIES: Mapping[str, str] = {
    "upper_body": _("Top"),
    "dresses": _("Dress"),
    "lower_body": _("Bottom"),
}

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}

# Where words that start a try-on can be set, as ``tryon.keywords`` calls it.
LEVELS: Mapping[str, str] = {
    "post": _("this post itself"),
    "garment binding": _("this post’s own words"),
    "account": _("the account’s words"),
    "workspace": _("the brand’s words"),
    "default": _("our own words"),
}

# What the fields of our forms are called on their pages, where it is not their own name.
FIELDS: Mapping[str, str] = {
    "category": _("What is it?"),
    "full_name": _("Your name"),
    "keywords": _("Keywords of this post"),
    "only_these": _("Only these, not the account’s"),
    "picture": _("Pictures of the garments alone"),
    "stock": _("In stock"),
    "template": _("Text"),
    "trigger_keywords": _("Words that start a try-on"),
    "url": _("Link to buy it"),
}

ROLES: Mapping[str, str] = {
    "owner": _("Owner"),
    "admin": _("Admin"),
    "member": _("Member"),
}

# What a shopper sent that is no text, no photo and no post.
SENT: Mapping[str, str] = {
    "video": _("Sent a video"),
    "audio": _("Sent a voice message"),
    "story": _("Sent a story"),
    "view_once": _("Sent a photo to view once"),
    "file": _("Sent a file"),
    "unsupported": _("Sent something only the app can show"),
}
SENT_SOMETHING = _("Sent an attachment")

# What paid actions and their units are called in the price book.
METERS = (
    _("Virtual try-on"),
    _("Message written by a model"),
    _("Try-on in a VR shop"),
    _("picture"),
    _("message"),
)

# What the pages' script says by itself.
SCRIPT: Mapping[str, str] = {
    "live": _("Live"),
    "reconnecting": _("Reconnecting…"),
    "soon": _("in a moment"),
    "now": _("just now"),
    "dismiss": _("Dismiss"),
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

DONE: Mapping[str, str] = {
    "brand_made": _("Your brand is ready. Next: connect the account your shoppers write to."),
    "garment_added": _("The garment is in your wardrobe."),
    "garment_doubted": _(
        "It is in your wardrobe, but please look at what we say about its picture."
    ),
    "garment_saved": _("Saved. Shoppers read it like this from now on."),
    "garment_archived": _("Put away. You find it under “Archived”."),
    "garment_restored": _("Back in the wardrobe."),
    "category_confirmed": _("Thank you. The category is saved."),
    "garment_bound": _("From now on shoppers can try this on."),
    "garment_unbound": _("No more try-ons under this post."),
    "settings_saved": _("Saved. The bot uses it from its next answer on."),
    "settings_saved_while_off": _(
        "Saved. The bot uses it as soon as it is switched on for all accounts."
    ),
    "text_saved": _("Saved. The bot says it like this from now on."),
    "text_reset": _("Back to our own words."),
    "connected": _("Connected. Comments and messages reach your bot from now on."),
    "connected_partly": _(
        "Connected, but not everything reaches your bot: see “Incoming messages”."
    ),
    "disconnected": _("Disconnected. The history stays here for 90 days."),
    "notices_read": _("All read."),
    "sent_now": _("What waits is tried now. If it is refused again, you read here why."),
    "bot_switched_on": _("The bot is switched on: shoppers can try things on again."),
    "brand_restored": _("Your brand is back. Connect its accounts again, and its bot answers."),
    "handed_over": _("You answer in this conversation now; the bot keeps quiet."),
    "handed_back": _("The bot answers in this conversation again."),
}

# Why an account could not be connected, by the code of the refusal (without the platform's name).
REFUSED: Mapping[str, str] = {
    "consent_denied": _(
        "Nothing was connected, because access was not allowed. Start again and choose Allow."
    ),
    "oauth_state_invalid": _("This took longer than ten minutes. Please start again."),
    "connected_elsewhere": _(
        "This account is connected in another workspace. Disconnect it there first."
    ),
    "platform_refused": _("The platform did not let us in. Please start again in a minute."),
}
TOP_UP = _("Whoever runs Selify for you can top it up.")
NOT_CONNECTED = _("The account could not be connected. Please start again.")

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


def traits(seen: Mapping[str, Any]) -> list[str]:
    """“short sleeves”, “V-neck”: what we read from a picture, as far as we did."""
    return [
        known.get(str(kind)) or _(_OTHERWISE.get(trait, "%(kind)s"), kind=kind)
        for trait, known in _TRAITS.items()
        if (kind := seen.get(trait))
    ]


def colour(name: str) -> str:
    return COLOURS.get(name, name)


def field(name: str) -> str:
    """What a field of a form is called."""
    return FIELDS.get(name) or name.replace("_", " ").capitalize()


def shopper(username: str | None, person_ref: str) -> str:
    """By their name, or else told apart by the end of the platform's number for them."""
    return username or _("Shopper · %(number)s", number=person_ref[-4:])


def initial(name: str | None) -> str:
    """What stands in the circle where a face would be."""
    return next((letter.upper() for letter in name or "" if letter.isalnum()), "·")


def tint(name: str | None) -> int:
    """A colour of their own for everybody, the same each time."""
    return hashlib.sha256((name or "").encode()).digest()[0] % TINTS
