"""A local stand-in for Replicate: predictions, input files and output files."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from selify_sandbox.hosted import (
    WRONG_KEY,
    Compose,
    Trouble,
    decode_data_uri,
    json_object,
    paste_garment,
    trouble_of,
)

SLOW_POLLS: Final = 3
_ERRORS: Final = {
    Trouble.REFUSED: "The input or output was flagged as sensitive. Please try again. (E005)",
    Trouble.NO_PERSON: "list index out of range",
    Trouble.FAILED: "CUDA out of memory",
}


@dataclass(slots=True)
class Prediction:
    """One prediction. ``polls_left`` counts down to its end: no clock is involved."""

    id: str
    model: str
    version: str
    inputs: dict[str, Any]
    trouble: Trouble
    polls_left: float
    status: str = "starting"
    error: str | None = None
    picture: bytes = b""
    gateway_failures: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class State:
    """What the stand-in remembers, for tests and the curious: ``app.state.sandbox``."""

    predictions: dict[str, Prediction] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    uploads: int = 0


def create_app(compose: Compose = paste_garment) -> Starlette:
    return _Sandbox(compose).app


class _Sandbox:
    def __init__(self, compose: Compose) -> None:
        self._compose = compose
        self._state = State()
        one = "/v1/predictions/{id}"
        self.app = Starlette(
            routes=[
                Route("/v1/predictions", self.create, methods=["POST"]),
                Route("/v1/models/{owner}/{name}/predictions", self.create, methods=["POST"]),
                Route("/v1/deployments/{owner}/{name}/predictions", self.create, methods=["POST"]),
                Route(one, self.show),
                Route(f"{one}/cancel", self.cancel, methods=["POST"]),
                Route("/v1/files", self.upload, methods=["POST"]),
                Route("/v1/files/{id}", self.file, methods=["GET", "DELETE"]),
                Route("/delivery/{id}/out.png", self.output),
            ]
        )
        self.app.state.sandbox = self._state

    # --- Predictions ---

    async def create(self, request: Request) -> Response:
        if refused := _key_refused(request):
            return refused
        body = await json_object(request)
        name = "/".join(request.path_params.values())
        trouble = trouble_of(request, name)
        if trouble in _ANSWER_BY_TROUBLE:
            return _ANSWER_BY_TROUBLE[trouble]()
        if not isinstance(body.get("input"), dict) or not (name or body.get("version")):
            return _problem(422, "Input validation failed", "- input is required")
        prediction = self._queued(request, name, body, trouble)
        if _waits(request) and prediction.polls_left == 0:
            await self._finish(prediction)
        status = 201 if prediction.status == "succeeded" else 202
        return JSONResponse(_shown(request, prediction), status)

    def _queued(
        self, request: Request, name: str, body: dict[str, Any], trouble: Trouble
    ) -> Prediction:
        polls = {Trouble.SLOW: SLOW_POLLS, Trouble.FLAKY: SLOW_POLLS}
        prediction = Prediction(
            id=f"p{len(self._state.predictions) + 1}",
            model=name,
            version=str(body.get("version", "")),
            inputs=body["input"],
            trouble=trouble,
            polls_left=float("inf") if trouble is Trouble.ENDLESS else polls.get(trouble, 0),
            headers=dict(request.headers),
        )
        self._state.predictions[prediction.id] = prediction
        return prediction

    async def show(self, request: Request) -> Response:
        if refused := _key_refused(request):
            return refused
        prediction = self._state.predictions.get(request.path_params["id"])
        if prediction is None:
            return _problem(404, "Prediction not found")
        if prediction.trouble is Trouble.FLAKY and prediction.gateway_failures < 2:
            prediction.gateway_failures += 1
            return PlainTextResponse("bad gateway", 502)
        prediction.polls_left -= 1
        if prediction.status in {"starting", "processing"}:
            prediction.status = "processing"
            if prediction.polls_left <= 0:
                await self._finish(prediction)
        return JSONResponse(_shown(request, prediction))

    async def cancel(self, request: Request) -> Response:
        prediction = self._state.predictions.get(request.path_params["id"])
        if prediction is None:
            return _problem(404, "Prediction not found")
        if prediction.status in {"starting", "processing"}:
            prediction.status = "canceled"
        return JSONResponse(_shown(request, prediction))

    # --- Pictures ---

    async def _finish(self, prediction: Prediction) -> None:
        person, garment = self._input_pictures(prediction.inputs)
        prediction.error = _ERRORS.get(prediction.trouble)
        if person is None or garment is None:
            prediction.error = "cannot identify image file"
        if prediction.error is None and person is not None and garment is not None:
            try:
                prediction.picture = await asyncio.to_thread(self._compose, person, garment)
            except OSError:
                prediction.error = "cannot identify image file"
        if prediction.trouble is Trouble.BROKEN_PICTURE:
            prediction.picture = prediction.picture[: len(prediction.picture) // 2]
        prediction.status = "failed" if prediction.error else "succeeded"

    def _input_pictures(self, inputs: dict[str, Any]) -> tuple[bytes | None, bytes | None]:
        both = inputs.get("image_input") or [inputs.get("human_img"), inputs.get("garm_img")]
        if not isinstance(both, list) or len(both) != 2:
            return None, None
        person, garment = (self._input_picture(str(uri)) for uri in both)
        return person, garment

    def _input_picture(self, uri: str) -> bytes | None:
        """A data URL, or a file uploaded here; nothing is fetched from anywhere else."""
        return decode_data_uri(uri) or self._state.files.get(uri.rpartition("/v1/files/")[2])

    async def output(self, request: Request) -> Response:
        prediction = self._state.predictions.get(request.path_params["id"])
        if prediction is None or not prediction.picture:
            return PlainTextResponse("not found", 404)
        return Response(prediction.picture, media_type="image/png")

    async def upload(self, request: Request) -> Response:
        if refused := _key_refused(request):
            return refused
        async with request.form() as form:
            content = form.get("content")
            if not isinstance(content, UploadFile):
                return _problem(422, "Missing content", "- content: file is required")
            data = await content.read()
        self._state.uploads += 1
        file_id = f"file{self._state.uploads}"
        self._state.files[file_id] = data
        urls = {"get": f"{_base(request)}/v1/files/{file_id}"}
        return JSONResponse({"id": file_id, "size": len(data), "urls": urls}, 201)

    async def file(self, request: Request) -> Response:
        file_id = request.path_params["id"]
        if file_id not in self._state.files:
            return _problem(404, "File not found")
        if request.method == "DELETE":
            del self._state.files[file_id]
            return Response(status_code=204)
        urls = {"get": f"{_base(request)}/v1/files/{file_id}"}
        return JSONResponse({"id": file_id, "size": len(self._state.files[file_id]), "urls": urls})


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _waits(request: Request) -> bool:
    return request.headers.get("prefer", "").startswith("wait")


def _key_refused(request: Request) -> Response | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or key in {"", WRONG_KEY}:
        return _problem(401, "Unauthenticated", "You did not pass a valid authentication token")
    return None


def _shown(request: Request, prediction: Prediction) -> dict[str, Any]:
    """The prediction object."""
    base, ended = _base(request), prediction.status in {"succeeded", "failed", "canceled"}
    output: Any = None
    if prediction.status == "succeeded" and prediction.trouble is not Trouble.NO_PICTURE:
        output = f"{base}/delivery/{prediction.id}/out.png"
    if output and prediction.trouble is Trouble.FOREIGN_PICTURE:
        output = ["http://169.254.169.254/latest/meta-data.png"]
    now = datetime.now(UTC).isoformat()
    return {
        "id": prediction.id,
        "model": prediction.model,
        "version": prediction.version,
        "status": prediction.status,
        "input": {},
        "output": output,
        "error": prediction.error,
        "logs": "",
        "created_at": now,
        "started_at": now,
        "completed_at": now if ended else None,
        "metrics": {"predict_time": 1.5} if prediction.status == "succeeded" else {},
        "urls": {
            "get": f"{base}/v1/predictions/{prediction.id}",
            "cancel": f"{base}/v1/predictions/{prediction.id}/cancel",
        },
    }


def _problem(status: int, title: str, detail: str = "", retry_after: str = "") -> Response:
    body = {"type": "about:blank", "title": title, "detail": detail or title, "status": status}
    headers = {"content-type": "application/problem+json"}
    if retry_after:
        headers["retry-after"] = retry_after
    return JSONResponse(body, status, headers)


_ANSWER_BY_TROUBLE: Final[dict[Trouble, Callable[[], Response]]] = {
    Trouble.RETIRED: lambda: _problem(404, "The requested resource could not be found."),
    Trouble.RATE_LIMITED: lambda: _problem(429, "Request was throttled.", retry_after="7"),
    Trouble.OVERLOADED: lambda: _problem(503, "Service unavailable"),
    Trouble.NO_CREDIT: lambda: _problem(402, "Insufficient credit"),
    Trouble.NOT_JSON: lambda: PlainTextResponse("<html>busy</html>"),
}
