"""What the bot says: one file per language, any text replaceable by the brand."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from selify.tryon.texts import rules
from selify.tryon.texts.rules import Fault

FALLBACK = "en"
_HERE = Path(__file__).parent
_BRACES = re.compile(r"\{(\w+)\}")
_GAPS = re.compile(r" {2,}")


@cache
def languages() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _HERE.glob("*.toml")))


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All texts of a language; refusals under ``refusals.<code>`` or, for a reason that
    calls for other advice, ``refusals.<code>_<reason>``.
    """
    chosen = language if language in languages() else FALLBACK
    data = tomllib.loads((_HERE / f"{chosen}.toml").read_text())
    refusals = {f"refusals.{code}": text for code, text in data.pop("refusals").items()}
    return {key: text.strip() for key, text in {**data, **refusals}.items()}


def refusal_key(code: str, reason: str | None) -> str:
    """The text made for this reason where there is one, else the one of the code."""
    special = f"refusals.{code}_{reason}"
    return special if special in catalogue(FALLBACK) else f"refusals.{code}"


def say(
    key: str, language: str, *, brand_texts: Mapping[str, Any] | None = None, **values: object
) -> str:
    """The text, in the brand's own words where it has some, with the braces filled in.

    Words of theirs of which nothing is left once they are filled are no answer: then it is ours. So it
    is where theirs would not be accepted today.
    """
    own = (brand_texts or {}).get(language)
    replaced = own.get(key) if isinstance(own, Mapping) else None
    if replaced is None:
        replaced = (brand_texts or {}).get(key)
    fit = isinstance(replaced, str) and not faults(key, language, replaced)
    theirs = fill(str(replaced), values).strip() if fit else ""
    return theirs or fill(catalogue(language)[key], values).strip()


@lru_cache(maxsize=1000)
def faults(key: str, language: str, theirs: str) -> tuple[Fault, ...]:
    """Why these words of a brand cannot be said in place of ours."""
    ours = catalogue(language).get(key, "")
    return tuple(rules.faults(key, ours, theirs)) if theirs.strip() else ()


def fill(template: str, values: Mapping[str, object]) -> str:
    """Only known braces are filled, once: neither a brand's stray brace nor one in a garment's name
    may break an answer. What was filled with nothing leaves no gap.
    """
    filled = _BRACES.sub(lambda found: str(values.get(found[1], found[0])), template)
    return _GAPS.sub(" ", filled)
