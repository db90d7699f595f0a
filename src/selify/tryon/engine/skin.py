"""Painting bare skin where the garment worn now would show: collars, arms of sleeves and legs of what is now shorter.

A limb is round: its colour changes from the middle to the rim, and from the side the light comes from to the other.
How much is measured on the skin that is seen, and the painted part takes it over.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Lab, Mask, Soft
from selify.tryon.engine.camera import grain
from selify.tryon.engine.limbs import Limbs
from selify.tryon.engine.masks import (
    average_inside,
    blur,
    distance_to,
    grown,
    parts_touching,
    shrunk,
)
from selify.tryon.engine.person import Person

# Lab of the rim less that of the middle, where nothing is measured: darker, and a little more of its own hue.
_USUAL_FALL = (-46.0, 2.0, 1.0)
_ENOUGH = 150
# How many measured pixels weigh as much as what is usual.
_PRIOR = 120.0


def paint_skin(
    person: Person,
    region: Mask,
    picture: Array,
    limbs: Limbs | None = None,
    arms: Mask | None = None,
) -> Array:
    """``picture`` (H, W, 3) float32 with ``region`` painted as skin; ``arms``: the part of it that is round, arms or
    legs.
    """
    if not region.any():
        return picture
    span = person.skeleton.span
    painted = _flat(person, region)
    weight = blur(region.astype(np.float32), max(0.8, 0.006 * span))
    if limbs is not None and arms is not None and arms.any():
        share = average_inside(arms.astype(np.float32), region.astype(np.float32), 0.04 * span)
        painted += (_round(person, limbs, arms) - painted) * share[..., None]
        # Over the seam, into the arm that is seen, and over the rim of the old cuff between them.
        seam = np.clip(1.6 * blur(arms.astype(np.float32), 0.05 * span), 0, 1)
        rim = blur(_cuff_rim(person, limbs, arms).astype(np.float32), max(0.8, 0.006 * span))
        weight = np.maximum(weight, seam * np.maximum(rim, _seen_limbs(person, limbs, arms)))
    bgr = cv2.cvtColor(np.clip(painted, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR)
    weight = weight[..., None]
    return np.asarray(picture * (1 - weight) + bgr * weight, np.float32)


# --- Neck and chest -------------------------------------------------------------------------------


def _flat(person: Person, region: Mask) -> Lab:
    """The tone of the skin nearest by, with the soft light of what was there, and grain."""
    span = person.skeleton.span
    light, weight = person.lab[..., 0], region.astype(np.float32)
    near, wide = (average_inside(light, weight, span * s) for s in (0.06, 0.4))
    # Black cloth has no shading to take over, only noise.
    trust = np.clip((wide - 50) / 60, 0, 1)
    soft = 1 + (np.clip(near / np.maximum(wide, 1), 0.8, 1.15) ** 0.6 - 1) * trust
    painted = _tone(person, region)
    painted[..., 0] = painted[..., 0] * soft + grain(person)
    return painted


def _tone(person: Person, region: Mask) -> Lab:
    """The tone of the real skin nearest by: from close, then from further, then the face's."""
    seen = _seen_skin(person, region)
    tone = np.empty_like(person.lab)
    tone[:] = np.median(person.lab[seen > 0], 0) if seen.sum() > 80 else person.skin_colours[0].mean
    weight = seen.astype(np.float32)
    for reach in (0.5, 0.12, 0.04):
        sigma = reach * person.skeleton.span
        share = np.clip(blur(weight, sigma) * 6, 0, 1)[..., None]
        tone = tone * (1 - share) + average_inside(person.lab, weight, sigma) * share
    return tone


def _seen_skin(person: Person, region: Mask) -> Mask:
    """Clear skin: not the rim, not lips, brows and shadows, which are far from the usual tone."""
    rim = max(1.0, 0.01 * person.skeleton.span)
    skin = shrunk(person.skin & (1 - region), rim)
    usual = distance_to(person.lab, person.skin_colours[:1]) < 6
    return skin & usual.astype(np.uint8) & ~person.of_another_hue


# --- Arms and legs --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Light:
    """Lab of skin that faces the viewer; what is added towards the rim, and towards the right."""

    middle: Array
    fall: Array
    slant: Array

    def on(self, shape: "_Shape") -> Lab:
        lit = shape.fall[..., None] * self.fall + shape.slant[..., None] * self.slant
        return np.asarray(self.middle + lit, np.float32)


@dataclass(frozen=True, slots=True)
class _Shape:
    """``fall``: 0 in the middle of a limb, 1 at its rim. ``slant``: -1 at its left rim, 1 at its right."""

    fall: Soft
    slant: Soft

    @classmethod
    def of(cls, limbs: Limbs, mask: Mask) -> "_Shape":
        depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
        u = 1 - np.clip(depth / np.maximum(limbs.radius, 1), 0, 1)
        soft = blur(depth, max(1.0, 0.15 * float(np.median(limbs.radius))))
        gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)
        steep = np.maximum(np.hypot(gx, gy), 1e-3)
        return cls(1 - np.sqrt(np.maximum(0, 1 - u**2)), -u * gx / steep)


