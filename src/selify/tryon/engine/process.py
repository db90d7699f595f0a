"""A worker process seen from the asynchronous side: started on demand, killed when late."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from selify.tryon.engine.frames import BrokenFrame, Frame, header_length, parse_header

START_LIMIT = 60.0
# What the interpreter needs and nothing else: a process that opens strangers' pictures has no
# business knowing our keys.
_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "HOME", "TMPDIR", "VIRTUAL_ENV")


class WorkerLost(Exception):
    """The process ended, or could not be started."""


class WorkerProcess:
    """One process, one request at a time (the caller sees to that)."""

    def __init__(self, models: Path, *, small: bool = False) -> None:
        self._arguments = [str(models), *(["--small"] if small else [])]
        self._process: Process | None = None
        self._ready_once = False

    @property
    def ever_ready(self) -> bool:
        """A process of this kind has started: if it ends, a picture ended it."""
        return self._ready_once

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def ask(self, request: Frame, limit: float) -> Frame:
        """The answer. Raises TimeoutError after ``limit`` seconds, or WorkerLost.

        After either, and when the caller is cancelled, the process is gone; the next call starts
        a new one.
        """
        try:
            process = await self._started()
            async with asyncio.timeout(limit):
                return await _exchange(process, request)
        except TimeoutError:  # which is an OSError too: it must be told apart first
            await self.kill()
            raise
        except (OSError, asyncio.IncompleteReadError, BrokenFrame) as error:
            await self.kill()
            raise WorkerLost(type(error).__name__) from error
        except BaseException:
            await self.kill()
            raise

    async def _started(self) -> Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        command = [sys.executable, "-m", "selify.tryon.engine.worker", *self._arguments]
        environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ}
        environment["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(64_000_000)
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=environment
        )
        try:
            async with asyncio.timeout(START_LIMIT):
                await _read(self._process)
        except TimeoutError as error:
            raise WorkerLost("it did not start in time") from error
        self._ready_once = True
        return self._process

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _exchange(process: Process, request: Frame) -> Frame:
    if process.stdin is None:
        raise WorkerLost("no way in")
    process.stdin.write(request.encoded())
    await process.stdin.drain()
    return await _read(process)


async def _read(process: Process) -> Frame:
    if process.stdout is None:
        raise WorkerLost("no way out")
    length = header_length(await process.stdout.readexactly(4))
    header, sizes = parse_header(await process.stdout.readexactly(length))
    parts = [await process.stdout.readexactly(size) for size in sizes]
    return Frame(header, tuple(parts))
