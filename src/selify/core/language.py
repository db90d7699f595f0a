"""What people read, in their language.

A sentence is written in English where it is needed, ``_("%(name)s was deleted.", name=brand)``, and
is that English sentence: a ``Message`` is a ``str``, for logs, tests and programs. It also knows what
it was made of, and is put into the reader's language at the very edge: a page escapes it, a problem
document and an answer of the API call ``translated``. The words are gettext catalogues
(``selify/locale``), read with Babel, which also writes numbers, money and times.

Babel is imported when something is first said in another language or holds a number, and not before:
a command line that only shows its help needs none of it.
"""

import gettext
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from selify.core.money import MICRO_UNITS_PER_DOLLAR, Cents, Credits, MicroUnits

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de")
CATALOGUES = Path(__file__).parents[1] / "locale"
DOMAIN = "selify"

_current: ContextVar[str] = ContextVar("language", default=ENGLISH)
_LOCALES = {"en": "en_US", "de": "de_DE"}

Show = Literal["day", "at", "moment", "short", "hour", "weekday"]
_PATTERNS: Mapping[str, Mapping[Show, str]] = {
    "en": {
        "day": "d MMMM y",
        "at": "d MMMM y 'at' HH:mm 'UTC'",
        "moment": "d MMMM y, HH:mm 'UTC'",
        "short": "d MMM",
        "hour": "d MMMM 'at' HH:mm 'UTC'",
        "weekday": "EEEE, d MMMM 'at' HH:mm 'UTC'",
    },
    "de": {
        "day": "d. MMMM y",
        "at": "d. MMMM y 'um' HH:mm 'UTC'",
        "moment": "d. MMMM y, HH:mm 'UTC'",
        "short": "d. MMM",
        "hour": "d. MMMM 'um' HH:mm 'UTC'",
        "weekday": "EEEE, d. MMMM 'um' HH:mm 'UTC'",
    },
}


class Message(str):
    """An English sentence that can be said in other languages; see ``_`` and ``_n``."""

    __slots__ = ("msgid", "number", "plural", "values")

    msgid: str
    plural: str
    number: int
    values: Mapping[str, object]

    def in_language(self, language: str) -> str:
        if language == ENGLISH:
            return str(self)
        words = catalogue(language)
        found = (
            words.ngettext(self.msgid, self.plural, self.number)
            if self.plural
            else words.gettext(self.msgid)
        )
        return found % _said(self.values, language)

    def __html__(self) -> str:
        """On a page: in the reader's language, escaped."""
        from markupsafe import escape

        return str(escape(self.in_language(current())))


def _(text: str, /, **values: object) -> str:
    """A sentence; ``%(name)s`` in it is filled in from ``values``, numbers and times as the language
    writes them. A percent sign is written twice.
    """
    return _message(text, "", 0, values)


def N_(text: str) -> str:  # noqa: N802 - the name that extraction knows
    """A sentence with gaps, for the catalogue; ``_`` fills it in later."""
    return text


def _n(one: str, many: str, /, *, count: int, **values: object) -> str:
    """A sentence about so many: ``%(count)s`` in it is their number."""
    return _message(one, many, count, {**values, "count": count})


def _message(text: str, plural: str, count: int, values: Mapping[str, object]) -> Message:
    english = plural if plural and count != 1 else text
    made = Message(english % _said(values, ENGLISH))
    made.msgid, made.plural, made.number, made.values = text, plural, count, values
    return made


def sentences(*parts: str, between: str = " ") -> str:
    """One after another, without those that are empty."""
    said = {f"part{number}": part for number, part in enumerate(filter(None, parts))}
    return _message(between.join(f"%({name})s" for name in said), "", 0, said)


class Stored(Message):
    """English that was written down, such as a reason in a row; see ``stored``."""

    __slots__ = ()

    def in_language(self, language: str) -> str:
        text = str(self)
        return text if language == ENGLISH else recognised(text, language)


def stored(text: str) -> str:
    """English that was written down: what of it the catalogue knows is said in other languages."""
    return Stored(text)


@dataclass(frozen=True, slots=True)
class When:
    """A time in a sentence. ``show``: how much of it."""

    at: datetime
    show: Show = "day"

    def in_language(self, language: str) -> str:
        return moment(self.at, self.show, language)


@dataclass(frozen=True, slots=True)
class Listed:
    """“a, b and c”."""

    items: tuple[object, ...]

    def in_language(self, language: str) -> str:
        from babel.lists import format_list

        return format_list([say(item, language) for item in self.items], locale=_LOCALES[language])


# --- Whose language -------------------------------------------------------------------------------


def current() -> str:
    """The language of whoever reads the answer to this request; English outside of one."""
    return _current.get()


