"""What the policies' names promise is what happens: every table, role, command and tenant.

The promise is read from the name of each policy in the catalogs; whether it is kept is tried out, as
the role itself, on rows made from the catalogs. What a name promises and column privileges withhold
must have its reason in ``selify.db.lints.reasons``.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from tests.infra.settings import Settings
from tests.infra.worlds import (
    Column,
    Row,
    Table,
    World,
    build_world,
    insert_sql,
    new_row,
    read_tables,
    sign_up,
)

from selify.app import create_server
from selify.db.lints import reasons, security
from selify.db.lints.security import COMMANDS, Policy
from selify.permissions_reference import PERMISSIONS


class Audience(StrEnum):
    SYSTEM = "system"
    TEAM = "team"
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    SELF = "self"  # the user whom the row names
    EVERYONE = "everyone"


RANKS = (Audience.MEMBER, Audience.ADMIN, Audience.OWNER)

# Names that do not say enough, or say it about something the row does not know; and our reading.
READINGS: dict[tuple[str, str], set[Audience]] = {
    # An invitation or a role decides what everyone else's policies give away.
    ("workspace_members", "workspace_members_insert"): {Audience.ADMIN},
    ("workspace_members", "workspace_members_update"): {Audience.ADMIN},
    # …but everyone may leave.
    ("workspace_members", "workspace_members_delete"): {Audience.ADMIN, Audience.SELF},
    # The table has no user; after it is linked it is the workspace's.
    ("pending_shopify_installations", "pending_shopify_user_view_own"): {Audience.MEMBER},
    # "Their own" means the person here, not the workspace.
    ("workspaces", "Users can create their own workspaces"): {Audience.SELF},
    ("vr_tryons", "Users can create tryons"): {Audience.SELF},
    # Whoever may update must see.
    ("user_feedback", "Users can view own feedback"): {Audience.SELF, Audience.TEAM},
    # Accessible: to those on the account's list (the world's member is), and to who administers it.
    ("workspace_email_accounts", "Users can view accessible workspace email accounts"): {
        Audience.ADMIN,
        Audience.SELF,
    },
}


def audience(policy: Policy) -> set[Audience]:
    """Whom a policy's name promises its command."""
    reading = READINGS.get((policy.table, policy.name))
    if reading:
        return reading
    name = policy.name.lower().replace("_", " ")
    patterns = (
        (r"service role|service (full|all)", Audience.SYSTEM),
        (r"\bteam\b", Audience.TEAM),
        (r"\bowners\b", Audience.OWNER),
        (r"\badmins\b", Audience.ADMIN),
        (r"\b(public|publicly|everyone|anyone)\b", Audience.EVERYONE),
        (r"\bown\b(?! workspaces?\b)", Audience.SELF),
        (r"\b(users|members|workspace|brand settings)\b", Audience.MEMBER),
    )
    return {next(who for pattern, who in patterns if re.search(pattern, name))}


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who tries: a database role, a user, and what they are to the world called ``a``."""

    name: str
    role: str
    user_id: UUID | None
    standing: frozenset[Audience]

    def opening(self) -> str:
        """Become them. Without cached plans, which were made with another role's rights."""
        claims = f'{{"role": "{self.role}"'
        claims += f', "sub": "{self.user_id}"}}' if self.user_id else "}"
        return f"DISCARD PLANS; SET LOCAL ROLE {self.role}; SET LOCAL \"request.jwt.claims\" = '{claims}'"


@dataclass(slots=True)
class Stage:
    db: asyncpg.Connection
    tables: dict[str, Table]
    policies: list[Policy]
    a: World
    b: World
    actors: dict[str, Actor]
    columns: dict[tuple[str, str], set[tuple[str, str]]]  # (role, table) -> {(command, column)}


