"""How garments lie when they are photographed at home: a sleeve on the trunk, another one bent, one leg lower than the
other. Outlines are drawn from corners that are known.
"""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from selify.tryon.engine.bottom_cut import BottomCut
from selify.tryon.engine.fit import fit_torso
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.geometry import distance
from selify.tryon.engine.keypoints import top_points
from selify.tryon.engine.masks import polygon
from selify.tryon.engine.neckline import _below_back, curve
from selify.tryon.engine.pipeline import see
from selify.tryon.engine.reading import Limit
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.sleeves import fit_sleeves
from selify.tryon.engine.suitability import limits_of, refuse_unfit
from selify.tryon.engine.traits import evenness
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_world import garments, specs
from selify_sandbox.drawn_world.samples import PEOPLE
from selify_sandbox.drawn_world.scenes import photo
from selify_sandbox.drawn_world.specs import Cloth, Piece

SHAPE = (900, 1000)
TANK_TOP = Piece(specs.TANK, Cloth((70.0, 90.0, 60.0)))
TRUNK = [
    (330, 120),
    (440, 100),
    (500, 125),
    (560, 100),
    (670, 120),
    (660, 330),
    (655, 800),
    (345, 800),
    (340, 330),
]
# From the shoulder over the cuff to the armpit, of the left side in the picture.
ASIDE = [(330, 120), (60, 420), (120, 480), (340, 330)]
BENT = [(330, 120), (200, 300), (250, 360), (340, 330)]
SHORT = [(330, 120), (262, 235), (285, 290), (340, 330)]
# Lies on the trunk: its outline is hardly further out.
ON_TRUNK = [(330, 120), (312, 200), (318, 700), (345, 760)]


def outline(*parts: list[tuple[int, int]]) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    for part in parts:
        cv2.fillPoly(mask, [np.array(part, np.int32)], (1,))
    return mask


def mirrored(part: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(1000 - x, y) for x, y in part]


def garment(mask: np.ndarray, category: GarmentCategory = GarmentCategory.TOP) -> Garment:
    cloth = np.full((*mask.shape, 3), (70, 90, 60), np.uint8)
    return read_cut_out(cloth, mask * 255, category)


def long_enough(sleeve) -> bool:
    return np.hypot(*(sleeve.upper[-1] - sleeve.upper[0])) > 300


def test_a_sleeve_that_lies_on_the_trunk_is_as_the_other_one():
    points = top_points(outline(TRUNK, ASIDE, mirrored(ON_TRUNK)), dress=False)
    assert points.sleeves is not None
    assert points.one_half
    assert all(long_enough(sleeve) for sleeve in points.sleeves)
    left, right = points.armpits
    assert abs(left[1] - right[1]) < 5
    assert right[0] == pytest.approx(660, abs=25)


def test_a_bent_sleeve_is_as_long_as_the_other_one():
    points = top_points(outline(TRUNK, BENT, mirrored(ASIDE)), dress=False)
    assert points.sleeves is not None
    assert not points.one_half
    assert all(long_enough(sleeve) for sleeve in points.sleeves)


def test_what_was_cut_off_is_not_made_up():
    half = outline(TRUNK, ASIDE)
    half[:, 540:] = 0
    assert not top_points(half, dress=False).one_half
    assert evenness(garment(half)) < 0.7


def test_short_sleeves_that_lie_down_are_sleeves():
    """They go out less than a fifth of the chest."""
    points = top_points(outline(TRUNK, SHORT, mirrored(SHORT)), dress=False)
    assert points.sleeves is not None
    assert all(sleeve.upper[:, 1].max() > 200 for sleeve in points.sleeves)


def test_the_sleeves_of_a_wide_tee_hang_down_the_arm(perception):
    """They begin where its shoulders end, and those are wider than the body's."""
    wide = [(255, 135), (430, 100), (500, 125), (570, 100), (745, 135), (745, 760), (255, 760)]
    sleeve = [(255, 135), (130, 230), (170, 320), (255, 310)]
    tee = garment(outline(wide, sleeve, mirrored(sleeve)))
    seen = see(perception, photo(PEOPLE["tank"]).bgr, GarmentCategory.TOP)
    assert tee.top is not None
    torso = fit_torso(seen.person, seen.fit, tee, tee.top)
    s = seen.person.skeleton
    for fitted in fit_sleeves(seen.person, seen.fit, tee.top, torso):
        upper_arm = distance(s.shoulders[fitted.side], s.elbows[fitted.side])
        assert 0.62 < fitted.length / upper_arm < 0.85


