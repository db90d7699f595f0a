"""Where the sleeves go: along the arm's bones, as wide as arm and garment ask for."""

from dataclasses import dataclass

import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Point, Points
from selify.tryon.engine.body import BodyFit, arm_length
from selify.tryon.engine.fit import TorsoFit, side_reach_at
from selify.tryon.engine.geometry import (
    Ruled,
    at_length,
    between,
    distance,
    lengths_along,
    resample,
    smooth,
    unit,
)
from selify.tryon.engine.labels import Label
from selify.tryon.engine.person import Person
from selify.tryon.engine.points import Sleeve, TopPoints
from selify.tryon.engine.worn import SHARED_CUFF, worn_cuff

_COUNT = 8
# How far a wide sleeve stands off the arm, in shoulder spans.
SLEEVE_EASE = 0.14
# Of a top's length, from the armhole's middle: sleeves that go to the wrist have 0.74 and more, others 0.5 at most.
_LONG = 0.66
# Of the arm.
_NEARLY_WHOLE = 0.8
# In shoulder spans: of the shoulder's tip above its joint, and of short sleeves below it. Flat pictures show these
# foreshortened or drawn up, so the usual counts as well.
_TIP = 0.1
_USUAL_SHORT = 0.55
_LEAST_LENGTH = 0.2
# Of tops, from the shoulder's tip, in trunks.
_USUAL_LENGTH = 1.15
# How far down, in upper arms, wide shoulders hang at most. An outline does not show a shoulder's seam: sleeves as long as
# tees have them (0.3 of its length) seem shorter where it lies further in than they were taken to begin.
_MOST_DOWN = ((0.3, 0.37), (0.25, 0.0))
_OVER_WRIST = 0.05
# How far a sleeve is drawn out, of the garment's own scale, before it takes cloth from the shoulder, and how much at most.
_MOST_DRAWN, _INTO_SHOULDER = 1.3, 0.8
_LEAST_SEAM = 0.06


@dataclass(frozen=True, slots=True)
class SleeveFit:
    """The strip of the garment and where it goes. ``length`` along the arm's bone, in pixels."""

    side: int
    source: Ruled
    target: Ruled
    length: float

    @property
    def outline(self) -> Points:
        return np.vstack([self.target.outer, self.target.inner[::-1]])


def fit_sleeves(
    person: Person, body: BodyFit, points: TopPoints, torso: TorsoFit
) -> list[SleeveFit]:
    if points.sleeves is None:
        return []
    return [
        _fit(person, body, points, torso, k, sleeve)
        for k, sleeve in zip(SIDES, points.sleeves, strict=True)
    ]


def _fit(
    person: Person, body: BodyFit, points: TopPoints, torso: TorsoFit, side: int, sleeve: Sleeve
) -> SleeveFit:
    bone = _bone(person, side)
    length = _length(person, body, points, torso, side)
    pit_length = _pit_length(person, torso, side)
    # The lower seam begins at the armpit: of a cap sleeve it is short, and the cuff slants.
    lower_end = max(length, pit_length + _LEAST_SEAM * person.skeleton.span)
    cuff = sleeve.cuff_width * torso.scale / 2
    outer = _edge(person, bone, np.linspace(0, length, _COUNT), side, +1, cuff)
    inner = _edge(person, bone, np.linspace(pit_length, lower_end, _COUNT), side, -1, cuff)
    outer = _hanging(outer, body.tips[side])
    inner = _against_trunk(body, torso, side, inner)
    inner = _pulled(inner, torso.armpits[side], 3.0)
    source = _long_enough(points, torso, side, sleeve, float(lengths_along(outer)[-1]))
    return SleeveFit(side, source, Ruled(outer, inner), max(length, 0.5 * (length + lower_end)))


def _long_enough(
    points: TopPoints, torso: TorsoFit, side: int, sleeve: Sleeve, length: float
) -> Ruled:
    """The strip for a sleeve of that many pixels: a short one goes on into the shoulder rather than being drawn out to
    streaks.
    """
    upper, lower = smooth(sleeve.upper, 4), smooth(sleeve.lower, 4)
    shoulder = points.collar[side] - upper[0]
    missing = length / (_MOST_DRAWN * torso.lengthwise) - float(lengths_along(upper)[-1])
    inwards = unit(shoulder) * min(max(0.0, missing), _INTO_SHOULDER * float(np.hypot(*shoulder)))
    if not inwards.any():
        return Ruled(upper, lower)
    return Ruled(np.vstack([upper[0] + inwards, upper]), np.vstack([lower[0] + inwards, lower]))


