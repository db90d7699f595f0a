"""``selify events``."""

from typing import Annotated
from uuid import UUID

import typer

from selify.core.command_line import group, out, refusal, run, transaction

commands = group()
events = group(help="Arrived events: dead letters and replay.")
commands.add_typer(events, name="events")


@events.command("list")
def list_events() -> None:
    """Show events that failed for good."""
    from selify.core.queue import inbox

    async def work() -> list[inbox.DeadLetter]:
        async with transaction() as tx:
            return await inbox.dead_letters(tx)

    letters = run(work())
    if not letters:
        out().print("No dead letters: every event was handled.")
        return
    from rich.table import Table

    table = Table("id", "platform", "type", "arrived", "tries", "what went wrong")
    for letter in letters:
        table.add_row(
            str(letter.id),
            letter.platform,
            letter.event_type,
            f"{letter.created_at:%Y-%m-%d %H:%M}",
            str(letter.retry_count),
            letter.error_message or "",
        )
    out().print(table)


@events.command()
def replay(event_id: Annotated[UUID, typer.Argument(help="The event's id.")]) -> None:
    """Handle a failed or skipped event again."""
    from selify.core.clock import SystemClock
    from selify.core.queue import inbox

    async def work() -> bool:
        async with transaction() as tx:
            return await inbox.replay(tx, event_id, now=SystemClock().now())

    if not run(work()):
        raise refusal("There is no failed event with this id.", hint="See `selify events list`.")
    out().print("It will be handled again.")
