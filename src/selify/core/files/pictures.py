"""Opening of hostile pictures, once, at intake.

Everything behind this door works on a ``Picture`` of known type and size: upright, in sRGB, without
metadata (a phone writes where the photo was taken), re-encoded from its pixels, so that nothing
which travelled inside the file travels on. ``open_picture`` is pure and thread-safe, takes between
50 ms and 2 s, and belongs in a thread or a process.
"""

from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO
from typing import Final

import pi_heif
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from selify.core.errors import Invalid, TooLarge
from selify.core.files import formats, picture_headers
from selify.core.language import _

MAX_BYTES: Final = 30 * 1024 * 1024
# What phones sell as 50 megapixels has up to 8256 × 6192 = 51.1 million of them.
MAX_PIXELS: Final = 52_000_000
# What the decoder may hold of one picture: 50 megapixels in eight bits and four channels, or half as
# many in sixteen; twelve, a phone's photo, where a decoder holds the canvas several times.
MAX_DECODED_BYTES: Final = 200_000_000
MAX_SIDE: Final = 1600
# Below and beyond this there is nothing to see (a panorama is about 4 : 1).
MIN_SIDE: Final = 16
MAX_ASPECT: Final = 8.0
# A progressive photo has about ten scans; each costs a pass over every pixel.
MAX_JPEG_SCANS: Final = 64
MAX_ICC_BYTES: Final = 4 * 1024 * 1024

_JPEG_QUALITY: Final = 93
# Beside the usual 6 a tenth more bytes, in three quarters of the time for a photograph and two fifths for what
# is drawn: somebody waits for it.
_PNG_LEVEL: Final = 4
_EXIF_ORIENTATION: Final = 0x0112
_TURN: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
)
_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_BMP_HEADER_SIZES: Final = frozenset({12, 40, 52, 56, 64, 108, 124})

