"""Charts: what is to be drawn, as numbers. Pages draw them with uPlot (``static/charts.js``), with axes and a
cursor; the same numbers stand in a table behind each, for whoever reads rather than looks.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

from selify.core.language import translated

Number = int | float


@dataclass(frozen=True, slots=True)
class Series:
    """One number a day; None where there is none."""

    name: str
    values: Sequence[Number | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """``kind``: bars stand on each other, lines cross. The first series stands at the bottom."""

    title: str
    days: Sequence[date]
    series: Sequence[Series]
    kind: Literal["bars", "lines"] = "bars"

    def __post_init__(self) -> None:
        if any(len(one.values) != len(self.days) for one in self.series):
            raise ValueError("each series has one value a day")

    @property
    def is_empty(self) -> bool:
        return not any(value for one in self.series for value in one.values)

    @property
    def rows(self) -> Iterator[tuple[date, list[Number | None]]]:
        """Day by day, as in the table."""
        for place, day in enumerate(self.days):
            yield day, [one.values[place] for one in self.series]

    def drawn(self) -> str:
        """What the script draws from, in the reader's language."""
        moments = [datetime.combine(day, time(), UTC).timestamp() for day in self.days]
        series = [{"name": translated(one.name), "values": list(one.values)} for one in self.series]
        return json.dumps({"kind": self.kind, "days": moments, "series": series})
