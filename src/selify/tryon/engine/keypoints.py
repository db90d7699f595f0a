"""Finding the points of a garment's outline: collar, shoulders, armpits, cuffs, hem, crotch."""

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Mask, Point, Points
from selify.tryon.engine.geometry import distance, lengths_along, smooth
from selify.tryon.engine.halves import both_alike
from selify.tryon.engine.outline import Outline, runs_in_row
from selify.tryon.engine.points import BottomPoints, Landmarks, Sleeve, TopPoints

_CUFF_SAMPLES = 80
# Of half the garment's width: how far from its axis the top of a neck lies, and that of straps.
_NECK, _STRAPS = 0.62, 0.9
# Of the height: how low the notches of armpits can be. The key: whether it is a dress.
_LOWEST_NOTCH = {True: 0.55, False: 0.8}
# In chests: how far sleeves go outwards beyond the armpit, and those of tees that lie down on the sides; how much wider
# these make the upper part than the middle (camisoles: 1.08 at most, tees 1.25 and more).
_SLEEVE, _SHORT_SLEEVE, _WIDER = 0.2, 0.12, 1.16
# Of the height: how far apart the armpits of such sleeves are.
_LEVEL = 0.06
# Of the trunk's width: how far apart straps are.
_STRAPS_APART = 0.5
# Pixels of outline between armpit and collar, and between the armpits.
_FEWEST = 16


def bottom_points(mask: Mask) -> BottomPoints:
    """Waist and crotch: the highest row from which two legs go down."""
    outline = Outline.of(mask)
    waist_row = _waist_row(outline)
    columns = np.flatnonzero(mask[waist_row])
    waist = np.array([columns[0], waist_row]), np.array([columns[-1], waist_row])
    box = outline.x0, outline.y0, outline.x1, outline.y1
    return BottomPoints(waist, _crotch(outline), box)


def _waist_row(outline: Outline) -> int:
    """The first row that is nearly as wide as the waistband: its top edge is often uneven."""
    first = outline.y0 + max(1, int(0.01 * outline.height))
    last = outline.y0 + max(2, int(0.12 * outline.height))
    spans = np.array([np.ptp(np.flatnonzero(outline.mask[y])) for y in range(first, last)])
    return first + int(np.flatnonzero(spans >= 0.85 * np.median(spans))[0])


def _crotch(outline: Outline) -> Point | None:
    first, last = outline.y0 + 0.2 * outline.height, outline.y0 + 0.9 * outline.height
    for y in range(int(first), int(last)):
        legs = [r for r in runs_in_row(outline.mask, y) if r[1] - r[0] > 0.08 * outline.width]
        if len(legs) >= 2:
            return np.array([(legs[0][1] + legs[1][0]) / 2, float(y)])
    return None


def top_points(mask: Mask, *, dress: bool) -> TopPoints:
    """Key points of a top or a dress laid flat, upright, seen from the front."""
    outline = Outline.of(mask)
    left, right = (_highest_beside(outline, _half_width(outline), side) for side in SIDES)
    ends = _collar(outline, left, right, outline.axis)
    collar = [outline.nearest(p) for p in ends]
    collar, pits, sleeved = _armpits(outline, collar, dress)
    # The armholes of a long dress are too small for this measure, and straps have none.
    seen = sleeved or dress or _between_straps(outline, left, right)
    seen = seen or None not in _deep_notches(outline, _LOWEST_NOTCH[dress])
    below = outline.walk(pits[1], pits[0])
    first, second = _corners(below)
    sides = below[second:][::-1], below[: first + 1]
    over = outline.walk(pits[0], collar[0])[::-1], outline.walk(collar[1], pits[1])
    points = [outline.contour[i] for i in collar]
    lines, holes, sleeves = _arms(outline, over, (sides[0][0], sides[1][0]), sleeved)
    found = TopPoints(
        collar=(points[0], points[1]),
        neck=outline.walk(*collar),
        shoulder_lines=lines,
        armholes=(holes[0], holes[1]),
        sides=sides,
        hem=below[first : second + 1][::-1],
        sleeves=sleeves,
        axis=outline.axis,
        box=(outline.x0, outline.y0, outline.x1, outline.y1),
        arms_seen=seen,
    )
    return both_alike(mask, found, dress=dress)


