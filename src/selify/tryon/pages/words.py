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
    "worn_with": _("Worn with it"),
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

# --- Engines --------------------------------------------------------------------------------------

# Whose matter it is that no picture came: the gate's, the photo's, or the engine's.
KINDS: Mapping[str, tuple[str, str]] = {
    "gate": ("fair", _("Held back")),
    "photo": ("off", _("Photo")),
    "engine": ("bad", _("Engine")),
    "other": ("off", _("Other")),
}

# How an attempt ended that brought no picture to send, where nothing finer is known.
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "quality_too_low": ("gate", _("The picture was not good enough")),
    "refused": ("photo", _("The photo could not be used")),
    "unavailable": ("engine", _("The engine did not answer")),
    "timed_out": ("engine", _("The engine took too long")),
    "crashed": ("engine", _("The engine failed")),
}

# By the measure that was missed, what the photo lacks, or the code of a refusal.
REASONS: Mapping[str, str] = {
    "face": _("The face was not theirs any more"),
    "sharp": _("The face was blurred or drawn over"),
    "pose": _("They stood differently"),
    "alone": _("Somebody else was in the picture"),
    "hands": _("Hands were changed or lost"),
    "limbs": _("An arm too many"),
    "background": _("The background was changed"),
    "background_detail": _("The background was blurred"),
    "colour": _("Not the garment’s colours"),
    "print_kept": _("The print was lost"),
    "plain": _("A print that the garment does not have"),
    "old_replaced": _("The old clothes were kept"),
    "old_hidden": _("The old clothes stuck out"),
    "convincing": _("It would not have convinced anybody"),
    "coverage": _("The garment covered too little"),
    "sleeve_length": _("Sleeves of another length"),
    "sleeves": _("Long sleeves where the garment shows bare arms"),
    "neck": _("Another neckline"),
    "hem": _("Another length"),
    "legs": _("Legs were out of view"),
    "seated": _("Somebody was seated"),
    "arms": _("Arms in front of the garment"),
    "layers": _("A jacket, coat or scarf in the way"),
    "loose": _("Wide trousers or a skirt in the way"),
    "longer": _("A top longer than the garment"),
    "bare_legs": _("Covered legs where the garment shows them bare"),
    "dress": _("A dress where the garment is worn with a top"),
    "person_not_found": _("Nobody was found in the photo"),
    "person_facing_away": _("They looked away from the camera"),
    "person_turned": _("They stood sideways"),
    "person_too_small": _("They were too far away"),
    "person_cropped": _("Too little of them was in view"),
    "photo_sideways": _("The photo lay on its side"),
    "photo_blurred": _("The photo was blurred"),
    "garment_not_found": _("The garment could not be told from its background"),
    "content_refused": _("The engine’s filter refused the photo"),
}

OTHER_REASONS = _("Other reasons")

ENGINES: Mapping[str, str] = {"embedded": _("Selify’s own engine")}
