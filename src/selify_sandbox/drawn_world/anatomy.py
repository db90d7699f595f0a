"""A body of joints and widths, and a cut laid on it: where each panel of the cloth lies.

All in pixels of the picture (720 wide); x grows to the right. Sides are 0 (left in the picture)
and 1. Masks are drawn finer than the picture by ``FINER``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import SIDES, Array, Mask, Point, Points
from selify.tryon.engine.geometry import at_length, lengths_along, resample, unit
from selify_sandbox.drawn_world.specs import Arm, Cut, Front, Neck, Pose, Shape

WIDTH, HEIGHT = 720, 1240
FINER = 2
MIDDLE = WIDTH / 2
CHIN = 238.0
_SHOULDERS = 300.0
_TRUNK = 350.0
_LEVELS = (0.0, 0.33, 0.62, 1.0, 1.3, 3.0)
_HALF_WIDTHS = (120.0, 121.0, 108.0, 122.0, 124.0, 118.0)
CROTCH = 1.2
_NECK_HALF = 43.0
_GAP = 62.0

# Half the width of the neck opening, and its depth.
_OPENINGS = {
    Neck.CREW: (60.0, 34.0),
    Neck.V: (60.0, 118.0),
    Neck.BOAT: (104.0, 22.0),
    Neck.TURTLE: (46.0, 0.0),
    Neck.STRAPS: (76.0, 78.0),
    Neck.THIN_STRAPS: (80.0, 96.0),
}
_STRAPS = {Neck.THIN_STRAPS: 8.0}
_USUAL_STRAP = 30.0


@dataclass(frozen=True, slots=True)
class Limb:
    """A path and the limb's half width at each of its points."""

    path: Points
    radii: Array

    def until(self, share: float, more: float = 0.0, flare: float = 0.0) -> "Limb":
        """Its first part, ``more`` pixels wider, and ``flare`` more at the end."""
        along = lengths_along(self.path)
        steps = np.linspace(0, along[-1] * share, 90)
        radii = np.interp(steps, along, self.radii) + more + flare * np.linspace(0, 1, 90) ** 1.5
        return Limb(at_length(self.path, steps), radii)

    def after(self, share: float, more: float = 0.0) -> "Limb":
        """The rest of it, ``more`` pixels wider."""
        start = round(share * len(self.path))
        return Limb(self.path[start:], self.radii[start:] + more)

    def mask(self, shape: tuple[int, int], *, round_end: bool = True) -> Mask:
        """Drawn as a row of discs; a cuff is cut straight."""
        mask = np.zeros(shape, np.uint8)
        for (x, y), radius in zip(self.path, self.radii, strict=True):
            cv2.circle(mask, _fine((x, y)), round(radius * FINER), (1,), -1)
        if not round_end:
            cv2.fillPoly(mask, [np.round(self._beyond() * FINER).astype(np.int32)], (0,))
        return mask

    def _beyond(self) -> Points:
        """A square beyond the limb's end."""
        end, radius = self.path[-1], float(self.radii[-1]) * 1.6
        onwards = unit(end - self.path[-6])
        aside = np.array([-onwards[1], onwards[0]]) * radius
        far = end + onwards * radius
        return np.array([end - aside, end + aside, far + aside, far - aside])


@dataclass(frozen=True, slots=True)
class Body:
    """Somebody's joints. ``arms``: shoulder to wrist, ``legs``: hip to ankle."""

    shape: Shape
    arms: tuple[Limb, Limb]
    legs: tuple[Limb, Limb]

    @classmethod
    def of(cls, shape: Shape, pose: Pose) -> "Body":
        arms = [
            _arm(shape, arm, side) for side, arm in zip(SIDES, (pose.left, pose.right), strict=True)
        ]
        legs = [_leg(shape, side) for side in SIDES]
        return cls(shape, (arms[0], arms[1]), (legs[0], legs[1]))

    @property
    def span(self) -> float:
        """Between the shoulder joints: the unit of every error."""
        return float(self.arms[1].path[0][0] - self.arms[0].path[0][0])

    def row(self, level: float) -> float:
        return _SHOULDERS + _TRUNK * self.shape.trunk * level

    def half_width(self, level: float) -> float:
        shoulders, hips = self.shape.shoulders, self.shape.hips
        factors = (shoulders, 0.6 * shoulders + 0.4 * hips, hips, hips, hips, hips)
        widths = [w * f for w, f in zip(_HALF_WIDTHS, factors, strict=True)]
        return float(np.interp(level, _LEVELS, widths))

    def shoulder_tip(self, side: int) -> Point:
        return np.array([MIDDLE + (2 * side - 1) * 148 * self.shape.shoulders, 312.0])

    def shoulder_row(self, off: float) -> float:
        """The shoulder line's row at a distance from the middle."""
        reach = 148 * self.shape.shoulders
        return float(np.interp(off, (_NECK_HALF, 66, reach), (262, 283, 312)))

    def skin_trunk(self) -> Points:
        half = [(_NECK_HALF, 200.0), (_NECK_HALF, 262.0), (66.0, 283.0)]
        half += [(140 * self.shape.shoulders, 310.0)]
        levels = (0.33, 0.5, 0.62, 0.8, 1.0, 1.22)
        half += [(self.half_width(level), self.row(level)) for level in levels]
        return rounded(mirrored(half))


