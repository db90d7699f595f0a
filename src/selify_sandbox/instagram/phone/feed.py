"""What the phone's screens show, read from the world as one shopper sees it."""

import json
from typing import Any

from selify.core.errors import NotFound
from selify_sandbox.instagram.people import threads
from selify_sandbox.instagram.people.shopper import REACTIONS, find, ice_breakers
from selify_sandbox.instagram.state.bodies import Body
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.world import World

Values = dict[str, Any]
GAP_MS = 60 * 60 * 1000


def people(tx: Tx) -> list[Row]:
    """Every shopper, in the order they came."""
    return tx.all("SELECT * FROM shoppers ORDER BY created_at, rowid")


def me(tx: Tx, name: str) -> Row | None:
    """The shopper who holds the phone; the first one if the name says nobody."""
    row = tx.one("SELECT * FROM shoppers WHERE username = ? OR id = ?", name, name)
    return row or tx.one("SELECT * FROM shoppers ORDER BY created_at, rowid LIMIT 1")


def _post(tx: Tx, world: World, row: Row, person: Row | None) -> Values:
    shop = find(tx, "accounts", row["account_id"])
    likes = row["other_likes"] + tx.value(
        "SELECT count(*) FROM likes WHERE media_id = ?", row["id"]
    )
    liked = person is not None and tx.value(
        "SELECT 1 FROM likes WHERE media_id = ? AND shopper_id = ?", row["id"], person["id"]
    )
    return {
        "id": row["id"],
        "shop": shop,
        "caption": row["caption"],
        "alt": row["alt_text"] or f"Picture of {shop['name']}: {row['caption'][:80]}",
        "picture": world.pictures.link(row["file_id"]),
        "reel": row["product_type"] == "REELS",
        "likes": likes,
        "liked": bool(liked),
        "comments": tx.value(
            "SELECT count(*) FROM comments WHERE media_id = ? AND deleted = 0 AND hidden = 0",
            row["id"],
        ),
        "open": bool(row["comments_enabled"]),
        "created_at": row["created_at"],
    }


def feed(tx: Tx, world: World, name: str) -> Values:
    """Stories on top, then every post, newest first."""
    person = me(tx, name)
    rows = tx.all("SELECT * FROM media ORDER BY created_at DESC, rowid DESC LIMIT 200")
    posts = [_post(tx, world, row, person) for row in rows if row["product_type"] != "STORY"]
    stories = [_post(tx, world, row, person) for row in rows if row["product_type"] == "STORY"]
    return {"me": person, "posts": posts, "stories": stories}


def comments(tx: Tx, world: World, name: str, media_id: str) -> Values:
    """A post's comments: top ones with their replies under them."""
    person, media = me(tx, name), find(tx, "media", media_id)
    rows = tx.all(
        "SELECT c.*, s.username AS author FROM comments c "
        "LEFT JOIN shoppers s ON s.id = c.shopper_id "
        "WHERE media_id = ? AND deleted = 0 AND hidden = 0 ORDER BY c.created_at, c.rowid",
        media["id"],
    )
    post = _post(tx, world, media, person)
    shown = [
        {
            "id": row["id"],
            "author": row["author"] or post["shop"]["username"],
            "by_shop": row["author"] is None,
            "parent": row["parent_id"],
            "text": row["text"],
            "created_at": row["created_at"],
        }
        for row in rows
    ]
    tops = [comment for comment in shown if comment["parent"] is None]
    for top in tops:
        top["replies"] = [reply for reply in shown if reply["parent"] == top["id"]]
    return {"me": person, "post": post, "comments": tops}


def _threads(tx: Tx, person: Row, *, requests: bool) -> list[Row]:
    return tx.all(
        "SELECT t.*, a.username, a.name FROM threads t JOIN accounts a ON a.id = t.account_id "
        "WHERE t.shopper_id = ? AND t.updated_at > 0 AND t.accepted = ? AND t.blocked = 0 "
        "ORDER BY t.updated_at DESC",
        person["id"],
        int(not requests),
    )


def _unread(tx: Tx, thread: Row) -> int:
    count: int = tx.value(
        "SELECT count(*) FROM messages WHERE thread_id = ? AND origin <> 'shopper' AND seen = 0 "
        "AND deleted = 0",
        thread["id"],
    )
    return count


def _last(tx: Tx, thread: Row) -> Row | None:
    return tx.one(
        "SELECT * FROM messages WHERE thread_id = ? AND deleted = 0 ORDER BY seq DESC LIMIT 1",
        thread["id"],
    )


