"""The drawn world: its truth fits its pictures, the engine sees its people, and the measures
tell a true picture from a wrong one.
"""

from dataclasses import replace

import numpy as np
import pytest

from selify import assets
from selify.tryon.engine.networks import load_networks
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.skeleton import Skeleton
from selify_sandbox.drawn_world import colour, garments, people, scenes, specs
from selify_sandbox.drawn_world.samples import GARMENTS, PEOPLE
from selify_sandbox.drawn_world.specs import Cloth, Garment, Part, Person, Piece, Print, Shot

MAGENTA, GREEN = (200.0, 30.0, 200.0), (40.0, 180.0, 40.0)
LONG_SLEEVE = Garment("long sleeve", Piece(specs.LONG_SLEEVE, Cloth((110.0, 44.0, 120.0))))
LOSSLESS = Person()


@pytest.fixture(scope="module")
def perception() -> Perception:
    return Perception(load_networks(assets.ensure("tryon-models")))


@pytest.fixture(scope="module")
def place() -> scenes.Scene:
    return scenes.scene(LOSSLESS, LONG_SLEEVE)


def dressed_otherwise(**cut_or_cloth) -> np.ndarray:
    """The same person in a garment that differs from the true one."""
    piece = LONG_SLEEVE.piece
    cloth = cut_or_cloth.pop("cloth", piece.cloth)
    wrong = Garment("wrong", Piece(replace(piece.cut, **cut_or_cloth), cloth))
    return people.draw(scenes.wearing(LOSSLESS, wrong)).bgr


# --- Pictures and their truth ---------------------------------------------------------------------


def test_the_same_description_gives_the_same_pixels():
    person = PEOPLE["arm in front"]
    first, second = scenes.photo(person), people.draw(person)
    assert np.array_equal(first.bgr, second.bgr)
    assert np.array_equal(first.parts, second.parts)


@pytest.mark.parametrize("shot", [Shot.BUSY, Shot.CRUMPLED])
def test_the_same_garment_gives_the_same_pixels(shot):
    first, second = (garments.draw(replace(LONG_SLEEVE, shot=shot)) for _ in range(2))
    assert np.array_equal(first.bgr, second.bgr)
    assert np.array_equal(first.alpha, second.alpha)


def test_each_part_of_a_person_has_its_colour():
    person = replace(
        LOSSLESS,
        upper=Piece(specs.TEE, Cloth(MAGENTA)),
        lower=Piece(specs.TROUSERS, Cloth(GREEN)),
        hair_colour=(120.0, 20.0, 20.0),
    )
    drawn = people.draw(person)
    wanted = {Part.UPPER: MAGENTA, Part.LOWER: GREEN, Part.HAIR: person.hair_colour}
    wanted |= {Part.SKIN: person.skin}
    for part, tone in wanted.items():
        pixels = drawn.bgr[drawn.mask(part) > 0].astype(float)
        directions = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
        alike = directions @ (np.array(tone) / np.linalg.norm(tone))
        assert np.quantile(alike, 0.1) > 0.98, part
    shrill = drawn.bgr[..., 2].astype(int) - drawn.bgr[..., 1] > 90
    magenta = shrill & (drawn.bgr[..., 0].astype(int) - drawn.bgr[..., 1] > 90)
    assert (magenta & (drawn.parts != Part.UPPER)).sum() < 0.02 * magenta.sum()


def test_a_person_s_points_lie_on_what_is_drawn():
    drawn = scenes.photo(LOSSLESS)
    upper = drawn.mask(Part.UPPER)
    for x, y in drawn.cuffs(LOSSLESS.upper):
        assert upper[int(y) - 8, int(x)]
        assert not upper[int(y) + 8, int(x)]
    row = int(drawn.hem_row(LOSSLESS.upper))
    assert upper[row - 5, 360]
    assert drawn.parts[row + 5, 360] == Part.LOWER
    for x, y in drawn.shoulder_tips:
        assert drawn.silhouette[int(y) + 8, int(x)]
        assert not drawn.silhouette[int(y) - 20, int(x)]


@pytest.mark.parametrize("kind", ["tank", "jacket, open", "jumpsuit", "shorts"])
def test_a_garment_s_outline_and_points_fit_its_picture(kind):
    garment = next(g for g in GARMENTS if g.kind == kind)
    drawn = garments.draw(replace(garment, shot=Shot.GHOST))
    white = np.abs(drawn.bgr.astype(int) - 255).max(2) < 12
    assert white[drawn.alpha == 0].mean() > 0.999
    assert white[drawn.alpha == 1].mean() < 0.001
    rows = np.flatnonzero(drawn.mask.any(1))
    assert abs(rows[-1] - drawn.hem) < 6
    if drawn.sleeve:
        for x, y in drawn.cuffs:
            near = drawn.mask[int(y) - 9 : int(y) + 10, int(x) - 9 : int(x) + 10]
            assert 0.2 < near.mean() < 0.8


