"""What a pixel of a person is."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from selify.tryon.types import GarmentCategory


class Label(IntEnum):
    """Of each pixel, as (H, W) uint8."""

    BACKGROUND = 0
    SKIN = 1
    HAIR = 2
    UPPER = 3
    LOWER = 4


WORN_AS: Final[Mapping[GarmentCategory, tuple[Label, ...]]] = {
    GarmentCategory.TOP: (Label.UPPER,),
    GarmentCategory.BOTTOM: (Label.LOWER,),
    # A skirt that swings out beside a new dress is not hidden by it.
    GarmentCategory.DRESS: (Label.UPPER, Label.LOWER),
}
"""What a garment of each kind is labelled when it is worn, and what is taken off for it."""
