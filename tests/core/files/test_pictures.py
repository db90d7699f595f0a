"""Hostile pictures: what is accepted, what is refused, and that nothing else ever comes out."""

import struct
import subprocess
import sys
import textwrap
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageDraw

from selify.core.errors import SelifyError
from selify.core.files import formats
from selify.core.files.pictures import (
    MAX_SIDE,
    ImageTooLarge,
    ImageUnreadable,
    Picture,
    Transparency,
    open_picture,
)

HEIC = Path(__file__).parents[2] / "fixtures" / "pictures"
RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 180, 30), (30, 30, 200), (255, 255, 255)


def corners(width: int = 80, height: int = 60) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=RED)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height), fill=BLUE)
    return image


def encoded(image: Image.Image, kind: str, **settings: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **settings)
    return out.getvalue()


def heic(name: str) -> bytes:
    """Made once with an encoder that is not among our packages: see docs/licences.md."""
    return (HEIC / f"{name}.heic").read_bytes()


def pixels(picture: Picture) -> Image.Image:
    image = Image.open(BytesIO(picture.data))
    assert image.size == (picture.width, picture.height)
    assert Image.MIME[image.format] == picture.content_type
    return image


def close(found: tuple[int, ...], wanted: tuple[int, ...], by: int = 14) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def four_corners(image: Image.Image) -> list[tuple[int, ...]]:
    x, y = image.width // 4, image.height // 4
    return [image.getpixel((a, b)) for b in (y, 3 * y) for a in (x, 3 * x)]


# --- Formats --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "HEIF", "AVIF", "BMP", "TIFF"])
def test_every_accepted_format_keeps_its_picture(kind):
    data = heic("corners") if kind == "HEIF" else encoded(corners(), kind)
    picture = open_picture(data)
    assert (picture.width, picture.height, picture.content_type) == (80, 60, "image/jpeg")
    for found, wanted in zip(four_corners(pixels(picture)), (RED, GREEN, BLUE, WHITE), strict=True):
        assert close(found, wanted), (kind, found, wanted)


@pytest.mark.parametrize("kind", ["PPM", "ICO", "PDF", "TGA", "PCX", "JPEG2000"])
def test_other_formats_are_refused_however_valid(kind):
    with pytest.raises(ImageUnreadable):
        open_picture(encoded(corners(), kind))


