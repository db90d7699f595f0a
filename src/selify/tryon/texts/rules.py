"""What a brand's own words must keep: only variables that are filled in, and what shoppers have a right
to know: that a machine writes, and how to make it stop.
"""

import re
from dataclasses import dataclass

from selify.core.language import _

# Filled in wherever the bot speaks; what only some texts have is in those texts of ours.
EVERYWHERE = frozenset({"brand", "garment", "framing"})
# Said inside of other texts, with nothing filled in.
PLAIN = frozenset({"language", "this_piece", "framing", "framing_legs"})
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")
_NOT = r"(?<!\bno )(?<!\bnot )(?<!\bnot a )(?<!\bnot an )(?<!\bkein )(?<!\bkeine )(?<!\bnicht )"
_MACHINE = re.compile(
    rf"{_NOT}\b(?:\w*bots?|automat\w+|robot\w*|ai|ki|artificial intelligence|künstliche\w* intelligenz"
    r"|(?:virtual|digital|virtuell\w*|digitale\w*) (?:\w+[ -]){0,2}\w*assist\w+)\b",
    re.IGNORECASE,
)
_STOP = re.compile(r"(?<!non-)(?<!can't )(?<!don't )\bstopp?\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: from ``start`` up to ``end``, which is where something is missing when
    both are the same. ``line`` and ``column`` count from 1.
    """

    message: str
    start: int
    end: int
    line: int
    column: int

    @property
    def where(self) -> str:
        return _(
            "Line %(line)s, character %(column)s: %(fault)s",
            line=self.line,
            column=self.column,
            fault=self.message,
        )


def faults(key: str, ours: str, theirs: str) -> list[Fault]:
    """Of a brand's words in place of ours; in the order in which they stand."""
    known = _known(key, ours)
    found = [
        _at(theirs, brace.start(), brace.end(), _about(brace, known))
        for brace in _BRACES.finditer(theirs)
        if brace[1] not in known
    ]
    end = len(theirs)
    if _MACHINE.search(ours) and not _MACHINE.search(theirs):
        missing = _(
            "Shoppers must read here that no person writes: say “automatic assistant” or “bot”."
        )
        found.append(_at(theirs, end, end, missing))
    word = _STOP.search(ours)
    if word and not _STOP.search(theirs):
        missing = _("Shoppers must read here how to end it: name the word %(word)s.", word=word[0])
        found.append(_at(theirs, end, end, missing))
    return found


def _known(key: str, ours: str) -> frozenset[str]:
    if key in PLAIN:
        return frozenset()
    return EVERYWHERE | {brace[1] for brace in _BRACES.finditer(ours) if brace[1]}


def _about(brace: re.Match[str], known: frozenset[str]) -> str:
    if brace[1] is None:
        return _("A “%(brace)s” without its other half.", brace=brace[0])
    meant = re.sub(r"\W", "", brace[1]).casefold()
    if meant in known:
        written = f"{{{meant}}}"
        return _("“%(brace)s” is not filled in. Write %(meant)s.", brace=brace[0], meant=written)
    listed = ", ".join(f"{{{name}}}" for name in sorted(known)) or _("nothing")
    return _("“%(brace)s” is not filled in here. What is: %(known)s.", brace=brace[0], known=listed)


def _at(text: str, start: int, end: int, message: str) -> Fault:
    before = text[:start]
    return Fault(message, start, end, before.count("\n") + 1, start - before.rfind("\n"))
