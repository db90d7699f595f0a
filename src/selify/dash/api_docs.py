"""``/docs``: the API's own description, to read and to try, with scripts of our own house only."""

import hashlib
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from selify.core.permissions import EVERYONE, allows
from selify.dash.rendering import plain

ADDRESS = "/static/api-docs"

router = APIRouter(include_in_schema=False)


def install(app: FastAPI, *, folder: Path) -> None:
    """``folder``: Swagger UI, as set-up unpacked it. Its addresses change with its content."""
    app.state.api_docs = {
        name.replace(".", "_").replace("-", "_"): f"{ADDRESS}/{name}?v={_digest(folder / name)}"
        for name in ("swagger-ui-bundle.js", "swagger-ui.css")
    }
    app.include_router(router)


@router.get("/docs")
@allows(EVERYONE)
async def show(request: Request) -> Response:
    return plain(
        request, "api_docs.html", description=request.app.openapi_url, **request.app.state.api_docs
    )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]
