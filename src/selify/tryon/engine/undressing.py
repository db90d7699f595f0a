"""Taking off the trousers or the skirt worn now: what of the photo they are, and what is behind them."""

from dataclasses import dataclass, replace

import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Mask, Soft
from selify.tryon.engine.body import BodyFit
from selify.tryon.engine.geometry import unit
from selify.tryon.engine.labels import Label
from selify.tryon.engine.legs import CROTCH_HEIGHT, Leg, fit_legs, hip_width
from selify.tryon.engine.masks import (
    average_inside,
    blur,
    closed,
    colour_clusters,
    distance_to,
    grown,
    opened,
    parts_touching,
)
from selify.tryon.engine.person import Person

_HIDDEN_FROM = 0.97
_HIGHEST = 0.4
_ALIKE = 9.0
# In shoulder spans: how far below the upper garment the old bottom begins at most, that they meet; how far off the line
# between them colours are compared, and over what.
_ONTO, _BESIDE_LINE, _AROUND = 0.02, 0.022, 0.03
# How far colours are apart (Lab of 8 bits) that are of one cloth, and of two; along how much of it a line has to be clear
# that the bottom's colour is known, and how far off others are.
_SAME_CLOTH, _OTHER_CLOTH, _TELLS, _UNLIKE_BOTTOM = 14.0, 40.0, 0.25, 28.0
_CROTCH_RANGE = (1.1, 1.32)


@dataclass(frozen=True, slots=True)
class WaistLine:
    """The waistband's edge: its height (tau), and a parabola of how much lower it is at other places across.

    ``seen``: False where the upper garment hangs over it. ``even``: how far off the edge of the old one lies, in tau.
    """

    height: float
    curve: tuple[float, float, float]
    seen: bool
    even: float

    def bow(self, across: Array) -> Array:
        """How much lower than ``height`` it is, as tau. ``across``: -1 at the left side of the body to 1 at the right."""
        return np.asarray(np.polyval(self.curve, across))


HIDDEN_WAIST = WaistLine(0.82, (-0.03, 0.0, 0.02), seen=False, even=0.0)
"""Of somebody whose waistband cannot be seen: it hangs a little lower in the middle."""


@dataclass(frozen=True, slots=True)
class LowerBody:
    """From the waist down, beneath the clothes. ``hips``: their width in pixels; ``crotch``: its height, as tau.

    ``old``: what of the photo is the bottom worn now.
    """

    body: BodyFit
    legs: tuple[Leg, Leg]
    hips: float
    waist: WaistLine
    crotch: float
    old: Mask

    @property
    def span(self) -> float:
        return self.body.skeleton.span

    @property
    def crotch_along(self) -> float:
        """How far along the leg, from the hip joint, the crotch lies, in pixels."""
        return (self.crotch - 1) * self.body.skeleton.trunk


def undress(person: Person, body: BodyFit) -> LowerBody:
    legs = fit_legs(person, body)
    old = old_bottom(person, legs)
    waist = waist_line(person, body, old)
    return LowerBody(body, legs, hip_width(person, body), waist, _crotch_height(body, old), old)


def _crotch_height(body: BodyFit, old: Mask) -> float:
    """Where the trousers worn now part into legs; the usual height where nothing is seen of that."""
    heights = np.arange(1.02, 1.5, 0.004)
    points = np.array([body.centre(float(tau)) for tau in heights]).astype(int)
    x = np.clip(points[:, 0], 0, old.shape[1] - 1)
    y = np.clip(points[:, 1], 0, old.shape[0] - 1)
    on = old[y, x] > 0
    parted = heights[~on]
    if not on[:5].all() or not len(parted) or points[on.argmin(), 1] >= old.shape[0] - 2:
        return CROTCH_HEIGHT
    low, high = _CROTCH_RANGE
    return float(parted[0]) if low < parted[0] < high else CROTCH_HEIGHT


def old_bottom(person: Person, legs: tuple[Leg, Leg]) -> Mask:
    """All of the bottom worn now, without the shoes: also what of its waistband was taken for the top."""
    span = person.skeleton.span
    lower: Mask = ((person.label == Label.LOWER) & (person.along > _HIGHEST)).astype(np.uint8)
    if not lower.any():
        return lower
    lower = lower | _waistband(person, lower)
    for leg in legs:
        lower &= 1 - _shoe(person, leg, lower)
    return np.asarray(opened(lower, max(1.0, 0.008 * span)))


