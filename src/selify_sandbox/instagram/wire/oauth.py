"""Signing in (protocol sheet, section 2): consent screen, code, tokens, refresh."""

import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from selify_sandbox.instagram.access import world_of
from selify_sandbox.instagram.phone.pages import render
from selify_sandbox.instagram.state import ids, tokens
from selify_sandbox.instagram.state.errors import BAD_PARAMETER, GraphError
from selify_sandbox.instagram.state.store import Tx
from selify_sandbox.instagram.state.world import World

router = APIRouter(include_in_schema=False)
CODE_LIFE = 3600.0


class OAuthRefusal(Exception):
    """The token endpoint's own error shape, which differs from the Graph API's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status

    def response(self) -> JSONResponse:
        """``error_type``, ``code``, ``error_message``."""
        body = {
            "error_type": "OAuthException",
            "code": self.status,
            "error_message": self.message,
        }
        return JSONResponse(body, self.status)


def _check_request(world: World, query: dict[str, str]) -> list[str]:
    """The known scopes asked for. Raises OAuthRefusal for a request that must not redirect."""
    if query.get("client_id") != world.config.app_id:
        raise OAuthRefusal("Invalid platform app")
    parts = urlsplit(query.get("redirect_uri", ""))
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.fragment:
        raise OAuthRefusal("Invalid redirect_uri")
    if query.get("response_type") != "code":
        raise OAuthRefusal("Invalid response_type")
    scopes = [scope for scope in query.get("scope", "").replace(" ", ",").split(",") if scope]
    unknown = [scope for scope in scopes if scope not in tokens.SCOPES]
    if unknown or tokens.BASIC not in scopes:
        raise OAuthRefusal(f"Invalid scope: {', '.join(unknown) or tokens.BASIC + ' is required'}")
    return scopes


@router.get("/oauth/authorize")
async def consent_screen(request: Request) -> Response:
    """Ask the account's owner: which account, and what may the app do."""
    world, query = world_of(request), dict(request.query_params)
    try:
        scopes = _check_request(world, query)
    except OAuthRefusal as refusal:
        return refusal.response()
    accounts = await world.store.run(_shops)
    free = next((shop["id"] for shop in accounts if not shop["connected"]), None)
    page = render(
        "consent.html",
        app_name=world.config.app_name,
        accounts=accounts,
        chosen=free or next((shop["id"] for shop in accounts), ""),
        scopes=[(scope, tokens.SCOPES[scope], scope == tokens.BASIC) for scope in scopes],
        query=query,
    )
    return HTMLResponse(page, headers={"Cache-Control": "no-store"})


def _shops(tx: Tx) -> list[dict[str, Any]]:
    """Whoever is signed in here has them all; the one to connect is most likely not connected yet."""
    return [
        {**dict(row), "connected": tokens.is_connected(tx, row["id"])}
        for row in tx.all("SELECT * FROM accounts ORDER BY username")
    ]


@router.post("/oauth/authorize")
async def decide(request: Request) -> Response:
    """Redirect back with a code, or with the refusal the owner chose."""
    world, form = world_of(request), await request.form()
    query = {key: str(form.get(key, "")) for key in _QUERY}
    try:
        asked = _check_request(world, query)
        if form.get("decision") != "allow":
            return _back(query, _DENIED)
        granted = [tokens.BASIC, *(s for s in form.getlist("granted") if isinstance(s, str))]
        scopes = ",".join(scope for scope in asked if scope in granted)
        account_id = str(form.get("account", ""))
        code = await world.store.run(_issue_code, account_id, query["redirect_uri"], scopes)
    except OAuthRefusal as refusal:
        return refusal.response()
    return _back(query, {"code": code}, fragment="#_")


_QUERY = ("client_id", "redirect_uri", "response_type", "scope", "state")
_DENIED = {
    "error": "access_denied",
    "error_reason": "user_denied",
    "error_description": "The user denied your request.",
}


def _back(query: dict[str, str], answer: dict[str, str], fragment: str = "") -> RedirectResponse:
    if query["state"]:
        answer = {**answer, "state": query["state"]}
    joint = "&" if urlsplit(query["redirect_uri"]).query else "?"
    return RedirectResponse(query["redirect_uri"] + joint + urlencode(answer) + fragment, 302)


def _issue_code(tx: Tx, account_id: str, redirect_uri: str, scopes: str) -> str:
    if not tx.value("SELECT 1 FROM accounts WHERE id = ?", account_id):
        raise OAuthRefusal("Choose an account")
    code = ids.authorization_code()
    tx.run(
        "INSERT INTO codes (code, account_id, redirect_uri, scopes, expires_at) "
        "VALUES (?, ?, ?, ?, ?)",
        code,
        account_id,
        redirect_uri,
        scopes,
        time.time() + CODE_LIFE,
    )
    return code


