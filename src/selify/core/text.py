"""Text that people send us.

PostgreSQL stores no NUL, UTF-8 has no half of a surrogate pair (JSON can carry one), and control
characters forge log lines.
"""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from selify.core.language import _, translated


def one_line(text: str) -> str:
    """Trimmed, without line breaks or anything invisible that controls a terminal."""
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text):
        raise ValueError(_("must be one line without control characters"))
    return text.strip()


def storable(text: str) -> str:
    """Unchanged: for what must arrive exactly as it was typed."""
    if any(letter == "\x00" or unicodedata.category(letter) == "Cs" for letter in text):
        raise ValueError(_("contains characters that cannot be stored"))
    return text


OneLine = Annotated[str, AfterValidator(one_line)]
"""For fields of HTTP schemas; give the length with ``Field(max_length=…)``."""

Verbatim = Annotated[str, AfterValidator(storable)]

Said = Annotated[str, BeforeValidator(translated)]
"""What people read in an answer: in their language (``selify.core.language``)."""
