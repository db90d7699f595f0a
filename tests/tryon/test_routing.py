"""The order of the engines, the re-rolls, the cool-down, and that every try is accounted for."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from selify.core.money import MicroUnits
from selify.tryon.ports import EngineUnavailable
from selify.tryon.routing import FINAL_REFUSALS, NoEngineAvailable, Outcome, TryOnRouter
from selify.tryon.types import (
    GarmentCategory,
    Picture,
    QualityScores,
    Refusal,
    RefusalCode,
    RefusalReason,
    Rendering,
    RenderOptions,
    RenderWarning,
)

PERSON = Picture(b"person", "image/jpeg", 600, 800)
GARMENT = Picture(b"garment", "image/png", 400, 400)
OPTIONS = RenderOptions(GarmentCategory.TOP)
GOOD = QualityScores(1.0, 1.0, 1.0, 0.9, None, 0.9, 0.9)
BAD = replace(GOOD, face=0.2, misses=("face",))
ONE_CENT = MicroUnits(1_000)

Step = Rendering | Refusal | BaseException | Callable[[], object]


def made(name: str = "", scores: QualityScores | None = None) -> Rendering:
    return Rendering(Picture(name.encode(), "image/jpeg", 6, 8), name, 1.0, ONE_CENT, scores=scores)


def refused(code: RefusalCode, cost: int = 0) -> Refusal:
    return Refusal(code, "No.", "Please.", cost=MicroUnits(cost))


class Scripted:
    """An engine that does what the script says, in turn; the last step repeats."""

    def __init__(self, name: str, *script: Step) -> None:
        self.name = name
        self.script = list(script)
        self.asked: list[RenderOptions] = []

    async def render(
        self, person: Picture, garment: Picture, options: RenderOptions
    ) -> Rendering | Refusal:
        assert (person, garment) == (PERSON, GARMENT)
        step = self.script[min(len(self.asked), len(self.script) - 1)]
        self.asked.append(options)
        if callable(step):
            step = await step()
        if isinstance(step, BaseException):
            raise step
        return step


class Gate:
    """Scores by a list in turn (the last repeats); None: it could not be measured."""

    def __init__(self, *scores: QualityScores | None) -> None:
        self.scores = list(scores or [GOOD])
        self.seen: list[tuple[str, int]] = []

    async def __call__(self, person, garment, rendering, options):
        assert (person, garment) == (PERSON, GARMENT)
        self.seen.append((rendering.engine, options.attempt))
        scores = self.scores[min(len(self.seen), len(self.scores)) - 1]
        return replace(rendering, scores=scores)


class Hand:
    """A clock's hand moved by tests."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


async def tried(router: TryOnRouter, options: RenderOptions = OPTIONS):
    routed = await router.render(PERSON, GARMENT, options)
    return routed, [(a.engine, a.number, a.outcome.value) for a in routed.attempts]


async def test_the_first_good_picture_ends_it():
    first, second = Scripted("a", made("a")), Scripted("b", made("b"))
    routed, steps = await tried(TryOnRouter([first, second], Gate(GOOD)))
    assert routed.result == replace(made("a"), scores=GOOD)
    assert steps == [("a", 0, "passed")]
    assert not second.asked
    assert routed.cost == ONE_CENT


async def test_a_bad_picture_is_rolled_again_with_the_next_attempt():
    engine = Scripted("a", made("a"))
    routed, steps = await tried(TryOnRouter([engine], Gate(BAD, GOOD)))
    assert [options.attempt for options in engine.asked] == [0, 1]
    assert isinstance(routed.result, Rendering)
    assert steps == [("a", 0, "quality_too_low"), ("a", 1, "passed")]
    assert routed.attempts[0].reason == "face"
    assert routed.attempts[0].scores == BAD
    assert routed.cost == ONE_CENT * 2


