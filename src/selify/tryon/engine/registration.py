"""A hosted engine's picture brought back into the photo's frame.

Such engines crop, shift and stretch by a few pixels, which no shopper sees; measured point by point it
looks like another face. What stayed the same in both pictures says how one lies on the other.
"""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr, Points

_AKAZE_THRESHOLD = 1e-3
_DISTINCT = 0.8  # a match must be this much closer than the second best
_TOLERANCE = 2.0  # pixels between matches that agree
_MIN_AGREEING = 30
_MIN_SHARE = 0.25
_UNMOVED = 0.5  # pixels, of half of the agreeing points
_WORTH_STRETCHING = 1.1  # times as many agree
_MOST_TURN = 0.05  # the share of one axis in the other: 3 degrees
_MOST_SCALE = 1.25
_MIN_COVERED = 0.8


def registered(result: Bgr, photo: Bgr) -> Bgr:
    """``result`` in the photo's size and place; ``result`` itself where it lies there already, or
    where too little agrees to say.

    What it does not show of the photo (a cropped edge) is taken from the photo.
    """
    matched = _matches(result, photo)
    matrix = None if matched is None else _placing(*matched, _plain(result, photo))
    if matrix is None or not _is_modest(matrix, result, photo):
        return result
    size = (photo.shape[1], photo.shape[0])
    return cv2.warpAffine(
        result,
        matrix,
        size,
        dst=photo.copy(),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_TRANSPARENT,
    )


def _matches(result: Bgr, photo: Bgr) -> tuple[Points, Points] | None:
    """Points (N, 2) of the result, and the same things' points in the photo."""
    detector = cv2.AKAZE.create(threshold=_AKAZE_THRESHOLD)
    (points, marks), (others, other_marks) = (
        detector.detectAndCompute(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), None)
        for picture in (result, photo)
    )
    if min(len(points), len(others)) < _MIN_AGREEING:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(marks, other_marks, 2)
    matches = [p[0] for p in pairs if len(p) == 2 and p[0].distance < _DISTINCT * p[1].distance]
    if len(matches) < _MIN_AGREEING:
        return None
    here = np.array([points[match.queryIdx].pt for match in matches], np.float32)
    there = np.array([others[match.trainIdx].pt for match in matches], np.float32)
    return here, there


def _placing(here: Points, there: Points, plain: Array) -> Array | None:
    """How the result (2 x 3) lies on the photo: the simplest way on which most points agree.

    A stretch is believed only if it explains more than turn, scale and shift do: it is free to go
    astray where no points are. None: it lies where mere resizing puts it, or nobody can say.
    """
    rigid, agree = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=_TOLERANCE)
    stretched, more = cv2.estimateAffine2D(here, there, ransacReprojThreshold=_TOLERANCE)
    if rigid is None or stretched is None:
        return None
    matrix = rigid
    if more.sum() > _WORTH_STRETCHING * agree.sum():
        matrix, agree = stretched, more
    if agree.sum() < max(_MIN_AGREEING, _MIN_SHARE * len(here)):
        return None
    inside = agree.ravel().astype(bool)
    off = np.linalg.norm(here[inside] @ plain[:, :2].T + plain[:, 2] - there[inside], axis=1)
    return None if np.median(off) < _UNMOVED else np.asarray(matrix)


def _plain(result: Bgr, photo: Bgr) -> Array:
    """Mere resizing to the photo's size."""
    across, down = photo.shape[1] / result.shape[1], photo.shape[0] / result.shape[0]
    # The middle of a pixel is what is kept, as in cv2.resize.
    return np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5]])


def _is_modest(matrix: Array, result: Bgr, photo: Bgr) -> bool:
    """A few pixels' difference, not another picture altogether."""
    scales, plain = np.diag(matrix[:, :2]), np.diag(_plain(result, photo)[:, :2])
    stretched = np.maximum(scales / plain, plain / np.maximum(scales, 1e-6))
    turned = np.abs([matrix[0, 1], matrix[1, 0]]) / plain
    whole = np.full(result.shape[:2], 1, np.uint8)
    covered = cv2.warpAffine(whole, matrix, (photo.shape[1], photo.shape[0])).mean()
    near = stretched.max() <= _MOST_SCALE and turned.max() <= _MOST_TURN
    return bool(near and covered >= _MIN_COVERED)
