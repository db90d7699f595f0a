"""What a process loads: the server no picture mathematics, the command line's help next to nothing.

Read from the processes themselves, because an import may hide behind any other.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from selify.supervisor import free_port

PATIENCE = 120.0
MATHEMATICS = {"numpy", "cv2"}
HEAVY = {
    "asyncio", "asyncpg", "alembic", "babel", "cv2", "fastapi", "httpx", "jinja2", "numpy", "obstore", "PIL",
    "prometheus_client", "pydantic", "pydantic_settings", "rich", "sqlalchemy", "starlette",
    "structlog", "uvicorn", "uvloop",
}  # fmt: skip
# After what the command has loaded by itself, which it must not lose by our asking.
AT_THE_END = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
COMMAND = "sys.argv = ['selify', *{}]; from selify.cli import main; main()"


def loaded(code: str, folder: Path) -> set[str]:
    """The names of the packages in a process of its own that ran this code."""
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END + code],
        env=environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return packages(done.stderr)


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "SELIFY_DATA_DIR": str(folder), **more}


def packages(said: str) -> set[str]:
    return {name.partition(".")[0] for name in said.splitlines()[-1].split()}


@pytest.mark.parametrize(("command", "asked"), [("serve", "/sign-in"), ("worker", "/metrics")])
def test_neither_server_nor_worker_reckons_with_pictures(
    database_url: str, tmp_path: Path, command: str, asked: str
) -> None:
    """The real processes, once they are at work: the engine has a process of its own."""
    port = str(free_port())
    process = subprocess.Popen(
        [sys.executable, "-c", AT_THE_END + COMMAND.format([command])],
        env=environment(
            tmp_path,
            SELIFY_DATABASE_URL=database_url,
            SELIFY_PORT=port,
            SELIFY_METRICS_PORT=port if command == "worker" else "0",
        ),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until_answered(f"http://127.0.0.1:{port}{asked}", process)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    names = packages(said)
    assert {"selify", "fastapi", "PIL"} <= names
    assert names & MATHEMATICS == set()


def until_answered(url: str, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, "it ended instead of starting"
        assert time.monotonic() < ends, "it never answered"
        with contextlib.suppress(httpx.TransportError):
            assert httpx.get(url, trust_env=False, timeout=PATIENCE).status_code == 200
            return
        time.sleep(0.1)


def test_asking_for_help_loads_next_to_nothing(tmp_path: Path) -> None:
    names = loaded(COMMAND.format(["--help"]), tmp_path)
    assert {"selify", "typer"} <= names
    assert names & HEAVY == set()


@pytest.mark.parametrize(
    "arguments", [["demo", "--help"], ["db", "--help"], ["events", "list", "--help"]]
)
def test_asking_about_a_command_loads_nothing_of_it(tmp_path: Path, arguments: list[str]) -> None:
    """Typer reads a command's options with pydantic."""
    names = loaded(COMMAND.format(arguments), tmp_path)
    assert names & HEAVY <= {"pydantic"}


def test_reading_the_settings_loads_nothing_but_settings(tmp_path: Path) -> None:
    """What is mistyped in them is said before anything else is loaded."""
    code = "from selify.core.command_line import load_settings; load_settings()"
    assert loaded(code, tmp_path) & HEAVY <= {"asyncio", "pydantic", "pydantic_settings"}


def test_a_command_that_needs_more_loads_it(tmp_path: Path) -> None:
    """That this test can fail."""
    assert loaded(COMMAND.format(["settings"]), tmp_path) >= {"pydantic", "rich"}