async def test_an_engine_that_made_the_best_of_it_is_not_asked_again():
    """It would answer with the same picture, or say the same again."""
    refused = replace(lacking("wall", "a"), final=True)
    for answer in (replace(made("a"), final=True), refused):
        engine, other = Scripted("a", answer), Scripted("b", made("b"))
        _, steps = await tried(TryOnRouter([engine, other], Gate(BAD)))
        assert [step for step in steps if step[0] == "a"] == [("a", 0, "quality_too_low")]
        assert len(other.asked) == 2


async def test_attempts_go_on_counting_from_the_callers_number():
    engine = Scripted("a", made("a"))
    _, steps = await tried(
        TryOnRouter([engine], Gate(BAD), max_attempts=3), replace(OPTIONS, attempt=4)
    )
    assert [number for _, number, _ in steps] == [4, 5, 6]


async def test_then_the_next_engine_and_at_last_a_refusal_that_costs_what_it_cost():
    engines = [Scripted("a", made("a")), Scripted("b", made("b"))]
    routed, steps = await tried(TryOnRouter(engines, Gate(BAD)))
    assert isinstance(routed.result, Refusal)
    assert routed.result.code is RefusalCode.QUALITY_TOO_LOW
    assert routed.result.sentence
    assert [step[:2] for step in steps] == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]
    assert routed.cost == ONE_CENT * 4


async def test_an_engine_that_scores_its_own_pictures_is_believed():
    routed, _ = await tried(TryOnRouter([Scripted("a", made("a", GOOD))], Gate(None)))
    assert routed.result == made("a", GOOD)
    routed, _ = await tried(TryOnRouter([Scripted("a", made("a", BAD))], Gate(None)))
    assert isinstance(routed.result, Refusal)


async def test_a_picture_nobody_has_measured_is_not_sent():
    routed, steps = await tried(TryOnRouter([Scripted("a", made("a"))], Gate(None)))
    assert isinstance(routed.result, Refusal)
    assert {step[2] for step in steps} == {"quality_too_low"}


@pytest.mark.parametrize("code", sorted(FINAL_REFUSALS))
async def test_what_is_wrong_with_the_photo_is_said_at_once(code):
    first, second = Scripted("a", refused(code, cost=7)), Scripted("b", made("b"))
    routed, steps = await tried(TryOnRouter([first, second], Gate(GOOD)))
    assert routed.result == refused(code, cost=7)
    assert steps == [("a", 0, "refused")]
    assert not second.asked
    assert routed.cost == MicroUnits(7)


def test_every_code_about_the_person_is_final():
    about_person = {code for code in RefusalCode if code.value.startswith(("person_", "photo_"))}
    assert about_person <= FINAL_REFUSALS
    assert RefusalCode.CONTENT_REFUSED in FINAL_REFUSALS
    assert RefusalCode.QUALITY_TOO_LOW not in FINAL_REFUSALS


async def test_another_refusal_asks_the_next_engine_without_a_second_roll():
    first = Scripted("a", refused(RefusalCode.GARMENT_NOT_FOUND))
    routed, steps = await tried(TryOnRouter([first, Scripted("b", made("b"))], Gate(GOOD)))
    assert isinstance(routed.result, Rendering)
    assert steps == [("a", 0, "refused"), ("b", 0, "passed")]


async def test_if_nobody_can_the_first_refusal_stands():
    engines = [
        Scripted("a", refused(RefusalCode.GARMENT_NOT_FOUND)),
        Scripted("b", EngineUnavailable("b", "down")),
    ]
    routed, _ = await tried(TryOnRouter(engines, Gate(GOOD)))
    assert routed.result == refused(RefusalCode.GARMENT_NOT_FOUND)


async def test_an_engine_that_made_no_good_picture_itself_is_rolled_again():
    engine = Scripted("a", refused(RefusalCode.QUALITY_TOO_LOW, cost=5), made("a"))
    routed, steps = await tried(TryOnRouter([engine], Gate(GOOD)))
    assert steps == [("a", 0, "quality_too_low"), ("a", 1, "passed")]
    assert routed.cost == ONE_CENT + MicroUnits(5)


