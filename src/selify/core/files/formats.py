"""Which picture formats are read: said once, for upload forms, sentences and the API alike."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """``name`` as people write it; ``types``: what browsers call it, as media types."""

    name: str
    types: tuple[str, ...]


# A GIF is read as well (its first frame), but nobody is told to send one.
FORMATS: Final = (
    PictureFormat("JPEG", ("image/jpeg",)),
    PictureFormat("PNG", ("image/png",)),
    PictureFormat("WebP", ("image/webp",)),
    PictureFormat("HEIC", ("image/heic", "image/heif")),
    PictureFormat("AVIF", ("image/avif",)),
    PictureFormat("TIFF", ("image/tiff",)),
    PictureFormat("BMP", ("image/bmp",)),
)
# For ``accept`` of a file's field.
ACCEPT: Final = ",".join(kind for each in FORMATS for kind in each.types)
# For sentences in any language: no word joins the last two.
NAMES: Final = ", ".join(each.name for each in FORMATS)
