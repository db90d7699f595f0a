"""Jackets that are open in front: between their fronts the ground shows on which they lie, and on somebody what is worn below."""

from itertools import pairwise

import cv2
import numpy as np

from selify.tryon.engine.arrays import Mask
from selify.tryon.engine.geometry import smooth
from selify.tryon.engine.outline import Runs, runs_in_row

# Of the outline's height: in which row the gap is looked for, how far it goes at least, and how high it goes up at least.
_LOOKED_AT, _TALL, _UP_TO = 0.55, 0.5, 0.4
# Of what is below its lower end: cloth at most.
_BELOW = 0.1
# Of the outline's width: what is wider lies between sleeves, and how wide the fronts' own rim is, where the ground shines
# through. Of its height: over how much of it their edges are evened out.
_WIDEST, _RIM, _EVEN = 0.4, 0.003, 0.015
# Of the picture's width: how far an edge goes aside from row to row.
_NEAR = 0.01


def opening_of(mask: Mask) -> Mask | None:
    """What lies between the fronts, down to the hem, with what shows there of the back, and on up to the picture's edge;
    None of one that is closed.
    """
    x0, y0, width, height = cv2.boundingRect(mask)
    middle, start = x0 + width // 2, y0 + int(_LOOKED_AT * height)
    down = _followed(mask, range(start, y0 + height), (middle, middle + 1))
    up = _followed(mask, range(start, y0 - 1, -1), (middle, middle + 1))
    rows = {**up, **down}
    if len(rows) < _TALL * height or min(rows, default=start) > y0 + _UP_TO * height:
        return None
    begin, end = rows[max(rows)]
    below = mask[max(rows) + 1 : y0 + height, begin:end]
    if below.size and below.mean() > _BELOW:
        return None
    if np.median([end - begin for begin, end in rows.values()]) > _WIDEST * width:
        return None
    edges = smooth(np.array([rows[row] for row in sorted(rows)]), int(_EVEN * height))
    first, rim = min(rows), max(1, int(_RIM * width))
    opening = np.zeros_like(mask)
    for row in range(max(rows) + 1):
        begin, end = edges[max(0, row - first)]
        opening[row, max(0, round(begin) - rim) : round(end) + rim] = 1
    return opening


def _followed(mask: Mask, rows: range, gap: tuple[int, int]) -> dict[int, tuple[int, int]]:
    """By row, where it begins and ends. Further up the back may stand in it: then each edge is followed by itself, and
    where it is covered it goes straight on.
    """
    near = max(1, int(_NEAR * mask.shape[1]))
    found: dict[int, tuple[int, int]] = {}
    for row in rows:
        gaps = _gaps(runs_in_row(mask, row))
        begins, ends = (
            [one for one in gaps if one[0] <= edge + near and one[1] > edge - near] for edge in gap
        )
        if not begins and not ends:
            break
        gap = begins[0][0] if begins else gap[0], ends[-1][1] if ends else gap[1]
        found[row] = gap
    return found


def _gaps(cloth: Runs) -> Runs:
    """Those with cloth on either side."""
    return [(left[1], right[0]) for left, right in pairwise(cloth)]
