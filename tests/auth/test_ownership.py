"""Ownership is handed over: an offer with the password, an acceptance, and nothing in between."""

import asyncio
from datetime import timedelta

import pytest
from tests.auth.nordlicht import ADMIN, PASSWORD, Nordlicht, nordlicht

from selify.auth.ownership import OPEN_FOR

__all__ = ["nordlicht"]


async def offer(nordlicht: Nordlicht, to: str, *, by: str = "olga", password: str = PASSWORD):
    return await nordlicht[by].ask(
        "POST",
        nordlicht.at("/ownership/offer"),
        {"user_id": str(nordlicht[to].id), "password": password},
    )


async def accept(nordlicht: Nordlicht, who: str) -> tuple[int, str]:
    answer = await nordlicht[who].ask("POST", nordlicht.at("/ownership/accept"))
    return answer.status_code, answer.json().get("code", "")


async def seen(nordlicht: Nordlicht, who: str) -> str | None:
    """Whom the open offer is made to, as that person sees it."""
    found = (await nordlicht[who].ask("GET", nordlicht.at("/ownership"))).json()["offer"]
    names = {str(person.id): name for name, person in nordlicht.people.items()}
    return names[found["offered_to"]] if found else None


async def owner(nordlicht: Nordlicht) -> tuple[str, str, bool]:
    """Who owns it, who is billed, and whether credits are bought by card."""
    [row] = await nordlicht.run(
        "SELECT split_part(u.email, '@', 1) AS name, s.enabled FROM public.workspaces w"
        " JOIN auth.users u ON u.id = w.owner_id"
        " JOIN public.workspace_auto_reload_settings s ON s.workspace_id = w.id WHERE w.id = $1",
        nordlicht.id,
    )
    owners = [name for name, role in (await nordlicht.roles()).items() if role == "owner"]
    return ", ".join(owners), row["name"], row["enabled"]


MISSING = (404, "ownership_offer_missing")


async def test_from_offer_to_acceptance(nordlicht) -> None:
    await nordlicht.run("UPDATE public.workspace_auto_reload_settings SET enabled = true")
    wrong = await offer(nordlicht, "adam", password="not the password")
    assert (wrong.status_code, wrong.json()["code"]) == (403, "password_wrong")
    assert await seen(nordlicht, "olga") is None

    asked = await offer(nordlicht, "adam")
    assert asked.status_code == 202
    assert await owner(nordlicht) == ("olga", "olga", True)
    [notice] = await nordlicht.told("asked_to_own")
    assert notice["only"] == str(nordlicht["adam"].id)
    assert [await seen(nordlicht, who) for who in ("olga", "adam", "eva")] == ["adam", "adam", None]

    assert (await nordlicht.remove("olga", "adam")).status_code == 204
    assert await seen(nordlicht, "olga") is None
    assert (await accept(nordlicht, "adam"))[0] == 404
    await nordlicht.add("adam", "admin")
    assert await accept(nordlicht, "adam") == MISSING, "void for good"

    assert (await offer(nordlicht, "adam")).status_code == 202
    answers = await asyncio.gather(accept(nordlicht, "adam"), accept(nordlicht, "adam"))
    assert sorted(answers) == [(200, ""), (409, "already_owner")]
    assert await owner(nordlicht) == ("adam", "adam", False)
    assert (await nordlicht.roles())["olga"] == "admin"
    assert await nordlicht.audited() == ["ownership_handed_over"]
    assert len(await nordlicht.told("ownership_handed_over")) == 1


async def test_everybody_else_accepts_nothing(nordlicht) -> None:
    await offer(nordlicht, "adam")
    for who, answer in (
        ("max", MISSING),
        ("eva", MISSING),
        ("stranger", (404, "workspace_not_found")),
        ("olga", (409, "already_owner")),
    ):
        assert await accept(nordlicht, who) == answer
    assert await owner(nordlicht) == ("olga", "olga", False)
    assert (await accept(nordlicht, "adam"))[0] == 200


@pytest.mark.parametrize(
    ("to", "status", "code"),
    [
        ("stranger", 404, "member_not_found"),
        ("olga", 409, "already_owner"),
        ("eva", 202, ""),
    ],
)
async def test_whom_it_is_offered_to(nordlicht, to, status, code) -> None:
    answer = await offer(nordlicht, to)
    assert (answer.status_code, answer.json().get("code", "")) == (status, code)


async def test_who_was_only_invited_or_is_suspended_is_asked_nothing(nordlicht) -> None:
    await nordlicht.run(
        "UPDATE public.workspace_members SET joined_at = NULL, invited_at = now()"
        " WHERE user_id = $1",
        nordlicht["eva"].id,
    )
    await nordlicht.run(
        "UPDATE auth.users SET banned_until = now() + interval '1 day' WHERE id = $1",
        nordlicht["max"].id,
    )
    for name in ("eva", "max"):
        assert (await offer(nordlicht, name)).json()["code"] == "member_not_found"


