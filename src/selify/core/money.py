"""Money and credits as types of their own, so that no sum mixes two units by accident.

Units (source: the reference's comments on ``workspace_quotas`` and ``workspace_payg_balance``):

* ``MicroUnits``: 100,000 = US$ 1.00.
* ``Credits``: the week's allowance; 1 credit = 6 micro-units (10,000 credits = $0.60).
* ``Cents``: 100 = US$ 1.00; what a card is charged.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

MICRO_UNITS_PER_DOLLAR = 100_000
MICRO_UNITS_PER_CENT = 1_000
MICRO_UNITS_PER_CREDIT = 6


@dataclass(frozen=True, slots=True, order=True)
class _Amount:
    """A whole number of one unit. Only amounts of the same unit add up or compare."""

    value: int
    unit: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise TypeError(f"{type(self).__name__} takes a whole number, not {self.value!r}")

    @classmethod
    def zero(cls) -> Self:
        return cls(0)

    def __add__(self, other: Self) -> Self:
        return type(self)(self.value + self._same(other).value)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.value - self._same(other).value)

    def __mul__(self, times: int) -> Self:
        return type(self)(self.value * times)

    def __neg__(self) -> Self:
        return type(self)(-self.value)

    def __bool__(self) -> bool:
        return self.value != 0

    def _same(self, other: Self) -> Self:
        if type(other) is not type(self):
            raise TypeError(f"cannot mix {type(self).__name__} and {type(other).__name__}")
        return other


class Cents(_Amount):
    """US cents, as a card is charged."""

    __slots__ = ()

    def to_micro_units(self) -> "MicroUnits":
        return MicroUnits(self.value * MICRO_UNITS_PER_CENT)

    def __str__(self) -> str:
        return f"${self.value / 100:,.2f}"


class MicroUnits(_Amount):
    """100,000 to the dollar: fine enough for the cost of one message."""

    __slots__ = ()

    def to_cents(self) -> Cents:
        """Rounded half to even, once, at the very end of a sum."""
        return Cents(round(self.value / MICRO_UNITS_PER_CENT))

    def __str__(self) -> str:
        return f"${self.value / MICRO_UNITS_PER_DOLLAR:,.5f}"


class Credits(_Amount):
    """The weekly allowance's unit."""

    __slots__ = ()

    def to_micro_units(self) -> MicroUnits:
        return MicroUnits(self.value * MICRO_UNITS_PER_CREDIT)

    def __str__(self) -> str:
        return f"{self.value:,} credits"
