"""Schema ``public`` is exactly the reference: printed back from the catalogs, byte for byte."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from selify.db.reference import classification, render_reference

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "docs" / "reference" / "public_schema.md"
CONTRACT = ROOT.parent / "shared" / "reference" / "public_schema.md"
# The contract without the two lines that carry its time stamp.
CONTRACT_DIGEST = "7092a7394cf5b40b3a167a1346080ede2ecfa5d8540cefc0310b13feeec46966"


@pytest.fixture
async def connection(shared_database_url):
    connection = await asyncpg.connect(shared_database_url)
    yield connection
    await connection.close()


def digest(document: str) -> str:
    timeless = [
        line
        for line in document.splitlines()
        if not line.startswith(("generated_at:", "*Generated at"))
    ]
    return hashlib.sha256("\n".join(timeless).encode()).hexdigest()


async def test_database_prints_the_contract(connection):
    document = await render_reference(connection, datetime(2031, 2, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert digest(document) == CONTRACT_DIGEST
    assert document.count("2031-02-03T04:05:06.000007+00:00") == 2


async def test_committed_copy_is_what_the_database_prints(connection):
    assert COMMITTED.read_text() == await render_reference(connection), (
        "docs/reference/public_schema.md is stale: run `selify db reference`"
    )


async def test_committed_copy_is_the_contract():
    assert digest(COMMITTED.read_text()) == CONTRACT_DIGEST
    if CONTRACT.exists():
        assert COMMITTED.read_text() == CONTRACT.read_text()


async def test_every_table_is_classified(connection):
    tables = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    assert {table["relname"] for table in tables} == set(classification())


async def test_a_change_of_the_schema_shows(database_url):
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE public.surprise (id uuid DEFAULT gen_random_uuid())")
    await connection.execute("COMMENT ON COLUMN public.profiles.phone IS 'E.164'")
    document = await render_reference(connection)
    await connection.close()
    assert "| [surprise](#surprise) | `both` | `internal` | `other` | 1 | No |" in document
    assert "| `phone` | `text` | Yes | - | E.164 |" in document
    assert digest(document) != CONTRACT_DIGEST
