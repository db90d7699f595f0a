"""The engine's tests: drawn people and garments, and the real networks."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from selify import assets
from selify.tryon.engine.arrays import Bgr, Soft
from selify.tryon.engine.garment import Garment, read_cut_out
from selify.tryon.engine.networks import load_networks
from selify.tryon.engine.perception import Perception
from selify.tryon.engine.pipeline import TryOn, try_on
from selify_sandbox.drawn_garments import DrawnGarment, wardrobe
from selify_sandbox.drawn_people import LOOKS, draw_person

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def models_dir() -> Path:
    return assets.ensure("tryon-models")


@pytest.fixture(scope="session")
def perception(models_dir: Path) -> Perception:
    return Perception(load_networks(models_dir))


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
    """A person of this name in the garment of this slug; what was dressed once is not dressed again."""
    return cache(lambda name, slug: try_on(perception, people[name], garments[slug]))


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
