"""The maker's tag inside the back of a neck, sewn or printed: the front of the garment begins below it."""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask
from selify.tryon.engine.masks import main_colours, nearest_colour
from selify.tryon.engine.points import TopPoints

# Where it is looked for, in widths of the collar: to either side of the middle, and down from the upper edge.
_ASIDE, _DOWN = 0.42, 1.3
# Prints begin where no tag ends, below the collar's points: in widths of the collar, and of the chest. Of 40 tags seen in
# photographs the lowest, in jackets, end at 0.44 of the chest; what was printed below a wide neck at 0.59.
_LOWEST, _LOWEST_ON_CHEST = 1.02, 0.5
# The width at which it is looked for, in pixels.
_LOOKED_AT = 160
# A tag has none of the cloth's colours (Lab of 8 bits): of the colours round the neck those that make up so much of it, of
# the whole garment's those that make up so much.
_OTHER_COLOUR, _OF_NECK, _OF_GARMENT, _COLOURS = 18.0, 0.2, 0.12, 5
# What is written on it and in it, as wide and as high as letters are apart, in pixels.
_LETTERS = (9, 5)
# Of a tag, in widths of the collar: width and height at least and at most, and how far off the middle it hangs.
_WIDTHS, _HEIGHTS, _OFF_MIDDLE = (0.07, 0.6), (0.03, 0.5), 0.13
# At least so wide for its height, and so much of its box filled.
_BROAD, _FILLED = 0.6, 0.6
# Prints come in numbers: nothing else above its end may be so large, of its area.
_ALONE = 0.5


def tag_end(bgr: Bgr, mask: Mask, points: TopPoints) -> float | None:
    """How far below the collar's points it ends, in pixels; None where none is seen."""
    width, middle = points.neck_width, (points.collar[0] + points.collar[1]) / 2
    left, right = (int(middle[0] + side * _ASIDE * width) for side in (-1, 1))
    left, right = max(0, left), min(mask.shape[1], right)
    columns = mask[:, left:right].any(0)
    if right - left < _LOOKED_AT // 8 or not columns.any():
        return None
    upper = int(np.median(mask[:, left:right].argmax(0)[columns]))
    lower = min(mask.shape[0], int(upper + _DOWN * width))
    if lower - upper < right - left:
        return None
    scale = _LOOKED_AT / (right - left)
    window = slice(upper, lower), slice(left, right)
    part = cv2.resize(bgr[window], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cloth = cv2.resize(mask[window], part.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    whole = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)[mask > 0]
    patches = _patches(_other_than_cloth(part, cloth, whole), cloth)
    tags = [patch for patch in patches if _is_tag(patch, part.shape, width * scale)]
    if not tags:
        return None
    first = min(tags, key=lambda patch: patch[1])
    end, area = first[1] + first[3], first[4]
    beside = [patch for patch in patches if patch[1] < end and patch[4] > _ALONE * area]
    below = upper + end / scale - float(middle[1])
    lowest = min(_LOWEST * width, _LOWEST_ON_CHEST * points.chest_width)
    return below if len(beside) == 1 and below < lowest else None


def _other_than_cloth(part: Bgr, cloth: Mask, whole: Array) -> Mask:
    lab = cv2.cvtColor(cv2.GaussianBlur(part, (0, 0), 1.0), cv2.COLOR_BGR2LAB).astype(np.float32)
    colours = main_colours(lab[cloth > 0], _COLOURS, _OF_NECK)
    colours += main_colours(whole, _COLOURS, _OF_GARMENT)
    odd = (nearest_colour(lab, colours, (1.0, 1.0, 1.0)) > _OTHER_COLOUR) & (cloth > 0)
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, _LETTERS)
    return np.asarray(cv2.morphologyEx(odd.astype(np.uint8), cv2.MORPH_CLOSE, kernel))


_Patch = tuple[int, int, int, int, int]
"""Left, upper, width, height, area."""


def _patches(odd: Mask, cloth: Mask) -> list[_Patch]:
    """Those that lie within the cloth."""
    height, width = odd.shape
    count, _, stats, _ = cv2.connectedComponentsWithStats(odd)
    found = []
    for x, y, w, h, area in stats[1:count].tolist():
        if x <= 1 or y <= 1 or x + w >= width - 1 or y + h >= height - 1:
            continue
        if cloth[max(0, y - 3) : y + h + 3, max(0, x - 3) : x + w + 3].mean() > 0.97:
            found.append((x, y, w, h, area))
    return found


def _is_tag(patch: _Patch, shape: tuple[int, ...], collar: float) -> bool:
    x, _, w, h, area = patch
    off = abs(x + w / 2 - shape[1] / 2)
    sized = _WIDTHS[0] < w / collar < _WIDTHS[1] and _HEIGHTS[0] < h / collar < _HEIGHTS[1]
    return sized and off < _OFF_MIDDLE * collar and w > _BROAD * h and area > _FILLED * w * h
