"""Runs the revisions, by Alembic. Loaded only when there is something to run."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from selify.db import errors
from selify.db.migrate import SESSION
from selify.db.migrations.sql import SqlFileError

# Alembic keeps what it is working on in module globals, so one process runs one upgrade at a time.
_ALEMBIC_IS_BUSY = asyncio.Lock()


def missing_steps(before: str | None, target: str) -> list[str]:
    """Readable names of the revisions still to be run, oldest first."""
    chain = list(scripts().iterate_revisions(target, before or "base"))
    return [f"{script.revision}: {script.doc}" for script in reversed(chain)]


async def run(url: str, revision: str) -> None:
    """Run the revisions as one transaction, on a connection of their own."""

    async def connect(*_args: Any, **_kwargs: Any) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(url, timeout=15, server_settings=SESSION)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with _ALEMBIC_IS_BUSY, engine.connect() as session, session.begin():
            await session.run_sync(_run_alembic, revision)
    except SqlFileError as error:
        raise errors.MigrationFailed(
            f"The database refused the upgrade: {error}. Nothing was changed."
        ) from error
    finally:
        await engine.dispose()


def scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _run_alembic(session: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = session
    session.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS internal")
    session.exec_driver_sql("SET LOCAL search_path TO public, extensions")
    command.upgrade(config, revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
