"""From ``selify demo`` to "Selify is up", the second time; the command line; resident memory."""

import asyncio
import contextlib
import os
import signal
import statistics
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.instruments import stage
from bench.instruments.report import Line
from bench.instruments.rounds import Effort, seconds_of
from selify.supervisor import free_port

FIGURE = "startup"
AIM_SECONDS = 10.0
AIM_HELP_MILLISECONDS = 150.0
UP = b"Selify is up"
MEBI = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Demo:
    """A demo that is up. ``seconds``: from its start until it said so."""

    process: asyncio.subprocess.Process
    seconds: float


async def measure(where: stage.Stage, effort: Effort) -> list[Line]:
    """The first start makes the database and the demo brand; the later ones are measured."""
    folder = where.folder / "demo"
    seconds, memory = [], []
    for number in range(1 + max(1, effort.rounds // 2)):
        async with _demo(folder) as demo:
            if number:
                seconds.append(demo.seconds)
                await asyncio.sleep(1)  # let it settle down
                memory = _memory(psutil.Process(demo.process.pid))
    return [
        Line(
            FIGURE,
            "The demo's second start, until everything answers",
            statistics.median(seconds),
            "s",
            aim=AIM_SECONDS,
            aim_is_limit=True,
        ),
        await _command_line(effort),
        *memory,
    ]


@contextlib.asynccontextmanager
async def _demo(folder: Path) -> AsyncIterator[_Demo]:
    settings = {
        "SELIFY_DATA_DIR": str(folder),
        "SELIFY_PORT": str(free_port()),
        "SELIFY_PHONE_PORT": str(free_port()),
        "SELIFY_LOG_LEVEL": "WARNING",
    }
    started = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "selify", "demo"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **settings},
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(stage.PATIENCE):
            await _until_it_says(UP, process.stderr)
        yield _Demo(process, time.perf_counter() - started)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        await asyncio.gather(process.wait(), process.stderr.read())


async def _until_it_says(words: bytes, said: asyncio.StreamReader) -> None:
    heard = []
    async for line in said:
        if words in line:
            return
        heard.append(line.decode(errors="replace"))
    raise stage.DidNotStart("".join(heard))


async def _command_line(effort: Effort) -> Line:
    """``selify --help`` beside a Python that does nothing."""
    help_ = [
        await seconds_of(stage.run_quietly(sys.executable, "-m", "selify", "--help"))
        for _ in range(effort.rounds)
    ]
    nothing = [
        await seconds_of(stage.run_quietly(sys.executable, "-c", "pass"))
        for _ in range(effort.rounds)
    ]
    return Line(
        FIGURE,
        "`selify --help`",
        statistics.median(help_) * 1000,
        "ms",
        "`python -c pass`",
        statistics.median(nothing) * 1000,
        aim=AIM_HELP_MILLISECONDS,
        aim_is_limit=True,
    )


def _memory(demo: psutil.Process) -> list[Line]:
    """Of the quiet demo. The database's processes share memory, so each counts its part of it."""
    names = {"serve": "server", "worker": "worker"}
    lines = [
        Line(FIGURE, f"Memory of the {names[role]}", child.memory_info().rss / MEBI, "MB")
        for role in names
        for child in demo.children()
        if role in child.cmdline()
    ]
    return [*lines, Line(FIGURE, "Memory of the database", _database_bytes(demo) / MEBI, "MB")]


def _database_bytes(demo: psutil.Process) -> int:
    folder = demo.environ()["SELIFY_DATA_DIR"]
    (keeper,) = (
        process
        for process in psutil.process_iter()
        if process.name() == "postgres" and any(folder in word for word in process.cmdline())
    )
    return sum(_own_share(process) for process in (keeper, *keeper.children()))


def _own_share(process: psutil.Process) -> int:
    memory = process.memory_full_info()
    return int(getattr(memory, "pss", memory.uss))
