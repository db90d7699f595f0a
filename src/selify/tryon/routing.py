"""From engine to engine until a picture is good enough to send, or the answer is no.

The order of the engines is the brand's; every picture goes through the quality gate; everything
that was tried is reported, for every try costs time and some cost money.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.money import MicroUnits
from selify.tryon.engine.refusals import refusal
from selify.tryon.ports import EngineUnavailable, TryOnEngine
from selify.tryon.types import (
    Picture,
    QualityScores,
    Refusal,
    RefusalCode,
    RefusalReason,
    Rendering,
    RenderOptions,
    RenderWarning,
)

# Person, garment, result, options: the result with its scores, as it may be sent. Without scores it
# could not be measured.
Assess = Callable[[Picture, Picture, Rendering, RenderOptions], Awaitable[Rendering]]

COOL_DOWN_SECONDS: Final = 30.0
MAX_COOL_DOWN_SECONDS: Final = 900.0
TIME_LIMIT_SECONDS: Final = 120.0

# Another engine may do better with these; with any other refusal none can. A refused content is
# final too: passing a photo on until somebody's filter lets it through would be shopping for the
# weakest one.
WORTH_ANOTHER_ENGINE: Final = frozenset(
    {RefusalCode.GARMENT_NOT_FOUND, RefusalCode.QUALITY_TOO_LOW, RefusalCode.TIMED_OUT}
)
FINAL_REFUSALS: Final = frozenset(RefusalCode) - WORTH_ANOTHER_ENGINE

logger = get_logger(__name__)


class Outcome(StrEnum):
    """How one attempt ended."""

    PASSED = "passed"
    QUALITY_TOO_LOW = "quality_too_low"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    COOLING_DOWN = "cooling_down"  # not asked: it was unavailable a moment ago
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: ``number`` as the engine saw it, ``cost`` whether or not a picture came of it. ``piece``: of
    an outfit the garment that it was for, by its category.
    """

    engine: str
    number: int
    outcome: Outcome
    seconds: float
    cost: MicroUnits
    reason: str = ""
    scores: QualityScores | None = None
    piece: str = ""


@dataclass(frozen=True, slots=True)
class Routed:
    """The result, and everything that was tried for it, in order."""

    result: Rendering | Refusal
    attempts: tuple[Attempt, ...]

    @property
    def cost(self) -> MicroUnits:
        """What all attempts together cost us."""
        return _cost_of(self.attempts)

    @property
    def paid_engine(self) -> str:
        """Whom we paid last; who was tried last, where nothing was to be paid."""
        paid = [attempt.engine for attempt in self.attempts if attempt.cost]
        return (paid or [attempt.engine for attempt in self.attempts] or [""])[-1]


class NoEngineAvailable(EngineUnavailable):
    """No engine could say anything at all, and nothing was spent. ``attempts``: what was tried."""

    def __init__(
        self, reason: str, retry_after: float | None, attempts: tuple[Attempt, ...]
    ) -> None:
        super().__init__("every engine", reason, retry_after)
        self.attempts = attempts


