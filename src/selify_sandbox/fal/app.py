"""A local stand-in for fal: its queue and its files."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.applications import Starlette
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

QUICK_POLLS: Final = 2
SLOW_POLLS: Final = 6
# The input names under which the try-on models take their two pictures.
_PERSON_NAMES: Final = ("human_image_url", "model_image")
_GARMENT_NAMES: Final = ("garment_image_url", "garment_image")
_FAILURES: Final = {
    Trouble.REFUSED: (422, "content_policy_violation"),
    Trouble.NO_PERSON: (422, "face_detection_error"),
    Trouble.NO_PICTURE: (422, "no_media_generated"),
    Trouble.FAILED: (500, "internal_server_error"),
}


@dataclass(slots=True)
class Job:
    """One request in the queue. ``polls_left`` counts down to completion: no clock is involved."""

    id: str
    owner: str
    inputs: dict[str, Any]
    trouble: Trouble
    polls_left: float
    picture: bytes = b""
    error: tuple[int, str] | None = None
    cancelled: bool = False
    gateway_failures: int = 0

    @property
    def done(self) -> bool:
        return self.polls_left <= 0


@dataclass(slots=True)
class State:
    """What the stand-in remembers, for tests and the curious: ``app.state.sandbox``."""

    jobs: dict[str, Job] = field(default_factory=dict)


def create_app(compose: Compose = paste_garment) -> Starlette:
    return _Sandbox(compose).app


class _Sandbox:
    def __init__(self, compose: Compose) -> None:
        self._compose = compose
        self._state = State()
        job = "/{owner}/{model}/requests/{id}"
        self.app = Starlette(
            routes=[
                Route("/files/{id}.png", self.file),
                Route(f"{job}/status", self.status),
                Route(f"{job}/cancel", self.cancel, methods=["PUT"]),
                Route(job, self.result),
                Route("/{owner}/{model}", self.submit, methods=["POST"]),
                Route("/{owner}/{model}/{path:path}", self.submit, methods=["POST"]),
            ]
        )
        self.app.state.sandbox = self._state

    # --- Queue ---

    async def submit(self, request: Request) -> Response:
        if refused := _key_refused(request):
            return refused
        params = request.path_params
        trouble = trouble_of(request, params.get("path") or params["model"])
        if trouble in _ANSWER_BY_TROUBLE:
            return _ANSWER_BY_TROUBLE[trouble]()
        job = Job(
            id=f"r-{len(self._state.jobs) + 1}",
            owner=f"{params['owner']}/{params['model']}",
            inputs=await json_object(request),
            trouble=trouble,
            polls_left=_polls_of(trouble),
        )
        self._state.jobs[job.id] = job
        return JSONResponse({"status": "IN_QUEUE", "queue_position": 0, **_addresses(request, job)})

    async def status(self, request: Request) -> Response:
        job = self._state.jobs.get(request.path_params["id"])
        if job is None:
            return JSONResponse({"detail": "Request not found"}, 404)
        if job.trouble is Trouble.FLAKY and job.gateway_failures < 2:
            job.gateway_failures += 1
            return PlainTextResponse("bad gateway", 502)
        job.polls_left -= 1
        body = _addresses(request, job)
        if not job.done:
            waiting = "IN_QUEUE" if job.polls_left == _polls_of(job.trouble) - 1 else "IN_PROGRESS"
            return JSONResponse({"status": waiting, **body}, 202)
        await self._finish(job)
        if job.error:
            body |= {"error": job.error[1], "error_type": job.error[1]}
        return JSONResponse({"status": "COMPLETED", "metrics": {"inference_time": 1.0}, **body})

    async def result(self, request: Request) -> Response:
        job = self._state.jobs.get(request.path_params["id"])
        if job is None:
            return JSONResponse({"detail": "Request not found"}, 404)
        if not job.done:
            return JSONResponse({"detail": "Request is still in progress"}, 400)
        if job.error:
            status, kind = job.error
            detail = [{"loc": ["body"], "msg": kind.replace("_", " "), "type": kind}]
            return JSONResponse({"detail": detail}, status, {"x-fal-error-type": kind})
        return JSONResponse(self._output(request, job))

    async def cancel(self, request: Request) -> Response:
        job = self._state.jobs.get(request.path_params["id"])
        if job is None:
            return JSONResponse({"status": "NOT_FOUND"}, 404)
        if job.done:
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        job.cancelled = True
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    # --- Pictures ---

    async def _finish(self, job: Job) -> None:
        job.error = _FAILURES.get(job.trouble)
        person, garment = (_input(job, names) for names in (_PERSON_NAMES, _GARMENT_NAMES))
        if person is None or garment is None:
            job.error = (422, "image_load_error")
        if job.error or job.picture or person is None or garment is None:
            return
        try:
            job.picture = await asyncio.to_thread(self._compose, person, garment)
        except OSError:
            job.error = (422, "image_load_error")
        if job.trouble is Trouble.BROKEN_PICTURE:
            job.picture = job.picture[: len(job.picture) // 2]

    def _output(self, request: Request, job: Job) -> dict[str, Any]:
        url = f"{str(request.base_url).rstrip('/')}/files/{job.id}.png"
        if job.trouble is Trouble.FOREIGN_PICTURE:
            url = "http://169.254.169.254/latest/meta-data.png"
        image = {"url": url, "content_type": "image/png"}
        if "model_image" in job.inputs:
            return {"images": [image]}
        return {"image": image, "seed": job.inputs.get("seed"), "has_nsfw_concepts": [False]}

    async def file(self, request: Request) -> Response:
        job = self._state.jobs.get(request.path_params["id"])
        if job is None or not job.picture:
            return JSONResponse({"detail": "Not Found"}, 404)
        return Response(job.picture, media_type="image/png")


def _key_refused(request: Request) -> Response | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Key" or key in {"", WRONG_KEY}:
        return JSONResponse({"detail": "Authentication is required"}, 401)
    return None


def _polls_of(trouble: Trouble) -> float:
    return {Trouble.SLOW: SLOW_POLLS, Trouble.ENDLESS: float("inf")}.get(trouble, QUICK_POLLS)


def _addresses(request: Request, job: Job) -> dict[str, str]:
    """The job's own addresses. As at fal, they name the model without its sub path."""
    base = str(request.base_url).rstrip("/")
    if job.trouble is Trouble.FOREIGN_ADDRESS:
        base = "http://169.254.169.254"
    url = f"{base}/{job.owner}/requests/{job.id}"
    return {
        "request_id": job.id,
        "gateway_request_id": job.id,
        "response_url": url,
        "status_url": f"{url}/status",
        "cancel_url": f"{url}/cancel",
    }


def _input(job: Job, names: tuple[str, ...]) -> bytes | None:
    return next((decode_data_uri(job.inputs[name]) for name in names if name in job.inputs), None)


_ANSWER_BY_TROUBLE: Final[dict[Trouble, Callable[[], Response]]] = {
    Trouble.RETIRED: lambda: JSONResponse({"detail": "Application not found"}, 404),
    Trouble.RATE_LIMITED: lambda: JSONResponse(
        {"detail": "Too many requests"}, 429, {"retry-after": "7"}
    ),
    Trouble.OVERLOADED: lambda: JSONResponse(
        {"detail": "No runner", "error_type": "runner_scheduling_failure"},
        503,
        {"x-fal-error-type": "runner_scheduling_failure"},
    ),
    Trouble.NO_CREDIT: lambda: JSONResponse(
        {"detail": "User is locked. Reason: Exhausted balance."}, 403
    ),
    Trouble.NOT_JSON: lambda: PlainTextResponse("<html>busy</html>"),
}
