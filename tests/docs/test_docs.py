"""Documents that fail the build when they are untrue."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from selify import cli, permissions_reference, settings_reference

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text()):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path) -> None:
    for name in re.findall(r"`((?:src|tests|docs)/[\w./*-]+)`", path.read_text()):
        assert list(ROOT.glob(name)), f"{path.name} names {name}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_named_in_a_module_is_there(path: Path) -> None:
    """`domain/module.name`, and `domain/module.py`."""
    for file, name in re.findall(r"`((?:\w+/)+\w+)\.(\w+)[\w.()]*`", path.read_text()):
        if not (ROOT / "src" / "selify" / file.partition("/")[0]).is_dir():
            continue
        source = ROOT / "src" / "selify" / f"{file}.{name}"
        module = source.with_suffix(".py")
        assert source.exists() or (
            module.exists()
            and re.search(rf"^(async def|def|class)? ?{name}\b", module.read_text(), re.MULTILINE)
        ), f"{path.name} names {file}.{name}"


def test_the_settings_page_is_what_the_program_writes() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert page == settings_reference.as_markdown()


def test_the_permissions_page_is_what_the_program_writes() -> None:
    page = (ROOT / "docs" / "reference" / "permissions.md").read_text()
    assert page == permissions_reference.as_markdown()


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= targets


def test_every_command_of_the_readme_exists() -> None:
    help_text = CliRunner().invoke(cli.app, ["--help"]).output
    for command in re.findall(r"`selify ([a-z]+)", README):
        assert command in help_text


def test_decision_records_are_short_and_whole() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert records
    for path in records:
        text = path.read_text()
        assert text.count("\n") <= 70, path.name
        for part in ("Context", "Decision", "Consequences", "Alternatives", "Enforced by"):
            assert f"\n## {part}\n" in text, f"{path.name} has no {part}"


def test_pins_have_hashes_and_no_address() -> None:
    pins = [*(ROOT / "requirements").glob("*.txt"), ROOT / "src" / "selify" / "assets-npm.txt"]
    for path in pins:
        text = path.read_text()
        assert text.count("--hash=sha256:") > text.count("==")
        assert not re.search(r"https?://|--index-url|--find-links", text), path.name


def test_the_package_names_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert (ROOT / "LICENSE").exists()
