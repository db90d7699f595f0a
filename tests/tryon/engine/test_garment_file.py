"""Garments in files: what one process read, another finds as it was."""

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import cv2
import numpy as np
import pytest

from selify.tryon.engine import garment_file, worker
from selify.tryon.engine.codec import decode, encode
from selify.tryon.engine.frames import Frame
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.garment_file import packed, unpacked
from selify.tryon.engine.worker import Workshop
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_world import garments, specs
from selify_sandbox.drawn_world.specs import Cloth, Piece

CUTS = {
    "tee": specs.TEE,
    "straps": specs.CAMISOLE,
    "trousers": specs.TROUSERS,
    "skirt": specs.SKIRT,
    "open": specs.OPEN_JACKET,
    "jumpsuit": specs.JUMPSUIT,
}
KEY = "top:0123"


def read(cut: specs.Cut) -> Garment:
    drawn = garments.draw(specs.Garment("any", Piece(cut, Cloth((110.0, 40.0, 118.0)))))
    return read_cut_out(drawn.bgr, (drawn.alpha * 255).astype(np.uint8), cut.category)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    if is_dataclass(one):
        names = (field.name for field in fields(one))
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.mark.parametrize("cut", CUTS)
def test_a_garment_comes_out_of_its_file_as_it_went_in(cut):
    garment = read(CUTS[cut])
    found = unpacked(packed(garment, KEY), KEY, garment.bgr)
    assert same(found, garment)
    assert (garment.parts is not None) is (cut == "jumpsuit")
    assert (garment.opening is not None) is (cut == "open")


@pytest.fixture(scope="module")
def tee() -> Garment:
    return read(specs.TEE)


def test_of_another_picture_category_or_version_it_counts_as_none(tee, monkeypatch):
    file = packed(tee, KEY)
    assert unpacked(file, KEY.replace("top", "dress"), tee.bgr) is None
    assert unpacked(file, KEY, tee.bgr[:-1]) is None
    monkeypatch.setattr(garment_file, "ANALYZER_VERSION", "later")
    assert unpacked(file, KEY, tee.bgr) is None


def test_a_broken_file_counts_as_none(tee):
    """Whatever byte of it was lost or changed."""
    file = packed(tee, KEY)
    assert unpacked(b"", KEY, tee.bgr) is None
    assert unpacked(b"no zip", KEY, tee.bgr) is None
    for cut in np.linspace(1, len(file) - 1, 40).astype(int):
        assert unpacked(file[:cut], KEY, tee.bgr) is None
        changed = bytearray(file)
        changed[cut] ^= 0xFF
        found = unpacked(bytes(changed), KEY, tee.bgr)
        assert found is None or same(found, tee)


@pytest.fixture(scope="module")
def small_tee() -> Garment:
    drawn = garments.draw(specs.Garment("any", Piece(specs.TEE, Cloth((110.0, 40.0, 118.0)))))
    bgr, alpha = (
        cv2.resize(part, (96, 108), interpolation=cv2.INTER_AREA)
        for part in (drawn.bgr, (drawn.alpha * 255).astype(np.uint8))
    )
    return read_cut_out(bgr, alpha, GarmentCategory.TOP)


def in_headers(file: bytes) -> Iterator[int]:
    """Where the zip says what is in it: before each part, in the directory and at the end."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        for part in archive.infolist():
            own = 30 + int.from_bytes(file[part.header_offset + 26 :][:2], "little")
            own += int.from_bytes(file[part.header_offset + 28 :][:2], "little")
            yield from range(part.header_offset, part.header_offset + own)
        yield from range(archive.start_dir, len(file))


# All bits of a byte, or few: a password, or another way of compressing (bzip2, lzma).
@pytest.mark.parametrize("bits", [0xFF, 0x01, 0x04, 0x06])
def test_a_wrong_byte_in_its_headers_is_no_failed_try_on(small_tee, bits):
    file = packed(small_tee, KEY)
    places = list(in_headers(file))
    assert len(places) > 1000
    refused = 0
    for place in places if bits == 0xFF else places[-90:]:  # of the last part, and the end
        changed = bytearray(file)
        changed[place] ^= bits
        found = unpacked(bytes(changed), KEY, small_tee.bgr)
        assert found is None or same(found, small_tee), place
        refused += found is None
    assert refused


@pytest.mark.parametrize(
    "error",
    [RuntimeError, NotImplementedError, struct.error, MemoryError, OverflowError, RecursionError],
)
def test_no_error_of_reading_it_gets_out(small_tee, monkeypatch, error):
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(np, "load", fails)
    assert unpacked(packed(small_tee, KEY), KEY, small_tee.bgr) is None


def test_nothing_in_it_is_unpickled(tee):
    """An array of objects would be."""
    opened = []

    class Evil:
        def __reduce__(self):
            return opened.append, ("opened",)

    with np.load(io.BytesIO(packed(tee, KEY))) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["arr_0"] = np.array([Evil()], object)
    bad = io.BytesIO()
    np.savez(bad, **arrays)
    assert unpacked(bad.getvalue(), KEY, tee.bgr) is None
    assert not opened


def test_no_process_reads_again_what_another_has_read(models_dir, people, monkeypatch):
    """And makes the same picture of it, to the last bit."""
    drawn = garments.draw(specs.Garment("any", Piece(specs.TEE, Cloth((110.0, 40.0, 118.0)))))
    picture = bytes(cv2.imencode(".png", drawn.bgr)[1])
    photo = encode(people["alex"])
    header = {"operation": "render", "category": "top", "max_side": 1024}
    first, second = Workshop(models_dir, small=True), Workshop(models_dir, small=True)
    made = first.answer(Frame(header, (photo, picture)))
    jpeg, file = made.parts
    again = first.answer(Frame(header, (photo, picture)))
    assert again.parts == (jpeg,), "it was handed over once"

    def reads(*_: object) -> Garment:
        raise AssertionError("it was read again")

    monkeypatch.setattr(worker, "garment_in", reads)
    found = second.answer(Frame(header, (photo, picture, file)))
    assert found.parts == (jpeg,)


def test_a_file_of_no_use_is_replaced(models_dir, people):
    drawn = garments.draw(specs.Garment("any", Piece(specs.TEE, Cloth((110.0, 40.0, 118.0)))))
    picture = bytes(cv2.imencode(".png", drawn.bgr)[1])
    header = {"operation": "render", "category": "top", "max_side": 1024}
    workshop = Workshop(models_dir, small=True)
    answer = workshop.answer(Frame(header, (encode(people["alex"]), picture, b"of another age")))
    key = workshop._key(picture, GarmentCategory.TOP)
    assert unpacked(answer.parts[1], key, decode(picture, 1024).bgr) is not None


def test_what_the_wardrobe_reads_is_handed_over_too(models_dir):
    drawn = garments.draw(specs.Garment("any", Piece(specs.TEE, Cloth((110.0, 40.0, 118.0)))))
    picture = bytes(cv2.imencode(".png", drawn.bgr)[1])
    workshop = Workshop(models_dir, small=True)
    answer = workshop.answer(Frame({"operation": "read", "category": None}, (picture,)))
    (file,) = answer.parts
    key = workshop._key(picture, GarmentCategory.TOP)
    assert unpacked(file, key, decode(picture, 1024).bgr) is not None
