"""Sleeves that lie against the body: where to cut between them, so that the outline shows the armpit.

A long sleeve that hangs along the body leaves no gap, and what has no armpit is taken for sleeveless. The segmenter
is asked for each such sleeve by itself. Its answer is believed where its inner edge is smooth and lies on an edge of
the picture: then it is a seam, and no guess.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Bgr, Mask, Points
from selify.tryon.engine.segmenter import Looked, Segmenter

SIDE = 512
# Shares of the garment's height.
_LIMB = (0.3, 0.42, 0.54, 0.66)
_ARMPIT_FROM = 0.3
_BODY = (0.35, 0.6, 0.85)
# What a sleeve can take of the garment's area.
_SLEEVE = (0.04, 0.24)
_SURE = 0.7


@dataclass(frozen=True, slots=True)
class _Shape:
    """A garment's mask and its measures in it."""

    mask: Mask
    top: int
    tall: int
    wide: int
    middle: float

    @classmethod
    def of(cls, mask: Mask) -> "_Shape":
        x, y, wide, tall = cv2.boundingRect(mask)
        return cls(mask, y, tall, wide, x + wide / 2)

    def has(self, x: float, y: float) -> bool:
        height, width = self.mask.shape
        return 0 <= x < width and 0 <= y < height and bool(self.mask[int(y), int(x)])


def sleeve_slits(segmenter: Segmenter, bgr: Bgr, mask: Mask, looked: Looked | None = None) -> Mask:
    """(H, W) of ``mask``: lines to be taken out of it. Of a garment whose armpits show, none.

    ``looked``: at this picture, reduced to ``SIDE``, where the segmenter has done so already.
    """
    slits = np.zeros_like(mask)
    factor = min(1.0, SIDE / max(mask.shape))
    size = round(mask.shape[1] * factor), round(mask.shape[0] * factor)
    shape = _Shape.of(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST))
    hidden = [side for side in SIDES if not _shows_armpit(shape, side)]
    if not hidden or not shape.tall:
        return slits
    looked = looked or segmenter.look(bgr, SIDE)
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    thick = max(2, round(0.003 * max(mask.shape)))
    for line in _lines(looked, small, shape, hidden):
        points = np.round((line + 0.5) / factor - 0.5).astype(np.int32)
        cv2.polylines(slits, [points.reshape(-1, 1, 2)], False, (1,), thick)
    return slits


def _lines(looked: Looked, bgr: Bgr, shape: _Shape, sides: list[int]) -> Iterator[Points]:
    for side in sides:
        sleeve = _sleeve(looked, shape, side)
        if sleeve is not None:
            line = _inner_edge(bgr, sleeve, shape, side)
            if line is not None:
                yield line


