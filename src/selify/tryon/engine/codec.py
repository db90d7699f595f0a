"""Pictures in and out of the engine: decoding at working size, encoding for the shopper."""

from dataclasses import dataclass

import cv2
import numpy as np

from selify.tryon.engine.arrays import Array, Bgr
from selify.tryon.engine.refusals import Refused
from selify.tryon.types import RefusalCode

MAX_PIXELS = 64_000_000
_JPEG_QUALITY = 95


@dataclass(frozen=True, slots=True)
class Decoded:
    """``alpha`` (H, W) uint8 if the picture has one."""

    bgr: Bgr
    alpha: Array | None


def decode(data: bytes, longest: int) -> Decoded:
    """Raises Refused (image_unreadable, image_too_large). Never enlarges."""
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        too_large = "pixels" in str(error).lower() or "size" in str(error).lower()
        code = RefusalCode.IMAGE_TOO_LARGE if too_large and data else RefusalCode.IMAGE_UNREADABLE
        raise Refused(code) from error
    if image is None or min(image.shape[:2]) < 16:
        raise Refused(RefusalCode.IMAGE_UNREADABLE)
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise Refused(RefusalCode.IMAGE_TOO_LARGE)
    return _reduced(_split(_eight_bit(image)), longest)


def encode(bgr: Bgr) -> bytes:
    """JPEG without colour subsampling: prints keep their edges. Same pixels, same bytes."""
    sampling = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY, *sampling])
    return bytes(data)


def _eight_bit(image: Array) -> Array:
    if image.dtype == np.uint8:
        return image
    if image.dtype == np.uint16:
        return np.asarray(image >> 8, np.uint8)
    raise Refused(RefusalCode.IMAGE_UNREADABLE)


def _split(image: Array) -> Decoded:
    if image.ndim == 2 or image.shape[2] == 1:
        return Decoded(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), None)
    if image.shape[2] == 4:
        return Decoded(np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3]))
    return Decoded(np.ascontiguousarray(image), None)


def _reduced(picture: Decoded, longest: int) -> Decoded:
    height, width = picture.bgr.shape[:2]
    scale = min(1.0, longest / max(height, width))
    if scale == 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    bgr = cv2.resize(picture.bgr, size, interpolation=cv2.INTER_AREA)
    if picture.alpha is None:
        return Decoded(bgr, None)
    return Decoded(bgr, cv2.resize(picture.alpha, size, interpolation=cv2.INTER_AREA))
