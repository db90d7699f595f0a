"""``selify``: everything one can ask of the program from a shell.

Every refusal is one line that says what is wrong and one that says what to do; exit code 1.

Every command imports what it needs by itself: who asks for help waits for none of it
(``tests/test_imports.py``). A package installed beside us adds its commands with an entry point of
the group ``selify.commands``: a ``typer.Typer`` whose commands stand beside ours.
"""

import contextlib
import functools
import sys
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from typer.core import TyperGroup
from typer.main import get_group

from selify.core.errors import SelifyError

if TYPE_CHECKING:
    from rich.console import Console

    from selify.core.database import Tx
    from selify.core.database_access import Addresses
    from selify.core.settings import Settings

INSTALLED = "selify.commands"


class _Commands(TyperGroup):
    """Ours, and those of packages beside us, which are looked for only where ours do not answer."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.commands:
            self._look_around()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        self._look_around()
        return super().list_commands(ctx)

    def _look_around(self) -> None:
        from importlib.metadata import entry_points

        for found in entry_points(group=INSTALLED):
            try:
                theirs = get_group(found.load()).commands
            except ImportError as error:
                raise SelifyError(
                    f"The commands of {found.module} cannot be loaded: {error}.",
                    hint="Install that package again, or remove it.",
                ) from error
            self.commands = {**theirs, **self.commands}


# Typer's coloured help takes as long to load as all the rest of it.
_commands = functools.partial(typer.Typer, no_args_is_help=True, rich_markup_mode=None)
app = _commands(
    name="selify",
    cls=_Commands,
    help="Open, self-hostable try-on commerce for fashion brands.",
    pretty_exceptions_enable=False,
    epilog="Settings: SELIFY_… in the environment or in selify.env. Start with: selify up",
)
db_commands = _commands(help="The database: upgrade, reference, url, shell.")
events_commands = _commands(help="Arrived events: dead letters and replay.")
secrets_commands = _commands(help="Keys that seal stored secrets.")
usage_commands = _commands(help="Charges, and why they were made.")
app.add_typer(db_commands, name="db")
app.add_typer(events_commands, name="events")
app.add_typer(secrets_commands, name="secrets")
app.add_typer(usage_commands, name="usage")


@functools.cache
def out() -> "Console":
    from rich.console import Console

    return Console()


@functools.cache
def err() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def main() -> None:
    """The entry point: refusals become two lines and exit code 1."""
    try:
        app()
    except SelifyError as error:
        _say(error.detail, error.hint)
        sys.exit(1)
    except OSError as error:  # a file, a folder or a connection that is not what we were told
        import logging

        logging.getLogger(__name__).debug("the command ended with", exc_info=error)
        reason = error.strerror or str(error) or type(error).__name__
        _say(f"{error.filename}: {reason}." if error.filename else f"{reason}.")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from selify.core.files.disk import DiskTrouble
        from selify.core.web.problems import from_database

        said = from_database(error)
        if not isinstance(said, DiskTrouble):
            raise
        _say(said.detail, said.hint)
        sys.exit(1)


def _say(detail: str, hint: str = "") -> None:
    from rich.markup import escape

    err().print(f"[bold red]✗[/] {escape(detail)}", highlight=False, soft_wrap=True)
    if hint:
        err().print(f"  {escape(hint)}", highlight=False, soft_wrap=True)


# --- Running -------------------------------------------------------------------------------------


@app.command(epilog="Example: SELIFY_PORT=9000 SELIFY_WORKERS=2 selify up")
def up() -> None:
    """Start everything and keep it running: database, server, workers."""
    from selify import running

    _run(running.up(_settings()))


@app.command()
def serve() -> None:
    """Run the server alone (the database must be up to date)."""
    from selify import running

    running.serve(_settings())


@app.command()
def worker() -> None:
    """Run one worker alone. Start as many as you like, on as many machines."""
    from selify import running

    _run(running.work(_settings()))


@app.command(epilog="Example: selify settings --markdown > docs/reference/settings.md")
def settings(
    markdown: Annotated[
        bool, typer.Option(help="The reference page of the documentation.")
    ] = False,
) -> None:
    """Show every setting, its value in force and what it is for."""
    from selify import settings_reference

    if markdown:
        sys.stdout.write(settings_reference.as_markdown())
    else:
        out().print(settings_reference.as_table())


@app.command(epilog="Example: selify permissions --markdown > docs/reference/permissions.md")
def permissions(
    markdown: Annotated[
        bool, typer.Option(help="The reference page of the documentation.")
    ] = False,
) -> None:
    """Show every permission, which roles hold it and what it is for."""
    from selify import permissions_reference

    if markdown:
        sys.stdout.write(permissions_reference.as_markdown())
    else:
        out().print(permissions_reference.as_table())


# --- The database --------------------------------------------------------------------------------


@db_commands.command()
def upgrade() -> None:
    """Bring the database to this program's revision. Harmless to repeat."""
    from selify import running

    async def run() -> None:
        async with _addresses(_settings()) as found:
            with err().status("Upgrading the database …"):
                await running.prepare(found)

    _run(run())


