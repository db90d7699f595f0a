"""Rounds and medians: contenders take turns, so that whatever slows the machine slows them all."""

import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

Measure = Callable[[], Awaitable[float]]
"""Measures once; what the number means is the figure's business."""


class WrongResult(Exception):
    """What ran did not do its work: its speed means nothing."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: so many rounds, each of about so many seconds per contender."""

    rounds: int
    seconds: float


THOROUGH = Effort(rounds=5, seconds=3.0)
QUICK = Effort(rounds=3, seconds=1.0)


@dataclass(frozen=True, slots=True)
class Series:
    """What one contender measured, in order of rounds."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def ratio_to(self, other: "Series") -> float:
        """The median of the rounds' own ratios.

        The two of one round ran within seconds of each other; medians of the whole series may come
        from different minutes of a busy machine.
        """
        return statistics.median(
            own / theirs for own, theirs in zip(self.values, other.values, strict=True)
        )


async def take_turns(contenders: Mapping[str, Measure], rounds: int) -> dict[str, Series]:
    """A, B, A, B …; one warm-up of each goes first and is not counted."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, measure in contenders.items():
            value = await measure()
            if number:
                values[name].append(value)
    return {name: Series(tuple(measured)) for name, measured in values.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    if not values:
        raise ValueError("nothing was measured")
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, int(rank) - 1)]


async def seconds_of(work: Awaitable[object]) -> float:
    """How long it took."""
    started = time.perf_counter()
    await work
    return time.perf_counter() - started
