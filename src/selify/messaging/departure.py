"""What becomes of the accounts of a workspace that was deleted: goodbye to their platforms at once, and their
shoppers forgotten before the rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database
from selify.core.departure import Departure, StillDeleted
from selify.messaging import accounts, repository
from selify.messaging.clients import Clients
from selify.messaging.connecting import Connector
from selify.messaging.ports import AccountGateway

ACTOR = Actor.system("workspace deletion")


def departure(
    database: Database,
    clock: Clock,
    clients: Clients,
    connector: Connector,
    gateways: Mapping[str, AccountGateway],
) -> Departure:
    leaving = _Accounts(database, clock, clients, connector, gateways)
    return Departure(leave=leaving.disconnect, forget=leaving.forget)


@dataclass(frozen=True, slots=True)
class _Accounts:
    database: Database
    clock: Clock
    clients: Clients
    connector: Connector
    gateways: Mapping[str, AccountGateway]

    async def disconnect(self, workspace_id: UUID, still_deleted: StillDeleted) -> None:
        """At the platforms too. An account is done with once its token is gone. A platform may take its
        time: whoever brought the workspace back meanwhile may have connected the next one again.
        """
        async with self.database.tx(ACTOR) as tx:
            connected = await repository.accounts_with_token(tx, workspace_id)
        for account in connected:
            if not await still_deleted():
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

    async def forget(self, workspace_id: UUID) -> None:
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