def lacking(reason: str, engine: str = "a") -> Refusal:
    return Refusal(RefusalCode.QUALITY_TOO_LOW, "No.", "So.", engine, {"reason": reason})


async def test_what_the_photo_lacks_is_not_rolled_again_and_is_said_in_the_end():
    """A hosted engine may manage what ours cannot; if it does not, the one piece of advice stands."""
    first = Scripted("a", lacking("seated"))
    routed, steps = await tried(TryOnRouter([first, Scripted("b", made("b"))], Gate(GOOD)))
    assert isinstance(routed.result, Rendering)
    assert steps == [("a", 0, "quality_too_low"), ("b", 0, "passed")]
    silent = Scripted("c", lacking("NO_IMAGE", "c"))
    routed, _ = await tried(TryOnRouter([silent, first, Scripted("b", made("b"))], Gate(BAD)))
    assert routed.result == lacking("seated")
    assert routed.result.reason is RefusalReason.SEATED


async def test_an_engine_s_own_words_stand_where_nobody_knows_more():
    routed, _ = await tried(TryOnRouter([Scripted("a", lacking("NO_IMAGE"))], Gate(GOOD)))
    assert routed.result == lacking("NO_IMAGE")
    assert routed.result.reason is None


async def test_arms_in_front_are_only_spoken_of_where_they_are():
    for warnings, reason in (
        ((RenderWarning.ARMS_COVER_GARMENT,), RefusalReason.ARMS),
        ((RenderWarning.SEVERAL_PEOPLE,), None),
    ):
        poor = replace(made("a", BAD), warnings=warnings)
        routed, _ = await tried(TryOnRouter([Scripted("a", poor)], Gate(None)))
        assert routed.result.code is RefusalCode.QUALITY_TOO_LOW
        assert routed.result.reason is reason


async def test_an_unavailable_engine_rests_and_is_asked_again_later():
    hand = Hand()
    first = Scripted("a", EngineUnavailable("a", "down"), made("a"))
    router = TryOnRouter(
        [first, Scripted("b", made("b"))], Gate(GOOD), cool_down=30, monotonic=hand
    )
    _, steps = await tried(router)
    assert steps == [("a", 0, "unavailable"), ("b", 0, "passed")]
    hand.at += 29
    _, steps = await tried(router)
    assert steps == [("a", 0, "cooling_down"), ("b", 0, "passed")]
    hand.at += 1
    _, steps = await tried(router)
    assert steps == [("a", 0, "passed")]


@pytest.mark.parametrize(("told", "rest"), [(5.0, 5), (None, 30), (86_400.0, 900)])
async def test_the_rest_is_as_long_as_the_provider_says_within_reason(told, rest):
    hand = Hand()
    first = Scripted("a", EngineUnavailable("a", "busy", told), made("a"))
    router = TryOnRouter([first, Scripted("b", made("b"))], Gate(GOOD), monotonic=hand)
    await tried(router)
    hand.at += rest - 0.5
    assert (await tried(router))[1][0][2] == "cooling_down"
    hand.at += 0.5
    assert (await tried(router))[1] == [("a", 0, "passed")]


async def test_when_nobody_can_answer_it_says_when_to_come_back():
    hand = Hand()
    engines = [
        Scripted("a", EngineUnavailable("a", "busy", 40.0)),
        Scripted("b", EngineUnavailable("b", "busy", 10.0)),
    ]
    router = TryOnRouter(engines, Gate(GOOD), monotonic=hand)
    with pytest.raises(NoEngineAvailable) as missing:
        await router.render(PERSON, GARMENT, OPTIONS)
    assert missing.value.retry_after == 10.0
    assert [a.outcome for a in missing.value.attempts] == [Outcome.UNAVAILABLE] * 2
    hand.at += 4
    with pytest.raises(NoEngineAvailable) as missing:
        await router.render(PERSON, GARMENT, OPTIONS)
    assert missing.value.retry_after == 6.0
    assert [len(engine.asked) for engine in engines] == [1, 1]


