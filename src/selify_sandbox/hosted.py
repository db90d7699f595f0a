"""What the local stand-ins of hosted try-on engines share: the picture they make, and trouble.

A stand-in speaks its provider's wire protocol over real HTTP, so that the same client runs against
both. It keeps everything in memory and belongs on 127.0.0.1.
"""

import base64
import binascii
from collections.abc import Callable
from enum import StrEnum
from io import BytesIO
from typing import Any, Final

from PIL import Image
from starlette.requests import Request

Compose = Callable[[bytes, bytes], bytes]

TROUBLE_HEADER: Final = "x-sandbox-trouble"
TROUBLE_MARK: Final = "--"
WRONG_KEY: Final = "wrong"


class Trouble(StrEnum):
    """What a request meets; by header, or behind ``--`` in the model's name (``m--slow``)."""

    NONE = ""
    RETIRED = "retired"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    NO_CREDIT = "no_credit"
    REFUSED = "refused"
    BLOCKED = "blocked"
    NO_PERSON = "no_person"
    FAILED = "failed"
    NO_PICTURE = "no_picture"
    BROKEN_PICTURE = "broken_picture"
    FOREIGN_PICTURE = "foreign_picture"
    FOREIGN_ADDRESS = "foreign_address"
    NOT_JSON = "not_json"
    SLOW = "slow"
    FLAKY = "flaky"
    ENDLESS = "endless"


def trouble_of(request: Request, model: str) -> Trouble:
    named = request.headers.get(TROUBLE_HEADER) or model.rpartition(TROUBLE_MARK)[2]
    return Trouble(named) if named in set(Trouble) else Trouble.NONE


def paste_garment(person: bytes, garment: bytes) -> bytes:
    """The garment, as wide as half the photo, over where a torso usually is; as PNG.

    Nobody is deceived by it, and that is its use: deterministic, and told apart at a glance.
    """
    photo = Image.open(BytesIO(person)).convert("RGB")
    piece = Image.open(BytesIO(garment)).convert("RGBA")
    width = max(1, photo.width // 2)
    piece = piece.resize((width, max(1, piece.height * width // piece.width)))
    photo.paste(piece, ((photo.width - width) // 2, photo.height * 28 // 100), piece)
    return as_png(photo)


def as_png(image: Image.Image) -> bytes:
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def decode_data_uri(uri: object) -> bytes | None:
    head, _, data = str(uri).partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        return None
    return decode_base64(data)


def decode_base64(data: object) -> bytes | None:
    """Base64 in either alphabet: official clients send both."""
    try:
        return base64.b64decode(str(data).translate(str.maketrans("-_", "+/")), validate=True)
    except binascii.Error:
        return None


async def json_object(request: Request) -> dict[str, Any]:
    """The request's body, or an empty object."""
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
