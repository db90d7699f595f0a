"""Where each part of a top or a dress goes on this body: collar, shoulders, sides, hem."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Point, Points
from selify.tryon.engine.body import BodyFit
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.geometry import between, distance, resample, smooth
from selify.tryon.engine.masks import value_at
from selify.tryon.engine.person import Person
from selify.tryon.engine.points import TopPoints
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.engine.worn import SHARED_COLLAR, collar_reach, silhouette_above, worn_collar
from selify.tryon.types import GarmentCategory

PIT_HEIGHT = 0.29
# A garment that lies flat is as wide as half the way round the body, of which a photo shows less; its length does not
# change. So along the body it is up to this many times as large as across it. One photographed on a body that was
# taken out of the picture is narrow for its length already. Which of both it is its length in chests tells: tees that
# lie flat have 1.1 to 1.45, worn ones 1.6 and more.
_ROUND = {
    # Of what is shorter still the hem was not found.
    GarmentCategory.TOP: ((0.85, 1.05, 1.2, 1.55), (1.0, 1.35, 1.35, 1.0)),
    GarmentCategory.DRESS: ((1.8, 2.2), (1.25, 1.0)),
}
# A hem that would end this little (in tau) above the one worn now is drawn down to it.
SHARED_HEM = 0.22
_USUAL_HEM = 1.1
# A strap's least width, in shoulder spans.
_THINNEST = 0.03
# In chests: how much lower the shoulder's tip is than the neck's side of a collarless garment; how high a collar stands at
# least and at most.
_SLOPE, _LOWEST_COLLAR, _HIGHEST_COLLAR = 0.14, 0.05, 0.22
# Worn it bends outwards, and is seen this much lower.
_WORN_COLLAR = 0.85
# In shoulder spans: half of a slim neck, how far off it a collar stands, and how far it stays away from the chin.
_SLIM_NECK, _OFF_NECK, _UNDER_CHIN = 0.13, 0.02, 0.02
# The deepest dent of a shoulder that cloth spans, in shoulder spans.
_DENT = 0.03
# How far a wide top stands off the trunk, in shoulder spans.
EASE = 0.06
# A flat garment shows the inside of its back below its front hem as above its neckline.
_HEM_LIFT = 0.012
_SIDE_POINTS, _NECK_POINTS, _HOLE_POINTS = 9, 17, 9


@dataclass(frozen=True, slots=True)
class TorsoFit:
    """``source`` points of the garment and their ``target`` on the body; the outline to fill.

    ``standing``: corners of a collar that stands up from the shoulders. ``shoulder_lines`` run from collar to shoulder
    tip, ``armholes`` from there to the armpit, ``sides`` from armpit to hem, ``neck`` from collar to collar.
    ``hem_height`` in tau. ``scale``: size of the result relative to the garment, across the body;
    ``lengthwise``: along it, and across in the middle of it, which faces the viewer.
    """

    source: Points
    target: Points
    outline: Points
    collar: tuple[Point, Point]
    neck: Points
    shoulder_lines: tuple[Points, Points]
    standing: Points | None
    armholes: tuple[Points, Points]
    sides: tuple[Points, Points]
    hem_height: float
    scale: float
    lengthwise: float

    @property
    def armpits(self) -> tuple[Point, Point]:
        return self.sides[0][0], self.sides[1][0]


def fit_torso(person: Person, body: BodyFit, garment: Garment, points: TopPoints) -> TorsoFit:
    chest = max(pit_reach(body, 0) + pit_reach(body, 1), 0.8 * person.skeleton.span)
    scale = chest / max(1.0, points.chest_width)
    lengthwise = scale * _roundness(garment, points)
    hem_height = _hem_height(body, garment, points, lengthwise)
    tips = _tips(person, body, points, lengthwise)
    strap = _strap(garment, points) * lengthwise
    feet = _collar(person, body, points, tips, strap)
    rise = _rise(person, feet, points, lengthwise)
    collar = _raised(person, feet, rise) if rise else feet
    points = _with_lower_armpits(body, points, hem_height)
    sides = _sides(body, garment, points, hem_height, scale)
    lines = [_shoulder_line(person, collar[k], feet[k], tips[k], k) for k in SIDES]
    neck = _neck(person, body, garment, collar, lengthwise, standing=rise > 0)
    holes = [_armhole(points, tips[k], sides[k][0], k) for k in SIDES]
    across = _shares_seen(lengthwise / scale)
    hem = _hem(body, garment, points, sides, scale, across)
    pairs = _correspondences(garment, points, lines, neck, holes, sides, hem, across)
    outline = [neck, lines[1][1:], holes[1][1:-1], sides[1], hem[::-1][1:-1]]
    outline += [sides[0][::-1], holes[0][::-1][1:-1], lines[0][::-1][:-1]]
    return TorsoFit(
        source=pairs[0],
        target=pairs[1],
        outline=np.vstack(outline),
        collar=collar,
        neck=neck,
        shoulder_lines=(lines[0], lines[1]),
        standing=np.array([collar[0], feet[0], feet[1], collar[1]]) if rise else None,
        armholes=(holes[0], holes[1]),
        sides=sides,
        hem_height=hem_height,
        scale=scale,
        lengthwise=lengthwise,
    )


def _roundness(garment: Garment, points: TopPoints) -> float:
    """How much of the garment's width goes round the body out of sight: 1 none, more some."""
    return float(np.interp(points.length / max(1.0, points.chest_width), *_ROUND[garment.category]))