@db_commands.command(epilog="Example: selify db reference --output docs/reference/public_schema.md")
def reference(
    output: Annotated[Path | None, typer.Option(help="A file; otherwise it is printed.")] = None,
) -> None:
    """Write the schema reference from the live database."""
    import asyncpg

    from selify.db.reference import render_reference

    async def run() -> str:
        async with _addresses(_settings()) as found:
            connection = await asyncpg.connect(found.owner)
            try:
                return await render_reference(connection, generated_at=datetime.now(UTC))
            finally:
                await connection.close()

    text: str = _run(run())
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text)
        out().print(f"Written to {output}")


@db_commands.command()
def url() -> None:
    """Print the database's address (starts the embedded one if need be, and leaves it running)."""

    async def run() -> str:
        async with _addresses(_settings(), keep=True) as found:
            return found.owner

    sys.stdout.write(_run(run()) + "\n")


@db_commands.command()
def shell() -> None:
    """Open psql on the database."""
    import asyncio

    async def run() -> int:
        async with _addresses(_settings()) as found:
            process = await asyncio.create_subprocess_exec("psql", found.owner)
            return await process.wait()

    try:
        sys.exit(_run(run()))
    except FileNotFoundError as error:
        raise SelifyError("psql is not installed.", hint="Install PostgreSQL's client.") from error


@app.command(epilog="Example: selify backup /var/backups/selify-2026-11-29.zip")
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
) -> None:
    """Write the database and all stored files into one file, while everything runs on.

    It holds no key: keep secret.key of the data directory, or SELIFY_SECRET_KEYS, in another place.
    """
    from selify import backup as backups
    from selify.core.clock import SystemClock
    from selify.core.files.storage import Storage

    settings = _settings()

    async def run() -> backups.Contents:
        async with _addresses(settings) as found:
            storage = Storage.open(settings.files_url)
            now = SystemClock().now()
            return await backups.write(file, found.owner, storage, settings.secret_box, now=now)

    made = _run(run())
    keys = ", ".join(f"“{name}”" for name in made.keys)
    out().print(
        f"{file}: the database at revision {made.revision} and {made.files} files."
        f" Kept apart from it you need the key {keys} to restore it.",
        highlight=False,
        soft_wrap=True,
    )


@app.command(
    epilog="Example: SELIFY_DATA_DIR=/var/lib/selify-new selify restore selify-2026-11-29.zip"
)
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `selify backup` wrote.")],
    key_lost: Annotated[
        bool,
        typer.Option("--key-lost", help="Without the key: every account is connected again."),
    ] = False,
) -> None:
    """Put a backup into an empty database and bring it to this program's revision.

    Nothing is overwritten: where there is something already, it is refused.
    """
    from selify import backup as backups
    from selify import running
    from selify.core.files.storage import Storage

    settings = _settings()
    contents = backups.read(file)
    if not key_lost:
        backups.check_keys(contents, settings)

    async def run() -> None:
        async with _addresses(settings) as found:
            await backups.restore(file, found.owner, Storage.open(settings.files_url))
            await running.prepare(found)

    _run(run())
    out().print(
        f"Restored: what was there on {contents.made_at:%Y-%m-%d at %H:%M} UTC, with"
        f" {contents.files} files.",
        highlight=False,
        soft_wrap=True,
    )


