"""Tops of which one half hides what the other shows: photographed at home, a sleeve lies on the trunk or is bent."""

from dataclasses import replace

import cv2
import numpy as np

from selify.tryon.engine.arrays import Mask, Points
from selify.tryon.engine.geometry import distance
from selify.tryon.engine.points import TopPoints

# In half chests: what goes out less than this has no sleeve to be seen. In lengths: how far apart in height armpits are
# of which one is wrong, and how deep a right one is at most.
_NO_SLEEVE, _ARMPITS_APART, _DEEPEST_ARMPIT = 0.24, 0.15, 0.5
# A sleeve that is bent or ends in a fold is this many times shorter than the other.
_UNLIKE = 1.4
# In lengths, a chest at least, of a dress and of a top: what is narrower lacks a half. Of the points of the other half's
# side: how many lie on the cloth.
_NARROWEST = {True: 0.28, False: 0.45}
_ON_CLOTH = 0.6


def both_alike(mask: Mask, points: TopPoints, *, dress: bool) -> TopPoints:
    """Of a sleeve that lies on the trunk the outline shows nothing: the other half tells how both are."""
    if points.sleeves is None:
        return points
    good = int(_overhang(points, 1) > _overhang(points, 0))
    apart = abs(points.armpits[0][1] - points.armpits[1][1]) / points.length
    hidden = _overhang(points, 1 - good) < _NO_SLEEVE or apart > _ARMPITS_APART
    deep = (points.armpits[good][1] - points.shoulders[good][1]) / points.length
    if hidden and deep < _DEEPEST_ARMPIT:
        both = _mirrored_half(points, good)
        narrow = both.chest_width < _NARROWEST[dress] * both.length
        return both if not narrow and _is_cloth(mask, both.sides[1 - good]) else points
    lengths = [distance(sleeve.upper[0], sleeve.upper[-1]) for sleeve in points.sleeves]
    longer = points.sleeves[int(lengths[1] > lengths[0])]
    unlike = max(lengths) > _UNLIKE * max(1.0, min(lengths))
    return replace(points, sleeves=(longer, longer)) if unlike else points


def _overhang(points: TopPoints, side: int) -> float:
    """How far a sleeve goes outwards from its armpit, in half chests."""
    if points.sleeves is None:
        return 0.0
    sign, pit = (1 if side else -1), points.armpits[side]
    sleeve = points.sleeves[side]
    outermost = float((sign * np.vstack([sleeve.upper, sleeve.lower])[:, 0]).max())
    middle = (points.collar[0][0] + points.collar[1][0]) / 2
    return float((outermost - sign * pit[0]) / max(1.0, abs(pit[0] - middle)))


def _mirrored_half(points: TopPoints, good: int) -> TopPoints:
    """One half, and its mirror image on the line through the collar's middle; the sleeve's cloth is that of the good
    one twice.
    """
    if points.sleeves is None:
        return points
    middle = (points.collar[0][0] + points.collar[1][0]) / 2
    hem = points.hem if good == 0 else points.hem[::-1]
    half = hem[: max(2, int((np.abs(hem[:, 0] - middle)).argmin()) + 1)]
    hem = np.vstack([half, _over(half[::-1], middle)[1:]])
    sleeve = points.sleeves[good]
    lines, holes, sides = (
        _pair(one[good], _over(one[good], middle), good)
        for one in (points.shoulder_lines, points.armholes, points.sides)
    )
    return replace(
        points,
        shoulder_lines=lines,
        armholes=holes,
        sides=sides,
        hem=hem if good == 0 else hem[::-1],
        sleeves=(sleeve, sleeve),
        axis=middle,
        one_half=True,
    )


def _is_cloth(mask: Mask, points: Points) -> bool:
    """Whether most of the points lie on the mask or at its rim: what was cut off is not made up."""
    rim = max(1, int(0.02 * mask.shape[1]))
    near = cv2.dilate(mask, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8))
    x = np.clip(np.round(points[:, 0]).astype(int), 0, mask.shape[1] - 1)
    y = np.clip(np.round(points[:, 1]).astype(int), 0, mask.shape[0] - 1)
    return bool(near[y, x].mean() > _ON_CLOTH)


def _over(points: Points, middle: float) -> Points:
    return np.asarray(points * [-1, 1] + [2 * middle, 0])


def _pair(own: Points, mirrored: Points, good: int) -> tuple[Points, Points]:
    return (own, mirrored) if good == 0 else (mirrored, own)
