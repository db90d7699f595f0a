"""Every address of API and pages, asked by everybody: who gets through is whom it says it is for."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio
from tests.infra.settings import Settings

from selify.app import create_server
from selify.core.permissions import SIGNED_IN, TEAM, Audience, Permission, WorkspaceRole
from selify.core.web.access import Address, addresses
from selify.tryon import texts

WHO = ("visitor", "stranger", "member", "admin", "owner")
TEXT = next(key for key in texts.catalogue("en") if key != "language")
SETTINGS = {"tryon_enabled": True, "language": "en"}
GARMENT = {"files": {"picture": ("tee.png", b"this is no picture")}}
# What a request needs to get as far as the question whether it may.
REQUESTS: dict[str, dict[str, Any]] = {
    "POST /api/v1/auth/sign-up": {"json": {}},
    "POST /api/v1/workspaces": {"json": {"name": "Another"}},
    "POST /api/v1/workspaces/{workspace_id}/delete": {"json": {"name": "not its name"}},
    "POST /api/v1/workspaces/{workspace_id}/keys": {
        "json": {"name": "Till", "scopes": ["conversations:read"]}
    },
    "PATCH /api/v1/workspaces/{workspace_id}/keys/{key_id}": {"json": {"name": "Till"}},
    "PATCH /api/v1/workspaces/{workspace_id}/members/{user_id}": {"json": {"role": "member"}},
    "PATCH /api/v1/workspaces/{workspace_id}/garments/{garment_id}": {"json": {"name": "Tee"}},
    "POST /api/v1/workspaces/{workspace_id}/garments": GARMENT,
    "PUT /api/v1/workspaces/{workspace_id}/accounts/{account_id}/settings": {
        "json": {**SETTINGS, "keywords": ["try"]}
    },
    "PUT /api/v1/workspaces/{workspace_id}/accounts/{account_id}/texts/{key}": {
        "json": {"language": "en", "text": ""}
    },
    "PUT /api/v1/workspaces/{workspace_id}/posts/{post_id}/garment": {
        "json": {"garment_id": "{garment_id}"}
    },
    "PUT /api/v1/admin/users/{user_id}/ban": {
        "json": {"until": "2100-01-01T00:00:00Z", "reason": "spam"}
    },
    "PUT /api/v1/admin/workspaces/{workspace_id}/owner": {"json": {"user_id": "{user_id}"}},
    "PUT /api/v1/workspaces/{workspace_id}/holding": {"json": {"is_holding": False}},
    "POST /api/v1/workspaces/{workspace_id}/holding/accept": {"json": {"holding_id": "{brand_id}"}},
    "POST /api/v1/workspaces/{workspace_id}/brands": {"json": {"brand_id": "{brand_id}"}},
    "POST /api/v1/workspaces/{workspace_id}/ownership/offer": {
        "json": {"user_id": "{user_id}", "password": "not it"}
    },
    "PUT /api/v1/workspaces/{workspace_id}/billing/auto-reload": {"json": {"enabled": False}},
    "POST /api/v1/notifications/read": {"json": {"ids": [str(uuid4())]}},
    "POST /api/v1/notifications/archive": {"json": {"ids": [str(uuid4())]}},
    "GET /api/v1/realtime": {
        "params": {"workspace_id": "{workspace_id}", "table": "oauth_audit_logs"}
    },
    "GET /connect/{platform}": {"params": {"workspace_id": "{workspace_id}"}},
    "POST /brands": {"data": {"name": "Another"}},
    "POST /posts/{post_id}/garment": {"data": {"garment": "{garment_id}"}},
    "POST /wardrobe": GARMENT,
    "POST /wardrobe/{garment_id}": {"data": {"name": "Tee"}},
    "POST /wardrobe/{garment_id}/category": {"data": {"category": "upper_body"}},
    "POST /accounts/{account_id}/settings": {"data": {"language": "en", "trigger_keywords": "try"}},
    "POST /accounts/{account_id}/texts": {"data": {"language": "en", "key": TEXT}},
    "POST /accounts/{account_id}/texts/preview": {"data": {"language": "en", "key": TEXT}},
    "POST /settings/delete": {"data": {"name": "not its name"}},
}
# Nobody comes back from a platform with a state they did not get: whether who did still may is tried
# in tests/messaging/test_connecting.py.
ASKS_LATER = {"GET /connect/{platform}/callback": "oauth_state_invalid"}
# What is read as the user: row level security leaves nothing to be found.
NOTHING_THERE = {
    "GET /api/v1/workspaces/{workspace_id}/billing/auto-reload": "billing_account_missing",
    "GET /api/v1/workspaces/{workspace_id}/billing/balance": "billing_account_missing",
    "GET /api/v1/workspaces/{workspace_id}/billing/usage": "billing_account_missing",
    "GET /api/v1/workspaces/{workspace_id}/billing/usage/{usage_event_id}": "charge_missing",
    "GET /api/v1/workspaces/{workspace_id}/conversations/{conversation_id}/messages": (
        "conversation_missing"
    ),
}
REFUSED_AFTERWARDS = {"name_differs", "image_unreadable", "a page that says why"}
# In this order: what is for everyone works without a session, too.
ENDS_SESSION = ("/api/v1/auth/sign-out-everywhere", "/sign-out", "/api/v1/auth/sign-out")

Ids = dict[str, str]
Outcome = tuple[str, ...]
MAY: Outcome = ("may",)


@pytest_asyncio.fixture(loop_scope="session")
async def people(brand, site) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    people = {
        "stranger": await site.join("stranger"),
        "member": await brand.member("member"),
        "admin": await brand.member("admin"),
        "owner": brand.owner,
    }
    browsers = {"visitor": site.visitor(Origin=site.url)}
    browsers |= {name: person.browser for name, person in people.items()}
    for browser in browsers.values():
        browser.headers["Accept"] = "application/json"
    yield browsers
    for browser in browsers.values():
        await browser.aclose()


def expected(who: str, address: Address) -> Outcome:
    access = address.access
    assert access is not None
    if access.audience is TEAM:
        return ("not_found",)
    if access.audience is SIGNED_IN and who == "visitor":
        return ("unauthenticated",)
    if str(address) in ASKS_LATER:
        return (ASKS_LATER[str(address)],)
    if not access.permissions:
        return MAY
    if who == "stranger":
        return ("no such workspace",)
    return next((_missing(one) for one in access.permissions if _lacks(who, one)), MAY)


def _lacks(who: str, permission: Permission) -> bool:
    return WorkspaceRole(who) not in permission.roles


def _missing(permission: Permission) -> Outcome:
    return ("role_too_low", permission.name, *permission.roles)


async def outcome(browser: httpx.AsyncClient, address: Address, ids: Ids) -> Outcome:
    """What the address says to this person. A stream is left once it has begun."""
    request = _filled(REQUESTS.get(str(address), {}), ids)
    if not address.path.startswith("/api/"):
        request["params"] = {"workspace": ids["workspace_id"], **request.get("params", {})}
    path = address.path.format(**ids)
    async with browser.stream(address.method, path, **request) as answer:
        assert answer.status_code < 500, (str(address), answer.status_code)
        if answer.is_success or answer.is_redirect:
            return MAY
        await answer.aread()
    is_problem = "problem" in answer.headers["content-type"]
    problem = answer.json() if is_problem else {"code": "a page that says why"}
    code = problem["code"]
    if code == "role_too_low":
        assert problem["permission"] in problem["hint"]
        return (code, problem["permission"], *problem["held_by"])
    if address.access is not None and address.access.audience is TEAM and code == "not_found":
        return (code,)
    if code in ("unauthenticated", *ASKS_LATER.values()):
        return (code,)
    if code == NOTHING_THERE.get(str(address), "workspace_not_found"):
        return ("no such workspace",)
    asks_workspace = address.access is not None and address.access.permissions
    assert code in REFUSED_AFTERWARDS or answer.status_code != 422 or not asks_workspace, problem
    return MAY


def _filled(value: Any, ids: Ids) -> Any:
    match value:
        case dict():
            return {key: _filled(one, ids) for key, one in value.items()}
        case str() if value.startswith("{"):
            return value.format(**ids)
    return value


async def test_everybody_gets_through_where_the_vocabulary_says(brand, site, people) -> None:
    other = await brand.member("member")
    charge = str(await brand.charge())
    ids = {
        "workspace_id": str(brand.id),
        "account_id": str(brand.account_id),
        "post_id": str(brand.post_id),
        "garment_id": str(brand.garment_id),
        "brand_id": str(other.id),
        "conversation_id": str(brand.conversation_id),
        "user_id": str(other.id),
        "key_id": str(uuid4()),
        "usage_event_id": charge,
        "charge_id": charge,
        "notice_id": str(uuid4()),
        "session_id": str(uuid4()),
        "mail_id": str(uuid4()),
        "platform": "instagram",
        "name": "banner",
        "token": "none",
        "key": TEXT,
    }
    # HEAD is answered without the words that tell one 404 from another, and asks what its GET asks.
    every = [one for one in addresses(create_server(Settings())) if one.method != "HEAD"]
    known = sorted(
        every, key=lambda one: one.path in ENDS_SESSION and 1 + ENDS_SESSION.index(one.path)
    )
    assert {str(address) for address in known} >= {*REQUESTS, *ASKS_LATER}
    differ, seen = [], set()
    for who in WHO:
        for address in known:
            found, wanted = await outcome(people[who], address, ids), expected(who, address)
            seen.add((who, found[0]))
            if found != wanted:
                differ.append(f"{address} as {who}: {found}, the vocabulary says {wanted}")
    await other.browser.aclose()
    assert not differ, "\n".join(differ)
    assert seen >= {
        ("visitor", "unauthenticated"),
        ("stranger", "no such workspace"),
        ("member", "role_too_low"),
        ("admin", "role_too_low"),
        ("owner", "may"),
    }


async def test_a_furnished_server_has_no_address_that_says_nothing(
    database_url: str, tmp_path
) -> None:
    """With those that need what is opened at the start: platforms' webhooks."""
    app = create_server(Settings(database_url=database_url, data_dir=tmp_path))
    async with app.router.lifespan_context(app):
        known = list(addresses(app))
    assert [str(address) for address in known if address.access is None] == []
    webhooks = [one for one in known if one.path.startswith("/webhooks/")]
    assert webhooks
    assert {one.access.audience for one in webhooks if one.access} == {Audience.EVERYONE}
