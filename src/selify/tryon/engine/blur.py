"""Is the photo too blurred to dress anyone in it?"""

import cv2
import numpy as np

from selify.tryon.engine.arrays import Bgr
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.types import RefusalCode

_SPAN = 160.0
# Photos: 127 to 641, softened by 2 pixels 25 to 73, by 3 pixels 12 to 30. A garment as sharp as
# its own picture looks pasted on anything softer than this.
_MIN_SHARPNESS = 14.0


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
    """A little softness is usual in phone photos; one whose face has lost its edges is refused."""
    found = sharpness(photo, skeleton)
    if found < _MIN_SHARPNESS:
        raise Refused(RefusalCode.PHOTO_BLURRED, details={"sharpness": round(found, 2)})
