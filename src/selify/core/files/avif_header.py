"""What decoding an AVIF would take, and the file without all that is not its still picture.

A picture's sides stand in three places: its container, the grid that puts tiles together, and the
coded picture itself, whose decoder allocates by the last. All of them are read here, of every item
that could be decoded. ISO/IEC 14496-12 (boxes), 23008-12 (items); AV1 bitstream specification, 5.5.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

# In bytes for each pixel: planes of the picture and of its transparency, and both once more as RGBA.
COST = 16.0
# A coded frame may be as large as its bits allow, whatever the file says. Encoders take as few bits
# as will do, which allows up to four times the picture.
_MAX_CODED_PIXELS = 1 << 26
_MAX_BOXES = 10_000
_SEQUENCE_HEADER = 1


class AvifWrong(ValueError):
    """There is no such header."""


class AvifUnusual(ValueError):
    """It may be well-formed, but no camera or browser writes it like this."""


@dataclass(frozen=True, slots=True)
class _Box:
    """``start``: of its content."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an item's bytes are: extents as (begin, end) within the file."""

    extents: tuple[tuple[int, int], ...]

    def of(self, data: bytes) -> bytes:
        return b"".join(data[begin:end] for begin, end in self.extents)


def still_of(data: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """The same file as a still (of an animation: its cover), and every size, in pixels, that it
    states for what would be decoded. Raises AvifWrong, AvifUnusual, struct.error or IndexError.
    """
    boxes = list(_boxes(data, 0, len(data)))
    meta = _only(boxes, b"meta")
    inner = list(_boxes(data, meta.start + 4, meta.end))
    kinds = _item_kinds(data, _only(inner, b"iinf"))
    sizes = list(_stated_sizes(data, _only(inner, b"iprp")))
    for item, place in _places(data, inner).items():
        match kinds.get(item):
            case b"av01":
                sizes += _coded_sizes(place.of(data))
            case b"grid":
                sizes.append(_grid_size(place.of(data)))
    if not sizes:
        raise AvifWrong
    return _without_film(data, boxes), sizes


def _without_film(data: bytes, boxes: list[_Box]) -> bytes:
    """A reader that is told of a film looks for its frames, not for the cover."""
    still = bytearray(data)
    for box in boxes:
        if box.kind == b"moov":
            still[box.start - 4 : box.start] = b"free"
        if box.kind == b"ftyp":
            brands = data[box.start + 4 : box.end].replace(b"avis", b"avif")
            still[box.start : box.end] = b"avif" + brands
    return bytes(still)


# --- The container --------------------------------------------------------------------------------


def _boxes(data: bytes, at: int, end: int) -> Iterator[_Box]:
    for _ in range(_MAX_BOXES):
        if at >= end:
            return
        size, kind = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if size == 1 or size < 8 or at + size > end:  # larger than 4 GB, or open to the end
            raise AvifWrong
        yield _Box(kind, start, at + size)
        at += size
    raise AvifWrong


def _only(boxes: list[_Box], kind: bytes) -> _Box:
    found = [box for box in boxes if box.kind == kind]
    if len(found) != 1:
        raise AvifWrong
    return found[0]


def _stated_sizes(data: bytes, properties: _Box) -> Iterator[tuple[int, int]]:
    container = _only(list(_boxes(data, properties.start, properties.end)), b"ipco")
    for box in _boxes(data, container.start, container.end):
        if box.kind == b"ispe":
            yield struct.unpack_from(">II", data, box.start + 4)


def _item_kinds(data: bytes, items: _Box) -> dict[int, bytes]:
    count_size = 2 if data[items.start] == 0 else 4
    kinds = {}
    for box in _boxes(data, items.start + 4 + count_size, items.end):
        version = data[box.start]
        if version not in (2, 3):
            raise AvifWrong
        number, _, kind = struct.unpack_from(
            ">HH4s" if version == 2 else ">IH4s", data, box.start + 4
        )
        kinds[number] = kind
    return kinds


def _places(data: bytes, inner: list[_Box]) -> dict[int, _Place]:
    """Together they are no longer than the file: extents that share bytes would multiply them."""
    box = _only(inner, b"iloc")
    version, flags = data[box.start], struct.unpack_from(">H", data, box.start + 4)[0]
    if version > 2:
        raise AvifWrong
    offset_size, length_size, base_size, index_size = (
        flags >> shift & 15 for shift in (12, 8, 4, 0)
    )
    reader = _Bytes(data, box.start + 6, box.end)
    wide = 4 if version == 2 else 2
    places, total = {}, 0
    for _ in range(reader.number(wide)):
        item = reader.number(wide)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)
        start = reader.number(base_size)
        if method > 1:
            raise AvifUnusual
        if method == 1:
            start += _only(inner, b"idat").start
        extents = []
        for _ in range(reader.number(2)):
            reader.number(index_size if version else 0)
            begin = start + reader.number(offset_size)
            length = reader.number(length_size)
            total += length
            if not length or begin + length > len(data) or total > len(data):
                raise AvifWrong
            extents.append((begin, begin + length))
        places[item] = _Place(tuple(extents))
    return places


class _Bytes:
    """Numbers one after the other, none from behind the end."""

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self._data, self._at, self._end = data, at, end

    def number(self, size: int) -> int:
        begin, self._at = self._at, self._at + size
        if self._at > self._end:
            raise AvifWrong
        return int.from_bytes(self._data[begin : self._at], "big")


def _grid_size(grid: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from(">II" if grid[1] & 1 else ">HH", grid, 4)
    return width, height


# --- The coded picture ----------------------------------------------------------------------------


def _coded_sizes(coded: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(coded):
        head = coded[at]
        at += 2 if head & 4 else 1
        length, at = _leb128(coded, at) if head & 2 else (len(coded) - at, at)
        if head >> 3 & 15 == _SEQUENCE_HEADER:
            yield _largest_frame(coded[at : at + length])
        at += length


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for n in range(8):
        value |= (data[at + n] & 0x7F) << 7 * n
        if data[at + n] < 0x80:
            return value, at + n + 1
    raise AvifWrong


def _largest_frame(header: bytes) -> tuple[int, int]:
    """Of a sequence of frames; a still's header is a shorter one."""
    bits = _Bits(header)
    bits.take(3)
    bits.take(1)
    still = bits.take(1)
    if still:
        bits.take(5)
    else:
        _step_over_operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    if not still and 1 << across + down > _MAX_CODED_PIXELS:
        raise AvifUnusual
    return bits.take(across) + 1, bits.take(down) + 1


def _step_over_operating_points(bits: "_Bits") -> None:
    if bits.take(1):  # when each frame is to be shown: nothing for a picture
        raise AvifUnusual
    delays = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delays and bits.take(1):
            bits.take(4)


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._left = len(data) * 8
        self._value = int.from_bytes(data, "big")

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise AvifWrong
        return self._value >> self._left & ((1 << count) - 1)
