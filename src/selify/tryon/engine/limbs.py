"""Arms as they are under a sleeve: middle line and half widths, from what is seen of them and from what arms are like."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Mask, Points, Soft
from selify.tryon.engine.geometry import lengths_along, resample, smooth, unit
from selify.tryon.engine.masks import blur, capsule, pixel, polygon, value_at
from selify.tryon.engine.person import Person
from selify.tryon.engine.worn import bare_armed, worn_cuff

_COUNT = 40
# Half widths of a bare arm in shoulder spans, seen from the front, at shares of its two bones: 0 shoulder, 1 elbow, 2 wrist.
_PLACES = (0.0, 0.3, 0.7, 1.0, 1.3, 1.7, 2.0)
_HALF_WIDTHS = (0.165, 0.155, 0.130, 0.112, 0.115, 0.090, 0.072)
_LEAST, _MOST = 0.7, 1.45
# A sleeve that fits hangs this much wider than the arm in it.
_EASE = 1.12
# Points of an arm to either side over which a fold in the sleeve reaches.
_FOLD = 3
# Places at which the bare arm has to be seen before it is believed.
_STATIONS = 3


@dataclass(frozen=True, slots=True)
class Arm:
    """``middle`` runs from shoulder to wrist; ``radii`` in pixels, one for each of its points."""

    middle: Points
    radii: Array

    def drawn(self, shape: tuple[int, ...]) -> Mask:
        """Filled, (H, W)."""
        mask = np.zeros(shape[:2], np.uint8)
        for i in range(len(self.middle) - 1):
            mask |= capsule(
                shape, self.middle[i], self.middle[i + 1], self.radii[i], self.radii[i + 1]
            )
        return mask


@dataclass(frozen=True, slots=True)
class Limbs:
    """``mask`` of both, bare, and of what they hang from (of arms the shoulders); ``drawn`` of them alone; ``radius``
    (H, W): half the limb's width near each pixel; ``zone``: where skin that is seen is theirs; ``apart``: the line at
    which they touch.
    """

    mask: Mask
    drawn: Mask
    radius: Soft
    zone: Mask
    apart: Mask


def bare_limbs(person: Person) -> Limbs:
    s = person.skeleton
    arms = bare_arms(person)
    mask = np.zeros(person.shape, np.uint8)
    radius = np.full(person.shape, 0.14 * s.span, np.float32)
    drawn = arms[0].drawn(person.shape) | arms[1].drawn(person.shape)
    mask |= drawn
    for k in SIDES:
        shoulder = arms[k].middle[0]
        mask |= capsule(person.shape, s.neck, shoulder, 0.3 * s.span, float(arms[k].radii[0]))
        if bare_armed(person, k):
            mask |= person.mask & _shoulder(person, k)
        for at, half in zip(arms[k].middle, arms[k].radii, strict=True):
            cv2.circle(radius, pixel(at), int(1.6 * half), (float(half),), -1)
    zone = person.zones.upper_arms[0] | person.zones.upper_arms[1] | person.zones.lower_arms
    return Limbs(mask, drawn, blur(radius, 0.05 * s.span), zone, np.zeros_like(mask))


def bare_arms(person: Person) -> tuple[Arm, Arm]:
    """As they are under what is worn."""
    return _arm(person, 0), _arm(person, 1)


def _shoulder(person: Person, side: int) -> Mask:
    """From the neck to the arm, and down to the armpit."""
    s = person.skeleton
    outer = s.shoulders[side] + s.outwards[side] * 0.15 * s.span
    up, down = s.down * 0.4 * s.span, s.down * 0.35 * s.trunk
    return polygon(person.shape, np.array([s.neck - up, outer - up, outer + down, s.neck + down]))


def _arm(person: Person, side: int) -> Arm:
    s = person.skeleton
    # On to the hand: sleeves end beyond the wrist's joint.
    line = smooth(resample(np.vstack([s.arm(side), s.hands[side]]), _COUNT), 2)
    usual = np.interp(_places(person, line, side), _PLACES, _HALF_WIDTHS) * s.span
    middles, halves = _seen(person, line, side)
    known = np.flatnonzero(np.isfinite(halves))
    if len(known) < _STATIONS:
        return _within_sleeve(person, line, usual)
    # Where the bare arm comes out of its sleeve, what is painted meets it edge to edge.
    first = known[:_STATIONS]
    factor = float(np.clip(np.median(halves[first] / usual[first]), _LEAST, _MOST))
    step = np.median((middles - line)[first], 0)
    share = np.clip(np.arange(_COUNT) / max(1, first[0]), 0, 1)[:, None]
    return _inside_sleeve(person, Arm(smooth(line + step * share, 2), usual * factor), first[0])


def _inside_sleeve(person: Person, arm: Arm, count: int) -> Arm:
    """The first ``count`` points moved and made thinner where the arm would stand out of the sleeve: an arm's outline is
    its own, not that of the folds.
    """
    reaches = [_sleeve_reaches(person, arm.middle, i) for i in range(count)]
    near = np.full((_COUNT, 2), np.inf)
    near[:count] = np.nan_to_num(np.reshape(reaches, (count, 2)), nan=np.inf)
    padded = np.pad(near, ((_FOLD, _FOLD), (0, 0)), constant_values=np.inf)
    near = np.min([padded[i : i + _COUNT] for i in range(2 * _FOLD + 1)], 0)
    radii = np.minimum(arm.radii, near.sum(1) / 2)
    off = np.clip(0.0, radii - near[:, 1], near[:, 0] - radii)
    middle = arm.middle + _normals(arm.middle) * off[:, None]
    even = smooth(np.column_stack((middle, radii)), 2)
    return Arm(even[:, :2], even[:, 2])


def _seen(person: Person, line: Points, side: int) -> tuple[Points, Array]:
    """Middle and half the width of the bare arm below the cuff worn now, at points of its bone; nan where not seen."""
    middles, halves = np.full(line.shape, np.nan), np.full(len(line), np.nan)
    cuff = worn_cuff(person, side)
    if cuff is None:
        return middles, halves
    span, along, normals = person.skeleton.span, lengths_along(line), _normals(line)
    total = float(lengths_along(person.skeleton.arm(side))[-1])
    for i in np.flatnonzero((along > cuff + 0.04 * span) & (along < 0.95 * total)):
        reaches = [_skin_reach(person, line[i], n) for n in (normals[i], -normals[i])]
        half = sum(reaches) / 2
        if 0.05 * span < half < 0.22 * span:
            halves[i] = half
            middles[i] = line[i] + normals[i] * (reaches[0] - reaches[1]) / 2
    return middles, halves


def _skin_reach(person: Person, start: Array, direction: Array) -> float:
    span = person.skeleton.span
    for reach in np.arange(0.0, 0.3, 0.008) * span:
        if not value_at(person.skin, start + direction * reach):
            return float(reach)
    return 0.3 * span


def _places(person: Person, line: Points, side: int) -> Array:
    """0 to 1 along the upper arm, 1 to 2 along the forearm, and 2 beyond it."""
    return np.interp(lengths_along(line), lengths_along(person.skeleton.arm(side)), [0, 1, 2])


def _within_sleeve(person: Person, line: Points, usual: Array) -> Arm:
    """Nothing of the arm is seen: it is in the sleeve, and as thick as arms are or as the sleeve lets it be."""
    reaches = np.array([_sleeve_reaches(person, line, i) for i in range(len(line))])
    wide = reaches.sum(1) / 2 / _EASE
    inner = (wide / usual)[8:-8]
    known = inner[np.isfinite(inner)]
    factor = float(np.clip(np.median(known), _LEAST, 1.15)) if len(known) else 1.0
    # The bones of the skeleton seldom run along the middle of the sleeve.
    most = 0.08 * person.skeleton.span
    off = np.clip((reaches[:, 0] - reaches[:, 1]) / 2, -most, most)
    off = np.where(np.isfinite(off), off, 0.0)
    return Arm(smooth(line + _normals(line) * off[:, None], 4), usual * factor)


def _normals(line: Points) -> Points:
    along = np.gradient(line, axis=0)
    return np.array([unit(np.array([-a[1], a[0]])) for a in along])


def _sleeve_reaches(person: Person, line: Points, index: int) -> Array:
    """From the bone to either rim of the person, in pixels; nan where the trunk or a leg goes on."""
    span, normal = person.skeleton.span, _normals(line)[index]
    found = []
    for direction in (normal, -normal):
        steps = np.arange(0.02, 0.26, 0.01) * span
        outside = [not value_at(person.mask, line[index] + direction * step) for step in steps]
        found.append(float(steps[outside.index(True)]) if True in outside else np.nan)
    return np.array(found)
