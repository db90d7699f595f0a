"""What was about to be written waits for a database that is away, and for nothing else."""

from datetime import timedelta

import asyncpg
import pytest

from selify.core import outage
from selify.core.database import Actor, Database, DatabaseUnavailable


class Work:
    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def __call__(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "done"


AWAY = [
    DatabaseUnavailable("nobody answers"),
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
    assert await outage.retry_while_db_down(Work(error, error), rest=0) == "done"


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a bug"),
        asyncpg.UniqueViolationError("taken"),
        asyncpg.DataError("bad"),
        # A full disk, a broken pipe, a picture that cannot be opened: the work's own trouble.
        OSError("cannot identify image file"),
        FileNotFoundError("no such file"),
        BrokenPipeError(),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_everything_else_is_said_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        await outage.retry_while_db_down(Work(error), rest=0)


async def test_patience_ends() -> None:
    with pytest.raises(DatabaseUnavailable):
        await outage.retry_while_db_down(
            Work(*[DatabaseUnavailable("nobody answers")] * 3), patience=-1
        )


SYSTEM = Actor.system("test")
END_IT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1"


async def test_a_transaction_says_so_when_its_connection_is_cut(
    database: Database, database_url: str
) -> None:
    async def cut_while(statement: str) -> None:
        async with database.tx(SYSTEM) as tx:
            pid = await tx.fetch_value("SELECT pg_backend_pid()")
            superuser = await asyncpg.connect(database_url)
            await superuser.execute(END_IT.replace("$1", str(pid)))
            await superuser.close()
            await tx.execute(statement)

    with pytest.raises((DatabaseUnavailable, asyncpg.AdminShutdownError)) as cut:
        await cut_while("SELECT 1")
    assert outage.is_away(cut.value)


async def test_a_lost_connection_is_told_apart_from_an_argument_that_the_driver_refuses(
    database: Database,
) -> None:
    with pytest.raises(asyncpg.DataError) as refused:
        async with database.tx(SYSTEM) as tx:
            await tx.fetch_value("SELECT $1::int", "no number")
    assert not outage.is_away(refused.value)
    with pytest.raises(DatabaseUnavailable):
        async with database.tx(SYSTEM) as tx:
            tx._connection.terminate()
            await tx.fetch("SELECT 1")


async def test_a_statement_ends_when_its_time_is_up(database: Database) -> None:
    with pytest.raises(asyncpg.QueryCanceledError):
        async with database.tx(SYSTEM) as tx:
            await tx.allow(timedelta(milliseconds=50))
            await tx.execute("SELECT pg_sleep(60)")