def _arm(shape: Shape, arm: Arm, side: int) -> Limb:
    sign = 2 * side - 1
    shoulder = np.array([MIDDLE + sign * 128 * shape.shoulders, 343.0])
    elbow = shoulder + 160 * _direction(arm.upper, sign)
    wrist = elbow + 146 * _direction(arm.fore, sign)
    path = resample(rounded(np.array([shoulder, elbow, wrist]), closed=False), 60)
    thick = np.sqrt((shape.shoulders + shape.hips) / 2)
    radii = np.interp(np.linspace(0, 1, 60), (0, 0.25, 0.52, 0.65, 1), (31, 30, 25, 26, 18))
    return Limb(path, radii * thick)


def _leg(shape: Shape, side: int) -> Limb:
    sign = 2 * side - 1
    top = _SHOULDERS + _TRUNK * shape.trunk
    joints = [(61 * shape.hips, top), (64 * shape.hips, top + 235), (60 * shape.hips, top + 452)]
    path = resample(np.array([(MIDDLE + sign * x, y) for x, y in joints]), 60)
    thick = 0.5 + 0.5 * shape.hips
    radii = np.interp(np.linspace(0, 1, 60), (0, 0.3, 0.52, 0.68, 1), (60, 54, 42, 42, 27))
    return Limb(path, radii * thick)


def _direction(degrees: float, sign: int) -> Array:
    angle = np.radians(degrees)
    return np.array([sign * np.sin(angle), np.cos(angle)])


# --- A cut on a body ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panels:
    """Masks of a piece of clothing, as finely drawn as the canvas. None where it has no such part.

    ``trunk`` hangs from shoulders or waist, with the legs; ``inside`` is the inside of the back
    that shows above the front neckline when nobody wears it.
    """

    trunk: Mask
    sleeves: tuple[Mask, Mask] | None
    inside: Mask | None


def panels(body: Body, cut: Cut) -> Panels:
    shape = (HEIGHT * FINER, WIDTH * FINER)
    trunk, inside = _trunk(body, cut, shape)
    if cut.legs:
        for leg in body.legs:
            limb = leg.until(cut.legs, cut.ease, cut.flare).mask(shape, round_end=False)
            # Above the hips there is only the seat.
            limb[: round(body.row(1.0) * FINER)] = 0
            trunk |= limb
    if not cut.sleeve:
        return Panels(trunk, None, inside)
    left, right = (
        arm.until(cut.sleeve, cut.ease).mask(shape, round_end=False) for arm in body.arms
    )
    return Panels(trunk, (left, right), inside)


def _trunk(body: Body, cut: Cut, shape: tuple[int, int]) -> tuple[Mask, Mask | None]:
    low = _seat(body, cut) if cut.legs else _sides(body, cut, cut.hem)
    if cut.waist is not None:
        return filled(shape, rounded(mirrored(low), rounds=1)), None
    trunk = filled(shape, rounded(mirrored(_shoulder(body, cut) + low)))
    if cut.neck is Neck.TURTLE:
        return trunk, None
    inside = trunk & filled(shape, _opening(body, cut))
    trunk &= 1 - inside
    if cut.front is Front.OPEN:
        trunk &= 1 - filled(shape, _gap(body, cut.hem))
    if cut.neck is Neck.THIN_STRAPS:
        inside = _back_straps(body, cut, shape)
    return trunk, inside


def _back_straps(body: Body, cut: Cut, shape: tuple[int, int]) -> Mask:
    """From the tops of the front's straps to the back's upper edge, further out: there is a loop between them."""
    half, wide = _OPENINGS[cut.neck][0], _STRAPS[cut.neck]
    top, low = body.shoulder_row(half) - 0.4 * cut.ease, body.row(0.36)
    side = body.half_width(0.33) + cut.ease - wide
    mask = np.zeros(shape, np.uint8)
    for sign in (-1, 1):
        across = np.array([half, half + wide, side + wide, side]) * sign + MIDDLE
        mask |= filled(shape, np.stack([across, [top, top, low, low]], 1))
    return mask


