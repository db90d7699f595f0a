"""How states and numbers are said to a shop owner."""

import hashlib
from collections.abc import Mapping

TINTS = 6

STAGES: Mapping[str, str] = {
    "initial": "Just arrived",
    "awaiting_photo": "Waiting for a photo",
    "generating": "Making the picture",
    "result_sent": "Picture sent",
    "awaiting_feedback": "Asked how they like it",
    "ended": "Finished",
}

# Who answers in a conversation: in its header and its footer alike.
ANSWERS: Mapping[str, tuple[str, str, str]] = {
    "bot": (
        "good",
        "The bot answers",
        "Answer in the app yourself at any time: the bot steps back as soon as you do.",
    ),
    "bot_off": (
        "fair",
        "The bot is switched off",
        "Try-on is switched off: the bot only tells shoppers so.",
    ),
    "person": (
        "fair",
        "A person answers",
        "The bot keeps quiet. Answer in the app as you always do: what you write shows up here.",
    ),
    "nobody": (
        "off",
        "Nobody writes: STOP",
        "{name} wrote STOP. The bot stays silent until they write START.",
    ),
    "nobody_connected": (
        "bad",
        "Not connected",
        "The account is not connected: the bot can read and answer nothing here.",
    ),
}

FUNNEL: tuple[tuple[str, str, str], ...] = (
    ("triggers", "Asked to try on", "by comment or message"),
    ("answered", "Got an answer", "in their inbox"),
    ("photos", "Sent a photo", "of themselves"),
    ("tried_on", "Saw themselves", "in your garment"),
    ("liked", "Loved it", "tapped “Love it”"),
)

CHARGE: Mapping[str, tuple[str, str]] = {
    "reserved": ("fair", "Being made"),
    "completed": ("good", "Delivered"),
    "refunded": ("off", "Given back"),
    "failed": ("bad", "Failed"),
    "cancelled": ("off", "Cancelled"),
}

CATEGORIES: Mapping[str, str] = {
    "upper_body": "Top",
    "dresses": "Dress",
    "lower_body": "Bottom",
}

LANGUAGES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}

# Where words that start a try-on can be set, as ``tryon.keywords`` calls it.
LEVELS: Mapping[str, str] = {
    "post": "this post itself",
    "garment binding": "this post’s own words",
    "account": "the account’s words",
    "workspace": "the brand’s words",
    "default": "our own words",
}

# What the fields of our forms are called on their pages, where it is not their own name.
FIELDS: Mapping[str, str] = {
    "category": "What is it?",
    "full_name": "Your name",
    "keywords": "Keywords of this post",
    "only_these": "Only these, not the account’s",
    "picture": "Pictures of the garments alone",
    "stock": "In stock",
    "template": "Text",
    "trigger_keywords": "Words that start a try-on",
    "url": "Link to buy it",
}

DONE: Mapping[str, str] = {
    "brand_made": "Your brand is ready. Next: connect the account your shoppers write to.",
    "garment_added": "The garment is in your wardrobe.",
    "garment_doubted": "It is in your wardrobe, but please look at what we say about its picture.",
    "garment_saved": "Saved. Shoppers read it like this from now on.",
    "garment_archived": "Put away. You find it under “Archived”.",
    "garment_restored": "Back in the wardrobe.",
    "category_confirmed": "Thank you: we go by what you said.",
    "garment_bound": "From now on shoppers can try this on.",
    "garment_unbound": "No more try-ons under this post.",
    "settings_saved": "Saved. The bot goes by it from its next answer on.",
    "settings_saved_while_off": "Saved. The bot goes by it as soon as it is switched on for all accounts.",
    "text_saved": "Saved. The bot says it like this from now on.",
    "text_reset": "Back to our own words.",
    "connected": "Connected. Comments and messages reach your bot from now on.",
    "connected_partly": "Connected, but not everything reaches your bot: see “Incoming messages”.",
    "disconnected": "Disconnected. The history stays here for 90 days.",
    "notices_read": "All read.",
    "sent_now": "What waits is tried now. If it is refused again, you read here why.",
    "bot_switched_on": "The bot is switched on: shoppers can try things on again.",
    "brand_restored": "Your brand is back. Connect its accounts again, and its bot answers.",
    "handed_over": "You answer in this conversation now; the bot keeps quiet.",
    "handed_back": "The bot answers in this conversation again.",
}

# Why an account could not be connected, by the code of the refusal (without the platform's name).
REFUSED: Mapping[str, str] = {
    "consent_denied": "Nothing was connected, because access was not allowed. Start again"
    " and choose Allow.",
    "oauth_state_invalid": "This took longer than ten minutes. Please start again.",
    "connected_elsewhere": "This account is connected in another workspace. Disconnect it there first.",
    "platform_refused": "The platform did not let us in. Please start again in a minute.",
}
TOP_UP = "Whoever runs Selify for you can top it up."
NOT_CONNECTED = "The account could not be connected. Please start again."

# What we read from a garment's picture, where "… sleeves" or "… neck" would not do.
_TRAITS: Mapping[str, str] = {
    "sleeveless": "sleeveless",
    "v-neck": "V-neck",
    "off-shoulder": "off the shoulder",
}


def trait(kind: str, part: str) -> str:
    """“short” and “sleeves” → “short sleeves”, but “sleeveless” as it is."""
    return _TRAITS.get(kind, f"{kind} {part}")


def shopper(username: str | None, person_ref: str) -> str:
    """By their name, or else told apart by the end of the platform's number for them."""
    return username or f"Shopper · {person_ref[-4:]}"


def initial(name: str | None) -> str:
    """What stands in the circle where a face would be."""
    return next((letter.upper() for letter in name or "" if letter.isalnum()), "·")


def tint(name: str | None) -> int:
    """A colour of their own for everybody, the same each time."""
    return hashlib.sha256((name or "").encode()).digest()[0] % TINTS