def _line(tx: Tx, thread: Row) -> Values:
    last = _last(tx, thread)
    body = Body.model_validate_json(last["body"]) if last else Body()
    mine = last is not None and last["origin"] == "shopper"
    words = body.summary() if last else "Message taken back"
    said = words if body.text or not last else f"sent {words}"
    return {
        "id": thread["id"],
        "username": thread["username"],
        "name": thread["name"],
        "preview": f"You: {said}" if mine and body.text else f"You {said}" if mine else said,
        "at": thread["updated_at"],
        "unread": _unread(tx, thread),
    }


def inbox(tx: Tx, world: World, name: str, requests: bool) -> Values:
    """Conversations, or message requests, and whom one could write to."""
    del world
    person = me(tx, name)
    lines = _threads(tx, person, requests=requests) if person else []
    waiting = _threads(tx, person, requests=True) if person else []
    return {
        "me": person,
        "requests": requests,
        "threads": [_line(tx, thread) for thread in lines],
        "waiting": len(waiting),
        "shops": tx.all("SELECT * FROM accounts ORDER BY username LIMIT 20"),
    }


def thread(tx: Tx, world: World, name: str, account: str) -> Values:
    """One conversation as the shopper sees it."""
    person, shop = me(tx, name), find(tx, "accounts", account)
    row = threads.find_thread(tx, shop["id"], person["id"]) if person else None
    messages = threads.messages_of(world, tx, row["id"], limit=200) if row else []
    shown = {message["mid"]: message for message in messages}
    previous = 0
    for message in messages:
        message["stamp"] = message["created_ms"] - previous > GAP_MS
        message["quoted"] = shown.get(message["reply_to"])
        message["story_picture"] = _story_picture(tx, world, message["story"])
        previous = message["created_ms"]
    last = messages[-1] if messages else None
    mine = [message for message in messages if message["from"] == "shopper"]
    return {
        "me": person,
        "shop": shop,
        "state": threads.show_thread(row) if row else None,
        "messages": messages,
        "chips": last["quick_replies"] if last and last["from"] == "brand" else [],
        "questions": [] if messages else ice_breakers(shop),
        "seen_mid": last["mid"] if last and mine and last is mine[-1] and last["seen"] else "",
        "reactions": list(REACTIONS),
    }


def _story_picture(tx: Tx, world: World, media_id: str) -> str:
    file_id = tx.value("SELECT file_id FROM media WHERE id = ?", media_id) if media_id else None
    return world.pictures.link(file_id) if file_id else ""


def brand(tx: Tx, world: World, name: str, account: str) -> Values:
    """A brand's page: who they are, follow, message, and the grid of posts."""
    person, shop = me(tx, name), find(tx, "accounts", account)
    rows = tx.all(
        "SELECT * FROM media WHERE account_id = ? AND product_type <> 'STORY' "
        "ORDER BY created_at DESC, rowid DESC",
        shop["id"],
    )
    row = threads.find_thread(tx, shop["id"], person["id"]) if person else None
    followers = shop["followers"] + tx.value(
        "SELECT count(*) FROM threads WHERE account_id = ? AND follows = 1", shop["id"]
    )
    return {
        "me": person,
        "shop": shop,
        "posts": [_post(tx, world, media, person) for media in rows],
        "follows": bool(row and row["follows"]),
        "blocked": bool(row and row["blocked"]),
        "followers": followers,
    }


def post(tx: Tx, world: World, name: str, shortcode: str) -> Values:
    """One post, by the last part of its address. Raises NotFound."""
    row = tx.one("SELECT * FROM media WHERE shortcode = ?", shortcode)
    if row is None:
        raise NotFound("There is no post at this address.")
    person = me(tx, name)
    return {"me": person, "post": _post(tx, world, row, person)}


def story(tx: Tx, world: World, name: str, media_id: str) -> Values:
    """One story."""
    person, media = me(tx, name), find(tx, "media", media_id)
    return {"me": person, "post": _post(tx, world, media, person)}


def switcher(tx: Tx, world: World, name: str) -> Values:
    """Everybody who can hold the phone."""
    del world
    return {"me": me(tx, name), "people": people(tx)}


def news(tx: Tx, world: World, name: str) -> Values:
    """Unread counts and the newest unread message."""
    del world
    person = me(tx, name)
    if person is None:
        return {"unread": 0, "requests": 0, "newest": None}
    unread = [thread for thread in _threads(tx, person, requests=False) if _unread(tx, thread)]
    waiting = [thread for thread in _threads(tx, person, requests=True) if _unread(tx, thread)]
    newest = None
    for thread in sorted([*unread, *waiting], key=lambda row: -row["updated_at"])[:1]:
        last = _last(tx, thread)
        body = Body.model_validate(json.loads(last["body"])) if last else Body()
        newest = {
            "mid": last["mid"] if last else "",
            "username": thread["username"],
            "name": thread["name"],
            "request": not thread["accepted"],
            "preview": body.summary() if body.text else f"sent you {body.summary()}",
        }
    return {"unread": len(unread), "requests": len(waiting), "newest": newest}
