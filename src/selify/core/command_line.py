"""What commands stand on.

A wing's stand in its ``commands.py`` (``core/discovery.py``): a ``typer.Typer`` called ``commands``, whose commands
and groups stand beside those of ``selify.cli``. Each imports what it needs by itself: who asks for help waits
for none of it (``tests/test_imports.py``).
"""

import contextlib
import functools
from collections.abc import AsyncIterator, Coroutine
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from selify.core.database import Tx
    from selify.core.database_access import Addresses
    from selify.core.errors import SelifyError
    from selify.core.settings import Settings

# Typer's coloured help takes as long to load as all the rest of it.
group = functools.partial(typer.Typer, no_args_is_help=True, rich_markup_mode=None)


@functools.cache
def out() -> "Console":
    from rich.console import Console

    return Console()


@functools.cache
def err() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def refusal(detail: str, *, hint: str) -> "SelifyError":
    """To be raised; ``selify.cli`` says it. Nobody who asks for help waits for errors that speak languages."""
    from selify.core.errors import SelifyError

    return SelifyError(detail, hint=hint)


def load_settings() -> "Settings":
    from selify.core.settings import load

    return load()


def run(work: Coroutine[Any, Any, Any]) -> Any:
    import uvloop

    return uvloop.run(work)


@contextlib.asynccontextmanager
async def addresses(settings: "Settings", *, keep: bool = False) -> AsyncIterator["Addresses"]:
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
async def transaction() -> AsyncIterator["Tx"]:
    """A transaction on the database, which is at the right revision."""
    from selify.core.database import Actor, Database
    from selify.db import migrate

    async with addresses(load_settings()) as found:
        await migrate.check(found.login)
        database = await Database.connect(found.login, max_size=2)
        try:
            async with database.tx(Actor.system("command line")) as tx:
                yield tx
        finally:
            await database.close()