def speak(language: str) -> None:
    """From here on in this request. What we do not speak changes nothing."""
    if language in LANGUAGES:
        _current.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Within this block."""
    token = _current.set(language if language in LANGUAGES else ENGLISH)
    try:
        yield
    finally:
        _current.reset(token)


def preferred(accept_language: str) -> str:
    """The first of our languages that a browser asks for, by its weights; English where none is."""
    from babel import negotiate_locale

    asked = []
    for place, entry in enumerate(accept_language[:500].split(",")):
        tag, _sep, weight = entry.partition(";q=")
        try:
            asked.append((-float(weight or 1), place, tag.strip().split("-")[0].lower()))
        except ValueError:
            continue
    wanted = [tag for weight, _place, tag in sorted(asked) if weight]
    return negotiate_locale(wanted, LANGUAGES) or ENGLISH


# --- Saying ---------------------------------------------------------------------------------------


def translated(text: str) -> str:
    """In the reader's language; what is no ``Message`` stays as it is."""
    return text.in_language(current()) if isinstance(text, Message) else text


def translated_all(value: object) -> object:
    """The same for what a problem document holds."""
    match value:
        case str():
            return translated(value)
        case dict():
            return {key: translated_all(item) for key, item in value.items()}
        case list() | tuple():
            return [translated_all(item) for item in value]
        case _:
            return value


def say(value: object, language: str) -> str:
    """A value as a sentence in that language holds it."""
    match value:
        case Message() | When() | Listed():
            return value.in_language(language)
        case Credits():
            return say(_("%(count)s credits", count=value.value), language)
        case Cents() | MicroUnits():
            return money(value, language)
        case bool() | str():
            return str(value)
        case int() | float() | Decimal():
            return number(value, language)
        case _:
            return str(value)


def _said(values: Mapping[str, object], language: str) -> dict[str, str]:
    return {name: say(value, language) for name, value in values.items()}


def number(value: float | Decimal, language: str) -> str:
    from babel.numbers import format_decimal

    return format_decimal(value, locale=_LOCALES[language])


def percent(value: float, language: str) -> str:
    """Of a whole number of percent."""
    from babel.numbers import format_percent

    return format_percent(value / 100, locale=_LOCALES[language])


def money(amount: Cents | MicroUnits, language: str) -> str:
    """In US dollars: to the cent, or as fine as the unit is."""
    digits, whole = (2, 100) if isinstance(amount, Cents) else (5, MICRO_UNITS_PER_DOLLAR)
    return currency(Decimal(amount.value) / whole, "USD", language, digits=digits)


def currency(amount: Decimal, code: str, language: str, *, digits: int = 2) -> str:
    from babel.core import Locale
    from babel.numbers import format_currency

    locale = Locale.parse(_LOCALES[language])
    pattern = locale.currency_formats["standard"].pattern.replace("0.00", "0." + "0" * digits)
    return format_currency(amount, code, format=pattern, currency_digits=False, locale=locale)


def plain_decimal(value: Decimal, language: str) -> str:
    """With two digits and no grouping, as one types it."""
    from babel.numbers import format_decimal

    return format_decimal(value, format="0.00", locale=_LOCALES[language])


def moment(at: datetime, show: Show, language: str) -> str:
    from babel.dates import format_datetime

    return format_datetime(at, _PATTERNS[language][show], locale=_LOCALES[language])


# --- The catalogues -------------------------------------------------------------------------------


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """Compiled when it is first needed: what is read is always what the repository says."""
    if language == ENGLISH:
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, _read(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _read(language: str) -> "Catalog":
    from babel.messages.pofile import read_po

    path = CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


_GAP = re.compile(r"%\(\w+\)s")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?]) ")


def recognised(text: str, language: str) -> str:
    """As many sentences at a time as one entry of the catalogue holds; what it does not know stays."""
    parts, said = _SENTENCE_ENDS.split(text), []
    while parts:
        for many in range(len(parts), 0, -1):
            known = _known(" ".join(parts[:many]), language)
            if known is not None:
                break
        said.append(parts[0] if known is None else known)
        parts = parts[1 if known is None else many :]
    return " ".join(said)


def _known(text: str, language: str) -> str | None:
    entries, patterns = _entries(language)
    if text in entries:
        return entries[text]
    for pattern, translation in patterns:
        if found := pattern.fullmatch(text):
            return translation % found.groupdict()
    return None


@cache
def _entries(language: str) -> tuple[dict[str, str], list[tuple[re.Pattern[str], str]]]:
    """Every entry without gaps by its English; those with gaps as patterns, the longest first."""
    entries: dict[str, str] = {}
    patterns = []
    for entry in _read(language):
        if not isinstance(entry.id, str) or not entry.id:
            continue
        gaps = [gap[2:-2] for gap in _GAP.findall(entry.id)]
        fixed = [part.replace("%%", "%") for part in _GAP.split(entry.id)]
        if not gaps:
            entries[fixed[0]] = str(entry.string).replace("%%", "%")
        elif len(set(gaps)) == len(gaps) and len("".join(fixed)) > _TELLING:
            groups = [f"(?P<{gap}>.+)" for gap in gaps] + [""]
            pattern = "".join(
                re.escape(part) + group for part, group in zip(fixed, groups, strict=True)
            )
            patterns.append((len("".join(fixed)), re.compile(pattern), str(entry.string)))
    patterns.sort(key=lambda found: -found[0])
    return entries, [(pattern, translation) for _length, pattern, translation in patterns]


# An entry with less fixed text than that says too little to be told by it.
_TELLING = 15
