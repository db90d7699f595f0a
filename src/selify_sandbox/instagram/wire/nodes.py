"""Reading the Graph: profile, posts, comments, people, conversations, messages, insights."""

from typing import Any

from selify_sandbox.instagram.people import threads
from selify_sandbox.instagram.people.comments import comment_author
from selify_sandbox.instagram.people.threads import graph_time
from selify_sandbox.instagram.state import tokens
from selify_sandbox.instagram.state.bodies import Body
from selify_sandbox.instagram.state.errors import (
    BAD_PARAMETER,
    CONSENT_REQUIRED,
    MESSAGE_DELETED,
    NO_SUCH_OBJECT,
    GraphError,
)
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.webhooks.events import attachment_payload
from selify_sandbox.instagram.wire.fields import Fields, Wanted, page, project
from selify_sandbox.instagram.wire.graph import Call, Json, handles

DETAILED_MESSAGES = 20
DEFAULT_FIELDS: Fields = {"id": Wanted()}


@handles("GET")
async def read_node(call: Call) -> Json:
    """Whatever the id names."""
    return await call.world.store.run(_read_node, call)


def _read_node(tx: Tx, call: Call) -> Json:
    for reader in (_own_profile, _media, _comment, _person, _conversation, _message):
        found = reader(tx, call)
        if found is not None:
            return found
    raise GraphError(NO_SUCH_OBJECT)


def _own_profile(tx: Tx, call: Call) -> Json | None:
    if call.node != call.account["id"]:
        return None
    call.grant.require(tokens.BASIC)
    account = call.account
    picture = call.world.config.public_url.rstrip("/") + f"/avatars/{account['username']}.png"
    values = {
        "id": account["app_scoped_id"],
        "user_id": account["id"],
        "username": account["username"],
        "name": account["name"],
        "biography": account["biography"],
        "account_type": "BUSINESS",
        "profile_picture_url": picture,
        "followers_count": account["followers"],
        "follows_count": 0,
        "media_count": tx.value(
            "SELECT count(*) FROM media WHERE account_id = ? AND product_type <> 'STORY'",
            account["id"],
        ),
    }
    shown: Json = project(values, call.fields or {"user_id": Wanted()})
    wrapped = call.world.switchboard.faults.answers == "wrapped"
    return {"data": [shown]} if wrapped else shown


def media_values(tx: Tx, call: Call, row: Row) -> Json:
    """Every field of a post."""
    likes = tx.value("SELECT count(*) FROM likes WHERE media_id = ?", row["id"])
    comments = tx.value(
        "SELECT count(*) FROM comments WHERE media_id = ? AND deleted = 0", row["id"]
    )
    reel = row["product_type"] == "REELS"
    return {
        "id": row["id"],
        "caption": row["caption"],
        "alt_text": row["alt_text"],
        "media_type": "VIDEO" if reel else "IMAGE",
        "media_product_type": row["product_type"],
        "media_url": call.world.pictures.link(row["file_id"], absolute=True),
        "thumbnail_url": None,
        # On the stand-in itself: an address of the real thing would lead to somebody else's post.
        "permalink": f"{call.world.config.public_url.rstrip('/')}/p/{row['shortcode']}/",
        "shortcode": row["shortcode"],
        "timestamp": graph_time(row["created_at"]),
        "username": call.account["username"],
        "owner": {"id": call.account["id"]},
        "like_count": likes + row["other_likes"],
        "comments_count": comments,
        "is_comment_enabled": bool(row["comments_enabled"]),
        "children": None,
    }


def own_media(tx: Tx, call: Call) -> Row | None:
    """The node as one of the account's posts."""
    return tx.one(
        "SELECT * FROM media WHERE id = ? AND account_id = ?", call.node, call.account["id"]
    )


def _media(tx: Tx, call: Call) -> Json | None:
    row = own_media(tx, call)
    if row is None:
        return None
    shown: Json = project(media_values(tx, call, row), call.fields or DEFAULT_FIELDS)
    return shown


