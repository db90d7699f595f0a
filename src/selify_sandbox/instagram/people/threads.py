"""Conversations: who talks to whom, and adding, finding and showing messages."""

import time
from datetime import UTC, datetime
from typing import Any

from selify_sandbox.instagram.config import DAY
from selify_sandbox.instagram.state import ids
from selify_sandbox.instagram.state.bodies import Body
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.world import World
from selify_sandbox.instagram.webhooks import events

WINDOW = DAY


def graph_time(seconds: float) -> str:
    """The vendor's time format."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def ensure_thread(world: World, tx: Tx, account_id: str, shopper_id: str) -> Row:
    """The thread of two parties; made at first contact, empty until somebody speaks.

    Whether the person has a second id in comments is drawn here, once and for ever.
    """
    row = find_thread(tx, account_id, shopper_id)
    if row:
        return row
    igsid = ids.person_id()
    board = world.switchboard
    separate = board.chance(board.faults.separate_comment_ids_percent)
    tx.run(
        "INSERT INTO threads (id, account_id, shopper_id, igsid, commenter_id) "
        "VALUES (?, ?, ?, ?, ?)",
        ids.thread_id(),
        account_id,
        shopper_id,
        igsid,
        ids.person_id() if separate else igsid,
    )
    made = find_thread(tx, account_id, shopper_id)
    if made is None:
        raise RuntimeError("a thread that was just inserted is gone")
    return made


def find_thread(tx: Tx, account_id: str, shopper_id: str) -> Row | None:
    """The thread of two parties, if they ever met."""
    return tx.one(
        "SELECT * FROM threads WHERE account_id = ? AND shopper_id = ?", account_id, shopper_id
    )


def thread_by_id(tx: Tx, thread_id: str) -> Row | None:
    """A thread by its own id."""
    return tx.one("SELECT * FROM threads WHERE id = ?", thread_id)


def message_by_mid(tx: Tx, mid: str) -> Row | None:
    """A message by its id."""
    return tx.one("SELECT * FROM messages WHERE mid = ?", mid)


def person_name(tx: Tx, thread: Row) -> str:
    """@name of the thread's shopper."""
    return "@" + str(tx.value("SELECT username FROM shoppers WHERE id = ?", thread["shopper_id"]))


def add_message(
    world: World, tx: Tx, thread: Row, origin: str, body: Body, *, private_reply_to: str = ""
) -> Row:
    """Append a message, move the thread up, and queue its webhook (or echo).

    ``origin``: shopper, api (our call) or app (a person of the brand typed it on their phone).
    """
    mid, created = ids.message_id(), events.now_ms()
    for file_id in body.files():
        if not tx.value("SELECT 1 FROM files WHERE id = ?", file_id):
            world.pictures.register(tx, file_id)
    tx.run(
        "INSERT INTO messages (mid, thread_id, origin, body, private_reply_to, created_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        mid,
        thread["id"],
        origin,
        body.model_dump_json(exclude_defaults=True),
        private_reply_to or None,
        created,
    )
    _touch(tx, thread, origin, created / 1000)
    message = message_by_mid(tx, mid)
    if message is None:
        raise RuntimeError("a message that was just inserted is gone")
    _report(world, tx, thread, message, body)
    tx.note(f"thread:{thread['id']}", thread=thread["id"], shopper=thread["shopper_id"])
    return message


def _touch(tx: Tx, thread: Row, origin: str, now: float) -> None:
    if origin == "shopper":
        # Writing is consent, accepts a request, and opens the 24-hour window.
        tx.run(
            "UPDATE threads SET updated_at = ?, last_inbound = ?, consented = 1, accepted = 1 "
            "WHERE id = ?",
            now,
            now,
            thread["id"],
        )
    else:
        tx.run(
            "UPDATE threads SET updated_at = ?, accepted = max(accepted, follows) WHERE id = ?",
            now,
            thread["id"],
        )


