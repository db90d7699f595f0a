"""How engine and worker process talk: a length, a JSON header, then the pictures' bytes.

The same on standard input (requests) and standard output (answers). Nothing is unpickled.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")
MAX_HEADER = 1 << 20
MAX_PART = 128 << 20


class BrokenFrame(Exception):
    """The other side went away, or sent what is no frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    header: dict[str, Any]
    parts: tuple[bytes, ...] = ()

    def encoded(self) -> bytes:
        header = {**self.header, "parts": [len(part) for part in self.parts]}
        text = json.dumps(header).encode()
        return b"".join([_LENGTH.pack(len(text)), text, *self.parts])


def header_length(data: bytes) -> int:
    """Of the four bytes at the start of a frame."""
    length = int(_LENGTH.unpack(data)[0])
    if length > MAX_HEADER:
        raise BrokenFrame("header too long")
    return length


def parse_header(data: bytes) -> tuple[dict[str, Any], Sequence[int]]:
    """The header and the lengths of the parts that follow it."""
    try:
        header = json.loads(data)
        lengths = [int(length) for length in header.pop("parts")]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise BrokenFrame("no header") from error
    if any(not 0 <= length <= MAX_PART for length in lengths):
        raise BrokenFrame("part too long")
    return header, lengths


def read_frame(stream: BinaryIO) -> Frame | None:
    """None at the end of the stream. Raises BrokenFrame when it ends within a frame."""
    start = stream.read(_LENGTH.size)
    if not start:
        return None
    header, lengths = parse_header(_exactly(stream, header_length(start)))
    return Frame(header, tuple(_exactly(stream, length) for length in lengths))


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) != count:
        raise BrokenFrame("the stream ended within a frame")
    return data
