"""What a shopper does on the phone: every act changes the world and queues its webhook."""

import json

from selify.core.errors import BadRequest, Conflict, NotFound
from selify_sandbox.instagram.people import threads
from selify_sandbox.instagram.people.comments import add_comment
from selify_sandbox.instagram.state.bodies import Attachment, Body
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.world import World
from selify_sandbox.instagram.webhooks import events

REACTIONS = {
    "❤️": "love",
    "😂": "smile",
    "😮": "wow",
    "😢": "sad",
    "😡": "angry",
    "👍": "like",
}


def find(tx: Tx, table: str, key: str) -> Row:
    """A row of accounts, shoppers or media by id or username. Raises NotFound."""
    queries = {
        "accounts": "SELECT * FROM accounts WHERE id = ? OR username = ?",
        "shoppers": "SELECT * FROM shoppers WHERE id = ? OR username = ?",
        "media": "SELECT * FROM media WHERE id = ? OR key = ?",
    }
    row = tx.one(queries[table], key, key)
    if row is None:
        raise NotFound(f"There is no {table.rstrip('s')} {key!r} here.")
    return row


def meet(world: World, tx: Tx, shopper: str, account: str) -> Row:
    """The thread of a shopper and an account, by ids or usernames."""
    person, shop = find(tx, "shoppers", shopper), find(tx, "accounts", account)
    return threads.ensure_thread(world, tx, shop["id"], person["id"])


def comment(
    world: World, tx: Tx, shopper: str, media_id: str, text: str, parent_id: str | None
) -> str:
    """Comment under a post; the comment's id."""
    person, media = find(tx, "shoppers", shopper), find(tx, "media", media_id)
    if not media["comments_enabled"]:
        raise Conflict("Comments are switched off for this post.")
    if parent_id and not tx.value("SELECT 1 FROM comments WHERE id = ? AND deleted = 0", parent_id):
        raise NotFound("The comment to answer is gone.")
    row = add_comment(world, tx, media, text, shopper_id=person["id"], parent_id=parent_id)
    return str(row["id"])


def like(tx: Tx, shopper: str, media_id: str, on: bool) -> None:
    """Like a post or take it back. The vendor sends no webhook for likes."""
    person, media = find(tx, "shoppers", shopper), find(tx, "media", media_id)
    if on:
        tx.run("INSERT OR IGNORE INTO likes VALUES (?, ?)", media["id"], person["id"])
    else:
        tx.run("DELETE FROM likes WHERE media_id = ? AND shopper_id = ?", media["id"], person["id"])
    tx.note("feed", media=media["id"])


def _writable(thread: Row) -> None:
    if thread["blocked"]:
        raise Conflict("You blocked this account. Unblock it to write.")


def write(
    world: World, tx: Tx, shopper: str, account: str, text: str, reply_to: str, ref: str
) -> Row:
    """A text message."""
    thread = meet(world, tx, shopper, account)
    _writable(thread)
    return threads.add_message(
        world, tx, thread, "shopper", Body(text=text, reply_to=reply_to, ref=ref)
    )


def send_files(
    world: World, tx: Tx, shopper: str, account: str, files: list[str], kind: str, text: str
) -> list[Row]:
    """Photos (or another kind), and a text as its own message as the vendor delivers it."""
    thread = meet(world, tx, shopper, account)
    _writable(thread)
    parts = tuple(Attachment(type=kind, file=file_id) for file_id in files)
    sent = [threads.add_message(world, tx, thread, "shopper", Body(attachments=parts))]
    if text:
        sent.append(threads.add_message(world, tx, thread, "shopper", Body(text=text)))
    return sent


