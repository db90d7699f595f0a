"""The front neckline of a garment laid flat, where the inside of its back shows above it."""

import warnings
from dataclasses import dataclass, replace

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask, Point, Points
from selify.tryon.engine.geometry import resample, smooth
from selify.tryon.engine.masks import grown, parts_touching, pixel, polygon
from selify.tryon.engine.points import TopPoints
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.engine.tag import tag_end

_SAMPLES = 60
_DEPTHS = 50
_MIN_EVIDENCE = 2.0
_INTO_FRONT = 0.02
# Where the front begins, in widths of the collar: inside the collar's points, on them, or further out on the shoulders
# where the back of a wide neck stands higher than its front.
_INSETS = (0.06, 0.03, 0.0, -0.06, -0.12, -0.18, -0.25, -0.33, -0.42)
# An outline without sleeves that dips this far (in widths of the collar) lies between straps.
_OPEN = 0.3
# How far (in widths of the collar) a back is above the front at least that is seen behind it; lace stands as high as 0.05.
_STANDS = 0.065
# Pixels to either side over which an outline's steps are evened out.
_SMOOTHED = 4
# What the segmenter is asked, in widths of the collar from the middle between its points (right, down): inside the back, at
# these places and so far below its upper edge; and on front, shoulders and wall.
_BACK, _BELOW_EDGE = (-0.22, -0.1, 0.0, 0.1, 0.22), 0.05
_FRONT = (
    (-0.5, 0.35),
    (0.5, 0.35),
    (-0.4, 0.8),
    (0.4, 0.8),
    (0, 0.9),
    (0, 1.1),
    (-0.8, 0.5),
    (0.8, 0.5),
    (0, -0.4),
)
_LOOKED_AT, _ASKED_SIDE = (1.1, 0.6, 1.4), 512
# An answer is believed that spans the collar, does not run out along the shoulders, and ends below in such a curve.
_SPANS, _RUNS_OUT, _OFF_CURVE = 0.8, 0.19, 0.05
_NEAR_COLLAR = (0.06, 0.03, 0.0, -0.06, -0.12)
# A V is deeper than this, in widths of the collar.
_ROUND, _POINTED = 2.0, 0.35
_BAND = 0.2
# Below a print's upper edge, so far in widths of the collar, is still print; below a neck, or its band, is the front's cloth.
_IN_PRINT = (0.06, 0.14, 0.24)
# Where the front's cloth is looked up, for prints seldom are there: so far from the middle, in widths of the collar, and so
# far down, in lengths; of colours that are at least so frequent there as the most frequent one.
_BESIDE, _BELOW_PRINT, _FREQUENT, _COLOUR_BINS = 0.75, 0.7, 0.1, (16, 16, 16)
# Two answers are one whose depths differ by less, in widths of the collar.
_ALIKE = 0.08
# Where nothing but the tag tells: where the curve begins and how far below the tag it goes, in widths of the collar.
_BESIDE_TAG, _BELOW_TAG = -0.06, 0.08
# Shapes of the curve, and how usual they are.
_POWERS = {2.0: 1.0, 3.5: 0.9, 1.15: 0.75}


@dataclass(frozen=True, slots=True)
class Neckline:
    """A curve between two points of the outline, (left, right). ``depth`` below them in garment pixels.

    ``confidence`` 0..1: how clearly its edge was seen; 0: the depth is the outline's own. ``power``: 2 is a parabola,
    more is flatter below, as a U, and less is sharper, as a V. ``outline``: between straps, what is seen of it.
    """

    ends: tuple[Point, Point]
    depth: float
    confidence: float
    power: float = 2.0
    outline: Points | None = None

    def curve(self, count: int) -> Points:
        """``count`` points from the left end to the right."""
        if self.outline is not None:
            return resample(self.outline, count)
        return curve(*self.ends, self.depth, np.linspace(0, 1, count), self.power)

    def shape(self, count: int) -> tuple[Array, Array]:
        """The curve as shares of the way from end to end, and of its depth below that way."""
        if self.outline is None:
            share = np.linspace(0, 1, count)
            return share, bow(share, self.power)
        left, right = self.ends
        way = right - left
        x, y = (self.curve(count) - left).T
        share = x / max(1.0, float(way[0]))
        return share, (y - share * way[1]) / max(1.0, self.depth)

    def front(self, count: int) -> Points:
        """The same, moved a little into the front: no line of the inside is left on it."""
        if self.outline is not None:
            return self.curve(count)
        left, right = self.ends
        away = _INTO_FRONT * (right[0] - left[0])
        ends = left - np.array([away, 0]), right + np.array([away, 0])
        return curve(*ends, self.depth + away, np.linspace(0, 1, count), self.power)


