"""People without eyes in the picture, statues and paintings: docs/decisions, who is dressed."""

import cv2
import numpy as np
import pytest

from selify.tryon.engine.gate import assess_own
from selify.tryon.engine.pipeline import see, try_on
from selify.tryon.types import GarmentCategory


@pytest.fixture(scope="module")
def mouth(perception, people):
    person = see(perception, people["alex"], GarmentCategory.TOP)
    return int(person.person.skeleton.mouth[1] + person.crop[1])


def test_a_photo_that_ends_below_the_eyes_is_dressed(perception, people, garments, mouth):
    cropped = np.ascontiguousarray(people["alex"][mouth - 24 :])
    result = try_on(perception, cropped, garments["tee-sunrise"])
    scores = assess_own(result.person, garments["tee-sunrise"], result.dressed)
    assert scores.passed, scores


@pytest.mark.parametrize("kind", ["statue", "painting"])
def test_what_looks_like_a_person_is_dressed_like_one(perception, people, garments, kind):
    photo = people["sam"]
    if kind == "statue":
        grey = cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY)
        picture = cv2.cvtColor(
            np.clip(90 + grey * 0.5, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR
        )
    else:
        picture = cv2.bilateralFilter(cv2.medianBlur(photo, 7), 15, 60, 9)
    result = try_on(perception, picture, garments["tee-sunrise"])
    assert result.bgr.shape == photo.shape
    assert (result.dressed.cover > 0.5).any()
