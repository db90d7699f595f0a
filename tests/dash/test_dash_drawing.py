"""Numbers into pictures, and typed words into values."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selify.core.errors import Invalid
from selify.dash import charts, forms
from selify.dash.environment import STATIC
from selify.tryon.pages import funnel_chart

KEYS = ("triggers", "answered", "photos", "tried_on", "liked")


def counts(*numbers: int) -> dict[str, int]:
    return dict(zip(KEYS, numbers, strict=True))


def test_a_funnel_tells_shares_of_the_whole_and_of_the_step_before() -> None:
    steps = funnel_chart.funnel(counts(200, 180, 90, 90, 45)).steps
    assert [step.share for step in steps] == [100, 90, 45, 45, 22]
    assert [step.of_previous for step in steps] == [None, 90, 50, 100, 50]


def test_an_empty_funnel_says_so() -> None:
    assert funnel_chart.funnel({}).empty
    assert not funnel_chart.funnel(counts(1, 0, 0, 0, 0)).empty


@given(st.lists(st.integers(0, 10**9), min_size=5, max_size=5))
def test_any_funnel_stays_in_its_frame(numbers: list[int]) -> None:
    funnel = funnel_chart.funnel(counts(*numbers))
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", funnel.band)
    assert all(0 <= float(x) <= funnel.width and 0 <= float(y) <= funnel.height for x, y in points)
    assert all(0 <= step.share <= 100 for step in funnel.steps)


def test_bars_stand_on_each_other_and_the_highest_fills_the_frame() -> None:
    quiet, busy = charts.bars([("1 May", 0, 0), ("2 May", 30, 10)])
    assert (quiet.total, quiet.lower, quiet.upper) == (0, 0, 0)
    assert (busy.total, busy.lower, busy.upper) == (40, 75, 25)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", []),
        (" , ;\n", []),
        ("try on, Anprobe", ["try on", "Anprobe"]),
        ("a;b\nc,a", ["a", "b", "c"]),
    ],
)
def test_keywords_as_people_type_them(typed: str, kept: list[str]) -> None:
    assert forms.keyword_list(typed) == kept


@pytest.mark.parametrize("typed", [",".join("abcdefghijklmnopqrstuvwxyz"), "x" * 41])
def test_too_many_or_too_long_keywords(typed: str) -> None:
    with pytest.raises(Invalid):
        forms.keyword_list(typed)


@pytest.mark.parametrize(
    ("typed", "cents"),
    [("", None), ("39", 3900), ("39.9", 3990), ("39,90", 3990), (" 0.05 ", 5), ("0", 0)],
)
def test_prices_as_people_type_them(typed: str, cents: int | None) -> None:
    assert forms.cents(typed) == cents


@pytest.mark.parametrize("typed", ["-1", "1.234", "free", "1e3", "٣", "39.", "9" * 9])
def test_no_prices(typed: str) -> None:
    with pytest.raises(Invalid):
        forms.cents(typed)


@pytest.mark.parametrize("typed", ["-1", "1.5", "many", "٣", "9" * 9])
def test_no_counts(typed: str) -> None:
    with pytest.raises(Invalid):
        forms.count(typed, "The stock")


def test_the_style_sheet_says_nothing_twice() -> None:
    """Of two rules with the same selectors the first says what does not hold."""
    sheet = re.sub(r"/\*.*?\*/", "", (STATIC / "selify.css").read_text(), flags=re.DOTALL)
    for block in (re.sub(r"@[^{]+\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", sheet), *_media(sheet)):
        selectors = Counter(found.strip() for found in re.findall(r"([^{}]+)\{", block))
        assert [each for each, times in selectors.items() if times > 1] == []


def _media(sheet: str) -> list[str]:
    return re.findall(r"@media[^{]+\{((?:[^{}]*\{[^{}]*\})*)", sheet)
