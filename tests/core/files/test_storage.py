"""Trouble with the store is told apart from a file that is not there."""

from pathlib import Path

import pytest

from selify.core.files.storage import FileMissing, Storage, StorageUnavailable


async def test_a_file_comes_and_goes(tmp_path: Path) -> None:
    storage = Storage.open(f"file://{tmp_path}")
    assert not await storage.exists("a.jpg")
    await storage.put("a.jpg", b"x", content_type="image/jpeg")
    assert await storage.exists("a.jpg")
    assert await storage.get("a.jpg") == b"x"
    await storage.delete("a.jpg")
    await storage.delete("a.jpg")
    with pytest.raises(FileMissing):
        await storage.get("a.jpg")


async def test_a_store_in_trouble_says_so_whatever_it_is_asked(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    storage = Storage.open(f"file://{tmp_path}")
    for asking in (
        storage.exists("loop/a.jpg"),
        storage.get("loop/a.jpg"),
        storage.put("loop/a.jpg", b"x", content_type="image/jpeg"),
        storage.delete("loop/a.jpg"),
    ):
        with pytest.raises(StorageUnavailable):
            await asking


@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_what_lies_in_a_folder_is_found(tmp_path: Path, kind: str) -> None:
    """And in the folders in it, but in no folder whose name only begins alike."""
    storage = Storage.open(f"file://{tmp_path}" if kind == "file" else "memory:///")
    assert await storage.list_under("brand") == []
    mine = {"brand/a.jpg", "brand/photos/b.jpg", "brand/photos/old/c.jpg"}
    for key in (*mine, "brand-two/d.jpg", "brands.jpg"):
        await storage.put(key, b"x", content_type="image/jpeg")
    assert set(await storage.list_under("brand")) == mine
    assert len(await storage.list_under("brand", limit=2)) == 2
    with pytest.raises(ValueError, match="not a storage key"):
        await storage.list_under("../brand")
