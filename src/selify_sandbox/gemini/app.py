"""A local stand-in for the Gemini API's ``generateContent`` with image models."""

import asyncio
import base64
from collections.abc import Callable, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final

from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from selify_sandbox.hosted import (
    WRONG_KEY,
    Compose,
    Trouble,
    as_png,
    decode_base64,
    json_object,
    paste_garment,
    trouble_of,
)

SLOW_SECONDS: Final = 0.3


def create_app(compose: Compose = paste_garment) -> Starlette:
    return _Sandbox(compose).app


class _Sandbox:
    def __init__(self, compose: Compose) -> None:
        self._compose = compose
        path = "/v1beta/models/{model}:generateContent"
        self.app = Starlette(routes=[Route(path, self.generate, methods=["POST"])])
        self.app.state.requests = []

    async def generate(self, request: Request) -> Response:
        model = request.path_params["model"]
        trouble = trouble_of(request, model)
        body = await json_object(request)
        self.app.state.requests.append({"model": model, "body": body})
        key = request.headers.get("x-goog-api-key", "")
        if key in {"", WRONG_KEY}:
            return _error(400, "INVALID_ARGUMENT", "API key not valid.", "API_KEY_INVALID")
        if trouble in _ANSWER_BY_TROUBLE:
            return _ANSWER_BY_TROUBLE[trouble](model)
        pictures = _pictures(body)
        if len(pictures) != 2:
            return _error(400, "INVALID_ARGUMENT", "Unable to process input image.")
        if trouble in {Trouble.SLOW, Trouble.ENDLESS}:
            await asyncio.sleep(SLOW_SECONDS if trouble is Trouble.SLOW else 3600)
        try:
            picture = await asyncio.to_thread(self._compose, *pictures)
        except OSError:
            return _error(400, "INVALID_ARGUMENT", "Unable to process input image.")
        if trouble is Trouble.BROKEN_PICTURE:
            picture = picture[: len(picture) // 2]
        return JSONResponse(_answer(picture))


def _pictures(body: Mapping[str, Any]) -> list[bytes]:
    """The inline pictures of the first content, in either spelling of the field names."""
    try:
        parts = body["contents"][0]["parts"]
        inlines = [part.get("inlineData") or part.get("inline_data") for part in parts]
        kinds = [i.get("mimeType") or i.get("mime_type") for i in inlines if i]
        found = [decode_base64(inline["data"]) for inline in inlines if inline]
    except (KeyError, IndexError, TypeError, AttributeError):
        return []
    if not all(isinstance(kind, str) and kind.startswith("image/") for kind in kinds):
        return []
    return [picture for picture in found if picture]


def _answer(picture: bytes) -> dict[str, Any]:
    """A thought, a sketch that is a thought as well, and the picture."""
    size = Image.open(BytesIO(picture)).size if picture.endswith(b"IEND\xaeB`\x82") else (64, 64)
    sketch = as_png(Image.new("RGB", size, "grey"))
    parts = [
        {"text": "The garment goes over the torso.", "thought": True},
        {"inlineData": _inline(sketch), "thought": True},
        {"inlineData": _inline(picture)},
    ]
    return {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"promptTokenCount": 700, "candidatesTokenCount": 1120},
    }


def _inline(picture: bytes) -> dict[str, str]:
    return {"mimeType": "image/png", "data": base64.b64encode(picture).decode("ascii")}


def _no_picture(reason: str) -> Response:
    return JSONResponse(
        {
            "candidates": [{"finishReason": reason, "index": 0}],
            "usageMetadata": {"promptTokenCount": 700},
        }
    )


def _error(status: int, name: str, message: str, reason: str = "", delay: str = "") -> Response:
    details: list[dict[str, str]] = []
    if reason:
        details.append({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason})
    if delay:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    error = {"code": status, "message": message, "status": name, "details": details}
    return JSONResponse({"error": error}, status)


_ANSWER_BY_TROUBLE: Final[dict[Trouble, Callable[[str], Response]]] = {
    Trouble.RETIRED: lambda model: _error(404, "NOT_FOUND", f"models/{model} is not found."),
    Trouble.RATE_LIMITED: lambda _: _error(429, "RESOURCE_EXHAUSTED", "Quota.", delay="7s"),
    Trouble.OVERLOADED: lambda _: _error(503, "UNAVAILABLE", "The model is overloaded."),
    Trouble.NO_CREDIT: lambda _: _error(403, "PERMISSION_DENIED", "Billing is not enabled."),
    Trouble.REFUSED: lambda _: _no_picture("IMAGE_SAFETY"),
    Trouble.BLOCKED: lambda _: JSONResponse({"promptFeedback": {"blockReason": "SAFETY"}}),
    Trouble.NO_PICTURE: lambda _: _no_picture("NO_IMAGE"),
    Trouble.FAILED: lambda _: _no_picture("IMAGE_OTHER"),
    Trouble.NOT_JSON: lambda _: PlainTextResponse("<html>busy</html>", HTTPStatus.OK),
}