def _shares_seen(roundness: float) -> Callable[[Array], Array]:
    """From shares 0..1 of a flat garment's width to shares of what is seen of it on a round body.

    In the middle the cloth faces the viewer, and shows ``roundness`` times as wide as on the whole.
    """
    angles = np.linspace(0.01, 1.5, 150)
    angle = float(np.interp(roundness, angles / np.sin(angles), angles))
    return lambda share: np.asarray(0.5 + 0.5 * np.sin(angle * (2 * share - 1)) / np.sin(angle))


def pit_reach(body: BodyFit, side: int) -> float:
    """Half the chest at the armpit: the trunk further down tells, where no sleeve hides it."""
    span = body.skeleton.span
    reach = min(body.half_width(side, PIT_HEIGHT), 1.05 * body.half_width(side, 0.5))
    return float(np.clip(reach, 0.40 * span, 0.60 * span))


def _hem_height(body: BodyFit, garment: Garment, points: TopPoints, lengthwise: float) -> float:
    """By the garment's own length; it is drawn down to the hem worn now where that is just below."""
    s = body.skeleton
    tips = (body.tips[0] + body.tips[1]) / 2
    height = body.tau_of(tips) + points.length * lengthwise / s.trunk
    if garment.category is GarmentCategory.DRESS:
        return float(np.clip(height, 1.35, 2.75))
    # Slim cuts stretch on the body: their proportions say less.
    height = float(np.clip(0.7 * height + 0.3 * _USUAL_HEM, 0.75, 1.3))
    if body.hem is not None and -0.04 < body.hem - height < SHARED_HEM:
        return body.hem + 0.015
    return height


def _with_lower_armpits(body: BodyFit, points: TopPoints, hem: float) -> TopPoints:
    """Bodies have deeper armpits than flat garments: take the cloth that really lies there.

    Otherwise the cloth above the armpits would be stretched, and stripes would bulge.
    """
    if points.sleeves is None:
        return points
    tips = body.tau_of((body.tips[0] + body.tips[1]) / 2)
    share = (PIT_HEIGHT - tips) / max(0.1, hem - tips)
    top = (points.shoulders[0][1] + points.shoulders[1][1]) / 2
    level = top + share * points.length
    sides = []
    for k in SIDES:
        side = points.sides[k]
        begin = side[0][1] + 0.85 * max(0.0, level - side[0][1])
        lower = side[side[:, 1] >= min(begin, side[0][1] + 0.5 * np.ptp(side[:, 1]))]
        sides.append(lower if len(lower) > 10 else side)
    holes = [np.vstack([points.shoulders[k], sides[k][0]]).astype(float) for k in SIDES]
    return replace(points, sides=(sides[0], sides[1]), armholes=(holes[0], holes[1]))


