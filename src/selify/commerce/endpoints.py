"""The wardrobe's API."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile

from selify.auth import access_workspace
from selify.commerce import permissions as may
from selify.commerce import schemas
from selify.commerce.editing import edit_garment
from selify.commerce.garments import list_garments
from selify.commerce.ports import GarmentReader
from selify.commerce.uploads import upload_garment
from selify.core.files import formats
from selify.core.files.storage import Storage
from selify.core.permissions import allows
from selify.core.web.http import CurrentClock, CurrentUser, CurrentUserId, OpenDatabase, SystemTx
from selify.core.web.links import FileLinks

router = APIRouter(prefix="/api/v1/workspaces/{workspace_id}/garments", tags=["wardrobe"])
PICTURE_LIFE = timedelta(hours=1)

Category = Literal["upper_body", "lower_body", "dresses"]
Price = Annotated[int | None, Form(ge=0, le=100_000_000, description="In cents.")]
Stock = Annotated[int | None, Form(ge=0, le=10_000_000)]
ShortText = Annotated[str, Form(max_length=200)]


@router.get("")
@allows(may.GARMENTS_READ)
async def wardrobe(
    request: Request,
    workspace_id: UUID,
    tx: SystemTx,
    user_id: CurrentUserId,
    clock: CurrentClock,
    after: Annotated[UUID | None, Query(description="The last garment of the page before.")] = None,
    archived: Annotated[bool, Query(description="Those put away instead of those in use.")] = False,
) -> list[schemas.GarmentOutput]:
    """The wardrobe, newest first, 200 at a time."""
    await access_workspace(tx, workspace_id, may.GARMENTS_READ, user_id=user_id)
    links: FileLinks = request.app.state.links
    return [
        schemas.GarmentOutput.of(
            garment, links.make(garment.storage_path, now=clock.now(), lasts=PICTURE_LIFE)
        )
        for garment in await list_garments(tx, workspace_id, after=after, archived=archived)
    ]


@router.patch("/{garment_id}")
@allows(may.GARMENTS_CHANGE)
async def edit(
    request: Request,
    workspace_id: UUID,
    garment_id: UUID,
    body: schemas.GarmentInput,
    tx: SystemTx,
    user_id: CurrentUserId,
    clock: CurrentClock,
) -> schemas.GarmentOutput:
    """Correct a garment, or put it away. What is left out stays; null forgets a price, stock or
    link. A garment that is put away leaves the wardrobe's list; posts that show it already go on
    until it is taken off there.
    """
    await access_workspace(tx, workspace_id, may.GARMENTS_CHANGE, user_id=user_id)
    garment = await edit_garment(tx, clock, workspace_id, garment_id, body.as_change())
    links: FileLinks = request.app.state.links
    link = links.make(garment.storage_path, now=clock.now(), lasts=PICTURE_LIFE)
    return schemas.GarmentOutput.of(garment, link)


@router.post("", status_code=201)
@allows(may.GARMENTS_ADD)
async def upload(
    request: Request,
    workspace_id: UUID,
    user: CurrentUser,
    database: OpenDatabase,
    clock: CurrentClock,
    picture: Annotated[UploadFile, File(description=f"The garment alone: {formats.NAMES}.")],
    name: ShortText = "",
    category: Annotated[Category | None, Form()] = None,
    sku: ShortText = "",
    url: ShortText = "",
    currency: Annotated[str, Form(pattern="^[A-Z]{3}$")] = "USD",
    price_cents: Price = None,
    stock: Stock = None,
) -> schemas.GarmentOutput:
    """Add a garment. What it is (category, colours, pattern, sleeves) is read from the picture."""
    async with database.tx(user) as tx:
        await access_workspace(tx, workspace_id, may.GARMENTS_ADD)
    storage: Storage = request.app.state.storage
    reader: GarmentReader = request.app.state.read_garment
    product = {"price_cents": price_cents, "currency": currency, "url": url, "stock": stock}
    known = {key: value for key, value in product.items() if value not in (None, "")}
    garment = await upload_garment(
        database,
        storage,
        reader,
        workspace_id=workspace_id,
        user_id=user.person_id,
        key_id=None if user.person_id else user.user_id,
        data=await picture.read(),
        filename=picture.filename or "garment",
        name=name,
        category=category,
        sku=sku,
        product=known if price_cents is not None or url or stock is not None else {},
    )
    links: FileLinks = request.app.state.links
    link = links.make(garment.storage_path, now=clock.now(), lasts=PICTURE_LIFE)
    return schemas.GarmentOutput.of(garment, link)