def _bone(person: Person, side: int) -> Points:
    """From the shoulder to the wrist, and on to the root of the hand, where long cuffs end."""
    arm = person.skeleton.arm(side)
    root = between(arm[2], person.skeleton.hands[side], np.array([0.2, 0.4]))
    return np.vstack([resample(arm[:2], 30), resample(arm[1:], 30)[1:], root])


def _length(person: Person, body: BodyFit, points: TopPoints, torso: TorsoFit, side: int) -> float:
    """Of the sleeve's upper edge along the bone, from the shoulder joint. Both are as long as the longer one: a sleeve
    that is bent in its picture seems shorter.
    """
    s = person.skeleton
    out, flat = np.max([_own_lengths(points, k) for k in SIDES], 0)
    whole = arm_length(s, side)
    upper_arm = distance(s.elbows[side], s.shoulders[side])
    foreshortened = float(np.clip(upper_arm / max(1.0, 0.58 * s.trunk), 0.5, 1.1))
    length = float(flat) * torso.lengthwise - _TIP * s.span
    # A wide garment is drawn together more than its sleeves are long: its own proportions count as well.
    if out > _LONG * points.length or length > _NEARLY_WHOLE * whole:
        return whole + _OVER_WRIST * s.span
    usual = max(_USUAL_SHORT * s.span, length)
    length = max(_LEAST_LENGTH * s.span, 0.65 * length + 0.35 * usual)
    most = upper_arm * float(np.interp(flat / points.length, *_MOST_DOWN))
    length = max(length, min(_down_arm(body, points, torso, side), length + most)) * foreshortened
    return _like_worn(person, side, length)


def _down_arm(body: BodyFit, points: TopPoints, torso: TorsoFit, side: int) -> float:
    """By the garment's proportions: shoulders that are wider than these hang down the arm, and the sleeve begins there."""
    s = body.skeleton
    tips = body.tau_of((body.tips[0] + body.tips[1]) / 2)
    tall = max(torso.hem_height - tips, _USUAL_LENGTH) * s.trunk
    half = distance(*points.collar) / 2 + max(
        distance(points.collar[k], points.shoulders[k]) + _own_lengths(points, k)[1] for k in SIDES
    )
    return half / max(1.0, points.length) * tall - distance(s.neck, body.tips[side])


def _own_lengths(points: TopPoints, side: int) -> tuple[float, float]:
    """In the garment's picture: from the armhole's middle to the cuff's, and of the upper edge."""
    if points.sleeves is None:
        return 0.0, 0.0
    upper, lower = points.sleeves[side].upper, points.sleeves[side].lower
    root = (upper[0] + lower[0]) / 2
    return distance(root, (upper[-1] + lower[-1]) / 2), distance(upper[0], upper[-1])


def _pit_length(person: Person, torso: TorsoFit, side: int) -> float:
    """Where on the bone the armpit lies."""
    s = person.skeleton
    direction = unit(s.elbows[side] - s.shoulders[side])
    at = float(np.dot(torso.armpits[side] - s.shoulders[side], direction))
    return float(np.clip(at, 0.12 * s.span, 0.55 * s.span))


def _like_worn(person: Person, side: int, length: float) -> float:
    """Share the cuff worn now where it is near: nothing is left over, no skin is painted."""
    worn = worn_cuff(person, side)
    if worn and abs(length - worn) < SHARED_CUFF * person.skeleton.span:
        return worn
    return length


def _edge(
    person: Person, bone: Points, lengths: Array, side: int, sign: int, cuff: float
) -> Points:
    """Outer (+1) or inner (-1) edge at lengths along the bone."""
    span = person.skeleton.span
    share = np.linspace(0, 1, len(lengths))
    spots, reaches = [], []
    for length, down in zip(lengths, share, strict=True):
        at, normal = _across_bone(person, bone, float(length), side)
        outer, inner = _arm_radii(person, at, normal, float(length))
        spare = max(0.0, (2 * cuff - outer - inner) * down) * 0.5
        spare = min(spare, SLEEVE_EASE * span)
        reaches.append(outer + spare * 0.35 if sign > 0 else inner + spare * 0.55)
        spots.append((at, normal * sign))
    even = _without_flare(np.array(reaches))
    return np.array([at + out * reach for (at, out), reach in zip(spots, even, strict=True)])


