"""Numbers into pictures, and typed words into values."""

import json
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selify.core.errors import Invalid
from selify.dash import forms
from selify.dash.charts import Chart, Series
from selify.dash.environment import STATIC
from selify.dash.periods import Period, Trend
from selify.tryon.pages import funnel_chart

SHEETS = sorted((*STATIC.glob("*.css"), *STATIC.parents[1].glob("*/templates/style.css")), key=str)

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


TODAY = date(2026, 5, 10)


def test_a_chart_has_a_value_for_each_day_and_says_so() -> None:
    with pytest.raises(ValueError, match="one value a day"):
        Chart("Credits", [TODAY], [Series("spent", [1, 2])])


def test_a_chart_and_its_table_show_the_same_numbers() -> None:
    days = [TODAY - timedelta(days=1), TODAY]
    chart = Chart("Credits", days, [Series("week", [0, 30]), Series("payg", [None, 10])])
    drawn = json.loads(chart.drawn())
    assert [list(of) for of in zip(*(one["values"] for one in drawn["series"]), strict=True)] == [
        values for _, values in chart.rows
    ]
    assert [datetime.fromtimestamp(at, UTC).date() for at in drawn["days"]] == days
    assert not chart.is_empty
    assert Chart("Credits", days, [Series("week", [0, None])]).is_empty


def test_a_period_and_the_one_before_touch_and_do_not_overlap() -> None:
    period = Period(7, TODAY)
    assert (period.first, period.before.today) == (date(2026, 5, 4), date(2026, 5, 3))
    assert period.before.first == date(2026, 4, 27)
    counted = {date(2026, 4, 26): 1, date(2026, 4, 27): 2, date(2026, 5, 3): 4, TODAY: 8}
    assert (period.of(counted), period.before.of(counted)) == (8, 6)


@pytest.mark.parametrize(
    ("now", "before", "percent"), [(30, 20, 50), (10, 20, -50), (20, 20, 0), (5, 0, None)]
)
def test_a_trend(now: int, before: int, percent: int | None) -> None:
    assert Trend(now, before).percent == percent


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


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: f"{sheet.parts[-3]}/{sheet.name}")
def test_a_style_sheet_says_nothing_twice(sheet: Path) -> None:
    """Of two rules with the same selectors the first says what does not hold."""
    rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    for block in (re.sub(r"@[^{]+\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", rules), *_media(rules)):
        selectors = Counter(found.strip() for found in re.findall(r"([^{}]+)\{", block))
        del selectors["@font-face"]  # one for each part of an alphabet
        assert [each for each, times in selectors.items() if times > 1] == []


def _media(sheet: str) -> list[str]:
    return re.findall(r"@media[^{]+\{((?:[^{}]*\{[^{}]*\})*)", sheet)
