"""A garment on its way into the wardrobe: reading its picture takes a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import obstore
import pytest
from tests.infra.world import World

from selify.auth.workspaces import WorkspaceNotFound
from selify.commerce import LeffaMetadata, file_beside
from selify.commerce.ports import GarmentRead
from selify.commerce.uploads import upload_garment
from selify.core.files.pictures import Picture
from selify_sandbox import drawn_garments

PICTURE = drawn_garments.tee("tee", "Tee", (74, 98, 190)).png()
READ = LeffaMetadata(
    leffa_category="upper_body",
    category_confidence=1,
    analyzed_at=datetime(2026, 11, 18, tzinfo=UTC),
    analyzer_version="test",
)


async def upload(
    world: World, workspace_id: UUID, user_id: UUID, meanwhile: Callable[[], Awaitable[object]]
) -> None:
    async def read(picture: Picture, category: str | None) -> GarmentRead:
        await meanwhile()
        return GarmentRead(READ, b"read")

    await upload_garment(
        world.database,
        world.storage,
        read,
        workspace_id=workspace_id,
        user_id=user_id,
        data=PICTURE,
        filename="shirt.png",
    )


def stored(world: World) -> list[str]:
    return [found["path"] for batch in obstore.list(world.storage._store) for found in batch]


async def test_who_left_meanwhile_adds_nothing(world: World) -> None:
    owner, workspace_id = await world.workspace("Atelier")

    async def deleted() -> None:
        await world.sql("UPDATE public.workspaces SET deleted_at = now()")

    with pytest.raises(WorkspaceNotFound):
        await upload(world, workspace_id, owner, deleted)
    assert await world.value("SELECT count(*) FROM public.wardrobe_garments") == 0
    assert stored(world) == [], "the picture would be nobody's, and what was read of it"


async def test_who_stayed_adds_the_garment(world: World) -> None:
    owner, workspace_id = await world.workspace("Atelier")
    await upload(world, workspace_id, owner, lambda: asyncio.sleep(0))
    path = await world.value("SELECT storage_path FROM public.wardrobe_garments")
    assert sorted(stored(world)) == [path, file_beside(path)]
    assert await world.storage.get(file_beside(path)) == b"read"
