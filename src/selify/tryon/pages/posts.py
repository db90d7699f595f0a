"""Posts: which garment each shows, and which words start a try-on under it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import Response

from selify import commerce
from selify.commerce import Garment
from selify.commerce.permissions import GARMENTS_READ
from selify.core.cursor import Cursor
from selify.core.database import Tx
from selify.core.errors import Invalid
from selify.core.language import _
from selify.core.permissions import allows
from selify.core.text import OneLine
from selify.dash.context import OpenPage, PageContext
from selify.dash.forms import keyword_list
from selify.dash.pages import Part
from selify.dash.rendering import by_script, fragment, page, went_well
from selify.dash.view import ListView, ListViewed, Text, list_view, number
from selify.messaging import queries as messaging
from selify.tryon import posts, queries
from selify.tryon.pages import post_pictures, words
from selify.tryon.permissions import POSTS_BIND, POSTS_READ
from selify.tryon.posts import PostMissing

router = APIRouter(prefix="/posts")

A_PAGE = 60
CHOICES = 20


@router.get("")
@allows(POSTS_READ)
async def show(ctx: OpenPage, view: ListViewed) -> Response:
    return await page(ctx, "tryon/posts.html", view=view, **await show_posts(ctx, view))


async def show_posts(ctx: PageContext, view: ListView) -> dict[str, Any]:
    """A page of posts, and what can be chosen for them."""
    async with ctx.reading() as tx:
        found = await queries.list_posts(tx, ctx.workspace.id, after=view.after, limit=A_PAGE + 1)
        accounts = await messaging.list_accounts(tx, ctx.workspace.id)
        garments = await _shown_by(tx, ctx, found)
    async with ctx.acting() as tx:
        any_garment = bool(await commerce.list_garments(tx, ctx.workspace.id, limit=1))
    return {
        "posts": found[:A_PAGE],
        "earlier": Cursor.after(found, A_PAGE, by="posted_at"),
        "accounts": accounts,
        "garments": garments,
        "any_garment": any_garment,
    }


POSTS = Part(
    name="posts",
    template="tryon/fragments/posts.html",
    draw=show_posts,
    permissions=(POSTS_READ, GARMENTS_READ),
    tables=("social_posts_garment_bindings", "wardrobe_garments", "connected_social_accounts"),
    view=list_view,
)


@router.get("/{post_id}/garment")
@allows(POSTS_BIND)
async def choose(ctx: OpenPage, post_id: UUID, search: Text = "", garment: Text = "") -> Response:
    """Which garment the post shows: the newest ones, or those that are called so. ``garment``: what
    is chosen already, which stays in sight whatever is searched for.
    """
    async with ctx.acting() as tx:
        post = await _access_post(tx, ctx, post_id)
        wanted = search.strip()
        found, whole = await _choices(tx, ctx.workspace.id, wanted)
        chosen = number(garment) or post.garment_id
        kept = await commerce.garments_by_id(tx, ctx.workspace.id, [chosen] if chosen else [])
    others = [one for one in found[:CHOICES] if one.id not in kept]
    shown: dict[str, Any] = {
        "post": post,
        "chosen": chosen,
        "choices": [*kept.values(), *others],
        "hits": len(found[:CHOICES]),
        "more": len(found) > CHOICES,
        "all_looked_at": whole,
        "search": wanted,
        "low_confidence": commerce.LOW_CONFIDENCE,
    }
    if by_script(ctx.request):
        return fragment(ctx, "tryon/fragments/chooser.html", **shown)
    return await page(ctx, "tryon/chooser.html", **shown)


async def _choices(tx: Tx, workspace_id: UUID, wanted: str) -> tuple[list[Garment], bool]:
    """One more than are shown, and whether there can be no others of that name."""
    if not wanted:
        return await commerce.list_garments(tx, workspace_id, limit=CHOICES + 1), True
    found = await commerce.search_garments(tx, workspace_id, wanted, limit=CHOICES + 1)
    return found.garments, found.all_looked_at


@router.post("/{post_id}/garment")
@allows(POSTS_BIND)
async def bind(
    ctx: OpenPage,
    post_id: UUID,
    garment: Annotated[UUID | None, Form()] = None,
    keywords: Annotated[OneLine, Form(max_length=1000)] = "",
    only_these: Annotated[bool, Form()] = False,
) -> Response:
    """From now on the post shows this garment."""
    if garment is None:
        raise Invalid(_("Choose the garment that this post shows."), field="garment")
    async with ctx.acting() as tx:
        await posts.check_post(tx, ctx.workspace.id, post_id)
        await posts.bind(
            tx,
            post_id=post_id,
            garment_id=garment,
            user_id=ctx.person.id,
            keywords=keyword_list(keywords),
            use_global_keywords=not only_these,
        )
    return await _changed(ctx, post_id, "garment_bound")


@router.post("/{post_id}/garment/remove")
@allows(POSTS_BIND)
async def unbind(ctx: OpenPage, post_id: UUID) -> Response:
    async with ctx.acting() as tx:
        await posts.check_post(tx, ctx.workspace.id, post_id)
        await posts.unbind(tx, post_id)
    return await _changed(ctx, post_id, "garment_unbound")


@router.get("/{post_id}/keywords")
@allows(POSTS_READ)
async def explain_keywords(ctx: OpenPage, post_id: UUID) -> Response:
    """The words in force, and the rule that won."""
    async with ctx.acting() as tx:
        found = await posts.keywords_of(tx, ctx.workspace.id, post_id)
    if by_script(ctx.request):
        return fragment(ctx, "tryon/fragments/keywords.html", keywords=found)
    return await page(ctx, "tryon/keywords.html", keywords=found)


@router.get("/{post_id}/picture")
@router.head("/{post_id}/picture")
@allows(POSTS_READ)
async def picture(ctx: OpenPage, post_id: UUID) -> Response:
    """Our own copy of the post's picture: the platform's links end after a while."""
    async with ctx.reading() as tx:
        post = await _access_post(tx, ctx, post_id)
    return await post_pictures.answer(ctx, post_id, post.thumbnail_url)


async def _access_post(tx: Tx, ctx: PageContext, post_id: UUID) -> queries.ListedPost:
    """Raises PostMissing."""
    post = await queries.find_post(tx, ctx.workspace.id, post_id)
    if post is None:
        raise PostMissing(_("There is no such post in this workspace."))
    return post


async def _changed(ctx: PageContext, post_id: UUID, done: str) -> Response:
    if not by_script(ctx.request):
        return went_well(ctx, "/posts", done)
    async with ctx.reading() as tx:
        post = await _access_post(tx, ctx, post_id)
        garments = await _shown_by(tx, ctx, [post])
    return fragment(
        ctx,
        "tryon/fragments/post.html",
        toast=words.DONE[done],
        post=post,
        garments=garments,
        any_garment=True,
    )


async def _shown_by(
    tx: Tx, ctx: PageContext, found: Sequence[queries.ListedPost]
) -> Mapping[UUID, commerce.Garment]:
    """The garments that these posts show."""
    ids = [post.garment_id for post in found if post.garment_id]
    return await commerce.garments_by_id(tx, ctx.workspace.id, ids)
