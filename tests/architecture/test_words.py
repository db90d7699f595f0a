"""Words that have a place of their own: what a brand sells is no business of core, and an outside system's
name stands with its vendor.

Comments, docstrings, SQL, templates and settings count like code: who reads one part alone finds in it no
word of another.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from tests.architecture.test_laws import ROOT, SOURCE, VENDORS

from selify.core import discovery

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

REFERENCE = ROOT / "docs" / "reference" / "public_schema.md"
# The reference itself, and the texts of all parts in one catalogue.
IN_THE_REFERENCE_S_WORDS = ("db/migrations/baseline/", "locale/")
# Declared tables: the reference in Python, class by class.
DECLARED = {Path(one.path) for one in discovery.ours("models")}
# Who else says a vendor's name, and why.
MAY_NAME = {
    ("tryon/keywords.py", "instagram"): "a member of workspaces.social_platforms_config, as the"
    " reference's default has it",
    ("tryon/engine/geometry.py", "replicate"): "OpenCV's name for repeating the edge's pixels",
    ("db/lints/security.py", "stripe"): "the prefix of the reference's columns, in a pattern",
}


def files(folder: Path) -> list[Path]:
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def words_of(text: str) -> set[str]:
    """Each word in it, alone or within a name: ``FalEngine`` and ``fal_engine`` say ``fal``."""
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


@cache
def names_of_the_reference() -> re.Pattern[str]:
    """Tables, columns, indexes and policies with a vendor's name in theirs."""
    named = re.findall(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b", REFERENCE.read_text())
    names = {name for name in named if VENDORS & set(name.split("_"))}
    assert {"instagram_message_queue", "stripe_customer_id", "shopify_products"} <= names
    return re.compile(rf"\b(?:{'|'.join(sorted(names, key=len, reverse=True))})\b")


def vendors_in(text: str) -> set[str]:
    return words_of(names_of_the_reference().sub("", text)) & VENDORS


def test_a_vendor_is_named_only_where_it_may_be() -> None:
    """Nor does a reason outlive what it is for."""
    named = {
        (str(path.relative_to(SOURCE)), vendor)
        for path in files(SOURCE)
        if not path.is_relative_to(SOURCE / "vendors") and path not in DECLARED
        if not str(path.relative_to(SOURCE)).startswith(IN_THE_REFERENCE_S_WORDS)
        for vendor in vendors_in(f"{path.relative_to(SOURCE)}\n{path.read_text()}")
    }
    assert named == MAY_NAME.keys()


@pytest.mark.parametrize(
    ("text", "vendors"),
    [
        ("from selify.vendors.fal.client import FalEngine", {"fal"}),
        ("# Gemini answers with a picture", {"gemini"}),
        ("platform = 'instagram'", {"instagram"}),
        ("INSTAGRAM_APP_ID", {"instagram"}),
        ("class InstagramGateway:", {"instagram"}),
        ("an OpenAI model, or WhatsApp", {"openai", "whatsapp"}),
        ("vendors/stripe/endpoints.py", {"stripe"}),
        ("DELETE FROM public.instagram_message_queue", set()),
        ("i.instagram_username AS username, stripe_customer_id", set()),
        ("stripes are false; replicated, falling", set()),
    ],
)
def test_a_vendor_s_name_is_recognised(text: str, vendors: set[str]) -> None:
    assert vendors_in(text) == vendors
