"""What shoppers write: one file per language, of phrases and words, read once."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@cache
def files() -> dict[str, Mapping[str, Any]]:
    """By language."""
    return {path.stem: tomllib.loads(path.read_text()) for path in sorted(_HERE.glob("*.toml"))}


@cache
def words(kind: str) -> frozenset[str]:
    """Of all languages."""
    return frozenset().union(*(words_of(language, kind) for language in files()))


@cache
def words_of(language: str, kind: str) -> frozenset[str]:
    return frozenset(files()[language]["words"][kind].split())
