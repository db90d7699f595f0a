"""There is always an owner who can act: joined, neither banned nor deleted."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.auth.nordlicht import ADMIN, Nordlicht, nordlicht

from selify.auth.owners import check_leaves_none_alone
from selify.auth.workspaces import LastOwner
from selify.core.database import Actor

__all__ = ["nordlicht"]

SYSTEM = Actor.system("test")


async def ban(nordlicht: Nordlicht, whom: str, **more: object) -> dict[str, object]:
    until = nordlicht.house.clock.now() + timedelta(days=7)
    answer = await nordlicht["team"].ask(
        "PUT",
        f"{ADMIN}/users/{nordlicht[whom].id}/ban",
        {"until": until.isoformat(), "reason": "spam", **more},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def appoint(nordlicht: Nordlicht, whom: str) -> tuple[int, str]:
    answer = await nordlicht["team"].ask(
        "PUT", f"{ADMIN}/workspaces/{nordlicht.id}/owner", {"user_id": str(nordlicht[whom].id)}
    )
    return answer.status_code, answer.json().get("code", "")


async def check_deletion(nordlicht: Nordlicht, whom: str) -> None:
    async with nordlicht.house.database.tx(SYSTEM) as tx:
        await check_leaves_none_alone(tx, nordlicht[whom].id, now=nordlicht.house.clock.now())


async def owned_by(nordlicht: Nordlicht) -> str:
    [row] = await nordlicht.run(
        "SELECT split_part(u.email, '@', 1) AS name FROM public.workspaces w"
        " JOIN auth.users u ON u.id = w.owner_id WHERE w.id = $1",
        nordlicht.id,
    )
    name: str = row["name"]
    return name


async def test_the_only_owner_neither_leaves_nor_steps_down_nor_deletes_their_account(
    nordlicht,
) -> None:
    for answer in (
        await nordlicht.remove("olga", "olga"),
        await nordlicht.make("olga", "member", "olga"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    with pytest.raises(LastOwner, match="Nordlicht") as refusal:
        await check_deletion(nordlicht, "olga")
    assert (refusal.value.status, refusal.value.code) == (409, "last_owner")
    assert [one["name"] for one in refusal.value.extra["workspaces"]] == ["Nordlicht"]
    await check_deletion(nordlicht, "adam")


@pytest.mark.parametrize(
    "state",
    [
        "invited_at = now(), joined_at = NULL",
        "user_id = user_id",  # joined: what follows makes them unable to act
    ],
    ids=["only invited", "banned or deleted"],
)
async def test_an_owner_who_cannot_act_does_not_count(nordlicht, state) -> None:
    await nordlicht.run(
        f"UPDATE public.workspace_members SET role = 'owner', {state} WHERE user_id = $1",
        nordlicht["eva"].id,
    )
    for change in (
        "banned_until = now() + interval '1 day'",
        "banned_until = NULL, deleted_at = now()",
    ):
        if state.startswith("user_id"):
            await nordlicht.run(
                f"UPDATE auth.users SET {change} WHERE id = $1", nordlicht["eva"].id
            )
        assert (await nordlicht.remove("olga", "olga")).json()["code"] == "last_owner"
        assert (await nordlicht.make("olga", "admin", "olga")).json()["code"] == "last_owner"
        with pytest.raises(LastOwner):
            await check_deletion(nordlicht, "olga")


async def test_an_owner_whose_ban_is_over_counts_again(nordlicht) -> None:
    await nordlicht.make("olga", "owner", "eva")
    await nordlicht.run(
        "UPDATE auth.users SET banned_until = now() - interval '1 second' WHERE id = $1",
        nordlicht["eva"].id,
    )
    assert (await nordlicht.remove("olga", "olga")).status_code == 204
    assert await owned_by(nordlicht) == "eva"


@pytest.mark.parametrize("how", ["leave", "step down", "each removes the other"])
async def test_two_owners_at_once_leave_one(nordlicht, how) -> None:
    for _ in range(4):
        await nordlicht.run(
            "UPDATE public.workspace_members SET role = 'owner' WHERE user_id = ANY ($1)",
            [nordlicht["olga"].id, nordlicht["eva"].id],
        )
        match how:
            case "leave":
                pairs = nordlicht.remove("olga", "olga"), nordlicht.remove("eva", "eva")
            case "step down":
                pairs = (
                    nordlicht.make("olga", "member", "olga"),
                    nordlicht.make("eva", "member", "eva"),
                )
            case _:
                pairs = nordlicht.remove("olga", "eva"), nordlicht.remove("eva", "olga")
        answers = await asyncio.gather(*pairs)
        codes = sorted(answer.status_code for answer in answers)
        # Who was just removed is no member any more.
        assert codes in ([204, 409], [204, 404], [204, 403]), [answer.text for answer in answers]
        owners = [name for name, role in (await nordlicht.roles()).items() if role == "owner"]
        assert len(owners) == 1
        assert await owned_by(nordlicht) == owners[0]
        for name in ("olga", "eva"):
            if name not in await nordlicht.roles():
                await nordlicht.add(name, "owner")


async def test_two_owners_who_leave_at_once_are_answered_204_and_409(nordlicht) -> None:
    await nordlicht.make("olga", "owner", "eva")
    answers = await asyncio.gather(nordlicht.remove("olga", "olga"), nordlicht.remove("eva", "eva"))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert refused.json()["code"] == "last_owner"


async def test_two_owners_who_delete_their_accounts_at_once_do_not_both(nordlicht) -> None:
    await nordlicht.make("olga", "owner", "eva")

    async def delete(name: str) -> str:
        async with nordlicht.house.database.tx(SYSTEM) as tx:
            try:
                await check_leaves_none_alone(
                    tx, nordlicht[name].id, now=nordlicht.house.clock.now()
                )
            except LastOwner:
                return "last_owner"
            await tx.execute(
                "UPDATE auth.users SET deleted_at = now() - interval '1 hour' WHERE id = $1",
                nordlicht[name].id,
            )
            return "gone"

    assert sorted(await asyncio.gather(delete("olga"), delete("eva"))) == ["gone", "last_owner"]


async def test_the_team_bans_the_only_owner_and_appoints_another(nordlicht) -> None:
    banned = await ban(nordlicht, "olga")
    assert [one["name"] for one in banned["ownerless"]] == ["Nordlicht"]
    assert len(await nordlicht.told("workspace_without_acting_owner")) == 1
    assert await nordlicht.status("max", "GET", nordlicht.at("/members")) == 200
    assert (await nordlicht.make("adam", "admin", "max")).status_code == 204
    for path, body in (
        ("/delete", {"name": "Nordlicht"}),
        ("/ownership/offer", {"user_id": str(nordlicht["eva"].id), "password": "x"}),
    ):
        assert await nordlicht.status("adam", "POST", nordlicht.at(path), body) == 403
        assert await nordlicht.status("olga", "POST", nordlicht.at(path), body) == 401

    assert await appoint(nordlicht, "stranger") == (404, "member_not_found")
    assert await appoint(nordlicht, "adam") == (200, "")
    assert (await nordlicht.roles())["adam"] == "owner"
    assert await owned_by(nordlicht) == "adam"
    assert "owner_appointed" in await nordlicht.audited()
    [notice] = await nordlicht.told("you_are_owner")
    assert notice["only"] == str(nordlicht["adam"].id)
    assert await appoint(nordlicht, "eva") == (409, "owner_can_act")
    # Whoever could not act may be taken out of office now.
    assert (await nordlicht.make("adam", "member", "olga")).status_code == 204


async def test_banning_one_of_two_owners_leaves_the_other_alone_with_it(nordlicht) -> None:
    await nordlicht.make("olga", "owner", "eva")
    assert (await ban(nordlicht, "olga"))["ownerless"] == []
    assert await nordlicht.told("workspace_without_acting_owner") == []
    assert (await nordlicht.remove("eva", "eva")).json()["code"] == "last_owner"
    assert await appoint(nordlicht, "adam") == (409, "owner_can_act")


async def test_an_owner_banned_while_the_other_leaves_is_noticed(nordlicht) -> None:
    """Whichever comes first, either the other stays or the team is told."""
    for _ in range(4):
        await nordlicht.run("DELETE FROM internal.outbox")
        await nordlicht.run("UPDATE auth.users SET banned_until = NULL")
        await nordlicht.run(
            "UPDATE public.workspace_members SET role = 'owner' WHERE user_id = ANY ($1)",
            [nordlicht["olga"].id, nordlicht["eva"].id],
        )
        nordlicht.house.clock.advance(timedelta(seconds=1))
        left, _ = await asyncio.gather(nordlicht.remove("eva", "eva"), ban(nordlicht, "olga"))
        told = len(await nordlicht.told("workspace_without_acting_owner"))
        assert (left.status_code, told) in [(409, 0), (204, 1)]
        if left.status_code == 204:
            await nordlicht.add("eva", "owner")


async def test_who_is_suspended_is_appointed_nowhere(nordlicht) -> None:
    await ban(nordlicht, "olga")
    await ban(nordlicht, "adam")
    assert await appoint(nordlicht, "adam") == (404, "member_not_found")


@pytest.mark.parametrize("who", ["olga", "adam", "max", "stranger"])
async def test_for_everybody_else_the_teams_addresses_are_not_there(nordlicht, who) -> None:
    later = (nordlicht.house.clock.now() + timedelta(days=1)).isoformat()
    user = f"{ADMIN}/users/{nordlicht['max'].id}/ban"
    for method, path, body in (
        ("PUT", user, {"until": later, "reason": "spam"}),
        ("DELETE", user, None),
        ("PUT", f"{ADMIN}/workspaces/{nordlicht.id}/owner", {"user_id": str(uuid4())}),
    ):
        answer = await nordlicht[who].ask(method, path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        async with nordlicht.house.client() as visitor:
            assert (await visitor.request(method, path, json=body)).status_code == 404
    assert await nordlicht.audited() == []


async def test_whoever_leaves_the_team_loses_its_doors_at_once(nordlicht) -> None:
    await nordlicht.run("UPDATE auth.users SET raw_app_meta_data = '{}'")
    assert (await appoint(nordlicht, "adam"))[0] == 404
