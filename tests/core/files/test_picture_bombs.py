"""A few bytes that promise gigabytes: refused by their header, before a decoder believes them.

They are opened in a program of their own, which may have little more memory than it has already.
"""

import contextlib
import struct
import subprocess
import sys
import textwrap
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from selify.core.files import picture_headers
from selify.core.files.picture_headers import HeaderWrong
from selify.core.files.pictures import (
    MAX_DECODED_BYTES,
    MAX_JPEG_SCANS,
    ImageTooLarge,
    ImageUnreadable,
    open_picture,
)

HEIC = (Path(__file__).parents[2] / "fixtures" / "pictures" / "corners.heic").read_bytes()
# Far below what any of them asks for; above what opening a small picture takes.
ROOM = 64 * 1024 * 1024

WITH_LITTLE_ROOM = textwrap.dedent("""
    import re, resource, sys
    from selify.core.errors import SelifyError
    from selify.core.files.pictures import open_picture
    room = int(sys.argv[1])
    for path in sys.argv[2].split():  # loads what is loaded once
        open_picture(open(path, "rb").read())
    bombs = [open(path, "rb").read() for path in sys.argv[3].split()]
    used = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + room, used + room))
    for data in bombs:
        try:
            open_picture(data)
            print("opened")
        except SelifyError as refused:
            print(refused.code, "|", refused.detail)
""")


def encoded(image: Image.Image, kind: str, **settings: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **settings)
    return out.getvalue()


ALL = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF")
SMALL = Image.effect_noise((80, 60), 40).convert("RGB")


def png(
    width: int,
    height: int,
    *,
    depth: int = 8,
    colour: int = 2,
    interlaced: bool = False,
    before: bytes = b"",
    pixels: bytes | None = None,
) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    content = zlib.compress(bytes(10_000_000)) if pixels is None else pixels
    chunks = chunk(b"IHDR", header) + before + chunk(b"IDAT", content)
    return b"\x89PNG\r\n\x1a\n" + chunks + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def inflating(kind: bytes, name: bytes, size: int) -> bytes:
    """A chunk whose compressed content unpacks to so many bytes."""
    return chunk(kind, name + b"\0\0" + zlib.compress(bytes(size), 9))


def jpeg(width: int, height: int, **settings: object) -> bytes:
    """A small photo that says it is large."""
    data = bytearray(encoded(SMALL, "JPEG", **settings))
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        if (at := data.find(marker)) > 0:
            data[at + 5 : at + 9] = struct.pack(">HH", height, width)
            return bytes(data)
    raise AssertionError("no frame")


def with_segments(data: bytes, marker: int, content: bytes, times: int) -> bytes:
    segment = bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
    return data[:2] + segment * times + data[2:]


def webp(width: int, height: int, *, animated: bool) -> bytes:
    frame = encoded(SMALL, "WEBP")[12:]
    if animated:
        corner, size = bytes(6), (79).to_bytes(3, "little") + (59).to_bytes(3, "little")
        body = corner + size + bytes(4) + frame
        anim = b"ANIM" + struct.pack("<I", 6) + bytes(6)
        frame = anim + (b"ANMF" + struct.pack("<I", len(body)) + body) * 300
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    body = b"VP8X" + struct.pack("<I", 10) + bytes([2 * animated, 0, 0, 0]) + sides + frame
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp_lossless(width: int, height: int) -> bytes:
    data = bytearray(encoded(SMALL, "WEBP", lossless=True))
    bits = struct.unpack_from("<I", data, 21)[0] & ~0xFFFFFFF
    struct.pack_into("<I", data, 21, bits | (width - 1) | (height - 1) << 14)
    return bytes(data)


def webp_lossy(width: int, height: int) -> bytes:
    data = bytearray(encoded(SMALL, "WEBP"))
    struct.pack_into("<HH", data, 26, width, height)
    return bytes(data)


def gif(canvas: tuple[int, int], frame: tuple[int, int], frames: int = 1) -> bytes:
    data = bytearray(encoded(SMALL.convert("P"), "GIF"))
    data[6:10] = struct.pack("<HH", *canvas)
    at = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    data[at + 5 : at + 9] = struct.pack("<HH", *frame)
    return bytes(data[:at] + data[at:-1] * frames + data[-1:])


