"""``selify backup`` and ``selify restore``."""

from pathlib import Path
from typing import Annotated

import typer

from selify.core.command_line import addresses, group, load_settings, out, run

commands = group()


@commands.command(epilog="Example: selify backup /var/backups/selify-2026-11-29.zip")
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
) -> None:
    """Write the database and all stored files into one file, while everything runs on.

    It holds no key: keep secret.key of the data directory, or SELIFY_SECRET_KEYS, in another place.
    """
    from selify import backup as backups
    from selify.core.clock import SystemClock
    from selify.core.files.storage import Storage

    settings = load_settings()

    async def work() -> backups.Contents:
        async with addresses(settings) as found:
            storage = Storage.open(settings.files_url)
            now = SystemClock().now()
            return await backups.write(file, found.owner, storage, settings.secret_box, now=now)

    made = run(work())
    keys = ", ".join(f"“{name}”" for name in made.keys)
    out().print(
        f"{file}: the database at revision {made.revision} and {made.files} files."
        f" Kept apart from it you need the key {keys} to restore it.",
        highlight=False,
        soft_wrap=True,
    )


@commands.command(
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

    settings = load_settings()
    contents = backups.read(file)
    if not key_lost:
        backups.check_keys(contents, settings)

    async def work() -> None:
        async with addresses(settings) as found:
            await backups.restore(file, found.owner, Storage.open(settings.files_url))
            await running.prepare(found)

    run(work())
    out().print(
        f"Restored: what was there on {contents.made_at:%Y-%m-%d at %H:%M} UTC, with"
        f" {contents.files} files.",
        highlight=False,
        soft_wrap=True,
    )
