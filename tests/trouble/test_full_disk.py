"""A disk that is full or read-only names itself, everywhere, and nothing is lost by it.

On real ones: small file systems in memory, mounted for the test.
"""

import contextlib
import secrets as random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from tests.infra.settings import Settings
from tests.infra.site import served
from tests.trouble.test_hostile_webhooks import SECRET, delivery, knock, message
from tests.trouble.test_supervisor import environment

from selify.core.database_errors import from_database
from selify.core.files import disk
from selify.core.files.disk import DiskFull, DiskReadOnly
from selify.core.files.storage import FileMissing, Storage, StorageFull, StorageReadOnly
from selify.db import embedded, migrate
from selify.db.errors import EmbeddedDatabaseError
from selify.supervisor import free_port


@dataclass(frozen=True)
class SmallDisk:
    """A mounted file system of its own."""

    folder: Path

    def fill(self) -> None:
        """To the last block."""
        with (self.folder / "ballast").open("ab") as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(bytes(1024 * 1024))
                ballast.flush()
        with (self.folder / "ballast").open("ab", buffering=0) as rest:
            with contextlib.suppress(OSError):
                while True:
                    rest.write(bytes(4096))

    def free(self) -> None:
        (self.folder / "ballast").unlink()

    def close(self) -> None:
        self.mount("-o", "remount,ro")

    def open(self) -> None:
        self.mount("-o", "remount,rw")

    def mount(self, *options: str) -> None:
        command = ["mount", *options, "-t", "tmpfs", "selify-test", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"mounting is refused here: {done.stderr.strip()}")


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[SmallDisk]:
    # Not below pytest's own folder: the database's server must be able to enter it.
    with tempfile.TemporaryDirectory(prefix="selify-disk-") as folder:
        Path(folder).chmod(0o755)
        disk = SmallDisk(Path(folder))
        disk.mount("-o", f"size={megabytes}m,mode=0755")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def small() -> Iterator[SmallDisk]:
    with small_disk(4) as disk:
        yield disk


async def test_what_cannot_be_stored_says_why_and_is_stored_later(small: SmallDisk) -> None:
    storage = Storage.open(f"file://{small.folder}/files")
    picture = random.token_bytes(600_000)
    await storage.check_room()
    small.fill()
    for doing in (storage.put("a/b.jpg", picture, content_type="image/jpeg"), storage.check_room()):
        with pytest.raises(StorageFull) as refused:
            await doing
        assert isinstance(refused.value, DiskFull)
        assert (refused.value.status, refused.value.code) == (503, "storage_full")
        assert "the disk of the files is full" in refused.value.detail
        assert "free some space" in refused.value.hint
        assert str(small.folder) not in refused.value.detail, "a brand need not know the folder"
    with pytest.raises(FileMissing):
        await storage.get("a/b.jpg")
    small.free()
    await storage.put("a/b.jpg", picture, content_type="image/jpeg")
    assert await storage.get("a/b.jpg") == picture


async def test_a_read_only_disk_is_not_called_full(small: SmallDisk) -> None:
    storage = Storage.open(f"file://{small.folder}/files")
    await storage.put("a/b.jpg", b"kept", content_type="image/jpeg")
    small.close()
    with pytest.raises(StorageReadOnly) as refused:
        await storage.put("a/c.jpg", b"new", content_type="image/jpeg")
    assert isinstance(refused.value, DiskReadOnly)
    with pytest.raises(StorageReadOnly):
        await storage.delete("a/b.jpg")
    with pytest.raises(StorageReadOnly):
        await storage.check_room()
    assert await storage.get("a/b.jpg") == b"kept", "reading goes on"
    small.open()
    await storage.put("a/c.jpg", b"new", content_type="image/jpeg")


def test_the_data_directory_is_claimed_only_where_it_can_be_written(small: SmallDisk) -> None:
    small.fill()
    assert isinstance(disk.shortage(small.folder), DiskFull)
    with pytest.raises(DiskFull, match=str(small.folder)):
        disk.claim(small.folder)
    small.free()
    assert disk.shortage(small.folder) is None
    disk.claim(small.folder)
    small.close()
    assert isinstance(disk.shortage(small.folder), DiskReadOnly)
    with pytest.raises(DiskReadOnly, match=str(small.folder)):
        disk.claim(small.folder)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_start_says_which_disk_it_is(small: SmallDisk, trouble: str) -> None:
    small.fill() if trouble == "full" else small.close()
    done = subprocess.run(
        [sys.executable, "-m", "selify", "up"],
        env=environment(small.folder, free_port()),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    said = done.stderr.replace("\n", " ").lower()
    assert str(small.folder) in said
    assert {"full": "no space left", "read-only": "read-only"}[trouble] in said or trouble in said
    assert "traceback" not in said
    assert "database" not in said, "it is not the database's fault"


def test_an_embedded_database_without_room_says_so(small: SmallDisk) -> None:
    with pytest.raises(EmbeddedDatabaseError, match=r"is full: \d MB free, 200 MB needed"):
        embedded.start(small.folder / "postgres")
    small.close()
    with pytest.raises(EmbeddedDatabaseError) as refused:
        embedded.start(small.folder / "postgres")
    assert "Read-only file system" in refused.value.detail


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.DiskFullError("could not extend file: no room"), DiskFull),
        (
            asyncpg.InsufficientPrivilegeError("could not open file: Read-only file system"),
            DiskReadOnly,
        ),
        (OSError(28, "No space left on device"), DiskFull),
    ],
)
def test_what_the_server_files_elsewhere_is_the_disk(error: Exception, kind: type) -> None:
    assert isinstance(from_database(error), kind)


@pytest.mark.slow
async def test_a_webhook_is_asked_for_again_until_there_is_room() -> None:
    with small_disk(500) as small:
        settings = Settings(data_dir=small.folder, instagram_app_secret=SECRET)
        server = embedded.start(small.folder / "postgres")
        try:
            await migrate.upgrade(server.url)
            async with served(settings.model_copy(update={"database_url": server.url})) as site:
                large = [delivery(message(n, random.token_hex(100_000))) for n in range(3)]
                small.fill()
                answers = [await knock(site, body) for body in large]
                assert {answer.status_code for answer in answers} == {503}
                for answer in answers:
                    assert answer.json()["code"] == "disk_full"
                    assert "the disk is full" in answer.json()["detail"]
                    assert answer.headers["retry-after"]
                health = await site.get("/readyz")
                assert health.status_code == 503
                assert health.json()["checks"]["disk"] == "The disk is full"
                assert health.json()["checks"]["files"] == "The disk of the files is full"
                assert (await site.get("/healthz")).status_code == 200
                small.free()
                for body in (*large, *large):
                    assert (await knock(site, body)).status_code == 200
            db = await asyncpg.connect(server.url)
            assert await db.fetchval("SELECT count(*) FROM public.webhook_events") == 3
            await db.close()
        finally:
            server.stop()