@pytest.mark.parametrize(
    "data", [b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff", b"GIF89a"]
)
def test_what_is_no_picture_says_so_in_a_sentence(data):
    with pytest.raises(ImageUnreadable) as refused:
        open_picture(data)
    assert (refused.value.status, refused.value.code) == (422, "image_unreadable")
    assert refused.value.detail.endswith(".")
    assert refused.value.hint.startswith("Please")


def test_an_empty_file_is_refused():
    with pytest.raises(ImageUnreadable, match="empty"):
        open_picture(b"")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1", "CMYK", "I;16"])
def test_a_tiff_opens_in_every_usual_way_of_storing_it(mode, compression):
    if mode == "I;16":
        image = Image.new("I;16", (80, 60), 128 * 257)
    else:
        grey = Image.new("L", (80, 60), 255 if mode == "1" else 128)
        image = grey.convert(mode) if mode in {"1", "P"} else grey.convert("RGB").convert(mode)
    wanted = 255 if mode == "1" else 128
    found = pixels(open_picture(encoded(image, "TIFF", compression=compression)))
    assert close(found.getpixel((40, 30)), (wanted,) * 3, by=3)


@pytest.mark.parametrize("compression", ["jpeg", "group4", "zstd", "lzma"])
def test_a_tiff_stored_in_another_way_is_refused_with_what_to_do(compression):
    image = corners().convert("1") if compression == "group4" else corners()
    with pytest.raises(ImageUnreadable, match="unusual") as refused:
        open_picture(encoded(image, "TIFF", compression=compression))
    assert "ordinary JPEG" in refused.value.hint


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_a_bitmap_opens_in_every_depth(mode):
    found = pixels(open_picture(encoded(corners().convert(mode), "BMP")))
    assert close(found.getpixel((60, 45)), WHITE)


def test_a_measurement_in_a_tiff_is_no_picture():
    for mode in ("F", "I"):
        with pytest.raises(ImageUnreadable, match="unusual"):
            open_picture(encoded(Image.new(mode, (80, 60), 7), "TIFF"))


def test_forms_and_sentences_name_every_format_that_opens():
    for each in formats.FORMATS:
        kind = {"HEIC": "HEIF"}.get(each.name, each.name.upper())
        opened = open_picture(heic("corners") if kind == "HEIF" else encoded(corners(), kind))
        assert opened.width == 80
        assert each.name in formats.NAMES
        assert set(each.types) <= set(formats.ACCEPT.split(","))
    with pytest.raises(ImageUnreadable) as refused:
        open_picture(b"no picture")
    assert formats.NAMES in refused.value.hint


# --- Orientation, colour, transparency ------------------------------------------------------------

UPRIGHT = (RED, GREEN, BLUE, WHITE)
# How a camera stores the upright picture when it writes this orientation: the inverse turn.
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", STORED_AS)
def test_a_turned_photo_comes_out_upright(kind, orientation):
    turn = STORED_AS[orientation]
    stored = corners() if turn is None else corners().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = open_picture(encoded(stored, kind, exif=exif))
    assert (picture.width, picture.height) == (80, 60)
    found = four_corners(pixels(picture))
    assert all(close(a, b) for a, b in zip(found, UPRIGHT, strict=True)), found


@pytest.mark.parametrize("orientation", STORED_AS)
def test_a_heic_photo_is_turned_once_not_twice(orientation):
    """Its writer stores the turn in the file's own way; the EXIF beside it must not count again."""
    picture = open_picture(heic(f"turned-{orientation}"))
    assert (picture.width, picture.height) == (80, 60)
    found = four_corners(pixels(picture))
    assert all(close(a, b) for a, b in zip(found, UPRIGHT, strict=True)), found


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_a_senseless_orientation_is_ignored(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = open_picture(encoded(corners(), "JPEG", exif=exif))
    assert (picture.width, picture.height) == (80, 60)


def test_transparency_is_kept_for_garments_and_laid_on_white_for_people():
    garment = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(garment).rectangle((16, 16, 47, 47), fill=(*RED, 255))
    lossless = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}
    for kind in ("PNG", "WEBP", "AVIF", "TIFF"):
        data = encoded(garment, kind, **lossless.get(kind, {}))
        kept = pixels(open_picture(data, transparency=Transparency.KEEP))
        assert (kept.format, kept.mode) == ("PNG", "RGBA")
        assert kept.getpixel((2, 2))[3] == 0
        assert close(kept.getpixel((32, 32)), (*RED, 255), by=2)
        flat = pixels(open_picture(data))
        assert (flat.format, flat.mode) == ("JPEG", "RGB")
        assert close(flat.getpixel((2, 2)), WHITE)
        assert close(flat.getpixel((32, 32)), RED)


def test_an_opaque_garment_needs_no_alpha_channel():
    data = encoded(corners().convert("RGBA"), "PNG")
    assert open_picture(data, transparency=Transparency.KEEP).content_type == "image/jpeg"


def test_palette_transparency_survives():
    image = Image.new("P", (40, 40), 0)
    image.putpalette([0, 0, 0, *RED])
    image.paste(1, (10, 10, 30, 30))
    for kind in ("PNG", "GIF"):
        data = encoded(image, kind, transparency=0)
        kept = pixels(open_picture(data, transparency=Transparency.KEEP))
        assert (kept.getpixel((1, 1))[3], kept.getpixel((20, 20))) == (0, (*RED, 255))


def test_nothing_but_transparency_is_refused():
    with pytest.raises(ImageUnreadable, match="transparent"):
        open_picture(encoded(Image.new("RGBA", (64, 64), (9, 9, 9, 0)), "PNG"))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
def test_every_way_of_storing_grey_gives_that_grey(mode):
    grey = Image.new("L", (64, 64), 128)
    if mode == "I;16":
        image = Image.new("I;16", (64, 64), 128 * 257)
    else:
        image = (Image.new("L", (64, 64), 255) if mode == "1" else grey).convert(mode)
    wanted = 255 if mode == "1" else 128
    found = pixels(open_picture(encoded(image, "JPEG" if mode == "CMYK" else "PNG")))
    assert found.mode == "RGB"
    assert close(found.getpixel((30, 30)), (wanted,) * 3, by=3)


def fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65_536)) for value in values)