def _without_flare(reaches: Array) -> Array:
    """The old cuff stands off the arm; a sleeve that goes on beyond it does not."""
    padded = np.pad(reaches, 1, "edge")
    middle = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), 0)
    return np.asarray(np.minimum(reaches, middle * 1.04))


def _across_bone(person: Person, bone: Points, length: float, side: int) -> tuple[Point, Array]:
    """The bone's point, and the direction that leads away from the trunk there."""
    s = person.skeleton
    step = 0.06 * s.span
    ahead, back = at_length(bone, length + step), at_length(bone, max(0.0, length - step))
    along = unit(ahead - back)
    normal = np.array([-along[1], along[0]])
    away = float(np.dot(normal, s.outwards[side]) - 0.35 * np.dot(normal, s.down))
    return at_length(bone, length), normal if away > 0 else -normal


def _arm_radii(person: Person, at: Point, normal: Array, length: float) -> tuple[float, float]:
    """Half widths of the arm outwards and inwards: measured, within what arms can be."""
    span = person.skeleton.span
    usual = float(np.interp(length / span, [0, 0.35, 0.9, 1.7], [0.18, 0.16, 0.135, 0.115])) * span
    outer = _march_arm(person, at, normal, usual) or usual
    inner = _march_arm(person, at, -normal, usual) or usual
    outer = float(np.clip(outer, 0.8 * usual, 1.45 * usual)) * 1.03 + 0.01 * span
    inner = float(np.clip(inner, 0.5 * usual, 1.1 * usual)) * 1.02 + 0.01 * span
    return outer, inner


def _march_arm(person: Person, at: Point, direction: Array, usual: float) -> float | None:
    """Until the person ends, or bare skin ends on a bare arm."""
    bare = _label(person, at) == Label.SKIN
    misses = 0
    for reach in np.arange(0.3, 1.6, 0.05):
        label = _label(person, at + direction * usual * reach)
        if label is None:
            return float(reach * usual)
        misses = misses + 1 if bare and label != Label.SKIN else 0
        if misses >= 2:
            return float((reach - 0.05) * usual)
    return None


def _label(person: Person, point: Point) -> int | None:
    """None where the person is not."""
    height, width = person.shape
    x, y = int(point[0]), int(point[1])
    if not (0 <= x < width and 0 <= y < height) or person.mask[y, x] == 0:
        return None
    return int(person.label[y, x])


def _hanging(edge: Points, tip: Point) -> Points:
    """From the shoulder's tip cloth hangs straight down to the cuff, or lies on the arm where that is further out."""
    share = np.linspace(0, 1, len(edge))[:, None]
    chord = tip * (1 - share) + edge[-1] * share
    # What lies beyond the tip near it would puff.
    weight = np.clip(share * 2.2, 0, 1)
    return np.vstack([tip, smooth(chord * (1 - weight) + edge * weight, 1)[1:]])


def _pulled(edge: Points, start: Point, speed: float) -> Points:
    """Let the edge begin exactly at ``start`` and join its own line within 1/speed of it."""
    weight = np.clip(np.linspace(0, 1, len(edge)) * speed, 0, 1)[:, None]
    edge = start * (1 - weight) + edge * weight
    return np.vstack([start, smooth(edge, 1)[1:]])


def _against_trunk(body: BodyFit, torso: TorsoFit, side: int, inner: Points) -> Points:
    """A sleeve that nearly touches the trunk touches it: no sliver of background between."""
    s = body.skeleton
    out = s.outwards[side]
    moved = inner.copy()
    for j, point in enumerate(inner):
        tau = body.tau_of(point)
        if tau >= torso.hem_height:
            continue
        reach = float(side_reach_at(torso, body, side, tau)) - 0.012 * s.span
        gap = float(np.dot(point - (body.centre(tau) + out * reach), out))
        if -0.25 * s.span < gap < 0.09 * s.span:
            moved[j] = point - out * gap
    shift = smooth(moved - inner, 1) * np.linspace(1, 0, len(inner))[:, None] ** 0.6
    return inner + shift
