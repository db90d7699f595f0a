"""What the bot says, for a brand to read, preview and rewrite."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selify.core.errors import Invalid, NotFound
from selify.social import texts
from selify.social.types import Account

LONGEST_BYTES = 1000
"""The platform's own limit for one message."""
LONGEST_BUTTON = 20
"""Characters of a quick reply's title, by the platform's rules."""

_SAMPLE = {
    "garment": "Forest tee",
    "product": "€39.00 · In stock · https://shop.example/forest-tee",
    "count": "3",
    "minutes": "10",
    "framing": "head to hips in view",
}
BRACES: Mapping[str, str] = {
    "brand": "your brand’s name",
    "garment": "the piece they asked for",
    "product": "its price, stock and link",
    "count": "how many are left",
    "minutes": "how long to wait, in minutes",
    "framing": "how much of them must be in the photo: head to hips, or head to feet",
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    "The way to a try-on": ("greeting", "ask_photo", "ask_photo_again", "generating"),
    "The result": ("result", "result_several_people", "feedback", "liked", "disliked"),
    "When something is missing": (
        "photo_without_garment",
        "which_garment",
        "post_without_garment",
        "already_generating",
        "media_not_supported",
        "paused",
        "credits_exhausted",
    ),
    "Stop, start and people": ("handed_to_human", "stopped", "started"),
    "Price and stock": ("in_stock", "few_left", "out_of_stock"),
}
TITLES: Mapping[str, str] = {
    "greeting": "Greeting",
    "ask_photo": "Asking for a photo",
    "ask_photo_again": "Asking once more",
    "generating": "Photo received",
    "result": "Here you are",
    "result_several_people": "Several people in the photo",
    "feedback": "How do you like it?",
    "liked": "They love it",
    "disliked": "They do not like it",
    "photo_without_garment": "A photo, but for which piece?",
    "which_garment": "Which piece?",
    "post_without_garment": "A post without a garment",
    "already_generating": "One photo at a time",
    "media_not_supported": "A video or voice message",
    "paused": "Try-on is switched off",
    "credits_exhausted": "Credits used up",
    "handed_to_human": "A person is called",
    "stopped": "STOP",
    "started": "START",
    "in_stock": "In stock",
    "few_left": "Few left",
    "out_of_stock": "Sold out",
    "framing": "How much of them the photo must show",
    "framing_legs": "The same where it covers the legs",
    "this_piece": "When we do not know the piece’s name",
    "person_not_found": "Nobody in the photo",
    "person_facing_away": "Seen from behind",
    "person_turned": "Turned to the side",
    "person_too_small": "Too far away",
    "person_cropped": "Not enough of them in view",
    "person_cropped_legs": "Their legs are not in view",
    "photo_sideways": "Photo lies on its side",
    "photo_blurred": "Blurry photo",
    "image_unreadable": "A file that does not open",
    "image_too_large": "Photo too large",
    "quality_too_low": "The result was not good enough",
    "quality_too_low_arms": "Arms in front of the clothes",
    "quality_too_low_sleeves": "Long sleeves worn, short ones wanted",
    "quality_too_low_seated": "Sitting, where they should stand",
    "garment_not_found": "Your garment picture is missing",
    "garment_category_missing": "Nobody said what the garment is",
    "content_refused": "A photo we do not work with",
    "timed_out": "It took too long",
    "photo_gone": "Photo gone before we had it",
    "no_answer": "The try-on service does not answer",
}


class TextTooLong(Invalid):
    code = "text_too_long"
    title = "This text is too long"


@dataclass(frozen=True, slots=True)
class BotText:
    """``template`` is what the brand wrote, or ours; ``shown`` how a shopper reads it."""

    key: str
    title: str
    template: str
    is_own: bool
    shown: str
    size: int
    limit: int
    unit: str

    @property
    def braces(self) -> list[tuple[str, str]]:
        """What is filled in, and with what."""
        return [(name, said) for name, said in BRACES.items() if f"{{{name}}}" in self.template]

    @property
    def fits(self) -> bool:
        return self.size <= self.limit


def groups(account: Account, language: str, *, brand: str) -> list[tuple[str, list[BotText]]]:
    """Every text of a language, in the order of a conversation."""
    keys = texts.catalogue(language).keys()
    placed = dict(GROUPS)
    placed["Buttons"] = tuple(key for key in keys if key.startswith("button_"))
    placed["When a photo does not work"] = tuple(k for k in keys if k.startswith("refusals."))
    own = own_texts(account.settings, language)
    return [
        (title, [text(account, language, k, own=own.get(k, ""), brand=brand) for k in members])
        for title, members in placed.items()
    ]


def text(account: Account, language: str, key: str, *, own: str, brand: str) -> BotText:
    """One text, with ``own`` in place of ours unless it is empty. Raises NotFound."""
    ours = texts.catalogue(language).get(key)
    if ours is None or key == "language":
        raise NotFound("The bot has no such text.")
    framing = texts.catalogue(language)["framing"]
    sample = {"brand": brand or account.username, "framing": framing, **_SAMPLE}
    shown = texts.say(key, language, brand_texts={language: {key: own}}, **sample)
    is_button = key.startswith("button_")
    return BotText(
        key=key,
        title=_title(key, ours),
        template=own or ours,
        is_own=bool(own),
        shown=shown,
        size=len(shown) if is_button else len(shown.encode()),
        limit=LONGEST_BUTTON if is_button else LONGEST_BYTES,
        unit="characters" if is_button else "bytes",
    )


def demand_fitting(text_: BotText) -> None:
    """Raises TextTooLong."""
    if not text_.fits:
        raise TextTooLong(
            f"With names and prices filled in it takes {text_.size:,} {text_.unit};"
            f" a message can have {text_.limit:,}.",
            hint="Letters with accents and emoji count for more than one."
            if text_.unit == "bytes"
            else "",
            field="template",
        )


def own_texts(settings: Mapping[str, Any], language: str) -> dict[str, str]:
    """The brand's own words in a language, whatever else the settings may hold."""
    templates = settings.get("message_templates")
    chosen = templates.get(language) if isinstance(templates, Mapping) else None
    found = chosen if isinstance(chosen, Mapping) else {}
    return {str(key): value for key, value in found.items() if isinstance(value, str)}


def with_text(settings: Mapping[str, Any], language: str, key: str, own: str) -> dict[str, Any]:
    """The settings with one text changed, or taken out when ``own`` is empty."""
    templates = settings.get("message_templates")
    kept = dict(templates) if isinstance(templates, Mapping) else {}
    mine = own_texts(settings, language)
    mine.pop(key, None)
    kept[language] = {**mine, key: own} if own else mine
    return {**settings, "message_templates": kept}


def _title(key: str, ours: str) -> str:
    if key.startswith("button_"):
        return f"“{ours}”"
    name = key.rpartition(".")[2]
    return TITLES.get(name) or name.replace("_", " ").capitalize()
