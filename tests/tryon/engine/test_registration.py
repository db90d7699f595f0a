"""Hosted engines' pictures a few pixels off: put back, measured as they look, and no worse for it."""

import cv2
import numpy as np
import pytest

from selify.tryon.engine.hosted_gate import Reading, assess_hosted
from selify.tryon.engine.registration import registered


@pytest.fixture(scope="module")
def photo(people):
    return people["alex"]


@pytest.fixture(scope="module")
def good(dress):
    """A picture that passes, of the photo's size."""
    return dress("alex", "tee-sunrise").bgr


@pytest.fixture(scope="module")
def scored(perception, photo, garments):
    garment = garments["tee-sunrise"]
    before = Reading.of(perception, photo, garment.category)

    def score(result):
        return assess_hosted(perception, before, garment, result)

    return score


def shifted(picture):
    return np.roll(picture, (2, 2), (0, 1))


def cropped(picture):
    edge = round(0.02 * picture.shape[0])
    return picture[edge:-edge]


@pytest.mark.parametrize("moved", [shifted, cropped])
def test_a_few_pixels_are_not_another_face(photo, good, scored, moved):
    placed = registered(moved(good), photo)
    assert placed.shape == photo.shape
    assert scored(placed).passed, scored(placed)
    assert scored(placed).face > 0.98


def test_more_than_a_few_would_be_one(good, scored):
    assert "face" in scored(cropped(good)).misses


def test_a_stretched_picture_is_unstretched(perception, photos):
    photo = cv2.imread(str(photos / "people" / "man_front_tee.png"))
    photo = cv2.resize(photo, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    stretched = cv2.resize(cropped(photo), photo.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    there, here = (
        np.abs(photo.astype(int) - p).mean() for p in (stretched, registered(stretched, photo))
    )
    assert here < 0.5 * there


def test_what_was_cropped_is_the_photo_s_own(photo, good):
    placed = registered(cropped(good), photo)
    assert np.abs(placed[:8].astype(int) - photo[:8]).mean() < 1
    assert np.abs(placed[-8:].astype(int) - photo[-8:]).mean() < 1


def test_what_lies_right_is_left_as_it_is(photo, good):
    assert registered(good, photo) is good
    larger = cv2.resize(good, None, fx=1.4, fy=1.4, interpolation=cv2.INTER_CUBIC)
    assert registered(larger, photo) is larger


def test_being_put_back_does_not_make_a_wrong_picture_right(people, photo, good, scored):
    assert {"colour", "old_replaced"} <= set(scored(registered(shifted(photo), photo)).misses)
    stranger = shifted(good)
    stranger[:260, 250:470] = people["sam"][:260, 250:470]
    assert "face" in scored(registered(stranger, photo)).misses


def test_another_picture_altogether_is_not_bent_until_it_fits(photo):
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 255, photo.shape, np.uint8)
    blank = np.full_like(photo, 200)
    corner = photo[: photo.shape[0] // 2, : photo.shape[1] // 2].copy()
    upside_down = cv2.rotate(photo, cv2.ROTATE_180)
    for other in (noise, blank, corner, upside_down):
        assert registered(other, photo) is other