def heic(width: int, height: int) -> bytes:
    """Every size that the file states, replaced."""
    data, at = bytearray(HEIC), 0
    while (at := data.find(b"ispe", at + 1)) > 0:
        data[at + 8 : at + 16] = struct.pack(">II", width, height)
    return bytes(data)


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def full_box(kind: bytes, *parts: bytes, version: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *parts)


def box_of(data: bytes, kind: bytes) -> bytes:
    at = data.index(kind) - 4
    return data[at : at + struct.unpack_from(">I", data, at)[0]]


def heic_grid(rows: int, columns: int, size: tuple[int, int]) -> bytes:
    """Tiles that are all the same few bytes, put together to a picture of any size."""
    tile, whole, tiles = box_of(HEIC, b"mdat")[8:], 1, range(2, 2 + rows * columns)
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, *size)

    def named(item: int, kind: bytes) -> bytes:
        return full_box(b"infe", struct.pack(">HH", item, 0) + kind + b"\0", version=2)

    def located(item: int, offset: int, length: int) -> bytes:
        return struct.pack(">HHHHII", item, 1, 0, 1, offset, length)

    items = struct.pack(">H", 1 + len(tiles))
    names = (named(whole, b"grid"), *(named(item, b"hvc1") for item in tiles))
    made_of = struct.pack(f">HH{len(tiles)}H", whole, len(tiles), *tiles)
    sizes = (full_box(b"ispe", struct.pack(">II", *sides)) for sides in ((80, 60), size))
    has = struct.pack(">I", 1 + len(tiles)) + struct.pack(">HBB", whole, 1, 3)
    has += b"".join(struct.pack(">HBBB", item, 2, 0x81, 2) for item in tiles)
    places = located(whole, len(tile), len(grid))
    places += b"".join(located(item, 0, len(tile)) for item in tiles)
    return box(b"ftyp", b"heic", bytes(4), b"mif1heic") + full_box(
        b"meta",
        full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", struct.pack(">H", whole)),
        full_box(b"iinf", items, *names),
        full_box(b"iref", box(b"dimg", made_of)),
        box(b"iprp", box(b"ipco", box_of(HEIC, b"hvcC"), *sizes), full_box(b"ipma", has)),
        box(b"idat", tile, grid),
        full_box(b"iloc", b"\x44\0", items, places, version=1),
    )


