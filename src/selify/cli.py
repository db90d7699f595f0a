"""``selify``: everything one can ask of the program from a shell.

Every refusal is one line that says what is wrong and one that says what to do; exit code 1.

Here stand the commands that concern all wings. Those of a wing, and of a package installed beside us, stand in its
``commands.py`` (``core/command_line.py``).
"""

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from selify.core import discovery
from selify.core.command_line import err, group, load_settings, out, refusal, run, transaction
from selify.core.discovery import Brought


class _Commands(TyperGroup):
    """Those of this file, of wings, and of packages beside us, which are looked for only where nobody before
    them answers.
    """

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        for find in (discovery.ours, discovery.beside):
            if cmd_name not in self.commands:
                self._add(find("commands"))
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        self._add(discovery.found("commands"))
        return super().list_commands(ctx)

    def _add(self, brought: Iterable[Brought]) -> None:
        for one in brought:
            try:
                theirs = get_group(one.load().commands).commands
            except (ImportError, AttributeError) as error:
                raise refusal(
                    f"The commands of {one.name} cannot be loaded: {error}.",
                    hint="Install that package again, or remove it.",
                ) from error
            new = {name: theirs[name] for name in theirs if name not in self.commands}
            self.commands = {**self.commands, **new}


app = group(
    name="selify",
    cls=_Commands,
    help="Open, self-hostable try-on commerce for fashion brands.",
    pretty_exceptions_enable=False,
    epilog="Settings: SELIFY_… in the environment or in selify.env. Start with: selify up",
)
secrets_commands = group(help="Keys that seal stored secrets.")
app.add_typer(secrets_commands, name="secrets")


def main() -> None:
    """The entry point: refusals become two lines and exit code 1."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not _said(error):
            raise
        sys.exit(1)


def _said(error: Exception) -> bool:
    """Whether there is more to say of it than where it happened."""
    from selify.core.errors import SelifyError

    if isinstance(error, SelifyError):
        _say(error.detail, error.hint)
        return True
    if isinstance(error, OSError):  # a file, a folder or a connection that is not what we were told
        import logging

        logging.getLogger(__name__).debug("the command ended with", exc_info=error)
        reason = error.strerror or str(error) or type(error).__name__
        _say(f"{error.filename}: {reason}." if error.filename else f"{reason}.")
        return True
    from selify.core.database_errors import from_database
    from selify.core.files.disk import DiskTrouble

    trouble = from_database(error)
    if isinstance(trouble, DiskTrouble):
        _say(trouble.detail, trouble.hint)
    return isinstance(trouble, DiskTrouble)


def _say(detail: str, hint: str = "") -> None:
    from rich.markup import escape

    err().print(f"[bold red]✗[/] {escape(detail)}", highlight=False, soft_wrap=True)
    if hint:
        err().print(f"  {escape(hint)}", highlight=False, soft_wrap=True)


# --- Running -------------------------------------------------------------------------------------


@app.command(epilog="Example: SELIFY_PORT=9000 SELIFY_WORKERS=2 selify up")
def up() -> None:
    """Start everything and keep it running: database, server, workers."""
    settings = load_settings()  # what is mistyped there is said at once
    from selify import running

    run(running.up(settings))


@app.command()
def serve() -> None:
    """Run the server alone (the database must be up to date)."""
    settings = load_settings()
    from selify import running

    running.serve(settings)


@app.command()
def worker() -> None:
    """Run one worker alone. Start as many as you like, on as many machines."""
    settings = load_settings()
    from selify import running

    run(running.work(settings))


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
    from selify.app import WINGS
    from selify.core.settings import own_key_file

    settings = load_settings()
    box = settings.secret_box

    async def reseal() -> int:
        async with transaction() as tx:
            return sum([await sealed.reseal(tx, box) for wing in WINGS for sealed in wing.sealed])

    out().print(f"{run(reseal())} secrets sealed with the current key, “{box.current_key}”.")
    if box.older_keys:
        own = own_key_file(settings.data_dir)
        where = f"SELIFY_SECRET_KEYS and {own}" if own.exists() else "SELIFY_SECRET_KEYS"
        names = ", ".join(f"“{name}”" for name in box.older_keys)
        out().print(f"The old keys may be removed now: {names} ({where}).", soft_wrap=True)