def open_neck(points: TopPoints) -> Neckline:
    """Of a jacket that hangs open: the front has none, and its back ends on the neck."""
    return Neckline(points.collar, 0.0, 0.0)


NO_NECKLINE = Neckline((np.zeros(2), np.zeros(2)), 0.0, 0.0)
"""Of trousers and skirts."""


def find_neckline(
    bgr: Bgr, mask: Mask, points: TopPoints, segmenter: Segmenter | None = None
) -> Neckline:
    """Where the inside of the back ends, as the segmenter sees it; where it does not, and without one, by its edge."""
    left, right = (np.asarray(p, float) for p in points.collar)
    width = points.neck_width
    depth = outline_depth(mask, left, right)
    between_straps = points.sleeves is None and depth > _OPEN * width
    outline = smooth(points.neck, _SMOOTHED) if between_straps else None
    if width <= 0.06 * (points.box[2] - points.box[0]):
        return Neckline((left, right), depth, 0.0, outline=outline)
    edges = _edges(bgr, mask, points)
    clearest = edges.clearest(depth)
    if outline is not None:
        own = Neckline((left, right), depth, 0.0, outline=outline)
        return own if clearest is None else _below(outline, clearest)
    back = None if segmenter is None else _inside_back(segmenter, bgr, mask, points)
    seen = None if back is None else _below_back(back, mask, points, depth)
    tag = None if _agree(seen, clearest, width) else tag_end(bgr, mask, points)
    end = depth if tag is None else max(tag, depth)
    if end > depth:
        # The front begins below the tag, also where it looks like the back.
        clearest = edges.clearest(end)
        seen = None if back is None else _below_back(back, mask, points, end)
    # All of the back that is seen, or only its band with the label.
    if seen is not None and seen.depth < _BAND * width and clearest is not None:
        seen = clearest if clearest.confidence > 0.5 and clearest.depth < 0.5 * width else seen
    if end > depth and seen is None and clearest is None:
        return Neckline(_ends(mask, points, _BESIDE_TAG), end + _BELOW_TAG * width, 0.0)
    return seen or clearest or Neckline((left, right), depth, 0.0)


def _agree(seen: Neckline | None, clearest: Neckline | None, width: float) -> bool:
    """Both on more than the back's band."""
    if seen is None or clearest is None:
        return False
    apart, least = abs(seen.depth - clearest.depth), min(seen.depth, clearest.depth)
    return apart < _ALIKE * width and least > _BAND * width


@dataclass(frozen=True, slots=True)
class _Edges:
    """How clear an edge each curve has that might be the neckline, weighed by what is usual: ``scores`` (starts, powers,
    depths) of curves from one of ``starts``, a pair of ends, as deep as one of ``depths``. ``step``: what two depths differ
    by before they can be told apart, in pixels.
    """

    starts: list[tuple[Point, Point]]
    depths: Array
    scores: Array
    step: float

    def clearest(self, depth: float) -> Neckline | None:
        """Of those below the outline's own neck, ``depth`` deep."""
        scores = self.scores * (self.depths > depth + 1.5 * self.step)
        start, shape, best = (int(i) for i in np.unravel_index(scores.argmax(), scores.shape))
        found = float(scores[start, shape, best])
        if found <= _MIN_EVIDENCE:
            return None
        confidence = min(1.0, found / (3 * _MIN_EVIDENCE))
        return Neckline(
            self.starts[start], float(self.depths[best]), confidence, list(_POWERS)[shape]
        )


def _edges(bgr: Bgr, mask: Mask, points: TopPoints) -> _Edges:
    width, tall = points.neck_width, points.box[3] - points.box[1]
    sigma = max(0.8, 0.0025 * (points.box[2] - points.box[0]))
    lab = cv2.cvtColor(cv2.GaussianBlur(bgr, (0, 0), sigma), cv2.COLOR_BGR2LAB).astype(np.float32)
    step = max(2.0, 0.008 * tall)
    depths = np.linspace(0.02 * tall, min(0.36 * tall, 1.25 * width), _DEPTHS)
    starts = [_ends(mask, points, inset) for inset in _INSETS]
    tried = [
        [_evidence(lab, mask, ends, depths, power, step) for power in _POWERS] for ends in starts
    ]
    usual = np.interp(
        depths / width, [0.05, 0.2, 0.35, 0.55, 0.9, 1.25], [0.3, 0.8, 1, 1, 0.75, 0.5]
    )
    scores = np.array(tried) * usual
    # What lies further out than the collar has to be clearer.
    scores *= np.where(np.array(_INSETS) < 0, 0.85, 1)[:, None, None]
    scores *= np.array(list(_POWERS.values()))[:, None]
    own = _of_front(lab, mask, points)
    print_edges = np.array(
        [[_of_print(own, ends, depths, power, width) for power in _POWERS] for ends in starts]
    )
    scores *= (1 - print_edges) ** 2
    return _Edges(starts, depths, scores, step)


