"""The table is generated: what it says, what counts as reached, and where it is written."""

import json
from pathlib import Path

import pytest
from bench.instruments.report import (
    END,
    START,
    Line,
    Report,
    merged,
    proportion,
    quantity,
    replaced,
)

MACHINE = {"cores": "2 (a processor)", "PostgreSQL": "18.4"}


def line(figure: str, value: float = 100.0, **more) -> Line:
    return Line(figure, f"what {figure} measures", value, "/s", **more)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (12_345.6, "/s", "12,346/s"),
        (100.4, "MB", "100 MB"),
        (3.14159, "s", "3.14 s"),
        (0.5, "s", "0.5 s"),
    ],
)
def test_quantities_have_as_many_digits_as_help(value: float, unit: str, shown: str) -> None:
    assert quantity(value, unit) == shown


@pytest.mark.parametrize(("ratio", "shown"), [(0.604, "60 %"), (1.2, "120 %"), (2.04, "2.0 ×")])
def test_ratios_are_percents_and_from_one_and_a_half_on_factors(ratio: float, shown: str) -> None:
    assert proportion(ratio) == shown


@pytest.mark.parametrize(
    ("made", "reached"),
    [
        (line("a", ratio=0.6, aim=0.6), True),
        (line("a", ratio=0.599, aim=0.6), False),
        (line("a", aim=0.6), False),
        (line("a", value=9.9, aim=10.0, aim_is_limit=True), True),
        (line("a", value=10.1, aim=10.0, aim_is_limit=True), False),
        (line("a", value=99, ratio=1.9, aim=2.0, ratio_is_limited=True), True),
        (line("a", value=1, ratio=2.1, aim=2.0, ratio_is_limited=True), False),
        (line("a"), None),
    ],
)
def test_an_aim_is_a_least_ratio_or_a_largest_ratio_or_value(
    made: Line, reached: bool | None
) -> None:
    assert made.reached is reached


def test_a_missed_aim_is_shown_as_missed() -> None:
    assert line("a", ratio=0.5, aim=0.6).cells()[-1] == "≥ 60 % ✗"


def test_only_what_is_between_the_markers_changes() -> None:
    text = f"before\n{START}\nold\n{END}\nafter\n"
    once = replaced(text, "new")
    assert once == f"before\n{START}\nnew\n{END}\nafter\n"
    assert replaced(once, "new") == once


@pytest.mark.parametrize("text", ["", START, END, f"{END}{START}"])
def test_a_text_without_both_markers_in_order_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="there is no"):
        replaced(text, "new")


def test_measuring_one_figure_again_keeps_the_others_in_their_order() -> None:
    earlier = [line("c"), line("b", 1), line("b", 2), line("gone"), line("a")]
    lines = merged(earlier, [line("b", 3), line("d"), line("b", 4)], order="abcd")
    assert [(made.figure, made.value) for made in lines] == [
        ("a", 100.0),
        ("b", 3),
        ("b", 4),
        ("c", 100.0),
        ("d", 100.0),
    ]


def test_results_and_readme_are_written_and_read_back(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"# Selify\n{START}\n{END}\nThe end.\n")
    report = Report(tmp_path / "results.json", readme, ("a", "b"))
    report.publish([line("a", 50.0, ratio=0.5, aim=0.6), line("b")], MACHINE)
    assert "with cores 2 (a processor), PostgreSQL 18.4." in readme.read_text()
    other = MACHINE | {"cores": "4 (another processor)"}
    report.publish([line("a", 70.0, ratio=0.7, aim=0.6)], other)
    record = json.loads(report.results.read_text())
    assert record["machines"] == {"a": other, "b": MACHINE}
    assert [made["value"] for made in record["lines"]] == [70.0, 100.0]
    text = readme.read_text()
    assert "| what a measures | 70/s |  |  | 70 % | ≥ 60 % ✓ |" in text
    assert "(`a`) with cores 4 (another processor), PostgreSQL 18.4; " in text
    assert "(`b`) with cores 2 (a processor), PostgreSQL 18.4." in text
    assert text.startswith("# Selify\n")
    assert text.endswith("The end.\n")