def avif(
    stated: tuple[int, int] = (80, 60), coded: tuple[int, int] | None = None, **settings: object
) -> bytes:
    """A still; ``stated`` by the container, ``coded``: by the header of the coded picture."""
    data = bytearray(encoded(SMALL, "AVIF", **settings))
    at = data.index(b"ispe")
    data[at + 8 : at + 16] = struct.pack(">II", *stated)
    if coded:  # profile, still, reduced, level: ten bits; then how many bits each side has
        across, down = (max(1, (side - 1).bit_length()) for side in coded)
        fields = ((0, 3), (3, 2), (13, 5), (across - 1, 4), (down - 1, 4))
        fields += ((coded[0] - 1, across), (coded[1] - 1, down), (0, 32))
        bits = "".join(f"{value:0{width}b}" for value, width in fields)
        bits += "0" * (-len(bits) % 8)
        header = int(bits, 2).to_bytes(len(bits) // 8, "big")
        start = data.index(b"mdat") + 4
        old = data[start + 3]
        data[start : start + 4 + old] = b"\x12\0\x0a" + bytes([len(header)]) + header
        grown = len(header) - old
        struct.pack_into(">I", data, start - 8, len(data) - start + 8)
        place = data.index(b"iloc") + 22
        struct.pack_into(">I", data, place, struct.unpack_from(">I", data, place)[0] + grown)
    return bytes(data)


def avif_grid(size: tuple[int, int]) -> bytes:
    """A tile, and a picture of any size that is made of it."""
    whole = encoded(SMALL, "AVIF")
    tile = box_of(whole, b"mdat")[8:]
    grid = struct.pack(">BBBBII", 0, 1, 1, 1, *size)
    named = (
        full_box(b"infe", struct.pack(">HH", item, 0) + kind + b"\0", version=2)
        for item, kind in ((1, b"grid"), (2, b"av01"))
    )
    places = b"".join(
        struct.pack(">HHHHII", item, 1, 0, 1, offset, length)
        for item, offset, length in ((1, len(tile), len(grid)), (2, 0, len(tile)))
    )
    return box(b"ftyp", b"avif", bytes(4), b"mif1avif") + full_box(
        b"meta",
        full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
        full_box(b"pitm", struct.pack(">H", 1)),
        full_box(b"iinf", struct.pack(">H", 2), *named),
        box(b"iprp", box(b"ipco", box_of(whole, b"ispe"))),
        box(b"idat", tile, grid),
        full_box(b"iloc", b"\x44\0", struct.pack(">H", 2), places, version=1),
    )


def bmp(width: int, height: int, *, depth: int = 24, packed: int = 0) -> bytes:
    data = bytearray(encoded(SMALL, "BMP"))
    struct.pack_into("<iiHHI", data, 18, width, height, 1, depth, packed)
    return bytes(data)


def tiff(
    tags: dict[int, int] | None = None,
    more: tuple[tuple[int, int, int, int], ...] = (),
    **settings: object,
) -> bytes:
    """A small TIFF in which some tags say something else; ``more``: entries put behind them."""
    data = encoded(SMALL, "TIFF", **settings)
    at = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, at)[0]
    entries = [struct.unpack_from("<HHII", data, at + 2 + 12 * n) for n in range(count)]
    changed = {entry[0]: entry for entry in entries}
    for tag, value in (tags or {}).items():
        changed[tag] = (tag, 4, 1, value)
    listed = [*sorted(changed.values()), *more]
    behind = struct.pack("<H", len(listed))
    behind += b"".join(struct.pack("<HHII", *entry) for entry in listed) + bytes(4)
    return data[:4] + struct.pack("<I", len(data)) + data[8:] + behind


TOO_LARGE: dict[str, Callable[[], bytes]] = {
    "png, 16 bits, four channels": lambda: png(7000, 7000, depth=16, colour=6),
    "png, 16 bits, three channels": lambda: png(7000, 7000, depth=16, colour=2),
    "png, 16 bits, grey and alpha": lambda: png(7200, 7200, depth=16, colour=4),
    "png, four channels": lambda: png(7200, 7200, colour=6),
    "png, a palette": lambda: png(7200, 7200, colour=3, before=chunk(b"PLTE", bytes(6))),
    "png, interlaced": lambda: png(7000, 7000, depth=16, colour=6, interlaced=True),
    "png, one bit": lambda: png(60_000, 60_000, depth=1, colour=0),
    "png, all there is": lambda: png(2**31 - 1, 2**31 - 1, depth=16, colour=6),
    "jpeg": lambda: jpeg(65_500, 65_500),
    "jpeg, progressive": lambda: jpeg(7000, 7000, progressive=True, subsampling=0),
    "webp, canvas": lambda: webp(5000, 5000, animated=False),
    "webp, animation": lambda: webp(16_000, 16_000, animated=True),
    "webp, lossless": lambda: webp_lossless(16_000, 16_000),
    "webp, lossy": lambda: webp_lossy(16_000, 16_000),
    "gif, canvas": lambda: gif((5000, 5000), (80, 60)),
    "gif, frame": lambda: gif((80, 60), (9000, 9000)),
    "gif, many frames": lambda: gif((65_000, 65_000), (65_000, 65_000), frames=500),
    "heic, a grid": lambda: heic_grid(2, 2, (20_000, 20_000)),
    "avif": lambda: avif((5000, 5000)),
    "avif, coded larger than it says": lambda: avif((80, 60), (16_000, 16_000)),
    "avif, a grid": lambda: avif_grid((16_000, 16_000)),
    "avif, with transparency": lambda: avif((2**31, 2**31)),
    "bmp": lambda: bmp(20_000, 20_000),
    "bmp, from above": lambda: bmp(20_000, -20_000),
    "bmp, four channels": lambda: bmp(7200, 7200, depth=32),
    "tiff": lambda: tiff({256: 20_000, 257: 20_000}),
    "tiff, packed": lambda: tiff({256: 60_000, 257: 60_000}, compression="tiff_adobe_deflate"),
    "tiff, one tile": lambda: tiff({322: 30_000, 323: 30_000}),
}
UNREADABLE: dict[str, Callable[[], bytes]] = {
    "png, a profile that unpacks": lambda: png(
        80, 60, before=inflating(b"iCCP", b"profile", 400_000_000)
    ),
    "png, a text that unpacks": lambda: png(
        80, 60, before=inflating(b"zTXt", b"comment", 400_000_000)
    ),
    "png, many texts that unpack": lambda: png(
        80, 60, before=inflating(b"zTXt", b"comment", 1_000_000) * 400
    ),
    "png, a second header": lambda: png(
        80,
        60,
        before=chunk(b"IHDR", struct.pack(">IIBBBBB", 7000, 7000, 16, 6, 0, 0, 0)),
    ),
}


