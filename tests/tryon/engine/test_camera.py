"""Garments look as if the shopper's own camera had seen them."""

import cv2
import numpy as np
import pytest

from selify.tryon.engine.camera import grain, softness
from selify.tryon.engine.pipeline import try_on


def detail(result):
    """How strongly neighbouring pixels differ within the garment, away from its rim."""
    inner = cv2.erode((result.dressed.cover > 0.5).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    grey = cv2.cvtColor(result.dressed.bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F)[inner].std())


@pytest.fixture(scope="module")
def worn(perception, people, garments):
    def of(photo, slug="tee-sunrise"):
        return try_on(perception, photo, garments[slug])

    sharp = people["alex"]
    noise = np.random.default_rng(1).normal(0, 7, sharp.shape[:2])[..., None]
    return {
        "sharp": of(sharp),
        "soft": of(cv2.GaussianBlur(sharp, (0, 0), 2.2)),
        "noisy": of(np.clip(sharp + noise, 0, 255).astype(np.uint8), "tee-clay"),
        "clean": of(sharp, "tee-clay"),
    }


def test_in_a_soft_photo_a_print_is_soft_too(worn):
    assert softness(worn["sharp"].person) < 0.1
    assert softness(worn["soft"].person) > 0.7
    sharp, soft = (detail(worn[one]) for one in ("sharp", "soft"))
    assert soft < 0.6 * sharp


def test_in_a_grainy_photo_plain_cloth_is_grainy_too(worn):
    strengths = [float(grain(worn[one].person).std()) for one in ("clean", "noisy")]
    assert strengths[1] > 1.5 * strengths[0]
    clean, noisy = (detail(worn[one]) for one in ("clean", "noisy"))
    assert noisy > 1.05 * clean