def _shoulder(body: Body, cut: Cut) -> list[tuple[float, float]]:
    """From the collar to the shoulder's end, or the strap's."""
    half, _ = _OPENINGS[cut.neck]
    start = (half, body.shoulder_row(half) - 0.4 * cut.ease)
    if cut.neck is Neck.TURTLE:
        return [(half, 226.0), (half + 2, 258.0), (70.0, 281.0 - 0.4 * cut.ease), _tip(body, cut)]
    if cut.sleeve:
        return [start, start, _tip(body, cut), _tip(body, cut)]
    outer = half + _STRAPS.get(cut.neck, _USUAL_STRAP)
    edge = (outer, body.shoulder_row(outer) - 0.4 * cut.ease)
    return [start, start, edge, edge, (outer + 3, body.row(0.16)), (outer + 8, body.row(0.25))]


def _tip(body: Body, cut: Cut) -> tuple[float, float]:
    """Where the sleeve is set in, which bulges as high as the shoulder there."""
    return 134 * body.shape.shoulders + 0.3 * cut.ease, 309 - 0.5 * cut.ease


def _sides(body: Body, cut: Cut, hem: float) -> list[tuple[float, float]]:
    """From armpit or waist to the hem, which is sharp: its corner is given three times."""
    top = 0.33 if cut.waist is None else cut.waist
    inner = [level for level in (0.5, 0.62, 0.8, 1.0, 1.2, 1.5) if top < level < hem - 0.06]
    halves = [(body.half_width(top) + cut.ease, body.row(top))]
    for level in (*inner, hem):
        flare = cut.flare * min(1.0, max(0.0, (level - 0.62) / max(0.1, hem - 0.62)))
        halves.append((body.half_width(level) + cut.ease + flare, body.row(level)))
    return [halves[0], *halves, halves[-1], halves[-1]]


def _seat(body: Body, cut: Cut) -> list[tuple[float, float]]:
    """From armpit or waist over the hips to the crotch, where the legs begin."""
    plain = Cut(waist=cut.waist, ease=cut.ease)
    return [
        *_sides(body, plain, 1.0)[:-2],
        (body.half_width(1.1), body.row(1.1)),
        (6.0, body.row(CROTCH)),
    ]


def _opening(body: Body, cut: Cut) -> Points:
    """The neck opening: above the front neckline, below the back's."""
    half, depth = _OPENINGS[cut.neck]
    level = body.shoulder_row(half) - 0.4 * cut.ease
    share = np.linspace(-1, 1, 41)
    fall = 1 - np.abs(share) if cut.neck is Neck.V else 1 - share**2
    if cut.neck in (Neck.STRAPS, Neck.THIN_STRAPS):
        fall = 1 - share**4
    front = np.stack([MIDDLE + half * share, level + depth * fall], 1)
    above = np.array([(MIDDLE + half, level - 60), (MIDDLE - half, level - 60)])
    return np.vstack([front, above])


def _gap(body: Body, hem: float) -> Points:
    """Between the two fronts of an open jacket, from the collar down."""
    half, _ = _OPENINGS[Neck.V]
    low, top = body.row(hem) + 30, body.shoulder_row(half) - 60
    right = [(MIDDLE + half, top), (MIDDLE + half - 4, 330.0), (MIDDLE + _GAP, low)]
    left = [(2 * MIDDLE - x, y) for x, y in right][::-1]
    return np.array([*right, *left])


# --- Outlines -------------------------------------------------------------------------------------


def mirrored(half: Sequence[tuple[float, float]]) -> Points:
    """A closed outline from its right half, given as distances from the middle, top to bottom."""
    right = [(MIDDLE + x, y) for x, y in half]
    left = [(MIDDLE - x, y) for x, y in half[::-1]]
    return np.array(right + left, float)


def rounded(points: Points, *, closed: bool = True, rounds: int = 2) -> Points:
    """Corner cutting (Chaikin 1974)."""
    for _ in range(rounds):
        following = np.roll(points, -1, 0) if closed else points[1:]
        first = points if closed else points[:-1]
        cut = np.empty((2 * len(first), 2))
        cut[0::2], cut[1::2] = first * 0.75 + following * 0.25, first * 0.25 + following * 0.75
        points = cut if closed else np.vstack([points[:1], cut, points[-1:]])
    return points


def filled(shape: tuple[int, int], outline: Points) -> Mask:
    """``shape`` is the canvas's, the outline in pixels of the picture."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline * FINER * 16).astype(np.int32)], (1,), cv2.LINE_8, 4)
    return mask


def _fine(point: tuple[float, float]) -> tuple[int, int]:
    return round(point[0] * FINER), round(point[1] * FINER)
