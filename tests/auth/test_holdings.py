"""A holding sees the numbers of its brands, nothing personal, and spends nothing."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from tests.auth.nordlicht import API, Nordlicht, nordlicht

from selify.analytics import endpoints as numbers
from selify.auth.holdings import OPEN_FOR
from selify.messaging import endpoints as messaging

NOBODYS = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"

__all__ = ["nordlicht"]


@pytest_asyncio.fixture(loop_scope="session")
async def holding(nordlicht) -> str:
    """The stranger's own, of which eva is a member; nordlicht and a sister belong to nobody yet."""
    for router in (numbers.router, messaging.router):
        nordlicht.house.app.include_router(router)
    stranger = nordlicht["stranger"]
    [own] = (await stranger.ask("GET", API)).json()["workspaces"]
    await nordlicht.run(
        "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)"
        " VALUES ($1, $2, 'member', now())",
        UUID(own["id"]),
        nordlicht["eva"].id,
    )
    answer = await stranger.ask("PUT", f"{API}/{own['id']}/holding", {"is_holding": True})
    assert answer.status_code == 204
    found: str = own["id"]
    return found


async def ask(nordlicht: Nordlicht, holding: str, brand: object = None, who: str = "stranger"):
    body = {"brand_id": str(brand or nordlicht.id)}
    return (await nordlicht[who].ask("POST", f"{API}/{holding}/brands", body)).status_code


async def accept(nordlicht: Nordlicht, holding: str, who: str = "olga", at: object = None):
    path = f"{API}/{at or nordlicht.id}/holding/accept"
    return (await nordlicht[who].ask("POST", path, {"holding_id": holding})).status_code


async def read(nordlicht: Nordlicht, holding: object, brand: object, who: str = "stranger"):
    return await nordlicht[who].ask("GET", f"{API}/{holding}/brands/{brand}/numbers")


@pytest_asyncio.fixture(loop_scope="session")
async def linked(nordlicht, holding) -> str:
    assert await ask(nordlicht, holding) == 202
    assert await accept(nordlicht, holding) == 204
    return holding


async def test_who_sees_what_of_a_linked_brand(nordlicht, linked) -> None:
    answer = await read(nordlicht, linked, nordlicht.id)
    assert answer.status_code == 200
    assert answer.json() == {
        "brand_id": str(nordlicht.id),
        "name": "Nordlicht",
        "days": 30,
        **dict.fromkeys(("triggers", "answered", "photos", "tried_on", "liked"), 0),
        "spent_credits": 0,
    }
    assert (await read(nordlicht, linked, nordlicht.id, "eva")).status_code == 403
    for who in ("olga", "adam"):
        assert (await read(nordlicht, linked, nordlicht.id, who)).status_code == 404
    brands = (await nordlicht["stranger"].ask("GET", f"{API}/{linked}/brands")).json()["brands"]
    assert [brand["name"] for brand in brands] == ["Nordlicht"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/members", None),
        ("GET", f"/conversations/{NOBODYS}/messages", None),
        ("GET", "/accounts", None),
        ("PATCH", f"/members/{NOBODYS}", {"role": "admin"}),
        ("POST", "/delete", {"name": "Nordlicht"}),
        ("DELETE", "/holding", None),
    ],
)
async def test_the_holdings_owner_is_nobody_in_the_brand(nordlicht, linked, method, path, body):
    answer = await nordlicht["stranger"].ask(method, nordlicht.at(path), body)
    assert answer.status_code == 404, answer.text


async def test_rows_stay_the_brands(nordlicht, linked) -> None:
    async with nordlicht.house.database.tx(nordlicht["stranger"].actor) as tx:
        for table in ("workspaces", "workspace_members", "workspace_quotas"):
            column = "id" if table == "workspaces" else "workspace_id"
            assert not await tx.fetch(
                f"SELECT FROM public.{table} WHERE {column} = $1", nordlicht.id
            )


