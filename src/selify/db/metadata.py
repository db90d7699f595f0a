"""The schema as its owners' models declare it, compared with the living database."""

import re
from importlib import import_module
from typing import Any

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from selify.core import discovery
from selify.db.base import Base

NOT_COMPARED = re.compile("comment|index")


def declared_metadata() -> MetaData:
    """All tables, each declared in the ``models.py`` of its owner."""
    for owner in discovery.ours("models"):
        import_module(owner.name)
    return Base.metadata


async def differences(url: str) -> list[str]:
    """What Alembic would change to make the database what the models declare; normally nothing.

    Comments are left out: they are the reference's words, compared there byte for byte. Defaults
    and indexes are too: Alembic compares the one by evaluating both, which random ids and quotes
    defeat, and the other as text. The tests build the declared schema and compare its catalogs.
    """

    async def connect(*_args: Any, **_kwargs: Any) -> "asyncpg.Connection[Any]":
        # With `public` out of the search path every name comes back with its schema, as declared.
        return await asyncpg.connect(url, server_settings={"search_path": "extensions"})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    async with engine.connect() as connection:
        found = await connection.run_sync(_differences)
    await engine.dispose()
    return found


def _differences(connection: Connection) -> list[str]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "include_name": lambda name, kind, _parents: kind != "schema" or name == "public",
            "include_object": lambda item, _name, kind, *_: (
                kind != "table" or item.schema != "auth"
            ),
            "compare_type": True,
        },
    )
    found: list[str] = []
    for difference in compare_metadata(context, declared_metadata()):
        changes = difference if isinstance(difference, list) else [difference]
        found += [repr(change) for change in changes if not NOT_COMPARED.search(change[0])]
    return found
