"""Everything a running demo leaves on the disk is its owner's alone, whatever umask it was given."""

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from tests.infra.stack import quick_folder
from tests.trouble.test_supervisor import environment

from selify.core.files import disk
from selify.supervisor import free_port

pytestmark = pytest.mark.slow
PATIENCE = 300.0
PICTURES = "files/workspaces/*/garments/*"


def carelessly() -> None:
    os.umask(0)


def found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


def open_to_others(folder: Path) -> list[str]:
    """What somebody else could read, write or list; passing through is for the database's user."""
    allowed = {True: disk.PASSING if os.geteuid() == 0 else 0, False: 0}
    wide = []
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        on_the_way = path.is_dir() and (path / "postgres").is_dir()
        if not stat.S_ISLNK(mode) and mode & 0o077 & ~allowed[on_the_way]:
            wide.append(f"{stat.filemode(mode)} {path.relative_to(folder)}")
    return wide


async def until_pictures_are_stored(process: asyncio.subprocess.Process, folder: Path) -> None:
    """The demo is up then, and hangs garments into its wardrobe."""
    async with asyncio.timeout(PATIENCE):
        while not found(folder, PICTURES):
            assert process.returncode is None, "it ended instead of starting"
            await asyncio.sleep(0.2)


async def test_a_demo_leaves_nothing_that_others_could_read() -> None:
    with quick_folder() as parent:
        folder = parent / "data"
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        (folder / "secret.key.old").touch()
        (folder / "secret.key.old").chmod(0o644)
        port, phone = free_port(), free_port()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "selify", "demo"),
            env=environment(folder, port, SELIFY_PHONE_PORT=str(phone)),
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=carelessly,
        )
        try:
            await until_pictures_are_stored(process, folder)
            seen = {path.name for path in found(folder, "*")}
            assert {"postgres", "files", "phone", "metrics", "secret.key"} <= seen
            assert found(folder, "postgres/.s.PGSQL.*"), "the database has its socket there"
            assert open_to_others(folder) == []
        finally:
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        assert open_to_others(folder) == []
