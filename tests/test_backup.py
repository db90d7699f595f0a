"""Backing up and restoring, tried: everything comes back, nothing is overwritten, no key travels."""

import asyncio
import re
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from tests.infra import postgres
from tests.infra.catalog import catalog
from tests.infra.worlds import build_world, read_tables
from tests.test_cli import selify

from selify import backup, running
from selify.core.database_access import Addresses
from selify.core.errors import SelifyError
from selify.core.files.storage import Storage, StorageUnavailable
from selify.core.secrets import SecretBox
from selify.db import dumps, embedded, errors, migrate
from selify.db.reference import render_reference
from selify.messaging.tokens import identity

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
KEY, OTHER_KEY = SecretBox.new_key("k1"), SecretBox.new_key("k1")
SECRETS = SecretBox.parse([KEY])
TOKEN = "the-token-of-an-account"
GARMENT = "workspaces/1/garments/2.png"
PHOTO = "workspaces/1/photos/ana.jpg"
EVERY_TABLE = """
SELECT oid::regclass::text FROM pg_class
 WHERE relnamespace::regnamespace::text IN ('public', 'internal', 'auth') AND relkind = 'r'
"""
SETTINGS_OF_THE_DATABASE = """
SELECT setconfig::text FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
 WHERE datname = current_database()
"""


@pytest_asyncio.fixture(loop_scope="session")
async def target_url(postgres_server):
    """A second empty database: where to restore."""
    async for url in postgres._database(postgres_server, "TEMPLATE template0"):
        yield url


async def rows_of_every_table(url):
    db = await asyncpg.connect(url)
    tables = [row[0] for row in await db.fetch(EVERY_TABLE)]
    found = {
        name: sorted(r[0] for r in await db.fetch(f"SELECT t::text FROM {name} t"))
        for name in tables
    }
    await db.close()
    return found


async def of_the_database_itself(url):
    db = await asyncpg.connect(url)
    found = await db.fetchval(SETTINGS_OF_THE_DATABASE)
    await db.close()
    return found


async def schema(url):
    """The catalogs and the reference, whose indexes are in the order in which they were made.
    PostgreSQL writes the same check with other brackets and casts once it has read its own.
    """
    db = await asyncpg.connect(url)
    reference = await render_reference(db, generated_at=NOW)
    await db.close()
    brackets = re.compile(r"[()]|::character varying|::text|\[\]")
    return sorted(reference.splitlines()), {brackets.sub("", line) for line in await catalog(url)}


async def fill(url):
    """The prices, a row in every table, and a sealed token."""
    await running.prepare(Addresses(url, url))
    db = await asyncpg.connect(url)
    await build_world(db, await read_tables(db), "a")
    await seal_a_token(db, SECRETS)
    await db.close()


async def seal_a_token(db, secrets):
    account: UUID = await db.fetchval("SELECT id FROM public.connected_social_accounts LIMIT 1")
    await db.execute(
        "UPDATE public.connected_social_accounts SET access_token = $2 WHERE id = $1",
        account,
        secrets.seal(TOKEN, about=identity(account)),
    )


async def list_for_deletion(url, key):
    db = await asyncpg.connect(url)
    await db.execute(
        "INSERT INTO internal.retention (object_key, workspace_id, delete_after, reason)"
        " VALUES ($1, gen_random_uuid(), now(), 'shopper''s photo')",
        key,
    )
    await db.close()


async def written(folder: Path, url: str, storage: Storage | None = None, name="made.zip") -> Path:
    path = folder / name
    await backup.write(path, url, storage or Storage.open("memory:///"), SECRETS, now=NOW)
    return path


