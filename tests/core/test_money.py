"""Amounts add up with their like and with nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selify.core.money import Cents, Credits, MicroUnits

KINDS = (Cents, MicroUnits, Credits)
WHOLE = st.integers(-(10**15), 10**15)


@given(WHOLE, WHOLE, st.sampled_from(KINDS))
def test_arithmetic_is_that_of_whole_numbers(one: int, other: int, kind: type) -> None:
    assert kind(one) + kind(other) == kind(one + other)
    assert kind(one) - kind(other) == kind(one - other)
    assert -kind(one) == kind(-one)
    assert kind(one) * 3 == kind(3 * one)
    assert (kind(one) < kind(other)) == (one < other)
    assert bool(kind(one)) == bool(one)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [1.0, "1", None, True])
def test_only_whole_numbers(kind: type, value: object) -> None:
    with pytest.raises(TypeError):
        kind(value)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_mixes_with_another(kind: type) -> None:
    for other in {*KINDS, int} - {kind}:
        with pytest.raises(TypeError):
            kind(1) + other(1)
        with pytest.raises(TypeError):
            kind(1) - other(1)
        with pytest.raises(TypeError):
            assert kind(1) < other(1)
        assert kind(1) != other(1)
    with pytest.raises(TypeError):
        kind(1) * 1.5


def test_the_reference_s_own_figures() -> None:
    assert Credits(383).to_micro_units() == MicroUnits(2_298)
    assert Credits(17).to_micro_units() == MicroUnits(102)
    assert Credits(10_000).to_micro_units() == MicroUnits(60_000)
    assert MicroUnits(60_000).to_cents() == Cents(60)
    assert Cents(1_500).to_micro_units() == MicroUnits(1_500_000)
    assert str(MicroUnits(2_298)) == "$0.02298"
    assert str(Cents(123_456)) == "$1,234.56"
    assert str(Credits(10_000)) == "10,000 credits"


@given(st.integers(-(10**9), 10**9))
def test_cents_survive_the_way_there_and_back(value: int) -> None:
    assert Cents(value).to_micro_units().to_cents() == Cents(value)
