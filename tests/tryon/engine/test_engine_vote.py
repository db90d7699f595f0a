"""Garments that colour alone cannot tell from what they lie on, against the masks they were drawn with."""

import cv2
import numpy as np
import pytest

from selify.tryon.engine.arrays import Array, Bgr
from selify.tryon.engine.cutout import cut_out
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.types import GarmentCategory, RefusalCode
from selify_sandbox.drawn_garments import DrawnGarment


def laid_on(garment: DrawnGarment, ground: tuple[float, float, float], haze: float = 0.0) -> Bgr:
    """Without a shadow, on a plain ground of this colour. ``haze`` 0..1: how far everything has the ground's colour."""
    alpha = garment.bgra[..., 3:].astype(np.float32) / 255 * (1 - haze)
    return (garment.bgra[..., :3] * alpha + np.array(ground) * (1 - alpha)).round().astype(np.uint8)


def overlap(first: Array, second: Array) -> float:
    return float((first & second).sum() / (first | second).sum())


def truth(garment: DrawnGarment) -> Array:
    return garment.bgra[..., 3] > 127


def found(garment: DrawnGarment, picture: Bgr, segmenter: Segmenter | None) -> float:
    """How much of what was cut out is the garment."""
    try:
        cut = cut_out(picture, None, garment.category, segmenter)
    except Refused:
        return 0.0
    return overlap(cut.alpha > 0.5, truth(garment))


def test_stripes_of_the_tables_own_colour_are_found(
    drawn: dict[str, DrawnGarment], segmenter: Segmenter
) -> None:
    garment = drawn["tee-harbour"]
    picture = laid_on(garment, (228, 233, 236))
    assert found(garment, picture, None) < 0.9
    assert found(garment, picture, segmenter) > 0.95


def test_white_on_white_is_found(drawn: dict[str, DrawnGarment], segmenter: Segmenter) -> None:
    garment = drawn["tee-white"]
    picture = laid_on(garment, (240, 243, 244), haze=0.8)
    assert found(garment, picture, None) < 0.9
    assert found(garment, picture, segmenter) > 0.95


@pytest.mark.parametrize("slug", ["longsleeve-plum", "trousers-ink"])
def test_where_all_agree_nothing_is_decided_anew(
    drawn: dict[str, DrawnGarment], segmenter: Segmenter, slug: str
) -> None:
    picture = drawn[slug].on_backdrop()
    with_networks = cut_out(picture, None, drawn[slug].category, segmenter)
    assert np.array_equal(with_networks.alpha, cut_out(picture, None, drawn[slug].category).alpha)


def test_an_empty_picture_shows_no_garment(segmenter: Segmenter) -> None:
    with pytest.raises(Refused) as refused:
        cut_out(np.full((400, 400, 3), 128, np.uint8), None, GarmentCategory.TOP, segmenter)
    assert refused.value.code is RefusalCode.GARMENT_NOT_FOUND


def test_a_print_is_not_taken_for_the_garment(
    drawn: dict[str, DrawnGarment], segmenter: Segmenter
) -> None:
    """The most salient thing of a dark tee in the dark is what is printed on it."""
    garment = drawn["tee-sunrise"]
    alpha = garment.bgra[..., 3:] > 127
    light = cv2.cvtColor(garment.bgra[..., :3], cv2.COLOR_BGR2LAB)
    plain = np.abs(light.astype(int) - np.median(light[alpha[..., 0]], 0)).max(2) < 14
    tee = np.where((plain & alpha[..., 0])[..., None], np.uint8(26), garment.bgra[..., :3])
    picture = np.where(alpha, tee, np.uint8(12)).astype(np.uint8)
    cut = cut_out(picture, None, garment.category, segmenter)
    assert overlap(cut.alpha > 0.5, truth(garment)) > 0.95