# --- Events --------------------------------------------------------------------------------------


@events_commands.command("list")
def list_events() -> None:
    """Show events that failed for good."""
    from selify.core.queue import inbox

    async def run() -> list[dict[str, Any]]:
        async with _tx() as tx:
            return await inbox.dead_letters(tx)

    rows = _run(run())
    if not rows:
        out().print("No dead letters: every event was handled.")
        return
    from rich.table import Table

    table = Table("id", "platform", "type", "arrived", "tries", "what went wrong")
    for row in rows:
        table.add_row(
            str(row["id"]),
            row["platform"],
            row["event_type"],
            f"{row['created_at']:%Y-%m-%d %H:%M}",
            str(row["retry_count"]),
            row["error_message"] or "",
        )
    out().print(table)


@events_commands.command()
def replay(event_id: Annotated[UUID, typer.Argument(help="The event's id.")]) -> None:
    """Handle a failed or skipped event again."""
    from selify.core.queue import inbox

    async def run() -> bool:
        async with _tx() as tx:
            return await inbox.replay(tx, event_id)

    if not _run(run()):
        raise SelifyError(
            "There is no failed event with this id.", hint="See `selify events list`."
        )
    out().print("It will be handled again.")


# --- Secrets -------------------------------------------------------------------------------------


@secrets_commands.command("new-key")
def new_key(name: Annotated[str, typer.Argument(help="A short id for the key.")] = "k2") -> None:
    """Print a fresh key for SELIFY_SECRET_KEYS (put it first, keep the old ones behind it)."""
    from selify.core.secrets import SecretBox

    sys.stdout.write(SecretBox.new_key(name) + "\n")


@secrets_commands.command()
def rotate() -> None:
    """Seal every stored secret with the current key. Restart every process first, wherever it runs:
    one that does not know the current key can read nothing afterwards.
    """
    from selify.core.settings import own_key_file
    from selify.messaging import tokens

    settings = _settings()
    box = settings.secret_box

    async def run() -> int:
        async with _tx() as tx:
            return await tokens.reseal_tokens(tx, box)

    out().print(f"{_run(run())} secrets sealed with the current key, “{box.current_key}”.")
    if box.older_keys:
        own = own_key_file(settings.data_dir)
        where = f"SELIFY_SECRET_KEYS and {own}" if own.exists() else "SELIFY_SECRET_KEYS"
        names = ", ".join(f"“{name}”" for name in box.older_keys)
        out().print(f"The old keys may be removed now: {names} ({where}).", soft_wrap=True)


# --- Usage ---------------------------------------------------------------------------------------


@usage_commands.command()
def explain(event_id: Annotated[UUID, typer.Argument(help="The id of a usage event.")]) -> None:
    """Say what a charge was for, what it cost, who paid and why."""
    from selify import billing

    async def run() -> Any:
        async with _tx() as tx:
            return await billing.explain(tx, event_id)

    for sentence in _run(run()).sentences:
        out().print(f"· {sentence}", highlight=False)


# --- What commands stand on ----------------------------------------------------------------------


def _settings() -> "Settings":
    from selify.core import settings

    return settings.load()


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    import uvloop

    return uvloop.run(work)


@contextlib.asynccontextmanager
async def _addresses(settings: "Settings", *, keep: bool = False) -> AsyncIterator["Addresses"]:
    """The configured database, or the embedded one for as long as it is needed."""
    if settings.database_url:
        yield settings.database_addresses
        return
    import asyncio

    from selify.core.files import disk
    from selify.db import embedded

    await asyncio.to_thread(disk.claim, settings.data_dir)
    server = await asyncio.to_thread(embedded.start, settings.data_dir / "postgres")
    try:
        yield server.addresses
    finally:
        if not keep:
            await asyncio.to_thread(server.stop)


@contextlib.asynccontextmanager
async def _tx() -> AsyncIterator["Tx"]:
    """A transaction on the database, which is at the right revision."""
    from selify.core.database import Actor, Database
    from selify.db import migrate

    async with _addresses(_settings()) as found:
        await migrate.check(found.login)
        database = await Database.connect(found.login, max_size=2)
        try:
            async with database.tx(Actor.system("command line")) as tx:
                yield tx
        finally:
            await database.close()
