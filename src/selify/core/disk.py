"""The data directory: its owner's alone, and in words when the disk will not have more.

Photos of people, sealed tokens and the key that opens them lie there. Whatever umask the program
was started with, what it makes can be read by nobody else, and what was made with wider modes (by
an older version, a restored backup, a careless copy) is closed at the next start.
"""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

from selify.core.errors import SelifyError, Unavailable
from selify.core.logging import get_logger

log = get_logger(__name__)

OTHERS = 0o077
PASSING = 0o011
FOLDER = 0o700
FILE = 0o600
# Enough to notice a disk that is full to the last block.
PROBE_BYTES = 64 * 1024

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


class DiskFull(Unavailable):
    code = "disk_full"
    title = "The disk is full"


class DiskReadOnly(Unavailable):
    code = "disk_read_only"
    title = "The disk cannot be written"


def refusal(error: BaseException, place: object) -> DiskFull | DiskReadOnly | None:
    """What the operating system said, in words; None when it was not about the disk.

    Libraries that are not written in Python pass on its text only.
    """
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL or _says(error, _FULL):
        return DiskFull(
            f"The disk of {place} is full.",
            hint="Free some space there; what waits goes on by itself. Nothing was lost.",
        )
    if number in _CLOSED or _says(error, _CLOSED):
        return DiskReadOnly(
            f"{place} cannot be written: it is read-only, or belongs to somebody else.",
            hint="Make it writable (mount it read-write, see to its owner), or name another folder.",
        )
    return None


def _says(error: BaseException, numbers: tuple[int, ...]) -> bool:
    text = str(error)
    return any(f"{os.strerror(number)} (os error {number})" in text for number in numbers)


def claim(folder: Path) -> None:
    """Make the data directory ours: there, writable, with room, and closed to everybody else, with
    all that this process and its children will ever make in it.

    Raises DiskFull, DiskReadOnly, or the OSError that is neither.
    """
    os.umask(OTHERS)
    try:
        folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
        closed = _close(folder)
    except OSError as error:
        said: SelifyError | None = refusal(error, folder)
        raise said or error from error
    if closed:
        log.warning(
            "others could read or enter what is in the data directory: closed to them now",
            folder=str(folder),
            files_and_folders=closed,
        )


def _close(folder: Path) -> int:
    """How many files and folders were open to others until now.

    The database's server refuses to run as root and then has a user of its own, who must be able to
    pass through the folders above its own.
    """
    ours, closed = os.geteuid(), 0
    passed: set[Path] = set()
    for here, folders, files in os.walk(folder, topdown=False):
        path = Path(here)
        closed += sum(_close_one(path / name) for name in files)
        if any(path / name in passed or _owner(path / name) != ours for name in folders):
            passed.add(path)
        closed += _close_one(path, keep=PASSING if path in passed else 0)
    return closed


def _close_one(path: Path, *, keep: int = 0) -> bool:
    with contextlib.suppress(FileNotFoundError, PermissionError):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & OTHERS & ~keep:
            path.chmod(stat.S_IMODE(mode) & ~(OTHERS & ~keep))
            return True
    return False


def _owner(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return path.lstat().st_uid
    return os.geteuid()
