"""Posts: which garment each shows, and which words start a try-on under it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from selify.tryon import outfits, posts, queries
from selify.tryon.pages import post_pictures, words
from selify.tryon.permissions import POSTS_BIND, POSTS_READ
from selify.tryon.posts import PostMissing

router = APIRouter(prefix="/posts")

A_PAGE = 60
CHOICES = 20
# Among so many of the newest garments, or of those that are called so, what goes with one is looked for.
LOOKED_THROUGH = 200


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
        "left_out": _left_out(found, garments),
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
async def choose(
    ctx: OpenPage,
    post_id: UUID,
    search: Text = "",
    garment: Text = "",
    worn_with: Text | None = None,
) -> Response:
    """Which garment the post shows, and what is worn with it: the newest ones, or those that are called so.
    ``garment``, ``worn_with``: what is chosen already, which stays in sight whatever is searched for.
    """
    async with ctx.acting() as tx:
        post = await _access_post(tx, ctx, post_id)
        wanted = search.strip()
        found, whole = await _choices(tx, ctx.workspace.id, wanted, CHOICES + 1)
        chosen = number(garment) or post.garment_id
        kept = await commerce.garments_by_id(tx, ctx.workspace.id, [chosen] if chosen else [])
        second = post.worn_with_id if worn_with is None else number(worn_with)
        main = kept.get(chosen) if chosen else None
        fitting = await _fitting(tx, ctx.workspace.id, main, second, wanted) if main else None
    others = [one for one in found[:CHOICES] if one.id not in kept]
    shown: dict[str, Any] = {
        "post": post,
        "chosen": chosen,
        "choices": [*kept.values(), *others],
        "main": main,
        "fitting": fitting,
        "hits": len(found[:CHOICES]),
        "more": len(found) > CHOICES,
        "all_looked_at": whole,
        "search": wanted,
        "low_confidence": commerce.LOW_CONFIDENCE,
    }
    if by_script(ctx.request):
        return fragment(ctx, "tryon/fragments/chooser.html", **shown)
    return await page(ctx, "tryon/chooser.html", **shown)


async def _choices(
    tx: Tx, workspace_id: UUID, wanted: str, limit: int
) -> tuple[list[Garment], bool]:
    """The newest that are called so, and whether there can be no others of that name."""
    if not wanted:
        return await commerce.list_garments(tx, workspace_id, limit=limit), True
    found = await commerce.search_garments(tx, workspace_id, wanted, limit=limit)
    return found.garments, found.all_looked_at


@dataclass(frozen=True, slots=True)
class _Fitting:
    """What can be worn with a garment. ``chosen``: what is; it is among the choices."""

    chosen: UUID | None
    choices: Sequence[Garment]
    more: bool


async def _fitting(
    tx: Tx, workspace_id: UUID, main: Garment, second: UUID | None, wanted: str
) -> _Fitting | None:
    """None where nothing is ever worn with it. ``second``: what was chosen before."""
    if main.covers not in outfits.GOES_WITH:
        return None
    found, _whole = await _choices(tx, workspace_id, wanted, LOOKED_THROUGH)
    known = await commerce.garments_by_id(tx, workspace_id, [second] if second else [])
    fits = [one for one in (*known.values(), *found) if not outfits.why_not(main, one)]
    choices = list({one.id: one for one in fits}.values())
    more = len(choices) > CHOICES or len(found) == LOOKED_THROUGH
    chosen = next((one.id for one in choices if one.id == second), None)
    return _Fitting(chosen, choices[:CHOICES], more)


@router.post("/{post_id}/garment")
@allows(POSTS_BIND)
async def bind(
    ctx: OpenPage,
    post_id: UUID,
    garment: Annotated[UUID | None, Form()] = None,
    worn_with: Annotated[UUID | None, Form()] = None,
    keywords: Annotated[OneLine, Form(max_length=1000)] = "",
    only_these: Annotated[bool, Form()] = False,
) -> Response:
    """From now on the post shows this garment, and this one with it."""
    if garment is None:
        raise Invalid(_("Choose the garment that this post shows."), field="garment")
    async with ctx.acting() as tx:
        await posts.check_post(tx, ctx.workspace.id, post_id)
        await posts.bind(
            tx,
            post_id=post_id,
            garment_id=garment,
            worn_with=worn_with,
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
        left_out=_left_out([post], garments),
        any_garment=True,
    )


async def _shown_by(
    tx: Tx, ctx: PageContext, found: Sequence[queries.ListedPost]
) -> Mapping[UUID, commerce.Garment]:
    """The garments that these posts show."""
    ids = [one for post in found for one in (post.garment_id, post.worn_with_id) if one]
    return await commerce.garments_by_id(tx, ctx.workspace.id, ids)


def _left_out(
    found: Sequence[queries.ListedPost], garments: Mapping[UUID, commerce.Garment]
) -> Mapping[UUID, str]:
    """Of which posts the second piece is not worn any more, and why not."""
    said: dict[UUID, str] = {}
    for post in found:
        main = garments.get(post.garment_id) if post.garment_id else None
        if main is None or post.worn_with_id is None:
            continue
        second = garments.get(post.worn_with_id)
        gone = _("What was worn with it is no longer in your wardrobe.")
        if why := outfits.why_not(main, second) if second else gone:
            said[post.id] = why
    return said
