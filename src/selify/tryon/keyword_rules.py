"""Which keywords may be chosen: what is accepted fires, and not on what everybody writes all day.

A keyword is tried on everyday messages (``phrases/*.toml``), by the rule that will look for it.
"""

from collections.abc import Sequence

from selify.core.errors import Invalid
from selify.core.language import Listed, _
from selify.tryon import intents, phrases
from selify.tryon.keywords import DEFAULT_KEYWORDS, fires, normalise

LONGEST = 40
_EXAMPLES = 2
_NUMBERS = ("Do you have it in {}?", "Gibt es das auch in {}?")


class KeywordUnfit(Invalid):
    code = "keyword_unfit"
    title = _("This keyword would not work as meant")


def check_keywords(keywords: Sequence[str], *, field: str) -> None:
    """Raises KeywordUnfit for the first that is unfit; ``field`` is where they were entered."""
    for number, keyword in enumerate(keywords):
        detail, hint = _fault(keyword)
        if detail:
            place = {"field": f"{field}.{number}", "message": detail}
            raise KeywordUnfit(detail, hint=hint, fields=[place])


def _fault(keyword: str) -> tuple[str, str]:
    """What is wrong with it and what to do instead; "" where it is fit."""
    shown = keyword.strip()[:LONGEST]
    if len(keyword.strip()) > LONGEST:
        said = _("“%(keyword)s”… is too long for a keyword.", keyword=shown)
        return said, _("Separate keywords by commas.")
    if not fires(keyword, keyword):
        hint = _("Choose a word, or an emoji that few people use.")
        said = _(
            "“%(keyword)s” would never fire: it holds no letter, digit or emoji.", keyword=shown
        )
        return said, hint
    taken = _taken(keyword)
    if taken:
        said = _("“%(keyword)s” would not fire: %(why)s.", keyword=shown, why=taken)
        return said, _("Choose another word.")
    examples = [said for said in _everyday(keyword) if fires(keyword, said)][:_EXAMPLES]
    if examples:
        listed = Listed(tuple(_("“%(text)s”", text=said) for said in examples))
        hint = _(
            "Choose what only somebody writes who wants to try it on, such as “%(example)s”.",
            example=DEFAULT_KEYWORDS[1],
        )
        return _("“%(keyword)s” would fire on %(said)s.", keyword=shown, said=listed), hint
    return "", ""


def _taken(keyword: str) -> str:
    """What it does already."""
    if intents.wants_stop(keyword):
        return _("it tells the bot to stop writing")
    if intents.wants_start(keyword):
        return _("it tells the bot to write again")
    if intents.wants_person(keyword) or intents.complains(keyword):
        return _("it calls a person")
    return ""


def _everyday(keyword: str) -> list[str]:
    """Sizes and numbers are asked for in more ways than could be listed."""
    bare = normalise(keyword)
    made = [said.format(bare) for said in _NUMBERS] if len(bare) == 1 or bare.isdigit() else []
    files = phrases.files()
    return [*(said for language in reversed(files) for said in files[language]["everyday"]), *made]
