"""Two garments on one drawn person, by the real engine and its gate."""

import cv2
import numpy as np
import pytest
import pytest_asyncio

from selify.tryon.dressing import Dressed, Wearable, dress
from selify.tryon.engine.engine import EmbeddedEngine
from selify.tryon.routing import TryOnRouter
from selify.tryon.types import Picture, RefusalReason, Rendering

# Of a drawn photo, in shares of height and width: the chest, and the thigh, which no top reaches.
CHEST, THIGH = (0.42, 0.5), (0.82, 0.43)
# Lab of 8 bits: the same cloth, in the photo's light.
ALIKE = 20.0


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def router(models_dir):
    engine = EmbeddedEngine(models_dir, small=True)

    async def judged_itself(*_: object) -> Rendering:
        raise AssertionError

    yield TryOnRouter([engine], judged_itself)
    await engine.aclose()


@pytest.fixture(scope="module")
def sleeves(drawn) -> Wearable:
    return wearable(drawn["longsleeve-plum"])


@pytest.fixture(scope="module")
def trousers(drawn) -> Wearable:
    return wearable(drawn["trousers-ink"])


def wearable(garment) -> Wearable:
    bgr = garment.on_backdrop()
    return Wearable(picture(bgr), garment.category)


def picture(bgr) -> Picture:
    _, data = cv2.imencode(".png", bgr)
    return Picture(bytes(data), "image/png", bgr.shape[1], bgr.shape[0])


def opened(seen: Picture):
    return cv2.imdecode(np.frombuffer(seen.data, np.uint8), cv2.IMREAD_COLOR)


def lab(bgr):
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB).astype(np.float32)


def apart(seen: Picture, place: tuple[float, float], garment) -> float:
    """How far the cloth there is from the garment's."""
    shown = lab(opened(seen))
    y, x = (int(share * size) for share, size in zip(place, shown.shape, strict=False))
    there = np.median(shown[y - 8 : y + 8, x - 8 : x + 8], axis=(0, 1))
    cloth = np.median(lab(garment.bgra[..., :3].copy())[garment.bgra[..., 3] > 250], axis=0)
    return float(np.linalg.norm(there - cloth))


def worn(found: Dressed) -> Picture:
    assert isinstance(found.routed.result, Rendering)
    return found.routed.result.picture


async def test_both_are_worn_and_the_same_whichever_is_the_main_one(
    router, people, drawn, sleeves, trousers
) -> None:
    photo = picture(people["sam"])
    found = await dress(router, photo, sleeves, trousers)
    assert found.left_out is None
    assert [attempt.piece for attempt in found.routed.attempts] == ["bottom", "top"]
    for place, slug in ((CHEST, "longsleeve-plum"), (THIGH, "trousers-ink")):
        before, now = (apart(seen, place, drawn[slug]) for seen in (photo, worn(found)))
        assert now < before / 2, slug
    the_other_way_round = await dress(router, photo, trousers, sleeves)
    assert worn(the_other_way_round).data == worn(found).data


async def test_with_the_legs_out_of_view_the_top_is_worn_alone(
    router, people, drawn, sleeves, trousers
) -> None:
    photo = people["sam"]
    found = await dress(router, picture(photo[: int(0.68 * len(photo))]), sleeves, trousers)
    assert found.left_out is not None
    assert found.left_out.reason is RefusalReason.LEGS
    chest = CHEST[0] / 0.68, CHEST[1]
    assert apart(worn(found), chest, drawn["longsleeve-plum"]) < ALIKE