MEMBERS = frozenset({Audience.MEMBER, Audience.EVERYONE})
ADMINS = MEMBERS | {Audience.ADMIN}
ACTORS = {
    "visitor": {Audience.EVERYONE},
    "stranger": {Audience.EVERYONE},
    "invited": {Audience.EVERYONE},
    "expired": {Audience.EVERYONE},
    "banned": {Audience.EVERYONE},
    "member": MEMBERS | {Audience.SELF},
    "admin": ADMINS,
    "owner": ADMINS | {Audience.OWNER},
    "team": {Audience.EVERYONE, Audience.TEAM},
    "system": {Audience.SYSTEM},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage(shared_database_url: str) -> AsyncIterator[Stage]:
    """Two worlds and everybody, inside a transaction that is never committed."""
    db = await asyncpg.connect(shared_database_url)
    transaction = db.transaction()
    await transaction.start()
    tables = await read_tables(db)
    a, b = await build_world(db, tables, "a"), await build_world(db, tables, "b")
    people = {
        "stranger": await sign_up(db, "stranger"),
        "team": await sign_up(db, "team", team=True),
        **a.users,
    }
    actors = {
        name: Actor(name, _role(name), people.get(name), frozenset(standing))
        for name, standing in ACTORS.items()
    }
    yield Stage(db, tables, await security.policies(db), a, b, actors, await _columns(db))
    await transaction.rollback()
    await db.close()


def _role(actor: str) -> str:
    return {"visitor": "anon", "system": "service_role"}.get(actor, "authenticated")


async def _columns(db: asyncpg.Connection) -> dict[tuple[str, str], set[tuple[str, str]]]:
    held: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for p in await security.column_privileges(db):
        granted = (("SELECT", p.select), ("INSERT", p.insert), ("UPDATE", p.update))
        held.setdefault((p.role, p.table), set()).update(
            (command, p.column) for command, given in granted if given
        )
    return held


def promised(stage: Stage, actor: Actor, table: str, command: str, world: World) -> bool:
    """Whether some policy's name promises this actor the command on this world's row."""
    if actor.role == "service_role":
        return True
    if (table, command) in reasons.WITHHELD:
        return False
    of_any_world = {Audience.EVERYONE, Audience.TEAM}
    standing = actor.standing if world is stage.a else actor.standing & of_any_world
    return any(
        audience(policy) & standing
        for policy in stage.policies
        if policy.table == table and command in policy.promises
    )


async def happens(stage: Stage, actor: Actor, table: Table, command: str, world: World) -> bool:
    """Try it as the actor, look at the outcome, undo it."""
    return await _try(stage.db, _statement(stage, actor, table, command, world))


async def _try(db: asyncpg.Connection, statement: str) -> bool:
    await db.execute("SAVEPOINT attempt")
    try:
        status = await db.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return False
    except (asyncpg.NotNullViolationError, asyncpg.CheckViolationError):
        raise  # may write the row, but not so that it is valid: a promise nobody can use
    except asyncpg.IntegrityConstraintViolationError:
        return True  # policies and privileges let it through; keys and checks come after them
    finally:
        await db.execute("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")
    return not status.endswith(" 0")


def _statement(stage: Stage, actor: Actor, table: Table, command: str, world: World) -> str:
    if command == "INSERT":
        return insert_sql(table.name, insertable_row(stage, actor, table, world))
    target = f'public."{table.name}" WHERE "{table.key}" = \'{world.rows[table.name][table.key]}\''
    if command == "UPDATE":
        held = stage.columns.get((actor.role, table.name), set())
        columns = [
            c.name for c in table.columns if {("UPDATE", c.name), ("SELECT", c.name)} <= held
        ]
        column = next(iter(columns), table.columns[-1].name)
        return f'UPDATE {target.replace(" WHERE", f""" SET "{column}" = "{column}" WHERE""", 1)}'
    return f"{'SELECT 1' if command == 'SELECT' else 'DELETE'} FROM {target}"


def insertable_row(stage: Stage, actor: Actor, table: Table, world: World) -> Row:
    """A new row of this world as the actor would write it: only what they may write, in their name."""
    row = new_row(table, world)
    insert_policies = [
        p for p in stage.policies if p.table == table.name and "INSERT" in p.commands
    ]
    names_someone = any(Audience.SELF in audience(p) for p in insert_policies)
    if table.name == "workspaces":
        row["owner_id"] = world.users["member"]
    elif table.name == "workspace_members":
        row["user_id"] = stage.actors["stranger"].user_id
    elif table.name == "social_messages":
        row["sender_platform_id"] = world.rows["connected_social_accounts"]["platform_account_id"]
    elif not names_someone and actor.role != "service_role":
        row |= {name: actor.user_id for name in ("user_id", "created_by") if name in row}
    for name in ("storage_path", "model_storage_path"):
        if name in row:
            row[name] = f"{world.workspace_id}/{row[name]}"
    may_write = {
        c for command, c in stage.columns.get((actor.role, table.name), ()) if command == "INSERT"
    }
    return {name: value for name, value in row.items() if name in may_write} if may_write else row


@pytest.mark.parametrize("name", ACTORS)
async def test_every_outcome_is_what_the_names_promise(stage: Stage, name: str) -> None:
    actor = stage.actors[name]
    await stage.db.execute(f"SAVEPOINT acting; {actor.opening()}")
    wrong, outcomes = [], []
    for table in stage.tables.values():
        for command in COMMANDS:
            for world in (stage.a, stage.b):
                expected = promised(stage, actor, table.name, command, world)
                outcome = await happens(stage, actor, table, command, world)
                outcomes.append(outcome)
                if outcome != expected:
                    where = "own" if world is stage.a else "another"
                    wrong.append(
                        f"{command} {table.name} ({where}): {outcome}, promised {expected}"
                    )
    await stage.db.execute("ROLLBACK TO SAVEPOINT acting")
    assert not wrong, "\n".join(wrong)
    assert len(outcomes) == len(stage.tables) * len(COMMANDS) * 2
    assert len(stage.tables) == 73
    assert any(outcomes)


async def test_every_policy_name_is_understood_and_addresses_the_role_it_names(
    stage: Stage,
) -> None:
    roles = {Audience.SYSTEM: {"service_role"}, Audience.EVERYONE: {"anon", "authenticated"}}
    for policy in stage.policies:
        for who in audience(policy):
            assert set(policy.roles) == roles.get(who, {"authenticated"}), policy


async def test_readings_are_of_policies_that_exist(stage: Stage) -> None:
    assert set(READINGS) <= {(policy.table, policy.name) for policy in stage.policies}


# Columns that may name a stranger.
FREE_REFERENCES = {("workspace_members", "user_id"): "anyone can be invited"}


@pytest.mark.parametrize("command", ["INSERT", "UPDATE"])
async def test_no_row_can_refer_to_another_workspace(stage: Stage, command: str) -> None:
    """Foreign keys are checked without policies, so policies check what a row refers to."""
    owner = stage.actors["owner"]
    await stage.db.execute(f"SAVEPOINT acting; {owner.opening()}")
    let_through, tried = set(), 0
    for table in stage.tables.values():
        may_write = stage.columns.get((owner.role, table.name), set())
        for column in table.references():
            if (command, column.name) in may_write:
                tried += 1
                if await _refers_abroad(stage, owner, table, column, command):
                    let_through.add((table.name, column.name))
    await stage.db.execute("ROLLBACK TO SAVEPOINT acting")
    assert let_through == ({*FREE_REFERENCES} if command == "INSERT" else set())
    assert tried > 4


async def _refers_abroad(
    stage: Stage, actor: Actor, table: Table, column: Column, command: str
) -> bool:
    """Try to let a row of world ``a`` refer to world ``b``."""
    users = column.references == "auth.users"
    foreign = stage.b.users["member"] if users else stage.b.rows[str(column.references)]["id"]
    if command == "INSERT":
        row = insertable_row(stage, actor, table, stage.a) | {column.name: foreign}
        statement = insert_sql(table.name, row)
    else:
        key = stage.a.rows[table.name][table.key]
        statement = (
            f'UPDATE public."{table.name}" SET "{column.name}" = \'{foreign}\''
            f" WHERE \"{table.key}\" = '{key}'"
        )
    try:
        return await _try(stage.db, statement)
    except asyncpg.CheckViolationError:
        return False


# Permissions ---------------------------------------------------------------------------------------


def by_sql(stage: Stage) -> dict[tuple[str, str], Audience]:
    """The least rank in a workspace that policies let do this to its rows."""
    found: dict[tuple[str, str], Audience] = {}
    for policy in stage.policies:
        for command in policy.promises:
            ranks = [rank for rank in RANKS if rank in audience(policy)]
            if ranks and (policy.table, command) not in reasons.WITHHELD:
                least = found.get((policy.table, command), ranks[0])
                found[policy.table, command] = min(least, ranks[0], key=RANKS.index)
    return found


async def test_policies_give_each_rank_what_its_permissions_say(stage: Stage) -> None:
    """That the names of policies are true is tried out above."""
    said: dict[tuple[str, str], Audience] = {}
    for permission in PERMISSIONS.values():
        for row in permission.rows:
            assert row not in said, f"{permission.name} and another cover {row}"
            said[row] = Audience(permission.least)
    assert said == by_sql(stage)
    assert set(said.values()) == set(RANKS)


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ("Workspace admins can update brand settings", Audience.ADMIN),
        ("Workspace owners can update brand settings", Audience.OWNER),
    ],
)
async def test_a_policy_that_asks_for_more_is_noticed(
    stage: Stage, policy: str, found: Audience
) -> None:
    settings = ("brand_settings", "UPDATE")
    kept = [p for p in stage.policies if p.table != "brand_settings"]
    made = Policy("brand_settings", policy, "UPDATE", ("authenticated",), "true", None)
    changed = replace(stage, policies=[*kept, made])
    assert (by_sql(stage)[settings], by_sql(changed)[settings]) == (Audience.MEMBER, found)


