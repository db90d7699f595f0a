"""Refusals as problem details (RFC 9457), for machines and, on pages, for people."""

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from selify.core import errors
from selify.core.database import DatabaseUnavailable
from selify.core.database_errors import from_database
from selify.core.files import disk
from selify.core.language import _, stored, translated, translated_all
from selify.core.logging import current_trace, get_logger
from selify.core.web import validation

PROBLEM = "application/problem+json"
log = get_logger(__name__)

# What the framework itself refuses, in our words. (TooMany needs to know for how long.)
_BY_STATUS: dict[int, type[errors.SelifyError]] = {
    kind.status: kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, errors.SelifyError)
    and kind is not errors.TooMany
}


def problem(error: errors.SelifyError) -> JSONResponse:
    """``type`` is a stable URN; ``code`` the same word alone; ``hint`` says what to do."""
    body = {
        "type": f"urn:selify:problem:{error.code}",
        "title": translated(error.title),
        "status": error.status,
        "detail": translated(error.detail),
        "code": error.code,
        "hint": translated(error.hint),
        "trace": current_trace(),
        **{name: translated_all(value) for name, value in error.extra.items()},
    }
    headers = {}
    if isinstance(error, errors.TooMany | errors.Unavailable):
        headers["Retry-After"] = str(max(1, round(error.extra.get("retry_after", 5))))
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status_code=error.status, media_type=PROBLEM, headers=headers)


def install(app: FastAPI) -> None:
    """Every error of this app leaves as a problem document."""
    app.add_exception_handler(errors.SelifyError, _refused)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _refused)
    for kind in (asyncpg.PostgresError, asyncpg.InterfaceError, Exception):
        app.add_exception_handler(kind, unexpected)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, errors.SelifyError | HTTPException)  # noqa: S101 - for these only
    return refused(request, error)


def refused(request: Request, error: errors.SelifyError | HTTPException) -> JSONResponse:
    """What was refused on purpose, by us or by the framework."""
    if isinstance(error, DatabaseUnavailable):
        error = _behind(request) or error
    if isinstance(error, errors.SelifyError):
        return problem(error)
    made = _BY_STATUS.get(error.status_code, errors.BadRequest)(stored(error.detail))
    response = problem(made)
    response.status_code = error.status_code
    response.headers.update(error.headers or {})
    return response


def _behind(request: Request) -> errors.SelifyError | None:
    """The embedded database stops when its disk is full; that it is gone is not the news then."""
    settings = getattr(request.app.state, "settings", None)
    return disk.shortage(settings.data_dir) if settings else None


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    fields = [
        {
            "field": _printable(".".join(str(part) for part in item["loc"])),
            "message": validation.message(item),
        }
        for item in error.errors()
    ]
    return problem(errors.Invalid(_("Some values are missing or wrong."), fields=fields))


async def unexpected(request: Request, error: Exception) -> JSONResponse:
    """What nobody refused on purpose: in PostgreSQL's case translated, else logged and a 500."""
    refusal = from_database(error)
    if refusal.status >= 500:
        log.error("request failed", path=request.url.path, exc_info=error)
    return problem(refusal)


def _printable(text: str) -> str:
    """A field's name may come from the caller, and JSON can carry what UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace").decode()
