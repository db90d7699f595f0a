"""Makes the API's own description true: every refusal is a problem document (RFC 9457), and every
operation says which permission it asks for (``x-permission``).
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from selify.core.permissions import Permission
from selify.core.web.access import addresses

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Why a request was refused (RFC 9457), in words for the person who asked.",
    "required": ["type", "title", "status", "detail", "code", "hint", "trace"],
    "properties": {
        "type": {"type": "string", "description": "A stable URN of the kind of problem."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong with this request."},
        "code": {"type": "string", "description": "The kind of problem, for programs."},
        "hint": {"type": "string", "description": "What to do about it; may be empty."},
        "trace": {"type": "string", "description": "Names this request in our logs."},
    },
    "example": {
        "type": "urn:selify:problem:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such workspace.",
        "code": "not_found",
        "hint": "",
        "trace": "5f3a9c0d1e2b4a67",
    },
}
_REFUSED = {
    "description": "Refused",
    "content": {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
    },
}
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")


def install(app: FastAPI) -> None:
    """Describe errors as they really are, instead of as the framework's default says."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            app.openapi_schema = _with_permissions(_with_problems(schema), app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _with_problems(schema: dict[str, Any]) -> dict[str, Any]:
    for operations in schema.get("paths", {}).values():
        for operation in operations.values():
            responses = operation.setdefault("responses", {})
            if _describes_framework_error(responses.get("422", {})):
                del responses["422"]
            responses.setdefault("default", _REFUSED)
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in _FRAMEWORK_SCHEMAS:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    return schema


def _with_permissions(schema: dict[str, Any], app: FastAPI) -> dict[str, Any]:
    """For programs as ``x-permission``, for people as the description's last line."""
    for address in addresses(app):
        operation = schema.get("paths", {}).get(address.path, {}).get(address.method.lower())
        if operation is None or address.access is None or not address.access.permissions:
            continue
        asked, sometimes = address.access.permissions, address.access.sometimes
        operation["x-permission"] = [permission.name for permission in asked]
        lines = [f"Permission: {_named(asked)}."]
        lines += [f"For some requests: {_named(sometimes)}."] if sometimes else []
        said = [operation.get("description", ""), " ".join(lines)]
        operation["description"] = "\n\n".join(filter(None, said))
    return schema


def _named(permissions: tuple[Permission, ...]) -> str:
    """Each with the roles that hold it."""
    return ", ".join(
        f"`{permission.name}` ({', '.join(permission.roles)})" for permission in permissions
    )


def _describes_framework_error(response: dict[str, Any]) -> bool:
    return "HTTPValidationError" in str(response.get("content", ""))
