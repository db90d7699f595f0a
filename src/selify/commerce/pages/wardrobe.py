"""The wardrobe: what we read from each garment's picture, and adding more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, File, Form, UploadFile
from fastapi.responses import Response

from selify import commerce
from selify.commerce import Garment, GarmentChange
from selify.commerce.pages import words
from selify.commerce.permissions import GARMENTS_ADD, GARMENTS_CHANGE, GARMENTS_READ
from selify.commerce.ports import GarmentReader
from selify.commerce.uploads import upload_garment
from selify.core.cursor import Cursor
from selify.core.errors import Invalid, SelifyError
from selify.core.files.storage import Storage
from selify.core.language import _, sentences, stored
from selify.core.permissions import allows
from selify.core.text import OneLine
from selify.dash import forms
from selify.dash.context import OpenPage, PageContext
from selify.dash.pages import Finder, Hit, Part
from selify.dash.rendering import Undo, by_script, fragment, page, went_well
from selify.dash.view import Text

router = APIRouter(prefix="/wardrobe")

Category = Literal["upper_body", "lower_body", "dresses"]
Currency = Literal["EUR", "USD", "GBP"]
Short = Annotated[OneLine, Form(max_length=200)]

A_PAGE = 60


@dataclass(frozen=True, slots=True)
class Typed:
    """The form of a new garment, as it was filled in."""

    name: str = ""
    category: str = ""
    price: str = ""
    currency: str = "EUR"
    stock: str = ""
    url: str = ""


def _typed_new(
    name: Short = "",
    category: Annotated[Category | Literal[""], Form()] = "",
    price: Short = "",
    currency: Annotated[Currency, Form()] = "EUR",
    stock: Short = "",
    url: Short = "",
) -> Typed:
    return Typed(name, category, price, currency, stock, url)


@dataclass(frozen=True, slots=True)
class View:
    """``after``: where a page of garments begins. ``archived``: those that were put away. ``search``: only
    those in use that are called so.
    """

    after: Cursor | None = None
    archived: bool = False
    search: str = ""


def view_of(after: Text = "", archived: Text = "", search: Text = "") -> View:
    return View(Cursor.parse(after), archived == "true", search.strip())


Viewed = Annotated[View, Depends(view_of)]
NewGarment = Annotated[Typed, Depends(_typed_new)]


@router.get("")
@allows(GARMENTS_READ)
async def show(ctx: OpenPage, view: Viewed) -> Response:
    return await _shown(ctx, view, Typed())


async def show_garments(ctx: PageContext, view: View) -> dict[str, Any]:
    """A page of the wardrobe, and whether anything was put away at all."""
    after = view.after.id if view.after else None
    async with ctx.acting() as tx:
        if view.search:
            found = (
                await commerce.search_garments(tx, ctx.workspace.id, view.search, limit=A_PAGE)
            ).garments
        else:
            found = await commerce.list_garments(
                tx, ctx.workspace.id, after=after, archived=view.archived, limit=A_PAGE + 1
            )
        put_away = await commerce.list_garments(tx, ctx.workspace.id, archived=True, limit=1)
    last = found[A_PAGE - 1] if len(found) > A_PAGE else None
    return {
        "garments": found[:A_PAGE],
        "earlier": Cursor(None, last.id) if last else None,
        "put_away": bool(put_away),
        "low_confidence": commerce.LOW_CONFIDENCE,
    }


GARMENTS = Part(
    name="garments",
    template="commerce/fragments/garments.html",
    draw=show_garments,
    permissions=(GARMENTS_READ,),
    tables=("wardrobe_garments",),
    view=view_of,
)


async def find_garments(ctx: PageContext, text: str) -> list[Hit]:
    async with ctx.acting() as tx:
        found = await commerce.search_garments(tx, ctx.workspace.id, text, limit=6)
    return [
        Hit(
            title=garment.name,
            path=router.prefix,
            query={"search": garment.name},
            picture=garment.storage_path,
        )
        for garment in found.garments
    ]


FINDER = Finder(
    title=_("Garments"), icon="shirt", order=20, permission=GARMENTS_READ, find=find_garments
)


@router.post("")
@allows(GARMENTS_ADD)
async def add(
    ctx: OpenPage, typed: NewGarment, picture: Annotated[list[UploadFile] | None, File()] = None
) -> Response:
    """What it is, is read from the picture, unless somebody says so. Several pictures are several
    garments, which their files name; one that cannot be taken does not keep the others out.
    """
    try:
        doubts = await _add(ctx, typed, picture or [])
    except SelifyError as refusal:
        if by_script(ctx.request) or refusal.status >= 500:
            raise
        return await _shown(ctx, View(), typed, refusal)
    if not by_script(ctx.request):
        return went_well(ctx, "/wardrobe", "garment_doubted" if doubts else "garment_added")
    return await _grid(ctx, "garment_added", doubts=doubts)


@router.post("/{garment_id}/category")
@allows(GARMENTS_CHANGE)
async def confirm_category(
    ctx: OpenPage, garment_id: UUID, category: Annotated[Category, Form()]
) -> Response:
    """A person looked: from now on this is what the garment is."""
    async with ctx.acting() as tx:
        await commerce.confirm_category(tx, ctx.workspace.id, garment_id, category)
    if not by_script(ctx.request):
        return went_well(ctx, "/wardrobe", "category_confirmed")
    return await _grid(ctx, "category_confirmed")


@router.post("/{garment_id}")
@allows(GARMENTS_CHANGE)
async def edit(
    ctx: OpenPage,
    garment_id: UUID,
    name: Short,
    price: Short = "",
    currency: Annotated[OneLine, Form(pattern="^[A-Z]{3}$")] = "EUR",
    stock: Short = "",
    url: Short = "",
) -> Response:
    """As the form says it: what was emptied is not known any more."""
    typed = _typed(forms.cents(price), stock=forms.count(stock, _("The stock")), url=url)
    change = GarmentChange(name=name, product={**typed, "currency": currency})
    return await _edited(ctx, garment_id, change, "garment_saved")


@router.post("/{garment_id}/archive")
@allows(GARMENTS_CHANGE)
async def archive(ctx: OpenPage, garment_id: UUID) -> Response:
    """Out of the wardrobe, and kept."""
    undo = Undo(ctx.here(f"/wardrobe/{garment_id}/restore", undo="true"), target="#garments")
    change = GarmentChange(archived=True)
    return await _edited(ctx, garment_id, change, "garment_archived", undo=undo)


@router.post("/{garment_id}/restore")
@allows(GARMENTS_CHANGE)
async def restore(ctx: OpenPage, garment_id: UUID, undo: bool = False) -> Response:
    """Back into the wardrobe: from among those that were put away, or right after it was put there."""
    change = GarmentChange(archived=False)
    return await _edited(ctx, garment_id, change, "garment_restored", archived=not undo)


async def _edited(
    ctx: PageContext,
    garment_id: UUID,
    change: GarmentChange,
    done: str,
    *,
    archived: bool = False,
    undo: Undo | None = None,
) -> Response:
    async with ctx.acting() as tx:
        await commerce.edit_garment(tx, ctx.clock, ctx.workspace.id, garment_id, change)
    if not by_script(ctx.request):
        return went_well(ctx, "/wardrobe", done)
    return await _grid(ctx, done, archived=archived, undo=undo)


async def _shown(
    ctx: PageContext, view: View, typed: Typed, refusal: SelifyError | None = None
) -> Response:
    """The page; after a refusal with what was typed, and why."""
    status = refusal.status if refusal else 200
    shown = await show_garments(ctx, view)
    return await page(
        ctx,
        "commerce/wardrobe.html",
        status=status,
        view=view,
        typed=typed,
        refusal=refusal,
        **shown,
    )


async def _add(ctx: PageContext, typed: Typed, pictures: Sequence[UploadFile]) -> list[str]:
    """What is doubtful about the pictures that were added. Raises Invalid for what was typed, and
    for what was not added.
    """
    stock = forms.count(typed.stock, _("The stock"))
    product = _product(forms.cents(typed.price), typed.currency, stock, typed.url)
    files = [(one.filename or "garment", data) for one in pictures if (data := await one.read())]
    if not files:
        raise Invalid(_("Choose a picture of the garment first."), field="picture")
    refused: list[str] = []
    doubts: list[str] = []
    for filename, data in files:
        called = typed.name if len(files) == 1 else ""
        try:
            garment = await _upload(ctx, data, filename, called, typed.category or None, product)
            doubts += garment.leffa.get("warnings", [])
        except SelifyError as error:
            if len(files) == 1:
                raise
            refused.append(_("“%(file)s”: %(why)s", file=filename, why=error.detail))
    if refused:
        others = _("The others are in the wardrobe.") if len(refused) < len(files) else ""
        raise Invalid(_("Not added: %(files)s", files=sentences(*refused)), hint=others)
    return doubts


async def _upload(
    ctx: PageContext,
    data: bytes,
    filename: str,
    name: str,
    category: str | None,
    product: dict[str, Any],
) -> Garment:
    storage: Storage = ctx.request.app.state.storage
    reader: GarmentReader = ctx.request.app.state.read_garment
    return await upload_garment(  # opens its own transaction at the end: reading a picture takes a while
        ctx.database,
        storage,
        reader,
        workspace_id=ctx.workspace.id,
        user_id=ctx.person.id,
        data=data,
        filename=filename,
        name=name,
        category=category,
        product=product,
    )


def _product(price: int | None, currency: str, stock: int | None, url: str) -> dict[str, Any]:
    """What is known of the product; nothing at all where nothing was typed."""
    typed = _typed(price, stock=stock, url=url)
    known = {key: value for key, value in typed.items() if value is not None}
    return {**known, "currency": currency} if known else {}


def _typed(price: int | None, *, stock: int | None, url: str) -> dict[str, Any]:
    """None for what was left empty. Raises Invalid for an address that is none."""
    if url and not url.startswith(("https://", "http://")):
        raise Invalid(_("The link to the product begins with https://."), field="url")
    return {"price_cents": price, "stock": stock, "url": url or None}


async def _grid(
    ctx: PageContext,
    done: str,
    *,
    archived: bool = False,
    doubts: Sequence[str] = (),
    undo: Undo | None = None,
) -> Response:
    view = View(archived=archived)
    return fragment(
        ctx,
        "commerce/fragments/garments.html",
        toast=words.DONE[done],
        undo=undo,
        doubt=sentences(
            _("The garment was added, but please check it."), *map(stored, dict.fromkeys(doubts))
        )
        if doubts
        else "",
        view=view,
        **await show_garments(ctx, view),
    )