def tap(world: World, tx: Tx, shopper: str, mid: str, payload: str, title: str) -> Row:
    """Tap a quick reply or a template button of a message, found by payload or title."""
    _, thread, body = _received(tx, shopper, mid)
    buttons = [*body.buttons, *(button for card in body.elements for button in card.buttons)]
    for chip in body.quick_replies:
        if payload in {"", chip.payload} and title in {"", chip.title}:
            answer = Body(text=chip.title, tapped=chip.payload)
            return threads.add_message(world, tx, thread, "shopper", answer)
    for button in buttons:
        fits = payload in {"", button.payload} and title in {"", button.title}
        if button.type == "postback" and fits:
            answer = Body(text=button.title, postback=button.payload)
            return threads.add_message(world, tx, thread, "shopper", answer)
    raise NotFound("The message has no such quick reply or button.")


def _received(tx: Tx, shopper: str, mid: str) -> tuple[Row, Row, Body]:
    """A message in one of the shopper's own threads."""
    person, message = find(tx, "shoppers", shopper), threads.message_by_mid(tx, mid)
    thread = threads.thread_by_id(tx, message["thread_id"]) if message else None
    if message is None or thread is None or thread["shopper_id"] != person["id"]:
        raise NotFound("There is no such message in this shopper's conversations.")
    return message, thread, Body.model_validate_json(message["body"])


def react(world: World, tx: Tx, shopper: str, mid: str, emoji: str) -> None:
    """React to a message; an empty emoji takes the reaction back."""
    message, thread, _ = _received(tx, shopper, mid)
    had = tx.run("DELETE FROM reactions WHERE mid = ? AND by_shopper = 1", mid)
    if emoji:
        name = REACTIONS.get(emoji, "other")
        tx.run("INSERT INTO reactions VALUES (?, 1, ?, ?)", mid, name, emoji)
        item = events.reaction_item(thread, mid, name, emoji)
    elif had:
        item = events.reaction_item(thread, mid, "", "")
    else:
        return
    who = threads.person_name(tx, thread)
    events.emit_messaging(world, tx, thread, item, f"Reaction of {who} {emoji}".rstrip())
    _moved(tx, message["thread_id"], thread)


def _own(tx: Tx, shopper: str, mid: str) -> tuple[Row, Row, Body]:
    message, thread, body = _received(tx, shopper, mid)
    if message["origin"] != "shopper":
        raise BadRequest("Only one's own messages can be changed or taken back.")
    if message["deleted"]:
        raise Conflict("The message was already taken back.")
    return message, thread, body


def unsend(world: World, tx: Tx, shopper: str, mid: str) -> None:
    """Take a message back: it disappears, and every link to its pictures dies."""
    message, thread, body = _own(tx, shopper, mid)
    tx.run("UPDATE messages SET deleted = 1 WHERE mid = ?", mid)
    for file_id in body.files():
        world.pictures.kill(tx, file_id)
    item = events.unsend_item(thread, message)
    label = f"{threads.person_name(tx, thread)} took a message back"
    events.emit_messaging(world, tx, thread, item, label)
    _moved(tx, message["thread_id"], thread)


def edit(world: World, tx: Tx, shopper: str, mid: str, text: str) -> None:
    """Change a text message."""
    message, thread, body = _own(tx, shopper, mid)
    if not body.text or body.tapped is not None or body.postback is not None:
        raise BadRequest("Only a written text can be edited.")
    edits = message["edits"] + 1
    changed = body.model_copy(update={"text": text}).model_dump_json(exclude_defaults=True)
    tx.run("UPDATE messages SET body = ?, edits = ? WHERE mid = ?", changed, edits, mid)
    item = events.edit_item(thread, mid, text, edits)
    label = f"{threads.person_name(tx, thread)} edited a message"
    events.emit_messaging(world, tx, thread, item, label)
    _moved(tx, message["thread_id"], thread)


def _moved(tx: Tx, thread_id: str, thread: Row) -> None:
    tx.note(f"thread:{thread_id}", thread=thread_id, shopper=thread["shopper_id"])


