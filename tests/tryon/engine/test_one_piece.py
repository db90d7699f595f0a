"""Jumpsuits: what has legs is no dress."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from selify.tryon.engine.garment import read_cut_out
from selify.tryon.engine.gate import assess_own
from selify.tryon.engine.pipeline import dressed_in, see
from selify.tryon.engine.refusals import Refused
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_world import garments, scenes, specs
from selify_sandbox.drawn_world.samples import PEOPLE
from selify_sandbox.drawn_world.specs import Cloth, Piece

PLUM = Cloth((100.0, 38.0, 92.0))
JUMPSUIT = specs.Garment("jumpsuit", Piece(specs.JUMPSUIT, PLUM))
LONG_ONE = specs.Garment("jumpsuit", Piece(replace(specs.JUMPSUIT, sleeve=0.97), PLUM))


def read(garment: specs.Garment):
    drawn = garments.draw(garment)
    return read_cut_out(drawn.bgr, (drawn.alpha * 255).astype(np.uint8), GarmentCategory.DRESS)


def test_only_what_has_legs_is_a_jumpsuit():
    """However long its sleeves are."""
    for one in (JUMPSUIT, LONG_ONE):
        garment = read(one)
        assert garment.parts is not None
        trousers, top = garment.parts
        assert trousers.bottom is not None
        assert trousers.bottom.crotch is not None
        assert top.top is not None
        assert top.top.sleeves is not None
        assert garment.needs is GarmentCategory.BOTTOM
    dress = read(specs.Garment("dress", Piece(specs.SLEEVED_DRESS, PLUM)))
    assert dress.parts is None
    assert dress.needs is GarmentCategory.DRESS


@pytest.mark.parametrize("name", ["tee", "long sleeves"])
def test_a_jumpsuit_has_two_legs_and_no_hem_at_the_waist(perception, name):
    place, garment = scenes.scene(PEOPLE[name], JUMPSUIT), read(JUMPSUIT)
    seen = see(perception, place.photo.bgr, garment.needs)
    result = dressed_in(garment, place.photo.bgr, seen)
    found = scenes.measure(place, result.bgr)
    assert found.overlap > 0.8
    assert found.sleeve is not None
    assert found.sleeve < 0.15
    s = seen.person.skeleton
    between = s.ankles.mean(0).astype(int) - np.array([0, int(0.25 * s.span)])
    assert result.dressed.cover[between[1], between[0]] < 0.5
    # From the chest to the thighs one cloth: nowhere a step in its light.
    x = int(s.pelvis[0] + 0.2 * s.span)
    rows = np.arange(int(s.pelvis[1] - 0.5 * s.trunk), int(s.pelvis[1] + 0.1 * s.trunk))
    light = result.dressed.bgr[rows, x - 4 : x + 5].astype(float).mean((1, 2))
    assert np.abs(light[4:] - light[:-4]).max() < 9
    assert "convincing" not in assess_own(result.person, garment, result.dressed).misses


def test_a_jumpsuit_wants_to_see_the_legs(perception):
    photo = scenes.photo(PEOPLE["tee"]).bgr
    cropped = photo[: int(0.62 * len(photo))]
    with pytest.raises(Refused) as refused:
        see(perception, cropped, read(JUMPSUIT).needs)
    assert refused.value.details["reason"] == "legs"


def of_outline(mask: np.ndarray):
    return read_cut_out(np.full((*mask.shape, 3), 90, np.uint8), mask * 255, GarmentCategory.DRESS)


def test_legs_that_touch_here_and_there_are_legs():
    mask = (garments.draw(JUMPSUIT).alpha > 0.5).astype(np.uint8)
    x, y, width, height = cv2.boundingRect(mask)
    row, third = y + int(0.85 * height), width // 3
    mask[row - 4 : row + 4, x + third : x + 2 * third] = 1
    assert of_outline(mask).parts is not None


@pytest.mark.parametrize(("begins", "column"), [(0.58, 300), (0.7, 300), (0.7, 220)])
def test_a_dress_with_a_slit_is_no_jumpsuit(begins, column):
    mask = np.zeros((1000, 600), np.uint8)
    right = [(380, 40), (400, 200), (390, 420), (450, 960)]
    outline = [*right, *[(600 - x, y) for x, y in right[::-1]]]
    cv2.fillPoly(mask, [np.array(outline, np.int32)], (1,))
    mask[int(40 + begins * 920) :, column - 15 : column + 15] = 0
    assert of_outline(mask).parts is None
