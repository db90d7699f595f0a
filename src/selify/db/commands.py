"""``selify db``."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from selify.core.command_line import addresses, err, group, load_settings, out, refusal, run

commands = group()
database = group(help="The database: upgrade, reference, url, shell.")
commands.add_typer(database, name="db")


@database.command()
def upgrade() -> None:
    """Bring the database to this program's revision. Harmless to repeat."""
    from selify import running

    async def work() -> None:
        async with addresses(load_settings()) as found:
            with err().status("Upgrading the database …"):
                await running.prepare(found)

    run(work())


@database.command(epilog="Example: selify db reference --output docs/reference/public_schema.md")
def reference(
    output: Annotated[Path | None, typer.Option(help="A file; otherwise it is printed.")] = None,
) -> None:
    """Write the schema reference from the live database."""
    import asyncpg

    from selify.db.reference import render_reference

    async def work() -> str:
        async with addresses(load_settings()) as found:
            connection = await asyncpg.connect(found.owner)
            try:
                return await render_reference(connection, generated_at=datetime.now(UTC))
            finally:
                await connection.close()

    text: str = run(work())
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text)
        out().print(f"Written to {output}")


@database.command()
def url() -> None:
    """Print the database's address (starts the embedded one if need be, and leaves it running)."""

    async def work() -> str:
        async with addresses(load_settings(), keep=True) as found:
            return found.owner

    sys.stdout.write(run(work()) + "\n")


@database.command()
def shell() -> None:
    """Open psql on the database."""
    import asyncio

    async def work() -> int:
        async with addresses(load_settings()) as found:
            process = await asyncio.create_subprocess_exec("psql", found.owner)
            return await process.wait()

    try:
        sys.exit(run(work()))
    except FileNotFoundError as error:
        raise refusal("psql is not installed.", hint="Install PostgreSQL's client.") from error
