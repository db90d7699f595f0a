"""Webhook items in the vendor's shapes (protocol sheet, section 4), and their way into the queue.

``emit`` runs in the transaction of what it reports: an event exists exactly if its cause does.
"""

import json
import time
import zlib
from typing import Any

from selify_sandbox.instagram.config import DAY
from selify_sandbox.instagram.state.bodies import Attachment, Body
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.tokens import COMMENTS, MESSAGES, newest
from selify_sandbox.instagram.state.world import World

Item = dict[str, Any]
COPY_AFTER = 0.2
COPY_BEFORE = 2.0


def now_ms() -> int:
    """The clock the vendor stamps messages with."""
    return int(time.time() * 1000)


def attachment_payload(world: World, tx: Tx, attachment: Attachment) -> Item:
    """One ``attachments`` entry with a fresh signed link."""
    if attachment.type in {"ig_post", "ig_reel", "ig_story"}:
        file_id = tx.value("SELECT file_id FROM media WHERE id = ?", attachment.media)
        link = world.pictures.link(file_id, absolute=True)
        payload = {"ig_post_media_id": attachment.media, "title": attachment.title, "url": link}
        return {"type": attachment.type, "payload": payload}
    lifetime = DAY if attachment.type == "story_mention" else None
    link = world.pictures.link(attachment.file, absolute=True, lifetime=lifetime)
    return {"type": attachment.type, "payload": {"url": link}}


def _content(world: World, tx: Tx, message: Row) -> Item:
    body = Body.model_validate_json(message["body"])
    content: Item = {"mid": message["mid"]}
    if body.text:
        content["text"] = body.text
    if body.attachments:
        content["attachments"] = [attachment_payload(world, tx, a) for a in body.attachments]
    if body.elements or body.buttons:
        content["attachments"] = [{"type": "template", "payload": {"template_type": "generic"}}]
    if body.tapped is not None:
        content["quick_reply"] = {"payload": body.tapped}
    if body.reply_to:
        content["reply_to"] = {"mid": body.reply_to}
    if body.story:
        file_id = tx.value("SELECT file_id FROM media WHERE id = ?", body.story)
        link = world.pictures.link(file_id, absolute=True, lifetime=DAY)
        content["reply_to"] = {"story": {"id": body.story, "url": link}}
    if body.ref:
        content["referral"] = {"ref": body.ref, "source": "ADS", "type": "OPEN_THREAD"}
    return content


def _between(thread: Row, *, outbound: bool = False, at_ms: int | None = None) -> Item:
    person, account = {"id": thread["igsid"]}, {"id": thread["account_id"]}
    sender, recipient = (account, person) if outbound else (person, account)
    return {"sender": sender, "recipient": recipient, "timestamp": at_ms or now_ms()}


def message_item(world: World, tx: Tx, thread: Row, message: Row) -> Item:
    """A message of the shopper, or the echo of one the account sent."""
    outbound = message["origin"] != "shopper"
    content = _content(world, tx, message)
    if outbound:
        content["is_echo"] = True
    return {**_between(thread, outbound=outbound, at_ms=message["created_ms"]), "message": content}


def postback_item(thread: Row, mid: str | None, title: str, payload: str) -> Item:
    """A tapped template button; taps on ice breakers come without a ``mid``."""
    postback = {"title": title, "payload": payload}
    return {**_between(thread), "postback": {"mid": mid, **postback} if mid else postback}


def unsend_item(thread: Row, message: Row) -> Item:
    """The shopper took a message back."""
    content = {"mid": message["mid"], "is_deleted": True}
    return {**_between(thread, at_ms=message["created_ms"]), "message": content}


def edit_item(thread: Row, mid: str, text: str, edits: int) -> Item:
    """The shopper changed a message's text."""
    return {**_between(thread), "message_edit": {"mid": mid, "text": text, "num_edit": edits}}


def reaction_item(thread: Row, mid: str, name: str, emoji: str) -> Item:
    """The shopper reacted; an empty name means the reaction was taken back."""
    reaction = {"mid": mid, "action": "react", "reaction": name, "emoji": emoji}
    return {**_between(thread), "reaction": reaction if name else {"mid": mid, "action": "unreact"}}


def seen_item(thread: Row, mid: str) -> Item:
    """The shopper has read up to this message."""
    return {**_between(thread), "read": {"mid": mid}}


def referral_item(thread: Row, ref: str) -> Item:
    """The shopper opened the conversation through an ig.me link."""
    return {**_between(thread), "referral": {"ref": ref, "source": "IGME", "type": "OPEN_THREAD"}}


def comment_item(comment: Row, media: Row, author: Item) -> Item:
    """A comment or a reply to one, of a shopper or of the account itself."""
    value: Item = {
        "id": comment["id"],
        "from": author,
        "text": comment["text"],
        "media": {"id": media["id"], "media_product_type": media["product_type"]},
    }
    if comment["parent_id"]:
        value["parent_id"] = comment["parent_id"]
    return {"field": "comments", "value": value}


def emit_messaging(
    world: World, tx: Tx, thread: Row, item: Item, label: str, *, prompt: bool = False
) -> None:
    """Queue a ``messaging`` item unless nobody is subscribed or message access is off.

    ``prompt``: it leaves at once, however late the others are.
    """
    account = tx.one("SELECT * FROM accounts WHERE id = ?", thread["account_id"])
    if account and account["message_access"] and _listening(tx, account, MESSAGES):
        _queue(world, tx, account["id"], thread["id"], "messaging", item, label, prompt=prompt)


def emit_change(world: World, tx: Tx, account_id: str, item: Item, label: str) -> None:
    """Queue a ``changes`` item if anybody is subscribed."""
    account = tx.one("SELECT * FROM accounts WHERE id = ?", account_id)
    if account and _listening(tx, account, COMMENTS):
        _queue(world, tx, account_id, str(item["value"]["id"]), "changes", item, label)


def _listening(tx: Tx, account: Row, scope: str) -> bool:
    # Subscribing succeeds without the permission, and then nothing ever arrives: a known trap.
    row = newest(tx, account["id"]) if account["subscribed_fields"] else None
    return row is not None and scope in row["scopes"].split(",")


def _queue(
    world: World,
    tx: Tx,
    account_id: str,
    order_key: str,
    shape: str,
    item: Item,
    label: str,
    *,
    prompt: bool = False,
) -> None:
    lane = zlib.crc32(order_key.encode()) % world.config.lanes
    text = json.dumps(item)
    for due_at in _due_times(world, prompt=prompt):
        tx.run(
            "INSERT INTO events (account_id, lane, shape, item, label, due_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            account_id,
            lane,
            shape,
            text,
            label,
            due_at,
        )
    tx.note(f"lane:{lane}")


def _due_times(world: World, *, prompt: bool) -> list[float]:
    """When the event goes out, and when its copies do: here the webhook faults strike."""
    board = world.switchboard
    faults, rng = board.faults, board.rng
    due = time.time()
    if not prompt:
        due += faults.delay_seconds + rng.uniform(0, faults.reorder_seconds)
        due += faults.lose_for_seconds if board.chance(faults.lose_percent) else 0.0
    latest = max(COPY_BEFORE, faults.reorder_seconds)
    return [due, *(due + rng.uniform(COPY_AFTER, latest) for _ in range(faults.duplicate))]
