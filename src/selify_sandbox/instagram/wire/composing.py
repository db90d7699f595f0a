"""Reading the ``message`` of a send: validate its shape, fetch the pictures it points to."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import ValidationError

from selify_sandbox.instagram.state.bodies import (
    Attachment,
    Body,
    Button,
    Element,
    QuickReply,
)
from selify_sandbox.instagram.state.errors import (
    ATTACHMENT_FETCH,
    ATTACHMENT_TOO_BIG,
    BAD_PARAMETER,
    GraphError,
)
from selify_sandbox.instagram.state.pictures import sniff
from selify_sandbox.instagram.state.store import Tx
from selify_sandbox.instagram.state.world import World
from selify_sandbox.instagram.wire.graph import Call, Json

TEXT_BYTES = 1000
PAYLOAD_CHARS = 1000
IMAGE_BYTES = 8 * 1024 * 1024
FILE_BYTES = 25 * 1024 * 1024
MAX_IMAGES = 10
MAX_ELEMENTS = 10
MAX_BUTTONS = 3
ELEMENT_CHARS = 80
MAX_QUICK_REPLIES = 13
QUICK_REPLY_TITLE = 20
SENDABLE_IMAGES = {"image/png", "image/jpeg"}
FILE_TYPES = {"image", "audio", "video", "file"}


def bad(message: str) -> GraphError:
    """Code 100 with a sentence."""
    return GraphError(BAD_PARAMETER.saying(f"(#100) {message}"))


async def read_message(call: Call) -> Body:
    """The message to send. Raises code 100 in all its forms."""
    message = call.params.get("message")
    if not isinstance(message, dict):
        raise bad("The parameter message is required")
    text = _text(message.get("text", ""))
    parts = _parts(message)
    if not text and not parts:
        raise bad("Message cannot be empty, must provide valid attachment or text")
    if text and parts:
        raise bad("A message has either text or attachments, not both")
    try:
        body = await _body_of_parts(call, parts) if parts else Body(text=text)
        extras = {"quick_replies": _quick_replies(message), "reply_to": _reply_to(call, message)}
        return body.model_copy(update=extras)
    except (ValidationError, TypeError, AttributeError) as error:
        raise bad("The message is malformed") from error


def _text(text: Any) -> str:
    if not isinstance(text, str):
        raise bad("Param message[text] must be a string")
    if len(text.encode()) > TEXT_BYTES:
        raise bad(f"Length of param message[text] must be less than or equal to {TEXT_BYTES} bytes")
    return text


def _parts(message: Json) -> list[Json]:
    """Both spellings: ``attachment`` for one, ``attachments`` for one or several."""
    given = message.get("attachment") or message.get("attachments") or []
    parts = given if isinstance(given, list) else [given]
    if not all(isinstance(part, dict) for part in parts):
        raise bad("Param message[attachment] must be an object")
    if len(parts) > MAX_IMAGES:
        raise bad(f"At most {MAX_IMAGES} images can be sent at once")
    return parts


async def _body_of_parts(call: Call, parts: list[Json]) -> Body:
    if parts[0].get("type") == "template":
        return await _template(call, parts[0].get("payload") or {})
    if len(parts) > 1 and any(part.get("type") != "image" for part in parts):
        raise bad("Only images can be sent together")
    return Body(attachments=tuple([await _attachment(call, part) for part in parts]))


async def _attachment(call: Call, part: Json) -> Attachment:
    kind, payload = part.get("type"), part.get("payload") or {}
    if kind == "like_heart":
        return Attachment(type="like_heart")
    if kind == "MEDIA_SHARE":
        return await call.world.store.run(_own_post, call, str(payload.get("id", "")))
    if payload.get("attachment_id"):
        return await call.world.store.run(_uploaded, call, str(payload["attachment_id"]))
    return await fetch_attachment(call.world, part)


def _own_post(tx: Tx, call: Call, media_id: str) -> Attachment:
    row = tx.one(
        "SELECT * FROM media WHERE id = ? AND account_id = ?", media_id, call.account["id"]
    )
    if row is None:
        raise bad("The media to share is not yours or does not exist")
    return Attachment(type="ig_post", media=row["id"], title=row["caption"])


def _uploaded(tx: Tx, call: Call, attachment_id: str) -> Attachment:
    row = tx.one(
        "SELECT * FROM uploads WHERE attachment_id = ? AND account_id = ?",
        attachment_id,
        call.account["id"],
    )
    if row is None:
        raise bad("Invalid attachment_id")
    return Attachment(type=row["type"], file=row["file_id"])


async def fetch_attachment(world: World, part: Json) -> Attachment:
    """Download what a part's ``payload.url`` points to, as the vendor does.

    Raises 100/2018047 when it cannot be had or is no such file, 100/2018109 when it is too big.
    """
    kind = str(part.get("type", ""))
    if kind not in FILE_TYPES:
        raise bad(f"Param message[attachment][type] {kind!r} is not supported")
    payload = part.get("payload")
    url = str(payload.get("url", "")) if isinstance(payload, dict) else ""
    data = await _download(world, url, IMAGE_BYTES if kind == "image" else FILE_BYTES)
    if kind == "image" and sniff(data) not in SENDABLE_IMAGES:
        raise GraphError(
            ATTACHMENT_FETCH.saying("(#100) Upload attachment failure: not a PNG or JPEG image.")
        )
    return Attachment(type=kind, file=await asyncio.to_thread(world.pictures.save, data))


async def _download(world: World, url: str, limit: int) -> bytes:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise bad("Param message[attachment][payload][url] must be a URL")
    chunks, size = [], 0
    try:
        async with world.http.stream("GET", url, timeout=world.config.fetch_timeout) as answer:
            if answer.status_code != 200:
                raise GraphError(
                    ATTACHMENT_FETCH.saying(
                        f"(#100) Upload attachment failure: the URL answered {answer.status_code}."
                    )
                )
            async for chunk in answer.aiter_bytes():
                size += len(chunk)
                if size > limit:
                    raise GraphError(ATTACHMENT_TOO_BIG)
                chunks.append(chunk)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise GraphError(ATTACHMENT_FETCH) from error
    return b"".join(chunks)


async def _template(call: Call, payload: Json) -> Body:
    kind = payload.get("template_type")
    if kind == "button":
        text = _text(payload.get("text", ""))
        return Body(text=text, buttons=_buttons(payload))
    if kind != "generic":
        raise bad("Param template_type must be generic or button")
    elements = payload.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= MAX_ELEMENTS:
        raise bad(f"A generic template has 1 to {MAX_ELEMENTS} elements")
    return Body(elements=tuple([await _element(call, element) for element in elements]))


async def _element(call: Call, element: Json) -> Element:
    title, subtitle = str(element.get("title", "")), str(element.get("subtitle", ""))
    if not title or len(title) > ELEMENT_CHARS or len(subtitle) > ELEMENT_CHARS:
        raise bad(f"Element titles and subtitles have at most {ELEMENT_CHARS} characters")
    file_id = ""
    if element.get("image_url"):
        part = {"type": "image", "payload": {"url": element["image_url"]}}
        file_id = (await fetch_attachment(call.world, part)).file
    action = element.get("default_action") or {}
    return Element(
        title=title,
        subtitle=subtitle,
        file=file_id,
        url=str(action.get("url", "")),
        buttons=_buttons(element),
    )


def _buttons(owner: Json) -> tuple[Button, ...]:
    buttons = owner.get("buttons") or []
    if len(buttons) > MAX_BUTTONS:
        raise bad(f"At most {MAX_BUTTONS} buttons are allowed")
    known = {"type", "title", "url", "payload"}
    return tuple(Button(**{k: v for k, v in item.items() if k in known}) for item in buttons)


def _quick_replies(message: Json) -> tuple[QuickReply, ...]:
    chips = message.get("quick_replies") or []
    if len(chips) > MAX_QUICK_REPLIES:
        raise bad(f"At most {MAX_QUICK_REPLIES} quick replies are allowed")
    return tuple(_quick_reply(chip) for chip in chips)


def _quick_reply(chip: Json) -> QuickReply:
    if chip.get("content_type") != "text":
        raise bad("Only quick replies with content_type text are supported")
    title, payload = str(chip.get("title", "")), str(chip.get("payload", ""))
    if not title or not payload or len(payload) > PAYLOAD_CHARS:
        raise bad("A quick reply needs a title and a payload of at most 1000 characters")
    return QuickReply(title=title[:QUICK_REPLY_TITLE], payload=payload)


def _reply_to(call: Call, message: Json) -> str:
    reference = call.params.get("reply_to") or message.get("reply_to") or {}
    return str(reference.get("mid", ""))