def _tips(
    person: Person, body: BodyFit, points: TopPoints, lengthwise: float
) -> tuple[Point, Point]:
    """Where the shoulder ends: that of the body for sleeves, the straps' outer ends without."""
    if points.sleeves is not None:
        return body.tips
    s = person.skeleton
    found = []
    for k in SIDES:
        tip = abs(float(np.dot(body.tips[k] - s.neck, s.across)))
        reach = 0.5 * points.shoulder_width * lengthwise
        found.append(_on_shoulder(person, body, k, reach) if reach < 0.95 * tip else body.tips[k])
    return found[0], found[1]


def _strap(garment: Garment, points: TopPoints) -> float:
    """How wide one is, in pixels of the garment; 0 where its neckline is not that of straps."""
    if garment.neckline.outline is None:
        return 0.0
    return (points.shoulder_width - points.neck_width) / 2


def _standing(points: TopPoints) -> float:
    """How far a collar stands up above what the slope of the shoulders explains, in pixels of the garment."""
    tops = (points.collar[0][1] + points.collar[1][1]) / 2
    tips = (points.shoulders[0][1] + points.shoulders[1][1]) / 2
    stands = float(tips - tops) - _SLOPE * points.chest_width
    if stands < _LOWEST_COLLAR * points.chest_width:
        return 0.0
    return _WORN_COLLAR * min(stands, _HIGHEST_COLLAR * points.chest_width)


def _rise(person: Person, feet: tuple[Point, Point], points: TopPoints, lengthwise: float) -> float:
    """How far the collar goes up from the shoulders, below the chin, in pixels; 0 of one that lies on them."""
    s = person.skeleton
    room = float(np.dot((feet[0] + feet[1]) / 2 - s.chin, s.down)) - _UNDER_CHIN * s.span
    return float(np.clip(room, 0, _standing(points) * lengthwise))


def _raised(person: Person, feet: tuple[Point, Point], rise: float) -> tuple[Point, Point]:
    """The upper ends of a collar that stands up round the neck."""
    s, found = person.skeleton, []
    for k in SIDES:
        foot = abs(float(np.dot(feet[k] - s.neck, s.across)))
        high = feet[k] - s.outwards[k] * foot - s.down * rise
        reaches = np.arange(_SLIM_NECK, foot / s.span, 0.01) * s.span
        outside = [not value_at(person.mask, high + s.outwards[k] * reach) for reach in reaches]
        neck = float(reaches[outside.index(True)]) if True in outside else foot
        found.append(high + s.outwards[k] * min(foot, neck + _OFF_NECK * s.span))
    return found[0], found[1]


def _collar(
    person: Person,
    body: BodyFit,
    points: TopPoints,
    tips: tuple[Point, Point],
    strap: float,
) -> tuple[Point, Point]:
    """Points on the shoulders' outline, as far out as the garment's collar is wide; ``strap``: the width of one, or 0."""
    s = person.skeleton
    share = float(np.clip(points.neck_width / max(1.0, points.shoulder_width), 0.15, 0.95))
    worn = collar_reach(person, body)
    found = []
    for k in SIDES:
        tip = abs(float(np.dot(tips[k] - s.neck, s.across)))
        reach = float(np.clip(0.93 * share * tip, 0.24 * s.span, 0.92 * tip))
        if strap:
            reach = max(tip - max(strap, _THINNEST * s.span), 0.24 * s.span)
        near = worn[k]
        if near is not None and abs(reach - near) < 2 * SHARED_COLLAR * s.span:
            reach = min(reach, max(near, 0.2 * s.span))
        found.append(_on_shoulder(person, body, k, reach))
    return found[0], found[1]


def _on_shoulder(person: Person, body: BodyFit, side: int, reach: float) -> Point:
    """The outline above the shoulder line; under the head, the line from tip to neck goes on."""
    s = person.skeleton
    tip, neck_side = body.tips[side], body.neck_sides[side]
    tip_reach = abs(float(np.dot(tip - s.neck, s.across)))
    neck_reach = abs(float(np.dot(neck_side - s.neck, s.across)))
    share = (tip_reach - reach) / max(1.0, tip_reach - neck_reach)
    straight = tip + (neck_side - tip) * share - s.down * max(0.0, share - 1) * 0.10 * s.span
    seen = silhouette_above(person, side, reach)
    if seen is None or abs(float(np.dot(seen - straight, s.down))) > 0.12 * s.span:
        return np.asarray(straight)
    return seen


