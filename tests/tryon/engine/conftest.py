"""The engine's tests: drawn people and garments, and the real networks."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.infra.read_only import read_only

from selify import assets
from selify.tryon.engine.arrays import Bgr, Soft
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.networks import Networks, load_networks
from selify.tryon.engine.perception import Body, Face, Perception
from selify.tryon.engine.pipeline import Seen, TryOn, dressed_in, see
from selify.tryon.engine.segmenter import Answer, Looked, Question, Segmenter, _pointed_at, reduced
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_garments import DrawnGarment, wardrobe
from selify_sandbox.drawn_people import LOOKS, draw_person

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def models_dir() -> Path:
    return assets.ensure("tryon-models")


class Memory:
    """What was found out of a picture, so that it need not be found out again."""

    def __init__(self) -> None:
        self._known: dict[object, Any] = {}

    def once(self, what: object, picture: Bgr, find: Callable[[Bgr], Any]) -> Any:
        key = (what, picture.shape, sha256(np.ascontiguousarray(picture)).digest())
        if key not in self._known:
            self._known[key] = find(picture)
        return self._known[key]


class Remembering(Perception):
    """The real one. A picture that it has looked at it need not look at again."""

    def __init__(self, networks: Networks) -> None:
        super().__init__(networks)
        self._once = Memory().once

    def faces(self, picture: Bgr) -> list[Face]:
        return self._once("faces", picture, super().faces)

    def body(self, picture: Bgr, faces: list[Face]) -> Body:
        look = super().body
        return self._once(("body", *faces), picture, lambda photo: read_only(look(photo, faces)))

    def _turned(self, picture: Bgr, faces: list[Face]) -> bool:
        look = super()._turned
        return self._once(("turned", *faces), picture, lambda photo: look(photo, faces))


@pytest.fixture(scope="session")
def perception(models_dir: Path) -> Perception:
    """Without the segmenter, which takes seconds a picture: what needs it asks for it."""
    return Remembering(load_networks(models_dir, small=True))


@pytest.fixture
def forgetful(models_dir: Path) -> Perception:
    return Perception(load_networks(models_dir, small=True))


class RememberingSegmenter(Segmenter):
    """The real one. A picture that it has looked at it need not look at again, and what it was asked it knows."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._once = Memory().once

    def look(self, picture: Bgr, side: int | None = None) -> Looked:
        seen = self._once("seen", picture, super().look)
        size = reduced(picture.shape, side)
        return self._once(size, picture, lambda _: Answering(self.decoder, seen._features, size))

    def salient(self, picture: Bgr) -> Soft:
        find = super().salient
        return self._once("salient", picture, lambda photo: read_only(find(photo)))


class Answering(Looked):
    """The same question has the same answer."""

    @cached_property
    def _answers(self) -> dict[object, Answer]:
        return {}

    def answer(self, question: Question) -> Answer:
        points, kinds = _pointed_at(question)
        key = points.tobytes(), kinds.tobytes(), question.again
        if key not in self._answers:
            self._answers[key] = read_only(super().answer(question))
        return self._answers[key]


@pytest.fixture(scope="session")
def segmenter(models_dir: Path) -> Segmenter:
    return RememberingSegmenter(models_dir)


@pytest.fixture(scope="session")
def thorough(perception: Perception, segmenter: Segmenter) -> Perception:
    """With the segmenter."""
    return Remembering(replace(perception._networks, segmenter=segmenter))


@pytest.fixture(scope="session")
def people() -> dict:
    """Drawn photos by name (alex, sam: short sleeves; kim: long ones)."""
    return {name: read_only(draw_person(look)) for name, look in LOOKS.items()}


@pytest.fixture(scope="session")
def drawn() -> dict[str, DrawnGarment]:
    return {garment.slug: garment for garment in wardrobe()}


@pytest.fixture(scope="session")
def garments(drawn: dict[str, DrawnGarment]) -> dict[str, Garment]:
    """The drawn garments, read with their true alpha."""
    return {slug: read_only(read(garment)) for slug, garment in drawn.items()}


@pytest.fixture(scope="session")
def dress(
    perception: Perception, people: dict, garments: dict[str, Garment]
) -> Callable[[str, str], TryOn]:
    """A person of this name in the garment of this slug; what was done once is not done again."""

    @cache
    def seen(name: str, category: GarmentCategory) -> Seen:
        return read_only(see(perception, people[name], category))

    @cache
    def dressed(name: str, slug: str) -> TryOn:
        garment = garments[slug]
        return read_only(dressed_in(garment, people[name], seen(name, garment.category)))

    return dressed


def truth(garment: DrawnGarment) -> tuple[Bgr, Soft]:
    """The garment's picture and its true alpha: nothing that the engine found out itself."""
    return garment.on_backdrop(), garment.bgra[..., 3].astype(np.float32) / 255


def read(garment: DrawnGarment) -> Garment:
    bgr, alpha = garment.bgra[..., :3].copy(), garment.bgra[..., 3].copy()
    return read_cut_out(bgr, alpha, garment.category)


@pytest.fixture(scope="session")
def photos() -> Path:
    """Real photos, which are not ours to publish, where they lie beside the clone."""
    folder = REPOSITORY.parent / "shared" / "photos"
    if not folder.is_dir():
        pytest.skip("no photos beside this clone (../shared/photos)")
    return folder
