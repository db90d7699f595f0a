"""Cutting garments out and finding their points, against masks and points that are exact."""

import cv2
import numpy as np
import pytest

from selify.tryon.engine.cutout import Backdrop, ByColour, cut_out
from selify.tryon.engine.garment import read_cut_out
from selify.tryon.engine.keypoints import top_points
from selify.tryon.engine.neckline import curve
from selify.tryon.engine.refusals import Refused
from selify.tryon.types import GarmentCategory, RefusalCode

SLUGS = (
    "tee-forest",
    "tee-harbour",
    "tee-clay",
    "longsleeve-plum",
    "dress-meadow",
    "trousers-ink",
)


def overlap(first, second) -> float:
    return float((first & second).sum() / (first | second).sum())


def busy_backdrop(shape, seed=1):
    random = np.random.default_rng(seed)
    floor = np.full((*shape[:2], 3), (70, 104, 140), np.float32)
    floor[:, ::90] *= 0.6
    floor += (
        cv2.GaussianBlur(random.standard_normal(floor.shape).astype(np.float32), (0, 0), 3) * 90
    )
    return np.clip(floor, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("slug", SLUGS)
def test_plain_backdrop_with_a_shadow_is_cut_away(drawn, slug):
    garment = drawn[slug]
    truth = garment.bgra[..., 3] > 127
    cut = cut_out(garment.on_backdrop(), None, garment.category)
    assert cut.backdrop is Backdrop.PLAIN
    assert overlap(cut.alpha > 0.5, truth) > 0.96


@pytest.mark.parametrize("slug", ["tee-white", "tee-sunrise"])
def test_white_on_white_keeps_the_whole_garment(drawn, slug):
    garment = drawn[slug]
    truth = garment.bgra[..., 3] > 127
    cut = cut_out(garment.on_backdrop(), None, garment.category)
    kept = ((cut.alpha > 0.5) & truth).sum() / truth.sum()
    assert kept > 0.985
    assert overlap(cut.alpha > 0.5, truth) > 0.9


def test_busy_backdrop_is_told_apart_and_marked(drawn):
    garment = drawn["tee-sunrise"]
    alpha = garment.bgra[..., 3:].astype(np.float32) / 255
    floor = busy_backdrop(garment.bgra.shape)
    picture = (garment.bgra[..., :3] * alpha + floor * (1 - alpha)).astype(np.uint8)
    cut = cut_out(picture, None, garment.category)
    assert cut.backdrop is Backdrop.BUSY
    assert overlap(cut.alpha > 0.5, alpha[..., 0] > 0.5) > 0.9


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_picture_without_a_garment_is_refused(value):
    blank = np.full((400, 400, 3), value, np.uint8)
    with pytest.raises(Refused) as refused:
        cut_out(blank, None, GarmentCategory.TOP)
    assert refused.value.code is RefusalCode.GARMENT_NOT_FOUND


def test_a_wholly_transparent_picture_is_refused():
    with pytest.raises(Refused) as refused:
        cut_out(
            np.zeros((300, 300, 3), np.uint8), np.zeros((300, 300), np.uint8), GarmentCategory.TOP
        )
    assert refused.value.code is RefusalCode.GARMENT_NOT_FOUND


def test_a_tees_points_lie_where_it_was_drawn(garments):
    points = garments["tee-clay"].top
    assert points is not None
    assert points.sleeves is not None
    for pit, x in zip(points.armpits, (450 - 226, 450 + 226), strict=True):
        assert np.hypot(*(pit - (x, 378))) < 15
    for sleeve, sign in zip(points.sleeves, (-1, 1), strict=True):
        assert np.hypot(*(sleeve.upper[-1] - (450 + sign * 395, 400))) < 25
        assert np.hypot(*(sleeve.lower[-1] - (450 + sign * 278, 465))) < 25
    assert abs(points.hem[0][0] - (450 - 234)) < 12
    assert abs(points.hem[-1][0] - (450 + 234)) < 12


def test_a_sleeveless_dress_has_no_sleeves(garments):
    assert garments["dress-meadow"].top.sleeves is None


def test_long_sleeves_end_at_their_cuffs(garments):
    for sleeve in garments["longsleeve-plum"].top.sleeves:
        assert abs(sleeve.upper[-1][1] - 800) < 30
        assert abs(sleeve.lower[-1][1] - 828) < 30


def test_trousers_have_a_waist_and_a_crotch(garments):
    points = garments["trousers-ink"].bottom
    assert np.hypot(*(points.crotch - (450, 372))) < 40
    assert abs((points.waist[1][0] - points.waist[0][0]) - 300) < 25


@pytest.mark.parametrize("slug", ["tee-forest", "tee-harbour", "tee-clay", "tee-white"])
def test_the_front_neckline_is_found_below_the_back(garments, slug):
    garment = garments[slug]
    assert garment.neckline.confidence > 0.3
    lowest = garment.top.collar[0][1] + garment.neckline.depth
    assert 205 < lowest < 250  # drawn at 228, its rib down to 245


def test_the_inside_of_the_back_is_no_cloth(garments):
    """Above the front neckline one sees the darker inside: the warp must not pick it up."""
    garment = garments["tee-clay"]
    left, right = (np.asarray(p, float) for p in garment.top.collar)
    inside = curve(left, right, garment.neckline.depth * 0.6, np.array([0.5]))[0].astype(int)
    shown = garment.bgr[inside[1], inside[0]].astype(int)
    cloth = garment.cloth[inside[1], inside[0]].astype(int)
    assert cloth.sum() > shown.sum() * 1.25


def test_reading_is_deterministic(drawn):
    garment = drawn["tee-sunrise"]
    first, second = (read_cut_out(garment.on_backdrop(), None, garment.category) for _ in range(2))
    assert np.array_equal(first.alpha, second.alpha)
    assert np.array_equal(first.cloth, second.cloth)
    assert np.array_equal(first.neckline.curve(9), second.neckline.curve(9))


_SLOPE = ((230, 135), (275, 163), (308, 208), (332, 268), (350, 340))


def boxy_tee(*sleeve: tuple[int, int]) -> np.ndarray:
    """A wide tee whose sleeves hang down beside it, as a mask. ``sleeve``: from the shoulder over the cuff to the
    armpit, on the right-hand side.
    """
    half = [(70, 100), *sleeve, (233, 960)]
    right = [(450 + x, y) for x, y in half]
    left = [(450 - x, y) for x, y in reversed(half)]
    mask = np.zeros((1000, 900), np.uint8)
    cv2.fillPoly(mask, [np.array([(450, 150), *right, *left], np.int32)], (1,))
    return mask


@pytest.mark.parametrize(
    ("sleeve", "cuff"),
    [
        # The cuff ends in the armpit itself, and the upper edge is the longest line.
        ([*_SLOPE, (375, 485), (233, 531)], ((375, 485), (233, 531))),
        ([(230, 135), (310, 200), (360, 370), (238, 420), (233, 400)], ((360, 370), (238, 420))),
        ([(230, 135), (290, 170), (420, 800), (330, 830), (233, 400)], ((420, 800), (330, 830))),
    ],
)
def test_a_cuff_is_where_the_sleeve_ends_however_wide_it_is(sleeve, cuff):
    points = top_points(boxy_tee(*sleeve), dress=False)
    assert points.sleeves is not None
    for found, sign in zip(points.sleeves, (-1, 1), strict=True):
        for end, (x, y) in zip((found.upper[-1], found.lower[-1]), cuff, strict=True):
            assert np.hypot(*(end - (450 + sign * x, y))) < 30


@pytest.mark.parametrize("shade", [0, 60], ids=["light", "in shadow"])
def test_the_wall_between_legs_whose_hems_touch_is_no_cloth(shade):
    """A white stripe down the middle of a top is."""
    picture = np.full((900, 600, 3), 244, np.uint8)
    outer = np.array([(190, 60), (410, 60), (450, 860), (150, 860)])
    gap = np.array([(300, 330), (318, 780), (302, 850), (298, 850), (282, 780)])
    cv2.fillPoly(picture, [outer], (60, 80, 70))
    cv2.fillPoly(picture, [gap], (244, 244, 244))
    cv2.fillPoly(picture, [np.array([(300, 330), (312, 620), (288, 620)])], (244 - shade,) * 3)
    trousers, top = (
        ByColour(picture, None).cut(category).alpha > 0.5
        for category in (GarmentCategory.BOTTOM, GarmentCategory.TOP)
    )
    inside = cv2.erode(cv2.fillPoly(np.zeros((900, 600), np.uint8), [gap], (1,)), np.ones((7, 7)))
    assert trousers[inside > 0].mean() < 0.03
    assert top[inside > 0].mean() > 0.9
    assert trousers[200, 200:400].all()