# What the API does to rows -------------------------------------------------------------------------
# SQL as a user must not do more than the API does for that rank: no lower rank, no other verb.

# Endpoint -> the least rank it asks for, and what it does to which tables on that person's behalf.
ENDPOINTS: dict[str, tuple[Audience, set[tuple[str, str]]]] = {
    "POST /api/v1/workspaces/{workspace_id}/delete": (Audience.OWNER, {("workspaces", "DELETE")}),
    # It takes a deletion back, and whoever may not delete may not do so either.
    "POST /api/v1/workspaces/{workspace_id}/restore": (Audience.OWNER, {("workspaces", "DELETE")}),
    "PATCH /api/v1/auth/profile": (Audience.SELF, {("profiles", "UPDATE")}),
    "POST /api/v1/auth/export": (Audience.SELF, set()),
    "POST /api/v1/auth/erasure": (Audience.SELF, set()),
    "POST /api/v1/auth/erasure/keep": (Audience.SELF, set()),
    # Keys lie where no user role reads or writes.
    "POST /api/v1/workspaces/{workspace_id}/keys": (Audience.ADMIN, set()),
    "PATCH /api/v1/workspaces/{workspace_id}/keys/{key_id}": (Audience.ADMIN, set()),
    "DELETE /api/v1/workspaces/{workspace_id}/keys/{key_id}": (Audience.ADMIN, set()),
    "POST /api/v1/workspaces/{workspace_id}/keys/{key_id}/confirm": (Audience.OWNER, set()),
    "POST /api/v1/workspaces": (Audience.SELF, {("workspaces", "INSERT")}),
    "PATCH /api/v1/workspaces/{workspace_id}/members/{user_id}": (
        Audience.ADMIN,
        {("workspace_members", "UPDATE")},
    ),
    "DELETE /api/v1/workspaces/{workspace_id}/members/{user_id}": (
        Audience.SELF,  # everyone may leave; whom an admin may remove, the matrix above tries
        {("workspace_members", "DELETE")},
    ),
    "POST /api/v1/workspaces/{workspace_id}/garments": (
        Audience.MEMBER,
        {("wardrobe_garments", "INSERT")},
    ),
    "PATCH /api/v1/workspaces/{workspace_id}/garments/{garment_id}": (
        Audience.MEMBER,
        {("wardrobe_garments", "UPDATE")},
    ),
    "POST /api/v1/workspaces/{workspace_id}/accounts/{account_id}/disconnect": (
        Audience.ADMIN,
        {("connected_social_accounts", "UPDATE"), ("connected_social_accounts", "DELETE")},
    ),
    "PUT /api/v1/workspaces/{workspace_id}/accounts/{account_id}/settings": (
        Audience.ADMIN,
        {("connected_social_accounts", "UPDATE")},
    ),
    "PUT /api/v1/workspaces/{workspace_id}/accounts/{account_id}/texts/{key}": (
        Audience.ADMIN,
        {("connected_social_accounts", "UPDATE")},
    ),
    "POST /api/v1/workspaces/{workspace_id}/accounts/{account_id}/send-now": (
        Audience.MEMBER,
        set(),  # what waits is the system's: no user sees a row of it
    ),
    "PUT /api/v1/workspaces/{workspace_id}/posts/{post_id}/garment": (
        Audience.MEMBER,
        {("social_posts_garment_bindings", "INSERT"), ("social_posts_garment_bindings", "UPDATE")},
    ),
    "DELETE /api/v1/workspaces/{workspace_id}/posts/{post_id}/garment": (
        Audience.MEMBER,
        {("social_posts_garment_bindings", "DELETE")},
    ),
    "POST /api/v1/workspaces/{workspace_id}/conversations/{conversation_id}/hand-back": (
        Audience.MEMBER,
        {("social_conversations", "UPDATE")},
    ),
    "POST /api/v1/workspaces/{workspace_id}/conversations/{conversation_id}/take-over": (
        Audience.MEMBER,
        {("social_conversations", "UPDATE")},
    ),
    "POST /api/v1/notifications/read": (Audience.SELF, {("notifications", "UPDATE")}),
    "POST /api/v1/notifications/archive": (Audience.SELF, {("notifications", "UPDATE")}),
    "POST /api/v1/workspaces/{workspace_id}/ownership/offer": (Audience.OWNER, set()),
    "DELETE /api/v1/workspaces/{workspace_id}/ownership/offer": (Audience.MEMBER, set()),
    "POST /api/v1/workspaces/{workspace_id}/ownership/accept": (Audience.MEMBER, set()),
    "PUT /api/v1/workspaces/{workspace_id}/holding": (Audience.OWNER, set()),
    "DELETE /api/v1/workspaces/{workspace_id}/holding": (Audience.OWNER, set()),
    "POST /api/v1/workspaces/{workspace_id}/holding/accept": (Audience.OWNER, set()),
    "POST /api/v1/workspaces/{workspace_id}/brands": (Audience.OWNER, set()),
    "DELETE /api/v1/workspaces/{workspace_id}/brands/{brand_id}": (Audience.OWNER, set()),
    "PUT /api/v1/workspaces/{workspace_id}/billing/auto-reload": (Audience.ADMIN, set()),
    "PUT /api/v1/admin/users/{user_id}/ban": (Audience.TEAM, set()),
    "DELETE /api/v1/admin/users/{user_id}/ban": (Audience.TEAM, set()),
    "PUT /api/v1/admin/workspaces/{workspace_id}/owner": (Audience.TEAM, set()),
    # Rows that no user role writes at all.
    "POST /api/v1/auth/sign-up": (Audience.EVERYONE, set()),
    "POST /api/v1/auth/sign-in": (Audience.EVERYONE, set()),
    "POST /api/v1/auth/sign-out": (Audience.SELF, set()),
    "POST /api/v1/auth/token": (Audience.EVERYONE, set()),
    "POST /api/v1/auth/password-reset": (Audience.EVERYONE, set()),
    "POST /api/v1/auth/password-reset/confirm": (Audience.EVERYONE, set()),
    "POST /api/v1/auth/password": (Audience.SELF, set()),
    "POST /api/v1/auth/email": (Audience.SELF, set()),
    "POST /api/v1/auth/email/confirm": (Audience.EVERYONE, set()),
    "POST /api/v1/auth/email/undo": (Audience.EVERYONE, set()),
    "POST /api/v1/auth/email-confirmation": (Audience.SELF, set()),
    "POST /api/v1/auth/email-confirmation/confirm": (Audience.EVERYONE, set()),
    "POST /api/v1/auth/sign-out-everywhere": (Audience.SELF, set()),
    "DELETE /api/v1/auth/sessions/{session_id}": (Audience.SELF, set()),
}
# What a policy's name gives to users of tables that the API writes, and no endpoint does yet.
WITHOUT_ENDPOINT: dict[tuple[str, str], str] = {
    ("notifications", "DELETE"): "one's own notice, to which nothing refers",
    ("profiles", "INSERT"): "one's own, which is made at sign-up already",
    ("workspace_members", "INSERT"): "an invitation, which the invited person accepts or not",
    ("workspaces", "UPDATE"): "what an owner calls the brand and says of it",
}
# What an endpoint does as the user who asks: the database itself is what checks it. All else it does as
# the system, after checks that no policy knows of: by SQL, they would be left out.
CHECKED_BY_THE_DATABASE = {
    ("profiles", "UPDATE"),
    ("notifications", "UPDATE"),
    ("workspace_members", "UPDATE"),
    ("workspace_members", "DELETE"),
    ("workspaces", "INSERT"),
}
# Nobody's DELETE reaches these, not even through what hangs on the deleted row.
NEVER_DELETED_BY_USERS = {
    "amazon_connected_accounts",
    "bot_interactions",
    "connected_social_accounts",
    "oauth_audit_logs",
    "social_conversations",
    "social_messages",
    "social_posts",
    "workspace_events",
    "workspace_financial_transactions",
    "workspace_payg_balance",
    "workspace_quotas",
    "workspace_subscriptions",
    "workspace_usage_events",
    "workspaces",
}