def points_at(mask: Mask, marks: Landmarks) -> TopPoints:
    """Key points of a top or a dress of which more is known than its outline shows: somebody wears it.

    Raises ValueError where the outline has no room for them.
    """
    outline = Outline.of(mask)
    reach = float(marks.shoulders[0][0]), float(marks.shoulders[1][0])
    middle, gap = sum(reach) / 2, 0.02 * outline.width
    left, right = (
        _highest(outline, reach[0], middle - gap),
        _highest(outline, middle + gap, reach[1]),
    )
    ends = _collar(outline, left, right, middle)
    collar = [outline.nearest(p) for p in ends]
    pits = [outline.nearest(p) for p in marks.armpits]
    collar, pits = _in_walking_order(outline, collar, pits)
    below = outline.walk(pits[1], pits[0])
    first, second = _corners(below)
    sides = below[second:][::-1], below[: first + 1]
    ways = outline.walk(pits[0], collar[0])[::-1], outline.walk(collar[1], pits[1])
    if min(len(path) for path in (below, *ways)) < _FEWEST:
        raise ValueError("The points lie too close together.")
    tips = [_nearest_on(way, tip) for way, tip in zip(ways, marks.shoulders, strict=True)]
    tips = [max(3, min(tip, len(way) - 8)) for tip, way in zip(tips, ways, strict=True)]
    lines = [way[: tip + 1] for way, tip in zip(ways, tips, strict=True)]
    rests = [way[tip:] for way, tip in zip(ways, tips, strict=True)]
    holes, sleeves = (rests[0], rests[1]), None
    if marks.cuffs is not None:
        straight = [np.vstack([rest[0], rest[-1]]).astype(float) for rest in rests]
        holes = straight[0], straight[1]
        sleeves = _sleeve_to(rests[0], marks.cuffs[0]), _sleeve_to(rests[1], marks.cuffs[1])
    return TopPoints(
        collar=(outline.contour[collar[0]], outline.contour[collar[1]]),
        neck=outline.walk(*collar),
        shoulder_lines=(lines[0], lines[1]),
        armholes=holes,
        sides=sides,
        hem=below[first : second + 1][::-1],
        sleeves=sleeves,
        axis=outline.axis,
        box=(outline.x0, outline.y0, outline.x1, outline.y1),
    )


def _nearest_on(path: Points, point: Point) -> int:
    return int(((path - point) ** 2).sum(1).argmin())


def _sleeve_to(path: Points, cuff: tuple[Point, Point]) -> Sleeve:
    """``path`` from shoulder over the cuff to the armpit."""
    outer = max(1, min(_nearest_on(path, cuff[0]), len(path) - 3))
    inner = outer + 1 + _nearest_on(path[outer + 1 :], cuff[1])
    inner = min(inner, len(path) - 2)
    return Sleeve(path[: outer + 1].astype(float), path[inner:][::-1].astype(float))


def _in_walking_order(
    outline: Outline, collar: list[int], pits: list[int]
) -> tuple[list[int], list[int]]:
    """Turn the contour so that it meets collar left, right, armpit right, left in this order."""
    count = len(outline.contour)
    steps = [(i - collar[0]) % count for i in (collar[1], pits[1], pits[0])]
    if steps[0] < steps[1] < steps[2]:
        return collar, pits
    outline.reverse()
    return [count - 1 - i for i in collar], [count - 1 - i for i in pits]


def _half_width(outline: Outline) -> float:
    """Of the trunk: half the median row."""
    rows = range(int(outline.y0 + 0.45 * outline.height), int(outline.y0 + 0.8 * outline.height))
    return 0.5 * float(np.median([outline.mask[y].sum() for y in rows]))


def _collar(outline: Outline, left: Array, right: Array, middle: float) -> tuple[Point, Point]:
    """Between the highest columns of the upper outline on either side of the middle."""
    if not len(left) or not len(right):
        x_left, x_right = int(middle), int(middle)
    elif _dips(outline, int(left.max()), int(right.min())):
        # A strap's top is level: its inner end is the collar.
        x_left, x_right = int(left.max()), int(right.min())
    else:
        # The back of the collar is level too: the shoulders' ends are the collar.
        x_left, x_right = _alike(outline, int(left.min()), int(right.max()), middle)
    return np.array([x_left, outline.top[x_left]]), np.array([x_right, outline.top[x_right]])


