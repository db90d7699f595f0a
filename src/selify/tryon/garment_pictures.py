"""How a garment's picture comes to the engines."""

from selify.core.files.pictures import Picture, Transparency, open_picture


def open_garment(data: bytes) -> Picture:
    """Out of the wardrobe's own copy; the same bytes give the same picture, to the last bit.

    Raises ImageUnreadable or ImageTooLarge.
    """
    return open_picture(data, transparency=Transparency.KEEP)
