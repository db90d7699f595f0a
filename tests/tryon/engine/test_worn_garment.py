"""Garments in pictures in which somebody wears them: found, cut out as drawn, or refused with the reason."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.infra.read_only import read_only

from selify.tryon.engine.arrays import SIDES, Array, Bgr
from selify.tryon.engine.codec import encode
from selify.tryon.engine.frames import Frame
from selify.tryon.engine.garment import Garment
from selify.tryon.engine.geometry import distance
from selify.tryon.engine.networks import load_networks
from selify.tryon.engine.perception import Body, Face, Perception
from selify.tryon.engine.pipeline import see, try_on
from selify.tryon.engine.reading import GarmentReading, Limit, Misfit, WornFault
from selify.tryon.engine.refusals import Refused
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.engine.wearer import find_wearer
from selify.tryon.engine.worker import Workshop
from selify.tryon.engine.worn_garment import read_worn, refuse_others, refuse_posture
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_world import garments, scenes, specs
from selify_sandbox.drawn_world.anatomy import CHIN
from selify_sandbox.drawn_world.people import DrawnPerson
from selify_sandbox.drawn_world.samples import GARMENTS, PEOPLE
from selify_sandbox.drawn_world.specs import Cloth, Part, Person, Piece

TOP, DRESS, BOTTOM = GarmentCategory.TOP, GarmentCategory.DRESS, GarmentCategory.BOTTOM
Wear = Callable[..., Garment]
_NECK = int(CHIN) - 20
_PLUM = Cloth((110.0, 44.0, 120.0))
_LONG = Person(upper=Piece(specs.LONG_SLEEVE, _PLUM))


@pytest.fixture(scope="module")
def worn(perception: Perception, segmenter: Segmenter) -> Wear:
    """What a drawn person wears, read from their picture or from what of it begins at ``row``."""

    @cache
    def read(person: Person, category: GarmentCategory | None, row: int = 0) -> Garment:
        picture = scenes.photo(person).bgr[row:]
        return read_only(read_in(perception, segmenter, picture, category))

    return read


def read_in(
    perception: Perception, segmenter: Segmenter, picture: Bgr, category: GarmentCategory | None
) -> Garment:
    faces = perception.faces(picture)
    body = find_wearer(perception, picture, faces)
    assert body is not None
    return read_worn(picture, body, faces, category, segmenter)


def overlap(garment: Garment, truth: Array, picture: Bgr) -> float:
    """With what was drawn; ``garment`` is a part of ``picture``."""
    found = cv2.matchTemplate(picture, garment.bgr, cv2.TM_SQDIFF)
    x, y = cv2.minMaxLoc(found)[2]
    height, width = garment.mask.shape
    mask = np.zeros(truth.shape, bool)
    mask[y : y + height, x : x + width] = garment.mask > 0
    return float((mask & truth).sum() / (mask | truth).sum())


# --- Whether somebody is there --------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tee", "tank", "dress", "striped", "long sleeves"])
@pytest.mark.parametrize("head", [True, False])
def test_whoever_wears_it_is_seen_without_a_head_too(
    perception: Perception, name: str, *, head: bool
) -> None:
    picture = scenes.photo(PEOPLE[name]).bgr
    picture = picture if head else picture[_NECK:]
    assert find_wearer(perception, picture, perception.faces(picture)) is not None


_ALONE = ("tee", "long sleeve", "blocks on busy ground", "jacket, open", "dress", "trousers")


@pytest.mark.parametrize(
    "garment", [g for g in GARMENTS if g.kind in _ALONE], ids=lambda garment: garment.kind
)
def test_nobody_is_seen_in_a_garment_alone(perception: Perception, garment: specs.Garment) -> None:
    picture = garments.draw(garment).bgr
    assert find_wearer(perception, picture, perception.faces(picture)) is None


class Counted(Perception):
    """The real one, which counts how often it is asked for a body."""

    asked = 0

    def body(self, picture: Bgr, faces: list[Face]) -> Body:
        self.asked += 1
        return super().body(picture, faces)


@pytest.mark.parametrize(
    ("colour", "looks"),
    [
        pytest.param((170.0, 90.0, 40.0), 0, id="nothing is like skin"),
        # Two looks of four have to agree: after three without anybody the last one changes nothing.
        pytest.param((110.0, 140.0, 190.0), 3, id="cloth is like skin"),
    ],
)
def test_nobody_is_looked_for_longer_than_somebody_could_be_found(
    models_dir: Path, colour: tuple[float, float, float], looks: int
) -> None:
    tee = next(garment for garment in GARMENTS if garment.kind == "tee")
    picture = garments.draw(replace(tee, piece=Piece(tee.piece.cut, Cloth(colour)))).bgr
    perception = Counted(load_networks(models_dir, small=True))
    assert find_wearer(perception, picture, []) is None
    assert perception.asked == looks


# --- What is cut out ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "category"), [("tee", TOP), ("tank", TOP), ("striped", TOP), ("dress", DRESS)]
)
def test_what_is_worn_is_cut_out_as_it_was_drawn(
    worn: Wear, name: str, category: GarmentCategory
) -> None:
    photo = scenes.photo(PEOPLE[name])
    garment = worn(PEOPLE[name], category)
    assert overlap(garment, photo.parts == Part.UPPER, photo.bgr) > 0.94


def test_a_picture_that_ends_at_the_chin_is_as_good(worn: Wear) -> None:
    photo, row = scenes.photo(PEOPLE["tee"]), _NECK
    garment = worn(PEOPLE["tee"], TOP, row)
    assert overlap(garment, photo.parts[row:] == Part.UPPER, photo.bgr[row:]) > 0.94


def test_trousers_end_at_waist_and_ankles(worn: Wear) -> None:
    person = Person(upper=Piece(specs.CROPPED_TEE, _PLUM))
    photo = scenes.photo(person)
    garment = worn(person, BOTTOM)
    assert overlap(garment, photo.parts == Part.LOWER, photo.bgr) > 0.9
    assert garment.bottom is not None
    assert garment.bottom.crotch is not None


def test_sleeves_that_hang_along_the_body_are_sleeves(worn: Wear) -> None:
    """The outline shows no armpit; the bones do."""
    photo, points = scenes.photo(_LONG), worn(_LONG, TOP).top
    assert points is not None
    assert points.sleeves is not None
    span = photo.body.span
    for side in SIDES:
        sleeve, arm = points.sleeves[side], photo.body.arms[side].path
        true = distance(arm[0], photo.cuffs(_LONG.upper)[side])
        seen = distance(sleeve.upper[0], (sleeve.upper[-1] + sleeve.lower[-1]) / 2)
        assert abs(seen - true) < 0.2 * span
        assert 0.1 * span < sleeve.cuff_width < 0.5 * span
    assert 0.7 * span < points.chest_width < 1.15 * span


def test_the_neckline_is_where_the_skin_ends(worn: Wear) -> None:
    tee, tank = (worn(PEOPLE[name], TOP) for name in ("tee", "tank"))
    assert tee.neckline.confidence == tank.neckline.confidence == 1.0
    for garment in (tee, tank):
        assert garment.top is not None
        assert garment.neckline.depth > 0.1 * garment.top.neck_width
    assert tank.neckline.depth > 1.6 * tee.neckline.depth


def test_without_a_category_it_is_a_dress_or_the_top(worn: Wear) -> None:
    assert worn(PEOPLE["dress"], None).category is DRESS
    assert worn(PEOPLE["tee"], None).category is TOP


def test_somebody_else_is_dressed_in_it(perception: Perception, worn: Wear) -> None:
    """In the tee, not in the model's face or arms."""
    tee = specs.Garment("tee", PEOPLE["tee"].upper)
    scene = scenes.scene(PEOPLE["tank"], tee)
    result = try_on(perception, scene.photo.bgr, worn(PEOPLE["tee"], TOP))
    measures = scenes.measure(scene, result.bgr)
    assert measures.overlap > 0.8
    assert measures.sleeve is not None
    assert measures.sleeve < 0.15
    assert measures.face == 1


