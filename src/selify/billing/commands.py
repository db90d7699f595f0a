"""``selify usage``."""

from typing import Annotated, Any
from uuid import UUID

import typer

from selify.core.command_line import group, out, run, transaction

commands = group()
usage = group(help="Charges, and why they were made.")
commands.add_typer(usage, name="usage")


@usage.command()
def explain(event_id: Annotated[UUID, typer.Argument(help="The id of a usage event.")]) -> None:
    """Say what a charge was for, what it cost, who paid and why."""
    from selify import billing

    async def work() -> Any:
        async with transaction() as tx:
            return await billing.explain(tx, event_id)

    for sentence in run(work()).sentences:
        out().print(f"· {sentence}", highlight=False)
