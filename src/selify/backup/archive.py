"""Everything of a brand in one file, and back: the database, the stored files, never a key.

The file is a zip: ``database.dump``, ``files/…`` and, written last, ``backup.json``. A zip tells by
itself when it is not whole. The order is what makes it consistent (``docs/decisions/0135``): the
database first, at one moment; the files after it, for a row is committed after its file is stored.
What was listed for deletion since that moment is left out: in the restored database nobody would
know that it must go.
"""

import contextlib
import importlib.metadata
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from selify.app import WINGS
from selify.core.errors import SelifyError
from selify.core.files import disk
from selify.core.files.storage import FileMissing, Storage
from selify.core.secrets import SecretBox, SecretUnreadable
from selify.core.settings import Settings, own_key_file
from selify.core.web.file_endpoints import content_type
from selify.db import dumps, migrate

FORMAT = 1
CONTENTS, DATABASE, FILES = "backup.json", "database.dump", "files/"
ABOUT = "backup"
TO_BE_DELETED = "SELECT object_key FROM internal.retention"


class BackupRefused(SelifyError):
    """A backup that cannot be written there, or cannot be restored here."""

    code = "backup_refused"
    title = "This backup cannot be used"


class Contents(BaseModel):
    """What a backup says about itself. ``keys``: a text sealed with each key that is needed, by id."""

    format: int
    made_at: datetime
    program: str
    revision: str
    files: int
    keys: dict[str, str]


async def write(
    path: Path, url: str, storage: Storage, secrets: SecretBox, *, now: datetime
) -> Contents:
    """Make the backup, readable by its owner only. It appears under its name once it is whole."""
    revision = await migrate.current(url)
    if revision is None:
        raise BackupRefused("The database holds no Selify tables: there is nothing to back up.")
    with _draft(path) as draft, zipfile.ZipFile(draft, "w", allowZip64=True) as archive:
        async with dumps.snapshot(url) as then:
            listed, used = await then.column(TO_BE_DELETED), await _keys_in_use(then)
            with archive.open(DATABASE, "w", force_zip64=True) as member:
                await then.dump(member)
        count = 0
        async for key, data in _files(storage, url, listed):
            archive.writestr(FILES + key, data)
            count += 1
        contents = Contents(
            format=FORMAT,
            made_at=now,
            program=importlib.metadata.version("selify"),
            revision=revision,
            files=count,
            keys=secrets.seal_with(used, ABOUT, about=ABOUT),
        )
        archive.writestr(CONTENTS, contents.model_dump_json(indent=2))
    return contents


async def _keys_in_use(then: dumps.Snapshot) -> set[str]:
    statements = [sealed.keys_in_use for wing in WINGS for sealed in wing.sealed]
    return {key for statement in statements for key in await then.column(statement)}


async def _files(storage: Storage, url: str, listed: set[str]) -> AsyncIterator[tuple[str, bytes]]:
    """All that is stored, but for what is to be deleted and was not when the database was copied."""
    keys = await storage.keys()
    async with dumps.snapshot(url) as now:
        listed_since = await now.column(TO_BE_DELETED) - listed
    for key in sorted(set(keys) - listed_since):
        with contextlib.suppress(FileMissing):  # deleted in the meantime
            yield key, await storage.get(key)


@contextlib.contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """Under a name of its own until it is whole. One whose program was killed stays, as ``.partial``."""
    if path.exists():
        raise _taken(path)
    draft = path.with_name(f"{path.name}.{os.urandom(4).hex()}.partial")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, disk.FILE))
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        _publish(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError as error:
        raise _taken(path) from error
    except OSError:  # a disk that knows no links, such as a stick's
        draft.rename(path)


def _taken(path: Path) -> BackupRefused:
    return BackupRefused(
        f"{path} exists already, and nothing is overwritten.", hint="Choose another name."
    )


# --- Back ----------------------------------------------------------------------------------------


def read(path: Path) -> Contents:
    """What the backup says about itself, once every byte of it is known to be whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            contents = Contents.model_validate_json(archive.read(CONTENTS))
            if contents.format > FORMAT:
                raise BackupRefused(
                    f"{path} was written by a newer Selify ({contents.program}).",
                    hint="Install that version, or a newer one.",
                )
            broken = archive.testzip()
            archive.getinfo(DATABASE)
    except (zipfile.BadZipFile, KeyError, ValidationError, EOFError) as error:
        raise BackupRefused(
            f"{path} is no backup of Selify, or not a whole one.",
            hint="Copy it again from where it was made, or take the one before.",
        ) from error
    if broken:
        raise BackupRefused(
            f"{path} is damaged: {broken} is not what was written.", hint="Take another copy of it."
        )
    migrate.check_known(contents.revision)
    return contents


def check_keys(contents: Contents, settings: Settings) -> None:
    """Raises BackupRefused when the sealed tokens would be unreadable here. Makes no key."""
    own = own_key_file(settings.data_dir)
    advice = (
        f"Put the old secret.key at {own}, or the old key into SELIFY_SECRET_KEYS. If it is lost for"
        " good: `--key-lost`, and every account is connected again afterwards."
    )
    if not settings.secret_keys and not own.exists():
        raise BackupRefused(
            "The key that sealed the tokens in this backup is not here: a backup never holds it.",
            hint=advice,
        )
    for name, probe in contents.keys.items():
        try:
            settings.secret_box.open(probe, about=ABOUT)
        except SecretUnreadable as error:
            raise BackupRefused(
                f"This backup was sealed with another master key called “{name}” than any that is"
                " configured here.",
                hint=advice,
            ) from error


async def restore(path: Path, url: str, storage: Storage) -> None:
    """Into an empty database. The files come first, so that no row names one that is not there; who
    was interrupted may simply begin again.
    """
    await migrate.check_empty(url)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith(FILES)]
        missing = [name for name in names if not await _is_there(archive, name, storage)]
        for name in missing:
            key = name.removeprefix(FILES)
            await storage.put(key, archive.read(name), content_type=content_type(key))
        with archive.open(DATABASE) as dump:
            await dumps.load(url, dump)


async def _is_there(archive: zipfile.ZipFile, name: str, storage: Storage) -> bool:
    """Whether the very same file is stored. Raises BackupRefused for another of that name."""
    key = name.removeprefix(FILES)
    try:
        stored = await storage.get(key)
    except FileMissing:
        return False
    except ValueError as error:
        raise BackupRefused(f"{name} in the backup is no file of Selify's.") from error
    if stored != archive.read(name):
        raise BackupRefused(
            f"Another file is stored as {key} already, and nothing is overwritten.",
            hint="Restore into an empty place: a new SELIFY_DATA_DIR, or a new SELIFY_STORAGE_URL.",
        )
    return True
