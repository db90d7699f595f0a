"""The Graph API's edge: every ``/v26.0/…`` call passes here once.

Order: version, slow answers and faults before any effect, token, limits, the call itself, faults
after the effect. Handlers live in ``nodes`` (reads), ``commenting`` and ``sending`` (writes).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from selify_sandbox.instagram.access import world_of
from selify_sandbox.instagram.state import tokens
from selify_sandbox.instagram.state.errors import (
    BAD_PARAMETER,
    DEPRECATED_VERSION,
    NO_SUCH_OBJECT,
    SENT_BUT_UNREADABLE,
    SERVICE_DOWN,
    GraphError,
)
from selify_sandbox.instagram.state.store import Row, Tx
from selify_sandbox.instagram.state.tokens import Grant
from selify_sandbox.instagram.state.world import World
from selify_sandbox.instagram.wire.fields import Fields, parse_fields

router = APIRouter(include_in_schema=False)
LIVING_VERSIONS = {"v24.0", "v25.0", "v26.0"}
MESSAGING = {"messages", "message_attachments", "messenger_profile"}
Json = dict[str, Any]


@dataclass(slots=True)
class Call:
    """One authenticated call. ``node`` is the real id (``me`` is resolved)."""

    world: World
    method: str
    node: str
    edge: str
    params: Json
    grant: Grant
    account: Row
    fields: Fields = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A parameter as text, empty when missing."""
        return str(self.params.get(name, ""))

    def own_node(self) -> None:
        """Raise unless the node is the token's own account."""
        if self.node != self.account["id"]:
            raise GraphError(NO_SUCH_OBJECT)


Handler = Callable[[Call], Awaitable[Json]]


class CutConnection(Response):
    """Promises a body and hangs up: the client sees the connection break in the middle."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Start an answer that never ends; the server then closes the socket."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"512")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class Cut(Exception):
    """The switchboard cuts this connection."""


@router.api_route("/{version:graph_version}/{node}", methods=["GET", "POST", "DELETE"])
async def node_call(request: Request, version: str, node: str) -> Response:
    """A call on a node itself."""
    return await _answer(request, version, node, "")


@router.api_route("/{version:graph_version}/{node}/{edge}", methods=["GET", "POST", "DELETE"])
async def edge_call(request: Request, version: str, node: str, edge: str) -> Response:
    """A call on a node's edge."""
    return await _answer(request, version, node, edge)


async def _answer(request: Request, version: str, node: str, edge: str) -> Response:
    world = world_of(request)
    account_id = ""
    try:
        if version not in LIVING_VERSIONS | {world.config.api_version}:
            raise GraphError(DEPRECATED_VERSION)
        await _trouble_before(world, edge)
        call = await _open_call(request, world, node, edge)
        account_id = call.account["id"]
        world.meter.admit(account_id, _kind(call))
        body = await _handler(call)(call)
        if call.method != "GET":
            await _trouble_after(world, edge)
    except Cut:
        return CutConnection()
    except GraphError as error:
        return _error(world, account_id, version, error)
    return JSONResponse(body, headers=_headers(world, account_id, version))


def _headers(world: World, account_id: str, version: str) -> dict[str, str]:
    return {**world.meter.headers(account_id), "facebook-api-version": version}


def _error(world: World, account_id: str, version: str, error: GraphError) -> JSONResponse:
    refusal = error.refusal
    return JSONResponse(refusal.body(), refusal.status, _headers(world, account_id, version))


async def _trouble_before(world: World, edge: str) -> None:
    board, faults = world.switchboard, world.switchboard.faults
    if faults.slow_ms:
        await asyncio.sleep(faults.slow_ms / 1000)
    await board.check_injected(edge, after_effect=False)
    if board.chance(faults.refuse_percent):
        raise GraphError(SERVICE_DOWN)
    if board.chance(faults.cut_percent):
        raise Cut


async def _trouble_after(world: World, edge: str) -> None:
    board, faults = world.switchboard, world.switchboard.faults
    await board.check_injected(edge, after_effect=True)
    if board.chance(faults.unknown_percent):
        raise GraphError(SENT_BUT_UNREADABLE)
    if board.chance(faults.cut_after_percent):
        raise Cut


def _kind(call: Call) -> str:
    if call.edge == "messages" and call.method == "POST":
        recipient = call.params.get("recipient")
        private = isinstance(recipient, dict) and "comment_id" in recipient
        return "private_reply" if private else "messages"
    if call.edge == "conversations":
        return "conversations"
    return "messages" if call.edge in MESSAGING else "call"


async def _open_call(request: Request, world: World, node: str, edge: str) -> Call:
    params = await _parameters(request)
    token = _bearer(request) or str(params.get("access_token", ""))
    grant, account = await world.store.run(_authenticate, token)
    own = {"me", account["id"], account["app_scoped_id"]}
    fields = parse_fields(str(params.get("fields", "")))
    real = account["id"] if node in own else node
    return Call(world, request.method, real, edge, params, grant, account, fields)


def _authenticate(tx: Tx, token: str) -> tuple[Grant, Row]:
    grant = tokens.check(tx, token)
    account = tx.one("SELECT * FROM accounts WHERE id = ?", grant.account_id)
    if account is None:
        raise GraphError(NO_SUCH_OBJECT)
    return grant, account


def _bearer(request: Request) -> str:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


async def _parameters(request: Request) -> Json:
    """Query, then JSON or form body over it; a form may carry JSON in its fields."""
    params: Json = dict(request.query_params)
    content_type = request.headers.get("content-type", "").partition(";")[0].strip()
    if content_type == "application/json":
        try:
            body = json.loads(await request.body() or b"{}")
        except ValueError as error:
            raise GraphError(BAD_PARAMETER.saying("(#100) The body is not valid JSON")) from error
        if not isinstance(body, dict):
            raise GraphError(BAD_PARAMETER.saying("(#100) The body must be a JSON object"))
        params |= body
    elif content_type:
        form = await request.form()
        params |= {key: _maybe_json(value) for key, value in form.items()}
    return params


def _maybe_json(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in "{[":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


_HANDLERS: dict[tuple[str, str], Handler] = {}


def handles(method: str, edge: str = "") -> Callable[[Handler], Handler]:
    """Register a handler for an edge (``""`` is the node itself)."""

    def register(handler: Handler) -> Handler:
        _HANDLERS[method, edge] = handler
        return handler

    return register


def _handler(call: Call) -> Handler:
    handler = _HANDLERS.get((call.method, call.edge))
    if handler is None:
        raise GraphError(
            NO_SUCH_OBJECT.saying(
                f"Unsupported {call.method.lower()} request. Unknown path components: /{call.edge}"
            )
        )
    return handler
