"""What keeps tenants apart and secrets in, read from the catalogs of the living database.

Run against any database that was migrated: ``await check(connection)`` gives the violations, and an
empty list is the only good answer. The exceptions, each with its reason, are in ``reasons``.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from selify.db.lints import reasons

USER_ROLES: Final = ("anon", "authenticated")
COMMANDS: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")

# Credentials, by name. Users may write their own (sealed by the server first), never read one.
SECRET: Final = re.compile(r"(^|_)(token|secret|password|hmac)(_encrypted)?$")

# Where a credential is sent, by name.
DESTINATION: Final = re.compile(
    r"(^|_)(host|port|secure|tls|ssl|domain|shop|region|endpoint|server|url|uri|address)$"
)

# Columns that only the system writes, by name: money, counters, states and their moments.
_MONEY = (
    r"(^|_)(cents|micro|micro_units|usd|credits|balance|revenue|profit|roi|costs?|earned|price"
    r"|commission|amount|conversion_value|tier|tiers)(_|$)|^stripe_|_rate$|^rate_limit|_limit$"
)
_COUNTER = (
    r"_count$|^total_|_used$|_uses$|_today$|_this_hour$|_score$|^consecutive_|^(items|chunks)_"
    r"|^products_|attempt|_applied$|_number$|_quantity$|inventory_quantity|_(posts|likes|comments)$"
)
_STATE = r"(^|_)(status|state|error|until|at)$|^(error|last|scheduled|billing)_|_ids$|^deleted"
SYSTEM_ONLY: Final = re.compile(f"{_MONEY}|{_COUNTER}|{_STATE}")


# A policy for all commands promises DELETE with one of these words, never with "access" alone.
DELETES: Final = re.compile(r"delete|manage|full|anything")


class Reader(Protocol):
    """What can run a query: an asyncpg connection, or a ``Tx``."""

    async def fetch(self, query: str, *args: Any) -> Sequence[Mapping[str, Any]]:
        """The rows of a query with ``$1`` parameters."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One violation: the rule, the table or function it is about, and what to do."""

    rule: str
    subject: str
    advice: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A row level security policy of schema ``public``, as the catalogs have it."""

    table: str
    name: str
    command: str  # SELECT, INSERT, UPDATE, DELETE or ALL
    roles: tuple[str, ...]
    using: str | None
    check: str | None

    @property
    def commands(self) -> tuple[str, ...]:
        return COMMANDS if self.command == "ALL" else (self.command,)

    @property
    def promises(self) -> tuple[str, ...]:
        """What its name gives away: a row is deleted only where it speaks of deleting or managing."""
        said = DELETES.search(self.name.lower()) or self.command != "ALL"
        return tuple(c for c in self.commands if said or c != "DELETE")

    @property
    def expressions(self) -> list[str]:
        return [expression for expression in (self.using, self.check) if expression is not None]


async def policies(db: Reader) -> list[Policy]:
    """All policies of schema ``public``; a policy for everyone has the role ``public``."""
    rows = await db.fetch(
        "SELECT tablename, policyname, cmd, roles::text[] AS roles, qual, with_check"
        " FROM pg_catalog.pg_policies WHERE schemaname = 'public' ORDER BY tablename, policyname"
    )
    return [
        Policy(
            r["tablename"], r["policyname"], r["cmd"], tuple(r["roles"]), r["qual"], r["with_check"]
        )
        for r in rows
    ]


@dataclass(frozen=True, slots=True)
class ColumnPrivileges:
    """What one user role may do with one column of schema ``public``."""

    role: str
    table: str
    column: str
    select: bool
    insert: bool
    update: bool


async def column_privileges(db: Reader) -> list[ColumnPrivileges]:
    """Privileges of ``anon`` and ``authenticated`` on every column, inherited ones included."""
    rows = await db.fetch(
        "SELECT role, c.relname, a.attname,"
        " has_column_privilege(role, c.oid, a.attnum, 'SELECT') AS may_select,"
        " has_column_privilege(role, c.oid, a.attnum, 'INSERT') AS may_insert,"
        " has_column_privilege(role, c.oid, a.attnum, 'UPDATE') AS may_update"
        " FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
        " AND NOT a.attisdropped CROSS JOIN unnest($1::text[]) AS role"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
        " ORDER BY role, c.relname, a.attnum",
        list(USER_ROLES),
    )
    return [
        ColumnPrivileges(
            r["role"], r["relname"], r["attname"], r["may_select"], r["may_insert"], r["may_update"]
        )
        for r in rows
    ]


async def row_security(db: Reader) -> list[Finding]:
    """RLS is off only where the reference says so, and no user role reaches those tables."""
    rows = await db.fetch(
        "SELECT relname FROM pg_catalog.pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relrowsecurity"
    )
    found = _differences(
        "row_security_off",
        {row["relname"] for row in rows},
        set(reasons.ROW_SECURITY_OFF),
        "enable row level security, or give the reason in ROW_SECURITY_OFF",
    )
    reachable = {
        p.table
        for p in await column_privileges(db)
        if p.table in reasons.ROW_SECURITY_OFF and (p.select or p.insert or p.update)
    }
    return found + [
        Finding("row_security_off_but_reachable", table, "revoke every privilege of user roles")
        for table in sorted(reachable)
    ]


async def open_policies(db: Reader) -> list[Finding]:
    """A policy for users depends on who asks, or says why not."""
    depends_on_caller = re.compile(
        r"auth\.uid\(\)|internal\.my_|internal\.is_team|EXISTS \( SELECT"
    )
    found = {
        (policy.table, policy.name)
        for policy in await policies(db)
        if set(policy.roles) != {"service_role"}
        and not all(depends_on_caller.search(expression) for expression in policy.expressions)
    }
    return _differences(
        "open_policy", found, set(reasons.OPEN_TO_EVERYONE), "ask who it is, or give the reason"
    )


async def policy_roles(db: Reader) -> list[Finding]:
    """Every policy names its role: one for PUBLIC is evaluated for each role and row."""
    return [
        Finding("policy_without_role", f"{policy.table}: {policy.name}", "add TO authenticated …")
        for policy in await policies(db)
        if "public" in policy.roles
    ]


async def evaluated_per_row(db: Reader) -> list[Finding]:
    """Who is asking does not change from row to row, so it is asked in a sub-select, once."""
    bare = re.compile(
        r"(?<!SELECT )(auth\.uid|auth\.role|auth\.jwt|internal\.(?:my_\w+|is_team))\(\)"
    )
    return [
        Finding("evaluated_per_row", f"{policy.table}: {policy.name}", "wrap it: (SELECT …())")
        for policy in await policies(db)
        if any(bare.search(expression) for expression in policy.expressions)
    ]


async def read_whole(db: Reader) -> list[Finding]:
    """What a policy looks up for a row in another table is not answered by reading all of that table,
    which PostgreSQL does where it expects many rows.
    """
    return [
        Finding("read_whole", f"{policy.table}: {policy.name}", "end the sub-select with OFFSET 0")
        for policy in await policies(db)
        if policy.using and policy.using.count("EXISTS (") > policy.using.count("OFFSET 0")
    ]


async def several_policies(db: Reader) -> list[Finding]:
    """Permissive policies that meet in one role and command are all evaluated; each has a reason."""
    seen: set[tuple[str, str, str]] = set()
    twice: set[tuple[str, str, str]] = set()
    for policy in await policies(db):
        for role in policy.roles:
            for command in policy.commands:
                key = (policy.table, role, command)
                (twice if key in seen else seen).add(key)
    return _differences(
        "several_policies", twice, set(reasons.SEVERAL_POLICIES), "merge them, or give the reason"
    )


async def readable_secrets(db: Reader) -> list[Finding]:
    """No user role can select a credential."""
    return [
        Finding("readable_secret", f"{p.table}.{p.column}", f"hide the column from {p.role}")
        for p in await column_privileges(db)
        if p.select and SECRET.search(p.column)
    ]


async def writable_system_columns(db: Reader) -> list[Finding]:
    """No user role can write money, counters, states and the system's moments."""
    found = {
        (p.table, p.column)
        for p in await column_privileges(db)
        if (p.insert or p.update) and SYSTEM_ONLY.search(p.column)
    }
    return _differences(
        "writable_system_column", found, set(reasons.USER_WRITABLE), "revoke, or give the reason"
    )