@handles("GET", "media")
async def list_media(call: Call) -> Json:
    """The account's posts, newest first."""
    call.own_node()
    call.grant.require(tokens.BASIC)
    return await call.world.store.run(_list_media, call)


def _list_media(tx: Tx, call: Call) -> Json:
    rows = tx.all(
        "SELECT * FROM media WHERE account_id = ? AND product_type <> 'STORY' "
        "ORDER BY created_at DESC, rowid DESC",
        call.node,
    )
    answer = page(rows, call.params)
    answer["data"] = [
        project(media_values(tx, call, row), call.fields or DEFAULT_FIELDS)
        for row in answer["data"]
    ]
    return answer


def comment_values(tx: Tx, call: Call, row: Row) -> Json:
    """Every field of a comment."""
    author = comment_author(tx, call.account, row)
    replies = tx.all(
        "SELECT * FROM comments WHERE parent_id = ? AND deleted = 0 ORDER BY created_at", row["id"]
    )
    return {
        "id": row["id"],
        "text": row["text"],
        "timestamp": graph_time(row["created_at"]),
        "username": author["username"],
        "from": {"id": author["id"], "username": author["username"]},
        "hidden": bool(row["hidden"]),
        "like_count": 0,
        "parent_id": row["parent_id"],
        "media": {"id": row["media_id"]},
        "replies": {"data": [{"id": reply["id"], "text": reply["text"]} for reply in replies]}
        if replies
        else None,
    }


def own_comment(tx: Tx, call: Call) -> Row | None:
    """The node as a comment under one of the account's posts."""
    return tx.one(
        "SELECT c.* FROM comments c JOIN media m ON m.id = c.media_id "
        "WHERE c.id = ? AND m.account_id = ? AND c.deleted = 0",
        call.node,
        call.account["id"],
    )


def _comment(tx: Tx, call: Call) -> Json | None:
    row = own_comment(tx, call)
    if row is None:
        return None
    call.grant.require(tokens.COMMENTS)
    shown: Json = project(comment_values(tx, call, row), call.fields or DEFAULT_FIELDS)
    return shown


@handles("GET", "comments")
async def list_comments(call: Call) -> Json:
    """A post's top-level comments, newest first."""
    call.grant.require(tokens.COMMENTS)
    return await call.world.store.run(_list_comments, call)


def _list_comments(tx: Tx, call: Call) -> Json:
    if own_media(tx, call) is None:
        raise GraphError(NO_SUCH_OBJECT)
    rows = tx.all(
        "SELECT * FROM comments WHERE media_id = ? AND parent_id IS NULL AND deleted = 0 "
        "ORDER BY created_at DESC",
        call.node,
    )
    return _comment_page(tx, call, rows)


@handles("GET", "replies")
async def list_replies(call: Call) -> Json:
    """Replies to a comment, oldest first."""
    call.grant.require(tokens.COMMENTS)
    return await call.world.store.run(_list_replies, call)


def _list_replies(tx: Tx, call: Call) -> Json:
    if own_comment(tx, call) is None:
        raise GraphError(NO_SUCH_OBJECT)
    rows = tx.all(
        "SELECT * FROM comments WHERE parent_id = ? AND deleted = 0 ORDER BY created_at", call.node
    )
    return _comment_page(tx, call, rows)


def _comment_page(tx: Tx, call: Call, rows: list[Row]) -> Json:
    default = {"id": Wanted(), "text": Wanted(), "timestamp": Wanted()}
    answer = page(rows, call.params, default=50)
    answer["data"] = [
        project(comment_values(tx, call, row), call.fields or default) for row in answer["data"]
    ]
    return answer


