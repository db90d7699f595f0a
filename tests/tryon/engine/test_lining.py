"""Jackets that are open in their picture and show their lining: said with the garment, on drawn ones."""

import cv2
import numpy as np
import pytest
from tests.tryon.engine.test_opening import CLOSED, OPEN

from selify.tryon.engine.arrays import Bgr
from selify.tryon.engine.opening import opening_of
from selify.tryon.engine.reading import Limit
from selify.tryon.engine.wardrobe import read_garment
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_world import garments

_WOOL = (206, 214, 220)


def _lined() -> Bgr:
    """Between its fronts the back's inside, up to the collar."""
    drawn = garments.draw(OPEN)
    cloth = (cv2.absdiff(drawn.bgr, drawn.bgr[0, 0]).max(2) > 20).astype(np.uint8)
    gap = opening_of(cloth)
    assert gap is not None
    rows = np.flatnonzero(cloth.any(1))
    inside = gap > 0
    inside[: rows[0] + int(0.06 * np.ptp(rows))] = False
    inside[rows[-1] :] = False
    grain = np.random.default_rng(1).normal(0, 3, cloth.shape)[..., None]
    wool = np.clip(np.array(_WOOL) * 0.75 + grain, 0, 255).astype(np.uint8)
    return np.where(inside[..., None], wool, drawn.bgr)


def _zipped() -> Bgr:
    picture = garments.draw(CLOSED).bgr.copy()
    cloth = cv2.absdiff(picture, picture[0, 0]).max(2) > 20
    rows, columns = np.flatnonzero(cloth.any(1)), np.flatnonzero(cloth.any(0))
    middle, tall = int(columns.mean()), int(np.ptp(rows))
    half = max(1, int(0.004 * np.ptp(columns)))
    picture[rows[0] + tall // 8 : rows[-1], middle - half : middle + half] = _WOOL
    return picture


@pytest.mark.parametrize(
    ("picture", "said"),
    [(_lined, True), (_zipped, False), (lambda: garments.draw(CLOSED).bgr, False)],
    ids=["lined", "zipped", "closed"],
)
def test_a_lining_between_two_fronts_is_said_with_the_garment(segmenter, picture, said):
    reading = read_garment(picture(), None, GarmentCategory.TOP, segmenter)
    assert (Limit.LINING_SHOWS in reading.limits) is said
    assert not reading.unfit
