"""Building the world: accounts, posts, shoppers.

Creating what already exists (same username, same post key) answers 200 with what is there
instead of 201, so that a demo may be loaded again and again.
"""

import asyncio
import time
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile

from selify.core.errors import BadRequest
from selify_sandbox.instagram.access import world_of
from selify_sandbox.instagram.control.schemas import NewAccount, NewShopper
from selify_sandbox.instagram.people import shopper
from selify_sandbox.instagram.people.comments import comment_author
from selify_sandbox.instagram.state import ids, tokens
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.world import World

router = APIRouter(prefix="/sandbox/api", tags=["world"])
MAX_UPLOAD = 64 * 1024 * 1024
Json = dict[str, Any]
Upload = Annotated[UploadFile, File()]


async def save_upload(world: World, upload: UploadFile) -> str:
    """Store the bytes exactly as sent. Raises BadRequest for nothing or far too much."""
    data = await upload.read(MAX_UPLOAD + 1)
    if not data:
        raise BadRequest("The file is empty.")
    if len(data) > MAX_UPLOAD:
        raise BadRequest("The file is larger than 64 MB.")
    return await asyncio.to_thread(world.pictures.save, data)


def _show_account(tx: Tx, row: Row) -> Json:
    shown = {key: row[key] for key in ("id", "app_scoped_id", "username", "name", "biography")}
    return shown | {
        "followers": row["followers"],
        "message_access": bool(row["message_access"]),
        "restricted": row["restricted_until"] > time.time(),
        "subscribed_fields": [name for name in row["subscribed_fields"].split(",") if name],
        "connected": tokens.is_connected(tx, row["id"]),
    }


def _show_shopper(row: Row) -> Json:
    return {"id": row["id"], "username": row["username"], "name": row["name"]}


def _show_post(world: World, row: Row) -> Json:
    return {
        "id": row["id"],
        "account": row["account_id"],
        "key": row["key"],
        "caption": row["caption"],
        "product_type": row["product_type"],
        "picture": world.pictures.link(row["file_id"]),
    }


def _show_comment(tx: Tx, row: Row) -> Json:
    media = shopper.find(tx, "media", row["media_id"])
    author = comment_author(tx, shopper.find(tx, "accounts", media["account_id"]), row)
    return {
        "id": row["id"],
        "post": row["media_id"],
        "parent": row["parent_id"],
        "from": author["username"],
        "by_brand": row["shopper_id"] is None,
        "text": row["text"],
        "hidden": bool(row["hidden"]),
    }


@router.get("/world")
async def whole_world(request: Request) -> Json:
    """Every account, post and shopper."""
    world = world_of(request)

    def read(tx: Tx) -> Json:
        posts = tx.all("SELECT * FROM media ORDER BY created_at, rowid")
        return {
            "accounts": [
                _show_account(tx, row) for row in tx.all("SELECT * FROM accounts ORDER BY username")
            ],
            "posts": [_show_post(world, row) for row in posts],
            "shoppers": [
                _show_shopper(row) for row in tx.all("SELECT * FROM shoppers ORDER BY created_at")
            ],
        }

    return await world.store.run(read)


@router.post("/accounts", status_code=201)
async def create_account(request: Request, response: Response, new: NewAccount) -> Json:
    """A brand's professional account."""

    def make(tx: Tx) -> tuple[Json, bool]:
        made = tx.run(
            "INSERT OR IGNORE INTO accounts "
            "(id, app_scoped_id, username, name, biography, followers, created_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            ids.professional_id(),
            ids.app_scoped_id(),
            new.username,
            new.name or new.username,
            new.biography,
            new.followers,
            time.time(),
        )
        tx.note("feed")
        return _show_account(tx, shopper.find(tx, "accounts", new.username)), made > 0

    shown, made = await world_of(request).store.run(make)
    response.status_code = 201 if made else 200
    return shown


@router.post("/accounts/{account}/posts", status_code=201)
async def create_post(
    request: Request,
    response: Response,
    account: str,
    picture: Upload,
    caption: Annotated[str, Form(max_length=2200)] = "",
    alt_text: Annotated[str, Form(max_length=1000)] = "",
    product_type: Annotated[str, Form(pattern="^(FEED|REELS|STORY)$")] = "FEED",
    key: Annotated[str, Form(max_length=200)] = "",
    likes: Annotated[int, Form(ge=0)] = 0,
) -> Json:
    """A post with its picture; a ``key`` of your own makes creating it twice harmless."""
    world = world_of(request)
    file_id = await save_upload(world, picture)

    def make(tx: Tx) -> tuple[Json, bool]:
        shop = shopper.find(tx, "accounts", account)
        media_id = ids.media_id()
        post_key = key or media_id
        world.pictures.register(tx, file_id)
        made = tx.run(
            "INSERT OR IGNORE INTO media (id, account_id, key, caption, alt_text, product_type, "
            "file_id, shortcode, other_likes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            media_id,
            shop["id"],
            post_key,
            caption,
            alt_text,
            product_type,
            file_id,
            ids.shortcode(),
            likes,
            time.time(),
        )
        if not made:
            world.pictures.kill(tx, file_id)
        tx.note("feed")
        row = tx.one("SELECT * FROM media WHERE account_id = ? AND key = ?", shop["id"], post_key)
        return _show_post(world, row) if row else {}, made > 0

    shown, made = await world.store.run(make)
    response.status_code = 201 if made else 200
    return shown


@router.post("/shoppers", status_code=201)
async def create_shopper(request: Request, response: Response, new: NewShopper) -> Json:
    """A person with a phone; ``follows`` names accounts."""
    world = world_of(request)

    def make(tx: Tx) -> tuple[Json, bool]:
        made = tx.run(
            "INSERT OR IGNORE INTO shoppers VALUES (?, ?, ?, ?)",
            ids.file_id(),
            new.username,
            new.name or new.username,
            time.time(),
        )
        for account in new.follows:
            shopper.relate(tx, shopper.meet(world, tx, new.username, account), True, None)
        tx.note("people")
        return _show_shopper(shopper.find(tx, "shoppers", new.username)), made > 0

    shown, made = await world.store.run(make)
    response.status_code = 201 if made else 200
    return shown


@router.get("/posts/{post}/comments")
async def post_comments(request: Request, post: str) -> list[Json]:
    """Every comment of a post with its replies, oldest first."""

    def read(tx: Tx) -> list[Json]:
        media = shopper.find(tx, "media", post)
        rows = tx.all(
            "SELECT * FROM comments WHERE media_id = ? AND deleted = 0 ORDER BY created_at",
            media["id"],
        )
        return [_show_comment(tx, row) for row in rows]

    return await world_of(request).store.run(read)