def _person(tx: Tx, call: Call) -> Json | None:
    row = tx.one(
        "SELECT t.*, s.username, s.name FROM threads t JOIN shoppers s ON s.id = t.shopper_id "
        "WHERE t.account_id = ? AND (t.igsid = ? OR t.commenter_id = ?)",
        call.account["id"],
        call.node,
        call.node,
    )
    if row is None:
        return None
    call.grant.require(tokens.MESSAGES)
    # A comment is no consent: only somebody who wrote or tapped shows who they are.
    if not row["consented"] or row["igsid"] != call.node or row["blocked"]:
        raise GraphError(CONSENT_REQUIRED)
    base = call.world.config.public_url.rstrip("/")
    values = {
        "id": row["igsid"],
        "name": row["name"],
        "username": row["username"],
        "profile_pic": f"{base}/avatars/{row['username']}.png",
        "follower_count": 120 + len(row["username"]) * 7,
        "is_user_follow_business": bool(row["follows"]),
        "is_business_follow_user": False,
        "is_verified_user": False,
    }
    shown: Json = project(values, call.fields or {"name": Wanted(), "username": Wanted()})
    return shown


@handles("GET", "conversations")
async def list_conversations(call: Call) -> Json:
    """The account's conversations, latest first; ``user_id`` picks one person's."""
    call.own_node()
    call.grant.require(tokens.MESSAGES)
    if call.text("platform") not in {"", "instagram"}:
        raise GraphError(BAD_PARAMETER.saying("(#100) platform must be instagram"))
    return await call.world.store.run(_list_conversations, call)


def _list_conversations(tx: Tx, call: Call) -> Json:
    person = call.text("user_id")
    rows = tx.all(
        "SELECT * FROM threads WHERE account_id = ? AND updated_at > 0 AND (? = '' OR igsid = ?) "
        "ORDER BY updated_at DESC",
        call.node,
        person,
        person,
    )
    answer = page(rows, call.params)
    wanted = call.fields or {"id": Wanted(), "updated_time": Wanted()}
    answer["data"] = [
        project(_conversation_values(tx, call, row, wanted), wanted) for row in answer["data"]
    ]
    return answer


def _conversation(tx: Tx, call: Call) -> Json | None:
    row = tx.one(
        "SELECT * FROM threads WHERE id = ? AND account_id = ? AND updated_at > 0",
        call.node,
        call.account["id"],
    )
    if row is None:
        return None
    call.grant.require(tokens.MESSAGES)
    call.world.meter.admit_read(call.account["id"])
    wanted = call.fields or DEFAULT_FIELDS
    shown: Json = project(_conversation_values(tx, call, row, wanted), wanted)
    return shown


def _conversation_values(tx: Tx, call: Call, row: Row, wanted: Fields) -> Json:
    name = tx.value("SELECT username FROM shoppers WHERE id = ?", row["shopper_id"])
    person = {"id": row["igsid"], "username": name}
    account = {"id": call.account["id"], "username": call.account["username"]}
    messages = wanted.get("messages", Wanted())
    inner = messages.fields or {"id": Wanted(), "created_time": Wanted()}
    rows = tx.all(
        "SELECT * FROM messages WHERE thread_id = ? ORDER BY seq DESC LIMIT ?",
        row["id"],
        min(messages.limit or 25, 100) if "messages" in wanted else 0,
    )
    listed = [project(_message_values(tx, call, row, item), inner) for item in rows]
    return {
        "id": row["id"],
        "updated_time": graph_time(row["updated_at"]),
        "participants": {"data": [account, person]},
        "messages": {"data": listed},
    }


def _message(tx: Tx, call: Call) -> Json | None:
    message = threads.message_by_mid(tx, call.node)
    thread = threads.thread_by_id(tx, message["thread_id"]) if message else None
    if message is None or thread is None or thread["account_id"] != call.account["id"]:
        return None
    call.grant.require(tokens.MESSAGES)
    call.world.meter.admit_read(call.account["id"])
    newer = tx.value(
        "SELECT count(*) FROM messages WHERE thread_id = ? AND seq > ?",
        thread["id"],
        message["seq"],
    )
    if message["deleted"] or newer >= DETAILED_MESSAGES:
        raise GraphError(MESSAGE_DELETED)
    default = {"id": Wanted(), "created_time": Wanted()}
    shown: Json = project(_message_values(tx, call, thread, message), call.fields or default)
    return shown