# Pillow registers a format when its module is loaded; named here so that no first caller pays for
# loading all of its fifty formats.
_REGISTERED: Final = (
    AvifImagePlugin,
    BmpImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
# Pictures are opened side by side; one that takes all cores for itself takes memory for each of them.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture, checked, turned upright and within limits. Sides are in pixels."""

    data: bytes
    content_type: str
    width: int
    height: int


class Transparency(StrEnum):
    """What becomes of see-through pixels: kept (PNG), or laid on white (JPEG)."""

    KEEP = "keep"
    FLATTEN = "flatten"


class ImageUnreadable(Invalid):
    code, title = "image_unreadable", _("The picture cannot be opened")


class ImageTooLarge(TooLarge):
    code, title = "image_too_large", _("The picture is too large")


def open_picture(
    data: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    max_side: int = MAX_SIDE,
    transparency: Transparency = Transparency.FLATTEN,
) -> Picture:
    """Decode JPEG, PNG, WebP, HEIC, AVIF, BMP, the first page of a TIFF, or the first frame of a GIF,
    and encode it afresh.

    The longer side of the result has at most ``max_side`` pixels; nothing is ever enlarged. With
    ``Transparency.KEEP`` a picture that really has see-through pixels becomes a PNG; every other
    one becomes a JPEG.

    Raises ``ImageUnreadable`` or ``ImageTooLarge``, and nothing else, whatever the bytes.
    """
    try:
        _check_bytes(data, max_bytes)
        image = _decode(bytes(data), max_pixels, max_side)
        return _encode(image, transparency)
    except (ImageUnreadable, ImageTooLarge):
        raise
    except picture_headers.HeaderUnusual as error:
        raise _unusual() from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise _too_many_pixels(max_pixels) from error
    except Exception as error:  # a decoder fed with hostile bytes raises what it likes
        raise ImageUnreadable(
            _("The picture is damaged, or only a part of it arrived."),
            hint=_("Please send it once more, or take a new photo."),
        ) from error


# --- Before decoding ------------------------------------------------------------------------------


def _check_bytes(data: bytes, max_bytes: int) -> None:
    if not data:
        raise ImageUnreadable(_("The file is empty."), hint=_("Please send the picture once more."))
    if len(data) > max_bytes:
        megabytes = max_bytes / (1024 * 1024)
        raise ImageTooLarge(
            _("The file is larger than %(size)s MB.", size=megabytes),
            hint=_("Please send a smaller version of the picture."),
            max_bytes=max_bytes,
        )
    if _is_also_something_else(data):
        raise ImageUnreadable(
            _("The file contains more than a picture."),
            hint=_("Please send a plain photo, as your camera saved it."),
        )


def _is_also_something_else(data: bytes) -> bool:
    """A picture that is a document, an archive or a script as well.

    Bytes behind the picture are no sign of it: phones append video clips and depth maps there.
    """
    if b"%PDF-" in data[:1024]:
        return True
    if any(mark in data for mark in (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")):
        return True
    if _ends_as_zip(data):
        return True
    lower = data.lower()
    return any(mark in lower for mark in (b"<script", b"<?php", b"<!doctype html"))


def _ends_as_zip(data: bytes) -> bool:
    """A ZIP file is recognised by its last record: 22 bytes and a comment of the stated length."""
    start = data.rfind(b"PK\x05\x06", max(0, len(data) - 22 - 65_535))
    if start < 0 or start + 22 > len(data):
        return False
    comment = int.from_bytes(data[start + 20 : start + 22], "little")
    return start + 22 + comment == len(data)


def _format_of(data: bytes) -> str | None:
    """The format by the first bytes; what the sender calls the file proves nothing."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "TIFF"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    if data[4:8] == b"ftyp":
        return _kind_by_brand(data)
    return None


def _kind_by_brand(data: bytes) -> str | None:
    """HEIC and AVIF share a container, whose first brand may be that of the container itself."""
    end = min(int.from_bytes(data[:4], "big"), 1024, len(data))
    others = {data[at : at + 4] for at in range(16, end - 3, 4)}
    brand = data[8:12]
    if brand in _AVIF_BRANDS or (brand in {b"mif1", b"msf1"} and others & _AVIF_BRANDS):
        return "AVIF"
    return "HEIF" if brand in _HEIF_BRANDS else None


def _limit(max_pixels: int, cost: float) -> int:
    """How many pixels may be decoded of a picture that takes ``cost`` bytes for each."""
    return min(max_pixels, int(MAX_DECODED_BYTES / cost))


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise _too_many_pixels(max_pixels)
    if min(size) < MIN_SIDE:
        raise ImageUnreadable(
            _(
                "The picture is only %(width)s × %(height)s pixels large.",
                width=width,
                height=height,
            ),
            hint=_("Please send the original photo, not its thumbnail."),
        )
    if max(size) > MAX_ASPECT * min(size):
        raise ImageUnreadable(
            _("The picture is too long and narrow."),
            hint=_("Please send a photo of the usual shape."),
        )


def _too_many_pixels(max_pixels: int) -> ImageTooLarge:
    return ImageTooLarge(
        _("The picture has more than %(count)s million pixels.", count=max_pixels / 1_000_000),
        hint=_("Please send a smaller version of the picture."),
        max_pixels=max_pixels,
    )


def _unusual() -> ImageUnreadable:
    return ImageUnreadable(
        _("The picture is stored in an unusual way."),
        hint=_("Please save it again as an ordinary JPEG and send that."),
    )


# --- Decoding -------------------------------------------------------------------------------------


def _decode(data: bytes, max_pixels: int, max_side: int) -> Image.Image:
    """The picture upright, at most ``max_side`` long, in sRGB: mode RGB or RGBA."""
    kind = _format_of(data)
    if kind is None:
        raise ImageUnreadable(
            _("This is not a picture that we can read."),
            hint=_("Please send a photo as one of these: %(formats)s.", formats=formats.NAMES),
        )
    if kind == "HEIF":
        image = _read_heif(data, max_pixels)
    else:
        image = _read_with_pillow(kind, data, max_pixels, max_side)
    turn = _turn_of(image)
    profile = image.info.get("icc_profile")
    image = _in_plain_mode(image)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    image = _in_srgb(image, profile)
    return image if turn is None else image.transpose(turn)


def _read_with_pillow(kind: str, data: bytes, max_pixels: int, max_side: int) -> Image.Image:
    header = picture_headers.read(kind, data, max_scans=MAX_JPEG_SCANS)
    limit = _limit(max_pixels, header.cost)
    _check_size(header.size, limit)
    image: Image.Image = Image.open(BytesIO(header.only or data), formats=(kind,))
    _check_size(image.size, limit)  # a header that comes twice may say two things
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        _prepare_jpeg(image, data, max_side)
    image.load()
    _check_size(image.size, limit)  # a frame may be larger than its file's header says
    return image


def _prepare_jpeg(image: JpegImagePlugin.JpegImageFile, data: bytes, max_side: int) -> None:
    """Let the decoder itself halve the picture as often as it can: 50 megapixels in 40 MB."""
    if picture_headers.jpeg_scans(data, at_most=MAX_JPEG_SCANS) > MAX_JPEG_SCANS:
        raise _unusual()
    longest = max(image.size)
    width, height = (max(1, side * 2 * max_side // longest) for side in image.size)
    image.draft(None, (width, height))


def _read_heif(data: bytes, max_pixels: int) -> Image.Image:
    """The primary image, already upright: the plug-in turns it and resets EXIF accordingly."""
    heif = pi_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=True)
    main = heif[heif.primary_index]
    depth = 2 if main.info["bit_depth"] > 8 else 1
    limit = _limit(max_pixels, depth * len(main.mode))
    _check_size(main.size, limit)
    image: Image.Image = main.to_pillow()
    _check_size(image.size, limit)
    return image


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TURN.get(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 — broken metadata must not cost anybody the photo
        return None


def _in_plain_mode(image: Image.Image) -> Image.Image:
    """RGBA where anything can be seen through, CMYK as it is (its profile needs it), else RGB."""
    if image.mode.startswith("I"):
        image = image.point(lambda value: value * (1 / 256)).convert("L")
        image.info.pop("transparency", None)
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode in {wanted, "CMYK"} else image.convert(wanted)


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """Colours as the photographer saw them: phones save in a wider space than screens assume."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if isinstance(profile, bytes) and 0 < len(profile) <= MAX_ICC_BYTES:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
        except Exception:  # noqa: BLE001 — a bad profile is ignored, as every browser does
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == mode else image.convert(mode)


# --- Encoding -------------------------------------------------------------------------------------


def _encode(image: Image.Image, transparency: Transparency) -> Picture:
    if image.mode == "RGBA":
        lowest, highest = image.getchannel("A").getextrema()
        if highest == 0:
            raise ImageUnreadable(
                _("The picture is completely transparent."),
                hint=_("Please send one on which something can be seen."),
            )
        if transparency is Transparency.KEEP and lowest != 255:
            return _save(image, "PNG", "image/png", compress_level=_PNG_LEVEL)
        image = _on_white(image)
    return _save(image, "JPEG", "image/jpeg", quality=_JPEG_QUALITY, subsampling=0)


def _on_white(image: Image.Image) -> Image.Image:
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _save(image: Image.Image, kind: str, content_type: str, **settings: int) -> Picture:
    image.info.clear()  # the encoders would copy comments and profiles from here
    out = BytesIO()
    image.save(out, kind, **settings)
    return Picture(out.getvalue(), content_type, image.width, image.height)
