"""Which keywords may be chosen: what is accepted fires, and not on what everybody writes all day.

A keyword is tried on everyday messages (``phrases/*.toml``), by the rule that will look for it.
"""

from collections.abc import Sequence

from selify.core.errors import Invalid
from selify.tryon import intents, phrases
from selify.tryon.keywords import DEFAULT_KEYWORDS, fires, normalise

LONGEST = 40
_EXAMPLES = 2
_NUMBERS = ("Do you have it in {}?", "Gibt es das auch in {}?")


class KeywordUnfit(Invalid):
    code = "keyword_unfit"
    title = "This keyword would not work as meant"


def check_keywords(keywords: Sequence[str], *, field: str) -> None:
    """Raises KeywordUnfit for the first that is unfit; ``field`` is where they were entered."""
    for number, keyword in enumerate(keywords):
        detail, hint = _fault(keyword)
        if detail:
            place = {"field": f"{field}.{number}", "message": detail}
            raise KeywordUnfit(detail, hint=hint, fields=[place])


def _fault(keyword: str) -> tuple[str, str]:
    """What is wrong with it and what to do instead; "" where it is fit."""
    shown = f"“{keyword.strip()[:LONGEST]}”"
    if len(keyword.strip()) > LONGEST:
        return f"{shown}… is too long for a keyword.", "Separate keywords by commas."
    if not fires(keyword, keyword):
        hint = "Choose a word, or an emoji that few people use."
        return f"{shown} would never fire: it holds no letter, digit or emoji.", hint
    taken = _taken(keyword)
    if taken:
        return f"{shown} would not fire: {taken}.", "Choose another word."
    examples = [said for said in _everyday(keyword) if fires(keyword, said)][:_EXAMPLES]
    if examples:
        listed = " and ".join(f"“{said}”" for said in examples)
        hint = f"Choose what only somebody writes who wants to try it on, such as “{DEFAULT_KEYWORDS[1]}”."
        return f"{shown} would fire on {listed}.", hint
    return "", ""


def _taken(keyword: str) -> str:
    """What it does already."""
    if intents.wants_stop(keyword):
        return "it tells the bot to stop writing"
    if intents.wants_start(keyword):
        return "it tells the bot to write again"
    if intents.wants_person(keyword) or intents.complains(keyword):
        return "it calls a person"
    return ""


def _everyday(keyword: str) -> list[str]:
    """Sizes and numbers are asked for in more ways than could be listed."""
    bare = normalise(keyword)
    made = [said.format(bare) for said in _NUMBERS] if len(bare) == 1 or bare.isdigit() else []
    files = phrases.files()
    return [*(said for language in reversed(files) for said in files[language]["everyday"]), *made]
