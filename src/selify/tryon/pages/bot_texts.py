"""What the bot says, for a brand to read, preview and rewrite."""

from collections.abc import Mapping
from dataclasses import dataclass

from selify.core.language import _
from selify.messaging.types import Account
from selify.tryon import bot_settings, texts
from selify.tryon.texts.rules import Fault

BRACES: Mapping[str, str] = {
    "brand": _("your brand’s name"),
    "garment": _("the piece they asked for, or both of an outfit"),
    "product": _("its price, stock and link"),
    "count": _("how many are left"),
    "why": _("what another photo should show, where we know"),
    "top": _("the top of an outfit"),
    "bottom": _("the bottom of an outfit"),
    "framing": _("how much of them must be in the photo: head to hips, or head to feet"),
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    _("The way to a try-on"): (
        "greeting",
        "introduction",
        "cheered_first",
        "ask_photo",
        "ask_photo_again",
        "cheered",
        "generating",
        "still_generating",
        "photo_waits",
    ),
    _("The result"): (
        "result",
        "result_several_people",
        "one_piece_only",
        "feedback",
        "liked",
        "disliked",
        "cheered_after",
    ),
    _("When something is missing"): (
        "photo_without_garment",
        "which_garment",
        "post_without_garment",
        "already_generating",
        "media_not_supported",
        "photo_not_visible",
        "beyond_me",
        "paused",
        "credits_exhausted",
    ),
    _("Stop, start and people"): ("handed_to_human", "stopped", "started"),
    _("Price and stock"): ("in_stock", "few_left", "out_of_stock"),
}
TITLES: Mapping[str, str] = {
    "greeting": _("Greeting"),
    "introduction": _("Words, but no piece to try on"),
    "cheered_first": _("A heart before anything else"),
    "cheered": _("A heart instead of a photo"),
    "cheered_after": _("Thanks for the picture"),
    "still_generating": _("Words while the picture is made"),
    "photo_waits": _("Another photo while one is made"),
    "photo_not_visible": _("View-once photos and files"),
    "beyond_me": _("A question that is not about trying on"),
    "ask_photo": _("Asking for a photo"),
    "ask_photo_again": _("Asking once more"),
    "generating": _("Photo received"),
    "result": _("Here you are"),
    "result_several_people": _("Several people in the photo"),
    "one_piece_only": _("Of an outfit only one piece could be put on"),
    "feedback": _("How do you like it?"),
    "liked": _("They love it"),
    "disliked": _("They do not like it"),
    "photo_without_garment": _("A photo, but for which piece?"),
    "which_garment": _("Which piece?"),
    "post_without_garment": _("A post without a garment"),
    "already_generating": _("One photo at a time"),
    "media_not_supported": _("A video or voice message"),
    "paused": _("Try-on is switched off"),
    "credits_exhausted": _("Credits used up"),
    "handed_to_human": _("A person is called"),
    "stopped": _("STOP"),
    "started": _("START"),
    "in_stock": _("In stock"),
    "few_left": _("Few left"),
    "out_of_stock": _("Sold out"),
    "framing": _("How much of them the photo must show"),
    "framing_legs": _("The same where it covers the legs"),
    "this_piece": _("When we do not know the piece’s name"),
    "outfit": _("Two pieces worn together"),
    "person_not_found": _("Nobody in the photo"),
    "person_facing_away": _("Seen from behind"),
    "person_turned": _("Turned to the side"),
    "person_too_small": _("Too far away"),
    "person_cropped": _("Not enough of them in view"),
    "person_cropped_legs": _("Their legs are not in view"),
    "photo_sideways": _("Photo lies on its side"),
    "photo_blurred": _("Blurry photo"),
    "image_unreadable": _("A file that does not open"),
    "image_too_large": _("Photo too large"),
    "quality_too_low": _("The result was not good enough"),
    "quality_too_low_arms": _("Arms in front of the clothes"),
    "quality_too_low_sleeves": _("Long sleeves worn, short ones wanted"),
    "quality_too_low_layers": _("A jacket or coat that the piece cannot hide"),
    "quality_too_low_loose": _("Wide trousers or a skirt that the piece cannot hide"),
    "quality_too_low_longer": _("A top worn that is longer than the piece"),
    "quality_too_low_bare_legs": _("Covered legs where the piece shows them"),
    "quality_too_low_dress": _("A dress worn where the piece goes with a top"),
    "quality_too_low_seated": _("Sitting, where they should stand"),
    "garment_not_found": _("Your garment picture is missing"),
    "garment_category_missing": _("Nobody said what the garment is"),
    "content_refused": _("A photo we do not work with"),
    "timed_out": _("It took too long"),
    "photo_gone": _("Photo gone before we had it"),
    "no_answer": _("The try-on service does not answer"),
}


@dataclass(frozen=True, slots=True)
class BotText:
    """``template`` is what the brand wrote, or ours; ``shown`` how a shopper would read it, and
    ``faults`` why they would not.
    """

    key: str
    title: str
    template: str
    is_own: bool
    shown: str
    size: int
    limit: int
    unit: str
    faults: tuple[Fault, ...] = ()

    @property
    def braces(self) -> list[tuple[str, str]]:
        """What is filled in, and with what."""
        return [(name, said) for name, said in BRACES.items() if f"{{{name}}}" in self.template]

    @property
    def fits(self) -> bool:
        return self.size <= self.limit

    @property
    def marked(self) -> list[tuple[str, bool]]:
        """The template in pieces, each with whether something is wrong there."""
        pieces, done = [], 0
        for fault in self.faults:
            pieces += [(self.template[done : fault.start], False)]
            pieces += [(self.template[fault.start : fault.end], True)]
            done = fault.end
        return [(said, wrong) for said, wrong in (*pieces, (self.template[done:], False)) if said]


def groups(account: Account, language: str, *, brand: str) -> list[tuple[str, list[BotText]]]:
    """Every text of a language, in the order of a conversation."""
    keys = texts.catalogue(language).keys()
    placed = dict(GROUPS)
    placed[_("Buttons")] = tuple(key for key in keys if key.startswith("button_"))
    placed[_("When a photo does not work")] = tuple(k for k in keys if k.startswith("refusals."))
    own = bot_settings.own_texts(account.settings, language)
    return [
        (title, [text(account, language, k, own=own.get(k, ""), brand=brand) for k in members])
        for title, members in placed.items()
    ]


def text(account: Account, language: str, key: str, *, own: str, brand: str) -> BotText:
    """One text, with ``own`` in place of ours unless it is empty. Raises NotFound."""
    ours = bot_settings.our_text(key, language)
    shown = bot_settings.shown(key, language, own, brand=brand or account.username)
    size, limit, unit = bot_settings.measure(key, shown)
    return BotText(
        key=key,
        title=_title(key, ours),
        template=own or ours,
        is_own=bool(own),
        shown=shown,
        size=size,
        limit=limit,
        unit=unit,
        faults=texts.faults(key, language, own),
    )


def _title(key: str, ours: str) -> str:
    if key.startswith("button_"):
        return _("“%(text)s”", text=ours)
    name = key.rpartition(".")[2]
    return TITLES.get(name) or name.replace("_", " ").capitalize()
