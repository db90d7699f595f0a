"""Texts within Instagram's limits: 1,000 bytes of UTF-8 a message, bytes and not characters."""

import re
import unicodedata

from selify.vendors.instagram.json_input import storable_text

MAX_TEXT_BYTES = 1_000

_WORD = re.compile(r"\S+")
_ZERO_WIDTH_JOINER = "\u200d"


def byte_length(text: str) -> int:
    return len(text.encode("utf-8"))


def split_text(text: str, limit: int = MAX_TEXT_BYTES) -> list[str]:
    """The text in pieces of at most ``limit`` bytes, cut between words; none for a blank text.

    A word longer than a whole piece (an address, a row of emoji) is cut between the characters a
    reader sees, so that no accent, flag or family emoji falls apart. Whitespace inside a piece
    stays as it is; whitespace where a cut falls goes.
    """
    pieces: list[str] = []
    text = storable_text(text)
    start = end = 0
    for word in _WORD.finditer(text):
        if end > start and byte_length(text[start : word.end()]) <= limit:
            end = word.end()
            continue
        if end > start:
            pieces.append(text[start:end])
        *full, _ = chunks = _cut_word(word[0], limit)
        pieces += full
        start, end = word.end() - len(chunks[-1]), word.end()
    if end > start:
        pieces.append(text[start:end])
    return pieces


def clip(text: str, limit: int) -> str:
    """At most ``limit`` characters, with an ellipsis where something was left out."""
    text = storable_text(text).strip()
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _cut_word(word: str, limit: int) -> list[str]:
    if byte_length(word) <= limit:
        return [word]
    chunks = [""]
    for cluster in _clusters(word, limit):
        if byte_length(chunks[-1]) + byte_length(cluster) > limit:
            chunks.append("")
        chunks[-1] += cluster
    return chunks


def _clusters(word: str, limit: int) -> list[str]:
    """What a reader sees as single characters; one alone longer than a piece is cut all the same."""
    clusters: list[str] = []
    for char in word:
        if clusters and _joins(clusters[-1], char) and byte_length(clusters[-1] + char) <= limit:
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _joins(before: str, char: str) -> bool:
    if before[-1] == _ZERO_WIDTH_JOINER or char == _ZERO_WIDTH_JOINER:
        return True
    if _is_regional_indicator(char):
        return len(before) == 1 and _is_regional_indicator(before)
    skin_tone_or_tag = "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f"
    return skin_tone_or_tag or unicodedata.category(char) in {"Mn", "Mc", "Me"}


def _is_regional_indicator(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