async def test_a_bug_in_one_engine_does_not_keep_from_the_next():
    first = Scripted("a", ZeroDivisionError("bug"))
    routed, steps = await tried(TryOnRouter([first, Scripted("b", made("b"))], Gate(GOOD)))
    assert isinstance(routed.result, Rendering)
    assert steps == [("a", 0, "crashed"), ("b", 0, "passed")]


@pytest.mark.parametrize("error", [ZeroDivisionError(), EngineUnavailable("embedded", "no start")])
async def test_a_broken_gate_sends_nothing_and_what_was_paid_is_not_paid_again(error):
    async def broken(*_: object) -> Rendering:
        raise error

    engine = Scripted("a", made("a"))
    routed, steps = await tried(TryOnRouter([engine], broken))
    assert routed.result.code is RefusalCode.TIMED_OUT
    assert steps == [("a", 0, "crashed")]
    assert (routed.cost, routed.paid_engine) == (ONE_CENT, "a")


async def test_a_broken_gate_that_cost_nothing_is_waited_for():
    async def broken(*_: object) -> Rendering:
        raise ZeroDivisionError

    free = replace(made("a"), cost=MicroUnits(0))
    with pytest.raises(NoEngineAvailable) as missing:
        await TryOnRouter([Scripted("a", free)], broken).render(PERSON, GARMENT, OPTIONS)
    assert [a.outcome for a in missing.value.attempts] == [Outcome.CRASHED]


async def test_a_picture_that_was_paid_for_and_lost_is_accounted_for_and_ends_it():
    lost = EngineUnavailable("a", "its picture did not arrive", cost=ONE_CENT)
    engines = [Scripted("a", lost), Scripted("b", EngineUnavailable("b", "down"))]
    routed, steps = await tried(TryOnRouter(engines, Gate(GOOD)))
    assert routed.result.code is RefusalCode.TIMED_OUT
    assert steps == [("a", 0, "unavailable"), ("b", 0, "unavailable")]
    assert (routed.cost, routed.paid_engine) == (ONE_CENT, "a")


async def forever() -> Rendering:
    await asyncio.Event().wait()
    return made("late")


async def test_the_whole_journey_has_a_time_limit():
    engines = [Scripted("a", forever), Scripted("b", made("b"))]
    routed, steps = await tried(TryOnRouter(engines, Gate(GOOD), time_limit=0.05))
    assert isinstance(routed.result, Refusal)
    assert routed.result.code is RefusalCode.TIMED_OUT
    assert steps == [("a", 0, "timed_out")]


async def test_after_a_bad_picture_a_time_out_still_counts_what_was_paid():
    engines = [Scripted("a", made("a"), forever)]
    routed, steps = await tried(TryOnRouter(engines, Gate(BAD), time_limit=0.3))
    assert routed.result.code is RefusalCode.QUALITY_TOO_LOW
    assert steps == [("a", 0, "quality_too_low"), ("a", 1, "timed_out")]
    assert routed.cost == ONE_CENT


async def test_being_cancelled_is_passed_on():
    router = TryOnRouter([Scripted("a", forever)], Gate(GOOD))
    task = asyncio.create_task(router.render(PERSON, GARMENT, OPTIONS))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_many_shoppers_at_once_do_not_mix_their_attempts():
    router = TryOnRouter([Scripted("a", made("a"))], Gate(GOOD))
    many = await asyncio.gather(*(router.render(PERSON, GARMENT, OPTIONS) for _ in range(50)))
    assert all(len(routed.attempts) == 1 for routed in many)


def test_a_router_needs_something_to_route_to():
    with pytest.raises(ValueError, match="at least one"):
        TryOnRouter([], Gate(GOOD))
    with pytest.raises(ValueError, match="at least one"):
        TryOnRouter([Scripted("a", made("a"))], Gate(GOOD), max_attempts=0)
