"""Which words start a try-on, and which rule said so.

Keywords may be set for a post, for a garment's binding, for the account and for the workspace. The
nearest one wins: post > binding > account > workspace (> our defaults). A binding with
``use_global_keywords`` (the default) adds its own words to the wider ones instead of replacing them.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selify.core.language import _, sentences
from selify.tryon import phrases

DEFAULT_KEYWORDS = ("tryon", "try on", "try it on", "try this on", "anprobieren", "anprobe")
# What a new workspace's settings begin with (the column's default): nobody's choice, and English
# only, while the bot itself tells German shoppers to write “anprobieren”.
UNTOUCHED = ["tryon", "try on"]
STOP_WORDS = frozenset({"stop", "unsubscribe", "cancel", "stopp", "abmelden"})
START_WORDS = frozenset({"start", "resume", "weiter"})
HUMAN_WORDS = frozenset(
    {"human", "agent", "person", "support", "help", "mensch", "mitarbeiter", "hilfe", "beratung"}
)
PLUS = " + "
# Where keywords can be set, as an explanation calls it.
LEVELS: Mapping[str, str] = {
    "post": _("post"),
    "garment binding": _("garment binding"),
    "account": _("account"),
    "workspace": _("workspace"),
    "default": _("default"),
}
_DEFAULT = re.compile(rf"\b(?:{'|'.join(sorted(DEFAULT_KEYWORDS[:4], key=len, reverse=True))})\b")


@dataclass(frozen=True, slots=True)
class Level:
    """One place where keywords can be set; ``words`` is None where nothing is set there."""

    name: str
    words: tuple[str, ...] | None
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Keywords:
    """The words in force, where each comes from, and every level that was looked at."""

    words: Mapping[str, str]
    rule: str
    levels: Sequence[Level]

    def match(self, text: str) -> str | None:
        """The keyword found in the text (whole words, any case, spacing or punctuation)."""
        return next((word for word in self.words if fires(word, text)), None)

    def explain(self) -> str:
        listed = [
            _("“%(word)s” (%(level)s)", word=word, level=LEVELS[source])
            for word, source in self.words.items()
        ]
        return _(
            "The %(levels)s decides. In force: %(words)s.",
            levels=sentences(*(LEVELS[name] for name in self.rule.split(PLUS)), between=PLUS),
            words=sentences(*listed, between=", ") or _("no keyword at all"),
        )


def resolve(
    *,
    post: Mapping[str, Any] | None,
    binding_words: Iterable[str] | None,
    binding_adds: bool,
    account: Mapping[str, Any] | None,
    workspace: Mapping[str, Any] | None,
) -> Keywords:
    """Read the four levels (``bot_config``, binding, account and workspace settings)."""
    levels = (
        Level("post", _words(post, "trigger_keywords", "triggers")),
        Level("garment binding", _clean(binding_words), adds=binding_adds),
        Level("account", _words(account, "trigger_keywords")),
        Level("workspace", _words(_platform(workspace), "trigger_keywords")),
        Level("default", DEFAULT_KEYWORDS),
    )
    words: dict[str, str] = {}
    rule = ""
    for level in levels:
        if level.words is None:
            continue
        for word in level.words:
            words.setdefault(word, level.name)
        rule = f"{rule}{PLUS}{level.name}" if rule else level.name
        if not level.adds:
            break
    return Keywords(words=words, rule=rule, levels=levels)


def normalise(text: str) -> str:
    """Lower case, accents kept, everything that is no letter or digit is one space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded))


def fires(keyword: str, text: str) -> bool:
    """Whether the keyword is found in the text. One with an emoji is looked for among words and emoji;
    one in a script without spaces also inside of longer words.
    """
    wanted = _parts(keyword)
    if not wanted:
        return False
    if _UNSPACED.search(wanted):
        return wanted.replace(" ", "") in _parts(text).replace(" ", "")
    said = normalise(text) if wanted == normalise(keyword) else _parts(text)
    return f" {wanted} " in f" {said} "


# Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def _parts(text: str) -> str:
    """Words as ``normalise`` has them, and each emoji for itself, whatever its colour."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    found = re.findall(r"\w+|\S", folded)
    return " ".join(
        one
        for one in found
        if one[0].isalnum() or one[0] == "_" or unicodedata.category(one) == "So"
    )


def language_of(text: str) -> str:
    """The language a message is plainly in; "" where it is not plain, which changes nothing.

    Words are counted, those that only one language has twice. “Try on” itself tells nothing: it is
    what German shoppers are asked to write, too.
    """
    said = _DEFAULT.sub(" ", normalise(text[:2000])).split()
    points = {
        language: sum(
            2 * (word in phrases.words_of(language, "clear"))
            + (word in phrases.words_of(language, "hints"))
            for word in said
        )
        for language in phrases.files()
    }
    (most, language), (next_most, _) = sorted(
        ((n, one) for one, n in points.items()), reverse=True
    )[:2]
    return language if most >= 2 and most > next_most else ""


def _words(config: Mapping[str, Any] | None, *names: str) -> tuple[str, ...] | None:
    for name in names:
        value = (config or {}).get(name)
        if isinstance(value, list):
            return _clean(value)
    return None


def _clean(words: Iterable[Any] | None) -> tuple[str, ...] | None:
    """An empty list means "nothing set here", not "no keyword"."""
    kept = tuple(str(word).strip() for word in words or () if _parts(str(word)))
    return kept or None


def _platform(workspace: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """``social_platforms_config`` keeps settings per platform; ours are the shared ones."""
    config = workspace or {}
    if "trigger_keywords" in config:
        return config
    platforms = config.get("platforms")
    own = platforms.get("instagram") if isinstance(platforms, Mapping) else None
    chosen = isinstance(own, Mapping) and own.get("trigger_keywords") != UNTOUCHED
    return own if chosen else None
