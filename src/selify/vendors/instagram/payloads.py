"""The bodies of what we send, checked against Instagram's limits before they leave.

Source: Meta's messaging API pages (messages, quick replies, generic and button templates).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NewType
from urllib.parse import urlsplit

from selify.core.errors import Invalid
from selify.vendors.instagram.json_input import storable_text
from selify.vendors.instagram.text import MAX_TEXT_BYTES, byte_length, clip

OutgoingMessage = NewType("OutgoingMessage", dict[str, Any])
Recipient = NewType("Recipient", dict[str, str])

MAX_QUICK_REPLIES = 13
MAX_BUTTON_TITLE = 20
MAX_BUTTON_PAYLOAD = 1_000
MAX_BUTTONS = 3
MAX_CARDS = 10
MAX_CARD_TEXT = 80
MAX_IMAGES = 10


class UnsendableMessage(Invalid):
    """Instagram would refuse this, or cut it short."""

    code = "instagram_message_unsendable"


@dataclass(frozen=True, slots=True)
class QuickReply:
    """A tappable answer under a text; its tap arrives as a message with this payload."""

    title: str
    payload: str

    def __post_init__(self) -> None:
        _check_label(self.title, self.payload)

    def to_json(self) -> dict[str, str]:
        return {"content_type": "text", "title": self.title, "payload": self.payload}


@dataclass(frozen=True, slots=True)
class PostbackButton:
    """A button of a card; its tap arrives as a postback with this payload."""

    title: str
    payload: str

    def __post_init__(self) -> None:
        _check_label(self.title, self.payload)

    def to_json(self) -> dict[str, str]:
        return {"type": "postback", "title": self.title, "payload": self.payload}


@dataclass(frozen=True, slots=True)
class LinkButton:
    """A button of a card that opens a page."""

    title: str
    url: str

    def __post_init__(self) -> None:
        _check_label(self.title, "link")
        _check_url(self.url)

    def to_json(self) -> dict[str, str]:
        return {"type": "web_url", "title": self.title, "url": self.url}


Button = PostbackButton | LinkButton


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A product: title, a line below it, a picture, where a tap leads, up to three buttons.

    Titles and lines come from a catalogue, so too long ones are clipped rather than refused.
    """

    title: str
    subtitle: str = ""
    image_url: str = ""
    link_url: str = ""
    buttons: tuple[Button, ...] = ()

    def __post_init__(self) -> None:
        _check_count(self.buttons, MAX_BUTTONS, "buttons on a card", at_least=0)
        for url in filter(None, (self.image_url, self.link_url)):
            _check_url(url)
        if not self.title.strip():
            raise UnsendableMessage("A card needs a title.")
        if not (self.subtitle.strip() or self.image_url or self.buttons):
            raise UnsendableMessage("A card needs more than its title.")

    def to_json(self) -> dict[str, Any]:
        link = {"type": "web_url", "url": self.link_url} if self.link_url else None
        members = {
            "title": clip(self.title, MAX_CARD_TEXT),
            "subtitle": clip(self.subtitle, MAX_CARD_TEXT),
            "image_url": self.image_url,
            "default_action": link,
            "buttons": [button.to_json() for button in self.buttons],
        }
        return {name: value for name, value in members.items() if value}


def to_person(igsid: str) -> Recipient:
    """The person with this Instagram-scoped id."""
    return Recipient({"id": igsid})


def to_comment(comment_id: str) -> Recipient:
    """Whoever wrote this comment: a private reply, one per comment, within seven days."""
    return Recipient({"comment_id": comment_id})


def text_message(text: str) -> OutgoingMessage:
    """A text of at most 1,000 bytes; longer ones go through ``split_text`` first."""
    return OutgoingMessage({"text": _checked_text(text)})


def quick_reply_message(text: str, replies: Sequence[QuickReply]) -> OutgoingMessage:
    """A text with 1 to 13 tappable answers (not shown on desktop)."""
    _check_count(replies, MAX_QUICK_REPLIES, "quick replies")
    return OutgoingMessage(
        {"text": _checked_text(text), "quick_replies": [reply.to_json() for reply in replies]}
    )


def image_message(url: str) -> OutgoingMessage:
    """A PNG or JPEG of at most 8 MB, which Instagram fetches from this address itself."""
    _check_url(url)
    return OutgoingMessage({"attachment": _image(url)})


def images_message(urls: Sequence[str]) -> OutgoingMessage:
    """2 to 10 pictures in one message. Some accounts may not: error 2534068."""
    _check_count(urls, MAX_IMAGES, "pictures")
    for url in urls:
        _check_url(url)
    return OutgoingMessage({"attachments": [_image(url) for url in urls]})


def cards_message(cards: Sequence[Card]) -> OutgoingMessage:
    """1 to 10 cards side by side (the generic template; not shown on the web)."""
    _check_count(cards, MAX_CARDS, "cards")
    elements = [card.to_json() for card in cards]
    payload = {"template_type": "generic", "elements": elements}
    return OutgoingMessage({"attachment": {"type": "template", "payload": payload}})


def buttons_message(text: str, buttons: Sequence[Button]) -> OutgoingMessage:
    """A text with 1 to 3 buttons (the button template)."""
    _check_count(buttons, MAX_BUTTONS, "buttons")
    payload = {
        "template_type": "button",
        "text": _checked_text(text),
        "buttons": [button.to_json() for button in buttons],
    }
    return OutgoingMessage({"attachment": {"type": "template", "payload": payload}})


def _image(url: str) -> dict[str, Any]:
    return {"type": "image", "payload": {"url": url}}


def _checked_text(text: str) -> str:
    text = storable_text(text)
    if not text.strip():
        raise UnsendableMessage("A message needs a text.")
    if byte_length(text) > MAX_TEXT_BYTES:
        raise UnsendableMessage(
            f"A message has at most {MAX_TEXT_BYTES:,} bytes; this one has {byte_length(text):,}.",
            hint="Shorten it. Accents and emoji count as several bytes.",
        )
    return text


def _check_label(title: str, payload: str) -> None:
    if not 0 < len(title.strip()) <= len(title) <= MAX_BUTTON_TITLE:
        raise UnsendableMessage(
            f"A button's title has 1 to {MAX_BUTTON_TITLE} characters: {title!r} has {len(title)}.",
            hint="Instagram would cut it off.",
        )
    if not 0 < len(payload) <= MAX_BUTTON_PAYLOAD:
        raise UnsendableMessage(f"A button's payload has 1 to {MAX_BUTTON_PAYLOAD:,} characters.")


def _check_count(items: Sequence[object], most: int, what: str, *, at_least: int = 1) -> None:
    if not at_least <= len(items) <= most:
        raise UnsendableMessage(f"A message has {at_least} to {most} {what}, not {len(items)}.")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UnsendableMessage(f"This is no web address: {url[:200]!r}.")