# --- What the engine sees -------------------------------------------------------------------------


@pytest.mark.parametrize("name", PEOPLE)
def test_the_engine_sees_every_drawn_person(perception, name):
    drawn = scenes.photo(PEOPLE[name])
    faces = perception.upright_faces(drawn.bgr)
    body = perception.body(drawn.bgr, faces)
    assert len(faces) == 1
    assert body.confidence > 0.95
    seen, span = Skeleton.of(body), drawn.body.span
    for side, arm in enumerate(drawn.body.arms):
        assert np.hypot(*(seen.shoulders[side] - arm.path[0])) < 0.2 * span
        assert np.hypot(*(seen.wrists[side] - arm.path[-1])) < 0.2 * span


# --- Measures -------------------------------------------------------------------------------------


def test_the_perfect_picture_is_perfect(place):
    found = scenes.measure(place, place.perfect.bgr)
    assert found.overlap > 0.97
    assert found.kept > 0.99
    assert max(found.sleeve, found.hem, found.neck) < 0.03
    assert found.colour == 0


def test_an_undressed_photo_shows_nothing_of_the_garment(place):
    found = scenes.measure(place, place.photo.bgr)
    assert found.overlap == 0
    assert found.hem > 1
    assert found.colour > 15
    assert found.kept == 1


def test_a_wrong_colour_shows(place):
    orange = dressed_otherwise(cloth=Cloth((40.0, 120.0, 226.0)))
    found = scenes.measure(place, orange)
    assert found.colour > 25
    assert found.overlap < 0.3


def test_a_colour_a_little_off_is_still_the_garment_s(place):
    found = scenes.measure(place, dressed_otherwise(cloth=Cloth((122.0, 52.0, 134.0))))
    assert 1 < found.colour < 8
    assert found.overlap > 0.95


def test_sleeves_cut_short_show(place):
    found = scenes.measure(place, dressed_otherwise(sleeve=0.38))
    assert found.sleeve > 0.5
    assert found.hem < 0.03
    assert found.neck < 0.03
    assert found.overlap < 0.9


def test_a_hem_too_short_shows(place):
    found = scenes.measure(place, dressed_otherwise(hem=0.8))
    missing = (place.perfect.body.row(1.05) - place.perfect.body.row(0.8)) / place.span
    assert abs(found.hem - missing) < 0.04
    assert found.sleeve < 0.03


def test_another_neckline_shows(place):
    found = scenes.measure(place, dressed_otherwise(neck=specs.Neck.V))
    assert found.neck > 0.15
    assert found.hem < 0.03


def test_a_changed_face_and_background_show(place):
    wrong = place.perfect.bgr.copy()
    wrong[150:220] = 255 - wrong[150:220]
    found = scenes.measure(place, wrong)
    assert found.face < 0.7
    assert found.background < 0.97
    assert found.hair == pytest.approx(1, abs=0.4)


def test_skin_and_background_that_appear_are_held_against_the_true_ones():
    person = PEOPLE["long sleeves"]
    garment = Garment("tank", Piece(specs.TANK, Cloth((52.0, 46.0, 190.0))))
    bare = scenes.scene(person, garment)
    true = scenes.measure(bare, bare.perfect.bgr)
    assert true.skin == 0
    assert true.restored == 1
    undressed = scenes.measure(bare, bare.photo.bgr)
    assert undressed.skin > 15
    assert undressed.restored < 0.05
    pale = bare.perfect.bgr.copy()
    pale[bare.bared > 0] = (200, 210, 230)
    assert scenes.measure(bare, pale).skin > 15


def test_a_print_s_holes_and_a_picture_of_another_size(place):
    dotted = Garment("dots", Piece(specs.TEE, Cloth((110.0, 44.0, 120.0), Print.DOTS)))
    found = scenes.scene(LOSSLESS, dotted)
    assert scenes.measure(found, found.perfect.bgr).overlap > 0.93
    with pytest.raises(ValueError, match="as large as the photo"):
        scenes.measure(place, place.perfect.bgr[:-1])


@pytest.mark.parametrize(
    ("first", "second", "known"),
    [
        # Published with the formula: Sharma, Wu, Dalal 2005, table 1.
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0009), 7.1792),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_colour_differences_are_the_published_ones(first, second, known):
    found = colour.difference(np.array([first]), np.array([second]))
    assert found[0] == pytest.approx(known, abs=1e-4)
