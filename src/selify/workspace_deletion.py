"""What becomes of a deleted workspace: goodbye to its platforms at once, to its people after a while.

The moment it is deleted the database silences it (``functions/workspaces.sql``). This job says goodbye to
the platforms, waits until nobody can want it back any more, and then forgets: files first, then rows, a
few thousand at a time, each in a transaction of its own. Killed anywhere, it goes on with what is left;
there is nothing to remember but what is still there.

The books stay: charges, payments, balances, without people, messages or pictures in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from selify.auth import DELETION, KEPT_FOR, begin_forgetting
from selify.core.clock import Clock
from selify.core.container import Container
from selify.core.database import Actor, Database, Tx
from selify.core.files.storage import Storage
from selify.core.logging import get_logger
from selify.core.queue import job_rows, jobs, outbox_rows
from selify.core.queue.defer import Defer
from selify.core.queue.jobs import Job
from selify.core.wiring import Wing, Work
from selify.messaging import accounts, repository
from selify.messaging.clients import Clients
from selify.messaging.connecting import Connector
from selify.messaging.ports import AccountGateway, Platform
from selify.messaging.wiring import connector

log = get_logger(__name__)

ACTOR = Actor.system("workspace deletion")
AT_ONCE = 2000
LONGEST_STATEMENT = timedelta(minutes=10)
TRIED_AGAIN_AFTER = timedelta(hours=1)

# What stays, and why; everything else that belongs to a workspace is found in the catalogs.
KEPT: Final = {
    "affiliate_commissions": "what the person who brought the customer earned",
    "workspace_financial_transactions": "payments",
    "workspace_payg_balance": "what was bought and used in all",
    "workspace_quotas": "what a week was worth",
    "workspace_subscriptions": "which plan was paid for",
    "workspace_usage_events": "charges",
    "workspaces": "the row that the books refer to, without a name",
}
_BOOKS: Final = (
    """
    UPDATE public.workspace_usage_events
       SET user_id = NULL, error_message = NULL,
           metadata = CASE WHEN metadata ? 'charge'
                           THEN jsonb_build_object('charge', metadata -> 'charge') ELSE '{}' END
     WHERE id IN (SELECT id FROM public.workspace_usage_events
                   WHERE workspace_id = $1 AND (user_id IS NOT NULL OR error_message IS NOT NULL
                         OR metadata - 'charge' <> '{}') ORDER BY id LIMIT $2)
    """,
    """
    UPDATE public.workspace_financial_transactions
       SET user_id = NULL, stripe_customer_id = NULL, notes = NULL, metadata = '{}',
           description = transaction_type
     WHERE id IN (SELECT id FROM public.workspace_financial_transactions
                   WHERE workspace_id = $1 AND (user_id IS NOT NULL OR notes IS NOT NULL
                         OR stripe_customer_id IS NOT NULL OR metadata <> '{}'
                         OR description <> transaction_type) ORDER BY id LIMIT $2)
    """,
    """
    UPDATE public.workspace_subscriptions SET stripe_customer_id = NULL
     WHERE id IN (SELECT id FROM public.workspace_subscriptions
                   WHERE workspace_id = $1 AND stripe_customer_id IS NOT NULL ORDER BY id LIMIT $2)
    """,
    """
    UPDATE public.workspace_payg_balance SET stripe_customer_id = NULL
     WHERE id IN (SELECT id FROM public.workspace_payg_balance
                   WHERE workspace_id = $1 AND stripe_customer_id IS NOT NULL ORDER BY id LIMIT $2)
    """,
)
_NAMELESS: Final = """
UPDATE public.workspaces
   SET name = 'Deleted workspace', slug = 'deleted-' || id, description = NULL, avatar_url = NULL,
       social_platforms_config = NULL, brand_voice = NULL, brand_metadata = NULL,
       settings = jsonb_build_object('purged_at', $2::text)
 WHERE id = $1 AND deleted_at IS NOT NULL AND NOT coalesce(settings, '{}') ? 'purged_at'
