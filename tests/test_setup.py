"""What `make` says before it installs anything."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from selify.supervisor import free_port
from selify_sandbox.settings import DemoSettings

ROOT = Path(__file__).resolve().parents[1]
# Without the packages that are not there yet, and without looking at ours.
BARE = (sys.executable, "-I", "-S")


@pytest.fixture
def taken() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


def said(*command: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if "SELIFY" not in name}
    clean.pop("MAKEFLAGS", None)
    free = {"SELIFY_PORT": str(free_port()), "SELIFY_PHONE_PORT": str(free_port())}
    return subprocess.run(
        command,
        env={**clean, "SELIFY_SETTINGS_FILE": str(folder / "selify.env"), **free, **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("target", "setting"),
    [("up", "SELIFY_PORT"), ("demo", "SELIFY_PORT"), ("demo", "SELIFY_PHONE_PORT")],
)
def test_a_taken_port_is_said_before_anything_is_installed(
    tmp_path: Path, taken: str, target: str, setting: str
) -> None:
    make = ("make", "--no-print-directory", target, f"VENV={tmp_path / 'venv'}")
    answer = said(*make, f"PYTHON={sys.executable}", folder=tmp_path, **{setting: taken})
    assert answer.returncode != 0
    problem, advice = answer.stderr.splitlines()[:2]
    assert problem.startswith(f"✗ Port {taken} on 127.0.0.1 is in use")
    assert advice == f"  Stop what runs there, or choose another with {setting}."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["up", "demo"])
def test_it_needs_no_package_and_says_what_the_program_itself_says(
    tmp_path: Path, taken: str, target: str
) -> None:
    before = said(*BARE, "tools/ports.py", target, folder=tmp_path, SELIFY_PORT=taken)
    itself = said(sys.executable, "-m", "selify", target, folder=tmp_path, SELIFY_PORT=taken)
    assert before.returncode == itself.returncode == 1
    assert before.stderr == itself.stderr
    free = said(*BARE, "tools/ports.py", target, folder=tmp_path)
    assert (free.returncode, free.stderr) == (0, "")


def test_the_phone_s_port_is_the_demo_s_affair(tmp_path: Path, taken: str) -> None:
    command = (*BARE, "tools/ports.py")
    assert said(*command, "up", folder=tmp_path, SELIFY_PHONE_PORT=taken).returncode == 0
    assert said(*command, "demo", folder=tmp_path, SELIFY_PHONE_PORT=taken).returncode == 1


@pytest.mark.parametrize(
    "line", ["SELIFY_PORT={}", 'export SELIFY_PORT="{}"', "selify_port = '{}'  # ours"]
)
def test_the_settings_file_counts_and_the_environment_wins(
    tmp_path: Path, taken: str, line: str
) -> None:
    (tmp_path / "selify.env").write_text(f"# Ports\n\n{line.format(taken)}\nOTHER\n")
    command = (*BARE, "tools/ports.py", "up")
    assert said(*command, folder=tmp_path).returncode == 0
    answer = said(*("env", "-u", "SELIFY_PORT"), *command, folder=tmp_path, SELIFY_HOST="127.0.0.1")
    assert answer.returncode == 1
    assert f"Port {taken}" in answer.stderr


def test_what_is_mistyped_is_left_to_the_program_itself(tmp_path: Path) -> None:
    answer = said(*BARE, "tools/ports.py", "up", folder=tmp_path, SELIFY_PORT="eighty")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_its_defaults_are_the_program_s() -> None:
    from tools import ports

    fields = DemoSettings.model_fields
    defaults = {name: str(fields[name].default) for name in ("host", "port", "phone_port")}
    assert defaults == {
        name.removeprefix("SELIFY_").lower(): value for name, value in ports.DEFAULTS.items()
    }
