"""The quality gate: right pictures pass, and each kind of wrong one fails on the measure it should."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from tests.tryon.engine.conftest import truth

from selify.tryon.engine.gate import EngineKind, assess, bars, regions_of, scored
from selify.tryon.engine.measures import colour_likeness, print_survival, similarity_map
from selify.tryon.types import GarmentCategory


@pytest.fixture(scope="module")
def dressed(dress):
    """alex in the sunrise tee."""
    return dress("alex", "tee-sunrise")


def embedded(done, drawn_garment):
    """What the engine says of its own picture, were it to show this garment."""
    regions = regions_of(done.person, GarmentCategory.TOP, done.dressed)
    bgr, alpha = truth(drawn_garment)
    return assess(done.person.bgr, bgr, alpha, done.dressed.bgr, regions, EngineKind.EMBEDDED)


def test_a_good_picture_passes(drawn, dressed):
    scores = embedded(dressed, drawn["tee-sunrise"])
    assert scores.passed, scores
    assert scores.print_kept is not None


@pytest.mark.parametrize("wrong", ["tee-forest", "tee-clay", "longsleeve-plum"])
def test_the_wrong_garment_fails_on_its_colours(drawn, dressed, wrong):
    scores = embedded(dressed, drawn[wrong])
    assert "colour" in scores.misses
    assert scores.colour < 0.4


def test_the_right_colours_without_the_print_fail_on_the_print(drawn, dress):
    """A white tee instead of the white tee with the sun on it."""
    assert "print_kept" in embedded(dress("alex", "tee-white"), drawn["tee-sunrise"]).misses


def test_plain_garments_have_no_print_to_lose(drawn, dress):
    assert embedded(dress("alex", "tee-clay"), drawn["tee-clay"]).print_kept is None


def test_a_slightly_repainted_face_passes_hosted_but_not_embedded(dressed, drawn):
    regions = regions_of(dressed.person, GarmentCategory.TOP, dressed.dressed)
    noise = np.random.default_rng(1).normal(0, 2.0, dressed.dressed.bgr.shape)
    repainted = np.where(
        regions.face[..., None] > 0,
        np.clip(dressed.dressed.bgr + noise, 0, 255),
        dressed.dressed.bgr,
    ).astype(np.uint8)
    bgr, alpha = truth(drawn["tee-sunrise"])
    arguments = (dressed.person.bgr, bgr, alpha, repainted)
    assert "face" in assess(*arguments, regions, EngineKind.EMBEDDED).misses
    assert "face" not in assess(*arguments, regions, EngineKind.HOSTED).misses


def test_lost_hands_fail(perception, people, drawn, dressed):
    regions = regions_of(dressed.person, GarmentCategory.TOP, None)
    result = dressed.dressed.bgr.copy()
    result[regions.hands > 0] = (200, 205, 210)
    bgr, alpha = truth(drawn["tee-sunrise"])
    known = regions_of(dressed.person, GarmentCategory.TOP, dressed.dressed)
    scores = assess(dressed.person.bgr, bgr, alpha, result, known, EngineKind.HOSTED)
    assert "hands" in scores.misses


BAR = bars(EngineKind.EMBEDDED)["old_hidden"]


def test_old_cloth_beside_the_new_is_no_picture_to_send(drawn, dressed):
    """A jacket that hangs open beside the new tee; one whose hem shows below it may well be worn so."""
    bgr, alpha = truth(drawn["tee-sunrise"])

    def hidden(cut) -> float:
        kept = np.ones(dressed.person.shape, np.uint8)
        kept[cut] = 0
        less = replace(
            dressed.dressed,
            cover=dressed.dressed.cover * kept,
            replaced=dressed.dressed.replaced * kept,
        )
        regions = regions_of(dressed.person, GarmentCategory.TOP, less)
        scores = assess(dressed.person.bgr, bgr, alpha, less.bgr, regions, EngineKind.EMBEDDED)
        assert scores.old_hidden is not None
        assert ("old_hidden" in scores.misses) == (scores.old_hidden < BAR)
        return scores.old_hidden

    rows, columns = np.nonzero(dressed.dressed.cover > 0.5)
    assert hidden(np.s_[:0]) > 0.99
    assert hidden(np.s_[:, int(np.percentile(columns, 80)) :]) < BAR
    assert hidden(np.s_[int(np.percentile(rows, 90)) :, :]) > BAR


def test_what_cannot_be_measured_is_no_miss():
    names = ("face", "hands", "background", "colour", "print_kept", "old_replaced", "coverage")
    nothing = scored(dict.fromkeys(names), EngineKind.HOSTED)
    assert nothing.passed


@pytest.mark.parametrize("kind", list(EngineKind))
def test_every_bar_is_enforced(kind):
    perfect = dict.fromkeys(bars(kind), 1.0)
    assert scored(perfect, kind).passed
    for name, bar in bars(kind).items():
        assert scored({**perfect, name: bar}, kind).passed
        assert scored({**perfect, name: bar - 0.001}, kind).misses == (name,)


def test_the_embedded_face_bar_is_the_stricter():
    assert bars(EngineKind.EMBEDDED)["face"] == 0.999
    assert bars(EngineKind.HOSTED)["face"] == 0.90


# --- The measures themselves ----------------------------------------------------------------------


def test_similarity_is_one_for_equal_pictures_and_falls_with_noise(people):
    photo = people["alex"][:200, 200:500]
    noise = np.random.default_rng(0).normal(0, 20, photo.shape)
    noisy = np.clip(photo + noise, 0, 255).astype(np.uint8)
    assert np.allclose(similarity_map(photo, photo), 1, atol=1e-4)
    assert similarity_map(photo, noisy).mean() < 0.6


def test_colour_likeness_is_one_for_the_same_and_low_for_others(drawn):
    forest, clay = drawn["tee-forest"].bgra, drawn["tee-clay"].bgra
    masks = [(g[..., 3] > 200).astype(np.uint8) for g in (forest, clay)]
    same = colour_likeness(forest[..., :3], masks[0], forest[..., :3], masks[0])
    other = colour_likeness(forest[..., :3], masks[0], clay[..., :3], masks[1])
    assert same == pytest.approx(1, abs=1e-4)
    assert other < 0.2


def test_a_print_survives_being_warped_but_not_being_replaced(drawn):
    sun, word = drawn["tee-sunrise"].bgra, drawn["tee-forest"].bgra
    mask = (sun[..., 3] > 200).astype(np.uint8)
    matrix = np.array([[0.6, 0.03, 20], [-0.02, 0.55, 30]])
    small = cv2.warpAffine(sun[..., :3], matrix, (600, 620))
    small_mask = cv2.warpAffine(mask, matrix, (600, 620), flags=cv2.INTER_NEAREST)
    assert print_survival(sun[..., :3], mask, small, small_mask) > 0.3
    other = print_survival(sun[..., :3], mask, word[..., :3], (word[..., 3] > 200).astype(np.uint8))
    assert other < 0.15


def test_scores_are_frozen(drawn, dressed):
    with pytest.raises(AttributeError):
        embedded(dressed, drawn["tee-sunrise"]).face = 1.0
