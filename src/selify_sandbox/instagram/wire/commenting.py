"""Writing under posts (protocol sheet, section 6) and switching webhooks on per account."""

from typing import Any

from selify_sandbox.instagram.people.comments import add_comment
from selify_sandbox.instagram.state import tokens
from selify_sandbox.instagram.state.errors import (
    FIELDS_ON_CREATE,
    NO_SUCH_OBJECT,
    GraphError,
)
from selify_sandbox.instagram.state.store import Tx
from selify_sandbox.instagram.wire.composing import bad
from selify_sandbox.instagram.wire.graph import Call, Json, handles
from selify_sandbox.instagram.wire.nodes import own_comment, own_media

KNOWN_FIELDS = {
    "comments",
    "live_comments",
    "messages",
    "message_reactions",
    "messaging_postbacks",
    "messaging_referral",
    "messaging_seen",
    "messaging_optins",
    "messaging_handover",
    "message_echoes",
    "message_edit",
    "standby",
}
COMMENT_FIELDS = {"comments", "live_comments"}
COMMENT_CHARS = 2200


@handles("POST", "replies")
async def reply(call: Call) -> Json:
    """A public reply under a comment."""
    call.grant.require(tokens.COMMENTS)
    return await _create(call, _reply)


@handles("POST", "comments")
async def comment_on_media(call: Call) -> Json:
    """A comment of the account under its own post."""
    call.grant.require(tokens.COMMENTS)
    return await _create(call, _comment_on_media)


async def _create(call: Call, work: Any) -> Json:
    text = call.text("message")
    if not text.strip() or len(text) > COMMENT_CHARS:
        raise bad(f"message must have 1 to {COMMENT_CHARS} characters")
    created: Json = await call.world.store.run(work, call, text)
    if call.fields:  # the trap of the real API: the comment exists, the answer is an error
        raise GraphError(FIELDS_ON_CREATE)
    return created


def _reply(tx: Tx, call: Call, text: str) -> Json:
    parent = own_comment(tx, call)
    if parent is None or parent["hidden"]:
        raise GraphError(NO_SUCH_OBJECT)
    media = tx.one("SELECT * FROM media WHERE id = ?", parent["media_id"])
    if media is None:
        raise GraphError(NO_SUCH_OBJECT)
    made = add_comment(call.world, tx, media, text, shopper_id=None, parent_id=parent["id"])
    return {"id": made["id"]}


def _comment_on_media(tx: Tx, call: Call, text: str) -> Json:
    media = own_media(tx, call)
    if media is None:
        raise GraphError(NO_SUCH_OBJECT)
    return {"id": add_comment(call.world, tx, media, text, shopper_id=None)["id"]}


@handles("POST")
async def change_node(call: Call) -> Json:
    """``hide`` on a comment, ``comment_enabled`` on a post."""
    call.grant.require(tokens.COMMENTS)
    await call.world.store.run(_change_node, call)
    return {"success": True}


def _change_node(tx: Tx, call: Call) -> None:
    comment, media = own_comment(tx, call), own_media(tx, call)
    if comment is not None and "hide" in call.params:
        hidden = int(_truth(call, "hide"))
        tx.run("UPDATE comments SET hidden = ? WHERE id = ?", hidden, call.node)
        tx.note(f"comments:{comment['media_id']}", media=comment["media_id"])
    elif media is not None and "comment_enabled" in call.params:
        enabled = int(_truth(call, "comment_enabled"))
        tx.run("UPDATE media SET comments_enabled = ? WHERE id = ?", enabled, call.node)
        tx.note("feed")
    else:
        raise GraphError(NO_SUCH_OBJECT)


def _truth(call: Call, name: str) -> bool:
    value = call.params[name]
    if isinstance(value, bool):
        return value
    if value in {"true", "false", "1", "0"}:
        return value in {"true", "1"}
    raise bad(f"Param {name} must be a boolean")


@handles("DELETE")
async def delete_node(call: Call) -> Json:
    """Delete a comment under an own post."""
    call.grant.require(tokens.COMMENTS)
    await call.world.store.run(_delete_comment, call)
    return {"success": True}


def _delete_comment(tx: Tx, call: Call) -> None:
    comment = own_comment(tx, call)
    if comment is None:
        raise GraphError(NO_SUCH_OBJECT)
    tx.run("UPDATE comments SET deleted = 1 WHERE id = ? OR parent_id = ?", call.node, call.node)
    tx.note(f"comments:{comment['media_id']}", media=comment["media_id"])


@handles("POST", "subscribed_apps")
async def subscribe(call: Call) -> Json:
    """Switch webhooks on for the account."""
    call.own_node()
    asked = call.params.get("subscribed_fields", "")
    names = set(asked if isinstance(asked, list) else str(asked).split(",")) - {""}
    faults = call.world.switchboard.faults
    unknown = names - (KNOWN_FIELDS - {faults.unknown_field})
    if not names or unknown:
        raise bad(f"Param subscribed_fields has unknown values: {', '.join(sorted(unknown))}")
    if faults.refuse_unpermitted_fields:
        for name in names:
            call.grant.require(tokens.COMMENTS if name in COMMENT_FIELDS else tokens.MESSAGES)
    await call.world.store.run(set_subscription, call.node, ",".join(sorted(names)))
    return {"success": True}


@handles("DELETE", "subscribed_apps")
async def unsubscribe(call: Call) -> Json:
    """Switch webhooks off for the account."""
    call.own_node()
    await call.world.store.run(set_subscription, call.node, "")
    return {"success": True}


@handles("GET", "subscribed_apps")
async def subscriptions(call: Call) -> Json:
    """What the account is subscribed to."""
    call.own_node()
    names = [name for name in call.account["subscribed_fields"].split(",") if name]
    config = call.world.config
    app = {"id": config.app_id, "name": config.app_name, "subscribed_fields": names}
    return {"data": [app] if names else []}


def set_subscription(tx: Tx, account_id: str, names: str) -> None:
    """Keep the account's subscription; an empty text means none."""
    tx.run("UPDATE accounts SET subscribed_fields = ? WHERE id = ?", names, account_id)
    tx.note("switchboard")
