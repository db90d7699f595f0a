"""Words that have a place of their own: what a brand sells is no business of core.

Comments, docstrings, SQL, templates and settings count like code: who reads core alone finds in it no
word of another part.
"""

import re
from pathlib import Path

import pytest
from tests.architecture.test_laws import SOURCE

CORE = SOURCE / "core"
FASHION_STEMS = re.compile(
    r"garment|wardrobe|shopper|outfit|fashion|clothes|clothing|(?<![a-z])try[ _-]?on(?![a-rt-z])",
    re.IGNORECASE,
)
# These stand within others, such as an address.
FASHION_WORDS = {
    *("dress", "dresses", "dressed", "wear", "wears", "wearer", "wearing", "worn", "skirt"),
    *("blouse", "sleeve", "sleeves", "trousers"),
}


def files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def words_of(text: str) -> set[str]:
    """Each word in it, alone or within a name: ``DressSize`` and ``dress_size`` say ``dress``."""
    humps = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)
    return {*(hump.lower() for hump in humps), *re.findall(r"[a-z]+", text.lower())}


def fashion_in(text: str) -> list[str]:
    return [*FASHION_STEMS.findall(text), *sorted(words_of(text) & FASHION_WORDS)]


@pytest.mark.parametrize("path", files(CORE), ids=lambda path: str(path.relative_to(CORE)))
def test_core_says_no_word_of_fashion(path: Path) -> None:
    assert fashion_in(f"{path.relative_to(CORE)}\n{path.read_text()}") == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("# must not cost the shopper the photo", "shopper"),
        ("tryon_seconds = Histogram(", "tryon"),
        ("the embedded try-on engine", "try-on"),
        ("what to try on first", "try on"),
        ("``workspaces/<id>/garments/<id>.png``", "garment"),
        ("SELECT id FROM public.wardrobe_garments", "wardrobe"),
        ("nothing to wear", "wear"),
        ("class DressSize:", "dress"),
        ("an old-fashioned way", "fashion"),
        ("an address, retried once; try one more, retry_on_error, software", None),
    ],
)
def test_a_word_of_fashion_is_recognised(text: str, word: str | None) -> None:
    assert fashion_in(text)[:1] == ([word] if word else [])
