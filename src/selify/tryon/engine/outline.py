"""The outline of a garment's mask, walked clockwise as seen in the picture, and what all that look at one share."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Mask, Points

Runs = list[tuple[int, int]]


def runs_in_row(mask: Mask, row: int) -> Runs:
    """Stretches of garment in a row: [start, end)."""
    edges = np.flatnonzero(np.diff(np.r_[0, mask[row], 0]))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def two_legs(part: Mask) -> bool:
    """``part``: a mask without empty rows and columns around it."""
    rows = _rows_of_legs(part)
    return float(np.mean([len(_wide_runs(part, row)) == 2 for row in rows])) > 0.6


def legs_of(part: Mask) -> tuple[int, Runs] | None:
    """Of what has two legs the lowest row in which they are apart, and where they are in it. ``part`` as above."""
    if not two_legs(part):
        return None
    row = max(row for row in _rows_of_legs(part) if len(_wide_runs(part, row)) == 2)
    return row, _wide_runs(part, row)


def _rows_of_legs(part: Mask) -> range:
    height = len(part)
    return range(int(0.72 * height), int(0.95 * height), max(1, height // 60))


def _wide_runs(part: Mask, row: int) -> Runs:
    return [run for run in runs_in_row(part, row) if run[1] - run[0] > 0.12 * part.shape[1]]


@dataclass(slots=True)
class Outline:
    """The contour and the few measures that all searches share."""

    mask: Mask
    contour: Points
    x0: int
    y0: int
    x1: int
    y1: int
    axis: float
    top: Array

    @classmethod
    def of(cls, mask: Mask) -> "Outline":
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        contour = max(contours, key=cv2.contourArea)
        if cv2.contourArea(contour, oriented=True) < 0:
            contour = contour[::-1]
        points = np.asarray(contour[:, 0, :])
        (x0, y0), (x1, y1) = points.min(0), points.max(0)
        return cls(
            mask, points, int(x0), int(y0), int(x1), int(y1), _axis(mask, y0, y1), _top(mask)
        )

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0

    def nearest(self, point: Array) -> int:
        return int(((self.contour - point) ** 2).sum(1).argmin())

    def walk(self, start: int, end: int) -> Points:
        if start <= end:
            return self.contour[start : end + 1]
        return np.vstack([self.contour[start:], self.contour[: end + 1]])

    def reverse(self) -> None:
        self.contour = self.contour[::-1]

    def ends_of_row(self, row: int) -> list[int]:
        """Contour indices of the leftmost and the rightmost garment pixel of a row."""
        runs = runs_in_row(self.mask, row)
        left, right = np.array([runs[0][0], row]), np.array([runs[-1][1] - 1, row])
        return [self.nearest(left), self.nearest(right)]


def _axis(mask: Mask, y0: int, y1: int) -> float:
    """The garment's middle line: median centre of its rows."""
    tall = y1 - y0
    rows = range(int(y0 + 0.3 * tall), int(y0 + 0.9 * tall), max(1, tall // 50))
    x = np.arange(mask.shape[1])
    return float(np.median([(mask[y] * x).sum() / max(1, mask[y].sum()) for y in rows]))


def _top(mask: Mask) -> Array:
    """Row of the first garment pixel in each column; the height where there is none."""
    first = mask.argmax(0)
    return np.asarray(np.where(mask.any(0), first, mask.shape[0]))
