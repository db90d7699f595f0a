"""Prints docs/licences.md: what the installed packages, the libraries inside them, the page scripts
and the models are licensed under. Raises on what is unknown, or under the GPL.

Usage: .venv/bin/python tools/licences.py > docs/licences.md
"""

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KNOWN = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
ASSETS = ROOT / "src" / "selify" / "assets.toml"

_PINNED = re.compile(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)
_LIBRARY = re.compile(r"\.so(\.\w+)*$|\.dylib$")
_PYTHONS_OWN = re.compile(r"\.(cpython-\w+|abi3)[\w.-]*\.so$")  # the package's own modules
_STEM = re.compile(r"^(.*?)(-r0)?(-[0-9a-f]{8})*(\.[\d.]+)?\.(so|dylib)[\w.]*$")
# The GPL without an exception for what is merely linked; the LGPL is another one.
_GPL = re.compile(r"\bA?GPL|(?<!Lesser )General Public License", re.IGNORECASE)
_EXCEPTED = re.compile(r"WITH GCC-exception")
_FAMILIAR = re.compile(
    r"MIT|BSD|Apache|ISC|MPL|Mozilla Public License 2|PSF|LGPL|Lesser General Public|0BSD|Zlib|CC0"
)

HEAD = """# Licences

Selify is under the [Apache License 2.0](../LICENSE). What it stands on comes from published packages
that set-up downloads; nothing of it is part of this repository. This page is printed by
`tools/licences.py` from the installed packages (Linux, x86-64), and a test keeps it true: a library
that nobody has looked up, or one under the GPL that a program of ours would load, fails the build.

What is compiled into a package's own modules is named in the licence file it brings along.
"""
ASIDE = """
## Under the GPL, and not used

`{needed_by}` inside `{package}` needs `{library}`
({licence}). It is a program of its own, which nothing of ours
starts; no library, no module and no other program there needs it, and the test makes sure.
HEIC photos are read by `pi-heif`, whose wheel holds a decoder only: that of `pillow-heif` brings
libx265, an encoder under the GPL.
"""


class LicenceWrong(Exception):
    """Something that may not be used, or that nobody has looked up."""


@dataclass(frozen=True, slots=True)
class Package:
    """An installed package of ours, and the names of the libraries inside its wheel."""

    name: str
    licence: str
    libraries: tuple[str, ...]
    binaries: tuple[Path, ...]


def packages() -> Iterator[Package]:
    """Those pinned for running that are installed here."""
    pinned = (ROOT / "requirements" / "runtime.txt").read_text()
    for name in sorted(set(_PINNED.findall(pinned))):
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform
        files = [file for file in found.files or () if file.suffix != ".pyc"]
        libraries = {
            file.name
            for file in files
            # Tools that repair wheels put what is others' into a folder of its own.
            if is_bundled(file.name) and (name not in KNOWN["own"] or ".libs" in str(file.parent))
        }
        binaries = tuple(
            Path(str(found.locate_file(file)))
            for file in files
            if _LIBRARY.search(file.name) or file.parent.name == "bin"
        )
        stems = tuple(sorted({stem(library) for library in libraries}))
        yield Package(name, licence_of(found.metadata), stems, binaries)


def is_bundled(name: str) -> bool:
    return bool(_LIBRARY.search(name)) and not _PYTHONS_OWN.search(name)


def stem(name: str) -> str:
    match = _STEM.match(name)
    return match[1] if match else name


def licence_of(about: Any) -> str:
    """As the package itself says it."""
    stated = about.get("License-Expression")
    classified = [c for c in about.get_all("Classifier", []) if c.startswith("License ::")]
    if stated or not classified:
        return str(stated or about.get("License") or "").splitlines()[0]
    return "; ".join(c.rsplit(" :: ", 1)[-1] for c in classified)


def is_gpl(licence: str) -> bool:
    return bool(_GPL.search(licence)) and not _EXCEPTED.search(licence)


def check(package: Package) -> None:
    """Raises LicenceWrong for a licence that is unfamiliar or the GPL."""
    if is_gpl(package.licence) or not _FAMILIAR.search(package.licence):
        raise LicenceWrong(f"{package.name}: {package.licence or 'no licence'}")


def library_licence(package: Package, library: str) -> str | None:
    """None for what lies aside. Raises LicenceWrong."""
    if aside := KNOWN["aside"].get(library):
        check_aside(package, library, aside["needed_by"])
        return None
    licence: str | None = KNOWN["libraries"].get(library)
    if licence is None:
        raise LicenceWrong(f"{library} inside {package.name} is unknown: see tools/licences.toml")
    if is_gpl(licence):
        raise LicenceWrong(f"{library} inside {package.name}: {licence}")
    return licence


def check_aside(package: Package, library: str, needed_by: str) -> None:
    """Raises LicenceWrong when any other file of the wheel names the library."""
    for file in package.binaries:
        other = file.name != needed_by and stem(file.name) != library
        if other and library.encode() in file.read_bytes():
            raise LicenceWrong(f"{file.name} inside {package.name} needs {library}")


def page() -> str:
    """The whole page. Raises LicenceWrong."""
    found = list(packages())
    lines = [HEAD, "## Packages", "", "| Package | Licence |", "| --- | --- |"]
    asides, inside = [], defaultdict(set)
    for package in found:
        check(package)
        lines.append(f"| {package.name} | {package.licence} |")
        for library in package.libraries:
            licence = library_licence(package, library)
            if licence is None:
                asides.append((package.name, library))
            else:
                inside[library, licence].add(package.name)
        if own := KNOWN["own"].get(package.name):
            inside["its programs and modules", own].add(package.name)
    lines += ["", "## Libraries inside them", "", "| Library | Inside | Licence |"]
    lines.append("| --- | --- | --- |")
    for (library, licence), holders in sorted(inside.items()):
        lines.append(f"| {library} | {', '.join(sorted(holders))} | {licence} |")
    lines += [
        "",
        "## Page scripts and models",
        "",
        "| What | From | Licence |",
        "| --- | --- | --- |",
    ]
    for name, bundle in tomllib.loads(ASSETS.read_text()).items():
        for source, package in bundle.items():
            lines.append(f"| {name} | {source} | {package['licence']} |")
    for package_name, library in asides:
        about = {**KNOWN["aside"][library], "library": library, "package": package_name}
        lines.append(ASIDE.format(**about).rstrip())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
