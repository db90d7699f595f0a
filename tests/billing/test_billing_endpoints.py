"""The HTTP side, as a member, as a stranger and as nobody."""

import base64
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from selify.billing.endpoints import router
from selify.core.database import Actor
from selify.core.web import http


@pytest.fixture
def api(database, clock):
    """The billing routes; a header says who is asking."""
    app = FastAPI()
    http.install(app, https=False)
    app.include_router(router)
    app.state.database, app.state.clock = database, clock

    async def authenticate(request):
        user = request.headers.get("x-user")
        return Actor.user(UUID(user)) if user else Actor.visitor()

    app.state.authenticate = authenticate
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test")


def path(shop, rest):
    return f"/api/v1/workspaces/{shop.workspace_id}/billing/{rest}"


def as_owner(shop):
    return {"x-user": str(shop.owner_id)}


async def test_the_balance(api, shop):
    await shop.reserve("job-1")
    answer = await api.get(path(shop, "balance"), headers=as_owner(shop))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["week_credits_used"], body["week_credits_left"]) == (383, 9_617)
    assert body["week_resets_at"] == "2026-03-09T09:00:00Z"


async def test_usage_page_by_page_while_more_comes_in(api, shop, clock):
    await shop.limit(383 * 3 + 100)
    await shop.grant(100_000)
    for number in range(5):
        await shop.reserve(f"job-{number}")
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = await api.get(path(shop, "usage"), params=query, headers=as_owner(shop))
        assert answer.status_code == 200
        seen += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
        clock.advance(timedelta(seconds=1))
        await shop.reserve(f"late-{len(seen)}")
    assert len({item["id"] for item in seen}) == len(seen) == 6
    assert not [item for item in seen if item["source_id"].startswith("late")]


async def test_explaining_a_charge(api, shop):
    charge = await shop.reserve("job-1")
    await shop.settle(charge.id, cost=2_000)
    answer = await api.get(path(shop, f"usage/{charge.id}"), headers=as_owner(shop))
    body = answer.json()
    assert (body["price_credits"], body["price_micro_units"]) == (383, 2_298)
    assert body["sentences"][0].startswith("Virtual try-on")
    assert "provider_cost" not in answer.text


async def test_strangers_find_nothing(api, shop, other_shop):
    charge = await shop.reserve("job-1")
    for rest in ("balance", "usage", f"usage/{charge.id}"):
        answer = await api.get(path(shop, rest), headers=as_owner(other_shop))
        assert answer.status_code == 404, rest
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await api.get(path(shop, rest))).status_code == 401


async def test_a_charge_is_not_found_under_another_workspace(api, shop, other_shop):
    charge = await shop.reserve("job-1")
    answer = await api.get(path(other_shop, f"usage/{charge.id}"), headers=as_owner(shop))
    assert answer.status_code == 404
    answer = await api.get(path(shop, f"usage/{uuid4()}"), headers=as_owner(shop))
    assert (answer.status_code, answer.json()["code"]) == (404, "charge_missing")


FAR = base64.urlsafe_b64encode(f"9999-12-31T23:59:59-23:59 {UUID(int=7)}".encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [FAR, "x", "%ff", "AAAA", "é", "MjAyNi0wNS0wNCAxMg", "=" * 100, "OTk5OS0xMi0zMSBub25l"],
)
async def test_invented_cursors_are_refused(api, shop, cursor):
    answer = await api.get(path(shop, "usage"), params={"cursor": cursor}, headers=as_owner(shop))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


async def test_users_cannot_write_money(database, shop):
    """Not through the tables and not through the functions behind ``reserve``."""
    for statement in (
        "UPDATE public.workspace_quotas SET weekly_credits_used = 0",
        "UPDATE public.workspace_payg_balance SET balance_micro_units = 1",
        "DELETE FROM public.workspace_usage_events",
        "INSERT INTO public.workspace_financial_transactions DEFAULT VALUES",
        "SELECT internal.usage_event_id(gen_random_uuid(), 'x', 'x', 0, 1)",
        "SELECT internal.reserve_credits(gen_random_uuid(), 'x', 'x', 'x', NULL, NULL, '{}', now())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.tx(Actor.user(shop.owner_id)) as tx:
                await tx.execute(statement)