class TryOnRouter:
    """Tries engines in order. Long-lived: it remembers which of them is out of order.

    ``assess`` is the quality gate; it computes elsewhere, not here. ``max_attempts`` is per
    engine, ``cool_down`` (unless the provider names a time) and ``time_limit`` are in seconds.
    """

    def __init__(
        self,
        engines: Sequence[TryOnEngine],
        assess: Assess,
        *,
        max_attempts: int = 2,
        cool_down: float = COOL_DOWN_SECONDS,
        time_limit: float = TIME_LIMIT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if not engines or max_attempts < 1:
            raise ValueError("a router needs at least one engine and one attempt")
        self.engines = tuple(engines)
        self.max_attempts = max_attempts
        self.now = monotonic
        self._assess = assess
        self._cool_down = cool_down
        self._time_limit = time_limit
        self._cooling_until: dict[str, float] = {}

    async def render(self, person: Picture, garment: Picture, options: RenderOptions) -> Routed:
        """The first picture that passes, or a refusal.

        Raises ``NoEngineAvailable`` when it is worth trying again, after ``retry_after`` seconds
        where that is known. Once an attempt has cost something it is not: whoever tries again
        without end would pay without end.
        """
        journey = _Journey(self, person, garment, options)
        try:
            async with asyncio.timeout(self._time_limit):
                result = await journey.run()
        except TimeoutError:
            journey.note_time_out()
            result = None
        return Routed(result or self._verdict(journey), tuple(journey.attempts))

    # --- What a journey asks for ---

    async def assess(
        self, person: Picture, garment: Picture, rendering: Rendering, options: RenderOptions
    ) -> Rendering:
        """The rendering with its scores. One that carries them was scored by its engine."""
        if rendering.scores is not None:
            return rendering
        return await self._assess(person, garment, rendering, options)

    def rest(self, engine: str, retry_after: float | None) -> None:
        """Leave an unavailable engine alone for a while."""
        seconds = self._cool_down if retry_after is None else retry_after
        self._cooling_until[engine] = self.now() + min(seconds, MAX_COOL_DOWN_SECONDS)

    def rests_for(self, engine: str) -> float:
        """Seconds until the engine may be asked again; 0 when it may now."""
        return max(0.0, self._cooling_until.get(engine, 0.0) - self.now())

    # --- The end of a journey without a picture ---

    def _verdict(self, journey: "_Journey") -> Refusal:
        outcomes = {attempt.outcome for attempt in journey.attempts}
        if Outcome.QUALITY_TOO_LOW in outcomes:
            return journey.why_too_low()
        if journey.refusals:
            return journey.refusals[0]
        if Outcome.TIMED_OUT in outcomes or _cost_of(journey.attempts):
            return refusal(RefusalCode.TIMED_OUT)
        reasons = "; ".join(f"{a.engine} {a.reason}" for a in journey.attempts)
        waits = [wait for e in self.engines if (wait := self.rests_for(e.name)) > 0]
        raise NoEngineAvailable(reasons, min(waits, default=None), tuple(journey.attempts))


class _Journey:
    """One photo and one garment on their way through the engines."""

    def __init__(
        self, router: TryOnRouter, person: Picture, garment: Picture, options: RenderOptions
    ) -> None:
        self._router = router
        self._person = person
        self._garment = garment
        self._options = options
        self._current = (router.engines[0].name, options.attempt)
        self._started = router.now()
        self.attempts: list[Attempt] = []
        self.refusals: list[Refusal] = []
        self._warnings: set[RenderWarning] = set()

    async def run(self) -> Rendering | Refusal | None:
        """A picture or a final refusal; None when every engine has been tried in vain."""
        for engine in self._router.engines:
            for repeat in range(self._router.max_attempts):
                options = replace(self._options, attempt=self._options.attempt + repeat)
                result = await self._attempt(engine, options)
                if self.attempts[-1].outcome is Outcome.PASSED:
                    return result
                if isinstance(result, Refusal) and result.code in FINAL_REFUSALS:
                    return result
                lacking = isinstance(result, Refusal) and result.reason is not None
                settled = lacking or (result is not None and result.final)
                if self.attempts[-1].outcome is not Outcome.QUALITY_TOO_LOW or settled:
                    break  # another roll of the same engine would end alike
        return None

    def why_too_low(self) -> Refusal:
        """What the photo lacks, where anybody knows; advice that it follows already helps no one."""
        told = [r for r in self.refusals if r.code is RefusalCode.QUALITY_TOO_LOW]
        if known := next((refused for refused in told if refused.reason), None):
            return known
        if RenderWarning.ARMS_COVER_GARMENT in self._warnings:
            return refusal(
                RefusalCode.QUALITY_TOO_LOW,
                hint=_("Please send a photo with your arms beside your body."),
                details={"reason": RefusalReason.ARMS.value},
            )
        return told[0] if told else refusal(RefusalCode.QUALITY_TOO_LOW)

    async def _attempt(
        self, engine: TryOnEngine, options: RenderOptions
    ) -> Rendering | Refusal | None:
        self._current = (engine.name, options.attempt)
        self._started = self._router.now()
        if wait := self._router.rests_for(engine.name):
            self._note(Outcome.COOLING_DOWN, reason=f"rests for {wait:.0f} s more")
            return None
        try:
            result = await engine.render(self._person, self._garment, options)
        except EngineUnavailable as error:
            self._router.rest(engine.name, error.retry_after)
            self._note(Outcome.UNAVAILABLE, error.cost, error.reason)
            return None
        except Exception as error:
            # A bug in one engine must not keep the shopper from the next.
            logger.exception("try-on engine crashed", engine=engine.name)
            self._note(Outcome.CRASHED, reason=type(error).__name__)
            return None
        if isinstance(result, Refusal):
            return self._refused(result)
        return await self._assessed(result, options)

    def _refused(self, result: Refusal) -> Refusal:
        self.refusals.append(result)
        if result.code is RefusalCode.QUALITY_TOO_LOW:
            self._note(Outcome.QUALITY_TOO_LOW, result.cost, _reason_of(result))
        else:
            self._note(Outcome.REFUSED, result.cost, result.code.value)
        return result

    async def _assessed(self, rendering: Rendering, options: RenderOptions) -> Rendering | None:
        try:
            rendering = await self._router.assess(self._person, self._garment, rendering, options)
        except asyncio.CancelledError:
            self._note(Outcome.TIMED_OUT, rendering.cost, "while its quality was measured")
            raise
        except Exception as error:
            logger.exception("quality gate crashed", engine=rendering.engine)
            self._note(Outcome.CRASHED, rendering.cost, f"quality gate: {type(error).__name__}")
            return None
        scores = rendering.scores
        if scores is None:  # a picture that nobody has looked at is not sent
            self._note(Outcome.QUALITY_TOO_LOW, rendering.cost, "not measured")
            return None
        outcome = Outcome.PASSED if scores.passed else Outcome.QUALITY_TOO_LOW
        self._warnings |= set(rendering.warnings)
        self._note(outcome, rendering.cost, ", ".join(scores.misses), scores)
        return rendering

    def note_time_out(self) -> None:
        """The engine at work when the time was up; what it may still charge is not known."""
        if not self.attempts or self.attempts[-1].outcome is not Outcome.TIMED_OUT:
            self._note(Outcome.TIMED_OUT, reason="the time for a try-on was up")

    def _note(
        self,
        outcome: Outcome,
        cost: MicroUnits | None = None,
        reason: str = "",
        scores: QualityScores | None = None,
    ) -> None:
        engine, number = self._current
        seconds = self._router.now() - self._started
        spent = cost or MicroUnits.zero()
        self.attempts.append(Attempt(engine, number, outcome, seconds, spent, reason, scores))
        logger.info(
            "try-on attempt",
            engine=engine,
            attempt=number,
            outcome=outcome.value,
            seconds=round(seconds, 2),
            cost=spent.value,
            reason=reason,
        )


def _cost_of(attempts: Sequence[Attempt]) -> MicroUnits:
    return sum((attempt.cost for attempt in attempts), MicroUnits.zero())


def _reason_of(result: Refusal) -> str:
    return str(result.details.get("reason", result.code.value))