def _message_values(tx: Tx, call: Call, thread: Row, message: Row) -> Json:
    name = tx.value("SELECT username FROM shoppers WHERE id = ?", thread["shopper_id"])
    person = {"id": thread["igsid"], "username": name}
    account = {"id": call.account["id"], "username": call.account["username"]}
    outbound = message["origin"] != "shopper"
    body = Body.model_validate_json(message["body"])
    gone = bool(message["deleted"])
    return {
        "id": message["mid"],
        "created_time": graph_time(message["created_ms"] / 1000),
        "from": account if outbound else person,
        "to": {"data": [person if outbound else account]},
        "message": "" if gone else body.text,
        "attachments": None if gone else _attachment_values(tx, call, body),
    }


def _attachment_values(tx: Tx, call: Call, body: Body) -> Json | None:
    items: list[Any] = []
    for part in body.attachments:
        url = attachment_payload(call.world, tx, part)["payload"].get("url", "")
        items.append({"image_data": {"url": url}} if part.type == "image" else {"file_url": url})
    return {"data": items} if items else None


@handles("GET", "insights")
async def insights(call: Call) -> Json:
    """A post's or the account's figures, counted from what happened here."""
    call.grant.require(tokens.INSIGHTS)
    return await call.world.store.run(_insights, call)


def _insights(tx: Tx, call: Call) -> Json:
    row = own_media(tx, call)
    if row is None and call.node != call.account["id"]:
        raise GraphError(NO_SUCH_OBJECT)
    figures = _media_figures(tx, row) if row else _account_figures(tx, call)
    names = [name for name in call.text("metric").split(",") if name]
    unknown = [name for name in names if name not in figures]
    if not names or unknown:
        raise GraphError(
            BAD_PARAMETER.saying(f"(#100) metric must be one of: {', '.join(figures)}")
        )
    return {"data": [_insight(call, name, figures[name], row is None) for name in names]}


def _insight(call: Call, name: str, value: int, account: bool) -> Json:
    period = "day" if account else "lifetime"
    total = account and call.text("metric_type") == "total_value"
    figure = {"total_value": {"value": value}} if total else {"values": [{"value": value}]}
    return {
        "name": name,
        "period": period,
        **figure,
        "title": name.replace("_", " ").capitalize(),
        "description": "Counted by the stand-in.",
        "id": f"{call.node}/insights/{name}/{period}",
    }


def _media_figures(tx: Tx, row: Row) -> dict[str, int]:
    likes = row["other_likes"] + tx.value(
        "SELECT count(*) FROM likes WHERE media_id = ?", row["id"]
    )
    comments = tx.value("SELECT count(*) FROM comments WHERE media_id = ?", row["id"])
    # Reach is invented from the likes; everything else is counted.
    reach = likes * 12 + comments * 5 + 40
    return {
        "reach": reach,
        "views": reach * 2,
        "likes": likes,
        "comments": comments,
        "saved": likes // 6,
        "shares": likes // 15,
        "total_interactions": likes + comments + likes // 6 + likes // 15,
    }


def _account_figures(tx: Tx, call: Call) -> dict[str, int]:
    rows = tx.all("SELECT * FROM media WHERE account_id = ?", call.account["id"])
    figures: dict[str, int] = dict.fromkeys(
        ("reach", "views", "likes", "comments", "saved", "shares", "total_interactions"), 0
    )
    for row in rows:
        for name, value in _media_figures(tx, row).items():
            figures[name] += value
    return figures
