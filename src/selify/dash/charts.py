"""Columns, drawn on the server: numbers in, heights out. The templates give them colour.

The drawing is for the eye only; its label says the same in words.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """One column: ``lower`` and ``upper`` are heights from 0 to 100 that stand on each other."""

    label: str
    total: int
    lower: float
    upper: float


def bars(columns: Sequence[tuple[str, int, int]]) -> tuple[Bar, ...]:
    """From (label, lower, upper). The highest fills the frame."""
    highest = max((lower + upper for _, lower, upper in columns), default=0) or 1
    return tuple(
        Bar(label, lower + upper, 100 * lower / highest, 100 * upper / highest)
        for label, lower, upper in columns
    )
