"""The way to PostgreSQL: transactions opened at the edge, each with an actor.

An actor decides the database role and the JWT claims of its transaction, set with ``SET LOCAL`` as
Supabase does, so that row level security, not our care, decides what there is to see. Domain code
receives a ``Tx`` and cannot commit: only the ``async with`` at the edge does.

The system has a pool of its own, whose sessions hold its role for good: it opens most transactions, and
taking role and claims for each cost more than many a statement. No user is ever served from it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, Self, TypeVar
from uuid import UUID

import asyncpg
import orjson

from selify.core.database_access import LOGIN_ROLE, SERVER_GIVES_UP_FIRST, UNLIMITED, Limits
from selify.core.errors import Unavailable
from selify.core.language import _
from selify.core.rows import build

# The last one is how the driver sees a server that was killed in the middle of an answer.
CONNECTION_TROUBLE = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

_NOT_THERE = (OSError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError)

log = logging.getLogger(__name__)
Role = Literal["anon", "authenticated", "service_role"]
T = TypeVar("T")


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    title = _("The database cannot be reached")


class DatabaseBusy(Unavailable):
    """A statement, a lock or a transaction took longer than its pool allows; undone as a whole."""

    code = "database_busy"
    title = _("The database is busy")


@dataclass(frozen=True, slots=True)
class KeyClaims:
    """What an API key may, as the claims of its requests say."""

    workspace_id: UUID
    role: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf a transaction runs."""

    role: Role
    claims: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def visitor(cls) -> Self:
        return cls("anon", {"role": "anon"})

    @classmethod
    def user(
        cls, user_id: UUID, *, email: str | None = None, claims: Mapping[str, Any] | None = None
    ) -> Self:
        own = {**(claims or {}), "sub": str(user_id), "role": "authenticated"}
        return cls("authenticated", own if email is None else {**own, "email": email})

    @classmethod
    def api_key(cls, key_id: UUID, *, workspace_id: UUID, role: str, scopes: Sequence[str]) -> Self:
        """A program with a key of one workspace: nobody's own id, and a member's rights in there alone."""
        held = {"workspace_id": str(workspace_id), "role": role, "scopes": list(scopes)}
        return cls.user(key_id, claims={"api_key": held})

    @classmethod
    def system(cls, reason: str) -> Self:
        """The program itself. The reason shows up in ``pg_stat_activity`` and in the server's log."""
        return cls("service_role", {"role": "service_role", "reason": reason})

    @property
    def is_system(self) -> bool:
        return self.role == "service_role"

    @property
    def reason(self) -> str:
        """The system's. Fit to stand in a comment."""
        return str(self.claims.get("reason", "")).replace("*/", "")

    @property
    def user_id(self) -> UUID | None:
        subject = self.claims.get("sub")
        return UUID(subject) if subject else None

    @property
    def key(self) -> KeyClaims | None:
        """Of an API key; None of anybody else."""
        held = self.claims.get("api_key")
        if held is None:
            return None
        return KeyClaims(UUID(held["workspace_id"]), held["role"], tuple(held["scopes"]))

    @property
    def person_id(self) -> UUID | None:
        """Who is written down as the one who did it: the user. An API key is nobody."""
        return None if self.key else self.user_id

    def opening(self) -> str:
        """One round trip: begin, take the role, carry the claims."""
        return (
            f"BEGIN; SET LOCAL ROLE {self.role}; "  # the role is one of three literals
            f"SET LOCAL \"request.jwt.claims\" = '{self._quoted_claims()}'"
        )

    def session(self) -> str:
        """Role and claims for as long as a connection lives."""
        return f"SET ROLE {self.role}; SET \"request.jwt.claims\" = '{self._quoted_claims()}'"

    def _quoted_claims(self) -> str:
        return orjson.dumps(dict(self.claims), default=str).decode().replace("'", "''")


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """Around what only the database is asked. That it is not there is known here alone: further out
    the same OSError may come from a file, a pipe or somebody else's server.
    """
    try:
        yield
    except (*_NOT_THERE, asyncpg.InterfaceError) as error:
        if isinstance(error, ValueError):  # the driver's own refusal of an argument
            raise
        raise DatabaseUnavailable(
            _("The database does not answer: %(error)s", error=error)
        ) from error


