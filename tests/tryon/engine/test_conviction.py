"""What speaks against a picture: each trait on pictures that have it, and the weighing of all of them."""

import tomllib
from dataclasses import replace

import cv2
import numpy as np
import pytest

from selify.tryon.engine.conviction import FILE, conviction, least_convincing
from selify.tryon.engine.gate import assess_own
from selify.tryon.engine.reading import Limit
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.suitability import limits_of, refuse_unfit
from selify.tryon.engine.traits import traits_of
from selify.tryon.engine.worker import refuse_if_unsure
from selify.tryon.types import GarmentCategory, QualityScores, RefusalCode, RefusalReason

CATEGORIES = {"tops": GarmentCategory.TOP, "bottoms": GarmentCategory.BOTTOM}
WEIGHTS = {
    (CATEGORIES[group], name): one
    for group, table in tomllib.loads(FILE.read_text()).items()
    for name, one in table.items()
    if isinstance(one, dict)
}


@pytest.fixture(scope="module")
def good(dress):
    return dress("alex", "tee-sunrise")


@pytest.fixture(scope="module")
def traits(good, garments):
    return traits_of(good.person, garments["tee-sunrise"], good.dressed)


# --- The weighing ---------------------------------------------------------------------------------


def test_a_good_picture_convinces(traits):
    found = conviction(traits, GarmentCategory.TOP)
    assert found.convincing > least_convincing(GarmentCategory.TOP)
    assert not found.doubts


def test_every_weight_is_of_a_trait(traits, dress, garments):
    trousers = dress("alex", "trousers-ink")
    of_bottoms = traits_of(trousers.person, garments["trousers-ink"], trousers.dressed)
    for category, known in zip(CATEGORIES.values(), (traits, of_bottoms), strict=True):
        assert {name for of, name in WEIGHTS if of is category} <= set(known)


@pytest.mark.parametrize(("category", "name"), sorted(WEIGHTS))
def test_more_of_a_trait_never_helps(traits, category, name):
    one = WEIGHTS[category, name]
    values = [one["free"], one["fully"], 2 * one["fully"]]
    scores = [conviction({**traits, name: value}, category).convincing for value in values]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("category", "name"), sorted(key for key, one in WEIGHTS.items() if one["never"] < 1e9)
)
def test_too_much_of_some_traits_forbids_a_picture(traits, category, name):
    found = conviction({**traits, name: WEIGHTS[category, name]["never"] * 1.01}, category)
    assert found.convincing == 0
    assert found.doubts[0] == name


def test_the_worst_doubt_is_named_first(traits):
    own = {name: one for (of, name), one in WEIGHTS.items() if of is GarmentCategory.TOP}
    worst, next_one = sorted(own, key=lambda name: -own[name]["weight"])[:2]
    much = {name: min(own[name]["fully"], 0.99 * own[name]["never"]) for name in (worst, next_one)}
    assert set(conviction({**traits, **much}, GarmentCategory.TOP).doubts) & {worst, next_one}


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


def test_arms_of_another_hue_than_the_face_are_seen(good, garments, traits):
    """Painted by what had been taken for skin, or old cloth that still is."""
    bare = good.person.zones.arms & good.person.mask & (good.dressed.cover < 0.5)
    green = good.dressed.bgr.copy()
    green[bare > 0] = (90, 170, 120)
    found = traits_of(good.person, garments["tee-sunrise"], replace(good.dressed, bgr=green))
    assert traits["unlike_skin"] < 0.1 < 0.9 < found["unlike_skin"]


def test_cloth_far_from_where_it_was_laid_is_seen(dress, garments):
    """Old cloth in the crook of an arm became new cloth, and hung in the air beside it."""
    done = dress("alex", "tee-sunrise")
    stray = np.zeros_like(done.dressed.painted)
    stray[:80, :80] = 1
    found = traits_of(done.person, garments["tee-sunrise"], replace(done.dressed, stray=stray))
    own = traits_of(done.person, garments["tee-sunrise"], done.dressed)
    assert own["stray"] < 0.005 < found["stray"]


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
        ("stray", RefusalReason.LAYERS),
        ("unlike_skin", RefusalReason.LAYERS),
        ("bent", RefusalReason.ARMS),
        ("legs_painted", RefusalReason.BARE_LEGS),
        ("restored_below", RefusalReason.LOOSE),
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