def test_the_wardrobe_says_that_it_was_worn(models_dir) -> None:
    picture = encode(scenes.photo(PEOPLE["tee"]).bgr)
    answer = Workshop(models_dir).answer(
        Frame({"operation": "read", "category": "top"}, (picture,))
    )
    reading = GarmentReading.from_json(answer.header["reading"])
    assert Limit.WORN in reading.limits
    assert not reading.unfit


# --- What is refused ------------------------------------------------------------------------------


def fault_of(read: Callable[[], object]) -> object:
    with pytest.raises(Refused) as refused:
        read()
    assert refused.value.details["reason"] == Misfit.WORN
    return refused.value.details["fault"]


def test_arms_in_front_are_refused(worn: Wear) -> None:
    assert fault_of(lambda: worn(PEOPLE["arm in front"], TOP)) == WornFault.COVERED


def test_a_hem_out_of_the_picture_is_refused(perception: Perception, segmenter: Segmenter) -> None:
    photo = scenes.photo(PEOPLE["dress"])
    picture = photo.bgr[: int(photo.hem_row(PEOPLE["dress"].upper)) - 60]
    assert fault_of(lambda: read_in(perception, segmenter, picture, DRESS)) == WornFault.CUT_OFF


@pytest.mark.parametrize(("name", "named"), [("dress", TOP), ("dress", BOTTOM), ("tee", DRESS)])
def test_another_piece_than_was_named_is_refused(
    worn: Wear, name: str, named: GarmentCategory
) -> None:
    assert fault_of(lambda: worn(PEOPLE[name], named)) == WornFault.PIECES


def test_a_waistband_under_a_shirt_is_refused(worn: Wear) -> None:
    assert fault_of(lambda: worn(PEOPLE["tee"], BOTTOM)) == WornFault.COVERED


def test_several_people_are_refused() -> None:
    first, second = Face(0.95, 100, 50, 80, 100), Face(0.93, 400, 60, 60, 80)
    assert fault_of(lambda: refuse_others([first, second])) == WornFault.SEVERAL
    refuse_others([first, replace(second, height=30)])  # a passer-by
    refuse_others([first, replace(second, confidence=0.6)])  # a print


def test_who_is_turned_or_waves_is_refused(perception: Perception) -> None:
    photo: DrawnPerson = scenes.photo(PEOPLE["tee"])
    skeleton = see(perception, photo.bgr, TOP).person.skeleton
    refuse_posture(skeleton, TOP)
    middle = skeleton.neck[0]
    narrow = skeleton.points.copy()
    narrow[:, 0] = middle + (narrow[:, 0] - middle) * 0.6
    assert fault_of(lambda: refuse_posture(moved(skeleton, narrow), TOP)) == WornFault.TURNED
    mirrored = skeleton.points.copy()
    mirrored[:, 0] = 2 * middle - mirrored[:, 0]
    assert fault_of(lambda: refuse_posture(moved(skeleton, mirrored), TOP)) == WornFault.TURNED
    waving = skeleton.points.copy()
    waving[13] = waving[11] + np.array([0.8, -0.4]) * skeleton.span
    assert fault_of(lambda: refuse_posture(moved(skeleton, waving), TOP)) == WornFault.ARMS
    refuse_posture(moved(skeleton, waving), BOTTOM)


def moved(skeleton: Skeleton, points: Array) -> Skeleton:
    return Skeleton(points, skeleton.visibility)
