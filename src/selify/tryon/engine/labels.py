"""What a pixel of a person is."""

from enum import IntEnum


class Label(IntEnum):
    """Of each pixel, as (H, W) uint8."""

    BACKGROUND = 0
    SKIN = 1
    HAIR = 2
    UPPER = 3
    LOWER = 4
