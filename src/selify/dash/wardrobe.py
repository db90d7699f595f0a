"""The wardrobe: what we read from each garment's picture, and adding more."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import Response

from selify import commerce
from selify.commerce.ports import GarmentReader
from selify.commerce.uploads import upload_garment
from selify.core.errors import Invalid
from selify.core.storage import Storage
from selify.core.text import OneLine
from selify.dash import forms, words
from selify.dash.desk import AtDesk, Desk
from selify.dash.rendering import by_script, fragment, page, went_well

router = APIRouter(prefix="/wardrobe", include_in_schema=False)

Category = Literal["upper_body", "lower_body", "dresses"]
Short = Annotated[OneLine, Form(max_length=200)]


@router.get("")
async def show(desk: AtDesk) -> Response:
    return await page(desk, "wardrobe.html", garments=await _garments(desk))


@router.post("")
async def add(
    desk: AtDesk,
    picture: Annotated[UploadFile | None, File()] = None,
    name: Short = "",
    category: Annotated[Category | Literal[""], Form()] = "",
    price: Short = "",
    currency: Annotated[Literal["EUR", "USD", "GBP"], Form()] = "EUR",
    stock: Short = "",
    url: Short = "",
) -> Response:
    """What it is, is read from the picture, unless somebody says so."""
    product = _product(forms.cents(price), currency, forms.count(stock, "The stock"), url)
    data = await picture.read() if picture else b""
    if not picture or not data:
        raise Invalid("Choose a picture of the garment first.")
    await _upload(desk, data, picture.filename or "garment", name, category or None, product)
    if not by_script(desk.request):
        return went_well(desk, "/wardrobe", "garment_added")
    return await _grid(desk, "garment_added")


@router.post("/{garment_id}/category")
async def confirm_category(
    desk: AtDesk, garment_id: UUID, category: Annotated[Category, Form()]
) -> Response:
    """A person looked: from now on this is what the garment is."""
    async with desk.acting() as tx:
        await commerce.confirm_category(tx, desk.workspace.id, garment_id, category)
    if not by_script(desk.request):
        return went_well(desk, "/wardrobe", "category_confirmed")
    return await _grid(desk, "category_confirmed")


async def _upload(
    desk: Desk,
    data: bytes,
    filename: str,
    name: str,
    category: str | None,
    product: dict[str, Any],
) -> None:
    storage: Storage = desk.request.app.state.storage
    reader: GarmentReader = desk.request.app.state.read_garment
    await upload_garment(  # opens its own transaction at the end: reading a picture takes a while
        desk.database,
        storage,
        reader,
        workspace_id=desk.workspace.id,
        user_id=desk.session.user.id,
        data=data,
        filename=filename,
        name=name,
        category=category,
        product=product,
    )


def _product(price: int | None, currency: str, stock: int | None, url: str) -> dict[str, Any]:
    """What is known of the product; nothing at all where nothing was typed."""
    if url and not url.startswith(("https://", "http://")):
        raise Invalid("The link to the product begins with https://.")
    typed = {"price_cents": price, "stock": stock, "url": url or None}
    known = {key: value for key, value in typed.items() if value is not None}
    return {**known, "currency": currency} if known else {}


async def _garments(desk: Desk) -> list[commerce.Garment]:
    async with desk.reading() as tx:
        return await commerce.list_garments(tx, desk.workspace.id)


async def _grid(desk: Desk, done: str) -> Response:
    garments = await _garments(desk)
    return fragment(desk, "fragments/garments.html", toast=words.DONE[done], garments=garments)
