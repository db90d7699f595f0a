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
from collections.abc import Mapping
from pathlib import Path

from selify.core.errors import Unavailable
from selify.core.language import _
from selify.core.logging import get_logger

log = get_logger(__name__)

OTHERS = 0o077
PASSING = 0o011
FOLDER = 0o700
FILE = 0o600
# What a picture takes: a disk without that much room takes nothing that matters.
PROBE_BYTES = 512 * 1024
FREE_SOME = _(
    "Whoever runs this server must free some space on it. What waits goes on by itself then."
)
MAKE_WRITABLE = _("Whoever runs this server must make its disk writable again.")

_FULL = {number: os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT)}
_CLOSED = {
    errno.EROFS: os.strerror(errno.EROFS),
    # Others deny permissions, too: only with its number is it the operating system's word.
    **{n: f"{os.strerror(n)} (os error {n})" for n in (errno.EACCES, errno.EPERM)},
}


class DiskTrouble(Unavailable):
    """Nothing can be stored for now, and that is nobody's fault who wanted to: what waits for it is
    tried again without being counted.
    """


class DiskFull(DiskTrouble):
    code = "disk_full"
    title = _("The disk is full")


class DiskReadOnly(DiskTrouble):
    code = "disk_read_only"
    title = _("The disk cannot be written")


def trouble(error: BaseException) -> type[DiskFull | DiskReadOnly] | None:
    """Which of the two the operating system spoke of; None when it was not about the disk.

    Libraries that are not written in Python pass on its text only.
    """
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL or _says(error, _FULL):
        return DiskFull
    if number in _CLOSED or _says(error, _CLOSED):
        return DiskReadOnly
    return None


def refusal(error: BaseException, folder: Path) -> DiskTrouble | None:
    """The same for whoever runs the program, with the folder's name."""
    kind = trouble(error)
    if kind is DiskFull:
        return DiskFull(
            _("The disk of %(folder)s is full.", folder=folder), hint=_("Free some space there.")
        )
    if kind is DiskReadOnly:
        return DiskReadOnly(
            _(
                "%(folder)s cannot be written: it is read-only, or belongs to somebody else.",
                folder=folder,
            ),
            hint=_(
                "Make it writable (mount it read-write, see to its owner), or name another folder."
            ),
        )
    return None


def shortage(folder: Path) -> DiskTrouble | None:
    """What stands against writing there, at a glance and without trying."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    if disk.f_flag & os.ST_RDONLY:
        return DiskReadOnly(_("The disk is read-only."), hint=MAKE_WRITABLE)
    if disk.f_bavail * disk.f_frsize < PROBE_BYTES:
        return DiskFull(_("Nothing more can be stored: the disk is full."), hint=FREE_SOME)
    return None


def check_room(folder: Path) -> None:
    """Raises DiskFull, DiskReadOnly, or the OSError that is neither, when nothing of a picture's size
    can be written there.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(PROBE_BYTES))
            probe.flush()
    except OSError as error:
        raise refusal(error, folder) or error from error


def _says(error: BaseException, words: Mapping[int, str]) -> bool:
    text = str(error)
    return any(word in text for word in words.values())


def claim(folder: Path) -> None:
    """Make the data directory ours: there, writable, with room, and closed to everybody else, with
    all that this process and its children will ever make in it.

    Raises DiskFull, DiskReadOnly, or the OSError that is neither.
    """
    os.umask(OTHERS)
    try:
        folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        check_room(folder)
        closed = _close(folder)
    except OSError as error:
        raise refusal(error, folder) or error from error
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
