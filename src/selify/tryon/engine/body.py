"""The body under the clothes: shoulder points, half widths of the trunk, and the hem worn now.

Heights are ``tau``: 0 at the shoulders, 1 at the hips, beyond 1 down the legs. Widths are taken
from the photo by marching outwards from the middle line until the person, or the trunk, ends.
"""

from dataclasses import dataclass

import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Mask, Point, Points
from selify.tryon.engine.geometry import distance, resample, unit
from selify.tryon.engine.labels import Label
from selify.tryon.engine.person import Person
from selify.tryon.engine.skeleton import Skeleton

_HEIGHTS = np.arange(0.16, 1.75, 0.02)
# In shoulder spans, from the middle line outwards.
_REACHES = np.arange(0.20, 1.15, 0.012)
_USUAL_AT = (0.16, 0.3, 0.65, 1.0, 1.75)
_USUAL_HALF = (0.60, 0.57, 0.49, 0.56, 0.58)


@dataclass(frozen=True, slots=True)
class BodyFit:
    """``tips``: outer ends of the shoulders. ``neck_sides``: where shoulder line meets the neck.

    ``half_widths``: per side, pixels from the middle line at each of ``heights``.
    ``hem``: tau at which the upper garment worn now ends, None if it cannot be seen.
    """

    skeleton: Skeleton
    tips: tuple[Point, Point]
    neck_sides: tuple[Point, Point]
    half_widths: tuple[Array, Array]
    leg_direction: Array
    hem: float | None

    def centre(self, tau: float) -> Point:
        """The middle line: down the trunk, then between the legs."""
        s = self.skeleton
        if tau <= 1:
            return np.asarray(s.neck + s.down * tau * s.trunk)
        return np.asarray(s.pelvis + self.leg_direction * (tau - 1) * s.trunk)

    def half_width(self, side: int, tau: float) -> float:
        return float(np.interp(tau, _HEIGHTS, self.half_widths[side]))

    def width(self, tau: float) -> float:
        return self.half_width(0, tau) + self.half_width(1, tau)

    def tau_of(self, point: Point) -> float:
        """Height of a point beside the trunk."""
        s = self.skeleton
        return float(np.dot(point - s.neck, s.down) / s.trunk)


def fit_body(person: Person) -> BodyFit:
    s = person.skeleton
    legs = _leg_direction(s)
    tips = _march_shoulders(person, 0.866, 0.5, (0.08, 0.15, 0.19))
    bare = BodyFit(s, tips, tips, (_HEIGHTS, _HEIGHTS), legs, None)
    halves = [_half_widths(person, bare, side) for side in SIDES]
    fit = BodyFit(s, tips, _neck_sides(person), (halves[0], halves[1]), legs, None)
    return BodyFit(s, tips, fit.neck_sides, fit.half_widths, legs, worn_hem(person, fit))


def usual_body(s: Skeleton) -> BodyFit:
    """Of somebody of whom nothing is known but the joints."""
    half = usual_half_width(_HEIGHTS, s.span)
    shoulders = (s.shoulders[0], s.shoulders[1])
    return BodyFit(s, shoulders, shoulders, (half, half), _leg_direction(s), None)


def _leg_direction(s: Skeleton) -> Array:
    if s.ankles_seen > 0.3:
        return unit((s.ankles + s.knees).mean(0) / 2 - s.pelvis)
    return s.down


def _at(mask: Array, point: Point) -> int:
    """The mask's value under a point; the rim's where it lies outside."""
    height, width = mask.shape
    x, y = int(np.clip(point[0], 0, width - 1)), int(np.clip(point[1], 0, height - 1))
    return int(mask[y, x])


def _inside(mask: Array, point: Point) -> bool:
    height, width = mask.shape
    return bool(0 <= point[0] < width and 0 <= point[1] < height)


def _until_outside(
    person: Person, start: Point, step: Array, low: float, high: float
) -> float | None:
    """How far (in shoulder spans) one can go before leaving the person; None over hair or never."""
    for reach in np.arange(low, high, 0.01):
        point = start + step * reach * person.skeleton.span
        if _at(person.hair, point):
            return None
        if not (_inside(person.mask, point) and _at(person.mask, point)):
            return float(reach)
    return None


def _march_shoulders(
    person: Person, up: float, out: float, limits: tuple[float, float, float]
) -> tuple[Point, Point]:
    """From the joints up and outwards to the skin of the shoulder. Limits: least, usual, most."""
    s = person.skeleton
    least, usual, most = limits
    tips = []
    for k in SIDES:
        step = s.outwards[k] * out - s.down * up
        reach = _until_outside(person, s.shoulders[k], step, 0.03, 0.36) or usual
        tips.append(s.shoulders[k] + step * float(np.clip(reach, least, most)) * s.span)
    return tips[0], tips[1]


def _neck_sides(person: Person) -> tuple[Point, Point]:
    """From the shoulder line up to where it meets the neck, 0.3 spans from the middle."""
    s = person.skeleton
    found = []
    for k in SIDES:
        foot = s.neck + s.outwards[k] * 0.30 * s.span
        reach = _until_outside(person, foot, -s.down, 0.0, 0.5) or 0.20
        found.append(foot - s.down * float(np.clip(reach, 0.10, 0.30)) * s.span)
    return found[0], found[1]


def usual_half_width(tau: Array | float, span: float) -> Array:
    return np.asarray(np.interp(tau, _USUAL_AT, _USUAL_HALF)) * span