def _alike(outline: Outline, left: int, right: int, middle: float) -> tuple[int, int]:
    """As far out on one side as on the other, where the outline is as high there: creases move either end."""
    reach = (right - left) / 2
    level = max(outline.top[left], outline.top[right]) + 0.02 * outline.height
    ends = int(max(outline.x0, middle - reach)), int(min(outline.x1, middle + reach))
    return ends if max(outline.top[end] for end in ends) <= level else (left, right)


def _highest_beside(outline: Outline, half: float, side: int) -> Array:
    """Columns of the top on one side of the axis, near it; where it still rises outwards there, straps lie further out."""
    sign = 1 if side else -1
    inner = outline.axis + sign * 0.02 * outline.width
    for reach in (_NECK, _STRAPS):
        outer = outline.axis + sign * reach * half
        found = _highest(outline, min(inner, outer), max(inner, outer))
        if not len(found) or np.abs(found - outer).min() > 0.04 * half:
            break
    return found


def _dips(outline: Outline, left: int, right: int) -> bool:
    """Whether the outline clearly goes down between two columns of its top."""
    if right - left < 3:
        return False
    level = (outline.top[left] + outline.top[right]) / 2
    third = (right - left) // 3
    between = outline.top[left + third : right - third + 1]
    return bool(np.median(between) - level > 0.15 * (right - left))


def _highest(outline: Outline, low: float, high: float) -> Array:
    """Columns between low and high where the garment reaches nearly its highest there."""
    columns = np.arange(max(outline.x0, int(low)), min(outline.x1, int(high)))
    if not len(columns):
        return columns
    exact = outline.top[columns].astype(np.float32).reshape(1, -1)
    rows = cv2.GaussianBlur(exact, (0, 0), max(1, 0.006 * outline.width)).ravel()
    return np.asarray(columns[rows <= rows.min() + 0.006 * outline.height])


def _armpits(outline: Outline, collar: list[int], dress: bool) -> tuple[list[int], list[int], bool]:
    """Collar and armpits as indices of the (turned) contour, and whether sleeves begin there."""
    pits = _notch_pair(outline, dress)
    if pits is not None:
        collar, pits = _in_walking_order(outline, collar, pits)
        if _are_sleeves(outline, collar, pits):
            return collar, pits, True
    share = 0.2 if dress else 0.3
    ends = outline.ends_of_row(int(outline.y0 + share * outline.height))
    return *_in_walking_order(outline, collar, ends), False


def _notch_pair(outline: Outline, dress: bool) -> list[int] | None:
    pits = _deep_notches(outline, _LOWEST_NOTCH[dress])
    missing = [k for k in SIDES if pits[k] is None]
    if len(missing) == 1:
        pits = _mirrored(outline, pits, missing[0])
    left, right = pits
    return None if left is None or right is None else [left, right]


def _deep_notches(outline: Outline, lowest: float) -> list[int | None]:
    """The deepest convexity defect on each side, where armpits can be."""
    contour = outline.contour.reshape(-1, 1, 2).astype(np.int32)
    hull = cv2.convexHull(contour, returnPoints=False)
    hull[::-1].sort(axis=0)
    found: list[tuple[int, float] | None] = [None, None]
    try:
        defects = cv2.convexityDefects(contour, hull)
    except cv2.error:
        defects = None
    for _, _, index, depth in [] if defects is None else defects[:, 0]:
        x, y = outline.contour[index]
        deep = depth / 256
        share = (y - outline.y0) / outline.height
        off_axis = (x - outline.axis) / outline.width
        if deep < 0.025 * outline.height or not 0.12 < share < lowest or abs(off_axis) < 0.08:
            continue
        side = int(off_axis > 0)
        best = found[side]
        if best is None or deep > best[1]:
            found[side] = (int(index), deep)
    return [None if pit is None else pit[0] for pit in found]


