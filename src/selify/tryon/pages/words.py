"""How conversations, try-ons and the bot are said to a shop owner."""

from collections.abc import Mapping

from selify.core.language import N_, _

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

FUNNEL: tuple[tuple[str, str, str], ...] = (
    ("triggers", _("Asked to try on"), _("by comment or message")),
    ("answered", _("Got an answer"), _("in their inbox")),
    ("photos", _("Sent a photo"), _("of themselves")),
    ("tried_on", _("Saw themselves"), _("in your garment")),
    ("liked", _("Loved it"), _("tapped “Love it”")),
)

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
    "keywords": _("Keywords of this post"),
    "only_these": _("Only these, not the account’s"),
    "template": _("Text"),
    "trigger_keywords": _("Words that start a try-on"),
}

DONE: Mapping[str, str] = {
    "garment_bound": _("From now on shoppers can try this on."),
    "garment_unbound": _("No more try-ons under this post."),
    "settings_saved": _("Saved. The bot uses it from its next answer on."),
    "settings_saved_while_off": _(
        "Saved. The bot uses it as soon as it is switched on for all accounts."
    ),
    "text_saved": _("Saved. The bot says it like this from now on."),
    "text_reset": _("Back to our own words."),
    "bot_switched_on": _("The bot is switched on: shoppers can try things on again."),
    "handed_over": _("You answer in this conversation now; the bot keeps quiet."),
    "handed_back": _("The bot answers in this conversation again."),
}