class Tx:
    """One open transaction. Statements are plain SQL with ``$1`` parameters.

    All methods raise DatabaseUnavailable when the connection breaks.
    """

    def __init__(self, connection: "asyncpg.pool.PoolConnectionProxy[Any]", actor: Actor) -> None:
        self._connection = connection
        self._timeout: float | None = None
        self.actor = actor

    async def allow(self, limit: timedelta) -> None:
        """From here on a statement may take this long: beyond it, the server gives it up
        (``asyncpg.QueryCanceledError``), before this side stops waiting.
        """
        milliseconds = round(limit.total_seconds() * 1000)
        await self.execute(f"SET LOCAL statement_timeout = {milliseconds}")
        self._timeout = limit.total_seconds() + SERVER_GIVES_UP_FIRST

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        with answering():
            return await self._connection.fetch(sql, *args, timeout=self._timeout)

    async def fetch_one(self, sql: str, *args: Any) -> asyncpg.Record | None:
        with answering():
            return await self._connection.fetchrow(sql, *args, timeout=self._timeout)

    async def fetch_as(self, kind: type[T], sql: str, *args: Any) -> list[T]:
        """Each row as a ``kind``, a dataclass or NamedTuple with a field for each column
        (``core.rows``).
        """
        return build(kind, await self.fetch(sql, *args))

    async def fetch_one_as(self, kind: type[T], sql: str, *args: Any) -> T | None:
        row = await self.fetch_one(sql, *args)
        return None if row is None else build(kind, [row])[0]

    async def fetch_value(self, sql: str, *args: Any) -> Any:
        with answering():
            return await self._connection.fetchval(sql, *args, timeout=self._timeout)

    async def execute(self, sql: str, *args: Any) -> int:
        """Run a statement; the number of rows it touched."""
        with answering():
            status = await self._connection.execute(sql, *args, timeout=self._timeout)
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def execute_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        with answering():
            await self._connection.executemany(sql, rows, timeout=self._timeout)

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails inside is undone alone; the error goes on."""
        # asyncpg's own transaction() refuses to work inside a BEGIN that it did not send itself.
        # Savepoints of one name stack up, so nested ones need no names of their own.
        await self.execute("SAVEPOINT here")
        try:
            yield
        except BaseException:
            with contextlib.suppress(*CONNECTION_TROUBLE):
                await self._connection.execute("ROLLBACK TO SAVEPOINT here; RELEASE SAVEPOINT here")
            raise
        await self.execute("RELEASE SAVEPOINT here")


class Statements(Tx):
    """Each statement a transaction of its own: committed when it returns, whatever comes after it."""

    async def allow(self, limit: timedelta) -> None:
        raise RuntimeError(f"{limit}: there is no transaction that it could be said to")

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        raise RuntimeError("what has been done is committed: open a transaction")
        yield


class Database:
    """Two pools of connections that log in as a role owning nothing: for users, and for the system.

    Where the address is the owner's, they take that role, which whoever can run SQL may lay down
    again: ``db.migrate.owner_rights`` notices, and the program says so at its start.
    """

    def __init__(self, users: "asyncpg.Pool[Any]", system: "asyncpg.Pool[Any]", url: str) -> None:
        self._users = users
        self._system = system
        self.url = url

    @classmethod
    async def connect(
        cls, url: str, *, limits: Limits = UNLIMITED, min_size: int = 1, max_size: int = 10
    ) -> Self:
        """Open the pools, each of up to ``max_size`` connections; the users' ones when they are needed.

        Raises DatabaseUnavailable with the reason in one line.
        """
        settings = {"application_name": "selify", "TimeZone": "UTC", **limits.settings}
        try:
            users, system = [
                await asyncpg.create_pool(
                    url,
                    min_size=at_least,
                    max_size=max_size,
                    init=prepare,
                    reset=_nothing_to_reset,
                    command_timeout=limits.patience,
                    server_settings=settings,
                )
                for prepare, at_least in ((_prepare_connection, 0), (_prepare_system, min_size))
            ]
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            raise DatabaseUnavailable(
                _("The database does not answer: %(error)s", error=error),
                hint=_("Check SELIFY_DATABASE_URL, or unset it to use the embedded database."),
            ) from error
        return cls(users, system, url)

    async def close(self) -> None:
        await self._users.close()
        await self._system.close()

    @contextlib.asynccontextmanager
    async def tx(self, actor: Actor, *, settings: str = "") -> AsyncIterator[Tx]:
        """A transaction as this actor: committed when the block ends, undone when it raises.

        ``settings``: ``SET LOCAL …``, which travel with its beginning.
        """
        async with self._acquire(actor) as connection:
            begin = f"BEGIN /* {actor.reason} */" if actor.is_system else actor.opening()
            with answering():
                await connection.execute(f"{begin}; {settings}")
            try:
                yield Tx(connection, actor)
            except BaseException:
                await _roll_back(connection)
                raise
            with answering():
                await connection.execute("COMMIT")

    @contextlib.asynccontextmanager
    async def statements(self, actor: Actor) -> AsyncIterator[Statements]:
        """For what is done with one statement: one round trip instead of three.

        For the system alone. A user's role is a transaction's, and must be: raises ValueError.
        """
        if not actor.is_system:
            raise ValueError("a user's statements need a transaction")
        async with self._acquire(actor) as connection:
            yield Statements(connection, actor)

    @contextlib.asynccontextmanager
    async def _acquire(
        self, actor: Actor
    ) -> AsyncIterator["asyncpg.pool.PoolConnectionProxy[Any]"]:
        pool = self._system if actor.is_system else self._users
        try:
            # The pool's own timeout starts a task for every acquisition; this one only sets an alarm.
            async with asyncio.timeout(30):
                connection = await pool.acquire()
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
            raise DatabaseUnavailable(
                _("The database does not answer: %(error)s", error=error)
            ) from error
        try:
            yield connection
        finally:
            with contextlib.suppress(*CONNECTION_TROUBLE):
                await pool.release(connection, timeout=10)

    async def listen(
        self, channel: str, heard: Callable[[str], None], *, ready: Callable[[], None] | None = None
    ) -> None:
        """Call ``heard(payload)`` for every notification, for ever; reconnects by itself.

        ``ready`` is called after each (re)connection: what was missed meanwhile must be looked up.
        """
        while True:
            try:
                await self._listen_once(channel, heard, ready)
            except CONNECTION_TROUBLE as error:
                log.warning("listening on %s was interrupted: %s", channel, error)
            await asyncio.sleep(1)

    async def _listen_once(
        self, channel: str, heard: Callable[[str], None], ready: Callable[[], None] | None
    ) -> None:
        connection = await asyncpg.connect(self.url, server_settings={"application_name": "listen"})
        closed = asyncio.Event()
        connection.add_termination_listener(lambda _: closed.set())
        try:
            await _become_the_login(connection)
            await connection.add_listener(channel, lambda *call: heard(str(call[3])))
            if ready:
                ready()
            await closed.wait()
        finally:
            connection.terminate()


async def _roll_back(connection: "asyncpg.pool.PoolConnectionProxy[Any]") -> None:
    """A connection that cannot even do that must not serve anybody again."""
    try:
        await connection.execute("ROLLBACK")
    except CONNECTION_TROUBLE:
        with contextlib.suppress(asyncpg.InterfaceError):  # the pool has noticed it, too
            connection.terminate()


async def _prepare_connection(connection: "asyncpg.Connection[Any]") -> None:
    """JSON as Python values, and no more rights than the login role has."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind, schema="pg_catalog", encoder=_to_json, decoder=orjson.loads
        )
    await _become_the_login(connection)


async def _prepare_system(connection: "asyncpg.Connection[Any]") -> None:
    await _prepare_connection(connection)
    await connection.execute(Actor("service_role", {"role": "service_role"}).session())


async def _become_the_login(connection: "asyncpg.Connection[Any]") -> None:
    if await connection.fetchval("SELECT session_user <> $1", LOGIN_ROLE):
        await connection.execute(f"SET ROLE {LOGIN_ROLE}")


def _to_json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


async def _nothing_to_reset(connection: "asyncpg.Connection[Any]") -> None:
    """All our settings are SET LOCAL or the pool's own, so a finished transaction leaves nothing."""
