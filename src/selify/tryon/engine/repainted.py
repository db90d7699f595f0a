"""Comparing a photo with a picture in which somebody else has painted every pixel again.

Whoever repaints a photo softens it, drops its grain, shifts its colours a little and moves every edge by a pixel or
two. Nobody sees that. What is compared here is what is left when all of it is allowed for.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask
from selify.tryon.engine.masks import ellipse, shrunk
from selify.tryon.engine.skeleton import Skeleton

# The longest side of the copies that are compared: a repaint moves edges by as many pixels in any picture.
_SIDE = 512
# Steps in Lab; a hue is noticed sooner than a shade.
_WEIGHTS = np.array([0.7, 1.3, 1.3], np.float32)
_SEEN = 9.0
# A stroke of lettering, or more.
_SPOT = 7
_REACH = 2
_FEWEST = 60
_FLAT = 0.4
_TONES = (10, 50, 90)
_LARGEST_SHIFT = 30.0


@dataclass(frozen=True, slots=True)
class Copies:
    """Photo and result, reduced and in the same tones; ``unlike`` (h, w): by how much, in steps of Lab, either shows
    there what the other shows nowhere near.
    """

    photo: Bgr
    result: Bgr
    unlike: Array

    @classmethod
    def of(cls, photo: Bgr, result: Bgr, kept: Mask) -> "Copies":
        """``kept``: what should be the same in both, and tells how the tones have shifted. All of one size."""
        scale = min(1.0, _SIDE / max(photo.shape[:2]))
        toned = in_tones_of(photo, result, kept)
        small, other = (_reduced(picture, scale) for picture in (photo, toned))
        return cls(small, other, np.maximum(_beyond(small, other), _beyond(other, small)))

    def mask(self, mask: Mask) -> Mask:
        """A mask of the photo's size, reduced."""
        size = (self.photo.shape[1], self.photo.shape[0])
        soft = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        return (soft > 0.5).astype(np.uint8)

    def alike(self, mask: Mask, leeway: float = _SEEN) -> float | None:
        """The share of a mask of the photo's size that looks the same; None where it is too small to say."""
        inside = self.unlike[self.mask(mask) > 0]
        return float((inside <= leeway).mean()) if inside.size >= _FEWEST else None

    def worst_spot(self, mask: Mask) -> float:
        """The share that differs in the spot of the mask where most does: 0 where all is alike, 1 for whatever
        was added, taken away or exchanged there.
        """
        unlike = (self.unlike > _SEEN) & (self.mask(mask) > 0)
        share = cv2.boxFilter(unlike.astype(np.float32), -1, (_SPOT, _SPOT))
        return float(share.max())

    def detail(self, mask: Mask) -> float | None:
        """How much there is to see within the mask, of the result relative to the photo, 1 for as much. None
        where the photo is flat there.
        """
        inside = shrunk(self.mask(mask), 3) > 0
        before, after = (_edges(picture)[inside] for picture in (self.photo, self.result))
        if before.size < 4 * _FEWEST or before.mean() < _FLAT:
            return None
        return float(after.mean() / before.mean())


def in_tones_of(photo: Bgr, result: Bgr, kept: Mask) -> Bgr:
    """``result`` with its tones brought back, channel by channel along a line, as far as ``kept`` tells."""
    inside = kept > 0
    if int(inside.sum()) < 4 * _FEWEST:
        return result
    planes = []
    for wanted, found in zip(cv2.split(photo), cv2.split(result), strict=True):
        dark, middle, light = np.percentile(found[inside], _TONES)
        aim_dark, aim_middle, aim_light = np.percentile(wanted[inside], _TONES)
        steep = 1.0
        if light - dark > 20:
            steep = float(np.clip((aim_light - aim_dark) / (light - dark), 0.85, 1.18))
        # More than a little is no shift of tones but another picture.
        shift = float(np.clip(aim_middle - steep * middle, -_LARGEST_SHIFT, _LARGEST_SHIFT))
        planes.append(found.astype(np.float32) * steep + shift)
    return np.clip(np.stack(planes, 2), 0, 255).astype(np.uint8)


def _reduced(picture: Bgr, scale: float) -> Bgr:
    size = tuple(max(8, round(side * scale)) for side in picture.shape[1::-1])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, size, interpolation=how)


def _beyond(picture: Bgr, other: Bgr) -> Array:
    """How far each pixel lies outside the range of what the other picture shows around it."""
    here, there = (
        cv2.cvtColor(one, cv2.COLOR_BGR2LAB).astype(np.float32) for one in (picture, other)
    )
    kernel = np.ones((2 * _REACH + 1, 2 * _REACH + 1), np.uint8)
    above, below = here - cv2.dilate(there, kernel), cv2.erode(there, kernel) - here
    off = np.maximum(np.maximum(above, below), 0) * _WEIGHTS
    return np.asarray(np.sqrt((off**2).sum(2)))