def profile_with_primaries(*primaries: tuple[float, float, float]) -> bytes:
    """A small ICC v2 profile: three primaries (XYZ, D50) and a gamma of 2.2."""
    gamma = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
    bodies = {b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642, 1, 0.8249)}
    for name, primary in zip((b"r", b"g", b"b"), primaries, strict=True):
        bodies[name + b"XYZ"] = b"XYZ " + bytes(4) + fixed(*primary)
        bodies[name + b"TRC"] = gamma
    table, data, start = b"", b"", 128 + 4 + 12 * len(bodies)
    for tag, body in bodies.items():
        table += struct.pack(">4sII", tag, start + len(data), len(body))
        data += body
    rest = struct.pack(">I", len(bodies)) + table + data
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(rest), bytes(4), 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642, 1, 0.8249)
    return header.ljust(128, b"\0") + rest


SRGB_RED, SRGB_GREEN, SRGB_BLUE = (
    (0.436, 0.222, 0.014),
    (0.385, 0.717, 0.097),
    (0.143, 0.061, 0.714),
)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_colours_of_another_space_are_brought_to_srgb(kind):
    """A space in which "red" means our blue shows whether the profile was heeded at all."""
    usual = profile_with_primaries(SRGB_RED, SRGB_GREEN, SRGB_BLUE)
    turned = profile_with_primaries(SRGB_BLUE, SRGB_GREEN, SRGB_RED)
    image = Image.new("RGB", (40, 40), (255, 0, 0))
    red, blue = (
        pixels(open_picture(encoded(image, kind, icc_profile=profile))).getpixel((20, 20))
        for profile in (usual, turned)
    )
    assert close(red, (255, 0, 0), by=12)
    assert close(blue, (0, 0, 255), by=12)


def test_a_profile_that_fits_no_picture_is_ignored():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (lab, b"not a profile" * 20):
        data = encoded(Image.new("RGB", (40, 40), RED), "PNG", icc_profile=profile)
        assert close(pixels(open_picture(data)).getpixel((20, 20)), RED, by=4)


# --- Metadata -------------------------------------------------------------------------------------


def photo_with_secrets(kind: str) -> bytes:
    if kind == "HEIF":
        return heic("secrets")
    exif = Image.Exif()
    exif[0x010F] = "SECRET-CAMERA"
    exif.get_ifd(0x8825)[29] = "SECRET-GPS"
    xmp = b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>"
    more = {"comment": b"SECRET-COMMENT", "xmp": xmp} if kind == "JPEG" else {}
    return encoded(corners(), kind, exif=exif, icc_profile=b"SECRET-ICC" * 20, **more)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "TIFF"])
@pytest.mark.parametrize("transparency", Transparency)
def test_where_and_with_what_the_photo_was_taken_is_stripped(kind, transparency):
    data = photo_with_secrets(kind)
    assert b"SECRET" in data or kind == "PNG"  # PNG compresses its profile
    picture = open_picture(data, transparency=transparency)
    assert b"SECRET" not in picture.data
    assert not pixels(picture).getexif()
    assert not {"icc_profile", "comment", "xmp", "exif"} & set(pixels(picture).info)


def test_what_hangs_behind_the_picture_does_not_travel_on():
    data = encoded(corners(), "JPEG") + b"\x00\x00\x00\x18ftypmp42 motion photo clip"
    assert b"ftypmp42" not in open_picture(data).data


# --- Size -----------------------------------------------------------------------------------------


def test_large_photos_are_scaled_and_small_ones_never_enlarged():
    picture = open_picture(encoded(corners(3200, 2400), "JPEG"))
    assert (picture.width, picture.height) == (MAX_SIDE, 1200)
    assert all(close(a, b) for a, b in zip(four_corners(pixels(picture)), UPRIGHT, strict=True))
    assert open_picture(encoded(corners(70, 50), "PNG"), max_side=64).width == 64
    assert open_picture(encoded(corners(70, 50), "PNG")).width == 70


def test_too_many_bytes_are_refused_before_anything_is_read():
    with pytest.raises(ImageTooLarge, match="larger than 1 MB") as refused:
        open_picture(b"\xff" * (1024 * 1024 + 1), max_bytes=1024 * 1024)
    assert (refused.value.status, refused.value.code) == (413, "image_too_large")


FIFTY_MEGAPIXELS = textwrap.dedent("""
    import re, sys
    from selify.core.files.pictures import open_picture
    def peak():  # of this program alone; getrusage would count its parent's before the start
        return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
    data = open(sys.argv[1], "rb").read()
    open_picture(open(sys.argv[2], "rb").read())  # loads what is loaded once
    before = peak()
    picture = open_picture(data)
    print(picture.width, picture.height, (peak() - before) // 1024)
""")


