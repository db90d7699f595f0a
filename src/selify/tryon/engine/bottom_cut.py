"""How a bottom is cut: its measures, in its own picture."""

from dataclasses import dataclass, replace

import numpy as np

from selify.tryon.engine.arrays import SIDES, Mask, Point
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.outline import Runs, runs_in_row
from selify.tryon.engine.points import BottomPoints

_HIP_ROW = 0.22
# The seat is as deep as the hips are wide, about: legs that touch in the picture begin no lower than this.
_DEEPEST_CROTCH = 0.85

# A hanger above a waist, in widths of it: how much of a row it fills at most, and how high it is at least.
_HOOK, _STANDS = 0.3, 0.025
# It ends this far within the waist's own ends.
_INSET = 0.06
# Clips and the bar's ends stand out beyond the cloth that hangs in them, in widths of the hips: two that do have 0.068 and
# 0.36, of 29 others none more than 0.022.
_STANDS_OUT, _WAISTBAND = 0.045, 0.22


@dataclass(frozen=True, slots=True)
class BottomCut:
    """``top`` and ``bottom``: rows; ``hips``: a width; ``middle``: a column. ``crotch`` is None for a skirt.

    ``sag``: how much lower the waistband is in the middle than at its sides. ``hems``: rows, of the left leg and the right.
    """

    mask: Mask
    top: float
    bottom: float
    hips: float
    middle: float
    crotch: Point | None
    sag: float
    on_hanger: bool
    hems: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def of(cls, garment: Garment, points: BottomPoints) -> "BottomCut":
        mask = garment.mask
        top, bottom = float(points.waist[0][1]), float(points.box[3])
        middle = float(points.waist[0][0] + points.waist[1][0]) / 2
        crotch = points.crotch
        low = bottom if crotch is None else float(crotch[1])
        row = int(top + (_HIP_ROW * (bottom - top) if crotch is None else 0.7 * (low - top)))
        hips = _width(runs_in_row(mask, row))
        if crotch is not None and crotch[1] - top > _DEEPEST_CROTCH * hips:
            crotch = np.array([crotch[0], top + _DEEPEST_CROTCH * hips])
            hips = _width(runs_in_row(mask, int(top + 0.7 * (crotch[1] - top))))
        sag = _sag(mask, points, hips)
        hung = _on_hanger(mask, points) or _wider_above(mask, hips)
        cut = cls(mask, top, bottom, max(1.0, hips), middle, crotch, sag, hung)
        left, right = (cut._hem(side) for side in SIDES)
        return replace(cut, hems=(left, right))

    @property
    def length(self) -> float:
        """From the waist to the hems, in their middle."""
        return float(np.mean(self.hems)) - self.top

    @property
    def lean(self) -> float:
        """How far the lowest fifth lies aside of the waist, in widths of the hips."""
        low = self.mask[int(self.bottom - 0.2 * (self.bottom - self.top)) : int(self.bottom)]
        columns = np.flatnonzero(low.any(0))
        aside = (columns[0] + columns[-1]) / 2 - self.middle if len(columns) else 0.0
        return float(abs(aside) / self.hips)

    def runs(self, row: float) -> Runs:
        """Of the cloth in a row, without threads; the row above counts where there is none."""
        least = 0.04 * self.hips
        for y in range(round(row), int(self.top), -1):
            runs = [run for run in runs_in_row(self.mask, y) if run[1] - run[0] > least]
            if runs:
                return runs
        return [(int(self.middle - self.hips / 2), int(self.middle + self.hips / 2))]

    def line(self, row: float) -> float:
        """The middle line's column: from the middle of the waist to the crotch."""
        if self.crotch is None:
            return self.middle
        return float(np.interp(row, [self.top, self.crotch[1]], [self.middle, self.crotch[0]]))

    def ends(self, row: float, side: int) -> tuple[float, float]:
        """Columns of the outer and the inner edge of one half of the garment."""
        if self.crotch is not None and row > self.crotch[1]:
            return self._leg_ends(row, side)
        runs = self.runs(row)
        return float(runs[0][0] if side == 0 else runs[-1][1] - 1), self.line(row)

    def _leg_ends(self, row: float, side: int) -> tuple[float, float]:
        """Of this leg, where the other is longer too; the row above counts where it has none."""
        least = 0.04 * self.hips
        line = self.line(row)
        low, high = (0.0, line) if side == 0 else (line, float(self.mask.shape[1]))
        for y in range(round(row), int(self.top), -1):
            parts = [(max(a, low), min(b - 1.0, high)) for a, b in runs_in_row(self.mask, y)]
            parts = [part for part in parts if part[1] - part[0] > least]
            if parts:
                return parts[0] if side == 0 else parts[-1][::-1]
        return (low, line) if side == 0 else (high, line)

    def _hem(self, side: int) -> float:
        """The last row in which the leg is still about as wide as shortly before: a hem may lie aslant."""
        bottom = self._lowest(side)
        rows = np.arange(int(bottom - 0.12 * (bottom - self.top)), int(bottom) - 1)
        wide = np.array([abs(np.subtract(*self.ends(float(row), side))) for row in rows])
        there = np.flatnonzero(wide > 0.88 * np.median(wide[: max(1, len(wide) // 2)]))
        return float(rows[there[-1]]) if len(there) else bottom

    def _lowest(self, side: int) -> float:
        """Of one leg; of a skirt the lowest row of all."""
        if self.crotch is None:
            return self.bottom
        line = round(float(self.crotch[0]))
        half = self.mask[:, :line] if side == 0 else self.mask[:, line:]
        rows = np.flatnonzero(half.sum(1) > 0.04 * self.hips)
        return float(rows[-1] + 1) if len(rows) else self.bottom


def _width(runs: Runs) -> float:
    return float(runs[-1][1] - runs[0][0]) if runs else 0.0


def _sag(mask: Mask, points: BottomPoints, hips: float) -> float:
    (left, top), (right, _) = points.waist
    columns = np.linspace(left + 0.35 * (right - left), left + 0.65 * (right - left), 15)
    first = np.median(mask[:, columns.astype(int)].argmax(0))
    return float(np.clip(first - top, 0, 0.15 * hips))


def _wider_above(mask: Mask, hips: float) -> bool:
    """A bottom grows wider from its waist down; what it is hung by may not."""
    rows = np.flatnonzero(mask.any(1))
    upper = range(int(rows[0]) + 2, int(rows[0] + max(5.0, _WAISTBAND * hips)))
    wide = np.array([_width(runs_in_row(mask, row)) for row in upper])
    narrowest_below = np.minimum.accumulate(wide[::-1])[::-1]
    return bool(len(wide) and (wide - narrowest_below).max() > _STANDS_OUT * hips)


def _on_hanger(mask: Mask, points: BottomPoints) -> bool:
    """A hook and clips stand up above the waist, not at its ends: the hanger's bar and the inside of the back are in
    the picture with it.
    """
    (left, top), (right, _) = points.waist
    above, width = mask[: int(top)].astype(bool), float(right - left)
    inner = slice(int(left + _INSET * width), int(right - _INSET * width))
    wide = above.sum(1)
    standing = (wide > 0) & (wide < _HOOK * width) & (above[:, inner].sum(1) == wide)
    return bool(standing.sum() > _STANDS * width)
