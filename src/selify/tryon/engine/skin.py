"""Painting bare skin where the garment worn now would show: collars, and sleeves now shorter."""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Lab, Mask
from selify.tryon.engine.masks import average_inside, blur, distance_to, shrunk
from selify.tryon.engine.person import Person


def paint_skin(person: Person, region: Mask, picture: Array) -> Array:
    """``picture`` (H, W, 3) float32 with ``region`` painted in the colour of the visible skin."""
    if not region.any():
        return picture
    span = person.skeleton.span
    painted = _shaded(person, region, _tone(person, region))
    bgr = cv2.cvtColor(np.clip(painted, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR)
    weight = blur(region.astype(np.float32), max(1.0, 0.008 * span))[..., None]
    return np.asarray(picture * (1 - weight) + bgr * weight, np.float32)


def _tone(person: Person, region: Mask) -> Lab:
    """The tone of the real skin nearest by: from close, then from further, then the face's."""
    seen = _seen_skin(person, region)
    tone = np.empty_like(person.lab)
    tone[:] = np.median(person.lab[seen > 0], 0) if seen.sum() > 80 else person.skin_colours[0].mean
    weight = seen.astype(np.float32)
    for reach in (0.5, 0.12):
        sigma = reach * person.skeleton.span
        share = np.clip(blur(weight, sigma) * 6, 0, 1)[..., None]
        tone = tone * (1 - share) + average_inside(person.lab, weight, sigma) * share
    return tone


def _seen_skin(person: Person, region: Mask) -> Mask:
    """Clear skin: not the rim, not lips, brows and shadows, which are far from the usual tone."""
    rim = max(1.0, 0.01 * person.skeleton.span)
    skin = shrunk(person.skin & (1 - region), rim)
    usual = distance_to(person.lab, person.skin_colours[:1]) < 6
    return skin & usual.astype(np.uint8)


def _shaded(person: Person, region: Mask, tone: Lab) -> Lab:
    """With the soft light of what was there, rounder towards the outline, and a fine grain."""
    span = person.skeleton.span
    light, weight = person.lab[..., 0], region.astype(np.float32)
    near, wide = (average_inside(light, weight, span * s) for s in (0.06, 0.4))
    # Black cloth has no shading to take over, only noise.
    trust = np.clip((wide - 50) / 60, 0, 1)
    soft = 1 + (np.clip(near / np.maximum(wide, 1), 0.8, 1.15) ** 0.6 - 1) * trust
    depth = cv2.distanceTransform(person.mask, cv2.DIST_L2, 5) / (0.10 * span)
    rounding = 0.88 + 0.12 * np.sqrt(np.clip(depth, 0, 1))
    grain = np.random.default_rng(0).standard_normal(light.shape, dtype=np.float32)
    painted = tone.copy()
    painted[..., 0] = tone[..., 0] * soft * rounding + 1.6 * blur(grain, 1.2)
    return painted