@pytest.mark.parametrize("who", ["adam", "max", "stranger"])
async def test_only_an_owner_offers_whatever_the_password(nordlicht, who) -> None:
    answer = await offer(nordlicht, "eva", by=who)
    assert answer.status_code == (404 if who == "stranger" else 403)
    assert answer.json()["code"] != "password_wrong"
    assert await nordlicht.told("asked_to_own") == []


async def test_guessing_the_password_is_slowed_down(nordlicht) -> None:
    codes = [(await offer(nordlicht, "adam", password="guess")).status_code for _ in range(11)]
    assert codes == [403] * 10 + [429]
    assert (await offer(nordlicht, "adam")).status_code == 429
    nordlicht.house.clock.advance(timedelta(minutes=15))
    assert (await offer(nordlicht, "adam")).status_code == 202


async def demoted(nordlicht: Nordlicht) -> None:
    await nordlicht.make("eva", "member", "olga")


async def left(nordlicht: Nordlicht) -> None:
    await nordlicht.remove("olga", "olga")


async def banned(nordlicht: Nordlicht) -> None:
    until = (nordlicht.house.clock.now() + timedelta(days=1)).isoformat()
    answer = await nordlicht["team"].ask(
        "PUT",
        f"{ADMIN}/users/{nordlicht['olga'].id}/ban",
        {"until": until, "reason": "spam"},
    )
    assert answer.status_code == 200


async def took_it_back(nordlicht: Nordlicht) -> None:
    assert await nordlicht.status("olga", "DELETE", nordlicht.at("/ownership/offer")) == 204


async def asked_another(nordlicht: Nordlicht) -> None:
    await offer(nordlicht, "max")


async def waited(nordlicht: Nordlicht) -> None:
    nordlicht.house.clock.advance(OPEN_FOR)


async def deleted_and_restored(nordlicht: Nordlicht) -> None:
    name = {"name": "Nordlicht"}
    assert await nordlicht.status("olga", "POST", nordlicht.at("/delete"), name) == 204
    assert (await accept(nordlicht, "adam"))[0] == 404
    assert await nordlicht.status("olga", "POST", nordlicht.at("/restore")) == 204


@pytest.mark.parametrize(
    "happens", [demoted, left, banned, took_it_back, asked_another, waited, deleted_and_restored]
)
async def test_what_makes_an_offer_void(nordlicht, happens) -> None:
    """With another owner, so that the first may go."""
    await nordlicht.make("olga", "owner", "eva")
    assert (await offer(nordlicht, "adam")).status_code == 202
    await happens(nordlicht)
    assert await accept(nordlicht, "adam") == MISSING
    assert (await nordlicht.roles())["adam"] == "admin"


async def test_who_was_asked_declines(nordlicht) -> None:
    await offer(nordlicht, "adam")
    for who, status in (("max", 404), ("adam", 204), ("adam", 404)):
        assert await nordlicht.status(who, "DELETE", nordlicht.at("/ownership/offer")) == status
    assert await accept(nordlicht, "adam") == MISSING


@pytest.mark.parametrize("meanwhile", ["adam is removed", "olga leaves", "it is deleted"])
async def test_accepted_at_the_moment_when_something_else_happens(nordlicht, meanwhile) -> None:
    """Either comes first, and none waits for the other for ever."""
    await nordlicht.make("olga", "owner", "eva")
    for _ in range(3):
        assert (await offer(nordlicht, "adam")).status_code == 202
        match meanwhile:
            case "adam is removed":
                other = nordlicht.remove("eva", "adam")
            case "olga leaves":
                other = nordlicht.remove("olga", "olga")
            case _:
                other = nordlicht["eva"].ask("POST", nordlicht.at("/delete"), {"name": "Nordlicht"})
        (status, _), answer = await asyncio.gather(accept(nordlicht, "adam"), other)
        assert status in (200, 404), status
        assert answer.status_code in (204, 403, 404), answer.text
        await nordlicht.run("UPDATE public.workspaces SET deleted_at = NULL")
        await nordlicht.run(
            "DELETE FROM public.workspace_members WHERE user_id = $1", nordlicht["adam"].id
        )
        await nordlicht.add("adam", "admin")
        if "olga" not in await nordlicht.roles():
            await nordlicht.add("olga", "owner")
        await nordlicht.run(
            "UPDATE public.workspace_members SET role = 'owner' WHERE user_id = ANY ($1)",
            [nordlicht["olga"].id, nordlicht["eva"].id],
        )


async def test_a_third_owner_stays_one(nordlicht) -> None:
    await nordlicht.make("olga", "owner", "eva")
    await offer(nordlicht, "adam")
    assert (await accept(nordlicht, "adam"))[0] == 200
    assert await owner(nordlicht) == ("adam, eva", "adam", False)
