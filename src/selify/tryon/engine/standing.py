"""A figure of usual measures that stands straight: what a bottom is laid on to see whether it can be worn by anybody."""

from functools import cache

import numpy as np

from selify.tryon.engine.arrays import SIDES
from selify.tryon.engine.body import usual_body, usual_half_width
from selify.tryon.engine.bottoms import fit_bottom
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.geometry import grid_distortion
from selify.tryon.engine.legs import CROTCH_HEIGHT, usual_leg
from selify.tryon.engine.points import BottomPoints
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.engine.undressing import HIDDEN_WAIST, LowerBody

# Its shoulders, hips, knees and ankles: how far aside they are, and how far down, in hundredths of the shoulder span.
_JOINTS = {
    (12, 11): (50.0, 0.0),
    (24, 23): (29.0, 150.0),
    (26, 25): (27.0, 275.0),
    (28, 27): (25.0, 390.0),
}


def drawn_apart(garment: Garment, points: BottomPoints) -> float:
    """How unlike lengths along and across it change on the figure, as ``distortion``: what is folded in its picture has
    to be drawn apart.
    """
    strips = fit_bottom(_figure(), garment, points).strips
    return float(np.mean([grid_distortion(strip.source, strip.target) for strip in strips]))


@cache
def _figure() -> LowerBody:
    """In nothing that could hide its waist or its legs."""
    points = np.zeros((33, 2))
    for pair, (half, row) in _JOINTS.items():
        for joint, side in zip(pair, (-1, 1), strict=True):
            points[joint] = side * half, row
    skeleton = Skeleton(points, np.ones(len(points)))
    left, right = (usual_leg(skeleton, side) for side in SIDES)
    return LowerBody(
        body=usual_body(skeleton),
        legs=(left, right),
        hips=2 * float(usual_half_width(1.0, skeleton.span)),
        waist=HIDDEN_WAIST,
        crotch=CROTCH_HEIGHT,
        old=np.zeros((1, 1), np.uint8),
    )