def test_a_fifty_megapixel_photo_opens_in_little_memory(tmp_path):
    large, small = tmp_path / "large.jpg", tmp_path / "small.jpg"
    large.write_bytes(encoded(Image.new("RGB", (8192, 6144), RED), "JPEG"))
    small.write_bytes(encoded(corners(), "JPEG"))
    out = subprocess.run(
        [sys.executable, "-c", FIFTY_MEGAPIXELS, large, small],
        check=True,
        capture_output=True,
        text=True,
    )
    width, height, megabytes = map(int, out.stdout.split())
    assert (width, height) == (1600, 1200)
    assert megabytes < 120  # decoded in full it is 200 MB


def png_claiming(width: int, height: int) -> bytes:
    """A few hundred bytes that promise a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def gif_claiming(width: int, height: int, frame: tuple[int, int]) -> bytes:
    data = bytearray(encoded(corners(), "GIF"))
    data[6:10] = struct.pack("<HH", width, height)
    at = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    data[at + 5 : at + 9] = struct.pack("<HH", *frame)
    return bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        png_claiming(7212, 7212),
        png_claiming(10_000, 10_000),
        png_claiming(60_000, 60_000),
        gif_claiming(6000, 6000, (80, 60)),
        gif_claiming(65_535, 65_535, (80, 60)),
        gif_claiming(80, 60, (65_535, 65_535)),
    ],
    ids=["just over", "warned of", "bomb", "large canvas", "huge canvas", "first frame"],
)
def test_decompression_bombs_are_refused_without_being_unpacked(data):
    with pytest.raises(ImageTooLarge, match="million pixels"):
        open_picture(data)


def test_a_huge_webp_canvas_is_refused():
    frame = encoded(corners(), "WEBP")[12:]
    body = (
        b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + (16_382).to_bytes(3, "little") * 2 + frame
    )
    with pytest.raises(SelifyError):
        open_picture(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body)


def test_a_bomb_within_the_text_of_a_png_is_refused():
    data = bytearray(png_claiming(100, 100))
    body = b"note\0\0" + zlib.compress(b"x" * 80_000_000, 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + body))
    data[33:33] = chunk
    with pytest.raises(ImageUnreadable):
        open_picture(bytes(data))


def test_only_the_first_frame_of_an_animation_is_decoded(monkeypatch):
    frames = [Image.new("RGB", (300, 300), (n % 256, 0, 0)) for n in range(60)]
    for kind in ("GIF", "WEBP", "PNG", "AVIF", "TIFF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=20)
        seeks: list[int] = []
        monkeypatch.setattr(Image.Image, "seek", lambda _self, frame, s=seeks: s.append(frame))
        picture = open_picture(data)
        monkeypatch.undo()
        assert picture.width == 300
        assert not seeks
        assert close(pixels(picture).getpixel((9, 9)), (0, 0, 0))


def test_a_photo_of_a_thousand_scans_is_refused():
    data = encoded(corners(), "JPEG", progressive=True)
    scan = data.index(b"\xff\xda")
    with pytest.raises(ImageUnreadable, match="unusual"):
        open_picture(data[:scan] + data[scan:-2] * 100 + data[-2:])


def test_a_clip_behind_a_photo_does_not_count_as_scans():
    """Motion photos: a video of some megabytes holds the mark of a scan many times by chance."""
    clip = b"\x00\x00\x00\x18ftypmp42" + b"\xff\xda\x00\x08moov" * 5000
    for progressive in (False, True):
        photo = encoded(corners(), "JPEG", progressive=progressive)
        assert open_picture(photo + clip).width == 80


def test_a_thumbnail_within_a_photo_neither_counts_nor_ends_it():
    thumbnail = encoded(corners(16, 16), "JPEG")
    exif = b"Exif\x00\x00" + thumbnail + b"\xff\xda" * 500
    photo = encoded(corners(), "JPEG", progressive=True)
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert open_picture(photo[:2] + segment + photo[2:]).width == 80
    scan = photo.index(b"\xff\xda")
    many = photo[:2] + segment + photo[2:scan] + photo[scan:-2] * 100 + photo[-2:]
    with pytest.raises(ImageUnreadable, match="unusual"):
        open_picture(many)


@pytest.mark.parametrize("size", [(1, 1), (15, 300), (2000, 20), (20, 2000)])
def test_shapes_that_show_nothing_are_refused(size):
    with pytest.raises(ImageUnreadable):
        open_picture(encoded(Image.new("RGB", size, RED), "PNG"))


# --- Damage and disguise --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "BMP", "TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_file_is_refused(kind, share):
    noise = Image.effect_noise((300, 200), 80).convert("RGB")
    data = heic("noise") if kind == "HEIF" else encoded(noise, kind)
    with pytest.raises(ImageUnreadable):
        open_picture(data[: int(len(data) * share)])


def zip_of(comment: bytes) -> bytes:
    return b"PK\x05\x06" + b"\0" * 16 + struct.pack("<H", len(comment)) + comment


@pytest.mark.parametrize(
    "tail",
    [
        zip_of(b""),
        zip_of(b"a comment"),
        b"<html><SCRIPT>alert(1)</SCRIPT>",
        b"<?php system($_GET[0]);",
        b"Rar!\x1a\x07\x01\x00",
        b"7z\xbc\xaf\x27\x1c",
    ],
)
def test_a_picture_that_is_something_else_as_well_is_refused(tail):
    with pytest.raises(ImageUnreadable, match="more than a picture"):
        open_picture(encoded(corners(), "JPEG") + tail)


def test_a_document_that_opens_as_a_picture_is_refused():
    data = encoded(corners(), "JPEG", comment=b"%PDF-1.7 1 0 obj")
    with pytest.raises(ImageUnreadable, match="more than a picture"):
        open_picture(data)


def test_a_wrong_name_for_the_right_bytes_does_not_matter():
    """Only the bytes are asked; a JPEG header before PNG bytes is damage, not a choice."""
    with pytest.raises(ImageUnreadable):
        open_picture(b"\xff\xd8\xff" + encoded(corners(), "PNG"))


SEEDS = [
    encoded(corners(), "JPEG", quality=60),
    encoded(corners(), "JPEG", progressive=True),
    photo_with_secrets("JPEG"),
    encoded(corners().convert("CMYK"), "JPEG"),
    encoded(corners(), "PNG"),
    encoded(corners().convert("P"), "PNG", transparency=0),
    encoded(Image.new("I;16", (40, 40), 30_000), "PNG"),
    encoded(corners(), "WEBP"),
    photo_with_secrets("WEBP"),
    encoded(corners(), "GIF", save_all=True, append_images=[Image.new("RGB", (80, 60), RED)]),
    heic("corners"),
    photo_with_secrets("HEIF"),
    encoded(corners(), "AVIF"),
    encoded(corners(), "AVIF", save_all=True, append_images=[Image.new("RGB", (80, 60), RED)]),
    encoded(corners(), "BMP"),
    encoded(corners(), "TIFF"),
    encoded(corners(), "TIFF", compression="tiff_lzw"),
    encoded(corners(), "TIFF", compression="packbits"),
    photo_with_secrets("TIFF"),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid file with bytes changed, cut out, doubled or put in."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        match draw(st.sampled_from(["set", "cut", "double", "insert", "header"])):
            case "set":
                data[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "cut":
                del data[at : at + draw(st.integers(1, 40))]
            case "double":
                data[at:at] = data[at : at + draw(st.integers(1, 40))]
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=12))
            case "header":
                data[at % 64 : at % 64 + 1] = bytes([draw(st.sampled_from([0, 1, 127, 255]))])
    return bytes(data)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=mutated(), transparency=st.sampled_from(Transparency))
def test_whatever_the_bytes_a_picture_or_a_refusal_comes_out(data, transparency):
    try:
        picture = open_picture(data, max_pixels=2_000_000, transparency=transparency)
    except (ImageUnreadable, ImageTooLarge):
        return
    assert 0 < max(picture.width, picture.height) <= MAX_SIDE
    pixels(picture).load()


@given(data=st.binary(max_size=400))
def test_random_bytes_are_refused(data):
    with pytest.raises((ImageUnreadable, ImageTooLarge)):
        open_picture(data)


def test_many_threads_open_the_same_picture_alike():
    datas = [*SEEDS] * 4
    alone = [open_picture(data) for data in SEEDS]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(open_picture, datas))
    assert together == alone * 4


def test_a_second_opening_changes_nothing_but_compression():
    once = open_picture(encoded(corners(), "JPEG"))
    twice = open_picture(once.data)
    assert (once.width, once.height) == (twice.width, twice.height)
    assert all(close(a, b) for a, b in zip(four_corners(pixels(twice)), UPRIGHT, strict=True))
