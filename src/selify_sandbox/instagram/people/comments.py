"""Comments under posts, whoever writes them."""

import time
from typing import Any

from selify_sandbox.instagram.people import threads
from selify_sandbox.instagram.state import ids
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.world import World
from selify_sandbox.instagram.webhooks import events

Json = dict[str, Any]


def comment_author(tx: Tx, account: Row, comment: Row) -> Json:
    """``from`` of a comment; the account itself is marked so that nobody answers it."""
    if comment["shopper_id"] is None:
        return {
            "id": account["id"],
            "username": account["username"],
            "self_ig_scoped_id": account["app_scoped_id"],
        }
    row = tx.one(
        "SELECT t.commenter_id, s.username FROM threads t JOIN shoppers s ON s.id = t.shopper_id "
        "WHERE t.account_id = ? AND t.shopper_id = ?",
        account["id"],
        comment["shopper_id"],
    )
    return {"id": row["commenter_id"], "username": row["username"]} if row else {}


def add_comment(
    world: World,
    tx: Tx,
    media: Row,
    text: str,
    *,
    shopper_id: str | None,
    parent_id: str | None = None,
) -> Row:
    """Write a comment (of a shopper, or of the account itself) and queue its webhook.

    A reply to a reply is attached to the top comment, as the vendor does.
    """
    if parent_id:
        top = tx.value("SELECT parent_id FROM comments WHERE id = ?", parent_id)
        parent_id = top or parent_id
    if shopper_id:
        threads.ensure_thread(world, tx, media["account_id"], shopper_id)
    comment_id = ids.comment_id()
    tx.run(
        "INSERT INTO comments (id, media_id, parent_id, shopper_id, text, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        comment_id,
        media["id"],
        parent_id,
        shopper_id,
        text,
        time.time(),
    )
    comment = tx.one("SELECT * FROM comments WHERE id = ?", comment_id)
    account = tx.one("SELECT * FROM accounts WHERE id = ?", media["account_id"])
    if comment is None or account is None:
        raise RuntimeError("a comment that was just inserted is gone")
    author = comment_author(tx, account, comment)
    item = events.comment_item(comment, media, author)
    label = f"Comment of @{author['username']}: {text[:60]}"
    events.emit_change(world, tx, account["id"], item, label)
    tx.note(f"comments:{media['id']}", media=media["id"])
    return comment