@router.post("/oauth/access_token")
async def exchange_code(request: Request) -> JSONResponse:
    """Code for a short-lived token (form fields in, JSON out)."""
    world, form = world_of(request), await request.form()
    fields = {key: str(value) for key, value in form.items()}
    try:
        world.switchboard.check_throttle()
        await world.switchboard.check_injected("access_token", after_effect=False)
        answer = await world.store.run(_exchange, world, fields)
    except OAuthRefusal as refusal:
        return refusal.response()
    wrapped = world.switchboard.faults.answers == "wrapped"
    return JSONResponse({"data": [answer]} if wrapped else answer)


def _exchange(tx: Tx, world: World, fields: dict[str, str]) -> dict[str, Any]:
    config = world.config
    if fields.get("client_id") != config.app_id:
        raise OAuthRefusal("Invalid platform app")
    if fields.get("client_secret") != config.app_secret:
        raise OAuthRefusal("Error validating client secret.")
    if fields.get("grant_type") != "authorization_code":
        raise OAuthRefusal("Unsupported grant_type")
    code = fields.get("code", "")
    row = tx.one("SELECT * FROM codes WHERE code = ?", code)
    if row is None or row["used"]:
        raise OAuthRefusal("Matching code was not found or was already used")
    if row["expires_at"] <= time.time():
        raise OAuthRefusal("This authorization code has expired")
    if row["redirect_uri"] != fields.get("redirect_uri"):
        raise OAuthRefusal(
            "Error validating verification code. Please make sure your redirect_uri is identical "
            "to the one you used in the OAuth dialog request"
        )
    tx.run("UPDATE codes SET used = 1 WHERE code = ?", code)
    token = tokens.issue(tx, row["account_id"], row["scopes"], long_lived=False)
    scoped = tx.value("SELECT app_scoped_id FROM accounts WHERE id = ?", row["account_id"])
    return {"access_token": token, "user_id": scoped, "permissions": row["scopes"]}


@router.get("/access_token")
@router.get("/{version:graph_version}/access_token")
async def exchange_long_lived(request: Request) -> JSONResponse:
    """Short-lived token for one of 60 days."""
    world, query = world_of(request), dict(request.query_params)
    await _pass_switchboard(world)
    return JSONResponse(await world.store.run(_lengthen, world, query))


def _lengthen(tx: Tx, world: World, query: dict[str, str]) -> dict[str, Any]:
    if query.get("grant_type") != "ig_exchange_token":
        raise GraphError(BAD_PARAMETER.saying("(#100) Unsupported grant_type"))
    if query.get("client_secret") != world.config.app_secret:
        raise GraphError(BAD_PARAMETER.saying("(#100) Error validating client secret."))
    grant = tokens.check(tx, query.get("access_token", ""))
    if grant.long_lived:
        raise GraphError(BAD_PARAMETER.saying("(#100) The token is already long-lived"))
    token = tokens.issue(tx, grant.account_id, ",".join(sorted(grant.scopes)), long_lived=True)
    return _long_answer(token)


@router.get("/refresh_access_token")
@router.get("/{version:graph_version}/refresh_access_token")
async def refresh(request: Request) -> JSONResponse:
    """A new 60 days for a token that is at least a day old and still alive."""
    world, query = world_of(request), dict(request.query_params)
    await _pass_switchboard(world)
    return JSONResponse(await world.store.run(_refresh, query))


def _refresh(tx: Tx, query: dict[str, str]) -> dict[str, Any]:
    if query.get("grant_type") != "ig_refresh_token":
        raise GraphError(BAD_PARAMETER.saying("(#100) Unsupported grant_type"))
    grant = tokens.check(tx, query.get("access_token", ""))
    grant.require(tokens.BASIC)
    if not grant.long_lived:
        raise GraphError(BAD_PARAMETER.saying("(#100) Only long-lived tokens can be refreshed"))
    if time.time() - grant.issued_at < tokens.REFRESHABLE_AFTER:
        raise GraphError(
            BAD_PARAMETER.saying("(#100) The token must be at least 24 hours old to be refreshed")
        )
    scopes = ",".join(sorted(grant.scopes))
    return _long_answer(tokens.issue(tx, grant.account_id, scopes, long_lived=True))


def _long_answer(token: str) -> dict[str, Any]:
    return {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": int(tokens.LONG_LIFE),
    }


async def _pass_switchboard(world: World) -> None:
    world.switchboard.check_throttle()
    await world.switchboard.check_injected("access_token", after_effect=False)
