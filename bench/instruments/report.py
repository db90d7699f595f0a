"""From measured lines to the table on the screen, ``results.json`` and README.md."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

START, END = "<!-- bench:start -->", "<!-- bench:end -->"
_COLUMNS = ("What", "Selify", "Compared with", "", "Ratio", "Aim")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. ``value`` and ``other`` are in ``unit``.

    ``ratio`` is ours to theirs, measured side by side; ``aim`` the least of it that we want to reach,
    with ``ratio_is_limited`` the most; or with ``aim_is_limit`` the largest value.
    """

    figure: str
    what: str
    value: float
    unit: str
    compared_with: str = ""
    other: float | None = None
    ratio: float | None = None
    aim: float | None = None
    aim_is_limit: bool = False
    ratio_is_limited: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if self.aim is None:
            return None
        if self.aim_is_limit:
            return self.value <= self.aim
        if self.ratio is None:
            return False
        return self.ratio <= self.aim if self.ratio_is_limited else self.ratio >= self.aim

    def cells(self) -> tuple[str, ...]:
        return (
            self.what,
            quantity(self.value, self.unit),
            self.compared_with,
            "" if self.other is None else quantity(self.other, self.unit),
            "" if self.ratio is None else proportion(self.ratio),
            self._aim_cell(),
        )

    def _aim_cell(self) -> str:
        if self.aim is None:
            return ""
        sign = "≤" if self.aim_is_limit or self.ratio_is_limited else "≥"
        aim = quantity(self.aim, self.unit) if self.aim_is_limit else proportion(self.aim)
        return f"{sign} {aim} {'✓' if self.reached else '✗'}"


def quantity(value: float, unit: str) -> str:
    """With as many digits as a reader can use: three, or whole numbers from a hundred on."""
    number = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{number}{unit}" if unit.startswith("/") else f"{number} {unit}"


def proportion(ratio: float) -> str:
    return f"{ratio:.1f} ×" if ratio >= 1.5 else f"{ratio:.0%}".replace("%", " %")


Machine = Mapping[str, Any]
"""Facts by name, of the machine that a figure was measured on."""


def table(lines: Sequence[Line], machines: Mapping[str, Machine]) -> str:
    """Markdown. ``machines``: by figure."""
    rows = [_COLUMNS, ("---", "---:", "---", "---:", "---:", "---"), *(i.cells() for i in lines)]
    body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"{body}\n\nMeasured by `make bench` {_where(machines)}."


def _where(machines: Mapping[str, Machine]) -> str:
    """Figures of one machine share its facts; only where there are several are they named."""
    figures: dict[str, list[str]] = {}
    for figure, machine in machines.items():
        facts = ", ".join(f"{name} {value}" for name, value in machine.items())
        figures.setdefault(facts, []).append(f"`{figure}`")
    if len(figures) == 1:
        return f"with {next(iter(figures))}"
    return "; ".join(f"({', '.join(names)}) with {facts}" for facts, names in figures.items())


def replaced(text: str, generated: str) -> str:
    """The text with what is between the markers exchanged. Raises ValueError without markers."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"there is no {START} … {END}")
    return f"{before}{START}\n{generated}\n{END}{after}"


def merged(earlier: Sequence[Line], measured: Sequence[Line], order: Sequence[str]) -> list[Line]:
    """The figures in their order, each as it was measured last. Figures that are gone fall out."""
    fresh = {line.figure for line in measured}
    kept = [line for line in earlier if line.figure in order and line.figure not in fresh]
    return sorted([*kept, *measured], key=lambda line: order.index(line.figure))


@dataclass(frozen=True, slots=True)
class Report:
    """Where the results of this and earlier runs are kept, and the order of the figures."""

    results: Path
    readme: Path
    order: Sequence[str]

    def publish(self, measured: Sequence[Line], machine: Machine) -> None:
        """Write both files; figures that were not measured now keep their last results, and their machine."""
        earlier = self._earlier()
        lines = merged([Line(**line) for line in earlier["lines"]], measured, self.order)
        known = {**earlier["machines"], **{line.figure: dict(machine) for line in measured}}
        machines = {figure: known[figure] for figure in dict.fromkeys(i.figure for i in lines)}
        record = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machines": machines,
            "lines": [asdict(line) for line in lines],
        }
        self.results.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        text = self.readme.read_text() if self.readme.exists() else ""
        if START in text:
            self.readme.write_text(replaced(text, table(lines, machines)))

    def _earlier(self) -> dict[str, Any]:
        if not self.results.exists():
            return {"lines": [], "machines": {}}
        return dict(json.loads(self.results.read_text()))


def show(lines: Sequence[Line], out: Console) -> None:
    shown = Table(*_COLUMNS)
    for line in lines:
        shown.add_row(*line.cells())
    out.print(shown)
