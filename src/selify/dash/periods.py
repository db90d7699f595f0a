"""The last so many days, and the days before them to compare with: what figures are shown of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import Depends

from selify.dash.view import Text

CHOICES = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Period:
    """The last ``days`` days up to and with ``today``, in UTC."""

    days: int
    today: date

    @property
    def first(self) -> date:
        return self.today - timedelta(days=self.days - 1)

    @property
    def before(self) -> "Period":
        """As many days, right before."""
        return Period(self.days, self.first - timedelta(days=1))

    def of(self, counted: Mapping[date, int]) -> int:
        """The sum of what was counted on its days."""
        return sum(number for day, number in counted.items() if self.first <= day <= self.today)


@dataclass(frozen=True, slots=True)
class Trend:
    """A figure, and what it was in the days before. ``percent``: by how much it changed; None where
    there was nothing to compare with.
    """

    now: int
    before: int

    @property
    def percent(self) -> int | None:
        return round(100 * (self.now - self.before) / self.before) if self.before else None


def days_of(days: Text = "") -> int:
    """As the address says; the shortest where it says none that can be chosen."""
    return next((choice for choice in CHOICES if str(choice) == days), CHOICES[0])


ChosenDays = Annotated[int, Depends(days_of)]
