"""What was about to be written waits for a database that is away, and for nothing else."""

import asyncpg
import pytest

from selify.core import outage
from selify.core.database import DatabaseUnavailable


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_: float) -> None:
        return None

    monkeypatch.setattr(outage.asyncio, "sleep", at_once)


class Work:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "done"


AWAY = [
    DatabaseUnavailable("nobody answers"),
    ConnectionRefusedError(),
    ConnectionResetError(),
    TimeoutError(),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.InternalClientError("cannot switch to state 11"),
    asyncpg.CannotConnectNowError("starting up"),
    asyncpg.AdminShutdownError("terminating connection"),
    asyncpg.CrashShutdownError("terminating connection"),
    asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
    asyncpg.TooManyConnectionsError("sorry, too many clients already"),
]


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
async def test_work_outlasts_a_database_that_is_away(error: Exception) -> None:
    assert await outage.outlast(Work(error, error)) == "done"


@pytest.mark.parametrize(
    "error", [ValueError("a bug"), asyncpg.UniqueViolationError("taken"), asyncpg.DataError("bad")]
)
async def test_everything_else_is_said_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        await outage.outlast(Work(error))


async def test_patience_ends() -> None:
    with pytest.raises(ConnectionRefusedError):
        await outage.outlast(Work(*[ConnectionRefusedError()] * 3), patience=-1)