async def test_what_was_backed_up_is_restored_elsewhere(tmp_path: Path, database_url: str) -> None:
    """By the commands, into a fresh data directory with an embedded database of its own."""
    await fill(database_url)
    files = Storage.open(f"file://{tmp_path}/data/files")
    await files.put(GARMENT, b"a shirt", content_type="image/png")
    made = selify(
        "backup", "made.zip",
        folder=tmp_path, SELIFY_DATABASE_URL=database_url, SELIFY_SECRET_KEYS=KEY,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert "and 1 files" in made.stdout
    assert "“k1”" in made.stdout
    assert (tmp_path / "made.zip").stat().st_mode & 0o077 == 0

    fresh = tmp_path / "fresh"
    done = selify(
        "restore", "made.zip",
        folder=tmp_path, SELIFY_DATA_DIR=str(fresh), SELIFY_SECRET_KEYS=KEY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Restored: ")
    assert await Storage.open(f"file://{fresh}/files").get(GARMENT) == b"a shirt"
    server = embedded.start(fresh / "postgres")
    try:
        assert await rows_of_every_table(server.url) == await rows_of_every_table(database_url)
        assert await schema(server.url) == await schema(database_url)
        assert "TimeZone=UTC" in await of_the_database_itself(server.url)
        await migrate.check(server.login_url)
    finally:
        server.stop()


async def test_a_backup_of_an_older_version_is_upgraded(
    tmp_path: Path, empty_database_url: str, target_url: str, shared_database_url: str
) -> None:
    older = migrate.revisions()[-2]
    await migrate.upgrade(empty_database_url, revision=older)
    path = await written(tmp_path, empty_database_url)
    assert backup.read(path).revision == older
    await backup.restore(path, target_url, Storage.open("memory:///"))
    assert await migrate.current(target_url) == older
    await migrate.upgrade(target_url)
    assert await schema(target_url) == await schema(shared_database_url)


async def test_a_backup_of_a_newer_version_is_refused(tmp_path: Path, database_url: str) -> None:
    db = await asyncpg.connect(database_url)
    await db.execute("UPDATE internal.alembic_version SET version_num = '9999'")
    await db.close()
    path = await written(tmp_path, database_url)
    with pytest.raises(errors.DatabaseNewer, match="9999"):
        backup.read(path)


async def test_nothing_is_overwritten(tmp_path: Path, database_url: str, target_url: str) -> None:
    storage = Storage.open("memory:///")
    await storage.put(GARMENT, b"a shirt", content_type="image/png")
    path = await written(tmp_path, database_url, storage)
    with pytest.raises(errors.DatabaseNotEmpty, match="nothing is overwritten"):
        await backup.restore(path, database_url, Storage.open("memory:///"))
    await storage.put(GARMENT, b"another shirt", content_type="image/png")
    with pytest.raises(backup.BackupRefused, match=f"{GARMENT} already"):
        await backup.restore(path, target_url, storage)
    assert await migrate.current(target_url) is None
    assert await storage.get(GARMENT) == b"another shirt"
    with pytest.raises(backup.BackupRefused, match="exists already"):
        await written(tmp_path, database_url)


async def test_somebody_elses_tables_are_left_alone(
    tmp_path: Path, database_url: str, target_url: str
) -> None:
    path = await written(tmp_path, database_url)
    db = await asyncpg.connect(target_url)
    await db.execute("CREATE TABLE public.wp_posts (id int)")
    await db.close()
    with pytest.raises(errors.NotSelifyDatabase, match="wp_posts"):
        await backup.restore(path, target_url, Storage.open("memory:///"))


async def test_a_database_with_nothing_of_ours_is_no_backup(
    tmp_path: Path, empty_database_url: str
) -> None:
    with pytest.raises(backup.BackupRefused, match="nothing to back up"):
        await written(tmp_path, empty_database_url)
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240


async def test_another_master_key_is_refused_before_anything_is_made(
    tmp_path: Path, database_url: str
) -> None:
    """The same id, another key; and none at all, where the program would make a new one."""
    path = await written(tmp_path, database_url)
    other = selify("restore", str(path), folder=tmp_path, SELIFY_SECRET_KEYS=OTHER_KEY)
    none = selify("restore", str(path), folder=tmp_path)
    for answer, reason in (
        (other, "another master key called “k1”"),
        (none, "a backup never holds"),
    ):
        problem, advice = answer.stderr.strip().splitlines()
        assert answer.returncode == 1
        assert reason in problem
        assert "SELIFY_SECRET_KEYS" in advice
        assert str(tmp_path / "data" / "secret.key") in advice
    assert not (tmp_path / "data").exists()


async def test_a_key_that_sealed_nothing_need_not_be_kept(
    tmp_path: Path, database_url: str
) -> None:
    """An older key is asked for as long as a token is sealed with it, and no longer."""
    await fill(database_url)
    new = SecretBox.parse([SecretBox.new_key("k2"), KEY])
    before, after = tmp_path / "before.zip", tmp_path / "after.zip"
    made = await backup.write(before, database_url, Storage.open("memory:///"), new, now=NOW)
    assert set(made.keys) == {"k1", "k2"}
    db = await asyncpg.connect(database_url)
    await seal_a_token(db, new)
    await db.close()
    made = await backup.write(after, database_url, Storage.open("memory:///"), new, now=NOW)
    assert set(made.keys) == {"k2"}


async def test_a_lost_key_need_not_keep_the_rest_away(tmp_path: Path, database_url: str) -> None:
    path = await written(tmp_path, database_url)
    answer = selify("restore", str(path), "--key-lost", folder=tmp_path)
    assert answer.returncode == 0, answer.stderr


async def test_no_key_and_no_token_can_be_read_in_a_backup(
    tmp_path: Path, database_url: str
) -> None:
    await fill(database_url)
    path = await written(tmp_path, database_url)
    everything = unpacked(path)
    assert b"v1.k1." in everything
    assert TOKEN.encode() not in everything
    assert KEY.partition(":")[2].rstrip("=").encode() not in everything


def unpacked(path: Path) -> bytes:
    """All that the file holds, the dump as SQL."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    program = embedded.client_program("pg_restore")
    dump = held.pop(backup.DATABASE)
    sql = subprocess.run([program, "--file=-"], input=dump, check=True, capture_output=True).stdout
    return b"".join((sql, *held.values()))


class Busy(Storage):
    """A shop at work: a photo comes in, listed first and stored second, while files are counted."""

    url = ""

    async def keys(self):
        await list_for_deletion(self.url, PHOTO)
        await self.put(PHOTO, b"ana", content_type="image/jpeg")
        return await super().keys()


async def test_a_photo_that_nobody_would_delete_afterwards_is_left_out(
    tmp_path: Path, database_url: str, target_url: str
) -> None:
    """Its line in the list of what must go was written after the database was copied."""
    shop = Busy.open("memory:///")
    shop.url = database_url
    earlier = "workspaces/1/photos/bea.jpg"
    await list_for_deletion(database_url, earlier)
    await shop.put(earlier, b"bea", content_type="image/jpeg")
    path = await written(tmp_path, database_url, shop)
    restored = Storage.open("memory:///")
    await backup.restore(path, target_url, restored)
    assert await restored.keys() == [earlier]
    db = await asyncpg.connect(target_url)
    assert await db.fetchval("SELECT object_key FROM internal.retention") == earlier
    await db.close()


class Breaking(Storage):
    """Fails at the second file."""

    async def get(self, key):
        if key.endswith("2.png"):
            raise StorageUnavailable("the bucket is away")
        return await super().get(key)

    async def put(self, key, data, *, content_type):
        if key.endswith("2.png"):
            raise StorageUnavailable("the bucket is away")
        await super().put(key, data, content_type=content_type)


async def test_half_a_backup_never_bears_its_name(tmp_path: Path, database_url: str) -> None:
    storage = Breaking.open("memory:///")
    await Storage.put(storage, GARMENT, b"a shirt", content_type="image/png")
    with pytest.raises(StorageUnavailable):
        await written(tmp_path, database_url, storage)
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240


async def test_two_backups_of_one_name_do_not_write_into_each_other(
    tmp_path: Path, database_url: str
) -> None:
    twice = (written(tmp_path, database_url), written(tmp_path, database_url))
    done = await asyncio.gather(*twice, return_exceptions=True)
    assert {type(one) for one in done} == {type(tmp_path), backup.BackupRefused}
    (left,) = tmp_path.iterdir()  # noqa: ASYNC240
    assert backup.read(left)


async def test_a_restore_that_was_interrupted_begins_again(
    tmp_path: Path, database_url: str, target_url: str
) -> None:
    """The files come first: until all are there, the database has nothing that names them."""
    full = Storage.open("memory:///")
    for number in (1, 2):
        await full.put(f"workspaces/1/garments/{number}.png", b"shirt", content_type="image/png")
    path = await written(tmp_path, database_url, full)
    half = Breaking.open("memory:///")
    half.get = super(Breaking, half).get
    with pytest.raises(StorageUnavailable):
        await backup.restore(path, target_url, half)
    assert await migrate.current(target_url) is None
    assert len(await half.keys()) == 1
    half.put = super(Breaking, half).put
    await backup.restore(path, target_url, half)
    assert len(await half.keys()) == 2
    await migrate.check(target_url)


@pytest.mark.parametrize("damage", ["cut off", "another byte", "no zip", "of somebody else"])
async def test_what_is_not_whole_is_refused(tmp_path: Path, database_url: str, damage: str) -> None:
    path = await written(tmp_path, database_url)
    data = path.read_bytes()
    middle = len(data) // 2
    if damage == "of somebody else":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("holiday.jpg", b"")
    else:
        path.write_bytes({
            "cut off": data[:middle],
            "another byte": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "no zip": b"hello",
        }[damage])  # fmt: skip
    with pytest.raises(backup.BackupRefused, match=r"not a whole one|is damaged"):
        backup.read(path)


async def test_a_name_that_leads_elsewhere_is_refused(
    tmp_path: Path, database_url: str, target_url: str
) -> None:
    path = await written(tmp_path, database_url)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("files/../../escaped", b"")
    with pytest.raises(backup.BackupRefused, match="no file of Selify's"):
        await backup.restore(path, target_url, Storage.open(f"file://{tmp_path}/files"))
    assert await migrate.current(target_url) is None


async def test_a_dump_that_is_refused_changes_nothing(
    tmp_path: Path, database_url: str, target_url: str
) -> None:
    """Something that is not in schema public stands in the way."""
    path = await written(tmp_path, database_url)
    db = await asyncpg.connect(target_url)
    await db.execute("CREATE SCHEMA internal; CREATE TABLE internal.outbox (id int)")
    with pytest.raises(errors.DumpFailed, match=r'pg_restore failed: .*"internal" already exists'):
        await backup.restore(path, target_url, Storage.open("memory:///"))
    assert await db.fetchval("SELECT to_regclass('public.workspaces')") is None
    await db.close()


def test_a_password_is_no_argument_of_a_process() -> None:
    address, environment = dumps._without_password("postgresql://me:p%40ss@db.example/selify?x=1")
    assert address == "postgresql://me@db.example/selify?x=1"
    assert environment == {"PGPASSWORD": "p@ss"}
    assert dumps._without_password("postgresql://me@/selify?host=/tmp")[1] == {}


def test_every_refusal_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SelifyError) as refused:
        (tmp_path / "empty").touch()
        backup.read(tmp_path / "empty")
    assert refused.value.hint
