import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from selify.auth import (
    KEPT_FOR,
    WorkspaceRole,
    access_workspace,
    begin_forgetting,
    list_workspaces,
    permissions,
    workspaces,
)
from selify.core.database import Actor
from selify.core.errors import Unauthenticated
from selify.core.permissions import Permission

API = "/api/v1/workspaces"
SYSTEM = Actor.system("test")


class Person:
    """Someone with an account and a browser."""

    def __init__(self, client, answer):
        self.client = client
        self.id = UUID(answer["user"]["id"])
        self.actor = Actor.user(self.id)

    async def make(self, name="Nordlicht", **more):
        answer = await self.client.post(API, json={"name": name}, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def roles(self, workspace_id):
        answer = await self.client.get(f"{API}/{workspace_id}/members")
        assert answer.status_code == 200, answer.text
        return {m["email"].split("@")[0]: m["role"] for m in answer.json()["members"]}

    async def change(self, workspace_id, other, role):
        url = f"{API}/{workspace_id}/members/{other.id}"
        return _outcome(await self.client.patch(url, json={"role": role}))

    async def remove(self, workspace_id, other):
        return _outcome(await self.client.delete(f"{API}/{workspace_id}/members/{other.id}"))


def _outcome(answer):
    return "done" if answer.status_code == 204 else answer.json()["code"]


@pytest.fixture
async def people(container, joined):
    """owner, admin, member and stranger; the first three share a workspace."""
    found, clients = {}, []
    for name in ("owner", "admin", "member", "stranger"):
        clients.append(client := container.client())
        found[name] = Person(client, await joined(client, f"{name}@example.com"))
    yield found
    for client in clients:
        await client.aclose()


@pytest.fixture
async def workspace(container, people):
    made = await people["owner"].make()
    for role in ("admin", "member"):
        await container.run(
            "INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)"
            " VALUES ($1, $2, $3, now())",
            UUID(made["id"]),
            people[role].id,
            role,
        )
    return made["id"]


async def test_a_workspace_is_born_whole(container, people):
    made = await people["owner"].make("  Été & Co.  ", headers={})
    assert (made["name"], made["slug"], made["role"]) == ("Été & Co.", "ete-co", "owner")
    assert (await people["owner"].client.get(API)).json() == {"workspaces": [made]}
    [born] = await container.run(
        "SELECT (SELECT count(*) FROM public.workspace_quotas) AS quotas,"
        " (SELECT count(*) FROM public.workspace_payg_balance) AS balances,"
        " (SELECT role FROM public.workspace_members) AS role"
    )
    assert tuple(born) == (1, 1, "owner")


async def test_nobody_sees_another_ones_workspace(people, workspace):
    stranger = people["stranger"]
    assert (await stranger.client.get(API)).json() == {"workspaces": []}
    seen = await stranger.client.get(f"{API}/{workspace}/members")
    unknown = await stranger.client.get(f"{API}/{uuid4()}/members")
    assert seen.status_code == unknown.status_code == 404
    assert seen.json()["code"] == unknown.json()["code"] == "workspace_not_found"
    assert await stranger.change(workspace, people["member"], "admin") == "workspace_not_found"
    assert await stranger.remove(workspace, people["member"]) == "workspace_not_found"


async def test_a_taken_slug_gets_a_suffix(people):
    first, second = await people["owner"].make(), await people["stranger"].make()
    assert first["slug"] == "nordlicht"
    assert second["slug"].startswith("nordlicht-")


async def test_asking_twice_with_one_key_makes_one_workspace(container, people):
    key = {"Idempotency-Key": "order-1"}
    owner = people["owner"]
    first = await owner.make(headers=key)
    assert await owner.make(headers=key) == first
    another = await owner.client.post(API, json={"name": "Südlicht"}, headers=key)
    assert (another.status_code, another.json()["code"]) == (409, "idempotency_mismatch")
    theirs = await people["stranger"].make(headers=key)  # keys belong to who sends them
    assert theirs["id"] != first["id"]
    assert len(await container.run("SELECT 1 FROM public.workspaces")) == 2


async def test_asking_twice_at_once_with_one_key_makes_one_workspace(container, people):
    key = {"Idempotency-Key": "order-1"}
    answers = await asyncio.gather(*(people["owner"].make(headers=key) for _ in range(5)))
    assert len({answer["id"] for answer in answers}) == 1
    assert len(await container.run("SELECT 1 FROM public.workspaces")) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 121},
        {"name": "nul\x00"},
        {"name": "line\nbreak"},
        {"name": "ok", "slug": "Not A Slug"},
        {"name": "ok", "slug": "-x"},
        {"name": "ok", "slug": "x\n"},
        {"name": "ok", "description": "nul\x00"},
        {"name": "ok", "owner_id": "00000000-0000-4000-8000-000000000000"},
        {"name": 5},
        [],
    ],
    ids=range(12),
)
async def test_hostile_workspaces_are_refused(container, people, body):
    answer = await people["owner"].client.post(API, json=body)
    assert answer.status_code == 422, answer.text
    assert not await container.run("SELECT 1 FROM public.workspaces")


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", b"\xfc"])
async def test_hostile_keys_are_refused(people, key):
    answer = await people["owner"].client.post(
        API, json={"name": "Nordlicht"}, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == 422


async def test_visitors_make_and_see_nothing(container):
    async with container.client() as visitor:
        for answer in (
            await visitor.get(API),
            await visitor.post(API, json={"name": "Nordlicht"}),
            await visitor.get(f"{API}/{uuid4()}/members"),
        ):
            assert answer.status_code == 401


async def test_members_see_each_other(people, workspace):
    everyone = {"owner": "owner", "admin": "admin", "member": "member"}
    for name in everyone:
        assert await people[name].roles(workspace) == everyone


ROLE_CHANGES = [
    ("owner", "member", "admin", "done"),
    ("owner", "member", "owner", "done"),
    ("owner", "admin", "member", "done"),
    ("admin", "member", "admin", "done"),
    ("admin", "member", "owner", "role_too_low"),
    ("admin", "owner", "member", "role_too_low"),
    ("admin", "admin", "owner", "role_too_low"),
    ("member", "member", "owner", "role_too_low"),
    ("member", "admin", "member", "role_too_low"),
    ("owner", "stranger", "admin", "member_not_found"),
    ("owner", "owner", "member", "last_owner"),
]


@pytest.mark.parametrize(("who", "whom", "role", "outcome"), ROLE_CHANGES)
async def test_who_may_change_whose_role(people, workspace, who, whom, role, outcome):
    assert await people[who].change(workspace, people[whom], role) == outcome
    if outcome == "done":
        assert (await people["owner"].roles(workspace))[whom] == role


REMOVALS = [
    ("owner", "member", "done"),
    ("owner", "admin", "done"),
    ("admin", "member", "done"),
    ("member", "member", "done"),
    ("admin", "owner", "role_too_low"),
    ("member", "admin", "role_too_low"),
    ("owner", "stranger", "member_not_found"),
    ("owner", "owner", "last_owner"),
]


@pytest.mark.parametrize(("who", "whom", "outcome"), REMOVALS)
async def test_who_may_remove_whom(people, workspace, who, whom, outcome):
    assert await people[who].remove(workspace, people[whom]) == outcome
    assert (whom not in await people["owner"].roles(workspace)) is (
        outcome == "done" or whom == "stranger"
    )


async def test_two_owners_leaving_at_once_leave_one(people, workspace):
    owner, admin = people["owner"], people["admin"]
    assert await owner.change(workspace, admin, "owner") == "done"
    outcomes = await asyncio.gather(owner.remove(workspace, owner), admin.remove(workspace, admin))
    assert sorted(outcomes) == ["done", "last_owner"]


@pytest.mark.parametrize("role", ["superuser", "", None, "OWNER", "owner\x00"])
async def test_invented_roles_are_refused(people, workspace, role):
    url = f"{API}/{workspace}/members/{people['member'].id}"
    assert (await people["owner"].client.patch(url, json={"role": role})).status_code == 422


@pytest.mark.parametrize(
    "state",
    [
        "joined_at = NULL, invited_at = now()",
        "expires_at = now() - interval '1 second'",
    ],
)
async def test_invited_and_expired_members_have_no_access(container, people, workspace, state):
    member = people["member"]
    await container.run(f"UPDATE public.workspace_members SET {state} WHERE role = 'member'")
    for actor, user_id in ((member.actor, None), (SYSTEM, member.id)):
        async with container.database.tx(actor) as tx:
            assert await list_workspaces(tx, user_id=user_id) == []
            with pytest.raises(workspaces.WorkspaceNotFound):
                await access_workspace(tx, UUID(workspace), user_id=user_id)


async def test_access_promises_a_role(container, people, workspace):
    for name in ("owner", "admin", "member"):
        has = WorkspaceRole(name)
        for needed in WorkspaceRole:
            permission = Permission("test.roles.have", needed, "have this role")
            async with container.database.tx(people[name].actor) as tx:
                if has.includes(needed):
                    found = await access_workspace(tx, UUID(workspace), permission)
                    assert found.role is has
                else:
                    with pytest.raises(permissions.RoleTooLow):
                        await access_workspace(tx, UUID(workspace), permission)


async def test_a_system_transaction_must_say_for_whom(container, workspace):
    async with container.database.tx(SYSTEM) as tx:
        with pytest.raises(Unauthenticated):
            await access_workspace(tx, UUID(workspace))


async def test_deleted_workspaces_are_gone(container, people, workspace):
    await container.run("UPDATE public.workspaces SET deleted_at = now()")
    assert (await people["owner"].client.get(API)).json() == {"workspaces": []}
    answer = await people["owner"].client.get(f"{API}/{workspace}/members")
    assert answer.status_code == 404


# Deleting


async def _delete(person, workspace_id, name="Nordlicht"):
    url = f"{API}/{workspace_id}/delete"
    return _outcome(await person.client.post(url, json={"name": name}))


async def test_only_an_owner_who_types_the_name_deletes_a_workspace(people, workspace, container):
    for name, code in (
        ("admin", "role_too_low"),
        ("member", "role_too_low"),
        ("stranger", "workspace_not_found"),
    ):
        assert await _delete(people[name], workspace) == code
    assert await _delete(people["owner"], workspace, "nordlicht") == "name_differs"
    assert await _delete(people["owner"], workspace, " Nordlicht ") == "done"
    for person in people.values():
        answer = await person.client.get(f"{API}/{workspace}/members")
        assert answer.json()["code"] == "workspace_not_found"
    assert await _delete(people["owner"], workspace) == "workspace_not_found"


async def test_two_owners_who_delete_at_once_delete_it_once(people, workspace, container):
    await container.run("UPDATE public.workspace_members SET role = 'owner' WHERE role = 'admin'")
    done = await asyncio.gather(*(_delete(people[name], workspace) for name in ("owner", "admin")))
    assert sorted(done) == ["done", "workspace_not_found"]
    assert (
        len(await container.run("SELECT FROM internal.jobs WHERE workspace_id = $1", workspace))
        == 1
    )


async def test_what_is_deleted_falls_silent_in_the_same_moment(people, workspace, container):
    other = (await people["stranger"].make("Andere"))["id"]
    for brand in (workspace, other):
        await container.run(
            "INSERT INTO public.connected_social_accounts (workspace_id, platform,"
            " platform_account_id, access_token) VALUES ($1, 'instagram', $1::uuid::text, 'sealed')",
            brand,
        )
        await container.run(
            "UPDATE public.workspace_auto_reload_settings SET enabled = true WHERE workspace_id = $1",
            brand,
        )
        await container.run(
            "INSERT INTO internal.jobs (kind, key, workspace_id) VALUES ('tryon', $1::uuid::text, $1)",
            brand,
        )
    await container.run(
        "INSERT INTO public.workspace_members (workspace_id, user_id, role, invited_at)"
        " VALUES ($1, $2, 'member', now())",
        workspace,
        people["stranger"].id,
    )
    assert await _delete(people["owner"], workspace) == "done"
    state = """
        SELECT (SELECT status FROM public.connected_social_accounts WHERE workspace_id = w.id),
               (SELECT enabled FROM public.workspace_auto_reload_settings WHERE workspace_id = w.id),
               (SELECT state FROM internal.jobs WHERE workspace_id = w.id AND kind = 'tryon'),
               (SELECT count(*) FROM public.workspace_members
                 WHERE workspace_id = w.id AND joined_at IS NULL AND invited_at IS NOT NULL),
               (SELECT payload -> 'everyone' FROM internal.outbox
                 WHERE workspace_id = w.id AND channel = 'notice')
          FROM public.workspaces w WHERE w.id = $1
    """
    assert [tuple(row) for row in await container.run(state, workspace)] == [
        ("disconnected", False, "cancelled", 0, True)
    ]
    assert [tuple(row) for row in await container.run(state, other)] == [
        ("active", True, "queued", 0, None)
    ]


async def test_a_holding_with_brands_is_not_deleted(people, workspace, container):
    await container.run(
        "UPDATE public.workspaces SET is_holding_company = true WHERE id = $1", workspace
    )
    await container.run(
        "INSERT INTO public.workspaces (name, slug, owner_id, parent_workspace_id)"
        " VALUES ('Brand', 'brand', $1, $2)",
        people["owner"].id,
        workspace,
    )
    assert await _delete(people["owner"], workspace) == "holds_brands"
    [left] = await container.run(
        "SELECT deleted_at FROM public.workspaces WHERE id = $1", workspace
    )
    assert left["deleted_at"] is None


@pytest.mark.parametrize("typed", ["Cafe\u0301  Été", "\tCafé Été"])
async def test_a_name_is_typed_in_any_spelling_that_looks_the_same(people, typed):
    made = await people["owner"].make("Café Été")
    assert await _delete(people["owner"], made["id"], typed) == "done"


# Bringing back


async def _restore(person, workspace_id):
    return _outcome(await person.client.post(f"{API}/{workspace_id}/restore"))


async def _age(container, by):
    """The deletion was so much earlier; whoever deleted is still signed in."""
    await container.run("UPDATE public.workspaces SET deleted_at = deleted_at - $1::interval", by)


async def _deleted(person):
    answer = await person.client.get(f"{API}/deleted")
    return [(one["id"], one["role"]) for one in answer.json()["workspaces"]]


async def test_an_owner_brings_a_workspace_back_within_thirty_days(container, people, workspace):
    before = (await people["owner"].client.get(API)).json()
    assert await _delete(people["owner"], workspace) == "done"
    await _age(container, KEPT_FOR - timedelta(seconds=1))
    for name, outcome in (
        ("stranger", "workspace_not_found"),
        ("member", "role_too_low"),
        ("admin", "role_too_low"),
    ):
        assert await _restore(people[name], workspace) == outcome
        assert await _deleted(people[name]) == [(workspace, name)][: name != "stranger"]
    for _ in range(2):  # pressed twice
        assert await _restore(people["owner"], workspace) == "done"
    assert (await people["owner"].client.get(API)).json() == before
    assert await people["member"].roles(workspace)
    assert await _deleted(people["owner"]) == []
    told = await container.run(
        "SELECT payload ->> 'kind' AS kind FROM internal.outbox"
        " WHERE (payload -> 'everyone')::boolean ORDER BY id"
    )
    assert [row["kind"] for row in told] == ["workspace_deleted", "workspace_restored"]


async def test_after_thirty_days_nobody_brings_it_back(container, people, workspace):
    assert await _delete(people["owner"], workspace) == "done"
    await _age(container, KEPT_FOR)
    assert await _restore(people["owner"], workspace) == "workspace_forgotten"
    assert await _deleted(people["owner"]) == []


async def test_whose_forgetting_has_begun_is_gone_whatever_the_clock_says(
    container, people, workspace
):
    async def begin(deleted_at):
        async with container.database.tx(SYSTEM) as tx:
            return await begin_forgetting(
                tx, UUID(workspace), deleted_at=deleted_at, now=container.clock.now()
            )

    assert await _delete(people["owner"], workspace) == "done"
    assert not await begin(container.clock.now() - timedelta(days=40))  # another deletion's
    assert await _restore(people["owner"], workspace) == "done"
    assert not await begin(container.clock.now())
    assert await _delete(people["owner"], workspace) == "done"
    assert await begin(container.clock.now())
    assert await _restore(people["owner"], workspace) == "workspace_forgotten"
    assert await _deleted(people["owner"]) == []


@pytest.mark.parametrize("holding_too", [True, False])
async def test_a_brand_comes_back_to_its_holding_or_alone(
    container, people, workspace, holding_too
):
    brand = (await people["owner"].make("Brand"))["id"]
    await container.run(
        "UPDATE public.workspaces SET is_holding_company = true WHERE id = $1", workspace
    )
    await container.run(
        "UPDATE public.workspaces SET parent_workspace_id = $2 WHERE id = $1", brand, workspace
    )
    assert await _delete(people["owner"], brand, "Brand") == "done"
    if holding_too:
        assert await _delete(people["owner"], workspace) == "done"
    assert await _restore(people["owner"], brand) == "done"
    [row] = await container.run(
        "SELECT parent_workspace_id FROM public.workspaces WHERE id = $1", brand
    )
    assert row["parent_workspace_id"] == (None if holding_too else UUID(workspace))


async def test_no_brand_comes_back_to_a_holding_that_is_just_deleted(container, people, workspace):
    brand = (await people["owner"].make("Brand"))["id"]
    await container.run(
        "UPDATE public.workspaces SET is_holding_company = true WHERE id = $1", workspace
    )
    for _ in range(5):
        await container.run(
            "UPDATE public.workspaces SET deleted_at = NULL, parent_workspace_id = NULL"
        )
        await container.run(
            "UPDATE public.workspaces SET parent_workspace_id = $2 WHERE id = $1", brand, workspace
        )
        assert await _delete(people["owner"], brand, "Brand") == "done"
        await asyncio.gather(_restore(people["owner"], brand), _delete(people["owner"], workspace))
        assert not await container.run(
            "SELECT FROM public.workspaces b JOIN public.workspaces h"
            " ON h.id = b.parent_workspace_id"
            " WHERE b.deleted_at IS NULL AND h.deleted_at IS NOT NULL"
        )
        container.clock.advance(timedelta(seconds=1))