def _between_straps(outline: Outline, left: Array, right: Array) -> bool:
    """``left``, ``right``: the highest columns on either side. A shirt's collar dips too, and is narrow."""
    if not len(left) or not len(right):
        return False
    wide = int(right.min()) - int(left.max()) > _STRAPS_APART * 2 * _half_width(outline)
    return wide and _dips(outline, int(left.max()), int(right.min()))


def _mirrored(outline: Outline, pits: list[int | None], missing: int) -> list[int | None]:
    """The one that was found, mirrored on the axis, if the outline passes there; else none."""
    known = pits[1 - missing]
    if known is None:
        return pits
    x, y = outline.contour[known]
    mirror = np.array([2 * outline.axis - x, y])
    index = outline.nearest(mirror)
    if distance(outline.contour[index], mirror) >= 0.12 * outline.height:
        return [None, None]
    return [index, known] if missing == 0 else [known, index]


def _are_sleeves(outline: Outline, collar: list[int], pits: list[int]) -> bool:
    """An armhole is no sleeve, and a strap that lies aside is none either: short sleeves make the upper part wider."""
    reaches = _reaches(outline, collar, pits)
    if max(reaches) >= _SLEEVE:
        return True
    apart = abs(int(outline.contour[pits[0]][1]) - int(outline.contour[pits[1]][1]))
    wider = _widest(outline, 0.05, 0.4) > _WIDER * _widest(outline, 0.4, 0.55)
    return min(reaches) >= _SHORT_SLEEVE and apart < _LEVEL * outline.height and wider


def _widest(outline: Outline, above: float, below: float) -> float:
    """Of the rows between two shares of the height, in pixels."""
    rows = slice(int(outline.y0 + above * outline.height), int(outline.y0 + below * outline.height))
    return float(outline.mask[rows].sum(1).max())


def _reaches(outline: Outline, collar: list[int], pits: list[int]) -> tuple[float, float]:
    """How far the ways from collar to armpit go outwards beyond it, left and right, in chests."""
    ways = outline.walk(pits[0], collar[0]), outline.walk(collar[1], pits[1])
    points = [outline.contour[i] for i in pits]
    chest = max(1.0, distance(points[0], points[1]))
    left = points[0][0] - ways[0][:, 0].min()
    right = ways[1][:, 0].max() - points[1][0]
    return float(left / chest), float(right / chest)


