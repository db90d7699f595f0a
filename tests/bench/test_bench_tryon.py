"""The figure on try-ons: what the engine takes, beside what it takes where memory is short."""

import pytest
from bench.instruments.rounds import WrongResult
from bench.tryon import MOST_MB, MOST_SECONDS, SMALL, Measured, lines

LOOK, MEMORY = "A try-on", "The engine's process at its largest"


def measured(seconds: float | None, megabytes: float) -> list[Measured]:
    return [
        Measured(LOOK, seconds, "s", MOST_SECONDS),
        Measured(MEMORY, megabytes, "MB", MOST_MB),
    ]


def test_each_line_has_its_aim_and_the_small_engine_beside_it() -> None:
    look, memory = lines(measured(3.9, 1300.0), measured(1.1, 300.0))
    assert (look.value, look.compared_with, look.other, look.reached) == (3.9, SMALL, 1.1, True)
    assert (memory.value, memory.other, memory.reached) == (1300.0, 300.0, False)


def test_what_the_small_engine_refuses_has_nothing_beside_it() -> None:
    look, _ = lines(measured(3.9, 700.0), measured(None, 300.0))
    assert (look.compared_with, look.other) == ("", None)


def test_without_a_picture_there_is_no_figure() -> None:
    with pytest.raises(WrongResult):
        lines(measured(None, 700.0), measured(1.1, 300.0))
