"""What opening a picture would take, read from its header alone: a few bytes can promise gigabytes.

A decoder allocates by what the header says before it has seen a single pixel. So size, channels and
depth are read here first, by hand, for every format; whatever the decoders say is checked again.
Formats that hold more than one picture are cut down to the first at once.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from selify.core.files import avif_header, tiff_header

# These decoders hold the whole canvas several times over, whatever it is made of.
CANVAS_COST = 16.0
# A baseline JPEG is halved while it is decoded, as often as it can be, row by row.
STREAMED_COST = 1.0

_PNG_CHANNELS = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}  # a palette's colours are looked up: RGB or RGBA
_PNG_DEPTHS = (1, 2, 4, 8, 16)
# Any marker but those that stand alone in the middle of a scan: stuffing, TEM, restarts.
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\x01\xd0-\xd7\xff])")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BUFFERED = frozenset({0xC2, 0xC6, 0xCA, 0xCE})  # progressive
# Sizes of a bitmap's header: of OS/2, and of all versions for Windows.
_BMP_OLD, _BMP_HEADERS = 12, frozenset({40, 52, 56, 64, 108, 124})
_BMP_PLAIN = frozenset({0, 3, 6})  # rows as they are, with or without masks for the colours
_BMP_DEPTHS = frozenset({1, 4, 8, 16, 24, 32})


class HeaderWrong(ValueError):
    """There is no such header in this format."""


class HeaderUnusual(ValueError):
    """A valid header of something that the format can hold and nobody sends as a picture."""


@dataclass(frozen=True, slots=True)
class Header:
    """Width and height in pixels; ``cost``: bytes that decoding holds for each of them; ``only``:
    the file reduced to its first picture, where others may be in it.
    """

    width: int
    height: int
    cost: float
    only: bytes | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.width, self.height


def read(kind: str, data: bytes, *, max_scans: int) -> Header:
    """Raises HeaderWrong or HeaderUnusual. ``kind`` is JPEG, PNG, GIF, WEBP, AVIF, BMP or TIFF, and
    the first bytes say so.
    """
    try:
        match kind:
            case "PNG":
                return _png(data)
            case "JPEG":
                return _jpeg(data, max_scans)
            case "GIF":
                return _gif(data)
            case "AVIF":
                return _avif(data)
            case "BMP":
                return _bmp(data)
            case "TIFF":
                return _tiff(data)
            case _:
                return _webp(data)
    except (avif_header.AvifUnusual, tiff_header.TiffUnusual) as error:
        raise HeaderUnusual(kind) from error
    except (struct.error, IndexError, KeyError, ValueError) as error:
        raise HeaderWrong(kind) from error


def _png(data: bytes) -> Header:
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if data[12:16] != b"IHDR" or depth not in _PNG_DEPTHS:
        raise HeaderWrong("PNG")
    return Header(width, height, _PNG_CHANNELS[colour] * max(1, depth // 8))


def _jpeg(data: bytes, max_scans: int) -> Header:
    """A picture in several scans is held in full as coefficients, of two bytes each."""
    for marker, body in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            height, width, count = struct.unpack_from(">HHB", data, body + 1)
            factors = [divmod(data[body + 7 + 3 * n], 16) for n in range(count)]
            samples = sum(across * down for across, down in factors)
            widest = max(across for across, _ in factors) * max(down for _, down in factors)
            if not samples or not widest:
                break
            held = marker in _JPEG_BUFFERED or jpeg_scans(data, at_most=min(2, max_scans)) > 1
            return Header(width, height, 2 * samples / widest if held else STREAMED_COST)
    raise HeaderWrong("JPEG")


def jpeg_scans(data: bytes, *, at_most: int) -> int:
    """How many scans the main image has; counting ends behind ``at_most``."""
    scans = 0
    for marker, _ in _jpeg_segments(data):
        scans += marker == 0xDA
        if scans > at_most:
            break
    return scans


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Each marker of the main image, and where its segment's content begins.

    Segments are stepped over (a thumbnail in one of them has markers of its own), and nothing
    counts behind the image's end, where phones append video clips and depth maps.
    """
    position = 2
    while found := _JPEG_MARKER.search(data, position):
        marker, position = found[1][0], found.end()
        if marker == 0xD9:
            return
        yield marker, position + 2
        if marker != 0xD8:
            position += int.from_bytes(data[position : position + 2], "big")


def _gif(data: bytes) -> Header:
    """The canvas, and the first frame, which may reach beyond it."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    while data[at] == 0x21:  # extensions: a label, then blocks until an empty one
        at += 2
        while length := data[at]:
            at += 1 + length
        at += 1
    if data[at] != 0x2C:
        raise HeaderWrong("GIF")
    left, top, across, down = struct.unpack_from("<HHHH", data, at + 1)
    return Header(max(width, left + across), max(height, top + down), CANVAS_COST)


def _webp(data: bytes) -> Header:
    match data[12:16]:
        case b"VP8X":
            width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        case b"VP8L":
            bits = struct.unpack_from("<I", data, 21)[0]
            width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
        case _:
            raise HeaderWrong("WEBP")
    if len(data) < 30:
        raise HeaderWrong("WEBP")
    return Header(width, height, CANVAS_COST)


def _avif(data: bytes) -> Header:
    """The largest of all sizes that the file states: its decoders believe one or another of them."""
    still, sizes = avif_header.still_of(data)
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Header(width, height, avif_header.COST, still)


def _tiff(data: bytes) -> Header:
    page, (width, height), cost = tiff_header.first_page_of(data)
    return Header(width, height, cost, page)


def _bmp(data: bytes) -> Header:
    """Rows as they are: a packed one would promise more than it brings, and is decoded slowly."""
    header = struct.unpack_from("<I", data, 14)[0]
    if header == _BMP_OLD:
        width, height, _, depth = struct.unpack_from("<HHHH", data, 18)
        packed = 0
    elif header in _BMP_HEADERS:
        width, height, _, depth, packed = struct.unpack_from("<iiHHI", data, 18)
        height = abs(height)  # below zero: stored from above
    else:
        raise HeaderWrong("BMP")
    if packed not in _BMP_PLAIN or depth not in _BMP_DEPTHS:
        raise HeaderUnusual("BMP")
    if width <= 0 or height <= 0:
        raise HeaderWrong("BMP")
    return Header(width, height, max(3.0, depth / 8))