def _shoulder_line(person: Person, collar: Point, foot: Point, tip: Point, side: int) -> Points:
    """From collar to tip along the shoulder's outline: no skin is left above it. ``foot``: of the collar, where it
    stands up; else the collar itself.
    """
    s = person.skeleton
    line = resample(np.vstack([foot, tip]), 5)
    for j in (1, 2, 3):
        reach = abs(float(np.dot(line[j] - s.neck, s.across)))
        seen = silhouette_above(person, side, reach)
        if seen is not None and abs(float(np.dot(seen - line[j], s.down))) < 0.1 * s.span:
            line[j] = seen
    line[3] -= s.down * 0.012 * s.span
    line = _over_dents(line, s)
    return line if distance(collar, foot) < 1 else resample(np.vstack([collar, line]), 9)


def _over_dents(line: Points, s: Skeleton) -> Points:
    """Cloth lies over small dents, as between a strap worn now and the neck."""
    high = -(line @ s.down)
    filled = high.copy()
    for i in range(len(line)):
        for j in range(i + 2, len(line)):
            inner = np.arange(i + 1, j)
            filled[inner] = np.maximum(filled[inner], np.interp(inner, [i, j], high[[i, j]]))
    rise = np.minimum(filled - high, _DENT * s.span)
    return np.asarray(line - s.down * rise[:, None])


def _neck(
    person: Person,
    body: BodyFit,
    garment: Garment,
    collar: tuple[Point, Point],
    lengthwise: float,
    *,
    standing: bool,
) -> Points:
    """The front neckline; it takes over the collar worn now where that is near and the new one does not stand up."""
    s = person.skeleton
    depth = float(np.clip(garment.neckline.depth * lengthwise, 0.05 * s.span, 0.75 * s.trunk))
    worn = None if standing else worn_collar(person, body)
    if worn is not None:
        worn -= float(np.dot((collar[0] + collar[1]) / 2 - s.neck, s.down))
        if -0.06 * s.span < depth - worn < SHARED_COLLAR * s.span:
            depth = max(worn - 0.012 * s.span, 0.03 * s.span)
    share, deep = garment.neckline.shape(_NECK_POINTS)
    return np.asarray(between(collar[0], collar[1], share) + s.down * deep[:, None] * depth)


def _armhole(points: TopPoints, tip: Point, pit: Point, side: int) -> Points:
    """From shoulder tip to armpit, bowed as in the garment."""
    source = resample(smooth(points.armholes[side], 4), _HOLE_POINTS)
    straight = resample(source[[0, -1]], _HOLE_POINTS)
    target = resample(np.vstack([tip, pit]), _HOLE_POINTS)
    scale = distance(target[0], target[-1]) / max(1.0, distance(source[0], source[-1]))
    curved = (source - straight) * scale
    curved[[0, -1]] = 0
    return target + curved


def _sides(
    body: BodyFit, garment: Garment, points: TopPoints, hem: float, scale: float
) -> tuple[Points, Points]:
    """From armpit to hem: at least the body, at most a little ease; a skirt keeps its own line."""
    found = []
    for k in SIDES:
        source = resample(smooth(points.sides[k], 6), _SIDE_POINTS)
        heights = np.linspace(PIT_HEIGHT, hem, _SIDE_POINTS)
        wanted = np.abs(source[:, 0] - points.axis) * scale * 0.96
        reach = [_side_reach(body, garment, k, t, w) for t, w in zip(heights, wanted, strict=True)]
        side = np.array([body.centre(t) for t in heights])
        side = side + body.skeleton.outwards[k] * np.array(reach)[:, None]
        side[1:-1] = smooth(side, 1)[1:-1]
        found.append(side)
    return found[0], found[1]


