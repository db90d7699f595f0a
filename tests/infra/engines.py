"""A try-on engine for tests of everything around it: done at once, and its picture tells whose
photo it was made of.

Used as ``SELIFY_TRYON_ENGINES=tests.infra.engines:instant``, the product's own extension point.
"""

from io import BytesIO

from PIL import Image, ImageStat

from selify.core.money import MicroUnits
from selify.core.settings import Settings
from selify.tryon.engine.refusals import refusal
from selify.tryon.types import (
    Picture,
    QualityScores,
    Refusal,
    RefusalCode,
    Rendering,
    RenderOptions,
)

COST = MicroUnits(7)
SIDES = (48, 64)  # of a result: no shopper's photo has them
NOBODY_BELOW = 24  # a photo darker than this shows nobody
PERFECT = QualityScores(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
Colour = tuple[int, int, int]


class InstantEngine:
    """Gives back a picture in the photo's own colour."""

    name = "instant"

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        del garment, options
        colour = colour_of(person.data)
        if max(colour) < NOBODY_BELOW:
            return refusal(RefusalCode.PERSON_NOT_FOUND)
        made = plain_photo(colour, SIDES)
        picture = Picture(made, "image/jpeg", *SIDES)
        return Rendering(picture, self.name, 0.01, COST, scores=PERFECT)


def instant(settings: Settings) -> InstantEngine:
    """The factory that the setting names."""
    del settings
    return InstantEngine()


def plain_photo(colour: Colour, sides: tuple[int, int] = (96, 128)) -> bytes:
    """A JPEG of one colour."""
    out = BytesIO()
    Image.new("RGB", sides, colour).save(out, "JPEG", quality=95)
    return out.getvalue()


def colour_of(data: bytes) -> Colour:
    """The mean colour of a picture."""
    red, green, blue = ImageStat.Stat(Image.open(BytesIO(data)).convert("RGB")).mean
    return round(red), round(green), round(blue)
