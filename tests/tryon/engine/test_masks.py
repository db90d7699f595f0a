"""The tools on masks."""

import cv2
import numpy as np
import pytest

from selify.tryon.engine.masks import closed, disc, grown, opened, shrunk


@pytest.mark.parametrize("radius", [1, 5.4, 14, 31, 80])
@pytest.mark.parametrize("shape", [(90, 70), (200, 9)])
def test_a_disc_of_any_size_is_laid_on_a_mask_as_opencv_lays_it(radius, shape):
    """Into the corners too, and of masks that have other values than 0 and 1."""
    random = np.random.default_rng(1)
    sparse = (random.random(shape) > 0.99).astype(np.uint8)
    sparse[0, 0] = sparse[-1, -1] = 1
    for mask in (sparse, 1 - sparse, random.integers(0, 256, shape, np.uint8)):
        assert np.array_equal(grown(mask, radius), cv2.dilate(mask, disc(radius)))
        assert np.array_equal(shrunk(mask, radius), cv2.erode(mask, disc(radius)))
        for own, theirs in ((opened, cv2.MORPH_OPEN), (closed, cv2.MORPH_CLOSE)):
            found = cv2.morphologyEx(mask, theirs, disc(radius))
            assert np.array_equal(own(mask, radius), found)
