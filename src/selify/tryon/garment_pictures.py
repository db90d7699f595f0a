"""How a garment's picture comes to the engines."""

from selify.core.files.pictures import Transparency, open_picture
from selify.tryon.types import ReadPicture


def open_garment(data: bytes, garment_file: bytes | None = None) -> ReadPicture:
    """Out of the wardrobe's own copy; the same bytes give the same picture, to the last bit. ``garment_file``: what was
    read out of it before.

    Raises ImageUnreadable or ImageTooLarge.
    """
    picture = open_picture(data, transparency=Transparency.KEEP)
    size = picture.width, picture.height
    return ReadPicture(picture.data, picture.content_type, *size, garment_file=garment_file)