def _inside_back(segmenter: Segmenter, bgr: Bgr, mask: Mask, points: TopPoints) -> Mask:
    """What seems to be the inside of the back, (H, W); an answer to be doubted."""
    width, middle = points.neck_width, (points.collar[0] + points.collar[1]) / 2
    aside, above, below = (share * width for share in _LOOKED_AT)
    x0, y0 = np.maximum(middle - np.array([aside, above]), 0).astype(int)
    x1, y1 = np.minimum(middle + np.array([aside, below]), mask.shape[::-1]).astype(int)
    look = segmenter.look(np.ascontiguousarray(bgr[y0:y1, x0:x1]), _ASKED_SIDE)
    scale = look.size[1] / (x1 - x0)
    columns = [int(np.clip(middle[0] + share * width, x0, x1 - 1)) for share in _BACK]
    edges = [(x, mask[:, x].argmax() + _BELOW_EDGE * width) for x in columns]
    inside, outside = np.array(edges), middle + width * np.array(_FRONT)
    odds = look.ask((inside - (x0, y0)) * scale, (outside - (x0, y0)) * scale).odds
    found = np.zeros_like(mask)
    part = cv2.resize(odds, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_LINEAR)
    found[y0:y1, x0:x1] = part > 0
    return parts_touching(found & mask, _dots(mask.shape, inside))


def _dots(shape: tuple[int, ...], points: Points) -> Mask:
    dots = np.zeros(shape, np.uint8)
    for point in points:
        cv2.circle(dots, pixel(point), 1, (1,), -1)
    return dots


def _below_back(back: Mask, mask: Mask, points: TopPoints, own: float) -> Neckline | None:
    """The curve in which the inside of the back ends, deeper than the outline's ``own``; None where it does not look like
    one.
    """
    (left, right), width = points.collar, points.neck_width
    x = np.linspace(left[0] + 0.1 * width, right[0] - 0.1 * width, _SAMPLES)
    columns = back[:, x.astype(int)]
    there = columns.any(0)
    if there.mean() < _SPANS:
        return None
    lower = (back.shape[0] - columns[::-1].argmax(0))[there]
    x = x[there]
    best, neckline = _OFF_CURVE * width, None
    for inset in _NEAR_COLLAR:
        ends = _ends(mask, points, inset)
        share = (x - ends[0][0]) / (ends[1][0] - ends[0][0])
        chord = ends[0][1] + share * (ends[1][1] - ends[0][1])
        for power in _POWERS:
            shape = np.maximum(bow(share, power), 0.05)
            depth = float(np.median((lower - chord) / shape))
            off = float(np.abs(chord + depth * shape - lower).mean())
            pointed = power < _ROUND and depth < _POINTED * width
            if off < best and depth > own + 0.02 * width and not pointed:
                best, neckline = off, Neckline(ends, depth, 1.0, power)
    if neckline is None:
        return None
    above = np.array([0, 0.5 * width])
    within = np.vstack([neckline.curve(_SAMPLES), right - above, left - above])
    beyond = back & (1 - grown(polygon(back.shape, within), 0.03 * width))
    return neckline if beyond.sum() < _RUNS_OUT * back.sum() else None


def _below(outline: Points, neckline: Neckline) -> Neckline:
    """Straps as the outline shows them, and between them the front where the back stands clearly above it."""
    line = neckline.curve(_SAMPLES)
    start, width = outline[0], outline[-1][0] - outline[0][0]
    deep = outline[:, 1] - start[1] > 0.5 * np.ptp(outline[:, 1])
    lower = np.interp(outline[:, 0], *line.T)
    if not deep.any() or np.percentile((lower - outline[:, 1])[deep], 75) < _STANDS * width:
        lower = outline[:, 1]
    path = np.where(deep, np.maximum(outline[:, 1], lower), outline[:, 1])
    return replace(neckline, ends=(start, outline[-1]), outline=np.stack([outline[:, 0], path], 1))


def _ends(mask: Mask, points: TopPoints, inset: float) -> tuple[Point, Point]:
    """``inset`` collar widths inside its points, at their height; outside of them, on the outline."""
    left, right = (np.asarray(p, float) for p in points.collar)
    move = inset * points.neck_width
    ends = left + np.array([move, 0]), right - np.array([move, 0])
    if inset >= 0:
        return ends
    columns = [int(np.clip(end[0], 0, mask.shape[1] - 1)) for end in ends]
    first, second = (
        np.array([x, mask[:, x].argmax() if mask[:, x].any() else end[1]], float)
        for x, end in zip(columns, ends, strict=True)
    )
    return first, second