def _shoe(person: Person, leg: Leg, lower: Mask) -> Mask:
    """Beyond the ankle: all of the foot, but for a hem that hangs over it in another colour than the shoe's."""
    foot = _beyond(person, leg, -0.03) & lower
    if leg.worn_end is not None:
        return foot
    near = _beyond(person, leg, -0.5) & lower
    cloth, shoe = near & (1 - foot), _beyond(person, leg, 0.18) & lower
    colours, others = (colour_clusters(person.lab[part > 0], 2) for part in (cloth, shoe))
    if not colours:
        return foot
    apart = [distance_to(one.mean[None, None].astype(np.float32), colours) for one in others]
    others = [one for one, far in zip(others, apart, strict=True) if float(far[0, 0]) > _ALIKE]
    if not others:
        return foot
    like = distance_to(person.lab, colours) < 0.5 * distance_to(person.lab, others)
    return np.asarray(foot & (1 - opened(like, 0.02 * person.skeleton.span)))


def _waistband(person: Person, lower: Mask) -> Mask:
    """Above the bottom, in its colours rather than in those of the top."""
    span = person.skeleton.span
    top = (person.upper > 0) & (person.along > 0.1) & (person.along < 0.5)
    ours = colour_clusters(person.lab[lower > 0], 3, (10.0, 4.0, 4.0))
    theirs = colour_clusters(person.lab[top], 3, (10.0, 4.0, 4.0))
    if not theirs or not ours:
        return np.zeros_like(lower)
    near = (person.along > _HIGHEST) & (person.along < 0.95) & (person.hair == 0)
    near &= (person.label != Label.BACKGROUND) & (grown(lower, 0.4 * span) > 0)
    near &= (person.zones.arms & person.skin) == 0
    to_ours, to_theirs = distance_to(person.lab, ours), distance_to(person.lab, theirs)
    like = near & (to_ours < _ALIKE) & (to_theirs > 3 * to_ours) & (to_theirs > _ALIKE)
    like_mask = closed(like, 0.03 * span) & near.astype(np.uint8)
    band = opened(like_mask, 0.02 * span)
    return np.asarray(parts_touching(band | lower, lower) & band)


def _beyond(person: Person, leg: Leg, start: float) -> Mask:
    """Near the ankle, and beyond it by at least ``start`` shoulder spans in the shin's direction."""
    span, ankle = person.skeleton.span, leg.middle[-1]
    onwards = unit(ankle - leg.middle[-8])
    y, x = np.ogrid[: person.shape[0], : person.shape[1]]
    ahead = (x - ankle[0]) * onwards[0] + (y - ankle[1]) * onwards[1]
    away = np.hypot(x - ankle[0], y - ankle[1])
    return np.asarray(((ahead > start * span) & (away < 0.9 * span)).astype(np.uint8))


def waist_line(person: Person, body: BodyFit, old: Mask) -> WaistLine:
    """Where the bottom worn now begins: there the new one does."""
    found = _upper_edge(person, body, old)
    if found is None:
        return HIDDEN_WAIST
    across, height = found
    curve = np.polyfit(across, height, 2)
    for _ in range(4):
        off = np.abs(height - np.polyval(curve, across))
        curve = np.polyfit(across, height, 2, w=1 / (0.01 + off))
    even = float(np.median(np.abs(height - np.polyval(curve, across))))
    level = float(np.mean(np.polyval(curve, np.linspace(-1, 1, 9))))
    if level > _HIDDEN_FROM:
        return replace(HIDDEN_WAIST, even=even)
    # A hair higher than the old one, whose edge it hides.
    bend, slope = float(np.clip(curve[0], -0.12, 0.08)), float(np.clip(curve[1], -0.1, 0.1))
    lowest = (bend, slope, float(np.clip(curve[2] - level, -0.1, 0.1)))
    return WaistLine(max(_HIGHEST, level) - 0.01, lowest, seen=True, even=even)


def _upper_edge(person: Person, body: BodyFit, old: Mask) -> tuple[Array, Array] | None:
    """Across the trunk (-1 to 1, its sides) the heights at which the old bottom begins; None if hardly seen."""
    s = person.skeleton
    heights = np.arange(_HIGHEST, 1.3, 0.004)
    shares = np.linspace(-0.86, 0.86, 41)
    across, found = [], []
    for share in shares:
        side = SIDES[int(share > 0)]
        reach = np.array([body.half_width(side, float(tau)) for tau in heights]) * abs(share)
        points = np.array([body.centre(float(tau)) for tau in heights])
        points = points + s.outwards[side] * reach[:, None]
        x, y = points.astype(int).T
        inside = (x >= 0) & (x < person.shape[1]) & (y >= 0) & (y < person.shape[0])
        on = np.zeros(len(heights), bool)
        on[inside] = old[y[inside], x[inside]] > 0
        runs = np.convolve(on, np.ones(6), "valid") >= 6
        if runs.any():
            across.append(float(share))
            found.append(float(heights[int(runs.argmax())]))
    if len(found) < 0.4 * len(shares):
        return None
    return np.array(across), np.array(found)


