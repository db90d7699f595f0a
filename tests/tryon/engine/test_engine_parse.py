"""What the segmenter says of a person, where colours alone say something else."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.infra.read_only import read_only

from selify.tryon.engine.arrays import Bgr
from selify.tryon.engine.labels import Label
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.person import Person, read_person
from selify.tryon.engine.segmenter import Segmenter
from selify.tryon.engine.skeleton import Skeleton
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_world import scenes, specs
from selify_sandbox.drawn_world.samples import PEOPLE


def read(perception: Perception, photo: Bgr, segmenter: Segmenter | None) -> Person:
    body = perception.body(photo, perception.upright_faces(photo))
    return read_person(
        photo,
        Skeleton.of(body),
        body.mask,
        segmenter=segmenter,
        category=GarmentCategory.TOP,
    )


def label_at(person: Person, point: np.ndarray) -> Label:
    x, y = (int(v) for v in point)
    return Label(int(person.label[y, x]))


@pytest.fixture(scope="module")
def seen(
    perception: Perception, segmenter: Segmenter, people: dict[str, Bgr]
) -> Callable[[str], Person]:
    """Somebody by name, read once."""

    @cache
    def person(name: str) -> Person:
        return read_only(read(perception, people[name], segmenter))

    return person


def test_the_parts_lie_where_they_were_drawn(
    seen: Callable[[str], Person], people: dict[str, Bgr]
) -> None:
    for name in people:
        person = seen(name)
        s = person.skeleton
        chest = s.neck + (s.pelvis - s.neck) * 0.5
        assert label_at(person, chest) is Label.UPPER, name
        assert label_at(person, (s.hips[0] + s.knees[0]) / 2) is Label.LOWER, name
        assert label_at(person, s.nose) is Label.SKIN, name
        assert label_at(person, s.eyes + s.face_up * 1.2 * s.face_length) is Label.HAIR, name
        assert person.label[5, 5] == Label.BACKGROUND, name


def test_a_sleeve_ends_where_it_was_drawn(seen: Callable[[str], Person]) -> None:
    short, long = seen("alex"), seen("kim")
    for side in (0, 1):
        forearm = (short.skeleton.elbows[side] + short.skeleton.wrists[side]) / 2
        assert label_at(short, forearm) is Label.SKIN
        forearm = (long.skeleton.elbows[side] + long.skeleton.wrists[side]) / 2
        assert label_at(long, forearm) is Label.UPPER


def test_hair_hangs_together_with_the_head(
    perception: Perception, segmenter: Segmenter, people: dict[str, Bgr]
) -> None:
    """A patch of the hair's colour on the chest is a print."""
    photo = people["alex"].copy()
    body = perception.body(photo, perception.upright_faces(photo))
    s = Skeleton.of(body)
    x, y = (int(v) for v in s.neck + (s.pelvis - s.neck) * 0.55)
    crown = s.eyes + s.face_up * 1.2 * s.face_length
    photo[y - 25 : y + 25, x - 35 : x + 35] = photo[int(crown[1]), int(crown[0])]
    person = read(perception, photo, segmenter)
    patch = person.label[y - 15 : y + 15, x - 25 : x + 25]
    assert (patch == Label.UPPER).mean() > 0.95


@pytest.mark.parametrize(
    "colour", [(34.0, 42.0, 58.0), (120.0, 170.0, 205.0)], ids=["dark", "fair"]
)
def test_hair_is_hair_down_to_its_ends(perception: Perception, colour: specs.Colour) -> None:
    """Without the segmenter too: what lies on a shoulder must not be taken for the old garment."""
    photo = scenes.photo(replace(PEOPLE["long sleeves"], hair_colour=colour))
    person = read(perception, photo.bgr, None)
    below = np.arange(photo.bgr.shape[0])[:, None] > person.skeleton.mouth[1]
    true, found = (photo.parts == specs.Part.HAIR) & below, (person.hair > 0) & below
    assert (found & true).sum() > 0.96 * true.sum()
    assert (found & ~true).sum() < 0.02 * true.sum()


def test_the_same_photo_is_read_the_same_way_twice(
    seen: Callable[[str], Person], forgetful: Perception, models_dir: Path, people: dict[str, Bgr]
) -> None:
    first, second = seen("alex"), read(forgetful, people["alex"], Segmenter(models_dir))
    assert np.array_equal(first.label, second.label)
    assert np.array_equal(first.alpha, second.alpha)
