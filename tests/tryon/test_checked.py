"""A paid engine is asked only for photos that the check lets through."""

from dataclasses import replace

import pytest

from selify.core.money import MicroUnits
from selify.tryon.checked import CheckedEngine
from selify.tryon.ports import EngineUnavailable
from selify.tryon.routing import NoEngineAvailable, TryOnRouter
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    QualityScores,
    Refusal,
    RefusalCode,
    Rendering,
    RenderOptions,
    RenderWarning,
)

PERSON = Picture(b"person", "image/jpeg", 600, 800)
GARMENT = Picture(b"garment", "image/png", 400, 400)
OPTIONS = RenderOptions(GarmentCategory.TOP)
GOOD = QualityScores(1.0, 1.0, 1.0, 0.9, None, 0.9, 0.9)
MADE = Rendering(PERSON, "paid", 1.0, MicroUnits(6_830), (RenderWarning.LOW_RESOLUTION,))
NOBODY = Refusal(RefusalCode.PERSON_NOT_FOUND, "Nobody.", "Another.", "embedded")


class Paid:
    name = "paid"

    def __init__(self, answer: Rendering | Refusal = MADE) -> None:
        self.answer, self.asked = answer, 0

    async def render(self, person, garment, options):
        assert (person, garment, options) == (PERSON, GARMENT, OPTIONS)
        self.asked += 1
        return self.answer


def check_says(answer):
    async def check(person, garment, category):
        assert (person, garment, category) == (PERSON, GARMENT, GarmentCategory.TOP)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return check


async def test_a_photo_that_nobody_can_use_costs_nothing():
    paid = Paid()
    engine = CheckedEngine(paid, check_says(NOBODY))
    assert await engine.render(PERSON, GARMENT, OPTIONS) == NOBODY
    assert (engine.name, paid.asked) == ("paid", 0)


async def test_what_the_check_saw_is_told_with_the_picture_once():
    found = (RenderWarning.SEVERAL_PEOPLE, RenderWarning.LOW_RESOLUTION)
    result = await CheckedEngine(Paid(), check_says(found)).render(PERSON, GARMENT, OPTIONS)
    told = (RenderWarning.LOW_RESOLUTION, RenderWarning.SEVERAL_PEOPLE)
    assert result == replace(MADE, warnings=told)


async def test_the_engine_s_own_refusal_stands():
    refused = replace(NOBODY, code=RefusalCode.CONTENT_REFUSED, engine="paid")
    engine = CheckedEngine(Paid(refused), check_says(()))
    assert await engine.render(PERSON, GARMENT, OPTIONS) == refused


async def test_without_the_check_nothing_is_bought_and_it_is_worth_coming_back():
    """Nor could the gate, which is the same process, have looked at the picture."""

    async def never(*_: object) -> Rendering:
        raise AssertionError("there is no picture to judge")

    paid = Paid()
    engine = CheckedEngine(paid, check_says(EngineUnavailable("embedded", "no start", 5.0)))
    with pytest.raises(NoEngineAvailable, match="cannot be checked") as missing:
        await TryOnRouter([engine], never).render(PERSON, GARMENT, OPTIONS)
    assert [attempt.engine for attempt in missing.value.attempts] == ["paid"]
    assert paid.asked == 0
