"""The embedded server: shared, found again, and clear when it cannot start."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import psutil
import pytest

from selify.db import embedded
from selify.db.errors import EmbeddedDatabaseError

START_AND_SAY = """
import sys, time, pathlib
from selify.db import embedded
server = embedded.start(pathlib.Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def folder():
    """Not tmp_path: the server's own user must be able to enter it."""
    folder = Path(tempfile.mkdtemp(prefix="selify-test-"))
    yield folder
    with contextlib.suppress(FileNotFoundError, psutil.NoSuchProcess):
        psutil.Process(_pid(folder / "postgres")).kill()
    shutil.rmtree(folder, ignore_errors=True)


def _pid(directory):
    return int((directory / "postmaster.pid").read_text().splitlines()[0])


def _other_process(directory):
    return subprocess.Popen(
        [sys.executable, "-c", START_AND_SAY, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def _value(url, query):
    connection = await asyncpg.connect(url)
    value = await connection.fetchval(query)
    await connection.close()
    return value


async def test_settings_fit_our_load_and_stay_durable(postgres_server):
    connection = await asyncpg.connect(postgres_server.url)
    rows = await connection.fetch(
        "SELECT name, reset_val FROM pg_settings WHERE source <> 'default'"
    )
    files = await connection.fetchval(
        "SELECT count(*) FROM pg_file_settings WHERE error IS NOT NULL"
    )
    await connection.close()
    settings = {row["name"]: row["reset_val"] for row in rows}
    assert files == 0
    assert settings["max_connections"] == "100"
    assert settings["TimeZone"] == "UTC"
    assert settings["listen_addresses"] == ""
    assert "fsync" not in embedded.SETTINGS
    assert "synchronous_commit" not in embedded.SETTINGS


async def test_two_processes_share_it_and_the_last_one_stops_it(folder):
    directory = folder / "postgres"
    mine = embedded.start(directory)
    with _other_process(directory) as other:
        assert other.stdout.readline().strip() == mine.url
        pid = _pid(directory)
        mine.stop()
        assert psutil.pid_exists(pid)
        other.communicate("")
    assert not (directory / "postmaster.pid").exists()


async def test_killed_server_and_killed_user_are_survived(folder):
    directory = folder / "postgres"
    with _other_process(directory) as other:
        url = other.stdout.readline().strip()
        await _value(url, "SELECT 1 FROM (SELECT set_config('a.b', 'c', false)) AS x")
        connection = await asyncpg.connect(url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
        server = psutil.Process(_pid(directory))
        family = [server, *server.children(recursive=True)]
        for process in [psutil.Process(other.pid), *family]:
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(family)
    assert (directory / "postmaster.pid").exists()
    again = embedded.start(directory)
    assert await _value(again.url, "SELECT answer FROM kept") == 42
    again.stop()
    # The killed process never said goodbye, and yet the server stops.
    assert not (directory / "postmaster.pid").exists()


@pytest.mark.parametrize("left", ["postmaster.pid", ".s.PGSQL.5432.lock"])
async def test_lock_file_of_a_number_that_is_someone_elses_now(folder, left):
    directory = folder / "postgres"
    embedded.start(directory).stop()
    (directory / left).write_text(
        f"{os.getpid()}\n{directory}\n1700000000\n5432\n{directory}\n\n  1 2\nready   \n"
    )
    server = embedded.start(directory)
    assert await _value(server.url, "SELECT 1") == 1
    server.stop()


async def test_stopping_and_starting_again_in_one_process(folder):
    for _ in range(2):
        server = embedded.start(folder / "postgres")
        assert await _value(server.url, "SELECT current_database()") == "selify"
        server.stop()


async def test_long_and_odd_paths_work(folder):
    directory = folder / ("a long name with spaces & signs " * 4).strip() / "postgres"
    server = embedded.start(directory)
    assert await _value(server.url, "SHOW data_directory") == str(directory)
    server.stop()


def test_other_major_version_is_refused(folder):
    directory = folder / "postgres"
    directory.mkdir()
    (directory / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedDatabaseError, match=r"PostgreSQL 14.*brings PostgreSQL 18"):
        embedded.start(directory)


def test_full_disk_is_refused_before_anything_is_written(folder, monkeypatch):
    free = shutil.disk_usage(folder).free
    monkeypatch.setattr(embedded, "SMALLEST_FREE_SPACE", free * 2)
    with pytest.raises(EmbeddedDatabaseError, match="is full") as refusal:
        embedded.start(folder / "postgres")
    assert "SELIFY_DATA_DIR" in refusal.value.hint
    assert list((folder / "postgres").iterdir()) == []


def test_unwritable_folder_is_one_line(folder):
    (folder / "file").write_text("")
    with pytest.raises(EmbeddedDatabaseError, match="cannot be written: Not a directory"):
        embedded.start(folder / "file" / "postgres")


def test_what_initdb_left_behind_is_not_why_it_failed():
    said = [
        'initdb: error: could not access directory "/srv/postgres": Permission denied',
        'initdb: removing contents of data directory "/srv/postgres"',
        "initdb: error: failed to remove contents of data directory",
    ]
    reason = 'initdb: error: could not access directory "/srv/postgres": Permission denied'
    assert embedded._reason_in(said) == reason


def test_broken_settings_give_the_servers_own_reason(folder):
    directory = folder / "postgres"
    embedded.start(directory).stop()
    with (directory / "postgresql.conf").open("a") as settings:
        settings.write("\nshared_buffers = plenty\n")
    with pytest.raises(
        EmbeddedDatabaseError, match=r"configuration file .* contains errors"
    ) as refusal:
        embedded.start(directory)
    assert "\n" not in refusal.value.detail
    assert str(directory / "log") in refusal.value.hint
