"""What decoding a TIFF would take, and the file with nothing in its directory but the first picture.

A TIFF is a list of tags that point anywhere: at further pages, at directories within, at the same
megabytes a thousand times. Tags that describe the pixels of the first page are kept, in their
places; all others are dropped from the directory. TIFF 6.0.
"""

import struct
from dataclasses import dataclass
from typing import Final

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION = 254, 256, 257, 258, 259
_STRIP_OFFSETS, _STRIP_BYTES, _SAMPLES = 273, 279, 277
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES, _SAMPLE_FORMAT = 322, 323, 324, 325, 339
# Beside these: photometric interpretation, order of bits, orientation, rows of a strip, planes,
# predictor, palette, extra samples, the colours' profile.
_KEPT: Final = frozenset(
    {
        _WIDTH,
        _HEIGHT,
        _BITS,
        _COMPRESSION,
        262,
        266,
        _STRIP_OFFSETS,
        274,
        _SAMPLES,
        278,
        _STRIP_BYTES,
    }
    | {
        284,
        317,
        320,
        _TILE_WIDTH,
        _TILE_HEIGHT,
        _TILE_OFFSETS,
        _TILE_BYTES,
        338,
        _SAMPLE_FORMAT,
        34675,
    }
)
# None, LZW, deflate under both its numbers, PackBits: what programs save by themselves. The others
# are further decoders (faxes, JPEG in two ways, films) that no photo needs.
_COMPRESSIONS: Final = frozenset({1, 5, 8, 32773, 32946})
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_NUMBERS: Final = {1: "B", 3: "H", 4: "I"}
_MAX_SAMPLES = 5


class TiffWrong(ValueError):
    """There is no such header."""


class TiffUnusual(ValueError):
    """A raw photo, a fax, a measurement: well-formed, but not a picture as people send them."""


@dataclass(frozen=True, slots=True)
class _Entry:
    raw: bytes
    kind: int
    count: int
    at: int
    size: int


def first_page_of(data: bytes) -> tuple[bytes, tuple[int, int], float]:
    """The file with one page, the sides of what is decoded at once (picture or tile, whichever is
    larger) in pixels, and the bytes that each takes. Raises TiffWrong, TiffUnusual, struct.error,
    KeyError or IndexError.
    """
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(f"{order}I", data, 4)[0]
    count = struct.unpack_from(f"{order}H", data, at)[0]
    entries = _entries(data, order, at + 2, count)
    tags = {tag: _numbers(data, order, entry) for tag, entry in entries.items() if _is_short(entry)}
    _check_usual(tags)
    kept = {tag: entry for tag, entry in entries.items() if tag in _KEPT}
    _check_sizes(data, order, kept)
    plain = bytearray(data)
    struct.pack_into(f"{order}H", plain, at, len(kept))
    end = at + 2
    for _, entry in sorted(kept.items()):
        plain[end : end + 12] = entry.raw
        end += 12
    plain[end : end + 4] = bytes(4)  # no further page
    width, height = tags[_WIDTH][0], tags[_HEIGHT][0]
    if _TILE_WIDTH in tags:
        width, height = max(width, tags[_TILE_WIDTH][0]), max(height, tags[_TILE_HEIGHT][0])
    samples = tags.get(_SAMPLES, (1,))[0]
    return bytes(plain), (width, height), max(3.0, samples * max(tags.get(_BITS, (1,))) / 8)


def _entries(data: bytes, order: str, at: int, count: int) -> dict[int, _Entry]:
    found: dict[int, _Entry] = {}
    for _ in range(count):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, at)
        size = number * _SIZES.get(kind, 1)
        where = at + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, at + 8)[0]
        if tag in found:
            raise TiffWrong
        found[tag] = _Entry(data[at : at + 12], kind, number, where, size)
        at += 12
    struct.unpack_from(f"{order}I", data, at)  # where the next page would be: it must be there
    return found


def _is_short(entry: _Entry) -> bool:
    return entry.kind in _NUMBERS and 0 < entry.count <= _MAX_SAMPLES


def _numbers(data: bytes, order: str, entry: _Entry) -> tuple[int, ...]:
    return struct.unpack_from(f"{order}{entry.count}{_NUMBERS[entry.kind]}", data, entry.at)


def _check_usual(tags: dict[int, tuple[int, ...]]) -> None:
    """``tags``: those that are a few numbers each."""
    bits, samples = tags.get(_BITS, (1,)), tags.get(_SAMPLES, (1,))[0]
    usual = (
        tags.get(_COMPRESSION, (1,))[0] in _COMPRESSIONS
        and set(bits) <= {1, 2, 4, 8, 16}
        and 1 <= samples <= _MAX_SAMPLES
        and set(tags.get(_SAMPLE_FORMAT, (1,))) == {1}
        # A small copy of a picture that is elsewhere in the file: that of a raw photo.
        and not tags.get(_SUBFILE, (0,))[0] & 1
    )
    if not usual:
        raise TiffUnusual


def _check_sizes(data: bytes, order: str, kept: dict[int, _Entry]) -> None:
    """Everything that is pointed at is in the file, and nothing so often that it multiplies."""
    held = sum(entry.size for entry in kept.values())
    if held > len(data) or any(entry.at + entry.size > len(data) for entry in kept.values()):
        raise TiffWrong
    for starts, lengths in ((_STRIP_OFFSETS, _STRIP_BYTES), (_TILE_OFFSETS, _TILE_BYTES)):
        if starts in kept and lengths in kept:
            ends = zip(
                *(_numbers(data, order, kept[tag]) for tag in (starts, lengths)), strict=True
            )
            reach = [(start + length, length) for start, length in ends]
            total = sum(length for _, length in reach)
            if total > len(data) or any(end > len(data) for end, _ in reach):
                raise TiffWrong
