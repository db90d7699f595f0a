"""The legs beneath the clothes, and where what is worn on them now ends."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Mask, Point, Points
from selify.tryon.engine.body import BodyFit, usual_half_width
from selify.tryon.engine.geometry import at_length, lengths_along, smooth, unit
from selify.tryon.engine.labels import Label
from selify.tryon.engine.limbs import Limbs
from selify.tryon.engine.masks import blur, grown, pixel, polygon, value_at
from selify.tryon.engine.person import Person
from selify.tryon.engine.skeleton import Skeleton

CROTCH_HEIGHT = 1.17
_SPOTS = 48
# Half the width of a leg in shoulder spans, at shares of the way from hip to ankle.
_USUAL_AT = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0)
_USUAL = (0.29, 0.25, 0.215, 0.175, 0.17, 0.14, 0.105)
_BARE_RANGE = (0.7, 1.5)
# Cloth stands off the leg: tight trousers hardly, others by who knows how much. Of the usual leg, below its middle.
_TIGHT = 1.3
_TIGHT_RANGE, _LOOSE_RANGE = (0.85, 1.45), (0.85, 1.2)
_FEWEST_BARE = 4
# Of the leg: how far from the skin that is seen its width there tells that of the rest.
_FADES = 0.35


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg at spots from hip to ankle: ``middle`` (N, 2), ``aside`` (N, 2) the unit vectors that lead outwards
    there, ``outer`` and ``inner`` (N,) the half widths, in pixels. ``length``: of the bones, in pixels.

    ``worn_end``: how far along the leg it is covered now; 0 if it is bare, None if down to the foot.
    """

    length: float
    middle: Points
    aside: Array
    outer: Array
    inner: Array
    worn_end: float | None

    def at(self, along: float) -> tuple[Point, Array, float, float]:
        """Middle, direction outwards, outer and inner half width; beyond the ankle the shin goes straight on."""
        spots = np.linspace(0, self.length, len(self.middle))
        x, y = (np.interp(along, spots, self.middle[:, i]) for i in (0, 1))
        a, b = (np.interp(along, spots, self.aside[:, i]) for i in (0, 1))
        onwards = unit(self.middle[-1] - self.middle[-8]) * max(0.0, along - self.length)
        outer, inner = (np.interp(along, spots, half) for half in (self.outer, self.inner))
        return np.array([x, y]) + onwards, unit(np.array([a, b])), float(outer), float(inner)

    def edges(self, start: float, end: float) -> tuple[Points, Points]:
        """Outer and inner outline between two lengths along the leg."""
        spots = [self.at(float(along)) for along in np.linspace(start, end, _SPOTS)]
        outer = np.array([middle + aside * half for middle, aside, half, _ in spots])
        inner = np.array([middle - aside * half for middle, aside, _, half in spots])
        return outer, inner

    def mask(self, shape: tuple[int, ...], start: float, end: float) -> Mask:
        outer, inner = self.edges(start, end)
        return polygon(shape, np.vstack([outer, inner[::-1]]))


def bare_legs(person: Person, legs: tuple[Leg, Leg]) -> Limbs:
    """Both legs without anything on them."""
    span = person.skeleton.span
    mask = np.zeros(person.shape, np.uint8)
    radius = np.full(person.shape, 0.17 * span, np.float32)
    for leg in legs:
        mask |= leg.mask(person.shape, 0.0, leg.length + 0.05 * span)
        halves = (leg.outer + leg.inner) / 2
        for at, half in zip(leg.middle, halves, strict=True):
            cv2.circle(radius, pixel(at), int(1.3 * half), (float(half),), -1)
    between = (legs[0].middle + legs[1].middle) / 2
    apart = np.zeros(person.shape, np.uint8)
    cv2.polylines(apart, [np.round(between).astype(np.int32)], False, (1,), 2)
    return Limbs(mask, mask, blur(radius, 0.05 * span), grown(mask, 0.05 * span), apart)


def hip_width(person: Person, body: BodyFit) -> float:
    """Of the body, in pixels; a coat or a wide skirt over the hips does not make them wider."""
    usual = 2 * float(usual_half_width(1.0, person.skeleton.span))
    return float(np.clip(body.width(1.0), 0.8 * usual, 1.1 * usual))


def fit_legs(person: Person, body: BodyFit) -> tuple[Leg, Leg]:
    legs = [_leg(person, body, side) for side in SIDES]
    return legs[0], legs[1]


def _leg(person: Person, body: BodyFit, side: int) -> Leg:
    s = person.skeleton
    bone = s.leg(side)
    length = float(lengths_along(bone)[-1])
    along = np.linspace(0, length, _SPOTS)
    middle = smooth(at_length(bone, along), 3)
    aside = _asides(middle, s.outwards[side])
    between = np.array(
        [_to_the_other(person, side, a, m, d) for a, m, d in zip(along, middle, aside, strict=True)]
    )
    outer = _reaches(person, middle, aside, np.full(_SPOTS, np.inf))
    inner = _reaches(person, middle, -aside, between)
    labels = np.array([value_at(person.label, point) for point in middle])
    scale = hip_width(person, body) / (2 * float(usual_half_width(1.0, s.span)))
    usual = np.interp(along / length, _USUAL_AT, _USUAL) * s.span * scale
    bare = labels == Label.SKIN
    return Leg(
        length=length,
        middle=middle,
        aside=aside,
        outer=_believable(outer / usual, bare) * usual,
        inner=_believable(inner / usual, bare) * usual,
        worn_end=_worn_end(labels, along),
    )


