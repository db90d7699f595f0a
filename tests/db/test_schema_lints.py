"""The rules of ``selify.db.lints.schema``: kept by the database, and able to fail."""

import asyncpg
import pytest

from selify.db.lints import schema


async def test_schema_breaks_no_rule(shared_database_url):
    connection = await asyncpg.connect(shared_database_url)
    findings = await schema.check(connection)
    await connection.close()
    assert findings == []


@pytest.mark.parametrize(
    ("damage", "rule", "subject"),
    [
        ("DROP INDEX public.idx_vr_shops_workspace_id", "unindexed_foreign_key", "vr_shops"),
        (
            "ALTER TABLE public.imported_products DROP CONSTRAINT imported_products_external_id_check",
            "null_in_unique_key",
            "imported_products",
        ),
        ("CREATE TABLE public.stray (id uuid PRIMARY KEY)", "row_of_nobody", "stray"),
        (
            "ALTER TABLE internal.jobs DROP CONSTRAINT jobs_state_check, DROP CONSTRAINT jobs_lease_check",
            "unchecked_state",
            "jobs",
        ),
        ("DROP TRIGGER touch_updated_at ON public.workspaces", "standing_still", "workspaces"),
        (
            "CREATE FUNCTION public.whoami() RETURNS text LANGUAGE sql RETURN session_user",
            "function_in_public",
            "whoami",
        ),
        (
            "CREATE INDEX ON public.workspace_members (invited_by)",
            "unindexed_foreign_key",
            "workspace_members.invited_by",
        ),
    ],
)
async def test_damage_is_found(database_url, damage, rule, subject):
    connection = await asyncpg.connect(database_url)
    await connection.execute(damage)
    findings = await schema.check(connection)
    await connection.close()
    assert [finding.rule for finding in findings] == [rule]
    assert subject in findings[0].subject
