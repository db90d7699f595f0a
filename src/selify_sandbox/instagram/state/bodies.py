"""What one direct message carries; stored as JSON in ``messages.body``."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A stored shape: frozen, and nothing in it that we do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Attachment(Strict):
    """A picture, file, shared post or story; ``file`` is ours, ``media`` a post's id."""

    type: str
    file: str = ""
    media: str = ""
    title: str = ""


class QuickReply(Strict):
    """A chip under the last message."""

    title: str
    payload: str


class Button(Strict):
    """A button of a template."""

    type: Literal["web_url", "postback"]
    title: str
    url: str = ""
    payload: str = ""


class Element(Strict):
    """One card of a generic template; ``file`` is its picture."""

    title: str
    subtitle: str = ""
    file: str = ""
    url: str = ""
    buttons: tuple[Button, ...] = ()


class Body(Strict):
    """The content of a message. Most are just ``text`` or just ``attachments``."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    elements: tuple[Element, ...] = ()
    buttons: tuple[Button, ...] = ()
    quick_replies: tuple[QuickReply, ...] = ()
    tapped: str | None = None  # payload of the quick reply this text answers
    postback: str | None = None  # payload of the template button this text stands for
    ice_breaker: bool = False  # its postback has no ``mid`` on the wire
    reply_to: str = ""
    story: str = ""
    ref: str = ""

    def files(self) -> list[str]:
        """Ids of the files that belong to this message alone."""
        cards = [element.file for element in self.elements if element.file]
        return [part.file for part in self.attachments if part.file] + cards

    def summary(self) -> str:
        """A few words for lists and logs."""
        if self.text:
            return self.text if len(self.text) <= 80 else self.text[:79] + "…"
        if self.attachments:
            words = {"image": "a photo", "ig_post": "a shared post", "story_mention": "a mention"}
            kind = self.attachments[0].type
            return words.get(kind, kind.replace("_", " "))
        return "a card" if self.elements else "a message"