def _half_widths(person: Person, fit: BodyFit, side: int) -> Array:
    """Measured where the photo allows it, the usual shape scaled to it elsewhere; smoothed."""
    usual = usual_half_width(_HEIGHTS, person.skeleton.span)
    bone = _covered(person, _arm_bone(person.skeleton, side))
    bare_arm = person.skin & person.zones.arms
    trunk = person.mask & (1 - bare_arm)
    measured = np.array([_march_side(trunk, fit, side, float(tau), bone) for tau in _HEIGHTS])
    measured = np.clip(measured, 0.78 * usual, 1.45 * usual)
    seen = ~np.isnan(measured)
    if seen.sum() < 4:
        return usual
    ratio = np.interp(_HEIGHTS, _HEIGHTS[seen], (measured / usual)[seen])
    widths = np.where(seen, measured, ratio * usual)
    padded = np.pad(widths, 4, "edge")
    widths = np.array([np.median(padded[i : i + 9]) for i in range(len(widths))])
    return np.convolve(np.pad(widths, 3, "edge"), np.ones(7) / 7, "valid")


def _arm_bone(s: Skeleton, side: int) -> Points:
    return np.vstack(
        [
            resample(s.arm(side)[:2], 20),
            resample(s.arm(side)[1:], 20),
            resample(np.vstack([s.wrists[side], s.hands[side]]), 6),
        ]
    )


def _covered(person: Person, bone: Points) -> Points:
    """The points of an arm that are in a sleeve: where it is bare its skin shows where the trunk ends."""
    return np.array([point for point in bone if _at(person.label, point) != Label.SKIN])


def _march_side(trunk: Mask, fit: BodyFit, side: int, tau: float, bone: Points) -> float:
    """Pixels from the middle line to the side of the trunk; nan if it is not seen."""
    s = fit.skeleton
    points = fit.centre(tau) + s.outwards[side] * _REACHES[:, None] * s.span
    height, width = trunk.shape
    beyond = (points < 0).any(1) | (points[:, 0] >= width) | (points[:, 1] >= height)
    points = points[: int(beyond.argmax())] if beyond.any() else points
    x, y = points.astype(int).T
    off = trunk[y, x] == 0
    # Off twice in a row, or a covered arm hanging at the side: the trunk ends a little before its bone.
    ends = np.flatnonzero(off[1:] & off[:-1]) + 1
    arms = _near(points, bone, 0.10 * s.span) if tau > 0.3 else ends[:0]
    end, arm = (int(found[0]) if len(found) else len(_REACHES) for found in (ends, arms))
    if end == arm == len(_REACHES):
        return float("nan")
    back = 0.012 if end <= arm else 0.03
    return float((_REACHES[min(end, arm)] - back) * s.span)


def _near(points: Points, bone: Points, limit: float) -> Array:
    """Which of the points far enough out lie near the bone."""
    if not len(bone):
        return np.zeros(0, int)
    away = np.hypot(*(points[:, None] - bone[None]).transpose(2, 0, 1)).min(1)
    return np.flatnonzero((away < limit) & (_REACHES[: len(points)] > 0.42))


def worn_hem(person: Person, fit: BodyFit) -> float | None:
    """Where the upper garment worn now ends: the label changes there, and so does the colour."""
    heights = np.arange(0.42, 1.5, 0.01)
    share = np.array([_upper_share(person, fit, tau) for tau in heights])
    change = _colour_change(np.array([_row_colour(person, fit, tau) for tau in heights]))
    ends = np.flatnonzero(share < 0.5)
    if len(ends) and ends[0] > 2:
        end = int(ends[0])
        before, after = share[max(0, end - 15) : end], share[end : end + 12]
        if _mean(before) > 0.8 and _mean(after) < 0.35:
            low = max(0, end - 6)
            near = change[low : end + 6]
            return float(heights[low + int(near.argmax())] if near.max() > 8 else heights[end])
    if change.max() > 14:
        # The first strong change counts (the top of a waistband), not the strongest.
        first = int(np.flatnonzero(change > 0.75 * change.max())[0])
        return float(heights[first + int(change[first : first + 8].argmax())])
    return None


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _row(person: Person, fit: BodyFit, tau: float, reach: float, count: int) -> tuple[Array, Array]:
    """Pixels across the trunk at a height, those inside the picture: (rows, columns)."""
    s = person.skeleton
    shares = np.linspace(-reach, reach, count)[:, None]
    points = fit.centre(tau) + s.across * shares * 0.5 * s.span
    x, y = points.astype(int).T
    inside = (x >= 0) & (x < person.shape[1]) & (y >= 0) & (y < person.shape[0])
    return y[inside], x[inside]


def _upper_share(person: Person, fit: BodyFit, tau: float) -> float:
    y, x = _row(person, fit, tau, 0.6, 15)
    labels = person.label[y, x][person.mask[y, x] > 0]
    return float((labels == Label.UPPER).mean()) if len(labels) else float("nan")


def _row_colour(person: Person, fit: BodyFit, tau: float) -> Array:
    y, x = _row(person, fit, tau, 0.55, 13)
    worn = np.isin(person.label[y, x], (Label.SKIN, Label.UPPER, Label.LOWER))
    if worn.sum() < 5:
        return np.full(3, np.nan)
    return np.asarray(np.median(person.lab[y, x][worn], 0))


def _colour_change(profile: Array, window: int = 7) -> Array:
    """How much the colour differs between the rows above and below each height."""
    change = np.zeros(len(profile))
    for i in range(window, len(profile) - window):
        above, below = profile[i - window : i], profile[i : i + window]
        if np.isnan(above).any() or np.isnan(below).any():
            continue
        step = (above.mean(0) - below.mean(0)) * (0.7, 1.5, 1.5)
        change[i] = np.sqrt((step**2).sum()) - 0.5 * (above.std(0).sum() + below.std(0).sum())
    return change


def arm_length(s: Skeleton, side: int) -> float:
    return distance(s.shoulders[side], s.elbows[side]) + distance(s.elbows[side], s.wrists[side])