async def rehomeable_rows(db: Reader) -> list[Finding]:
    """No user role can move a row to another workspace, account or user by updating its key."""
    keys = re.compile(
        r"^(id|(workspace|account|connected_account|user|owner|shop|created_by)(_id)?)$"
    )
    return [
        Finding("rehomeable_row", f"{p.table}.{p.column}", f"revoke UPDATE from {p.role}")
        for p in await column_privileges(db)
        if p.update and keys.search(p.column)
    ]


async def whole_table_grants(db: Reader) -> list[Finding]:
    """Users get columns, not tables: a column added later must start closed."""
    rows = await db.fetch(
        "SELECT c.relname, role, privilege FROM pg_catalog.pg_class c"
        " CROSS JOIN unnest($1::text[]) AS role"
        " CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'TRUNCATE', 'REFERENCES',"
        " 'TRIGGER']) AS privilege"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND has_table_privilege(role, c.oid, privilege)",
        list(USER_ROLES),
    )
    return [
        Finding(
            "whole_table_grant", r["relname"], f"grant {r['role']} columns, not {r['privilege']}"
        )
        for r in rows
    ]


async def odd_privileges(db: Reader) -> list[Finding]:
    """Beyond reading and writing rows nobody needs anything: TRUNCATE steps over triggers and
    policies, REFERENCES asks for rows one may not see, TRIGGER runs code as whoever writes.
    """
    rows = await db.fetch(
        "SELECT c.oid::regclass::text AS name, g.grantee::regrole::text AS role,"
        " g.privilege_type AS privilege"
        " FROM pg_catalog.pg_class c CROSS JOIN LATERAL (SELECT * FROM aclexplode(c.relacl)"
        "  UNION ALL SELECT x.* FROM pg_catalog.pg_attribute a, aclexplode(a.attacl) x"
        "  WHERE a.attrelid = c.oid) g"
        " WHERE c.relnamespace::regnamespace::text IN ('public', 'internal')"
        " AND c.relkind IN ('r', 'p', 'v', 'm') AND g.grantee <> c.relowner"
        " AND g.privilege_type <> ALL ($1)",
        list(COMMANDS),
    )
    return [
        Finding("odd_privilege", r["name"], f"revoke {r['privilege']} from {r['role']}")
        for r in rows
    ]