def _corners(path: Points, samples: int = 48) -> tuple[int, int]:
    """Two indices of the open path that, with its ends, span the largest quadrilateral."""
    index = np.linspace(0, len(path) - 1, min(samples, len(path))).astype(int)
    points = path[index].astype(float)
    best, corners = -1.0, (len(path) // 3, 2 * len(path) // 3)
    for i in range(1, len(points) - 2):
        area = _spanned(points, i, points[i + 1 : -1])
        k = int(area.argmax())
        if area[k] > best:
            best, corners = float(area[k]), (int(index[i]), int(index[i + 1 + k]))
    return corners


def _cuff(path: Points, root: Point) -> tuple[int, int]:
    """Two indices of the path from shoulder to armpit: the ends of the cuff.

    It is a straight piece of the outline, far from the armhole's middle (``root``), and begins and ends at corners:
    the upper edge of a wide sleeve is straight as well, but goes on smoothly from the shoulder.
    """
    index = np.linspace(0, len(path) - 1, min(_CUFF_SAMPLES, len(path))).astype(int)
    points = path[index].astype(float)
    along, sharp = lengths_along(points), _sharpness(path, index)
    far = np.hypot(*(points - root).T)
    far = np.sqrt(far / far.max())
    armhole = max(1e-6, distance(points[0], points[-1]))
    best, ends = -1.0, (len(path) // 3, 2 * len(path) // 3)
    for i in range(1, len(points) - 2):
        rest = slice(i + 1, len(points))
        chord = np.hypot(*(points[rest] - points[i]).T)
        straight = chord / np.maximum(along[rest] - along[i], 1e-6)
        wide = np.minimum(1, chord / (0.45 * armhole)) * np.minimum(
            1, 1.1 * armhole / np.maximum(chord, 1)
        )
        score = _spanned(points, i, points[rest]) * straight**2 * wide
        score *= np.minimum(far[i], far[rest]) * sharp[i] * sharp[rest]
        k = int(score.argmax())
        if score[k] > best:
            best, ends = float(score[k]), (int(index[i]), int(index[i + 1 + k]))
    return ends


def _spanned(points: Points, corner: int, others: Points) -> Array:
    """Twice the areas of the quadrilaterals of the path's ends, this corner and each of the others."""
    first, last = points[0], points[-1]
    area = _twice_area(points[corner] - first, others - first)
    return area + _twice_area(others - first, np.broadcast_to(last - first, others.shape))


def _sharpness(path: Points, index: Array) -> Array:
    """Of points on the path: 1 at an outward corner of 50 degrees and more, little where it goes straight on."""
    smoothed = smooth(path, 2)
    reach = max(2, int(0.05 * len(path)))
    before = smoothed[index] - smoothed[np.maximum(index - reach, 0)]
    after = smoothed[np.minimum(index + reach, len(path) - 1)] - smoothed[index]
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turn = np.degrees(np.arctan2(cross, (before * after).sum(1)))
    x, y = smoothed.T
    outwards = np.sign((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())
    sharp = 0.1 + 0.9 * np.clip(turn * outwards / 50, 0, 1)
    # A short sleeve's cuff may end in the armpit itself.
    sharp[-1] = 0.7
    return np.asarray(sharp)


def _twice_area(a: Array, b: Array) -> Array:
    return np.asarray(np.abs(a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]))


_Pair = tuple[Points, Points]


def _arms(
    outline: Outline, over: _Pair, pits: tuple[Point, Point], sleeved: bool
) -> tuple[_Pair, _Pair, tuple[Sleeve, Sleeve] | None]:
    """Split the paths collar to armpit (``over``): shoulder lines, armholes, sleeves."""
    left = np.asarray(over[0])
    right = np.asarray(over[1])
    if not sleeved or min(len(left), len(right)) < _FEWEST:
        cuts = [_strap_end(path, side, outline.height) for side, path in enumerate((left, right))]
        lines = left[: cuts[0] + 1], right[: cuts[1] + 1]
        return lines, (left[cuts[0] :], right[cuts[1] :]), None
    chest = abs(pits[1][0] - pits[0][0])
    tips = [_shoulder_tip(path, pits[k], k, chest) for k, path in enumerate((left, right))]
    lines = left[: tips[0] + 1], right[: tips[1] + 1]
    holes = tuple(np.vstack([line[-1], pits[k]]).astype(float) for k, line in enumerate(lines))
    sleeves = [_sleeve(path[tips[k] :], pits[k]) for k, path in enumerate((left, right))]
    return lines, (holes[0], holes[1]), (sleeves[0], sleeves[1])


def _strap_end(path: Points, side: int, height: int) -> int:
    """Outer end of a strap: the corner between it and the armhole, on the outer side of the way to the armpit."""
    points = path.astype(float)
    line = points[-1] - points[0]
    off = line[0] * (points - points[0])[:, 1] - line[1] * (points - points[0])[:, 0]
    off *= (-1 if side else 1) / max(1.0, float(np.hypot(*line)))
    corner = int(off.argmax()) if off.max() > 0.02 * height else int(len(points) * 0.3)
    return max(2, min(corner, len(points) - 3))


def _shoulder_tip(path: Points, pit: Point, side: int, chest: float) -> int:
    """On the upper outline above the armpit, a little outwards."""
    sign = 1 if side else -1
    outwards = sign * path[:, 0]
    aim = max(sign * pit[0] + 0.04 * chest, sign * path[0][0] + 0.10 * chest)
    beyond = np.flatnonzero(outwards >= aim)
    tip = int(beyond[0]) if len(beyond) else int(len(path) * 0.4)
    return max(3, min(tip, len(path) - 8))


def _sleeve(path: Points, pit: Point) -> Sleeve:
    """``path`` from shoulder over the cuff to the armpit."""
    root = (path[0] + pit) / 2
    first, second = _cuff(path, root) if len(path) > 12 else (len(path) // 3, 2 * len(path) // 3)
    return Sleeve(path[: first + 1].astype(float), path[second:][::-1].astype(float))