def look(world: World, tx: Tx, shopper: str, account: str) -> None:
    """The shopper has the thread open: mark what came as seen, and say so once."""
    thread = meet(world, tx, shopper, account)
    if not thread["accepted"]:
        return  # reading a request does not tell the sender
    newest = tx.value(
        "SELECT mid FROM messages WHERE thread_id = ? AND origin <> 'shopper' AND seen = 0 "
        "AND deleted = 0 ORDER BY seq DESC LIMIT 1",
        thread["id"],
    )
    if newest is None:
        return
    tx.run("UPDATE messages SET seen = 1 WHERE thread_id = ? AND origin <> 'shopper'", thread["id"])
    label = f"{threads.person_name(tx, thread)} has seen the messages"
    events.emit_messaging(world, tx, thread, events.seen_item(thread, newest), label)
    tx.note("unread", shopper=thread["shopper_id"])


def accept(tx: Tx, thread: Row) -> None:
    """Move a request to the inbox."""
    tx.run("UPDATE threads SET accepted = 1 WHERE id = ?", thread["id"])
    _moved(tx, thread["id"], thread)


def relate(tx: Tx, thread: Row, follows: bool | None, blocked: bool | None) -> None:
    """Follow or block an account (the vendor sends no webhook for either)."""
    if follows is not None:
        tx.run("UPDATE threads SET follows = ? WHERE id = ?", int(follows), thread["id"])
    if blocked is not None:
        tx.run("UPDATE threads SET blocked = ? WHERE id = ?", int(blocked), thread["id"])
    tx.note("feed")
    _moved(tx, thread["id"], thread)


def share_post(world: World, tx: Tx, shopper: str, account: str, media_id: str) -> Row:
    """Send one of the account's posts (or anybody's) into the conversation."""
    thread, media = meet(world, tx, shopper, account), find(tx, "media", media_id)
    _writable(thread)
    part = Attachment(type="ig_post", media=media["id"], title=media["caption"])
    return threads.add_message(world, tx, thread, "shopper", Body(attachments=(part,)))


def mention_in_story(world: World, tx: Tx, shopper: str, account: str, file_id: str) -> Row:
    """The shopper's own story names the account."""
    thread = meet(world, tx, shopper, account)
    part = Attachment(type="story_mention", file=file_id)
    return threads.add_message(world, tx, thread, "shopper", Body(attachments=(part,)))


def reply_to_story(
    world: World, tx: Tx, shopper: str, account: str, media_id: str, text: str
) -> Row:
    """An answer to one of the account's stories."""
    thread, media = meet(world, tx, shopper, account), find(tx, "media", media_id)
    if media["product_type"] != "STORY":
        raise BadRequest("This post is not a story.")
    _writable(thread)
    body = Body(text=text, story=media["id"])
    return threads.add_message(world, tx, thread, "shopper", body)


def open_by_link(world: World, tx: Tx, shopper: str, account: str, ref: str) -> None:
    """Follow an ig.me link into the conversation."""
    thread = meet(world, tx, shopper, account)
    item = events.referral_item(thread, ref)
    label = f"{threads.person_name(tx, thread)} came by a link ({ref})"
    events.emit_messaging(world, tx, thread, item, label)


def break_ice(world: World, tx: Tx, shopper: str, account: str, payload: str) -> Row:
    """Tap one of the account's ice breakers."""
    thread = meet(world, tx, shopper, account)
    _writable(thread)
    for question in ice_breakers(find(tx, "accounts", account)):
        if question["payload"] == payload:
            body = Body(text=question["question"], postback=payload, ice_breaker=True)
            return threads.add_message(world, tx, thread, "shopper", body)
    raise NotFound("The account has no such ice breaker.")


def ice_breakers(account: Row) -> list[dict[str, str]]:
    """The account's questions of the default language."""
    groups = json.loads(account["messenger_profile"]).get("ice_breakers", [])
    return [question for group in groups for question in group.get("call_to_actions", [])]