async def broken_promises(db: Reader) -> list[Finding]:
    """What a policy promises users, a privilege delivers, or a reason withholds; nothing beyond."""
    promised = {
        (policy.table, command)
        for policy in await policies(db)
        for command in policy.promises
        if set(policy.roles) & set(USER_ROLES)
    }
    delivered = await delivered_commands(db)
    return _differences(
        "promise_without_privilege",
        promised - delivered,
        set(reasons.WITHHELD),
        "grant the columns, or give the reason in WITHHELD",
    ) + [
        Finding(
            "privilege_without_policy", f"{table}: {command}", "revoke it: no policy lets it act"
        )
        for table, command in sorted(delivered - promised)
    ]


async def delivered_commands(db: Reader) -> set[tuple[str, str]]:
    """(table, command) pairs for which any user role holds a privilege on at least one column."""
    rows = await db.fetch(
        "SELECT DISTINCT c.relname, command FROM pg_catalog.pg_class c"
        " CROSS JOIN unnest($1::text[]) AS role CROSS JOIN unnest($2::text[]) AS command"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND CASE WHEN command = 'DELETE' THEN has_table_privilege(role, c.oid, 'DELETE')"
        " ELSE has_any_column_privilege(role, c.oid, command) END",
        list(USER_ROLES),
        list(COMMANDS),
    )
    return {(row["relname"], row["command"]) for row in rows}


async def owner_functions(db: Reader) -> list[Finding]:
    """A function with its owner's rights is not for PUBLIC."""
    rows = await db.fetch(
        "SELECT p.oid::regprocedure::text AS name FROM pg_catalog.pg_proc p"
        " WHERE p.prosecdef AND p.pronamespace::regnamespace::text IN ('public', 'internal')"
        " AND has_function_privilege('public', p.oid, 'EXECUTE')"
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d"
        " WHERE d.objid = p.oid AND d.deptype = 'e')"
    )
    return [
        Finding("owner_function_for_everyone", r["name"], "revoke EXECUTE from PUBLIC")
        for r in rows
    ]


async def search_paths(db: Reader) -> list[Finding]:
    """Every function of ours names schemas itself: the caller's search path decides nothing.

    Also those with their caller's rights: a trigger runs as whoever writes, and finds whatever
    function or operator of the same name that writer put in front. A body that PostgreSQL parsed at
    its creation (``RETURN``, ``BEGIN ATOMIC``) is bound already.
    """
    rows = await db.fetch(
        "SELECT p.oid::regprocedure::text AS name FROM pg_catalog.pg_proc p"
        " WHERE p.pronamespace::regnamespace::text IN ('public', 'internal')"
        " AND p.prosqlbody IS NULL AND NOT coalesce('search_path=\"\"' = ANY (p.proconfig), false)"
        " AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d"
        " WHERE d.objid = p.oid AND d.deptype = 'e')"
    )
    return [Finding("unpinned_search_path", r["name"], "add SET search_path = ''") for r in rows]


async def trigger_rights(db: Reader) -> list[Finding]:
    """A trigger that looks beyond its row does so with its owner's rights, not the writer's.

    Otherwise users' writes fail, and only on connections that have not cached the function's plan.
    """
    rows = await db.fetch(
        "SELECT DISTINCT p.oid::regprocedure::text AS name FROM pg_catalog.pg_trigger t"
        " JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid JOIN pg_catalog.pg_class c ON c.oid = tgrelid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace AND NOT p.prosecdef"
        r" AND p.prosrc ~ '\y(internal|public)\.'"
    )
    return [
        Finding("trigger_with_writers_rights", r["name"], "make it SECURITY DEFINER") for r in rows
    ]


