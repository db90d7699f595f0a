"""The Send API (protocol sheet, section 5): ``POST /me/messages`` and what belongs to it."""

import json
import time

from selify_sandbox.instagram.config import DAY
from selify_sandbox.instagram.people import threads
from selify_sandbox.instagram.state import ids, tokens
from selify_sandbox.instagram.state.bodies import Body
from selify_sandbox.instagram.state.errors import (
    ACCOUNT_RESTRICTED,
    BANNED_FROM_MESSAGING,
    MESSAGE_ACCESS_OFF,
    NO_SUCH_OBJECT,
    NO_SUCH_USER,
    NOT_RECEIVING_BLOCKED,
    PRIVATE_REPLY_USED,
    REFERENCE_DELETED,
    WINDOW_CLOSED,
    GraphError,
)
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.wire.composing import bad, fetch_attachment, read_message
from selify_sandbox.instagram.wire.graph import Call, Json, handles

PRIVATE_REPLY_AGE = 7 * DAY
ACTIONS = {"typing_on", "typing_off", "mark_seen", "react", "unreact"}
REACTION_EMOJI = {"love": "❤️"}
MAX_ICE_BREAKERS = 4


@handles("POST", "messages")
async def send(call: Call) -> Json:
    """A message, a private reply to a comment, or a sender action."""
    call.own_node()
    recipient = call.params.get("recipient")
    if not isinstance(recipient, dict) or not ({"id", "comment_id"} & recipient.keys()):
        raise bad("The parameter recipient is required")
    if "sender_action" in call.params:
        return await call.world.store.run(_sender_action, call, str(recipient.get("id", "")))
    if call.params.get("tag") not in {None, "HUMAN_AGENT"}:
        raise bad("This message tag is no longer supported")
    # Cheap refusals first: a send that must fail should not fetch the picture.
    await call.world.store.run(_find_recipient, call, recipient)
    body = await read_message(call)
    return await call.world.store.run(_deliver, call, recipient, body)


def _check_account(call: Call) -> None:
    account = call.account
    if not account["message_access"]:
        raise GraphError(MESSAGE_ACCESS_OFF)
    if account["banned"]:
        raise GraphError(BANNED_FROM_MESSAGING)
    if account["restricted_until"] > time.time():
        raise GraphError(ACCOUNT_RESTRICTED)


def _find_recipient(tx: Tx, call: Call, recipient: Json) -> tuple[Row, str]:
    """The thread to write into and, for a private reply, the comment. Raises every refusal."""
    _check_account(call)
    if "comment_id" in recipient:
        return _commenter(tx, call, str(recipient["comment_id"]))
    call.grant.require(tokens.MESSAGES)
    thread = _thread_of_igsid(tx, call, str(recipient["id"]))
    age = time.time() - thread["last_inbound"]
    human = call.params.get("tag") == "HUMAN_AGENT" and age < PRIVATE_REPLY_AGE
    if not threads.window_open(thread) and not human:
        raise GraphError(WINDOW_CLOSED)
    return thread, ""


def _thread_of_igsid(tx: Tx, call: Call, igsid: str) -> Row:
    thread = tx.one(
        "SELECT * FROM threads WHERE account_id = ? AND igsid = ?", call.account["id"], igsid
    )
    if thread is None:
        raise GraphError(NO_SUCH_USER)
    if thread["blocked"]:
        raise GraphError(NOT_RECEIVING_BLOCKED)
    return thread


def _commenter(tx: Tx, call: Call, comment_id: str) -> tuple[Row, str]:
    call.grant.require(tokens.COMMENTS)
    comment = tx.one(
        "SELECT c.* FROM comments c JOIN media m ON m.id = c.media_id "
        "WHERE c.id = ? AND m.account_id = ? AND c.deleted = 0",
        comment_id,
        call.account["id"],
    )
    if comment is None or comment["shopper_id"] is None:
        raise GraphError(NO_SUCH_OBJECT)
    if tx.value("SELECT 1 FROM messages WHERE private_reply_to = ?", comment_id):
        raise GraphError(PRIVATE_REPLY_USED)
    if time.time() - comment["created_at"] > PRIVATE_REPLY_AGE:
        raise GraphError(WINDOW_CLOSED)
    thread = threads.ensure_thread(call.world, tx, call.account["id"], comment["shopper_id"])
    if thread["blocked"]:
        raise GraphError(NOT_RECEIVING_BLOCKED)
    return thread, comment_id


def _deliver(tx: Tx, call: Call, recipient: Json, body: Body) -> Json:
    # Checked again inside the transaction that writes: two equal calls may have come at once.
    thread, comment_id = _find_recipient(tx, call, recipient)
    if body.reply_to:
        _check_reference(tx, thread, body.reply_to)
    message = threads.add_message(call.world, tx, thread, "api", body, private_reply_to=comment_id)
    tx.note(f"typing:{thread['id']}", thread=thread["id"], shopper=thread["shopper_id"], on=False)
    return {"recipient_id": thread["igsid"], "message_id": message["mid"]}


