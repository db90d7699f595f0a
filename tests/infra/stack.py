"""The whole product for a test: database, server, workers and the Instagram stand-in as processes of
their own on free ports, kept by the product's own supervisor, each of them killable.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tests.infra.postgres import copy_prepared
from tests.infra.settings import Settings

from selify.core.database import Database
from selify.supervisor import free_port
from selify_sandbox import demo
from selify_sandbox.demo import Brand, Stack

ROOT = Path(__file__).parents[2]
INSTANT = "tests.infra.engines:instant"


@dataclass(frozen=True, slots=True)
class WholeStack:
    """A running product. Programs are called ``phone``, ``server``, ``worker 1`` …"""

    settings: Settings
    parts: Stack

    def brand(self) -> Brand:
        """The brand's people, for ``async with``."""
        return Brand(self.parts)

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        opened = await Database.connect(self.parts.database_url, max_size=4)
        try:
            yield opened
        finally:
            await opened.close()

    def pid(self, name: str) -> int | None:
        """The process now behind a name (``database``: the postmaster), if it lives."""
        if name == "database":
            return self._postmaster()
        return self.parts.supervisor.pid(name)

    def kill(self, name: str) -> int | None:
        """SIGKILL; the process that is no more."""
        pid = self.pid(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pid

    async def until_back(self, name: str, killed: int, patience: float = 60) -> None:
        """Until another process runs under that name. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            while self.pid(name) in (None, killed):  # noqa: ASYNC110 - a process tells nobody
                await asyncio.sleep(0.05)

    def _postmaster(self) -> int | None:
        keeper = self.parts.keeper
        if keeper is None or not keeper.server.is_running():
            return None
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int((keeper.server.data_dir / "postmaster.pid").read_text().splitlines()[0])
        return None


@contextlib.asynccontextmanager
async def running_stack(
    folder: Path, *, workers: int = 1, environment: Mapping[str, str] | None = None
) -> AsyncIterator[WholeStack]:
    """Everything up and answering; stopped in order at the end. (Its database is migrated already: how one
    starts from nothing, ``selify demo`` and ``selify up`` show in tests of their own.)
    """
    copy_prepared(folder)
    settings = Settings(data_dir=folder, port=free_port(), workers=workers)
    inherited = {
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        "SELIFY_TRYON_ENGINES": INSTANT,
        "SELIFY_TRYON_SMALL": "1",  # garments are read in no time
        "SELIFY_LOG_LEVEL": "WARNING",
        **(environment or {}),
    }
    async with demo.open_stack(settings, free_port()) as parts:
        supervisor = parts.supervisor
        supervisor.programs = [
            replace(program, environment={**program.environment, **inherited})
            for program in supervisor.programs
        ]
        up = asyncio.Event()
        running = asyncio.create_task(supervisor.run(up.set))
        waiting = asyncio.create_task(up.wait())
        user = asyncio.current_task()

        def end_user(_: object) -> None:
            """Ctrl-C stops the supervisor; whoever uses the stack waits for nothing then."""
            if user is not None:
                user.cancel()

        try:
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
            running.add_done_callback(end_user)
            yield WholeStack(settings, parts)
        finally:
            waiting.cancel()
            running.remove_done_callback(end_user)
            supervisor.stop()
            await running


@contextlib.contextmanager
def quick_folder(prefix: str = "selify-stack-") -> Iterator[Path]:
    """A folder of our own, in memory where there is room: these tests wait for disks otherwise."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 * 1024**3
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=str(memory) if roomy else None))
    folder.chmod(0o755)  # the database server may run as another user
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
