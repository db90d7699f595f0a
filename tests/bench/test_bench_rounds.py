"""The bench's own arithmetic: rounds, medians, percentiles."""

import pytest
from bench.instruments.rounds import Series, percentile, take_turns


def test_the_ratio_is_taken_round_by_round() -> None:
    """A machine that halves its speed for two of three rounds changes rates, not the ratio."""
    ours, theirs = Series((300.0, 150.0, 145.0)), Series((400.0, 200.0, 200.0))
    assert ours.median == 150.0
    assert ours.ratio_to(theirs) == 0.75


def test_series_of_different_lengths_are_not_compared() -> None:
    with pytest.raises(ValueError, match="longer"):
        Series((1.0,)).ratio_to(Series((1.0, 2.0)))


async def test_contenders_take_turns_and_the_warm_up_is_not_counted() -> None:
    order: list[str] = []

    def contender(name: str):
        async def measure() -> float:
            order.append(name)
            return float(len(order))

        return measure

    series = await take_turns({"a": contender("a"), "b": contender("b")}, rounds=2)
    assert order == ["a", "b"] * 3
    assert series["a"].values == (3.0, 5.0)
    assert series["b"].values == (4.0, 6.0)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.01, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_one_of_the_values_by_nearest_rank(share: float, expected: float) -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, share) == expected


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.99)
