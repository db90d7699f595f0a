"""``database`` and ``database_url`` for a package that shares one database: its ``conftest`` imports them.

What its tests write is swept away after each.
"""

import pytest

from selify.core.database import Database


@pytest.fixture
def database(swept_database: Database) -> Database:
    return swept_database


@pytest.fixture
def database_url(shared_database_url: str, swept_database: Database) -> str:
    del swept_database  # it sweeps
    return shared_database_url
