"""The engine's tests: drawn people and garments, and the real networks."""

from collections.abc import Callable
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from selify import assets
from selify.tryon.engine.arrays import Bgr, Soft
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.networks import Networks, load_networks
from selify.tryon.engine.perception import Body, Face, Perception
from selify.tryon.engine.pipeline import Seen, TryOn, dressed_in, see
from selify.tryon.engine.segmenter import Looked, Segmenter
from selify.tryon.types import GarmentCategory
from selify_sandbox.drawn_garments import DrawnGarment, wardrobe
from selify_sandbox.drawn_people import LOOKS, draw_person

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def models_dir() -> Path:
    return assets.ensure("tryon-models")


class Remembering(Perception):
    """The real one. A picture that it has looked at it need not look at again."""

    def __init__(self, networks: Networks) -> None:
        super().__init__(networks)
        self._seen: dict[object, object] = {}

    def faces(self, picture: Bgr) -> list[Face]:
        return self._once("faces", picture, super().faces)

    def body(self, picture: Bgr, faces: list[Face]) -> Body:
        return self._once(
            ("body", *faces), picture, lambda photo: super(Remembering, self).body(photo, faces)
        )

    def _turned(self, picture: Bgr, faces: list[Face]) -> bool:
        return self._once(
            ("turned", *faces),
            picture,
            lambda photo: super(Remembering, self)._turned(photo, faces),
        )

    def _once(self, what: object, picture: Bgr, look: Callable[[Bgr], Any]) -> Any:
        key = (what, picture.shape, sha256(np.ascontiguousarray(picture)).digest())
        if key not in self._seen:
            self._seen[key] = look(picture)
        return self._seen[key]


@pytest.fixture(scope="session")
def perception(models_dir: Path) -> Perception:
    """Without the segmenter, which takes seconds a picture: what needs it asks for it."""
    return Remembering(load_networks(models_dir, small=True))


@pytest.fixture
def forgetful(models_dir: Path) -> Perception:
    return Perception(load_networks(models_dir, small=True))


class RememberingSegmenter(Segmenter):
    """The real one. A picture that it has looked at it need not look at again."""

    @cached_property
    def _looks(self) -> dict[object, Looked]:
        return {}

    def look(self, picture: Bgr, side: int | None = None) -> Looked:
        key = side, picture.shape, sha256(np.ascontiguousarray(picture)).digest()
        if key not in self._looks:
            self._looks[key] = super().look(picture, side)
        return self._looks[key]


@pytest.fixture(scope="session")
def segmenter(models_dir: Path) -> Segmenter:
    return RememberingSegmenter(models_dir)


@pytest.fixture(scope="session")
def people() -> dict:
    """Drawn photos by name (alex, sam: short sleeves; kim: long ones)."""
    return {name: draw_person(look) for name, look in LOOKS.items()}


@pytest.fixture(scope="session")
def drawn() -> dict[str, DrawnGarment]:
    return {garment.slug: garment for garment in wardrobe()}


@pytest.fixture(scope="session")
def garments(drawn: dict[str, DrawnGarment]) -> dict[str, Garment]:
    """The drawn garments, read with their true alpha."""
    return {slug: read(garment) for slug, garment in drawn.items()}


@pytest.fixture(scope="session")
def dress(
    perception: Perception, people: dict, garments: dict[str, Garment]
) -> Callable[[str, str], TryOn]:
    """A person of this name in the garment of this slug; what was done once is not done again."""

    @cache
    def seen(name: str, category: GarmentCategory) -> Seen:
        return see(perception, people[name], category)

    @cache
    def dressed(name: str, slug: str) -> TryOn:
        garment = garments[slug]
        return dressed_in(garment, people[name], seen(name, garment.category))

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
