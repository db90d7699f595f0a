"""What a mail says: as its sender writes it (``Email``), and in the recipient's language (``Letter``)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict

from selify.core.language import ENGLISH, LANGUAGES, _, say

_LONGEST_SUBJECT = 200
# One mailbox in ASCII, nothing quoted, nothing that ends a line or begins another address.
_MAILBOX = re.compile(r"[!#-'*+./0-9=?A-Z^-~-]{1,64}@[0-9A-Za-z.-]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Button:
    """The one thing to do. ``path``: an address of our own, such as ``/reset?token=…``."""

    label: str
    path: str


@dataclass(frozen=True, slots=True)
class Email:
    """``subject``, ``paragraphs`` and ``closing`` (below the button) are sentences of the catalogue.
    ``language``: the recipient's, of whom nothing is known English.
    """

    to: str
    subject: str
    paragraphs: Sequence[str]
    language: str | None
    button: Button | None = None
    closing: Sequence[str] = ()


class Letter(BaseModel):
    """Whole and in one language; kept sealed, for its link may be as good as a password."""

    model_config = ConfigDict(frozen=True)

    to: str
    language: str
    subject: str
    paragraphs: tuple[str, ...]
    label: str = ""
    link: str = ""
    closing: tuple[str, ...] = ()

    @classmethod
    def of(cls, email: Email, *, public_url: str) -> Self:
        """Raises ValueError for what is no single mailbox, and for a link that leads elsewhere."""
        if not _MAILBOX.fullmatch(email.to):
            raise ValueError("a mail goes to one mailbox")
        if email.button and not re.match(r"/(?![/\\])", email.button.path):
            raise ValueError("a mail's link is a path of our own")
        language = email.language if email.language in LANGUAGES else ENGLISH
        return cls(
            to=email.to,
            language=language,
            subject=_one_line(say(email.subject, language)),
            paragraphs=tuple(say(text, language) for text in email.paragraphs),
            label=say(email.button.label, language) if email.button else "",
            link=public_url + email.button.path if email.button else "",
            closing=tuple(say(text, language) for text in email.closing),
        )

    def plain(self) -> str:
        """The whole text, for whoever reads no HTML."""
        parts = [*self.paragraphs, *([f"{self.label}:\n{self.link}"] if self.link else [])]
        return "\n\n".join([*parts, *self.closing]) + "\n"

    @property
    def why(self) -> str:
        """Below the button of the HTML: the link once more, for who cannot press it."""
        return say(_("If the button does nothing, open this address:"), self.language)


def _one_line(text: str) -> str:
    """Names of brands and people stand in subjects: whatever ends a line there becomes a space."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:_LONGEST_SUBJECT]
