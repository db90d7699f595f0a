"""``selify engines``."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from selify.core.command_line import group, out, run, transaction

if TYPE_CHECKING:
    from rich.table import Table

    from selify.tryon.league import League

commands = group()
engines = group(help="The engines that make pictures, side by side.")
commands.add_typer(engines, name="engines")


@engines.callback()
def _engines() -> None:
    """More than one command may stand here."""


@engines.command()
def league(
    workspace_id: Annotated[UUID, typer.Argument(help="The id of a brand's workspace.")],
    days: Annotated[int, typer.Option(min=1, max=400, help="Of so many days.")] = 30,
) -> None:
    """Say how often each engine's pictures are sent, how fast it is, and what a sent picture cost us."""
    from datetime import UTC, datetime, timedelta

    from selify.tryon.league import league as read

    async def work() -> "League":
        now = datetime.now(UTC)
        async with transaction() as tx:
            return await read(tx, workspace_id, since=now - timedelta(days=days), until=now)

    out().print(as_table(run(work())))


def as_table(found: "League") -> "Table":
    """One line for each engine, the best first; costs in dollars."""
    from rich import box
    from rich.table import Table

    from selify.core.money import MICRO_UNITS_PER_DOLLAR

    table = Table(box=box.SIMPLE)
    for title in ("Engine", "Asked", "Sent", "Median s", "95 % s", "Again", "Cost of a sent one"):
        table.add_column(title, justify="left" if title == "Engine" else "right")
    for one in found.standings:
        table.add_row(
            one.engine,
            str(one.asked),
            f"{one.sent} ({one.percent} %)",
            "–" if one.middle is None else f"{one.middle:.1f}",
            "–" if one.slow is None else f"{one.slow:.1f}",
            str(one.again),
            "–" if one.cost is None else f"${one.cost.value / MICRO_UNITS_PER_DOLLAR:.4f}",
        )
    return table
