"""Workspaces are born whole, keep an owner, and form a tree of depth one."""

import asyncio

import asyncpg
import pytest
from tests.infra.worlds import act, add_member, new_workspace, refusal_of, sign_up

from selify.core.database import Actor

SYSTEM = Actor.system("test")
CREATE = "SELECT * FROM public.create_workspace_with_owner($1)"


async def test_a_user_makes_a_workspace_with_everything_it_needs(db: asyncpg.Connection) -> None:
    user = await sign_up(db, "founder")
    await act(db, Actor.user(user))
    made = await db.fetchrow(CREATE, "  Été & Co.  ")
    assert (made["name"], made["slug"], made["owner_id"]) == ("Été & Co.", "ete-co", user)
    seen = await db.fetchrow(
        "SELECT (SELECT role FROM public.workspace_members WHERE workspace_id = $1) AS role,"
        " (SELECT weekly_credits_limit FROM public.workspace_quotas WHERE workspace_id = $1) AS week,"
        " (SELECT balance_micro_units FROM public.workspace_payg_balance WHERE workspace_id = $1) AS balance,"
        " (SELECT enabled FROM public.workspace_auto_reload_settings WHERE workspace_id = $1) AS reload,"
        " (SELECT settings ->> 'credits_enabled' FROM public.workspaces WHERE id = $1) AS credits",
        made["id"],
    )
    assert dict(seen) == {
        "role": "owner", "week": 10_000, "balance": 0, "reload": False, "credits": "true",
    }  # fmt: skip


async def test_a_plain_insert_makes_the_same(db: asyncpg.Connection) -> None:
    user = await sign_up(db, "founder")
    await act(db, Actor.user(user))
    await db.execute(
        "INSERT INTO public.workspaces (name, slug, owner_id) VALUES ('B', 'b', $1)", user
    )
    assert await db.fetchval("SELECT count(*) FROM public.workspaces") == 1
    assert await db.fetchval("SELECT count(*) FROM public.workspace_quotas") == 1


async def test_the_free_week_comes_from_its_tier(db: asyncpg.Connection) -> None:
    await db.execute(
        "INSERT INTO public.subscription_tiers (slug, display_name, stripe_price_id,"
        " monthly_price_cents, monthly_tokens_micro, weekly_credits_limit)"
        " VALUES ('free', 'Free', 'none', 0, 0, 12345)"
        " ON CONFLICT (slug) DO UPDATE SET weekly_credits_limit = 12345"
    )
    workspace = await new_workspace(db, await sign_up(db, "founder"))
    limit = "SELECT weekly_credits_limit FROM public.workspace_quotas WHERE workspace_id = $1"
    assert await db.fetchval(limit, workspace) == 12345


async def test_slugs_that_are_taken_get_a_suffix(db: asyncpg.Connection) -> None:
    await act(db, Actor.user(await sign_up(db, "founder")))
    slugs = [
        (await db.fetchrow(CREATE, name))["slug"] for name in ("Brand", "brand!", "ブランド", "服")
    ]
    assert slugs[0] == "brand"
    assert slugs[1].startswith("brand-")
    assert slugs[2] == "workspace"
    assert slugs[3].startswith("workspace-")


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, None])
async def test_names_are_checked(db: asyncpg.Connection, name: str | None) -> None:
    await act(db, Actor.user(await sign_up(db, "founder")))
    error = await refusal_of(db, CREATE, name)
    assert isinstance(error, asyncpg.CheckViolationError)


async def test_nobody_makes_a_workspace_for_someone_else(db: asyncpg.Connection) -> None:
    someone, victim = await sign_up(db, "someone"), await sign_up(db, "victim")
    call = "SELECT public.create_workspace_with_owner('Brand', owner_id => $1)"
    await act(db, Actor.user(someone))
    assert isinstance(await refusal_of(db, call, victim), asyncpg.InsufficientPrivilegeError)
    await act(db, Actor.visitor())
    assert isinstance(await refusal_of(db, call, victim), asyncpg.InsufficientPrivilegeError)
    await act(db, SYSTEM)
    assert isinstance(await refusal_of(db, CREATE, "Brand"), asyncpg.InsufficientPrivilegeError)


async def test_the_claims_of_a_user_do_not_make_them_the_system(db: asyncpg.Connection) -> None:
    someone, victim = await sign_up(db, "someone"), await sign_up(db, "victim")
    await act(db, Actor.user(someone))
    await db.execute('SET LOCAL "request.jwt.claims" = \'{"role": "service_role"}\'')
    call = "SELECT public.create_workspace_with_owner('Brand', owner_id => $1)"
    assert isinstance(await refusal_of(db, call, victim), asyncpg.InsufficientPrivilegeError)


# Memberships ---------------------------------------------------------------------------------


async def test_what_a_user_adds_is_an_invitation(db: asyncpg.Connection) -> None:
    owner, friend = await sign_up(db, "owner"), await sign_up(db, "friend")
    workspace = await new_workspace(db, owner)
    await act(db, Actor.user(owner))
    await db.execute(
        "INSERT INTO public.workspace_members (workspace_id, user_id) VALUES ($1, $2)",
        workspace,
        friend,
    )
    await act(db, Actor.user(friend))
    seen = await db.fetchrow("SELECT invited_by, joined_at FROM public.workspace_members")
    assert dict(seen) == {"invited_by": owner, "joined_at": None}
    assert await db.fetchval("SELECT count(*) FROM public.workspaces") == 0
    await act(db, SYSTEM)
    await db.execute(
        "UPDATE public.workspace_members SET joined_at = now() WHERE user_id = $1", friend
    )
    await act(db, Actor.user(friend))
    assert await db.fetchval("SELECT id FROM public.workspaces") == workspace