def _round(person: Person, limbs: Limbs, arms: Mask) -> Lab:
    """Limbs in the light of the skin that is seen, meeting it without a seam."""
    span = person.skeleton.span
    seen = _seen_limbs(person, limbs, arms)
    # Painted and seen are one limb, without a gap between them that would look like a rim.
    limb = (grown(arms, 1) | seen | _cuff_rim(person, limbs, arms)) & person.mask
    shape = _Shape.of(limbs, limb & (1 - limbs.apart))
    # What is seen apart from what is painted may be hair over a sleeve.
    seen = shrunk(seen & parts_touching(limb, arms), max(1.0, 0.012 * span))
    painted = _each_lit(person, shape, limb.astype(np.uint8), arms, seen)
    # What the light does not explain (an arm lit by a window) goes on beyond the seam and fades.
    near = shrunk(seen, max(1.0, 0.008 * span)).astype(np.float32)
    for reach in (0.35, 0.12, 0.04):
        share = np.clip(blur(near, reach * span) * 4, 0, 1)[..., None]
        painted = painted + average_inside(person.lab - painted, near, reach * span) * share
    painted[..., 0] += grain(person)
    return painted


def _each_lit(person: Person, shape: _Shape, limb: Mask, painted: Mask, seen: Mask) -> Lab:
    """One arm may be lit and the other in the shade; of which little is seen, both together tell."""
    both = _measured(person, shape, seen, _usual(person))
    lit = both.on(shape)
    count, parts = cv2.connectedComponents(limb, connectivity=4)
    for number in range(1, count):
        one = (parts == number).astype(np.uint8)
        if (one & painted).any():
            light = _measured(person, shape, seen & one, both)
            around = grown(one, 0.05 * person.skeleton.span) > 0
            lit = np.where(around[..., None], light.on(shape), lit)
    return lit


def _cuff_rim(person: Person, limbs: Limbs, painted: Mask) -> Mask:
    """Between the painted part of a limb and the part that is seen: what of the old cuff is neither."""
    near = grown(painted, max(3.0, 0.015 * person.skeleton.span)) & limbs.drawn
    return np.asarray(near & person.mask & (1 - person.hair))


def _seen_limbs(person: Person, limbs: Limbs, painted: Mask) -> Mask:
    hands = person.zones.hands[0] | person.zones.hands[1]
    seen = person.skin & limbs.zone & (1 - hands) & (1 - grown(painted, 2))
    # Neither a watch nor what is left of a sleeve that was taken for skin.
    return np.asarray(seen & ~person.of_another_hue)


def _measured(person: Person, shape: _Shape, seen: Mask, usual: _Light) -> _Light:
    """By least squares on the bare limb that is seen, drawn towards what is usual."""
    pixels = person.lab[seen > 0]
    if len(pixels) < _ENOUGH:
        return usual
    low, high = np.percentile(pixels[:, 0], [5, 95])
    kept = (pixels[:, 0] >= low) & (pixels[:, 0] <= high)
    sides = np.c_[np.ones(len(pixels)), shape.fall[seen > 0], shape.slant[seen > 0]][kept]
    off = pixels[kept] - usual.on(shape)[seen > 0][kept]
    weight = np.diag([1e-3, 1.0, 1.0]) * _PRIOR
    change = np.linalg.solve(sides.T @ sides + weight, sides.T @ off)
    return _Light(usual.middle + change[0], usual.fall + change[1], usual.slant + change[2])


def _usual(person: Person) -> _Light:
    """From face and hands, of which the lighter part faces the viewer."""
    middle = np.asarray(person.skin_colours[0].mean, float)
    hands = (person.zones.hands[0] | person.zones.hands[1]) & person.skin
    hands = person.lab[(hands > 0) & ~person.of_another_hue]
    if len(hands) > _ENOUGH:
        lit = hands[hands[:, 0] >= np.percentile(hands[:, 0], 50)]
        middle = 0.5 * middle + 0.5 * np.median(lit, 0)
    fall = np.array(_USUAL_FALL)
    fall[0] *= middle[0] / 170
    return _Light(middle, fall, np.array([_slant(person), 0.0, 0.0]))


def _slant(person: Person) -> float:
    """How much lighter the right half of the face is than the left, of a limb's rim."""
    s = person.skeleton
    face = person.skin & person.head
    x = np.arange(person.shape[1])[None]
    right, left = (face > 0) & (x > s.nose[0]), (face > 0) & (x < s.nose[0])
    if right.sum() < _ENOUGH or left.sum() < _ENOUGH:
        return 0.0
    light = person.lab[..., 0]
    return float(np.clip(np.median(light[right]) - np.median(light[left]), -30, 30))
