"""What speaks against a picture: each trait on pictures that have it, and the weighing of all of them."""

import tomllib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from selify.tryon.engine.conviction import FILE, conviction
from selify.tryon.engine.gate import BARS, assess_own
from selify.tryon.engine.reading import Limit
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.suitability import limits_of, refuse_unfit
from selify.tryon.engine.traits import traits_of
from selify.tryon.engine.worker import refuse_if_unsure
from selify.tryon.types import QualityScores, RefusalCode, RefusalReason

WEIGHTS = {n: one for n, one in tomllib.loads(FILE.read_text()).items() if isinstance(one, dict)}


@pytest.fixture(scope="module")
def good(dress):
    return dress("alex", "tee-sunrise")


@pytest.fixture(scope="module")
def traits(good, garments):
    return traits_of(good.person, garments["tee-sunrise"], good.dressed)


# --- The weighing ---------------------------------------------------------------------------------


def test_a_good_picture_convinces(traits):
    found = conviction(traits)
    assert found.convincing > BARS["convincing"]
    assert not found.doubts


def test_every_weight_is_of_a_trait(traits):
    assert set(WEIGHTS) <= set(traits)


@pytest.mark.parametrize("name", sorted(WEIGHTS))
def test_more_of_a_trait_never_helps(traits, name):
    one = WEIGHTS[name]
    values = [one["free"], one["fully"], 2 * one["fully"]]
    scores = [conviction({**traits, name: value}).convincing for value in values]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("name", sorted(n for n, one in WEIGHTS.items() if one["never"] < 1e9))
def test_too_much_of_some_traits_forbids_a_picture(traits, name):
    found = conviction({**traits, name: WEIGHTS[name]["never"] * 1.01})
    assert found.convincing == 0
    assert found.doubts[0] == name


def test_the_worst_doubt_is_named_first(traits):
    weights = sorted(WEIGHTS, key=lambda name: -WEIGHTS[name]["weight"])[:2]
    full = {name: WEIGHTS[name]["fully"] for name in weights if WEIGHTS[name]["never"] > 1e9}
    allowed = {
        name: min(value, 0.99 * WEIGHTS[name]["never"])
        for name, value in {n: WEIGHTS[n]["fully"] for n in weights}.items()
    }
    doubts = conviction({**traits, **allowed, **full}).doubts
    assert set(doubts) & set(weights)


# --- The traits -----------------------------------------------------------------------------------


def test_old_cloth_below_a_top_is_seen(good, garments, traits):
    """A coat goes on below the new tee: nobody wears it so."""
    rows = np.flatnonzero((good.dressed.cover > 0.5).any(1))
    label = good.person.label.copy()
    label[int(rows[-1]) + 8 : int(rows[-1]) + 60][
        good.person.mask[int(rows[-1]) + 8 : int(rows[-1]) + 60] > 0
    ] = 3
    coat = replace(good.person, label=label)
    found = traits_of(coat, garments["tee-sunrise"], good.dressed)
    assert found["old_left"] > traits["old_left"] + 0.02


def test_a_tie_above_the_neckline_is_seen(good, garments, traits):
    s = good.person.skeleton
    tied = good.dressed.bgr.copy()
    chin = s.mouth - s.face_up * s.face_length * 0.8
    low, high = chin.astype(int), (s.neck + s.down * 0.1 * s.span).astype(int)
    cv2.line(tied, tuple(map(int, low)), tuple(map(int, high)), (180, 40, 20), int(0.12 * s.span))
    dressed = replace(good.dressed, bgr=tied)
    found = traits_of(good.person, garments["tee-sunrise"], dressed)
    assert found["strange_neck"] > traits["strange_neck"] + 0.1


def test_forearms_in_sleeves_in_front_of_the_trunk_are_seen(dress, garments):
    """Folded arms: where they end and the trunk begins nobody knows."""
    done = dress("kim", "tee-sunrise")
    s = done.person.skeleton
    points = s.points.copy()
    middle = (s.neck + s.pelvis) / 2
    points[[15, 16]] = middle
    points[[13, 14]] = [
        s.shoulders[1] + s.down * 0.5 * s.span,
        s.shoulders[0] + s.down * 0.5 * s.span,
    ]
    folded = replace(done.person, skeleton=replace(s, points=points))
    assert traits_of(folded, garments["tee-sunrise"], done.dressed)["sleeves_across"] > 0.2
    assert traits_of(done.person, garments["tee-sunrise"], done.dressed)["sleeves_across"] == 0


@pytest.fixture(scope="module")
def coat(garments):
    """With its sleeves on it."""
    garment = garments["tee-sunrise"]
    assert garment.top is not None
    return replace(garment, top=replace(garment.top, sleeves=None, arms_seen=False))


# --- What is done about it ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doubt", "reason"),
    [
        ("limbs_painted", RefusalReason.SLEEVES),
        ("sleeves_across", RefusalReason.ARMS),
        ("old_left", RefusalReason.LAYERS),
        ("strange_neck", RefusalReason.LAYERS),
    ],
)
def test_what_another_photo_would_mend_is_said(doubt, reason):
    scores = QualityScores(convincing=0.3, misses=("convincing",), doubts=("distortion", doubt))
    with pytest.raises(Refused) as caught:
        refuse_if_unsure(scores)
    assert caught.value.details["reason"] == reason.value
    assert caught.value.details["convincing"] == 0.3
    assert doubt in str(caught.value.details["doubts"])
    assert caught.value.hint


def test_what_no_photo_would_mend_is_left_to_the_gate():
    refuse_if_unsure(QualityScores(convincing=0.3, misses=("convincing",), doubts=("uneven",)))
    refuse_if_unsure(QualityScores(face=0.2, misses=("face",), doubts=("limbs_painted",)))


def test_no_other_photo_is_asked_for_where_the_garments_picture_is_at_fault(garments, coat):
    """The shop hears of it instead, at the upload already."""
    with pytest.raises(Refused) as caught:
        refuse_unfit(coat)
    assert caught.value.code is RefusalCode.GARMENT_NOT_FOUND
    limits, unfit = limits_of(coat.bgr, coat)
    assert Limit.PARTS_UNCLEAR in limits
    assert unfit
    refuse_unfit(garments["tee-sunrise"])


def test_nobody_is_dressed_in_half_a_garment(garments):
    garment = garments["tee-sunrise"]
    rows, columns = np.indices(garment.alpha.shape)
    aslant = columns / garment.alpha.shape[1] < rows / garment.alpha.shape[0]
    with pytest.raises(Refused) as caught:
        refuse_unfit(replace(garment, alpha=garment.alpha * aslant))
    assert caught.value.details["reason"] == Limit.UNEVEN_OUTLINE
    assert "part of this garment" in caught.value.hint


def test_the_verdict_is_stored_with_its_reasons(good, garments):
    scores = assess_own(good.person, garments["tee-sunrise"], good.dressed)
    assert scores.passed
    assert scores.convincing is not None
    assert scores.doubts == ()