@pytest.mark.parametrize("power", [2.0, 3.5])
def test_the_front_begins_where_the_inside_of_the_back_ends(power):
    """The segmenter sees that; an answer that goes down the shoulders, or into half of the neck, is not believed."""
    mask = outline(TRUNK)
    points = top_points(mask, dress=False)
    (left, right), width = points.collar, points.neck_width
    corners = [left, *curve(left, right, 0.5 * width, np.linspace(0, 1, 30), power), right]
    back = polygon(SHAPE, np.array(corners)) & mask
    found = _below_back(back, mask, points, 0.0)
    assert found is not None
    assert found.power == power
    assert found.depth == pytest.approx(0.5 * width, abs=0.06 * width)
    shoulders = mask.copy()
    shoulders[int(left[1] + 0.4 * width) :] = 0
    assert _below_back(back | shoulders, mask, points, 0.0) is None
    back[:, int(points.axis) :] = 0
    assert _below_back(back, mask, points, 0.0) is None


def test_wide_shoulders_are_no_sleeves():
    wide = [(318, 125), *TRUNK[1:4], (682, 125), (652, 330), (655, 800), (345, 800), (348, 330)]
    assert top_points(outline(wide), dress=False).sleeves is None


def test_a_coat_with_its_sleeves_on_it_is_not_fit():
    """It is no vest, though no sleeve is seen."""
    coat = [
        (400, 60),
        (600, 60),
        (720, 200),
        (760, 420),
        (755, 700),
        (660, 820),
        (340, 820),
        (245, 700),
        (240, 420),
        (280, 200),
    ]
    read = garment(outline(coat))
    assert Limit.PARTS_UNCLEAR in limits_of(read.bgr, read)[0]
    with pytest.raises(Refused) as refused:
        refuse_unfit(read)
    assert refused.value.details["reason"] == Limit.PARTS_UNCLEAR


def _limits(of: Garment) -> tuple[Limit, ...]:
    return limits_of(of.bgr, of)[0]


def test_sleeves_folded_over_the_front_are_told_by_a_neck_that_is_closed():
    """What has none is open at the neck; what lies on the front would be drawn as its print."""
    tank = garment(garments.draw(specs.Garment("vest", TANK_TOP)).mask)
    assert tank.top is not None
    assert tank.top.sleeves is None
    assert Limit.PARTS_UNCLEAR not in _limits(tank)
    middle, half = tank.top.axis, 0.12 * tank.top.chest_width
    y = tank.top.collar[0][1]
    collar = np.array([middle - half, y]), np.array([middle + half, y])
    closed = replace(tank, top=replace(tank.top, collar=collar))
    assert Limit.PARTS_UNCLEAR in _limits(closed)


@pytest.mark.parametrize(("sides", "unclear"), [((0,), False), ((0, 1), True)])
def test_cuffs_show_that_sleeves_lie_on_the_sides(sides, unclear):
    """Above the hem the outline steps inwards on both sides; on one it may be anything."""
    tank = garment(garments.draw(specs.Garment("vest", TANK_TOP)).mask)
    alpha, pits = tank.alpha.copy(), tank.top.armpits
    upper, lower = int(pits[0][1]), int(pits[0][1] + 0.6 * (tank.top.box[3] - pits[0][1]))
    wide = int(0.1 * tank.top.chest_width)
    for side in sides:
        columns = np.flatnonzero(alpha[lower] > 0.5)
        edge = columns[0] if side == 0 else columns[-1]
        alpha[upper:lower, edge - wide : edge + wide] = 1
    assert (Limit.PARTS_UNCLEAR in _limits(replace(tank, alpha=alpha))) is unclear


def test_a_top_of_which_a_side_is_out_of_the_picture_is_not_fit():
    """Its sleeves may be there."""
    picture = garments.draw(specs.Garment("vest", TANK_TOP))
    alpha = (picture.alpha * 255).astype(np.uint8)
    whole = read_cut_out(picture.bgr, alpha, GarmentCategory.TOP)
    refuse_unfit(whole)
    left, *_ = cv2.boundingRect(alpha)
    part = whole.alpha.copy()
    part[:, : left + 20] = 0
    at_the_side = replace(whole, alpha=np.roll(part, -left - 20, 1))
    assert Limit.PARTS_UNCLEAR in limits_of(whole.bgr, at_the_side)[0]
    with pytest.raises(Refused):
        refuse_unfit(at_the_side)


def test_a_long_dress_without_sleeves_is_fit():
    """Its armholes are small for its length."""
    right = [(580, 60), (592, 150), (612, 190), (600, 420), (640, 880)]
    dress = [*[(1000 - x, y) for x, y in right[::-1]], (450, 60), (500, 110), (550, 60), *right]
    refuse_unfit(garment(outline(dress), GarmentCategory.DRESS))


def test_each_leg_ends_at_its_own_hem():
    legs = [(300, 100), (700, 100), (760, 780), (540, 780), (500, 400), (460, 600), (240, 600)]
    read = garment(outline(legs), GarmentCategory.BOTTOM)
    assert read.bottom is not None
    cut = BottomCut.of(read, read.bottom)
    assert cut.hems[0] == pytest.approx(600, abs=12)
    assert cut.hems[1] == pytest.approx(780, abs=12)
    outer, inner = cut.ends(700, 0)
    assert outer < inner < 500
    assert cut.length == pytest.approx(690 - cut.top, abs=15)
