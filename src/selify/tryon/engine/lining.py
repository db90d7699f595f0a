"""Jackets that are open in their picture, where between the fronts not the ground shows but the inside of the back.

It is worn as it is in the picture, and said: to take it away is not safe, for a print or a placket looks much alike.
"""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask
from selify.tryon.engine.masks import blur
from selify.tryon.engine.outline import runs_in_row
from selify.tryon.engine.points import TopPoints
from selify.tryon.engine.segmenter import Question, Segmenter

_SIDE = 512
# In widths of the chest: how far beside the middle a front surely is, how far above the hem questions end, how far the
# middle may reach, where cloth beside an edge begins and ends, and how far colours are evened out.
_FRONT, _HEM, _MIDDLE, _BESIDE, _EVEN = 0.33, 0.06, 0.3, (0.02, 0.08), 0.006
# Of 172 photographed tops three are true of all of these, and all three are open: in how many rows of the trunk a strip is,
# how wide (narrower ones are zips; chests), how far its colour is from both fronts in nearly all rows (Lab of 8 bits), and
# how much of it neither front answers for (overlap).
_ALONG, _WIDTHS, _APART, _OF_NEITHER = 0.95, (0.05, 0.45), 12.0, 0.45
_ROWS, _NEARLY_ALL, _SEEN = 40, 15, 0.03


def lining_shows(bgr: Bgr, mask: Mask, top: TopPoints, segmenter: Segmenter) -> bool:
    """A strip down the middle has another colour than the cloth beside it, and is part of neither front."""
    first, last = int(top.armpits[0][1]), int(_bottom(top))
    if last <= first:
        return False
    middle, left, right = _asked(bgr, mask, top, segmenter)
    rows = np.linspace(first, last, _ROWS).astype(int)
    if not _stands_out(bgr, middle, rows, max(1.0, top.chest_width)):
        return False
    reach = int(_MIDDLE * top.chest_width)
    zone = slice(first, last), slice(max(0, int(top.axis) - reach), int(top.axis) + reach)
    neither = (mask & (1 - left) & (1 - right))[zone]
    either = int((neither | middle[zone]).sum())
    return int((neither & middle[zone]).sum()) > _OF_NEITHER * either


def _bottom(top: TopPoints) -> float:
    return float(np.median(np.asarray(top.hem)[:, 1])) - _HEM * top.chest_width


def _asked(bgr: Bgr, mask: Mask, top: TopPoints, segmenter: Segmenter) -> list[Mask]:
    """What the segmenter answers for the middle, for the left front and for the right."""
    x, y, width, height = cv2.boundingRect(mask)
    looked = segmenter.look(np.ascontiguousarray(bgr[y : y + height, x : x + width]), _SIDE)
    scale = looked.size[1] / width

    def line(aside: float, begin: float, count: int) -> list[tuple[float, float]]:
        across = (top.axis + aside * top.chest_width - x) * scale
        return [(across, (row - y) * scale) for row in np.linspace(begin, _bottom(top), count)]

    left, right = (line(aside, top.armpits[0][1], 5) for aside in (-_FRONT, _FRONT))
    middle = line(0.0, top.collar[0][1] + 0.45 * top.neck_width, 7)
    questions = {
        "middle": Question(middle, [*left, *right]),
        "left": Question(left, right),
        "right": Question(right, left),
    }
    masks = []
    for answer in looked.ask_all(questions).values():
        found = np.zeros_like(mask)
        found[y : y + height, x : x + width] = cv2.resize(answer.odds, (width, height)) > 0
        masks.append(found & mask)
    return masks


def _stands_out(bgr: Bgr, strip: Mask, rows: Array, chest: float) -> bool:
    soft = blur(bgr, max(1.0, _EVEN * chest))
    lab = cv2.cvtColor(soft, cv2.COLOR_BGR2LAB).astype(np.float32)
    near, far = (int(share * chest) for share in _BESIDE)
    widths, steps = [], []
    for row in rows:
        begin, end = max(runs_in_row(strip, row), key=lambda run: run[1] - run[0], default=(0, 0))
        widths.append(end - begin)
        beside = (
            lab[row, max(0, begin - far) : max(0, begin - near)],
            lab[row, end + near : end + far],
        )
        if end > begin and all(len(cloth) for cloth in beside):
            inside = np.median(lab[row, begin:end], 0)
            steps.append([np.linalg.norm(np.median(cloth, 0) - inside) for cloth in beside])
    along = np.mean(np.array(widths) > _SEEN * chest)
    if along < _ALONG or not _WIDTHS[0] <= np.median(widths) / chest <= _WIDTHS[1] or not steps:
        return False
    return bool((np.percentile(steps, _NEARLY_ALL, axis=0) >= _APART).all())
