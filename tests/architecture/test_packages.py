"""Two packages in one repository: the product, which does without the other, and its sandbox.

Their wheels are really built, and really run by a Python that sees nothing else of ours.
"""

import contextlib
import os
import signal
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from hatchling.builders.wheel import WheelBuilder

from selify.supervisor import free_port

ROOT = Path(__file__).resolve().parents[2]
SANDBOX = ROOT / "src" / "selify_sandbox"
PATIENCE = 60.0


def built(project: Path, folder: Path) -> zipfile.ZipFile:
    (wheel,) = WheelBuilder(str(project)).build(directory=str(folder))
    return zipfile.ZipFile(wheel)


@pytest.fixture(scope="module")
def product(tmp_path_factory) -> zipfile.ZipFile:
    return built(ROOT, tmp_path_factory.mktemp("product"))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory) -> zipfile.ZipFile:
    return built(SANDBOX, tmp_path_factory.mktemp("sandbox"))


def files_of(folder: Path) -> set[str]:
    return {
        str(path.relative_to(ROOT / "src"))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def packed(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def test_the_product_s_wheel_holds_the_product_and_nothing_else(product) -> None:
    assert packed(product) == files_of(ROOT / "src" / "selify")


def test_the_sandbox_s_wheel_holds_its_templates_and_scripts_too(sandbox) -> None:
    assert packed(sandbox) == files_of(SANDBOX) - {"selify_sandbox/pyproject.toml"}
    kinds = {Path(name).suffix for name in packed(sandbox)}
    assert kinds == {".py", ".html", ".css", ".js", ".svg", ".sql"}


def test_no_file_of_the_product_names_its_sandbox() -> None:
    """An import by name would be seen by no linter."""
    source = ROOT / "src" / "selify"
    texts = [path for path in source.rglob("*") if path.suffix in {".py", ".toml", ".html", ".js"}]
    assert [str(path) for path in texts if "selify_sandbox" in path.read_text()] == []


@dataclass(frozen=True, slots=True)
class Installed:
    """A machine on which these wheels are installed, and what we stand on, but no checkout."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.folder),
            "SELIFY_DATA_DIR": str(self.folder / "data"),
        }

    def selify(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            (sys.executable, "-S", "-m", "selify", *arguments),
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def installed(folder: Path, *wheels: zipfile.ZipFile) -> Installed:
    for wheel in wheels:
        wheel.extractall(folder)
    for one in Path(sysconfig.get_path("purelib")).iterdir():
        if "selify" not in one.name:
            (folder / one.name).symlink_to(one)
    return Installed(folder)


def test_the_product_alone_has_every_command_but_the_demo(tmp_path, product) -> None:
    alone = installed(tmp_path, product)
    said = alone.selify("--help")
    assert (said.returncode, said.stderr) == (0, "")
    assert "\n  up " in said.stdout
    assert "\n  demo " not in said.stdout
    assert "No such command 'demo'" in alone.selify("demo").stderr
    assert "SELIFY_PHONE_PORT" not in alone.selify("settings", "--markdown").stdout


def test_beside_its_sandbox_it_has_the_demo_and_its_settings(tmp_path, product, sandbox) -> None:
    both = installed(tmp_path, product, sandbox)
    said = both.selify("--help").stdout
    assert "\n  up " in said
    assert "\n  demo " in said
    assert "phone" not in said.replace("a phone", ""), "a part of the demo, and nobody's command"
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert both.selify("settings", "--markdown").stdout == page


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)


def answer(url: str) -> httpx.Response:
    ends = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(url, trust_env=False, timeout=PATIENCE)
        assert time.monotonic() < ends, "it never answered"
        time.sleep(0.1)


def test_the_phone_runs_from_the_wheels(tmp_path, product, sandbox) -> None:
    """Templates, scripts and the stand-in's own tables travel along."""
    both = installed(tmp_path, product, sandbox)
    port = free_port()
    command = [sys.executable, "-S", "-m", "selify", "phone", "--port", str(port)]
    with running([*command, "--server", "http://127.0.0.1:9"], both.environment):
        page = answer(f"http://127.0.0.1:{port}/")
        assert page.status_code == 200
        assert "<html" in page.text
        assert answer(f"http://127.0.0.1:{port}/sandbox/api/world").status_code == 200


def test_commands_that_cannot_be_loaded_are_named_and_keep_nobody_from_the_others(
    tmp_path, product, sandbox
) -> None:
    broken = installed(tmp_path, product, sandbox)
    (tmp_path / "selify_sandbox" / "commands.py").write_text("import no_such_module")
    said = broken.selify("--help")
    assert said.returncode == 1
    problem, advice = said.stderr.strip().splitlines()
    assert problem.startswith("✗ The commands of selify_sandbox.commands cannot be loaded: ")
    assert advice == "  Install that package again, or remove it."
    assert broken.selify("db", "--help").returncode == 0
