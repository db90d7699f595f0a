"""graphile-worker, the queue on PostgreSQL that others measure themselves against. It needs Node: where
there is none, it is left out.
"""

import asyncio
import shutil
from pathlib import Path
from typing import Self

import asyncpg

from bench.instruments.rounds import WrongResult
from bench.instruments.stage import run_quietly

VERSION = "0.18.0"
NAME = "graphile-worker"
SCRIPT = Path(__file__).with_name("graphile_worker.mjs")
ADD = "SELECT graphile_worker.add_job('note', $1) FROM generate_series(1, $2)"


class GraphileWorker:
    """A process of its own, as it is run in use."""

    def __init__(
        self, process: asyncio.subprocess.Process, pool: "asyncpg.Pool[asyncpg.Record]"
    ) -> None:
        self._process = process
        self._pool = pool

    @classmethod
    async def open(cls, url: str, folder: Path, *, effects: str, at_once: int) -> Self | None:
        """``effects``: the statement that makes the table its jobs write to."""
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            return None
        home = folder / NAME
        home.mkdir()
        shutil.copy(SCRIPT, home)
        wanted = ("install", "--silent", "--no-save", "--prefix", str(home), f"{NAME}@{VERSION}")
        await run_quietly(npm, *wanted)
        pool = await asyncpg.create_pool(url, min_size=1, max_size=2)
        await pool.execute(effects)
        process = await asyncio.create_subprocess_exec(
            node,
            str(home / SCRIPT.name),
            url,
            str(at_once),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        opened = cls(process, pool)
        await opened._hear("ready")
        return opened

    async def fill(self, count: int) -> None:
        await self._pool.execute(ADD, '{"text": "try on please"}', count)

    async def drain(self, count: int) -> float:
        """Seconds, by its own clock: starting the process is not counted."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"drain {count}\n".encode())
        return float(await self._hear("took"))

    async def effects(self, statement: str) -> int:
        return int(await self._pool.fetchval(statement))

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._pool.close()

    async def _hear(self, word: str) -> str:
        """What comes behind that word. Its log goes to the same place."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            first, _, rest = line.decode().strip().partition(" ")
            if first == word:
                return rest
        raise WrongResult(f"{NAME} ended without a word")
