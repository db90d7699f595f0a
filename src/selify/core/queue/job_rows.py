"""Jobs, looked at and changed by whoever started them. All SQL on ``internal.jobs`` that is not the runner's own
is here.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from selify.core.database import Tx


def is_alive(job_id: str) -> str:
    """SQL: whether the job of that id is not over. ``job_id``: an expression."""
    return (
        f"EXISTS (SELECT FROM internal.jobs j WHERE j.id = {job_id}"
        " AND j.state IN ('queued', 'running'))"
    )


def blanked(members: str) -> str:
    """SQL: a job's payload without what these members said. ``members``: an expression."""
    return (
        "payload || (SELECT coalesce(jsonb_object_agg(name, ''), '{}')"
        f" FROM unnest({members}::text[]) AS name)"
    )


async def forget(tx: Tx, kind: str, key: str, *, personal: frozenset[str]) -> None:
    """What its payload says of a person (``Payload.personal``) nobody needs to know any more."""
    await tx.execute(
        f"UPDATE internal.jobs SET payload = {blanked('$3')} WHERE kind = $1 AND key = $2",
        kind,
        key,
        sorted(personal),
    )


def forget_workspace(but: UUID) -> str:
    """SQL: some jobs of a workspace ($1, at most $2) go, but for this one."""
    return f"""
        DELETE FROM internal.jobs WHERE id = ANY (ARRAY(
            SELECT id FROM internal.jobs WHERE workspace_id = $1 AND id <> '{but}'
             ORDER BY id LIMIT $2))
    """


async def delete(tx: Tx, kind: str, saying: Mapping[str, Any]) -> list[tuple[str, UUID | None]]:
    """Those whose payload says that; their keys and workspaces."""
    rows = await tx.fetch(
        """
        DELETE FROM internal.jobs WHERE kind = $1 AND payload @> $2 RETURNING key, workspace_id
        """,
        kind,
        dict(saying),
    )
    return [(row["key"], row["workspace_id"]) for row in rows]
