"""What the domains' models declare is what the migrations make."""

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from selify.db.metadata import declared_metadata, differences
from selify.db.reference import read_tables

# What the declared tables stand on: other schemas, made by plain SQL.
GROUND = """
CREATE SCHEMA auth; CREATE SCHEMA extensions;
CREATE EXTENSION vector SCHEMA extensions;
CREATE FUNCTION extensions.uuid_generate_v4() RETURNS uuid LANGUAGE sql
    RETURN gen_random_uuid();
"""
CONSTRAINTS = """
SELECT conrelid::regclass::text || ' ' || conname || ' ' || pg_get_constraintdef(oid) AS said
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f')
"""


async def test_alembic_finds_nothing_to_change(shared_database_url):
    assert await differences(shared_database_url) == []


async def test_alembic_would_find_a_difference(database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("ALTER TABLE public.profiles ADD COLUMN shoe_size integer")
    await connection.execute("ALTER TABLE public.profiles ALTER COLUMN phone TYPE varchar(20)")
    await connection.close()
    found = await differences(database_url)
    assert len(found) == 2
    assert "shoe_size" in found[0] + found[1]


async def test_declared_schema_has_the_same_catalogs(shared_database_url, empty_database_url):
    """Columns in order, types, defaults, index definitions, keys: as PostgreSQL prints them."""
    await _make_declared(empty_database_url)
    declared = await _facts(empty_database_url)
    living = await _facts(shared_database_url)
    assert declared - living == set()
    assert living - declared == set()


async def _make_declared(url):
    connection = await asyncpg.connect(url)
    await connection.execute(GROUND)
    await connection.close()
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda *_, **__: asyncpg.connect(url),
        poolclass=NullPool,
    )
    async with engine.begin() as session:
        await session.run_sync(declared_metadata().create_all)
    await engine.dispose()


async def _facts(url):
    connection = await asyncpg.connect(url)
    tables = await read_tables(connection)
    facts = {row["said"] for row in await connection.fetch(CONSTRAINTS)}
    await connection.close()
    for table in tables:
        for position, column in enumerate(table.columns):
            facts.add((table.name, position, *list(column.values())[1:5]))
        facts |= {index["definition"] for index in table.indexes}
    return facts
