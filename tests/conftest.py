"""What every test may ask for: a real database of its own, a clock that stands still, files in memory."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
import structlog

from selify.core.clock import FrozenClock
from selify.core.database import Database
from selify.core.files.storage import Storage
from selify.core.secrets import SecretBox

pytest_plugins = [
    "tests.infra.browsers",
    "tests.infra.postgres",
    "tests.infra.swept",
    "tests.infra.world",
]

# Of a failure that a test brings about, the program's own plain traceback: laying out every local variable
# beside it takes longer than most tests.
*_before, _ = structlog.get_config()["processors"]
_plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
structlog.configure(processors=[*_before, _plain])


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """A fresh migrated database behind the pool the program itself uses."""
    opened = await Database.connect(database_url, max_size=10)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 18, 9, 30, tzinfo=UTC))


@pytest.fixture
def secrets() -> SecretBox:
    return SecretBox.parse([SecretBox.new_key("k1")])


@pytest.fixture
def storage() -> Storage:
    return Storage.open("memory:///")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow ones begin first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