def _shows_armpit(shape: _Shape, side: int) -> bool:
    """The outline already goes in between sleeve and body on this side."""
    contours, _ = cv2.findContours(shape.mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return True
    contour = max(contours, key=len)
    hull = cv2.convexHull(contour, returnPoints=False)
    hull[::-1].sort(axis=0)
    try:
        defects = cv2.convexityDefects(contour, hull)
    except cv2.error:
        return False
    sign = 1 if side else -1
    for _, _, index, depth in [] if defects is None else defects[:, 0]:
        x, y = contour[index][0]
        beside = (x - shape.middle) * sign > 0.1 * shape.tall
        if (
            beside
            and depth / 256 > 0.025 * shape.tall
            and 0.15 < (y - shape.top) / shape.tall < 0.6
        ):
            return True
    return False


def _sleeve(looked: Looked, shape: _Shape, side: int) -> Mask | None:
    """What the segmenter answers for the outermost cloth of a side, if that is like a sleeve."""
    sign = 1 if side else -1
    limb = list(_outermost(shape, side))
    body = [
        (shape.middle - sign * share * shape.wide, shape.top + down * shape.tall)
        for share in (-0.12, 0.1)
        for down in _BODY
    ]
    body = [spot for spot in body if shape.has(*spot)]
    if len(limb) < 3 or not body:
        return None
    answer = looked.ask(limb, body)
    sleeve = ((answer.odds > 0) & (shape.mask > 0)).astype(np.uint8)
    return sleeve if answer.quality > _SURE and _is_like_a_sleeve(sleeve, shape, sign) else None


def _outermost(shape: _Shape, side: int) -> Iterator[tuple[float, float]]:
    """Points along the outer edge, a little inside, from below the shoulder down."""
    for share in _LIMB:
        y = int(shape.top + share * shape.tall)
        columns = np.flatnonzero(shape.mask[y])
        if len(columns):
            edge, inwards = (columns[-1], -1) if side else (columns[0], 1)
            spot = float(edge + inwards * 0.045 * shape.wide), float(y)
            if shape.has(*spot):
                yield spot


def _is_like_a_sleeve(sleeve: Mask, shape: _Shape, sign: int) -> bool:
    """Narrow, long, from high up, on its own side, and joined to the body all along."""
    if not _SLEEVE[0] < sleeve.sum() / max(1, int(shape.mask.sum())) < _SLEEVE[1]:
        return False
    rows, columns = np.nonzero(sleeve)
    beyond = ((columns - shape.middle) * sign > 0).mean() > 0.97
    long_enough = np.ptp(rows) > 0.35 * shape.tall and rows.min() < shape.top + 0.4 * shape.tall
    seam = cv2.dilate(sleeve, np.ones((5, 5), np.uint8)) & shape.mask & (1 - sleeve)
    seam[: shape.top + int(0.33 * shape.tall)] = 0
    return bool(beyond and long_enough and seam.any(1).sum() > 0.12 * shape.tall)


def _inner_edge(bgr: Bgr, sleeve: Mask, shape: _Shape, side: int) -> Points | None:
    """The smooth line between sleeve and body, from the armpit down to the garment's end."""
    first = shape.top + int(_ARMPIT_FROM * shape.tall)
    found = [
        (x, y)
        for y in range(first, shape.top + shape.tall)
        for x in _edge_in_row(sleeve, shape, y, side)
    ]
    if len(found) < 0.12 * shape.tall:
        return None
    xs, ys = np.array(found, float).T
    fit, good = _fitted(xs, ys)
    if np.mean(np.abs(np.polyval(fit, ys) - xs) < 0.02 * shape.wide) < 0.75:
        return None
    if not _lies_on_an_edge(bgr, xs, ys, shape):
        return None
    # As far as it was seen; from there straight on, the way it was going.
    rows = np.arange(first, shape.top + shape.tall + 1)
    last = float(ys[good].max())
    slope = float(np.clip(np.polyval(np.polyder(fit), last), -0.35, 0.35))
    beyond = np.polyval(fit, last) + slope * (rows - last)
    return np.stack([np.where(rows <= last, np.polyval(fit, rows), beyond), rows], 1)


def _edge_in_row(sleeve: Mask, shape: _Shape, y: int, side: int) -> Iterator[int]:
    columns = np.flatnonzero(sleeve[y])
    if len(columns):
        x = int(columns[0]) - 1 if side else int(columns[-1]) + 1
        if shape.has(x, y):
            yield x


def _fitted(xs: Array, ys: Array) -> tuple[Array, Array]:
    """A parabola, without the rows that stray from it, and which were kept."""
    fit = np.polyfit(ys, xs, 2)
    good = np.ones(len(xs), bool)
    for _ in range(3):
        off = np.abs(np.polyval(fit, ys) - xs)
        good = off < max(2.0, 2 * float(np.median(off)))
        fit = np.polyfit(ys[good], xs[good], 2)
    return fit, good


def _lies_on_an_edge(bgr: Bgr, xs: Array, ys: Array, shape: _Shape) -> bool:
    """Clearly more than folds and weave have everywhere."""
    grey = cv2.GaussianBlur(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), (0, 0), 1.2)
    steep = cv2.dilate(np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)), np.ones((1, 5), np.uint8))
    columns = np.clip(xs, 0, grey.shape[1] - 1).astype(int)
    inside = steep[cv2.erode(shape.mask, np.ones((7, 7), np.uint8)) > 0]
    if not inside.size:
        return False
    return float(np.median(steep[ys.astype(int), columns])) > 1.25 * float(np.median(inside)) + 2
