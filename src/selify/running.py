"""The three ways to run: everything (``up``), the server alone, one worker alone."""

import asyncio
import contextlib
import gc
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import prometheus_client
from rich.console import Console

from selify import billing
from selify.core import logging as core_logging
from selify.core import metrics
from selify.core.database import Actor, Database
from selify.core.database_access import Addresses
from selify.core.files import disk
from selify.core.logging import get_logger
from selify.core.settings import Settings
from selify.core.web.listening import check_port
from selify.db import embedded, migrate
from selify.supervisor import SUPERVISED, Program, Supervisor

log = get_logger(__name__)
out = Console(stderr=True)

YOUNG_OBJECTS = 20_000  # Python looks for garbage after 700


@dataclass(slots=True)
class EmbeddedKeeper:
    """Starts the embedded database, and starts it again when it was killed."""

    settings: Settings
    server: embedded.EmbeddedServer

    async def watch(self) -> None:
        if not await asyncio.to_thread(self.server.is_running):
            log.warning("the database was gone: starting it again")
            self.server = await asyncio.to_thread(
                embedded.start, self.settings.data_dir / "postgres"
            )


@contextlib.asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[tuple[str, EmbeddedKeeper | None]]:
    """The address of a database at this program's revision, for programs that only work with it;
    and who keeps it, if we do. The data directory is ours from here on.
    """
    if settings.uses_data_dir:
        await asyncio.to_thread(disk.claim, settings.data_dir)
    keeper, addresses = None, settings.database_addresses
    if not settings.database_url:
        server = await asyncio.to_thread(embedded.start, settings.data_dir / "postgres")
        keeper, addresses = EmbeddedKeeper(settings, server), server.addresses
    try:
        await prepare(addresses)
        yield addresses.login, keeper
    finally:
        if keeper:
            await asyncio.to_thread(keeper.server.stop)


async def prepare(addresses: Addresses) -> None:
    """The newest schema, and the price book that came with this program."""
    await migrate.upgrade(addresses.owner, progress=_told)
    opened = await Database.connect(addresses.login, max_size=1)
    try:
        async with opened.tx(Actor.system("price book")) as tx:
            await billing.seed(tx)
    finally:
        await opened.close()


def _metrics_folder(settings: Settings) -> Path:
    """One for each server there can be: the port is nobody else's."""
    return settings.data_dir / "metrics" / str(settings.port)


@contextlib.contextmanager
def counting_together(settings: Settings) -> Iterator[None]:
    """While ``programs`` run: ``/metrics`` of the server shows what the workers did, too."""
    folder = _metrics_folder(settings)
    metrics.empty(folder)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def programs(settings: Settings, url: str) -> list[Program]:
    """The server and the workers, which count together."""
    environment = {
        "SELIFY_DATABASE_URL": url,
        "SELIFY_DATA_DIR": str(settings.data_dir),
        "SELIFY_PORT": str(settings.port),
        "SELIFY_PUBLIC_URL": settings.public_url,
    }
    folder = _metrics_folder(settings)

    def program(name: str, argument: str, ready_url: str = "") -> Program:
        own = {**environment, **metrics.environment(folder, name)}
        return Program(name, (argument,), own, ready_url)

    server = program("server", "serve", f"{settings.own_url}/readyz")
    return [server, *(program(f"worker {n + 1}", "worker") for n in range(settings.workers))]


def _told(step: str) -> None:
    out.print(f"  {step}", style="dim", highlight=False, markup=False, soft_wrap=True)


async def up(settings: Settings) -> None:
    """Until Ctrl-C."""
    core_logging.configure(level=settings.log_level, as_json=settings.log_json, part="selify")
    check_settings(settings)
    async with database(settings) as (url, keeper):
        supervisor = Supervisor(programs(settings, url), keeper.watch if keeper else None)
        with counting_together(settings):
            await supervisor.run(_announce(settings))


def check_settings(settings: Settings) -> None:
    """Say in one line what would keep every process of ours from starting, before any is started."""
    from selify.core.files.storage import Storage

    settings.check_for_the_world()
    check_port(settings.host, settings.port, "SELIFY_PORT")
    _ = settings.secret_box
    Storage.open(settings.files_url)


def _announce(settings: Settings) -> Callable[[], None]:
    def announce() -> None:
        out.print(f"\n[bold green]Selify is up[/] at {settings.public_url}   (Ctrl-C stops it)\n")

    return announce


async def check_database(settings: Settings) -> None:
    """Say in one line what is wrong with the database before anything else starts."""
    if settings.database_url:
        await migrate.check(settings.database_url)


def serve(settings: Settings) -> None:
    """The server's process."""
    from selify.app import create_server
    from selify.core.web import serving

    core_logging.configure(level=settings.log_level, as_json=settings.log_json, part="server")
    _claim_unless_supervised(settings)
    check_port(settings.host, settings.port, "SELIFY_PORT")
    asyncio.run(check_database(settings))
    app = create_server(settings)
    _spare_the_collector()
    server = serving.build(app, settings, serving.make_room(serving.limits_of(settings)))
    with contextlib.suppress(KeyboardInterrupt):  # which uvicorn raises again once it has stopped
        server.run()


def _claim_unless_supervised(settings: Settings) -> None:
    """The supervisor has done so, and its children inherit what it keeps to itself."""
    if settings.uses_data_dir and not os.environ.get(SUPERVISED):
        disk.claim(settings.data_dir)


async def work(settings: Settings) -> None:
    """A worker's process: until SIGTERM, then it finishes what it holds."""
    from selify.app import open_worker

    core_logging.configure(level=settings.log_level, as_json=settings.log_json, part="worker")
    _claim_unless_supervised(settings)
    async with open_worker(settings) as worker:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, worker.stop)
        _spare_the_collector()
        with _scraped(settings):
            await worker.run()


@contextlib.contextmanager
def _scraped(settings: Settings) -> Iterator[None]:
    """A worker that nobody supervises may be asked what it counts, at a port of its own."""
    if not settings.metrics_port or os.environ.get(SUPERVISED):
        yield
        return
    check_port(settings.host, settings.metrics_port, "SELIFY_METRICS_PORT")
    server, thread = prometheus_client.start_http_server(settings.metrics_port, settings.host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _spare_the_collector() -> None:
    """What was loaded at the start stays to the end, and what a request makes is gone when it is
    answered: the garbage collector need not walk through either all the time. Measured under load
    at about a fifth of the processor's time, and in the longest waits.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