@dataclass(frozen=True, slots=True)
class Seam:
    """The line where the upper garment ends and the old bottom begins, a place a column: the colours ``over`` and ``under``
    it, (N, 3) Lab of 8 bits.
    """

    over: Array
    under: Array

    @classmethod
    def of(cls, person: Person, old: Mask) -> "Seam":
        span, height = person.skeleton.span, person.shape[0]
        near, away = max(2, int(_ONTO * span)), max(1, int(_BESIDE_LINE * span))
        upper = person.upper & (1 - old)
        below = np.zeros_like(upper)
        below[:-near] = old[near:]
        ends = (upper > 0) & (below > 0) & (np.roll(upper, -1, 0) == 0) & (person.along > _HIGHEST)
        # Of each column the highest: below it may be what is left of a waistband that was taken for the top.
        columns = np.flatnonzero(ends.any(0))
        rows = ends[:, columns].argmax(0)
        inside = (rows >= away) & (rows + near + away < height)
        rows, columns = rows[inside], columns[inside]
        over, under = (
            average_inside(person.lab, part.astype(np.float32), _AROUND * span)
            for part in (upper, old)
        )
        return cls(over[rows - away, columns], under[rows + near + away, columns])

    @property
    def contrast(self) -> Array:
        return np.asarray(np.linalg.norm(self.over - self.under, axis=1))

    @property
    def missing(self) -> float:
        """Along how much of it nothing changes: it was drawn through one piece of cloth. Not where that is the bottom's
        own, as of a waistband that was taken for the top.
        """
        same, clear = self.contrast < _SAME_CLOTH, self.contrast > _OTHER_CLOTH
        if clear.mean() > _TELLS:
            bottom = np.median(self.under[clear], 0)
            same &= np.linalg.norm(self.over - bottom, axis=1) > _UNLIKE_BOTTOM
        return float(same.mean())


def above_waist(person: Person, body: BodyFit, waist: WaistLine) -> Soft:
    """1 above the waistband's edge, 0 below it."""
    s = person.skeleton
    y, x = np.mgrid[: person.shape[0], : person.shape[1]].astype(np.float32)
    centre = body.centre(waist.height)
    across = (x - centre[0]) * s.across[0] + (y - centre[1]) * s.across[1]
    sides = [body.half_width(side, waist.height) for side in SIDES]
    share = np.clip(np.where(across < 0, across / sides[0], across / sides[1]), -1, 1)
    edge = waist.height + waist.bow(share)
    return np.asarray(np.clip((edge - person.along) * s.trunk / 1.5 + 0.5, 0, 1), np.float32)


def background_behind(person: Person, region: Mask) -> Array:
    """The photo (H, W, 3 float32) with ``region`` filled from what stands left and right of the person.

    Walls, floors and horizons go on across the picture: each row between what is seen on either side of it.
    """
    span = person.skeleton.span
    picture = person.bgr.astype(np.float32)
    known = grown(person.alpha > 0.05, max(1.0, 0.01 * span)) == 0
    if not region.any() or not known.any():
        return picture
    weight = known.astype(np.float32)
    steady = average_inside(picture, weight, max(1.5, 0.012 * span))
    filled = _between_sides(steady, known)
    filled = filled + _grain(picture, steady, known)
    soft = blur(grown(region, max(1.0, 0.012 * span)).astype(np.float32), max(1.0, 0.008 * span))
    return np.asarray(picture * (1 - soft[..., None]) + filled * soft[..., None], np.float32)


def _between_sides(picture: Array, known: Array) -> Array:
    """Each unknown pixel between the nearest known ones of its row, weighed by how near they are."""
    height, width = known.shape
    columns = np.broadcast_to(np.arange(width), known.shape)
    left = np.maximum.accumulate(np.where(known, columns, -1), 1)
    right = (
        width
        - 1
        - np.maximum.accumulate(np.where(known, width - 1 - columns, -1)[:, ::-1], 1)[:, ::-1]
    )
    no_left, no_right = left < 0, right > width - 1
    rows = np.arange(height)[:, None]
    on_left, on_right = (
        picture[rows, np.clip(left, 0, width - 1)],
        picture[rows, np.clip(right, 0, width - 1)],
    )
    away_left = np.where(no_left, 1e6, columns - left).astype(np.float32) + 1
    away_right = np.where(no_right, 1e6, right - columns).astype(np.float32) + 1
    share = (away_left / (away_left + away_right))[..., None]
    filled = on_left * (1 - share) + on_right * share
    return np.asarray(np.where(known[..., None], picture, filled), np.float32)


def _grain(picture: Array, steady: Array, known: Array) -> Array:
    """As much of it as the background has."""
    off = np.abs(picture - steady)[known]
    strength = 1.48 * float(np.median(off)) if len(off) else 0.0
    noise = np.random.default_rng(0).standard_normal(picture.shape[:2], dtype=np.float32)
    return np.asarray((min(strength, 6.0) * noise)[..., None], np.float32)
