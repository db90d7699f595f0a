"""Who says that credits are bought by card: owners and admins, and after a change of owner the new one first."""

import pytest
from tests.auth.nordlicht import PASSWORD, nordlicht

from selify.auth.people import PeopleOfPages
from selify.billing import endpoints

__all__ = ["nordlicht"]

ON = {"enabled": True, "threshold_cents": 700, "reload_amount_cents": 2500}


@pytest.fixture(autouse=True)
def billing(nordlicht) -> None:
    nordlicht.house.app.include_router(endpoints.router)
    nordlicht.house.app.state.people = PeopleOfPages()


async def switch(nordlicht, who: str, **body: object) -> tuple[int, str]:
    answer = await nordlicht[who].ask("PUT", nordlicht.at("/billing/auto-reload"), {**ON, **body})
    return answer.status_code, answer.json()["code"] if answer.content else ""


async def read(nordlicht, who: str) -> dict[str, object]:
    answer = await nordlicht[who].ask("GET", nordlicht.at("/billing/auto-reload"))
    return answer.json() if answer.status_code == 200 else {"status": answer.status_code}


@pytest.mark.parametrize(
    ("who", "answer"),
    [
        ("olga", (204, "")),
        ("adam", (204, "")),
        ("max", (403, "role_too_low")),
        ("stranger", (404, "workspace_not_found")),
    ],
)
async def test_who_switches_it_on(nordlicht, who, answer) -> None:
    assert await switch(nordlicht, who) == answer
    expected = (
        {**ON, "confirmed": True} if answer[0] == 204 else {**(await read(nordlicht, "olga"))}
    )
    assert await read(nordlicht, "max") == expected
    assert await read(nordlicht, "stranger") == {"status": 404}
    assert await read(nordlicht, "olga") | {"enabled": answer[0] == 204} == expected


@pytest.mark.parametrize(
    "body", [{"threshold_cents": 499}, {"reload_amount_cents": 1499}, {"enabled": None}, {"a": 1}]
)
async def test_what_no_card_is_charged(nordlicht, body) -> None:
    assert (await switch(nordlicht, "olga", **body))[0] == 422


async def test_after_a_change_of_owner_the_new_one_confirms_first(nordlicht) -> None:
    await switch(nordlicht, "olga")
    offer = {"user_id": str(nordlicht["adam"].id), "password": PASSWORD}
    await nordlicht["olga"].ask("POST", nordlicht.at("/ownership/offer"), offer)
    await nordlicht["adam"].ask("POST", nordlicht.at("/ownership/accept"))
    assert await read(nordlicht, "max") == {**ON, "enabled": False, "confirmed": False}
    assert await switch(nordlicht, "olga") == (409, "card_unconfirmed")
    assert await switch(nordlicht, "olga", enabled=False) == (204, "")
    assert await read(nordlicht, "max") == {**ON, "enabled": False, "confirmed": False}
    assert await switch(nordlicht, "adam") == (204, "")
    assert await read(nordlicht, "max") == {**ON, "confirmed": True}
    assert await switch(nordlicht, "olga", enabled=False) == (204, "")
    assert await switch(nordlicht, "olga") == (204, ""), "she is an admin"


async def test_an_owner_who_leaves_takes_their_card_along(nordlicht) -> None:
    await nordlicht.make("olga", "owner", "eva")
    await switch(nordlicht, "olga")
    assert (await nordlicht.remove("olga", "olga")).status_code == 204
    assert (await read(nordlicht, "eva"))["enabled"] is False
    assert await switch(nordlicht, "adam") == (409, "card_unconfirmed")
