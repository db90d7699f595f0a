"""What people type into forms, read with patience."""

import re

from selify.core.errors import Invalid
from selify.core.language import _

MOST_KEYWORDS = 20
LONGEST_KEYWORD = 40


def keyword_list(typed: str, *, field: str = "keywords") -> list[str]:
    """“try on, Anprobe” as words, each once. Raises Invalid for too many or too long ones. ``field``:
    where they were typed.
    """
    words = list(dict.fromkeys(word.strip() for word in re.split(r"[,;\n]", typed)))
    kept = [word for word in words if word]
    if len(kept) > MOST_KEYWORDS:
        raise Invalid(
            _("At most %(count)s keywords, please.", count=MOST_KEYWORDS),
            field=field,
        )
    too_long = next((word for word in kept if len(word) > LONGEST_KEYWORD), None)
    if too_long:
        raise Invalid(
            _("“%(keyword)s…” is too long for a keyword.", keyword=too_long[:LONGEST_KEYWORD]),
            hint=_("Separate keywords by commas."),
            field=field,
        )
    return kept


def cents(typed: str, *, field: str = "price") -> int | None:
    """“39”, “39.90” or “39,90” as cents; None for nothing. Raises Invalid."""
    text = typed.strip().replace(",", ".")
    if not text:
        return None
    if not re.fullmatch(r"\d{1,6}(\.\d{1,2})?", text, re.ASCII):
        raise Invalid(_("A price looks like 39 or 39.90."), field=field)
    whole, _point, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def count(typed: str, what: str, *, field: str = "stock") -> int | None:
    """A whole number from 0 on; None for nothing. Raises Invalid."""
    text = typed.strip()
    if not text:
        return None
    if not re.fullmatch(r"\d{1,7}", text, re.ASCII):
        raise Invalid(_("%(what)s is a whole number, such as 12.", what=what), field=field)
    return int(text)