def usual_leg(s: Skeleton, side: int) -> Leg:
    """Of somebody of whom nothing is known but the joints, and who has nothing on it."""
    bone = s.leg(side)
    length = float(lengths_along(bone)[-1])
    middle = at_length(bone, np.linspace(0, length, _SPOTS))
    other = at_length(s.leg(1 - side), np.linspace(0, length, _SPOTS))
    half = np.interp(np.linspace(0, 1, _SPOTS), _USUAL_AT, _USUAL) * s.span
    inner = np.minimum(half, np.hypot(*(middle - other).T) / 2)
    return Leg(length, middle, _asides(middle, s.outwards[side]), half, inner, worn_end=0.0)


def _asides(middle: Points, outwards: Array) -> Array:
    """Across the leg, away from the other one."""
    onwards = np.gradient(smooth(middle, 6), axis=0)
    aside = np.stack([-onwards[:, 1], onwards[:, 0]], 1)
    aside /= np.maximum(np.hypot(*aside.T)[:, None], 1e-6)
    sign = np.sign(aside @ outwards)
    return np.asarray(aside * np.where(sign == 0, 1, sign)[:, None])


def _to_the_other(person: Person, side: int, along: float, middle: Point, aside: Array) -> float:
    """Half the way to the other leg; inf where the legs cross."""
    other = at_length(person.skeleton.leg(1 - side), along)
    half = float(np.dot(middle - other, aside)) / 2
    return half if half > 0.03 * person.skeleton.span else np.inf


def _reaches(person: Person, middle: Points, directions: Array, most: Array) -> Array:
    """How far the leg, bare or clad, goes in each direction; nan where that is not seen."""
    span = person.skeleton.span
    steps = np.arange(0.03, 0.7, 0.01) * span
    points = middle[:, None] + directions[:, None] * steps[None, :, None]
    height, width = person.shape
    x, y = np.floor(points[..., 0]).astype(int), np.floor(points[..., 1]).astype(int)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    y, x = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    arms = (person.skin & person.zones.arms)[y, x] > 0
    leg = np.isin(person.label[y, x], (Label.SKIN, Label.LOWER)) & (person.mask[y, x] > 0) & ~arms
    ends = ~(leg & inside)
    first = np.where(ends.any(1), ends.argmax(1), len(steps) - 1)
    spot = np.arange(len(first)), first
    # Where a hand hangs before it, nobody knows.
    seen = leg[:, 0] & inside[spot] & ~arms[spot]
    return np.asarray(np.where(seen, np.minimum(steps[first], most), np.nan))


def _believable(ratio: Array, bare: Array) -> Array:
    """Measured against the usual leg: bare skin is as wide as it looks, cloth may be wider than what is in it."""
    seen = ~np.isnan(ratio)
    known_bare = bare & seen
    shins = ratio[len(ratio) // 3 :][seen[len(ratio) // 3 :]]
    tight = len(shins) < _FEWEST_BARE or float(np.median(shins)) < _TIGHT
    low, high = (np.full(len(ratio), end) for end in (_TIGHT_RANGE if tight else _LOOSE_RANGE))
    if known_bare.sum() >= _FEWEST_BARE:
        skin = _goes_on(ratio, known_bare)
        low, high = 0.95 * skin, 1.02 * skin
    limited = np.where(bare, np.clip(ratio, *_BARE_RANGE), np.clip(ratio, low, high))
    filled = np.where(seen, limited, np.clip(1.0, low, high))
    padded = np.pad(filled, 3, "edge")
    steady = np.array([np.median(padded[i : i + 7]) for i in range(len(filled))])
    return np.convolve(np.pad(steady, 3, "edge"), np.ones(7) / 7, "valid")


def _goes_on(ratio: Array, bare: Array) -> Array:
    """How wide the leg in the clothes is: beside the skin that is seen as wide as there, further off as bare on the
    whole.
    """
    spots = np.flatnonzero(bare)
    measured = np.clip(ratio[spots], *_BARE_RANGE)
    whole = float(np.median(measured))
    steady = np.array(
        [np.median(measured[max(0, i - 3) : i + 4]) for i in range(len(spots))], float
    )
    at = np.arange(len(ratio))
    away = np.abs(at[:, None] - spots[None]).min(1) / (_FADES * len(ratio))
    near = np.interp(at, spots, steady)
    return np.asarray(near + (whole - near) * np.clip(away, 0, 1))


def _worn_end(labels: Array, along: Array) -> float | None:
    skin = labels == Label.SKIN
    for i in range(len(labels) - 3):
        if skin[i : i + 4].all():
            return float(along[i]) if i else 0.0
    return None
