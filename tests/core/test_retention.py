"""What must go, goes in time, wherever it was when the power failed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from selify.core import retention
from selify.core.clock import FrozenClock
from selify.core.database import Actor, Database
from selify.core.files.storage import Storage, StorageUnavailable
from selify.core.retention import FilesAreGone

SYSTEM = Actor.system("test")
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
WORKSPACE = uuid4()


async def keep(database: Database, key: str, hours: int, workspace: UUID = WORKSPACE) -> None:
    async with database.tx(SYSTEM) as tx:
        await retention.keep_until(
            tx, key, until=NOW + timedelta(hours=hours), reason="test", workspace_id=workspace
        )


async def listed(database: Database) -> list[str]:
    async with database.tx(SYSTEM) as tx:
        rows = await tx.fetch("SELECT object_key FROM internal.retention ORDER BY object_key")
    return [row["object_key"] for row in rows]


async def test_only_what_is_due_is_deleted(database: Database, storage: Storage) -> None:
    for key, hours in (("a.jpg", 1), ("b.jpg", 2)):
        await storage.put(key, b"x", content_type="image/jpeg")
        await keep(database, key, hours)
    assert await retention.sweep(database, storage, now=NOW) == 0
    assert await retention.sweep(database, storage, now=NOW + timedelta(hours=1)) == 1
    assert not await storage.exists("a.jpg")
    assert await storage.exists("b.jpg")
    assert await listed(database) == ["b.jpg"]


async def test_an_end_comes_forward_and_never_moves_back(
    database: Database, storage: Storage
) -> None:
    await storage.put("a.jpg", b"x", content_type="image/jpeg")
    await keep(database, "a.jpg", 2)
    await keep(database, "a.jpg", 1)
    await keep(database, "a.jpg", 9)
    assert await retention.sweep(database, storage, now=NOW + timedelta(hours=1)) == 1


async def test_soon_means_with_the_next_sweep_listed_or_not(
    database: Database, storage: Storage
) -> None:
    await keep(database, "listed.jpg", 24)
    for key in ("listed.jpg", "new.jpg"):
        await storage.put(key, b"x", content_type="image/jpeg")
        async with database.tx(SYSTEM) as tx:
            await retention.delete_soon(tx, key, reason="test", workspace_id=WORKSPACE)
    assert await retention.sweep(database, storage, now=NOW) == 2
    assert not await storage.exists("new.jpg")


async def test_what_was_listed_and_never_stored_is_no_trouble(
    database: Database, storage: Storage
) -> None:
    await keep(database, "never.jpg", 0)
    assert await retention.sweep(database, storage, now=NOW) == 1
    assert await listed(database) == []


async def test_a_file_that_cannot_be_deleted_stays_listed_and_the_others_go(
    database: Database, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a.jpg", "b.jpg", "c.jpg"):
        await storage.put(key, b"x", content_type="image/jpeg")
        await keep(database, key, 0)
    delete, tried = storage.delete, []

    async def refuse(key: str) -> None:
        tried.append(key)
        if key == "a.jpg":
            raise StorageUnavailable("not now")
        await delete(key)

    monkeypatch.setattr(storage, "delete", refuse)
    assert await retention.sweep(database, storage, now=NOW) == 2
    assert await listed(database) == ["a.jpg"]
    assert await retention.sweep(database, storage, now=NOW + timedelta(minutes=1)) == 0
    assert tried.count("a.jpg") == 1, "not at once again"
    monkeypatch.setattr(storage, "delete", delete)
    assert await retention.sweep(database, storage, now=NOW + retention.RETRY_AFTER) == 1
    assert await listed(database) == []


async def test_a_file_that_stays_is_found(
    database: Database, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overdue(clock: FrozenClock) -> list[str]:
        async with database.tx(SYSTEM) as tx:
            return [found.subject for found in await FilesAreGone(clock).violations(tx)]

    async def refuse(key: str) -> None:
        raise StorageUnavailable("not now")

    monkeypatch.setattr(storage, "delete", refuse)
    clock = FrozenClock(NOW)
    await keep(database, "late.jpg", 0)
    async with database.tx(SYSTEM) as tx:
        await retention.delete_soon(tx, "soon.jpg", reason="test", workspace_id=WORKSPACE)
    assert await overdue(clock) == []
    for _ in range(3):
        await retention.sweep(database, storage, now=clock.now())
        clock.advance(retention.RETRY_AFTER)
    assert sorted(await overdue(clock)) == ["late.jpg", "soon.jpg"]


def test_an_outsider_s_identifier_becomes_a_harmless_name() -> None:
    for hostile in ("../../etc/passwd", "\0", "a" * 10_000, "☃", ""):
        name = retention.safe_name(hostile)
        assert len(name) == 40
        assert name.isalnum()
    assert retention.safe_name("a") != retention.safe_name("b")