def _check_reference(tx: Tx, thread: Row, mid: str) -> None:
    referenced = threads.message_by_mid(tx, mid)
    if referenced is None or referenced["thread_id"] != thread["id"] or referenced["deleted"]:
        raise GraphError(REFERENCE_DELETED)


def _sender_action(tx: Tx, call: Call, igsid: str) -> Json:
    call.grant.require(tokens.MESSAGES)
    if "message" in call.params:
        raise bad("sender_action must be sent alone")
    _check_account(call)
    action = call.text("sender_action")
    if action not in ACTIONS:
        raise bad("Invalid sender_action")
    thread = _thread_of_igsid(tx, call, igsid)
    place = {"thread": thread["id"], "shopper": thread["shopper_id"]}
    if action.startswith("typing"):
        tx.note(f"typing:{thread['id']}", **place, on=action == "typing_on")
    elif action == "mark_seen":
        tx.run(
            "UPDATE messages SET seen = 1 WHERE thread_id = ? AND origin = 'shopper'", thread["id"]
        )
        tx.note(f"thread:{thread['id']}", **place)
    else:
        _react(tx, call, thread, action)
        tx.note(f"thread:{thread['id']}", **place)
    return {"recipient_id": igsid}


def _react(tx: Tx, call: Call, thread: Row, action: str) -> None:
    payload = call.params.get("payload")
    if not isinstance(payload, dict) or not payload.get("message_id"):
        raise bad("The parameter payload[message_id] is required")
    mid = str(payload["message_id"])
    _check_reference(tx, thread, mid)
    tx.run("DELETE FROM reactions WHERE mid = ? AND by_shopper = 0", mid)
    if action == "react":
        name = str(payload.get("reaction") or "love")
        tx.run(
            "INSERT INTO reactions (mid, by_shopper, name, emoji) VALUES (?, 0, ?, ?)",
            mid,
            name,
            REACTION_EMOJI.get(name, name),
        )


@handles("POST", "message_attachments")
async def upload_attachment(call: Call) -> Json:
    """Fetch a file once and give it an ``attachment_id`` for later messages."""
    call.own_node()
    call.grant.require(tokens.MESSAGES)
    message = call.params.get("message")
    attachment = message.get("attachment") if isinstance(message, dict) else None
    if not isinstance(attachment, dict):
        raise bad("The parameter message[attachment] is required")
    fetched = await fetch_attachment(call.world, attachment)
    return await call.world.store.run(_keep_upload, call, fetched.type, fetched.file)


def _keep_upload(tx: Tx, call: Call, kind: str, file_id: str) -> Json:
    attachment_id = ids.media_id()
    call.world.pictures.register(tx, file_id)
    tx.run(
        "INSERT INTO uploads (attachment_id, account_id, type, file_id) VALUES (?, ?, ?, ?)",
        attachment_id,
        call.account["id"],
        kind,
        file_id,
    )
    return {"attachment_id": attachment_id}


@handles("POST", "messenger_profile")
async def set_profile(call: Call) -> Json:
    """Ice breakers and the persistent menu."""
    call.own_node()
    call.grant.require(tokens.MESSAGES)
    profile = {
        name: call.params[name]
        for name in ("ice_breakers", "persistent_menu")
        if name in call.params
    }
    if not profile:
        raise bad("ice_breakers or persistent_menu is required")
    for group in profile.get("ice_breakers", []):
        if len(group.get("call_to_actions", [])) > MAX_ICE_BREAKERS:
            raise bad("At most 4 ice breakers are allowed")
    stored = json.loads(call.account["messenger_profile"]) | profile
    await call.world.store.run(_save_profile, call.account["id"], stored)
    return {"result": "success"}


@handles("GET", "messenger_profile")
async def get_profile(call: Call) -> Json:
    """What is set now."""
    call.own_node()
    stored = json.loads(call.account["messenger_profile"])
    return {"data": [{name: value} for name, value in stored.items()]}


@handles("DELETE", "messenger_profile")
async def delete_profile(call: Call) -> Json:
    """Take the named fields away."""
    call.own_node()
    call.grant.require(tokens.MESSAGES)
    names = call.params.get("fields", "")
    gone = set(names if isinstance(names, list) else str(names).split(","))
    stored = json.loads(call.account["messenger_profile"])
    left = {name: value for name, value in stored.items() if name not in gone}
    await call.world.store.run(_save_profile, call.account["id"], left)
    return {"result": "success"}


def _save_profile(tx: Tx, account_id: str, profile: Json) -> None:
    tx.run(
        "UPDATE accounts SET messenger_profile = ? WHERE id = ?", json.dumps(profile), account_id
    )
