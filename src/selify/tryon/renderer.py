"""How the bot says what it says: in the brand's name, in the shopper's language, about a garment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from selify.messaging.outgoing import Kind, Outgoing
from selify.messaging.types import Account
from selify.tryon import bot_settings, keys, texts
from selify.tryon.dialogue import Button
from selify.tryon.repository import Binding, WornWith

# Under this name the bot asks for messages, and hears what became of them.
CLIENT = "tryon"
TYPING = Outgoing(kind=Kind.TYPING, client=CLIENT)
# What a message of theirs is answered with at once; a photo that had to wait also when it has its turn.
REPLIES = ("reply", "reply_at_last")
# Names come from catalogues. Clipped here, no text of ours outgrows what a platform takes at once,
# and the way to a person at a greeting's end is never what gets cut.
LONGEST_NAME = 60
# What two names may take together, to be spoken in one breath.
_LONGEST_PAIR = 52
COVERING_LEGS = ("dresses", "lower_body")
# The bot's last words before it falls silent.
FAREWELLS = ("stopped", "handed_to_human")
# Nobody waits for these: the bot's last words, what is said about a picture that arrived, and what
# only fills the time until the picture comes or its refusal.
NOT_WAITED_FOR = (
    *FAREWELLS,
    *keys.ABOUT_PICTURE,
    "generating",
    "still_generating",
    "already_generating",
    "photo_waits",
)


@dataclass(frozen=True, slots=True)
class MessageRenderer:
    """In whose name and language to speak about which garment. ``legs``: it covers them, so the photo
    must show them.
    """

    brand: str
    language: str
    garment: str
    brand_texts: Mapping[str, object]
    legs: bool = False

    def say(self, key: str, **values: object) -> str:
        framing = texts.say("framing_legs" if self.legs else "framing", self.language)
        ours = {"brand": self.brand, "garment": self.garment, "product": "", "framing": framing}
        filled = {**ours, **values}
        return texts.say(key, self.language, brand_texts=self.brand_texts, **filled)

    def title(self, button: Button) -> str:
        return self.say(f"button_{button.value.partition(':')[2]}")

    def message(
        self,
        purpose: str,
        text: str = "",
        *,
        buttons: Sequence[Button] = (),
        interaction_id: UUID | None = None,
        debounced: bool = False,
    ) -> Outgoing:
        """``text``: by default the one of that name. ``interaction_id``: the funnel row that it belongs to."""
        return Outgoing(
            kind=Kind.TEXT,
            client=CLIENT,
            purpose=purpose,
            about={"interaction_id": str(interaction_id)} if interaction_id else {},
            text=text or self.say(purpose),
            buttons=tuple((self.title(button), button.value) for button in buttons),
            debounced=debounced,
            farewell=purpose in FAREWELLS,
            awaited=purpose not in NOT_WAITED_FOR,
        )


def renderer(account: Account, *, language: str, about: Binding | None) -> MessageRenderer:
    """``about``: the garment that is spoken of, if it is known, and what is worn with it."""
    own = account.settings.get("message_templates")
    spoken = language or bot_settings.language_of(account)
    return MessageRenderer(
        brand=_clipped(account.brand or account.username),
        language=spoken,
        garment=_called(about, spoken) if about else texts.say("this_piece", spoken),
        brand_texts=dict(own) if isinstance(own, dict) else {},
        legs=any(covers in COVERING_LEGS for covers in _covered(about)),
    )


def about_other(rendered: MessageRenderer, other: WornWith) -> MessageRenderer:
    """To speak of the other piece of an outfit alone."""
    legs = other.covers in COVERING_LEGS
    return replace(rendered, garment=_clipped(other.name), legs=legs)


def both_clipped(one: str, other: str) -> tuple[str, str]:
    """Two names that share the room; a short one leaves more for the other."""
    half = _LONGEST_PAIR // 2
    rooms = (max(half, _LONGEST_PAIR - len(said)) for said in (other, one))
    first, second = (_clipped(said, room) for said, room in zip((one, other), rooms, strict=True))
    return first, second


def _called(about: Binding, language: str) -> str:
    if about.worn_with is None:
        return _clipped(about.garment_name) or texts.say("this_piece", language)
    names = about.garment_name, about.worn_with.name
    top, bottom = both_clipped(*(reversed(names) if about.covers == "lower_body" else names))
    return texts.say("outfit", language, top=top, bottom=bottom)


def _covered(about: Binding | None) -> Sequence[str]:
    if about is None:
        return ()
    return (about.covers, *([about.worn_with.covers] if about.worn_with else []))


def _clipped(name: str, longest: int = LONGEST_NAME) -> str:
    name = " ".join(name.split())
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"