"""


@dataclass(frozen=True, slots=True)
class WorkspaceDeletion:
    database: Database
    clock: Clock
    storage: Storage
    clients: Clients
    connector: Connector
    gateways: Mapping[str, AccountGateway]

    async def run(self, job: Job) -> None:
        workspace_id = _workspace_of(job)
        deleted_at = datetime.fromisoformat(job.payload["deleted_at"])
        if not await self._is_still_deleted(workspace_id, deleted_at):
            return  # it was brought back, perhaps to be deleted again by another job
        await self._disconnect(workspace_id, deleted_at)
        left = deleted_at + KEPT_FOR - self.clock.now()
        if left > timedelta():
            raise Defer("It is kept for a while, in case somebody wants it back.", left)
        async with self.database.tx(ACTOR) as tx:
            if not await begin_forgetting(
                tx, workspace_id, deleted_at=deleted_at, now=self.clock.now()
            ):
                return
        await self._forget_accounts(workspace_id)
        await self._delete_files(workspace_id)
        for statement in _BOOKS:
            await self._repeat(statement, workspace_id)
        await self._delete_rows(workspace_id, keep_job=job.id)
        async with self.database.tx(ACTOR) as tx:
            await tx.execute(_NAMELESS, workspace_id, self.clock.now().isoformat())

    async def give_up(self, tx: Tx, job: Job, reason: str) -> None:
        """Not for good: what was promised to be forgotten is. It goes on in an hour."""
        log.error(
            "a workspace could not be deleted", workspace=str(job.workspace_id), reason=reason
        )
        now = self.clock.now()
        await jobs.start(
            tx,
            kind=job.kind,
            # Not the key before and more: it would grow until no index takes it.
            key=f"{job.workspace_id}/{job.payload['deleted_at']}/{job.id}",
            payload=job.payload,
            workspace_id=job.workspace_id,
            run_after=now + TRIED_AGAIN_AFTER,
            now=now,
        )

    async def _is_still_deleted(self, workspace_id: UUID, deleted_at: datetime) -> bool:
        async with self.database.tx(ACTOR) as tx:
            return bool(
                await tx.fetch_value(
                    "SELECT true FROM public.workspaces WHERE id = $1 AND deleted_at = $2",
                    workspace_id,
                    deleted_at,
                )
            )

    async def _disconnect(self, workspace_id: UUID, deleted_at: datetime) -> None:
        """At the platforms too. An account is done with once its token is gone. A platform may take its
        time: whoever brought the workspace back meanwhile may have connected the next one again.
        """
        async with self.database.tx(ACTOR) as tx:
            held = await tx.fetch(
                """
                SELECT id FROM public.connected_social_accounts
                 WHERE workspace_id = $1 AND access_token <> '' AND status <> 'purged'
                """,
                workspace_id,
            )
            found = [await repository.account(tx, row["id"]) for row in held]
        for account in found:
            if account is None:
                continue
            if not await self._is_still_deleted(workspace_id, deleted_at):
                return
            if account.platform in self.gateways:
                gateway = self.gateways[account.platform]
                await self.connector.disconnect(gateway, account, user_id=None)
                continue
            async with self.database.tx(ACTOR) as tx:
                await accounts.disconnect(
                    tx,
                    self.clients,
                    self.clock,
                    account,
                    user_id=None,
                    reason="The workspace was deleted.",
                )

    async def _forget_accounts(self, workspace_id: UUID) -> None:
        """Their shoppers first: charges name them through conversations."""
        async with self.database.tx(ACTOR) as tx:
            left = await tx.fetch(
                """
                SELECT id FROM public.connected_social_accounts
                 WHERE workspace_id = $1 AND status <> 'purged'
                """,
                workspace_id,
            )
        for row in left:
            async with self.database.tx(ACTOR) as tx:
                await accounts.purge(tx, self.clients, row["id"])

    async def _delete_files(self, workspace_id: UUID) -> None:
        for folder in (f"workspaces/{workspace_id}", str(workspace_id)):
            while keys := await self.storage.list_under(folder):
                for key in keys:
                    await self.storage.delete(key)

    async def _delete_rows(self, workspace_id: UUID, *, keep_job: UUID) -> None:
        """Of every table that names its workspace. What others refer to goes in a later round."""
        async with self.database.tx(ACTOR) as tx:
            places = [(row["name"], row["column"]) for row in await tx.fetch(_PLACES, list(KEPT))]
        for table, column in places:
            await self._repeat(
                f"DELETE FROM {table} WHERE ctid = ANY (ARRAY("
                f"SELECT ctid FROM {table} WHERE {column} = $1 ORDER BY ctid LIMIT $2))",
                workspace_id,
            )
        for statement in (outbox_rows.FORGET_WORKSPACE, job_rows.forget_workspace(keep_job)):
            await self._repeat(statement, workspace_id)

    async def _repeat(self, statement: str, workspace_id: UUID) -> None:
        """Until nothing is left to do, a few thousand rows at a time."""
        done = AT_ONCE
        while done:
            async with self.database.tx(ACTOR) as tx:
                # Histories are append-only for everybody else, and nobody looks on any more.
                await tx.execute("SET LOCAL selify.purge = 'on'; SET LOCAL selify.quiet = 'on'")
                await tx.allow(LONGEST_STATEMENT)  # an account takes its whole history along
                done = await tx.execute(statement, workspace_id, AT_ONCE)


# Columns of foreign keys to the workspace, in tables that are not kept. A reference that may be empty
# is somebody else's row about this workspace, unless it is the row's own workspace.
_PLACES: Final = """
SELECT DISTINCT format('%I.%I', n.nspname, c.relname) AS name, quote_ident(a.attname) AS column
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
 WHERE k.contype = 'f' AND k.confrelid = 'public.workspaces'::regclass
   AND (k.confdeltype = 'c' OR a.attname = 'workspace_id') AND c.relname <> ALL ($1)
 ORDER BY 1, 2
"""


def _workspace_of(job: Job) -> UUID:
    if job.workspace_id is None:
        raise ValueError(f"the job {job.key} names no workspace")
    return job.workspace_id


async def _work(container: Container) -> Work:
    gateways = {platform.name: platform.gateway for platform in container.every(Platform)}
    kind = WorkspaceDeletion(
        container.database,
        container.clock,
        container.storage,
        container.one(Clients),
        connector(container),
        gateways,
    )
    return Work(jobs={DELETION: kind})


WING = Wing(name="workspace deletion", work=_work)