def _report(world: World, tx: Tx, thread: Row, message: Row, body: Body) -> None:
    name = person_name(tx, thread)
    if message["origin"] != "shopper":
        board = world.switchboard
        if board.faults.echoes:
            item = events.message_item(world, tx, thread, message)
            label = f"Echo to {name}: {body.summary()}"
            prompt = board.chance(board.faults.prompt_echoes_percent)
            events.emit_messaging(world, tx, thread, item, label, prompt=prompt)
        return
    if body.postback is not None:
        mid = None if body.ice_breaker else message["mid"]
        item = events.postback_item(thread, mid, body.text, body.postback)
        events.emit_messaging(world, tx, thread, item, f"Button tap of {name}: {body.text}")
        return
    item = events.message_item(world, tx, thread, message)
    events.emit_messaging(world, tx, thread, item, f"Message of {name}: {body.summary()}")


def window_open(thread: Row) -> bool:
    """Whether the account may still write freely: 24 hours from the person's last message."""
    return time.time() - float(thread["last_inbound"]) < WINDOW


def show_message(world: World, tx: Tx, message: Row) -> dict[str, Any]:
    """A message for our own pages and the driver (not the vendor's shape)."""
    body = Body.model_validate_json(message["body"])
    return {
        "mid": message["mid"],
        "seq": message["seq"],
        "thread": message["thread_id"],
        "from": "shopper" if message["origin"] == "shopper" else "brand",
        "origin": message["origin"],
        "text": body.text,
        "attachments": [_show_attachment(world, tx, part) for part in body.attachments],
        "elements": [
            element.model_dump(exclude={"file"})
            | {"picture": world.pictures.link(element.file) if element.file else ""}
            for element in body.elements
        ],
        "buttons": [button.model_dump() for button in body.buttons],
        "quick_replies": [chip.model_dump() for chip in body.quick_replies],
        "tapped": body.tapped,
        "postback": body.postback,
        "reply_to": body.reply_to,
        "story": body.story,
        "private_reply_to": message["private_reply_to"] or "",
        "created_ms": message["created_ms"],
        "edited": message["edits"] > 0,
        "deleted": bool(message["deleted"]),
        "seen": bool(message["seen"]),
        "reactions": [
            {"by": "shopper" if row["by_shopper"] else "brand", "emoji": row["emoji"]}
            for row in tx.all("SELECT * FROM reactions WHERE mid = ?", message["mid"])
        ],
    }


def _show_attachment(world: World, tx: Tx, part: Any) -> dict[str, str]:
    file_id = part.file
    if part.media:
        file_id = tx.value("SELECT file_id FROM media WHERE id = ?", part.media)
    content_type = tx.value("SELECT content_type FROM files WHERE id = ?", file_id)
    return {
        "type": part.type,
        "url": world.pictures.link(file_id) if file_id else "",
        "content_type": content_type or "",
        "media": part.media,
        "title": part.title,
    }


def show_thread(thread: Row) -> dict[str, Any]:
    """A thread for our own pages and the driver."""
    return {
        "id": thread["id"],
        "account": thread["account_id"],
        "shopper": thread["shopper_id"],
        "igsid": thread["igsid"],
        "commenter_id": thread["commenter_id"],
        "follows": bool(thread["follows"]),
        "blocked": bool(thread["blocked"]),
        "consented": bool(thread["consented"]),
        "request": not thread["accepted"] and thread["updated_at"] > 0,
        "window_open": window_open(thread),
        "updated_at": thread["updated_at"],
    }


def messages_of(
    world: World, tx: Tx, thread_id: str, *, after: int = 0, limit: int = 500
) -> list[dict[str, Any]]:
    """The newest messages of a thread after a sequence number, oldest first."""
    rows = tx.all(
        "SELECT * FROM (SELECT * FROM messages WHERE thread_id = ? AND seq > ? AND deleted = 0 "
        "ORDER BY seq DESC LIMIT ?) ORDER BY seq",
        thread_id,
        after,
        limit,
    )
    return [show_message(world, tx, row) for row in rows]