def _side_reach(body: BodyFit, garment: Garment, side: int, tau: float, wanted: float) -> float:
    trunk = _trunk_reach(body, side, tau)
    if garment.category is GarmentCategory.DRESS and tau > 1.1:
        return max(wanted, 0.45 * body.skeleton.span if tau > 1.15 else trunk)
    span = body.skeleton.span
    # Wide cloth hangs away from the waist, and goes round the hips with what is worn on them.
    most = trunk + EASE * span if garment.category is GarmentCategory.TOP else trunk * 1.12
    least = trunk * 1.01 + 0.02 * span * np.clip((tau - 0.65) / 0.15, 0, 1)
    return float(np.clip(wanted, least, max(least, most)))


def _trunk_reach(body: BodyFit, side: int, tau: float) -> float:
    """Half width of the trunk, not of the sleeve that hides it near the armpit."""
    if tau < 0.5:
        share = (tau - PIT_HEIGHT) / (0.5 - PIT_HEIGHT)
        low, high = (
            pit_reach(body, side),
            min(body.half_width(side, 0.5), 1.0 * body.half_width(side, tau)),
        )
        return float(low + (high - low) * np.clip(share, 0, 1))
    return body.half_width(side, tau)


def _hem(
    body: BodyFit,
    garment: Garment,
    points: TopPoints,
    sides: tuple[Points, Points],
    scale: float,
    across: Callable[[Array], Array],
) -> Points:
    """From side to side, hanging a little lower in the middle, with the garment's own bow."""
    s = body.skeleton
    source = resample(smooth(points.hem, 6), 9)
    straight = resample(points.hem[[0, -1]], 9)
    curved = np.clip((source - straight)[:, 1] * scale, -0.05 * s.trunk, 0.12 * s.trunk)
    drop = (0.035 if garment.category is GarmentCategory.TOP else 0.03) * 0.7 * s.trunk
    hang = (1 - np.linspace(-1, 1, 9) ** 2) * drop
    line = between(sides[0][-1], sides[1][-1], across(np.linspace(0, 1, 9)))
    return line + s.down * (hang + curved)[:, None]


def _correspondences(
    garment: Garment,
    points: TopPoints,
    lines: list[Points],
    neck: Points,
    holes: list[Points],
    sides: tuple[Points, Points],
    hem: Points,
    across: Callable[[Array], Array],
) -> tuple[Points, Points]:
    source = [garment.neckline.front(_NECK_POINTS)[1:-1]]
    target = [neck[1:-1]]
    for k in SIDES:
        line = resample(smooth(points.shoulder_lines[k], 4), len(lines[k]))
        line[0] = points.collar[k]
        hole = resample(smooth(points.armholes[k], 4), _HOLE_POINTS)
        side = resample(smooth(points.sides[k], 4), _SIDE_POINTS)
        source += [line, hole[1:-1], side]
        target += [lines[k], holes[k][1:-1], sides[k]]
    lift = np.array([0, _HEM_LIFT * points.length])
    source.append(resample(smooth(points.hem, 6), 9)[1:-1] - lift)
    target.append(hem[1:-1])
    rows = _level_rows(points, sides, across)
    source.append(rows[0])
    target.append(rows[1])
    return np.vstack(source), np.vstack(target)


def _level_rows(
    points: TopPoints, sides: tuple[Points, Points], across: Callable[[Array], Array]
) -> tuple[Points, Points]:
    """Points across the trunk: what is level on the garment stays level, whatever the collar does."""
    source, target = [], []
    flat = [resample(smooth(side, 4), _SIDE_POINTS) for side in points.sides]
    for row in range(0, _SIDE_POINTS - 1, 2):
        share = np.linspace(0, 1, 5)[1:-1]
        source.append(between(flat[0][row], flat[1][row], share))
        target.append(between(sides[0][row], sides[1][row], across(share)))
    return np.vstack(source), np.vstack(target)


def side_reach_at(fit: TorsoFit, body: BodyFit, side: int, tau: Array | float) -> Array:
    """Distance of the fitted side from the middle line at heights between armpit and hem."""
    s = body.skeleton
    heights = np.linspace(PIT_HEIGHT, fit.hem_height, len(fit.sides[side]))
    centres = np.array([body.centre(t) for t in heights])
    reach = np.abs((fit.sides[side] - centres) @ s.across)
    return np.asarray(np.interp(tau, heights, reach))