@pytest.mark.parametrize(
    ("ending", "undoing"),
    [
        (
            "auth.users SET banned_until = now() + interval '1 hour'",
            "auth.users SET banned_until = NULL",
        ),
        ("auth.users SET deleted_at = now()", "auth.users SET deleted_at = NULL"),
        ("public.workspaces SET deleted_at = now()", "public.workspaces SET deleted_at = NULL"),
    ],
)
async def test_access_ends_at_once(db: asyncpg.Connection, ending: str, undoing: str) -> None:
    owner = await sign_up(db, "owner")
    await new_workspace(db, owner)
    for change, seen in ((ending, 0), (undoing, 1)):
        await db.execute(f"RESET ROLE; UPDATE {change}")
        await act(db, Actor.user(owner))
        assert await db.fetchval("SELECT count(*) FROM public.workspace_quotas") == seen


async def test_admins_do_not_touch_owners_or_become_one(db: asyncpg.Connection) -> None:
    owner, admin = await sign_up(db, "owner"), await sign_up(db, "admin")
    workspace = await new_workspace(db, owner)
    await add_member(db, workspace, admin, "admin")
    await act(db, Actor.user(admin))
    for change in ("role = 'member'", "role = 'admin'"):
        status = await db.execute(
            f"UPDATE public.workspace_members SET {change} WHERE user_id = $1", owner
        )
        assert status == "UPDATE 0"
    assert (
        await db.execute("DELETE FROM public.workspace_members WHERE user_id = $1", owner)
        == "DELETE 0"
    )
    promote = "UPDATE public.workspace_members SET role = 'owner' WHERE user_id = $1"
    assert isinstance(await refusal_of(db, promote, admin), asyncpg.InsufficientPrivilegeError)
    assert (
        await db.execute("DELETE FROM public.workspace_members WHERE user_id = $1", admin)
        == "DELETE 1"
    )


async def test_the_last_owner_stays(db: asyncpg.Connection) -> None:
    owner, heir = await sign_up(db, "owner"), await sign_up(db, "heir")
    workspace = await new_workspace(db, owner)
    for statement in (
        "DELETE FROM public.workspace_members WHERE user_id = $1",
        "UPDATE public.workspace_members SET role = 'admin' WHERE user_id = $1",
        "UPDATE public.workspace_members SET invited_at = now(), joined_at = NULL WHERE user_id = $1",
    ):
        error = await refusal_of(db, statement, owner)
        assert error.constraint_name == "workspaces_keep_an_owner", statement
    error = await refusal_of(
        db, "UPDATE public.workspace_members SET expires_at = now() WHERE user_id = $1", owner
    )
    assert error.constraint_name == "workspace_members_owner_never_expires"
    await add_member(db, workspace, heir, "owner")
    await db.execute("DELETE FROM public.workspace_members WHERE user_id = $1", owner)
    current = "SELECT owner_id FROM public.workspaces WHERE id = $1"
    assert await db.fetchval(current, workspace) == heir
    await act(db, Actor.system("deleting a workspace"))
    assert await db.execute("DELETE FROM public.workspaces WHERE id = $1", workspace) == "DELETE 1"


async def test_two_owners_who_leave_at_once_cannot_both_go(database_url: str) -> None:
    first, second = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    owner, other = await sign_up(first, "owner"), await sign_up(first, "other")
    workspace = await new_workspace(first, owner)
    await add_member(first, workspace, other, "owner")
    leave = "DELETE FROM public.workspace_members WHERE user_id = $1"
    transaction = first.transaction()
    await transaction.start()
    await first.execute(leave, owner)
    waiting = asyncio.create_task(second.execute(leave, other))
    # Nothing tells when another connection begins to wait for a lock.
    while not await first.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await transaction.commit()
    with pytest.raises(asyncpg.CheckViolationError):
        await waiting
    assert await first.fetchval("SELECT user_id FROM public.workspace_members") == other
    await first.close()
    await second.close()


# Holdings and settings -----------------------------------------------------------------------


async def test_holdings_are_one_level_deep(db: asyncpg.Connection) -> None:
    owner = await sign_up(db, "owner")
    holding, brand, other = [await new_workspace(db, owner) for _ in range(3)]
    join = "UPDATE public.workspaces SET parent_workspace_id = $2 WHERE id = $1"
    assert (
        await refusal_of(db, join, brand, holding)
    ).constraint_name == "workspaces_holding_depth"
    await db.execute(
        "UPDATE public.workspaces SET is_holding_company = true WHERE id = $1", holding
    )
    await db.execute(join, brand, holding)
    become = "UPDATE public.workspaces SET is_holding_company = $2 WHERE id = $1"
    await db.execute(become, brand, True)
    await db.execute(become, other, True)
    for statement, *args in (
        (join, other, brand),  # a brand of a brand
        (join, holding, other),  # a holding with brands under another
        (join, holding, holding),
        (become, holding, False),
    ):
        error = await refusal_of(db, statement, *args)
        assert error.constraint_name in ("workspaces_holding_depth", "workspaces_parent_check")


async def test_owners_write_no_settings_and_switch_no_charging_off(db: asyncpg.Connection) -> None:
    owner = await sign_up(db, "owner")
    workspace = await new_workspace(db, owner)
    await act(db, Actor.user(owner))
    change = "UPDATE public.workspaces SET settings = settings || $2::jsonb WHERE id = $1"
    for settings in ('{"credits_enabled": false}', '{"credits_enabled": null}'):
        error = await refusal_of(db, change, workspace, settings)
        assert isinstance(error, asyncpg.InsufficientPrivilegeError)
    await act(db, SYSTEM)
    assert await db.execute(change, workspace, '{"credits_enabled": false}') == "UPDATE 1"