def curve(left: Array, right: Array, depth: float, share: Array, power: float = 2.0) -> Points:
    """Points below the line between two ends; ``share`` 0 at the left one, 1 at the right."""
    points = left * (1 - share[:, None]) + right * share[:, None]
    points[:, 1] += depth * bow(share, power)
    return np.asarray(points)


def bow(share: Array, power: float = 2.0) -> Array:
    """0 at the ends, 1 in the middle."""
    return np.asarray(1 - np.abs(2 * share - 1) ** power)


def outline_depth(mask: Mask, left: Array, right: Array) -> float:
    """How far the outline itself dips between the collar points."""
    width = right[0] - left[0]
    low, high = int(left[0] + 0.35 * width), int(left[0] + 0.65 * width) + 1
    columns = mask[:, max(0, low) : max(low + 1, high)]
    rows = np.where(columns.any(0), columns.argmax(0), 0)
    return max(0.0, float(np.median(rows) - (left[1] + right[1]) / 2))


def _evidence(
    lab: Array, mask: Mask, ends: tuple[Point, Point], depths: Array, power: float, step: float
) -> Array:
    """Of the curve at each of the depths: edge strength across it, where both its sides are garment."""
    share = np.linspace(0.12, 0.88, _SAMPLES)
    points = np.array([curve(*ends, float(depth), share, power) for depth in depths])
    down = np.array([0, step])
    change = _at(lab, points + down) - _at(lab, points - down)
    inside = (_at(mask, points - 2 * down) > 0) & (_at(mask, points + down) > 0)
    change = np.where(inside[..., None], change, np.nan)
    thirds = np.array_split(change, 3, axis=1)
    with warnings.catch_warnings():
        # Where nothing is inside there is no median; such curves are out anyway.
        warnings.simplefilter("ignore", RuntimeWarning)
        means = np.array([np.nanmedian(part, 1) for part in thirds]).transpose(1, 0, 2)
    missing = np.array([np.isnan(part[..., 0]).mean(1) for part in thirds]).max(0)
    overall = means.mean(1)
    direction = overall / np.maximum(1e-6, np.linalg.norm(overall, axis=1))[:, None]
    weakest = np.einsum("dtc,dc->dt", means, direction).min(1)
    # Stripes and labels change colour too, but not in the same way all along the curve.
    along = np.einsum("dsc,dc->ds", change, direction)
    with_it = (along > 0.3 * weakest[:, None]).sum(1) / np.maximum(1, inside.sum(1))
    found = weakest * np.clip((with_it - 0.6) / 0.25, 0, 1)
    usable = (inside.mean(1) >= 0.6) & (missing <= 0.7)
    return np.where(usable, found, 0.0)


def _of_front(lab: Array, mask: Mask, points: TopPoints) -> Array:
    """Where the colours are those of the front beside its middle and near its hem; (H, W), 0 or 1."""
    plain, aside = mask.copy(), int(_BESIDE * points.neck_width)
    hem = int(points.box[1] + _BELOW_PRINT * (points.box[3] - points.box[1]))
    plain[:hem, max(0, int(points.axis) - aside) : int(points.axis) + aside] = 0
    counts = cv2.calcHist([lab], [0, 1, 2], plain, list(_COLOUR_BINS), [0, 256] * 3)
    frequent = counts / max(1.0, float(counts.max())) > _FREQUENT
    bins = np.clip((lab / 256 * np.array(_COLOUR_BINS)).astype(int), 0, np.array(_COLOUR_BINS) - 1)
    return np.asarray(frequent[tuple(bins.transpose(2, 0, 1))], np.float32)


def _of_print(
    own: Array, ends: tuple[Point, Point], depths: Array, power: float, width: float
) -> Array:
    """Of the curve at each of the depths: how much of it has something else than the front's cloth below."""
    share = np.linspace(0.12, 0.88, _SAMPLES)
    points = np.array([curve(*ends, float(depth), share, power) for depth in depths])
    below = [_at(own, points + np.array([0, down * width])) <= 0.5 for down in _IN_PRINT]
    return np.asarray(np.all(below, 0).mean(1))


def _at(picture: Array, points: Array) -> Array:
    """The picture's values at points (D, S, 2); nothing beyond its rim."""
    x, y = points[..., 0].astype(np.float32), points[..., 1].astype(np.float32)
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR))
