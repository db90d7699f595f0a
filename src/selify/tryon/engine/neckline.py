"""The front neckline of a garment laid flat, where the inside of its back shows above it."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask, Points
from selify.tryon.engine.keypoints import TopPoints

_SAMPLES = 60
_MIN_EVIDENCE = 2.0


@dataclass(frozen=True, slots=True)
class Neckline:
    """A parabola from collar to collar. ``depth`` in garment pixels, 0: the outline's own.

    ``confidence`` 0..1: how clearly its edge was seen. ``inset``: how far inside the collar
    points of the outline it begins.
    """

    depth: float
    confidence: float
    inset: float = 0.0


def find_neckline(bgr: Bgr, mask: Mask, points: TopPoints) -> Neckline:
    """The curve below the outline's own neck with the clearest edge, weighed by what is usual."""
    left, right = (np.asarray(p, float) for p in points.collar)
    width = points.neck_width
    own = outline_depth(mask, left, right)
    tall = points.box[3] - points.box[1]
    if width <= 0.06 * (points.box[2] - points.box[0]):
        return Neckline(own, 0.0)
    sigma = max(0.8, 0.0025 * (points.box[2] - points.box[0]))
    lab = cv2.cvtColor(cv2.GaussianBlur(bgr, (0, 0), sigma), cv2.COLOR_BGR2LAB).astype(np.float32)
    step = max(2.0, 0.008 * tall)
    depths = np.linspace(0.02 * tall, min(0.36 * tall, 1.25 * width), 70)
    insets = np.array([0.0, 0.03, 0.06]) * width
    tried = [
        [
            _evidence(lab, mask, left + np.array([i, 0]), right - np.array([i, 0]), depth, step)
            for depth in depths
        ]
        for i in insets
    ]
    scores = np.array(tried)
    usual = np.interp(
        depths / width, [0.05, 0.2, 0.35, 0.55, 0.9, 1.25], [0.3, 0.8, 1, 1, 0.75, 0.5]
    )
    scores = scores * (usual * (depths > own + 1.5 * step))
    inset, best = (int(i) for i in np.unravel_index(scores.argmax(), scores.shape))
    found = float(scores[inset, best])
    if found <= _MIN_EVIDENCE:
        return Neckline(own, 0.0)
    confidence = min(1.0, found / (3 * _MIN_EVIDENCE))
    return Neckline(float(depths[best]), float(confidence), float(insets[inset]))


def curve(left: Array, right: Array, depth: float, share: Array) -> Points:
    """Points of the parabola; ``share`` 0 at the left collar, 1 at the right."""
    points = left * (1 - share[:, None]) + right * share[:, None]
    points[:, 1] += depth * 4 * share * (1 - share)
    return np.asarray(points)


def outline_depth(mask: Mask, left: Array, right: Array) -> float:
    """How far the outline itself dips between the collar points."""
    width = right[0] - left[0]
    low, high = int(left[0] + 0.35 * width), int(left[0] + 0.65 * width) + 1
    columns = mask[:, max(0, low) : max(low + 1, high)]
    rows = np.where(columns.any(0), columns.argmax(0), 0)
    return max(0.0, float(np.median(rows) - (left[1] + right[1]) / 2))


def _evidence(
    lab: Array, mask: Mask, left: Array, right: Array, depth: float, step: float
) -> float:
    """Edge strength across the curve, where both its sides are garment."""
    points = curve(left, right, depth, np.linspace(0.12, 0.88, _SAMPLES))
    above, below = points - np.array([0, step]), points + np.array([0, step])
    change = _at(lab, below) - _at(lab, above)
    inside = (_at(mask, above - np.array([0, step]))[:, 0] > 0) & (_at(mask, below)[:, 0] > 0)
    thirds = np.array_split(np.where(inside[:, None], change, np.nan), 3)
    if inside.mean() < 0.6 or any(np.isnan(part[:, 0]).mean() > 0.7 for part in thirds):
        return 0.0
    means = np.array([np.nanmedian(part, 0) for part in thirds])
    # Stripes and labels change colour too, but not in the same way all along the curve.
    return float((means @ _unit(means.mean(0))).min())


def _unit(vector: Array) -> Array:
    return np.asarray(vector / max(1e-6, float(np.linalg.norm(vector))))


def _at(picture: Array, points: Points) -> Array:
    x, y = points[:, 0].astype(np.float32)[None], points[:, 1].astype(np.float32)[None]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR)[0].reshape(len(points), -1))
