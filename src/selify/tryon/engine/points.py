"""The points of a garment, in its own picture. Pairs are (left, right) in the picture."""

from dataclasses import dataclass, replace

from selify.tryon.engine.arrays import Point, Points
from selify.tryon.engine.geometry import distance

_FEWEST_OF_LINE = 5
# Of a sleeve, in widths of the chest.
_LONG = 0.85


@dataclass(frozen=True, slots=True)
class Sleeve:
    """``upper`` runs from shoulder to cuff, ``lower`` from armpit to cuff."""

    upper: Points
    lower: Points

    @property
    def cuff_width(self) -> float:
        return distance(self.upper[-1], self.lower[-1])


@dataclass(frozen=True, slots=True)
class TopPoints:
    """Key points of a top or a dress. ``sleeves`` is None for a sleeveless one.

    ``shoulder_lines`` run from collar to shoulder, ``armholes`` from shoulder to armpit,
    ``sides`` from armpit to hem, ``hem`` and ``neck`` (the outline between the collar's points) from left to right.
    ``arms_seen``: the outline shows on both sides where arms come out of it. ``one_half``: of the other one a sleeve
    hides too much, and it is taken to be alike.
    """

    collar: tuple[Point, Point]
    neck: Points
    shoulder_lines: tuple[Points, Points]
    armholes: tuple[Points, Points]
    sides: tuple[Points, Points]
    hem: Points
    sleeves: tuple[Sleeve, Sleeve] | None
    axis: float
    box: tuple[int, int, int, int]
    arms_seen: bool = True
    one_half: bool = False

    def with_collar(self, collar: tuple[Point, Point]) -> "TopPoints":
        """With a collar that begins further out on the shoulders; one further inside changes nothing."""
        if collar[0][0] >= self.collar[0][0] or collar[1][0] <= self.collar[1][0]:
            return self
        left, right = self.shoulder_lines
        # A neck as wide as the shoulders leaves a little of them.
        starts = int((left[:, 0] >= collar[0][0]).sum()), int((right[:, 0] <= collar[1][0]).sum())
        lines = [
            line[min(start, max(0, len(line) - _FEWEST_OF_LINE)) :]
            for line, start in zip((left, right), starts, strict=True)
        ]
        return replace(self, collar=(lines[0][0], lines[1][0]), shoulder_lines=(lines[0], lines[1]))

    @property
    def long_sleeved(self) -> bool:
        lengths = [distance(s.upper[0], s.upper[-1]) for s in self.sleeves or ()]
        return bool(lengths) and sum(lengths) / len(lengths) > _LONG * self.chest_width

    @property
    def armpits(self) -> tuple[Point, Point]:
        return self.sides[0][0], self.sides[1][0]

    @property
    def shoulders(self) -> tuple[Point, Point]:
        return self.shoulder_lines[0][-1], self.shoulder_lines[1][-1]

    @property
    def chest_width(self) -> float:
        return distance(self.armpits[0], self.armpits[1])

    @property
    def length(self) -> float:
        """From the shoulders' height to the hem's."""
        tips = (self.shoulders[0][1] + self.shoulders[1][1]) / 2
        return float((self.hem[0][1] + self.hem[-1][1]) / 2 - tips)

    @property
    def shoulder_width(self) -> float:
        return float(abs(self.shoulders[1][0] - self.shoulders[0][0]))

    @property
    def neck_width(self) -> float:
        return float(abs(self.collar[1][0] - self.collar[0][0]))


@dataclass(frozen=True, slots=True)
class BottomPoints:
    """Key points of trousers or a skirt (``crotch`` None)."""

    waist: tuple[Point, Point]
    crotch: Point | None
    box: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What is known of a garment's points before its outline is looked at; near the outline, not on it.

    ``cuffs``: per side the outer and the inner end; None for a sleeveless one.
    """

    armpits: tuple[Point, Point]
    shoulders: tuple[Point, Point]
    cuffs: tuple[tuple[Point, Point], tuple[Point, Point]] | None
