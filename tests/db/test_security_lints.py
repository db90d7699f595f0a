"""The security rules hold on the migrated database, and each of them notices when it is broken."""

import asyncpg
import pytest
from tests.infra.worlds import sign_up

from selify.db.lints import reasons, security

MINE = "workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])"
BREAKAGES = [
    ("ALTER TABLE public.studio_models DISABLE ROW LEVEL SECURITY", "row_security_off"),
    ("ALTER TABLE public.temporal_workflows ENABLE ROW LEVEL SECURITY", "row_security_off"),
    (
        "GRANT SELECT (id) ON public.temporal_workflows TO authenticated",
        "row_security_off_but_reachable",
    ),
    (
        "CREATE POLICY extra ON public.studio_models FOR SELECT TO authenticated USING (true)",
        "open_policy",
    ),
    (
        'DROP POLICY "Allow public to insert contact submissions" ON public.contact_submissions',
        "open_policy",
    ),
    (f"CREATE POLICY extra ON public.studio_models USING ({MINE})", "policy_without_role"),
    (
        (
            "CREATE POLICY extra ON public.workspace_events FOR DELETE TO authenticated"
            " USING (workspace_id = ANY (internal.my_workspaces()))"
        ),
        "evaluated_per_row",
    ),
    (
        (
            'ALTER POLICY "Workspace members can manage garments" ON public.vr_garments'
            " USING (EXISTS (SELECT FROM public.vr_shops s WHERE s.id = vr_garments.shop_id))"
        ),
        "read_whole",
    ),
    (
        f"CREATE POLICY extra ON public.studio_models FOR SELECT TO authenticated USING ({MINE})",
        "several_policies",
    ),
    (
        "GRANT SELECT (access_token) ON public.connected_social_accounts TO authenticated",
        "readable_secret",
    ),
    (
        "GRANT UPDATE (cost_micro_units) ON public.studio_creations TO authenticated",
        "writable_system_column",
    ),
    (
        "REVOKE UPDATE (read_at) ON public.notifications FROM authenticated",
        "writable_system_column",
    ),
    ("GRANT UPDATE (workspace_id) ON public.studio_models TO authenticated", "rehomeable_row"),
    ("GRANT SELECT ON public.studio_models TO anon", "whole_table_grant"),
    ("GRANT TRUNCATE ON public.webhook_events TO service_role", "odd_privilege"),
    ("GRANT TRIGGER ON internal.jobs TO selify_login", "odd_privilege"),
    ("GRANT REFERENCES (id) ON public.profiles TO authenticated", "odd_privilege"),
    (
        "GRANT DELETE ON public.connected_social_accounts TO authenticated",
        "promise_without_privilege",
    ),
    ("GRANT DELETE ON public.qa_test_runs TO authenticated", "privilege_without_policy"),
    ("REVOKE DELETE ON public.studio_models FROM authenticated", "promise_without_privilege"),
    ("GRANT INSERT (id) ON public.vr_tryons TO authenticated", "promise_without_privilege"),
    ("GRANT INSERT (id) ON public.workspace_quotas TO authenticated", "privilege_without_policy"),
    ("CREATE FUNCTION internal.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "unpinned_search_path"),
    (
        "ALTER FUNCTION internal.touch_updated_at() SET search_path = pg_catalog, public",
        "unpinned_search_path",
    ),
    ("ALTER FUNCTION internal.my_workspaces() RESET search_path", "unpinned_search_path"),
    (
        (
            "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = ''"
            " AS 'SELECT 1'"
        ),
        "owner_function_for_everyone",
    ),
    (
        "ALTER FUNCTION internal.provision_workspace() SECURITY INVOKER",
        "trigger_with_writers_rights",
    ),
    (
        "CREATE TABLE public.webhook_endpoints (url text, signing_secret text)",
        "unguarded_destination",
    ),
    (
        "ALTER TABLE public.workspace_email_accounts ADD COLUMN pop_host text",
        "unguarded_destination",
    ),
    (
        "ALTER TABLE public.user_email_accounts ADD COLUMN oauth_token text",
        "unguarded_destination",
    ),
    (
        "ALTER TABLE public.user_email_accounts DISABLE TRIGGER secret_entered_again",
        "unguarded_destination",
    ),
    ("GRANT USAGE ON SCHEMA internal TO authenticated", "reachable_by_users"),
    ("GRANT SELECT (email) ON auth.users TO authenticated", "reachable_by_users"),
    ("CREATE VIEW public.everything AS SELECT * FROM public.profiles", "reachable_by_users"),
    ("ALTER ROLE authenticated BYPASSRLS", "role"),
    ("ALTER ROLE selify_login INHERIT", "role"),
]


async def test_the_database_has_no_findings(db: asyncpg.Connection) -> None:
    assert await security.check(db) == []


@pytest.mark.parametrize(("breakage", "rule"), BREAKAGES, ids=[rule for _, rule in BREAKAGES])
async def test_each_rule_notices(db: asyncpg.Connection, breakage: str, rule: str) -> None:
    await db.execute(breakage)
    assert rule in {finding.rule for finding in await security.check(db)}


async def test_every_rule_is_tried(db: asyncpg.Connection) -> None:
    untried = set(security.RULES)
    for breakage, _ in BREAKAGES:
        await db.execute(f"SAVEPOINT one; {breakage}")
        untried -= {rule for rule in untried if await rule(db)}
        await db.execute("ROLLBACK TO SAVEPOINT one")
    assert not untried


async def test_a_trigger_does_not_find_what_its_writer_put_in_front(db: asyncpg.Connection) -> None:
    await db.execute(
        "CREATE SCHEMA mine; CREATE FUNCTION mine.now() RETURNS timestamptz LANGUAGE sql"
        " SET search_path = '' AS $$ SELECT '1999-01-01'::timestamptz $$"
    )
    user = await sign_up(db, "writer")
    await db.execute("SET LOCAL search_path = mine, pg_catalog")
    written = await db.fetchval(
        "UPDATE public.profiles SET full_name = 'New' WHERE id = $1"
        " RETURNING updated_at = pg_catalog.now()",
        user,
    )
    assert written


async def test_tables_made_later_start_closed(db: asyncpg.Connection) -> None:
    """But for the system. Nothing is taken from those who need a right: a migration gives it."""
    await db.execute("CREATE TABLE public.later_table (id int)")
    for role, may in (("anon", False), ("authenticated", False), ("service_role", True)):
        assert may == await db.fetchval(
            "SELECT has_table_privilege($1, 'public.later_table', 'SELECT')", role
        ), role


async def test_the_credentials_of_the_reference_are_known_as_secrets(
    db: asyncpg.Connection,
) -> None:
    known = {
        (p.table, p.column)
        for p in await security.column_privileges(db)
        if security.SECRET.search(p.column)
    }
    commented = await db.fetch(
        "SELECT c.relname, a.attname FROM pg_description d JOIN pg_class c ON c.oid = d.objoid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid"
        " WHERE c.relnamespace = 'public'::regnamespace"
        " AND d.description ~* 'encrypted|secure token|access token|refresh token'"
        " AND a.attname !~ '_at$|^settings$'"
    )
    assert {(row["relname"], row["attname"]) for row in commented} <= known
    assert len({table for table, column in known if column != "hmac"}) == 6
    assert len({pair for pair in known if pair[1] != "hmac"}) == 8


def test_every_exception_has_a_sentence() -> None:
    for exceptions in (
        reasons.ROW_SECURITY_OFF,
        reasons.OPEN_TO_EVERYONE,
        reasons.WITHHELD,
        reasons.USER_WRITABLE,
        reasons.SEVERAL_POLICIES,
    ):
        assert all(len(reason.split()) >= 3 for reason in exceptions.values())
