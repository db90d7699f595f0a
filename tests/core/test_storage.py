"""Trouble with the store is told apart from a file that is not there."""

from pathlib import Path

import pytest

from selify.core.storage import FileMissing, Storage, StorageUnavailable


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
