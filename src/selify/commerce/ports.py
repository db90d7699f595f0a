"""What the wardrobe needs from outside: somebody who can see what a garment is."""

from dataclasses import dataclass
from typing import Protocol

from selify.commerce.leffa import LeffaMetadata
from selify.core.files.pictures import Picture


@dataclass(frozen=True, slots=True)
class GarmentRead:
    """``file``: what the reader wants to find beside the picture when it is tried on (``garments.file_beside``)."""

    leffa: LeffaMetadata
    file: bytes | None = None


class GarmentReader(Protocol):
    """Reads a picture of one garment. ``category`` (a leffa category) is taken as given if set.

    Raises SelifyError when there is no garment to be seen.
    """

    async def __call__(self, picture: Picture, category: str | None) -> GarmentRead: ...
