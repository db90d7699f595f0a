"""Jackets that hang open, on people of the drawn world, where the true picture is known."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest
from tests.infra.read_only import read_only

from selify.tryon.engine.arrays import Mask
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.gate import assess_own
from selify.tryon.engine.masks import polygon, shrunk
from selify.tryon.engine.opening import opening_of
from selify.tryon.engine.pipeline import TryOn, try_on
from selify.tryon.engine.wardrobe import read_garment
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_world import garments, people, scenes, specs
from selify_sandbox.drawn_world.samples import PEOPLE
from selify_sandbox.drawn_world.scenes import Scene, scene
from selify_sandbox.drawn_world.specs import Cloth, Part, Piece

_PLUM = (110.0, 40.0, 118.0)
OPEN = specs.Garment("open jacket", Piece(specs.OPEN_JACKET, Cloth(_PLUM)))
CLOSED = specs.Garment("closed jacket", Piece(specs.LONG_SLEEVE, Cloth(_PLUM)))


@cache
def read(garment: specs.Garment) -> Garment:
    return read_only(read_cut_out(garments.draw(garment).bgr, None, GarmentCategory.TOP))


@pytest.fixture(scope="module")
def wear(perception):
    @cache
    def worn(person: specs.Person, garment: specs.Garment) -> tuple[Scene, TryOn]:
        place = scene(person, garment)
        return place, read_only(try_on(perception, place.photo.bgr, read(garment)))

    return worn


def _untouched(place: Scene, result: TryOn, part: Mask) -> float:
    """Share of a part of the true picture that is as in the photo."""
    seen = shrunk(place.perfect.mask(part) & place.photo.mask(part), 8) > 0
    return float((cv2.absdiff(place.photo.bgr, result.bgr).max(2)[seen] < 24).mean())


@pytest.mark.parametrize("name", ["tee", "striped", "tank", "dress"])
def test_between_the_fronts_shows_what_is_worn_below(wear, name):
    place, result = wear(PEOPLE[name], OPEN)
    assert _untouched(place, result, Part.UPPER) > 0.8
    found = scenes.measure(place, result.bgr)
    assert found.overlap > 0.75
    assert found.sleeve < 0.12


def test_what_shows_between_the_fronts_does_not_count_as_left_over(wear):
    """Neither the tee that is kept nor the trunk that the jacket leaves free speaks against the picture."""
    _, result = wear(PEOPLE["tee"], OPEN)
    scores = assess_own(result.person, read(OPEN), result.dressed)
    assert scores.coverage > 0.95
    assert scores.old_replaced > 0.95
    assert scores.old_hidden > 0.97
    assert result.dressed.kept.any()
    _, closed = wear(PEOPLE["tee"], CLOSED)
    assert not closed.dressed.kept.any()


def test_a_longer_tee_hangs_out_below_an_open_jacket(perception):
    """Below a closed top it would be in the way."""
    longer = replace(PEOPLE["tee"].upper, cut=replace(specs.TEE, hem=1.3))
    photo = people.draw(replace(PEOPLE["tee"], upper=longer)).bgr
    short = specs.Garment("short", Piece(replace(specs.OPEN_JACKET, hem=0.9), Cloth(_PLUM)))
    result = try_on(perception, photo, read(short))
    below = (result.person.along > 1.1) & (result.person.along < 1.25) & (result.person.upper > 0)
    x0, y0, x1, y1 = result.crop
    same = cv2.absdiff(photo, result.bgr)[y0:y1, x0:x1].max(2) < 24
    assert same[shrunk(below, 4) > 0].mean() > 0.95


def test_its_colour_is_that_of_its_fronts():
    """Not of the ground between them."""
    reading = read_garment(garments.draw(OPEN).bgr, None, GarmentCategory.TOP)
    assert reading.colours[0].share > 0.7


_BODY = ((300, 100), (700, 100), (700, 900), (300, 900))
_GAP = ((440, 160), (560, 160), (580, 900), (420, 900))
_SLEEVES = (
    ((300, 100), (150, 900), (220, 900), (330, 300)),
    (
        (700, 100),
        (850, 900),
        (780, 900),
        (670, 300),
    ),
)


def _outline(*parts: tuple[tuple[int, int], ...], without: tuple = ()) -> np.ndarray:
    mask = np.zeros((1000, 1000), np.uint8)
    for part in parts:
        mask |= polygon(mask.shape, np.array(part))
    return mask & (1 - polygon(mask.shape, np.array(without))) if without else mask


def test_an_opening_is_a_gap_from_the_neck_to_the_hem():
    opening = opening_of(_outline(_BODY, without=_GAP))
    assert opening is not None
    expected = polygon(opening.shape, np.array(_GAP))
    assert (opening & expected).sum() > 0.95 * expected.sum()
    # The inside of the back above it is no cloth of the front either.
    assert opening[120, 500]
    assert not opening[500, 380]


@pytest.mark.parametrize(
    "mask",
    [
        _outline(_BODY),
        _outline(((300, 100), (700, 100), (700, 420), (300, 420)), *_SLEEVES),
        _outline(_BODY, without=((440, 600), (560, 600), (560, 900), (440, 900))),
        _outline(_BODY, without=((440, 200), (560, 200), (560, 700), (440, 700))),
    ],
    ids=["closed", "sleeves below the hem", "a slit", "a hole"],
)
def test_other_gaps_are_no_opening(mask):
    assert opening_of(mask) is None
