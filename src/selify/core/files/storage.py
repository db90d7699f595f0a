"""Files: one small interface over a local folder or somebody's object store (obstore).

Keys are relative paths such as ``workspaces/<id>/<kind>/<id>.png``. What must disappear in time
(photos of people) is listed in ``internal.retention`` by whoever stores it.
"""

import asyncio
import re
from pathlib import Path
from typing import Self

import obstore
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from selify.core.errors import NotFound, Unavailable
from selify.core.files import disk
from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.settings import SettingsWrong

log = get_logger(__name__)
_KEY = re.compile(r"[A-Za-z0-9_\-][A-Za-z0-9_\-./]{0,400}")


class FileMissing(NotFound):
    code = "file_missing"
    title = _("This file is no longer stored")


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = _("Files cannot be stored right now")


class StorageFull(StorageUnavailable, disk.DiskFull):
    code = "storage_full"
    title = _("The disk of the files is full")


class StorageReadOnly(StorageUnavailable, disk.DiskReadOnly):
    code = "storage_read_only"
    title = _("The disk of the files cannot be written")


class Storage:
    """Puts, gets and deletes whole files by key. All methods raise StorageUnavailable on trouble, and
    say so when it is a full or closed disk.
    """

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def open(cls, url: str) -> Self:
        """``file:///folder``, ``memory:///``, ``s3://bucket/prefix``, ``gs://…`` or ``az://…``.

        Raises SettingsWrong when there can be no such place; nothing is asked over the network.
        """
        try:
            return cls._open(url)
        except (OSError, ValueError, obstore.exceptions.BaseError) as error:
            raise SettingsWrong(
                f"SELIFY_STORAGE_URL: files cannot be kept at {url} ({_first_line(error)}).",
                hint="Name a folder that can be written, or another place: see docs/reference/settings.md.",
            ) from error

    @classmethod
    def _open(cls, url: str) -> Self:
        if url.startswith("memory:"):
            return cls(MemoryStore())
        if url.startswith("file://"):
            folder = Path(url.removeprefix("file://"))
            folder.mkdir(mode=disk.FOLDER, parents=True, exist_ok=True)
            return cls(LocalStore(folder), folder)
        return cls(from_url(url))

    async def put(self, key: str, data: bytes, *, content_type: str) -> None:
        attributes = None if isinstance(self._store, LocalStore) else {"Content-Type": content_type}
        try:
            await obstore.put_async(self._store, _checked(key), data, attributes=attributes)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _in_words("Storing", key, error) from error

    async def check_room(self) -> None:
        """Before something costly that will have to be stored. Elsewhere, room is not ours to ask."""
        if self._folder is None:
            return
        try:
            await asyncio.to_thread(disk.check_room, self._folder)
        except (disk.DiskTrouble, OSError) as error:
            raise _in_words("Storing", "a file", error.__cause__ or error) from error

    async def get(self, key: str) -> bytes:
        try:
            result = await obstore.get_async(self._store, _checked(key))
            return bytes(await result.bytes_async())
        except (FileNotFoundError, obstore.exceptions.NotFoundError) as error:
            raise FileMissing(_("%(key)s is not stored (any more).", key=key)) from error
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _in_words("Reading", key, error) from error

    async def exists(self, key: str) -> bool:
        try:
            await self.size(key)
        except FileMissing:
            return False
        return True

    async def size(self, key: str) -> int:
        """In bytes. Raises FileMissing."""
        try:
            described = await obstore.head_async(self._store, _checked(key))
        except (FileNotFoundError, obstore.exceptions.NotFoundError) as error:
            raise FileMissing(_("%(key)s is not stored (any more).", key=key)) from error
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _in_words("Looking for", key, error) from error
        return described["size"]

    async def list_under(self, folder: str, *, limit: int = 1000) -> list[str]:
        """Keys of files in a folder and the folders in it; not more than so many at once."""
        found: list[str] = []
        try:
            async for batch in obstore.list(self._store, prefix=f"{_checked(folder)}/"):
                found += [str(entry["path"]) for entry in batch]
                if len(found) >= limit:
                    break
        except (FileNotFoundError, obstore.exceptions.NotFoundError):
            return []
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _in_words("Looking into", folder, error) from error
        return found[:limit]

    async def keys(self) -> list[str]:
        """Of every file there is. For a backup: it takes as long as there are many."""
        try:
            return [
                str(entry["path"]) async for batch in obstore.list(self._store) for entry in batch
            ]
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _in_words("Looking into", "everything", error) from error

    async def delete(self, key: str) -> None:
        """Gone afterwards, whether or not it was there."""
        try:
            await obstore.delete_async(self._store, _checked(key))
        except (FileNotFoundError, obstore.exceptions.NotFoundError):
            return
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _in_words("Deleting", key, error) from error


def _in_words(doing: str, key: str, error: BaseException) -> StorageUnavailable:
    """What a brand reads names no folder; the log does."""
    match disk.trouble(error):
        case disk.DiskFull:
            log.error("the disk of the files is full", file=key, reason=str(error))
            return StorageFull(
                _("Nothing can be stored: the disk of the files is full."), hint=disk.FREE_SOME
            )
        case disk.DiskReadOnly:
            log.error("the disk of the files cannot be written", file=key, reason=str(error))
            return StorageReadOnly(
                _("Nothing can be stored: the disk of the files cannot be written."),
                hint=disk.MAKE_WRITABLE,
            )
    return StorageUnavailable(
        _("%(doing)s %(key)s failed: %(error)s", doing=doing, key=key, error=error)
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _checked(key: str) -> str:
    """Keys are made by us, never by a visitor; this keeps it so."""
    if not _KEY.fullmatch(key) or ".." in key or "//" in key:
        raise ValueError(f"not a storage key: {key!r}")
    return key
