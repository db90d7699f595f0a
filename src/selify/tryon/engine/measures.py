"""Measures of one result that need no network weights."""

from typing import cast

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Mask

_BINS = [6, 12, 12]
_RANGES = [0, 256, 64, 192, 64, 192]
_MIN_PIXELS = 50
_PRINT_SIDE = 512
_ENOUGH = 50
"""Fewer key points than this are seams and labels, no print."""
_DOUBLE = 60
"""Bits of 486 in which two descriptors of the same thing still differ."""


def similarity_map(first: Bgr, second: Bgr) -> Array:
    """SSIM (Wang et al. 2004; Gaussian window, sigma 1.5) per pixel, mean of the channels."""
    a, b = first.astype(np.float32), second.astype(np.float32)

    def local(values: Array) -> Array:
        return cv2.GaussianBlur(values, (11, 11), 1.5)

    mean_a, mean_b = local(a), local(b)
    var_a, var_b = local(a * a) - mean_a**2, local(b * b) - mean_b**2
    covariance = local(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    bottom = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return np.asarray((top / bottom).mean(2))


def mean_inside(values: Array, mask: Mask) -> float | None:
    """None where the mask is too small to say anything."""
    inside = values[mask > 0]
    return float(inside.mean()) if inside.size >= _MIN_PIXELS else None


def colour_histogram(bgr: Bgr, mask: Mask) -> Array | None:
    """Joint Lab histogram, softened by a bin so that a shade more light does not matter."""
    if int((mask > 0).sum()) < _MIN_PIXELS:
        return None
    lab = cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB)
    counts = cv2.calcHist([lab], [0, 1, 2], (mask > 0).astype(np.uint8), _BINS, _RANGES)
    for axis in range(3):
        counts = _softened(counts, axis)
    return np.asarray(counts / max(1e-6, float(counts.sum())))


def _softened(counts: Array, axis: int) -> Array:
    padded = np.pad(counts, [(1, 1) if i == axis else (0, 0) for i in range(3)], mode="edge")
    middle = np.take(padded, range(1, counts.shape[axis] + 1), axis)
    before = np.take(padded, range(counts.shape[axis]), axis)
    after = np.take(padded, range(2, counts.shape[axis] + 2), axis)
    return np.asarray(0.5 * middle + 0.25 * (before + after))


def colour_likeness(first: Bgr, first_mask: Mask, second: Bgr, second_mask: Mask) -> float | None:
    """Histogram intersection 0..1 of what the two masks show."""
    a, b = colour_histogram(first, first_mask), colour_histogram(second, second_mask)
    if a is None or b is None:
        return None
    return float(np.minimum(a, b).sum())


def print_survival(garment: Bgr, garment_mask: Mask, result: Bgr, mask: Mask) -> float | None:
    """Share of the garment's key points found again, in one consistent placing; None if it has few.

    Only key points that occur once count: dots and stripes look alike everywhere, and have no place.
    """
    # At the size it has in the result: finer detail cannot be there.
    side = int(np.clip(max(cv2.boundingRect((mask > 0).astype(np.uint8))[2:]), 160, _PRINT_SIDE))
    first = _unique(_keypoints(garment, garment_mask, side))
    second = _keypoints(result, mask, side)
    if first is None or len(first[0]) < _ENOUGH:
        return None
    if second is None or len(second[0]) < 8:
        return 0.0
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(first[1], second[1], 2)
    good = [p[0] for p in pairs if len(p) == 2 and p[0].distance < 0.8 * p[1].distance]
    if len(good) < 6:
        return 0.0
    source = np.array([first[0][m.queryIdx].pt for m in good], np.float32)
    target = np.array([second[0][m.trainIdx].pt for m in good], np.float32)
    cv2.setRNGSeed(1)
    _, inliers = cv2.findHomography(source, target, cv2.RANSAC, 0.04 * side)
    found = 0 if inliers is None else int(np.asarray(inliers).sum())
    return float(min(1.0, found / len(first[0])))


_Keypoints = tuple[list[cv2.KeyPoint], Array]


def _unique(found: _Keypoints | None) -> _Keypoints | None:
    """Without those that have a double elsewhere in the same picture."""
    if found is None or len(found[0]) < 2:
        return None
    points, descriptors = found
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(descriptors, descriptors, 2)
    alone = [i for i, pair in enumerate(pairs) if len(pair) == 2 and pair[1].distance > _DOUBLE]
    return [points[i] for i in alone], descriptors[alone]


def _keypoints(bgr: Bgr, mask: Mask, side: int) -> _Keypoints | None:
    """AKAZE on the masked part, its longer side brought to ``side``."""
    rows, columns = np.nonzero(mask)
    if len(rows) < _MIN_PIXELS:
        return None
    y0, y1, x0, x1 = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    part, cut = bgr[y0:y1, x0:x1], (mask[y0:y1, x0:x1] > 0).astype(np.uint8) * 255
    scale = side / max(part.shape[:2])
    size = (max(16, round(part.shape[1] * scale)), max(16, round(part.shape[0] * scale)))
    grey = cv2.cvtColor(cv2.resize(part, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    small_cut = cv2.resize(cut, size, interpolation=cv2.INTER_NEAREST)
    detector = cv2.AKAZE.create(threshold=5e-4)
    points, descriptors = detector.detectAndCompute(grey, small_cut)
    if descriptors is None:
        return None
    return list(points), cast("Array", descriptors)
