"""Who may give whom which role, remove whom, and what else asks for a role: over the API, and by SQL where a user
could try it there.
"""

from uuid import uuid4

import asyncpg
import pytest
from tests.auth.nordlicht import API, Nordlicht, nordlicht

from selify.auth import roles
from selify.core.errors import SelifyError
from selify.core.permissions import WorkspaceRole

__all__ = ["nordlicht"]

# who, does what, to whom, the answer. "another" has the same role as whoever asks.
TABLE = [
    ("olga", "admin", "max", 204),
    ("olga", "owner", "adam", 204),
    ("olga", "member", "another owner", 204),
    ("adam", "admin", "max", 204),
    ("adam", "owner", "max", 403),
    ("adam", "owner", "adam", 403),
    ("adam", "member", "another admin", 204),
    ("adam", "member", "olga", 403),
    ("adam", "remove", "olga", 403),
    ("adam", "remove", "another admin", 204),
    ("max", "admin", "max", 403),
    ("max", "member", "eva", 403),
    ("max", "remove", "eva", 403),
    ("max", "remove", "max", 204),
    ("adam", "member", "adam", 204),
    ("olga", "admin", "olga", 409),
    ("olga", "remove", "olga", 409),
]


async def _target(nordlicht: Nordlicht, whom: str) -> str:
    if not whom.startswith("another "):
        return whom
    await nordlicht.run(
        "UPDATE public.workspace_members SET role = $2 WHERE user_id = $1",
        nordlicht["eva"].id,
        whom.removeprefix("another "),
    )
    return "eva"


@pytest.mark.parametrize(("who", "what", "whom", "status"), TABLE)
async def test_over_the_api(nordlicht, who, what, whom, status) -> None:
    whom = await _target(nordlicht, whom)
    before = await nordlicht.roles()
    if what == "remove":
        answer = await nordlicht.remove(who, whom)
    else:
        answer = await nordlicht.make(who, what, whom)
    assert answer.status_code == status, answer.text
    wanted = {name: role for name, role in before.items() if (name, what) != (whom, "remove")}
    if what != "remove":
        wanted[whom] = what
    assert await nordlicht.roles() == (wanted if status == 204 else before)


@pytest.mark.parametrize(("who", "what", "whom", "status"), TABLE)
async def test_by_sql(nordlicht, who, what, whom, status) -> None:
    """Row level security, privileges and triggers say the same to a user who writes SQL."""
    whom = await _target(nordlicht, whom)
    before = await nordlicht.roles()
    statement = (
        "DELETE FROM public.workspace_members WHERE user_id = $1"
        if what == "remove"
        else f"UPDATE public.workspace_members SET role = '{what}' WHERE user_id = $1"
    )
    try:
        async with nordlicht.house.database.tx(nordlicht[who].actor) as tx:
            touched = await tx.execute(statement, nordlicht[whom].id)
    except (asyncpg.InsufficientPrivilegeError, asyncpg.CheckViolationError):
        touched = 0
    assert touched == (status == 204)
    assert (await nordlicht.roles() == before) is (status != 204)


@pytest.mark.parametrize("what", ["member", "admin", "owner", "remove", "read"])
@pytest.mark.parametrize("where", ["here", "nowhere"])
async def test_whoever_is_no_member_is_told_that_there_is_nothing(nordlicht, what, where) -> None:
    """The stranger owns another workspace. Here and nowhere look the same."""
    at = f"{API}/{nordlicht.id if where == 'here' else uuid4()}/members"
    stranger, target = nordlicht["stranger"], f"{at}/{nordlicht['max'].id}"
    match what:
        case "read":
            answer = await stranger.ask("GET", at)
        case "remove":
            answer = await stranger.ask("DELETE", target)
        case role:
            answer = await stranger.ask("PATCH", target, {"role": role})
    assert (answer.status_code, answer.json()["code"]) == (404, "workspace_not_found")


async def test_with_ones_own_workspace_and_somebody_elses_member(nordlicht) -> None:
    [theirs] = (await nordlicht["stranger"].ask("GET", API)).json()["workspaces"]
    target = f"{API}/{theirs['id']}/members/{nordlicht['max'].id}"
    for method, body in (("PATCH", {"role": "member"}), ("DELETE", None)):
        answer = await nordlicht["stranger"].ask(method, target, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "member_not_found")


DOES = {
    "delete the workspace": ("POST", "/delete", {"name": "Nordlicht"}),
    "hand over ownership": ("POST", "/ownership/offer", {"password": "correct horse battery"}),
}


@pytest.mark.parametrize("does", DOES)
@pytest.mark.parametrize(("who", "status"), [("adam", 403), ("max", 403), ("stranger", 404)])
async def test_what_only_an_owner_may(nordlicht, does, who, status) -> None:
    method, path, body = DOES[does]
    if does == "hand over ownership":
        body = {**body, "user_id": str(nordlicht["eva"].id)}
    assert await nordlicht.status(who, method, nordlicht.at(path), body) == status


async def test_members_read_each_others_addresses(nordlicht) -> None:
    found = (await nordlicht["max"].ask("GET", nordlicht.at("/members"))).json()["members"]
    assert "eva@example.com" in [member["email"] for member in found]


async def test_nobody_writes_permissions_into_their_row(nordlicht) -> None:
    """A row's permissions are asked by nobody, and still nobody writes them."""
    own = nordlicht.at(f"/members/{nordlicht['max'].id}")
    assert await nordlicht.status("max", "PATCH", own, {"permissions": ["*"]}) == 422
    assert await nordlicht.status("max", "PATCH", own, {"role": "member"}) == 403
    for who in ("max", "adam", "olga"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with nordlicht.house.database.tx(nordlicht[who].actor) as tx:
                await tx.execute("UPDATE public.workspace_members SET permissions = '[\"*\"]'")
    rows = await nordlicht.run("SELECT DISTINCT permissions FROM public.workspace_members")
    assert [row["permissions"] for row in rows] == [[]]


async def test_whoever_becomes_an_owner_stays_one(nordlicht) -> None:
    """A membership that was to run out would leave the workspace without its owner one day."""
    await nordlicht.run(
        "UPDATE public.workspace_members SET expires_at = now() + interval '1 day'"
        " WHERE user_id = $1",
        nordlicht["eva"].id,
    )
    assert (await nordlicht.make("olga", "owner", "eva")).status_code == 204
    [row] = await nordlicht.run(
        "SELECT role, expires_at FROM public.workspace_members WHERE user_id = $1",
        nordlicht["eva"].id,
    )
    assert tuple(row) == ("owner", None)


GIVES = {"owner": ["owner", "admin", "member"], "admin": ["admin", "member"], "member": []}


@pytest.mark.parametrize("giver", WorkspaceRole)
def test_nobody_gives_more_than_they_have(giver) -> None:
    assert [role.value for role in WorkspaceRole if roles.may_give(giver, role)] == GIVES[giver]
    assert all(giver.includes(roles.at_most(role, giver)) for role in WorkspaceRole)
    assert roles.at_most(WorkspaceRole.MEMBER, giver) is WorkspaceRole.MEMBER
    assert issubclass(roles.permissions.RoleTooLow, SelifyError)
