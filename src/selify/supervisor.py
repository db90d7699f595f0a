"""Runs the program's processes side by side: starts them, tells who is ready, restarts what dies,
and stops everything on Ctrl-C.

Every child may be killed at any instruction; that is what leases and transactions are for. The
supervisor's own part is small on purpose.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from selify.core import metrics
from selify.core.errors import SelifyError
from selify.core.logging import get_logger
from selify.core.waiting import wait_with_timeout

log = get_logger(__name__)

SUPERVISED = "SELIFY_SUPERVISED"
STOP_PATIENCE = 20.0
QUICK_DEATH = 5.0
LONGEST_REST = 10.0


class StartFailed(SelifyError):
    code = "start_failed"
    title = "Something did not start"


@dataclass(frozen=True, slots=True)
class Program:
    """One child: ``python -m selify <arguments>``, and the address that answers once it is ready."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_url: str = ""


@dataclass(slots=True)
class Supervisor:
    """Keeps programs running. ``watch`` is called every second (the embedded database's keeper)."""

    programs: Sequence[Program]
    watch: Callable[[], Awaitable[None]] | None = None
    _children: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, ready: Callable[[], None]) -> None:
        """Until stopped; ``ready`` is called once every program answers."""
        with self._listening_to_signals():
            await self._run(ready)

    async def _run(self, ready: Callable[[], None]) -> None:
        keepers = [asyncio.create_task(self._keep(program)) for program in self.programs]
        watcher = asyncio.create_task(self._watch())
        starting = asyncio.create_task(self._wait_until_ready())
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({starting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not self._stopping.is_set():
                await starting
                ready()
                await stopped
        finally:
            self._stopping.set()
            for task in (starting, watcher, stopped):
                task.cancel()
            await self._stop_children(keepers)
            await asyncio.gather(*keepers, watcher, return_exceptions=True)

    def stop(self) -> None:
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def pid(self, name: str) -> int | None:
        child = self._children.get(name)
        return child.pid if child and child.returncode is None else None

    @contextlib.contextmanager
    def _listening_to_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self._stopping.set)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    async def _keep(self, program: Program) -> None:
        """Run one program for ever; one that dies at once is given more and more rest."""
        rest = 0.2
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                ended = f"exit code {await self._run_once(program)}"
            except OSError as error:  # no memory or no process left for it: there may be again
                ended = f"it could not be started: {error}"
            if self._stopping.is_set():
                return
            quick = time.monotonic() - started < QUICK_DEATH
            rest = min(rest * 2, LONGEST_REST) if quick else 0.2
            log.warning("restarting", program=program.name, reason=ended, after_seconds=rest)
            await wait_with_timeout(self._stopping, rest)

    async def _run_once(self, program: Program) -> int:
        """Its exit code. Raises OSError when it cannot be started."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "selify",
            *program.arguments,
            env={**os.environ, **program.environment, SUPERVISED: "1"},
            # A pipe that nobody writes to: it ends when we do, however we end.
            stdin=asyncio.subprocess.PIPE,
            # Its own group: Ctrl-C reaches the supervisor alone, which stops in order.
            start_new_session=True,
        )
        self._children[program.name] = child
        if self._stopping.is_set():  # it was on its way while the others were asked to stop
            child.terminate()
        code = await child.wait()
        metrics.forget_gauges(program.environment)
        return code

    async def _watch(self) -> None:
        while self.watch is not None:
            await asyncio.sleep(1)
            try:
                await self.watch()
            except Exception as error:  # noqa: BLE001 - it is tried again in a second
                log.warning("the watcher failed", reason=str(error))

    async def _wait_until_ready(self) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            for program in self.programs:
                if program.ready_url:
                    await _answering(http, program)

    async def _stop_children(self, keepers: Collection[asyncio.Task[None]]) -> None:
        """Ask first; those who do not listen are killed: nothing is lost by it, only time."""
        for child in self._alive():
            child.terminate()
        if keepers:
            await asyncio.wait(keepers, timeout=STOP_PATIENCE)
        for child in self._alive():
            child.kill()

    def _alive(self) -> list[asyncio.subprocess.Process]:
        return [child for child in self._children.values() if child.returncode is None]


async def _answering(http: httpx.AsyncClient, program: Program) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if (await http.get(program.ready_url)).status_code == 200:
                return
        await asyncio.sleep(0.1)
    raise StartFailed(
        f"The {program.name} did not become ready within a minute.",
        hint="Its own messages above say why.",
    )


def end_with_supervisor() -> None:
    """In a child: ask ourselves to stop once the supervisor is gone, even if it was killed. Otherwise
    we would hold its ports against the next one.
    """
    if os.environ.get(SUPERVISED):
        threading.Thread(target=_wait_for_end, name="supervisor's end", daemon=True).start()


def _wait_for_end() -> None:
    with contextlib.suppress(OSError):
        while os.read(sys.stdin.fileno(), 1):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def free_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
