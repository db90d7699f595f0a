"""The quality gate: right pictures pass, and each kind of wrong one fails on the measure it should."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from selify.tryon.engine.conviction import least_convincing
from selify.tryon.engine.gate import BARS, assess, assess_own, regions_of, scored
from selify.tryon.engine.measures import colour_likeness, print_survival, similarity_map
from selify.tryon.types import GarmentCategory


@pytest.fixture(scope="module")
def dressed(dress):
    """alex in the sunrise tee."""
    return dress("alex", "tee-sunrise")


def of_garment(done, garment):
    """What the gate says of a picture, were it to show this garment."""
    regions = regions_of(done.person, GarmentCategory.TOP, done.dressed)
    return scored(assess(done.person, garment, done.dressed, regions))


def repainted(done, bgr):
    regions = regions_of(done.person, GarmentCategory.TOP, done.dressed)
    return replace(done.dressed, bgr=bgr.astype(np.uint8)), regions


def test_a_good_picture_passes(garments, dressed):
    scores = assess_own(dressed.person, garments["tee-sunrise"], dressed.dressed)
    assert scores.passed, scores
    assert scores.convincing > least_convincing(GarmentCategory.TOP)


@pytest.mark.parametrize("wrong", ["tee-forest", "tee-clay", "longsleeve-plum"])
def test_the_wrong_garment_fails_on_its_colours(garments, dressed, wrong):
    scores = of_garment(dressed, garments[wrong])
    assert "colour" in scores.misses
    assert scores.colour < 0.4


def test_a_slightly_repainted_face_fails(garments, dressed):
    """The engine leaves faces alone: any change is a fault of its own."""
    regions = regions_of(dressed.person, GarmentCategory.TOP, dressed.dressed)
    noise = np.random.default_rng(1).normal(0, 2.0, dressed.dressed.bgr.shape)
    changed, regions = repainted(
        dressed,
        np.where(
            regions.face[..., None] > 0,
            np.clip(dressed.dressed.bgr + noise, 0, 255),
            dressed.dressed.bgr,
        ),
    )
    measured = assess(dressed.person, garments["tee-sunrise"], changed, regions)
    assert scored(measured).misses == ("face",)


def test_lost_hands_fail(garments, dressed):
    regions = regions_of(dressed.person, GarmentCategory.TOP, dressed.dressed)
    lost = dressed.dressed.bgr.copy()
    lost[regions.hands > 0] = (200, 205, 210)
    changed, regions = repainted(dressed, lost)
    measured = assess(dressed.person, garments["tee-sunrise"], changed, regions)
    assert "hands" in scored(measured).misses


def test_a_garment_beside_a_hand_does_not_touch_it(garments, dressed):
    """The window that looks at a hand would see the hem beside it, and call that another hand."""
    regions = regions_of(dressed.person, GarmentCategory.TOP, dressed.dressed)
    near = cv2.dilate(regions.garment, np.ones((5, 5), np.uint8))
    assert not (regions.hands & near).any()
    measured = assess(dressed.person, garments["tee-sunrise"], dressed.dressed, regions)
    assert measured["hands"] > 0.99


BAR = BARS["old_hidden"]


def test_old_cloth_beside_the_new_is_no_picture_to_send(garments, dressed):
    """A jacket that hangs open beside the new tee; one whose hem shows below it may well be worn so."""

    def hidden(cut) -> float:
        kept = np.ones(dressed.person.shape, np.uint8)
        kept[cut] = 0
        less = replace(
            dressed.dressed,
            cover=dressed.dressed.cover * kept,
            replaced=dressed.dressed.replaced * kept,
        )
        regions = regions_of(dressed.person, GarmentCategory.TOP, less)
        scores = scored(assess(dressed.person, garments["tee-sunrise"], less, regions))
        assert scores.old_hidden is not None
        assert ("old_hidden" in scores.misses) == (scores.old_hidden < BAR)
        return scores.old_hidden

    rows, columns = np.nonzero(dressed.dressed.cover > 0.5)
    assert hidden(np.s_[:0]) > 0.99
    assert hidden(np.s_[:, int(np.percentile(columns, 80)) :]) < BAR
    assert hidden(np.s_[int(np.percentile(rows, 90)) :, :]) > BAR


def test_what_cannot_be_measured_is_no_miss():
    assert scored(dict.fromkeys(BARS)).passed


def test_every_bar_is_enforced():
    perfect = dict.fromkeys(BARS, 1.0)
    assert scored(perfect).passed
    for name, bar in BARS.items():
        assert scored({**perfect, name: bar}).passed
        assert scored({**perfect, name: bar - 0.001}).misses == (name,)


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


def test_scores_are_frozen(garments, dressed):
    with pytest.raises(AttributeError):
        of_garment(dressed, garments["tee-sunrise"]).face = 1.0
