"""Photos of a ratio that the models do not make: padded before they are sent, and cut back after.

Unpadded, a model crops the photo or invents what lies beside it, each time by another measure.
"""

from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, ImageFilter

from selify.tryon.types import Picture

ASPECT_RATIOS: Final = {
    "1:1": 1.0, "2:3": 2 / 3, "3:2": 3 / 2, "3:4": 3 / 4, "4:3": 4 / 3, "4:5": 4 / 5,
    "5:4": 5 / 4, "9:16": 9 / 16, "16:9": 16 / 9, "21:9": 21 / 9,
}  # fmt: skip
_NEAR: Final = 1.03  # the models' own sizes are off their ratios by up to 2 %
_QUALITY: Final = 95


@dataclass(frozen=True, slots=True)
class Framed:
    """``picture`` to be sent, the name of its ratio, and where in it (0 to 1: left, top, right,
    bottom) the photo is. None: it is all of it.
    """

    picture: Picture
    ratio: str
    inside: tuple[float, float, float, float] | None


def nearest_aspect_ratio(width: int, height: int) -> str:
    """The ratio on offer that crops or pads the person's photo least."""
    return min(ASPECT_RATIOS, key=lambda name: _apart(width / height, ASPECT_RATIOS[name]))


def framed(photo: Picture) -> Framed:
    """The photo on a blurred backdrop of its own where no ratio on offer is near."""
    ratio = nearest_aspect_ratio(photo.width, photo.height)
    wanted = ASPECT_RATIOS[ratio]
    if _apart(photo.width / photo.height, wanted) <= _NEAR:
        return Framed(photo, ratio, None)
    width = max(photo.width, round(photo.height * wanted))
    height = max(photo.height, round(photo.width / wanted))
    left, top = (width - photo.width) // 2, (height - photo.height) // 2
    image = Image.open(BytesIO(photo.data)).convert("RGB")
    canvas = image.resize((64, 64)).filter(ImageFilter.GaussianBlur(8)).resize((width, height))
    canvas.paste(image, (left, top))
    right, bottom = left + photo.width, top + photo.height
    inside = (left / width, top / height, right / width, bottom / height)
    return Framed(_as_jpeg(canvas), ratio, inside)


def cut_back(made: Picture, frame: Framed) -> Picture:
    """The photo's part of a picture made of ``frame``, or all of one that is framed otherwise."""
    sent = frame.picture
    same = _apart(made.width / made.height, sent.width / sent.height) <= _NEAR
    if frame.inside is None or not same:
        return made
    left, top, right, bottom = frame.inside
    image = Image.open(BytesIO(made.data)).convert("RGB")
    across, down = made.width, made.height
    return _as_jpeg(
        image.crop(
            (round(left * across), round(top * down), round(right * across), round(bottom * down))
        )
    )


def _apart(one: float, other: float) -> float:
    return max(one / other, other / one)


def _as_jpeg(image: Image.Image) -> Picture:
    out = BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, subsampling=0)
    return Picture(out.getvalue(), "image/jpeg", image.width, image.height)
