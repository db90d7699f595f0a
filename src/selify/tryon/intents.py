"""What words ask for where that decides who answers: nobody any more, a person, or a kind word.

Rules of phrases in English and German (``phrases/*.toml``), read clause by clause. A wish needs the
one who is wished for *and* what is to be done with them ("talk to", "brauche"), so that "does a real
person model this?" is none; what stands right before it may deny it ("no need to talk to a person"),
unless that is a question ("can't I talk to a person?"). In doubt a person is called: that costs a
glance, silence a customer.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from selify.tryon import phrases
from selify.tryon.keywords import HUMAN_WORDS, START_WORDS, STOP_WORDS, normalise

# How many words before a wish may deny it.
_WINDOW = 5
# Nobody reads further either, and what is written to be slow to read is not read at all.
_READ = 2000
_ANGRY = frozenset("😡🤬😠🖕👿💩")
_SAD = frozenset("👎😢😞😔☹🙁😕😒🙄🤮🤢😖😣😟")
_SMILING = re.compile(r"(?<!\w)(?:[:;=8][-o']?[)D\]pP*3]|<3+|[xX]D+|\^\^)(?!\w)")
_SIGNS = r".!?;:\n…"
# No comma after which German goes on: “Kannst du mir helfen, das anzuprobieren?”, “…, was ich bestellt habe”.
_COMMA = (
    r",(?!\s*(?:mit )?(?:der|die|das|dem|den|was|wie|dass) (?:ich|mir|mich|wir|uns)\b)"
    rf"(?![^{_SIGNS},]*\banzu)"
)
_CLAUSE_ENDS = re.compile(rf"[{_SIGNS}]+|{_COMMA}|\b(?:but|aber|sondern)\b")
_FROWNING = re.compile(r"(?<!\w)[:;=][-o']?[(/\\|\[](?!\w)")


class Mood(StrEnum):
    """What a message without any question in it says. ``NOD``: thanks, okay."""

    NONE = ""
    PRAISE = "praise"
    NOD = "nod"
    SAD = "sad"


def wants_stop(text: str) -> bool:
    """Nothing more is to be written to them."""
    return _only(text, STOP_WORDS, phrases.words("courtesy")) or _says(text, "stop")


def wants_start(text: str) -> bool:
    """Who said stop thinks again."""
    return _only(text, START_WORDS, phrases.words("courtesy"))


def wants_person(text: str) -> bool:
    """Somebody of the brand is asked for, not a picture of somebody."""
    clauses = _clauses(text)
    persons, beside = (
        HUMAN_WORDS | phrases.words("person"),
        phrases.words("courtesy") | phrases.words("wishing"),
    )
    # “…, human” says who; “Mensch, …” is a sigh.
    alone = clauses[-1] if len(clauses) > 1 and clauses[-1] != "mensch" else text
    return _only(alone, persons, beside) or any(_wishes(clause) for clause in clauses)


def complains(text: str) -> bool:
    """Something went wrong for them, or they are angry: nothing a try-on could mend."""
    symbols = _symbols(text)
    if symbols & _ANGRY and symbols <= _ANGRY | _SAD and not normalise(text[:_READ]):
        return True
    return any(_complaint(clause) for clause in _clauses(text))


def asks_who_we_are(text: str) -> bool:
    """A bot, or a person? They are told."""
    return _says(text, "who_are_you")


def mood(text: str) -> Mood:
    """Of emoji and kind words alone (as soon as anything else is said, that is to be answered), or of
    words that dislike what is seen.
    """
    if _says(text, "dislike"):
        return Mood.SAD
    text = text[:_READ]
    if _FROWNING.search(text):
        return Mood.NONE if normalise(_FROWNING.sub("", text)) else Mood.SAD
    symbols = _symbols(text)
    words = set(normalise(_SMILING.sub(" ", text)).split())
    if not words <= phrases.words("praise") | phrases.words("nods") | phrases.words("glue"):
        return Mood.NONE
    if words & phrases.words("praise"):
        return Mood.PRAISE
    if words & phrases.words("nods"):
        return Mood.NOD
    if words or not (symbols or _SMILING.search(text)):
        return Mood.NONE
    return Mood.SAD if symbols and symbols <= _SAD | _ANGRY else Mood.PRAISE


def _only(text: str, words: frozenset[str], beside: frozenset[str]) -> bool:
    """Whether these words are said and, but for what politeness adds, nothing else."""
    said = set(normalise(text[:_READ]).split())
    return bool(said & words) and said <= words | beside


def _says(text: str, *kinds: str) -> bool:
    return any(_phrases(*kinds).search(clause) for clause in _clauses(text))


def _wishes(clause: str) -> bool:
    if _phrases("who_are_you").search(clause):
        return False
    if _phrases("presence", "no_machine").search(clause):
        return True
    found = _phrases("contact").search(clause)
    return found is not None and not _denied(clause, found)


def _denied(clause: str, found: re.Match[str]) -> bool:
    said = _starts_anew().sub("", f"{_before(clause, found)} {found[0]}".strip())
    return bool(_negators().search(said) or _unneeded().match(clause[found.end() :]))


def _complaint(clause: str) -> bool:
    return any(
        not (_no_complaint().search(_before(clause, found)) or _unneeded().match(clause[end:]))
        for found in _phrases("matters", "anger").finditer(clause)
        if (end := found.end())
    )


def _before(clause: str, found: re.Match[str]) -> str:
    return " ".join(clause[: found.start()].split()[-_WINDOW:])


def _clauses(text: str) -> list[str]:
    joined = re.sub(r"['’`´]", "", unicodedata.normalize("NFKC", text[:_READ]))
    parts = _CLAUSE_ENDS.split(joined.casefold())
    return [clause for clause in map(normalise, parts) if clause]


def _symbols(text: str) -> frozenset[str]:
    """Its emoji, without what only colours or joins them."""
    return frozenset(sign for sign in text if unicodedata.category(sign) == "So")


# --- The phrases of all languages, each compiled once ---


@cache
def _phrases(*kinds: str) -> re.Pattern[str]:
    found = [
        _spelt_out(phrase, file["pieces"])
        for kind in kinds
        for file in phrases.files().values()
        for phrase in file["phrases"][kind]
    ]
    return re.compile(rf"\b(?:{'|'.join(found)})")


def _spelt_out(phrase: str, pieces: Mapping[str, str]) -> str:
    return re.sub(r"<(\w+)>", lambda name: _spelt_out(pieces[name[1]], pieces), phrase)


def _denials(kind: str) -> str:
    """One pattern of all languages: of a list, or of what is one already."""
    said = [file["denials"][kind] for file in phrases.files().values()]
    return "|".join(one if isinstance(one, str) else "|".join(one) for one in said)


@cache
def _negators() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_denials('negators')})\b")


@cache
def _starts_anew() -> re.Pattern[str]:
    return re.compile(rf".*\b(?:{_denials('starts_anew')})\b")


@cache
def _unneeded() -> re.Pattern[str]:
    return re.compile(rf" (?:{_denials('unneeded')})")


@cache
def _no_complaint() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_denials('no_complaint')})$")