def _edges(picture: Bgr) -> Array:
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 0.8), cv2.CV_32F))


# --- Faces ----------------------------------------------------------------------------------------

# Pixels from eyes to mouth: features are told apart at the first, their lines at the second.
_FACE_SIZES = (16.0, 32.0)
_ROOM = 2.2
_MOST_MOVED, _MOST_BENT = 0.15, 0.06
_FAINT = (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class FaceLikeness:
    """``same``: correlation of light and shade, 1 for the same face. ``sharp``: its fine lines, of the result relative
    to the photo, 1 for as many.
    """

    same: float
    sharp: float


def face_likeness(photo: Bgr, result: Bgr, skeleton: Skeleton) -> FaceLikeness:
    """``skeleton`` is the photo's; both pictures have its size."""
    likenesses = []
    sharp = 1.0
    for unit in _FACE_SIZES:
        before, after = (_face(picture, skeleton, unit) for picture in (photo, result))
        zone = _face_mask(unit)
        after = _laid_on(before, after, zone)
        likenesses.append(_correlation(before, after, zone, 1.5 + unit / 32))
        lines = [_lines(picture, zone) for picture in (before, after)]
        sharp = lines[1] / max(lines[0], 1e-3)
    return FaceLikeness(float(np.mean(likenesses)), sharp)


def _face(picture: Bgr, s: Skeleton, unit: float) -> Bgr:
    """The face from the front of its own middle, ``unit`` pixels from eyes to mouth."""
    scale, half = unit / s.face_length, _ROOM * unit
    middle = s.eyes + (s.mouth - s.eyes) * 0.35
    placing = np.array([[scale, 0, half - scale * middle[0]], [0, scale, half - scale * middle[1]]])
    soft = cv2.GaussianBlur(picture, (0, 0), max(0.3, 0.45 / scale)) if scale < 1 else picture
    size = (int(2 * half), int(2 * half))
    return cv2.warpAffine(soft, placing, size, borderMode=cv2.BORDER_REFLECT)


def _face_mask(unit: float) -> Mask:
    side = int(2 * _ROOM * unit)
    middle = np.array([_ROOM * unit, _ROOM * unit])
    return ellipse((side, side), middle, unit, 1.35 * unit)


def _laid_on(before: Bgr, after: Bgr, zone: Mask) -> Bgr:
    """``after``, moved by as little as a repaint moves a face; as it is where more would be needed."""
    side = len(before)
    grey = [cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in (before, after)]
    start = np.eye(2, 3, dtype=np.float32)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 40, 1e-4)
    try:
        _, found = cv2.findTransformECC(
            grey[0], grey[1], start, cv2.MOTION_AFFINE, stop, zone * 255, 3
        )
    except cv2.error:  # it does not converge on pictures that have nothing in common
        return after
    middle = np.array([side / 2, side / 2])
    moved = float(np.hypot(*(found[:, :2] @ middle + found[:, 2] - middle)))
    bent = float(np.abs(found[:, :2] - np.eye(2)).max())
    if moved > _MOST_MOVED * side / (2 * _ROOM) or bent > _MOST_BENT:
        return after
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(after, found, (side, side), flags=how, borderMode=cv2.BORDER_REFLECT)


def _correlation(before: Bgr, after: Bgr, zone: Mask, sigma: float) -> float:
    """SSIM without its light: a face that is lit a little otherwise is the same face."""
    grey = [
        cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32) for picture in (before, after)
    ]
    means = [cv2.GaussianBlur(one, (0, 0), sigma) for one in grey]
    spreads = [
        cv2.GaussianBlur(one * one, (0, 0), sigma) - mean**2
        for one, mean in zip(grey, means, strict=True)
    ]
    common = cv2.GaussianBlur(grey[0] * grey[1], (0, 0), sigma) - means[0] * means[1]
    alike = (2 * common + _FAINT) / (spreads[0] + spreads[1] + _FAINT)
    return float(alike[zone > 0].mean())


def _lines(face: Bgr, zone: Mask) -> float:
    """Strength of fine lines, relative to the face's contrast."""
    grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY).astype(np.float32)
    fine = cv2.GaussianBlur(grey, (0, 0), 0.8) - cv2.GaussianBlur(grey, (0, 0), 2.4)
    inside = zone > 0
    return float(fine[inside].std() / (grey[inside].std() + 2))