UNREADABLE |= {
    "tiff, a palette as long as the file": lambda: tiff(more=((320, 3, 2**30, 8),)),
    "tiff, a tag twice": lambda: tiff(more=((257, 4, 1, 9000),)),
    "tiff, strips outside": lambda: tiff({273: 2**31}),
    "tiff, a circle of pages": lambda: tiff()[:4] + struct.pack("<I", 2**32 - 4) + tiff()[8:],
    "bmp, packed": lambda: bmp(80, 60, depth=8, packed=1),
    "bmp, nothing behind it": lambda: bmp(4000, 4000),
    "avif, extents outside": lambda: avif()[:-800],
    "avif, two of all": lambda: avif() + box_of(avif(), b"meta"),
    "avif, larger than its pieces": lambda: avif((80, 60), (2000, 2000)),
}


FULL_OF_OTHER_THINGS: dict[str, Callable[[], bytes]] = {
    "exif": lambda: with_segments(
        encoded(SMALL, "JPEG"), 0xE1, b"Exif\0\0" + b"MM\0*" * 16_000, 100
    ),
    "profiles": lambda: with_segments(
        encoded(SMALL, "JPEG"), 0xE2, b"ICC_PROFILE\0\1\1" + bytes(60_000), 100
    ),
    "comments": lambda: with_segments(encoded(SMALL, "JPEG"), 0xFE, bytes(65_000), 100),
    "gif frames": lambda: gif((80, 60), (80, 60), frames=400),
    "webp frames": lambda: webp(80, 60, animated=True),
    "avif frames": lambda: encoded(SMALL, "AVIF", save_all=True, append_images=[SMALL] * 30),
    "tiff, the same thing a thousand times": lambda: tiff(
        more=tuple((60_000 + n, 7, 14_000, 8) for n in range(5000))
    ),
    "tiff pages": lambda: encoded(SMALL, "TIFF", save_all=True, append_images=[SMALL] * 200),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What became of each, opened one after the other with little room."""
    folder = tmp_path_factory.mktemp("bombs")
    smalls = [encoded(SMALL, kind) for kind in ALL]
    bombs = {**TOO_LARGE, **UNREADABLE, **FULL_OF_OTHER_THINGS}

    def written(name: str, data: bytes) -> str:
        (folder / name).write_bytes(data)
        return str(folder / name)

    paths = " ".join(written(f"bomb{n}", make()) for n, make in enumerate(bombs.values()))
    loaded = " ".join(written(f"small{n}", data) for n, data in enumerate([*smalls, HEIC]))
    done = subprocess.run(
        [sys.executable, "-c", WITH_LITTLE_ROOM, str(ROOM), loaded, paths],
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(zip(bombs, done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("bomb", TOO_LARGE)
def test_what_would_be_too_large_is_refused_by_its_header(said: dict[str, str], bomb: str) -> None:
    assert len(TOO_LARGE[bomb]()) < 1_000_000
    assert said[bomb].startswith("image_too_large | The picture has more than "), said[bomb]
    assert said[bomb].endswith(" million pixels.")


@pytest.mark.parametrize("bomb", UNREADABLE)
def test_what_unpacks_beside_the_picture_is_refused(said: dict[str, str], bomb: str) -> None:
    assert said[bomb].split(" | ")[0] in ("image_unreadable", "image_too_large")


@pytest.mark.parametrize(
    "data",
    [heic(7000, 7000), heic_grid(2, 2, (7000, 7000)), heic_grid(30, 30, (2400, 1800))],
    ids=["another size", "a grid with gaps", "a grid of many"],
)
def test_a_heic_that_is_not_what_it_says_is_refused(data: bytes) -> None:
    """Not with little room: its decoder starts threads, and each asks for much that it never uses."""
    with pytest.raises(ImageUnreadable):
        open_picture(data)


@pytest.mark.parametrize("bomb", FULL_OF_OTHER_THINGS)
def test_what_is_full_of_other_things_costs_little_more_than_itself(
    said: dict[str, str], bomb: str
) -> None:
    assert said[bomb] == "opened" or said[bomb].startswith("image_unreadable"), said[bomb]


@pytest.mark.parametrize(
    ("depth", "colour", "side", "opens"),
    [(8, 2, 1000, True), (16, 6, 1000, True), (16, 6, 5001, False), (8, 6, 7072, False)],
)
def test_the_limit_is_what_decoding_takes(depth: int, colour: int, side: int, opens: bool) -> None:
    channels = {2: 3, 6: 4}[colour]
    pixels = zlib.compress(bytes((1 + side * channels * depth // 8) * side), 1)
    data = png(side, side, depth=depth, colour=2 if colour == 2 else 6, pixels=pixels)
    assert (side * side * channels * depth // 8 <= MAX_DECODED_BYTES) == opens
    if opens:
        with (
            pytest.raises(ImageUnreadable, match="transparent")
            if colour == 6
            else contextlib.nullcontext()
        ):
            open_picture(data)
    else:
        with pytest.raises(ImageTooLarge):
            open_picture(data)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("JPEG", encoded(SMALL, "JPEG")),
        ("JPEG", encoded(SMALL, "JPEG", progressive=True, subsampling=2)),
        ("JPEG", encoded(SMALL.convert("CMYK"), "JPEG")),
        ("PNG", encoded(SMALL, "PNG")),
        ("GIF", encoded(SMALL, "GIF")),
        ("WEBP", encoded(SMALL, "WEBP")),
        ("WEBP", encoded(SMALL, "WEBP", lossless=True)),
        ("WEBP", encoded(SMALL.convert("RGBA"), "WEBP", exact=True, exif=b"Exif\0\0MM\0*")),
        ("AVIF", encoded(SMALL, "AVIF")),
        ("AVIF", encoded(SMALL.convert("RGBA"), "AVIF")),
        ("AVIF", encoded(SMALL, "AVIF", save_all=True, append_images=[SMALL])),
        ("BMP", encoded(SMALL, "BMP")),
        ("TIFF", encoded(SMALL, "TIFF")),
        ("TIFF", encoded(SMALL, "TIFF", compression="tiff_lzw", big_tiff=False)),
    ],
)
def test_what_the_header_says_is_what_the_decoder_finds(kind: str, data: bytes) -> None:
    header = picture_headers.read(kind, data, max_scans=MAX_JPEG_SCANS)
    assert header.size == Image.open(BytesIO(data)).size == (80, 60)
    for end in range(min(400, len(data))):
        try:
            short = picture_headers.read(kind, data[:end], max_scans=MAX_JPEG_SCANS)
        except HeaderWrong:
            continue
        assert short.size == (80, 60), "a part of it says the same or nothing"


def test_a_photo_in_several_scans_is_judged_by_its_coefficients() -> None:
    def cost(**settings: object) -> float:
        data = encoded(SMALL, "JPEG", **settings)
        return picture_headers.read("JPEG", data, max_scans=MAX_JPEG_SCANS).cost

    assert cost() == picture_headers.STREAMED_COST
    assert cost(progressive=True, subsampling=0) == 6
    assert cost(progressive=True, subsampling=2) == 3