def test_every_endpoint_that_writes_is_in_the_table(tmp_path: Path) -> None:
    app = create_server(Settings(database_url="postgresql:///none", data_dir=tmp_path))
    written = {
        f"{method.upper()} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method in operations
        if method != "get"
    }
    assert written == set(ENDPOINTS)


async def test_no_lower_rank_does_by_sql_what_an_endpoint_asks_a_higher_one_for(
    stage: Stage,
) -> None:
    wider = []
    for endpoint, (least, effects) in ENDPOINTS.items():
        lower = RANKS[: RANKS.index(least)] if least in RANKS else ()
        for table, command in sorted(effects):
            for rank in lower:
                actor = stage.actors[rank]
                await stage.db.execute(f"SAVEPOINT acting; {actor.opening()}")
                if await happens(stage, actor, stage.tables[table], command, stage.a):
                    wider.append(f"{rank} may {command} {table}; {endpoint} asks for {least}")
                await stage.db.execute("ROLLBACK TO SAVEPOINT acting")
    assert not wider, "\n".join(wider)


async def test_no_verb_is_given_on_a_table_of_the_api_that_no_endpoint_has(stage: Stage) -> None:
    offered = {effect for _, effects in ENDPOINTS.values() for effect in effects}
    tables = {table for table, _ in offered}
    given = {
        (table, command)
        for table, command in await security.delivered_commands(stage.db)
        if table in tables and command != "SELECT"
    }
    assert given - offered == set(WITHOUT_ENDPOINT)
    assert given & offered == CHECKED_BY_THE_DATABASE


async def test_what_a_user_deletes_takes_no_account_no_conversation_and_no_money_along(
    stage: Stage,
) -> None:
    reached = await stage.db.fetch(
        """
        WITH RECURSIVE gone AS (
            SELECT oid AS reached, relname AS deleted FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
               AND (has_table_privilege('authenticated', oid, 'DELETE')
                 OR has_table_privilege('anon', oid, 'DELETE'))
            UNION SELECT k.conrelid, gone.deleted FROM gone
              JOIN pg_constraint k ON k.confrelid = gone.reached
               AND k.contype = 'f' AND k.confdeltype = 'c')
        SELECT deleted, relname FROM gone JOIN pg_class ON pg_class.oid = reached
        """
    )
    assert len(reached) > 10
    assert {
        (row["deleted"], row["relname"])
        for row in reached
        if row["relname"] in NEVER_DELETED_BY_USERS
    } == set()
