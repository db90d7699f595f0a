"""The segmenter, by its real networks, on drawn garments whose outlines are known."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib.metadata import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from selify.tryon.engine.engine import EmbeddedEngine, ReadGarment
from selify.tryon.engine.model_files import ModelsMissing
from selify.tryon.engine.networks import FACE_FILE, POSE_FILE, load_networks
from selify.tryon.engine.segmenter import (
    DECODER_FILE,
    ENCODER_FILE,
    SALIENT_FILE,
    Looked,
    Question,
    Segmenter,
)
from selify.tryon.ports import EngineUnavailable
from selify.tryon.types import Picture

FILES = (FACE_FILE, POSE_FILE, ENCODER_FILE, DECODER_FILE, SALIENT_FILE)
# On the chest, the belly and both sleeves of a drawn tee.
ON_THE_TEE = [(450, 300), (400, 500), (520, 650), (450, 820), (260, 300), (640, 300)]


@pytest.fixture(scope="module")
def looked_at(segmenter, drawn) -> Callable[[str], Looked]:
    return lambda slug: segmenter.look(drawn[slug].on_backdrop())


def outline(garment) -> np.ndarray:
    return (garment.bgra[..., 3] > 127).astype(np.uint8)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("slug", ["tee-clay", "tee-white", "tee-sunrise"])
def test_a_garment_is_found_from_points_inside_it(looked_at, drawn, slug) -> None:
    """Of one colour, white on white, and with a print."""
    answer = looked_at(slug).ask(ON_THE_TEE)
    assert answer.odds.shape == drawn[slug].bgra.shape[:2]
    assert answer.odds.dtype == np.float32
    assert iou(answer.mask, outline(drawn[slug])) > 0.9
    assert answer.quality > 0.8


def test_a_box_finds_it_too_and_points_outside_keep_off(looked_at, drawn) -> None:
    looked, tee = looked_at("tee-clay"), outline(drawn["tee-clay"])
    x, y, width, height = cv2.boundingRect(tee)
    assert iou(looked.ask([], box=(x, y, x + width, y + height)).mask, tee) > 0.9
    backdrop = looked.ask([(20, 20), (880, 980)], outside=np.array(ON_THE_TEE, float))
    assert iou(backdrop.mask, 1 - tee) > 0.9


def test_its_own_answer_as_a_hint_makes_the_next_one_better(looked_at, drawn) -> None:
    looked, dress = looked_at("dress-meadow"), outline(drawn["dress-meadow"])
    inside = [(450, 250), (430, 400), (470, 550), (380, 700), (520, 850)]
    assert iou(looked.ask(inside).mask, dress) > iou(looked.ask(inside, again=0).mask, dress)


@pytest.mark.parametrize("slug", ["tee-clay", "tee-white", "longsleeve-plum", "trousers-ink"])
def test_what_the_picture_is_of_is_the_garment(segmenter, drawn, slug) -> None:
    found = segmenter.salient(drawn[slug].on_backdrop())
    assert found.shape == drawn[slug].bgra.shape[:2]
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    assert iou((found > 0.5).astype(np.uint8), outline(drawn[slug])) > 0.9


def test_both_networks_agree_on_a_plain_tee(segmenter, looked_at, drawn) -> None:
    salient = segmenter.salient(drawn["tee-clay"].on_backdrop())
    assert iou(looked_at("tee-clay").ask(ON_THE_TEE).mask, (salient > 0.5).astype(np.uint8)) > 0.95


def test_the_same_picture_and_question_have_the_same_answer(
    models_dir, segmenter, looked_at, drawn
) -> None:
    picture, first = drawn["tee-clay"].on_backdrop(), looked_at("tee-clay").ask(ON_THE_TEE)
    fresh = Segmenter(models_dir)
    again = fresh.look(picture).ask(ON_THE_TEE)
    assert np.array_equal(again.odds, first.odds)
    assert again.quality == first.quality
    assert np.array_equal(fresh.salient(picture), segmenter.salient(picture))


def test_small_and_wide_pictures_are_read_too(segmenter, drawn) -> None:
    tee = drawn["tee-clay"]
    small = cv2.resize(tee.on_backdrop(), (180, 200), interpolation=cv2.INTER_AREA)
    strip = np.tile(small, (1, 3, 1))
    answer = segmenter.look(strip).ask(np.array(ON_THE_TEE) / 5 + (180, 0))
    assert answer.odds.shape == (200, 540)
    middle = np.zeros((200, 540), np.uint8)
    middle[:, 180:360] = cv2.resize(outline(tee), (180, 200), interpolation=cv2.INTER_AREA)
    assert iou(answer.mask, middle) > 0.9
    assert segmenter.salient(strip).shape == (200, 540)


def test_questions_asked_together_have_the_answers_they_have_one_by_one(models_dir, drawn) -> None:
    looked = Segmenter(models_dir).look(drawn["tee-clay"].on_backdrop())
    questions = {
        str(count): Question(ON_THE_TEE[:count], [(20, 20)], again=count % 2)
        for count in range(1, len(ON_THE_TEE) + 1)
    }
    together = looked.ask_all(questions)
    assert list(together) == list(questions)
    for name, question in questions.items():
        alone = looked.answer(question)
        assert np.array_equal(together[name].odds, alone.odds)
        assert together[name].quality == alone.quality


def test_a_question_that_points_at_nothing_is_a_mistake(looked_at) -> None:
    with pytest.raises(ValueError, match="inside"):
        looked_at("tee-clay").ask([], outside=[(20, 20)])
    with pytest.raises(ValueError, match="inside"):
        looked_at("tee-clay").ask_all({"nothing": Question([])})


_TAKEN_BY_A_LOOK = """
import sys, numpy as np, psutil
from pathlib import Path
from selify.tryon.engine.segmenter import Segmenter
segmenter, memory = Segmenter(Path(sys.argv[1])), psutil.Process().memory_info
before = memory().rss
looked = segmenter.look(np.zeros((1024, 768, 3), np.uint8))
print((memory().rss - before) >> 20)
"""


def test_what_a_look_takes_is_given_back(models_dir) -> None:
    """The network itself is some 60 MB; a look takes 300 more while it lasts."""
    command = [sys.executable, "-c", _TAKEN_BY_A_LOOK, str(models_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 200


# --- Files ----------------------------------------------------------------------------------------


@pytest.fixture
def linked(models_dir, tmp_path) -> Path:
    """A folder with the same files, to take some away."""
    for name in FILES:
        (tmp_path / name).symlink_to(models_dir / name)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(linked, name) -> None:
    (linked / name).unlink()
    with pytest.raises(ModelsMissing, match=f"{name} is missing"):
        load_networks(linked)


def test_a_damaged_file_is_named_when_it_is_needed(linked, drawn) -> None:
    (linked / SALIENT_FILE).unlink()
    (linked / SALIENT_FILE).write_bytes(b"half a file")
    segmenter = load_networks(linked).segmenter
    assert segmenter is not None
    with pytest.raises(ModelsMissing, match=f"{SALIENT_FILE} cannot be read"):
        segmenter.salient(drawn["tee-clay"].on_backdrop())


def test_where_memory_is_short_there_is_no_segmenter(linked) -> None:
    for name in (ENCODER_FILE, DECODER_FILE, SALIENT_FILE):
        (linked / name).unlink()
    assert load_networks(linked, small=True).segmenter is None


@pytest.mark.parametrize("small", [False, True])
async def test_the_engine_s_process_wants_no_large_files_where_memory_is_short(
    linked, drawn, small
) -> None:
    for name in (ENCODER_FILE, DECODER_FILE, SALIENT_FILE):
        (linked / name).unlink()
    engine = EmbeddedEngine(linked, small=small)
    tee = Picture(drawn["tee-clay"].png(), "image/png", 900, 1000)
    try:
        with nullcontext() if small else pytest.raises(EngineUnavailable):
            assert isinstance(await engine.read_garment(tee, None), ReadGarment)
    finally:
        await engine.aclose()


def test_the_library_has_nobody_to_report_to() -> None:
    """Later versions send what they run to their maker, unless the environment forbids it."""
    compiled = [file for file in files("onnxruntime") or () if ".so" in file.name]
    assert compiled
    for file in compiled:
        assert b"ORT_DISABLE_TELEMETRY" not in file.read_binary(), file.name
