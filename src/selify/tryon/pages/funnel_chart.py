"""The funnel, drawn on the server: numbers in, SVG geometry out. The template gives it colour.

The drawing is for the eye only; beside it stands a list that says the same in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from selify.tryon.pages import words

STEP, HEIGHT, SHOULDER = 200.0, 120.0, 0.42
THINNEST = 3.0


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """``share`` of the first step and ``of_previous`` of the one before, in whole percent."""

    key: str
    title: str
    hint: str
    count: int
    share: int
    of_previous: int | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """``band`` is the path of one flowing shape over all steps, ``width`` × ``height`` in size."""

    steps: tuple[FunnelStep, ...]
    band: str
    width: float
    height: float

    @property
    def empty(self) -> bool:
        return not self.steps[0].count


def funnel(counts: Mapping[str, int]) -> Funnel:
    """From how many got how far. A step is drawn no wider than the one before it."""
    first, steps = counts.get("triggers", 0), list[FunnelStep]()
    for key, title, hint in words.FUNNEL:
        count = counts.get(key, 0)
        of_previous = percent(count, steps[-1].count) if steps else None
        steps.append(FunnelStep(key, title, hint, count, percent(count, first), of_previous))
    shares = [step.count / first if first else 0.0 for step in steps]
    for i in range(1, len(shares)):
        shares[i] = min(shares[i], shares[i - 1])
    return Funnel(tuple(steps), _band(shares), STEP * len(steps), HEIGHT)


def percent(part: int, whole: int) -> int:
    return min(100, round(100 * part / whole)) if whole else 0


def _band(shares: Sequence[float]) -> str:
    """Flat within a step, and an S-curve from one to the next; mirrored at the middle line."""
    halves = [max(THINNEST, share * HEIGHT) / 2 for share in shares]
    upper = _edge(halves, sign=-1)
    lower = _edge(halves, sign=1, back=True)
    return f"M{upper} L{lower} Z"


def _edge(halves: Sequence[float], *, sign: int, back: bool = False) -> str:
    middle = HEIGHT / 2
    heights = [middle + sign * half for half in halves]
    points = [(0.0, heights[0])]
    for i, (here, there) in enumerate(pairwise(heights)):
        border = STEP * (i + 1)
        points += [(border - STEP * SHOULDER, here), (border + STEP * (0.5 - SHOULDER), there)]
    points.append((STEP * len(halves), heights[-1]))
    if back:
        points.reverse()
    parts = [_at(*points[0])]
    for i, (start, end) in enumerate(pairwise(points)):
        bend = (start[0] + end[0]) / 2
        curve = f"C{_at(bend, start[1])} {_at(bend, end[1])} {_at(*end)}"
        parts.append(curve if i % 2 else f"L{_at(*end)}")
    return " ".join(parts)


def _at(x: float, y: float) -> str:
    return f"{x:.1f},{y:.1f}"