async def test_the_brand_is_nobody_in_the_holding(nordlicht, linked) -> None:
    for path in ("/members", "/brands"):
        assert await nordlicht.status("olga", "GET", f"{API}/{linked}{path}") == 404


async def test_sisters_see_nothing_of_each_other(nordlicht, linked) -> None:
    sister = (await nordlicht["max"].ask("POST", API, {"name": "Sister"})).json()["id"]
    assert await ask(nordlicht, linked, sister) == 202
    assert await accept(nordlicht, linked, "max", sister) == 204
    for holding in (linked, nordlicht.id, sister):
        assert (await read(nordlicht, holding, sister, "olga")).status_code == 404
    assert (await read(nordlicht, linked, sister)).status_code == 200


async def test_without_the_owners_consent_nothing_is_linked(nordlicht, holding) -> None:
    assert await accept(nordlicht, holding) == 404, "nobody has asked"
    assert await ask(nordlicht, holding) == 202
    assert await ask(nordlicht, holding, uuid4()) == 202, "nobody learns what exists"
    assert await accept(nordlicht, holding, "stranger") == 404
    assert await accept(nordlicht, holding, "adam") == 403
    assert (await read(nordlicht, holding, nordlicht.id)).status_code == 404
    assert len(await nordlicht.told("asked_to_join_holding")) == 1
    for who, status in (("olga", 200), ("adam", 403), ("stranger", 404)):
        assert await nordlicht.status(who, "GET", nordlicht.at("/holding/offers")) == status
    nordlicht.house.clock.advance(OPEN_FOR)
    assert await accept(nordlicht, holding) == 404, "it is too long ago"


async def test_only_owners_of_a_holding_ask(nordlicht, holding) -> None:
    assert await ask(nordlicht, holding, who="eva") == 403
    assert await ask(nordlicht, holding, who="olga") == 404
    assert await ask(nordlicht, str(nordlicht.id), holding, "olga") == 409, "not a holding"


async def test_the_brands_owner_leaves_without_asking(nordlicht, linked) -> None:
    assert await nordlicht.status("adam", "DELETE", nordlicht.at("/holding")) == 403
    for _ in range(2):
        assert await nordlicht.status("olga", "DELETE", nordlicht.at("/holding")) == 204
    assert (await read(nordlicht, linked, nordlicht.id)).status_code == 404


async def test_the_holding_lets_a_brand_go_or_takes_its_offer_back(nordlicht, linked) -> None:
    brand = f"{API}/{linked}/brands/{nordlicht.id}"
    for status in (204, 404):
        assert await nordlicht.status("stranger", "DELETE", brand) == status
    await ask(nordlicht, linked)
    assert await nordlicht.status("stranger", "DELETE", brand) == 204
    assert await accept(nordlicht, linked) == 404


async def test_the_tree_is_one_level_deep(nordlicht, linked) -> None:
    on = {"is_holding": True}
    assert await nordlicht.status("olga", "PUT", nordlicht.at("/holding"), on) == 409
    off = {"is_holding": False}
    assert await nordlicht.status("stranger", "PUT", f"{API}/{linked}/holding", off) == 409
    gone = {"name": "Elsewhere"}
    answer = await nordlicht["stranger"].ask("POST", f"{API}/{linked}/delete", gone)
    assert (answer.status_code, answer.json()["code"]) == (409, "holds_brands")


async def test_accepted_twice_at_once_and_while_the_holding_is_deleted(nordlicht, holding) -> None:
    await ask(nordlicht, holding)
    assert sorted(await asyncio.gather(accept(nordlicht, holding), accept(nordlicht, holding))) == [
        204,
        404,
    ]
    await nordlicht.status("olga", "DELETE", nordlicht.at("/holding"))
    nordlicht.house.clock.advance(timedelta(seconds=1))
    await ask(nordlicht, holding)
    answers = await asyncio.gather(
        accept(nordlicht, holding),
        nordlicht.status("stranger", "POST", f"{API}/{holding}/delete", {"name": "Elsewhere"}),
    )
    assert answers in ([204, 409], [409, 204], [404, 204])
