"""What a process opens before it does anything."""

import contextlib
from collections.abc import AsyncIterator, Sequence

import httpx

from selify.core.clock import Clock, SystemClock
from selify.core.container import Container
from selify.core.database import Database
from selify.core.database_access import UNLIMITED, Limits
from selify.core.files.fetch import AllowList, SafeFetcher
from selify.core.files.storage import Storage
from selify.core.logging import get_logger
from selify.core.settings import Settings, SettingsWrong
from selify.core.web.links import FileLinks
from selify.core.wiring import Wing
from selify.db import migrate

log = get_logger(__name__)


@contextlib.asynccontextmanager
async def open_container(
    settings: Settings,
    wings: Sequence[Wing],
    *,
    clock: Clock | None = None,
    connections: int = 10,
    limits: Limits = UNLIMITED,
) -> AsyncIterator[Container]:
    """Everything open, at the right database revision; closed again at the end."""
    if not settings.database_url:
        raise SettingsWrong(
            "This process needs a database address.",
            hint="Set SELIFY_DATABASE_URL, or start everything with `selify up`.",
        )
    await migrate.check(settings.database_url)
    await _warn_of_owner(settings.database_url)
    secrets = settings.secret_box
    hosts = [host for wing in wings for host in wing.media_hosts(settings)]
    async with contextlib.AsyncExitStack() as opened:
        database = await Database.connect(
            settings.database_url, max_size=connections, limits=limits
        )
        opened.push_async_callback(database.close)
        container = Container(
            settings=settings,
            clock=clock or SystemClock(),
            database=database,
            storage=Storage.open(settings.files_url),
            secrets=secrets,
            links=FileLinks(secrets, settings.public_url),
            http=await opened.enter_async_context(_http()),
            fetcher=SafeFetcher(AllowList.of(*hosts)),
        )
        for wing in wings:
            await opened.enter_async_context(wing.opens(container))
        yield container


def _http() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=50)
    return httpx.AsyncClient(trust_env=False, limits=limits)


async def _warn_of_owner(url: str) -> None:
    """A role that a connection took can be laid down again; the one it logged in with cannot."""
    if await migrate.owner_rights(url):
        log.warning(
            "the database is used with its owner's rights: one statement that should not run could"
            " take all of them. Let SELIFY_DATABASE_URL log in as selify_login, and put the owner's"
            " address into SELIFY_DATABASE_OWNER_URL"
        )
