"""A garment into the wardrobe: check the picture, read it, keep our own copy, write the row."""

import asyncio
from collections.abc import Mapping
from typing import Any
from unicodedata import normalize
from uuid import UUID

from selify.auth import access_workspace
from selify.commerce import permissions as may
from selify.commerce.garments import Garment, NewGarment, add_garment, file_beside, storage_path
from selify.commerce.ports import GarmentReader
from selify.core.database import Actor, Database
from selify.core.errors import SelifyError
from selify.core.files.pictures import Transparency, open_picture
from selify.core.files.storage import Storage
from selify.core.ids import new_id

ACTOR = Actor.system("wardrobe upload")
MAX_SIDE = 2000


async def upload_garment(
    database: Database,
    storage: Storage,
    reader: GarmentReader,
    *,
    workspace_id: UUID,
    user_id: UUID | None,
    key_id: UUID | None = None,
    data: bytes,
    filename: str,
    name: str = "",
    category: str | None = None,
    sku: str = "",
    product: Mapping[str, Any] | None = None,
) -> Garment:
    """The new garment. The caller has made sure that the user, or API key, may add to this workspace; as reading
    a picture takes a while, it is made sure of again at the end.

    Uploading the same file again gives a second garment: a brand may mean it. Raises
    ImageUnreadable, ImageTooLarge, or the reader's refusal.
    """
    picture = await asyncio.to_thread(
        open_picture, data, max_side=MAX_SIDE, transparency=Transparency.KEEP
    )
    read = await reader(picture, category)
    garment_id = new_id()
    new = NewGarment(
        # A Mac takes the letters of a file's name apart ("u" and two dots): nobody writes like that.
        name=normalize("NFC", name.strip() or filename.rsplit(".", 1)[0]),
        filename=filename,
        content_type=picture.content_type,
        size=len(picture.data),
        has_transparency=picture.content_type == "image/png",
        leffa=read.leffa,
        sku=sku,
        product=product or {},
    )
    path = storage_path(workspace_id, garment_id, new.content_type)
    await storage.put(path, picture.data, content_type=picture.content_type)
    if read.file is not None:
        await storage.put(file_beside(path), read.file, content_type="application/zip")
    try:
        async with database.tx(ACTOR) as tx:
            asking = user_id or key_id
            if asking is not None:
                await access_workspace(tx, workspace_id, may.GARMENTS_ADD, user_id=asking)
            return await add_garment(
                tx, workspace_id, new, created_by=user_id, garment_id=garment_id
            )
    except SelifyError:
        for file in (path, file_beside(path)):  # they would be nobody's
            await storage.delete(file)
        raise
