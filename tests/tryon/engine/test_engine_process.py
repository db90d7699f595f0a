"""The engine behind its port: its own process, hostile input, time limit, restart."""

import asyncio
import hashlib
import os
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio

from selify.core.money import MicroUnits
from selify.tryon.engine.codec import decode
from selify.tryon.engine.engine import Assessed, EmbeddedEngine
from selify.tryon.engine.frames import BrokenFrame, Frame, header_length, parse_header, read_frame
from selify.tryon.engine.reading import SleeveLength
from selify.tryon.engine.refusals import Refused
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    Refusal,
    RefusalCode,
    RefusalReason,
    Rendering,
    RenderOptions,
    RenderWarning,
)

TOP = RenderOptions(GarmentCategory.TOP)


def picture(bgr) -> Picture:
    _, data = cv2.imencode(".png", bgr)
    return Picture(bytes(data), "image/png", bgr.shape[1], bgr.shape[0])


def broken(data: bytes) -> Picture:
    return Picture(data, "image/png", 100, 100)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(models_dir):
    engine = EmbeddedEngine(models_dir, small=True)
    yield engine
    await engine.aclose()


@pytest.fixture(scope="module")
def alex(people):
    """Small: what is tried here is the process, not the picture."""
    return picture(cv2.resize(people["alex"], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


@pytest.fixture(scope="module")
def tee(drawn):
    return Picture(drawn["tee-sunrise"].png(), "image/png", 900, 1000)


async def process_of(engine) -> int:
    """Of its one process, which is started if it has to be."""
    await engine.read_garment(broken(b""), None)
    (process,) = engine.process_ids
    return process


async def test_a_rendering_is_a_picture_with_scores(engine, alex, tee):
    result = await engine.render(alex, tee, TOP)
    assert isinstance(result, Rendering)
    assert result.engine == "embedded"
    assert result.cost == MicroUnits.zero()
    assert result.scores is not None
    assert result.scores.passed
    assert result.picture.content_type == "image/jpeg"
    image = cv2.imdecode(np.frombuffer(result.picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[:2] == (result.picture.height, result.picture.width)
    assert max(image.shape[:2]) <= TOP.max_side
    assert result.seconds > 0


async def test_the_same_input_gives_the_same_bytes_also_after_a_restart(engine, alex, tee):
    digests = set()
    for restart in (False, False, True):
        if restart:
            await engine.aclose()
        result = await engine.render(alex, tee, TOP)
        digests.add(hashlib.sha256(result.picture.data).hexdigest())
    assert len(digests) == 1


async def test_requests_wait_for_each_other(engine, alex, tee):
    results = await asyncio.gather(*(engine.render(alex, tee, TOP) for _ in range(3)))
    assert len({result.picture.data for result in results}) == 1


async def test_max_side_is_obeyed(engine, people, tee):
    photo = picture(people["alex"])
    result = await engine.render(photo, tee, RenderOptions(GarmentCategory.TOP, max_side=640))
    assert max(result.picture.width, result.picture.height) == 640


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"\x89PNG\r\n\x1a\n" + bytes(200),
        b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4,
        b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    ],
)
async def test_what_is_no_picture_is_refused_and_the_process_lives_on(engine, alex, tee, data):
    before = await process_of(engine)
    for person, garment in ((broken(data), tee), (alex, broken(data))):
        result = await engine.render(person, garment, TOP)
        assert isinstance(result, Refusal)
        assert result.code is RefusalCode.IMAGE_UNREADABLE
        assert result.sentence
        assert result.hint
    assert engine.process_ids == (before,)


async def test_a_truncated_png_does_no_harm(engine, alex, tee):
    half = Picture(alex.data[: len(alex.data) // 2], "image/png", alex.width, alex.height)
    assert isinstance(await engine.render(half, tee, TOP), Refusal | Rendering)
    assert isinstance(await engine.render(alex, tee, TOP), Rendering)


async def test_a_bomb_is_refused_by_its_stated_size(engine, tee):
    bomb = Picture(b"\x89PNG", "image/png", 60_000, 60_000)
    result = await engine.render(bomb, tee, TOP)
    assert isinstance(result, Refusal)
    assert result.code is RefusalCode.IMAGE_TOO_LARGE


async def test_a_bomb_that_lies_about_its_size_is_refused_too(engine, tee):
    _, data = cv2.imencode(".png", np.zeros((9000, 9000), np.uint8))
    result = await engine.render(Picture(bytes(data), "image/png", 10, 10), tee, TOP)
    assert isinstance(result, Refusal)
    assert result.code is RefusalCode.IMAGE_TOO_LARGE


async def test_no_person_is_a_refusal_with_the_engines_name(engine, tee):
    wall = picture(np.full((500, 400, 3), 180, np.uint8))
    result = await engine.render(wall, tee, TOP)
    assert isinstance(result, Refusal)
    assert result.code is RefusalCode.PERSON_NOT_FOUND
    assert result.engine == "embedded"


async def test_a_process_that_was_killed_is_started_again(engine, alex, tee):
    process = await process_of(engine)
    os.kill(process, signal.SIGKILL)
    assert isinstance(await engine.render(alex, tee, TOP), Rendering)
    assert engine.process_ids != (process,)


async def test_a_process_killed_at_work_is_started_again(engine, alex, tee):
    process = await process_of(engine)
    os.kill(process, signal.SIGSTOP)
    rendering = asyncio.create_task(engine.render(alex, tee, TOP))
    await asyncio.sleep(0)
    os.kill(process, signal.SIGKILL)
    assert isinstance(await rendering, Rendering)


async def test_a_picture_that_takes_too_long_is_refused_and_the_process_killed(
    models_dir, alex, tee
):
    engine = EmbeddedEngine(models_dir, small=True)
    try:
        process = await process_of(engine)
        os.kill(process, signal.SIGSTOP)
        engine.time_limit = 0.05
        result = await engine.render(alex, tee, TOP)
        assert isinstance(result, Refusal)
        assert result.code is RefusalCode.TIMED_OUT
        assert engine.process_ids == ()
        engine.time_limit = 30
        assert isinstance(await engine.render(alex, tee, TOP), Rendering)
    finally:
        await engine.aclose()


async def test_a_caller_who_gives_up_leaves_a_working_engine(engine, alex, tee):
    rendering = asyncio.create_task(engine.render(alex, tee, TOP))
    await asyncio.sleep(0.01)
    rendering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rendering
    assert isinstance(await engine.render(alex, tee, TOP), Rendering)


async def test_missing_models_make_the_engine_unavailable(tmp_path, alex, tee):
    engine = EmbeddedEngine(tmp_path)
    try:
        with pytest.raises(EngineUnavailable):
            await engine.render(alex, tee, TOP)
    finally:
        await engine.aclose()


async def test_the_process_does_not_know_our_secrets(engine, monkeypatch):
    monkeypatch.setenv("SELIFY_SECRET_KEYS", "hush")
    await engine.aclose()
    process = await process_of(engine)
    if sys.platform == "linux":
        assert b"hush" not in Path(f"/proc/{process}/environ").read_bytes()  # noqa: ASYNC240


async def test_results_of_others_are_scored(engine, alex, tee, people):
    good = await engine.render(alex, tee, TOP)
    found = await engine.assess(alex, tee, good.picture, GarmentCategory.TOP)
    assert isinstance(found, Assessed)
    assert found.scores.passed, found.scores
    assert found.picture is good.picture
    untouched = await engine.assess(alex, tee, alex, GarmentCategory.TOP)
    assert isinstance(untouched, Assessed)
    assert not untouched.scores.passed


async def test_a_result_a_few_pixels_off_is_delivered_in_its_place(engine, alex, tee, people):
    good = await engine.render(alex, tee, TOP)
    image = cv2.imdecode(np.frombuffer(good.picture.data, np.uint8), cv2.IMREAD_COLOR)
    off = picture(np.roll(image, (2, 2), (0, 1)))
    found = await engine.assess(alex, tee, off, GarmentCategory.TOP)
    assert isinstance(found, Assessed)
    assert found.scores.passed, found.scores
    sent = cv2.imdecode(np.frombuffer(found.picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert (found.picture.width, found.picture.height) == sent.shape[1::-1] == image.shape[1::-1]
    there, here = (np.abs(image.astype(int) - p).mean() for p in (np.roll(image, 2, 1), sent))
    assert here < 0.3 * there


async def test_photos_are_checked_before_anybody_is_paid(engine, people, alex, tee, drawn):
    assert await engine.check(alex, tee, GarmentCategory.TOP) == ()
    two = picture(np.hstack([people["alex"], people["sam"]]))
    assert await engine.check(two, tee, GarmentCategory.TOP) == (RenderWarning.SEVERAL_PEOPLE,)
    nobody = await engine.check(picture(drawn["tee-clay"].on_backdrop()), tee, TOP.category)
    assert isinstance(nobody, Refusal)
    blurred = await engine.check(
        picture(cv2.GaussianBlur(people["alex"], (0, 0), 14)), tee, TOP.category
    )
    assert isinstance(blurred, Refusal)
    bust = picture(people["alex"][:560])
    legless = await engine.check(bust, tee, GarmentCategory.BOTTOM)
    assert isinstance(legless, Refusal)
    assert legless.reason is RefusalReason.LEGS
    no_garment = await engine.check(alex, broken(b"x"), TOP.category)
    assert isinstance(no_garment, Refusal)


async def test_garments_are_read_for_the_wardrobe(engine, drawn):
    plum = Picture(drawn["longsleeve-plum"].png(), "image/png", 900, 1000)
    read = await engine.read_garment(plum, GarmentCategory.TOP)
    assert read.reading.sleeve is SleeveLength.LONG
    nothing = await engine.read_garment(broken(b"x"), None)
    assert isinstance(nothing, Refusal)


# --- Decoding and frames --------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_pictures_of_every_depth_are_read(channels, depth):
    full = np.iinfo(depth).max
    image = np.full((40, 60, channels), full // 2, depth)
    _, data = cv2.imencode(".png", image)
    decoded = decode(bytes(data), 1024)
    assert decoded.bgr.shape == (40, 60, 3)
    assert decoded.bgr.dtype == np.uint8
    assert abs(int(decoded.bgr[0, 0, 0]) - 127) <= 1
    assert (decoded.alpha is not None) == (channels == 4)


def test_large_pictures_are_reduced_and_small_ones_left():
    _, data = cv2.imencode(".png", np.zeros((300, 900, 3), np.uint8))
    assert decode(bytes(data), 450).bgr.shape == (150, 450, 3)
    assert decode(bytes(data), 2000).bgr.shape == (300, 900, 3)


def test_a_picture_of_nearly_nothing_is_refused():
    _, data = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(Refused) as refused:
        decode(bytes(data), 100)
    assert refused.value.code is RefusalCode.IMAGE_UNREADABLE


def test_frames_come_out_as_they_went_in(tmp_path):
    frame = Frame({"operation": "render", "x": 1}, (b"", b"abc", bytes(1000)))
    path = tmp_path / "frames"
    path.write_bytes(frame.encoded() * 2)
    with path.open("rb") as stream:
        assert read_frame(stream) == frame
        assert read_frame(stream) == frame
        assert read_frame(stream) is None


def test_a_frame_cut_short_is_broken(tmp_path):
    path = tmp_path / "frames"
    path.write_bytes(Frame({"a": 1}, (b"abc",)).encoded()[:-1])
    with path.open("rb") as stream, pytest.raises(BrokenFrame):
        read_frame(stream)


@pytest.mark.parametrize(
    "data", [b"{}", b"[]", b"nonsense", b'{"parts": [-1]}', b'{"parts": [1e99]}']
)
def test_a_header_that_is_none_is_broken(data):
    with pytest.raises(BrokenFrame):
        parse_header(data)


def test_a_header_of_absurd_length_is_broken():
    with pytest.raises(BrokenFrame):
        header_length(b"\xff\xff\xff\xff")
