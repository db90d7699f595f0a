"""Is the photo too blurred to dress anyone in it?"""

import cv2
import numpy as np

from selify.ai.tryon.arrays import Bgr
from selify.ai.tryon.refusals import Refused
from selify.ai.tryon.skeleton import Skeleton
from selify.ai.types import RefusalCode

_SPAN = 160.0
_MIN_SHARPNESS = 7.0


def sharpness(photo: Bgr, skeleton: Skeleton) -> float:
    """Variance of the Laplacian about face and neck, with the shoulders at a set size.

    Faces always have edges (eyes, mouth, outline); a plain shirt need not have any.
    """
    reach = 1.7 * skeleton.face_length
    x0, y0 = np.maximum(skeleton.nose - reach, 0).astype(int)
    x1, y1 = np.minimum(skeleton.nose + reach, photo.shape[1::-1]).astype(int)
    face = photo[y0:y1, x0:x1]
    if min(face.shape[:2]) < 12:
        return float("inf")
    scale = min(1.0, _SPAN / skeleton.span)
    size = (max(8, round(face.shape[1] * scale)), max(8, round(face.shape[0] * scale)))
    grey = cv2.cvtColor(cv2.resize(face, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    # A dim photo has weak edges without being blurred.
    contrast = min(1.0, max(float(grey.std()), 8.0) / 50)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var()) / contrast**2


def refuse_if_blurred(photo: Bgr, skeleton: Skeleton) -> None:
    """Conservative: only photos in which not even the face has edges."""
    found = sharpness(photo, skeleton)
    if found < _MIN_SHARPNESS:
        raise Refused(RefusalCode.PHOTO_BLURRED, details={"sharpness": round(found, 2)})