async def guarded_destinations(db: Reader) -> list[Finding]:
    """A table with a secret and the place it is sent to lets neither change alone."""
    rows = await db.fetch(
        "SELECT c.oid::regclass::text AS name, array_agg(a.attname::text) AS columns,"
        " coalesce((SELECT string_agg(pg_get_triggerdef(t.oid), ' ') FROM pg_catalog.pg_trigger t"
        "  WHERE t.tgrelid = c.oid AND t.tgenabled <> 'D'"
        "  AND t.tgfoid = 'internal.demand_secret_again'::regproc), '') AS guard"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
        " AND a.attnum > 0 AND NOT a.attisdropped"
        " WHERE c.relnamespace::regnamespace::text IN ('public', 'internal') AND c.relkind = 'r'"
        " GROUP BY c.oid"
    )
    found = []
    for row in rows:
        secrets = [column for column in row["columns"] if SECRET.search(column)]
        places = [column for column in row["columns"] if DESTINATION.search(column)]
        wanted = [f"old.{place}" for place in places] + [f"'{secret}'" for secret in secrets]
        if secrets and places:
            found += [
                Finding("unguarded_destination", f"{row['name']}: {part}", "demand_secret_again()")
                for part in wanted
                if part not in row["guard"]
            ]
    return found


async def closed_schemas(db: Reader) -> list[Finding]:
    """Users reach nothing in ``internal`` and no table of ``auth``; views do not look past RLS."""
    rows = await db.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " CROSS JOIN unnest($1::text[]) AS role"
        " WHERE n.nspname IN ('internal', 'auth') AND c.relkind IN ('r', 'p', 'v', 'm')"
        " AND (has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE')"
        " OR has_table_privilege(role, c.oid, 'DELETE, TRUNCATE'))"
        " UNION SELECT 'schema internal' FROM unnest($1::text[]) AS role"
        " WHERE has_schema_privilege(role, 'internal', 'USAGE, CREATE')"
        " UNION SELECT c.oid::regclass::text FROM pg_catalog.pg_class c"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('v', 'm')"
        " AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)",
        list(USER_ROLES),
    )
    return [Finding("reachable_by_users", row["name"], "revoke it") for row in rows]


async def roles(db: Reader) -> list[Finding]:
    """Each role is what the access model takes it for; the login owns nothing."""
    rows = await db.fetch(
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolinherit, rolcanlogin,"
        " EXISTS (SELECT FROM pg_catalog.pg_shdepend d"
        " WHERE d.refobjid = r.oid AND d.deptype = 'o') AS owns"
        " FROM pg_catalog.pg_roles r"
        " WHERE rolname IN ('anon', 'authenticated', 'service_role', 'selify_login')"
    )
    found = []
    for row in rows:
        name = row["rolname"]
        if row["rolbypassrls"] != (name == "service_role"):
            found.append(Finding("role", name, "only service_role bypasses row level security"))
        if row["rolsuper"] or row["rolcreaterole"] or row["rolcreatedb"]:
            found.append(Finding("role", name, "take its administrative rights away"))
        if name == "selify_login" and (row["owns"] or row["rolinherit"]):
            found.append(Finding("role", name, "it owns nothing and inherits nothing"))
    missing = {*USER_ROLES, "service_role", "selify_login"} - {row["rolname"] for row in rows}
    return found + [Finding("role", name, "create it: roles.sql") for name in sorted(missing)]


RULES: Final[tuple[Callable[[Reader], Awaitable[list[Finding]]], ...]] = (
    row_security,
    open_policies,
    policy_roles,
    evaluated_per_row,
    read_whole,
    several_policies,
    readable_secrets,
    writable_system_columns,
    rehomeable_rows,
    whole_table_grants,
    odd_privileges,
    broken_promises,
    owner_functions,
    search_paths,
    trigger_rights,
    guarded_destinations,
    closed_schemas,
    roles,
)


async def check(db: Reader) -> list[Finding]:
    """Every violation of every rule, sorted; empty when the database is as it should be."""
    return sorted([finding for rule in RULES for finding in await rule(db)])


def _differences(rule: str, found: set[Any], expected: set[Any], advice: str) -> list[Finding]:
    """Violations without a reason, and reasons without a violation (which hide the next one)."""
    return [Finding(rule, _text(key), advice) for key in sorted(found - expected)] + [
        Finding(rule, _text(key), "the exception is no longer needed: remove its reason")
        for key in sorted(expected - found)
    ]


def _text(key: str | tuple[str, ...]) -> str:
    return key if isinstance(key, str) else ": ".join(key)
