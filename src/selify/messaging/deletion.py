"""What a platform asks of us on behalf of its users: stop (deauthorise) and forget (data deletion).

A deletion request is kept in ``internal.deletion_requests`` with a code under which anyone who
holds it can see how far we are.
"""

import secrets as random
from datetime import datetime

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.errors import NotFound
from selify.core.language import _
from selify.messaging import accounts
from selify.messaging.clients import Clients

ACTOR = Actor.system("platform request")


class DeletionUnknown(NotFound):
    code = "deletion_unknown"
    title = _("There is no such deletion request")


async def deauthorise(
    database: Database,
    clients: Clients,
    clock: Clock,
    platform: str,
    app_scoped_id: str,
    issued_at: datetime | None = None,
) -> int:
    """The owner removed our app: everything stops; the 90 days begin. How many accounts. One that was
    connected again after ``issued_at``, when the platform said so, goes on: its consent is newer.
    """
    async with database.tx(ACTOR) as tx:
        found = await accounts.by_app_scoped_id(tx, platform, app_scoped_id)
        if issued_at:
            renewed = await accounts.granted_since(tx, found, issued_at, now=clock.now())
            found = [account for account in found if account.id not in renewed]
        for account in found:
            await accounts.disconnect(
                tx,
                clients,
                clock,
                account,
                user_id=None,
                reason="The app was removed at the platform.",
            )
        return len(found)


async def request_deletion(
    database: Database, clients: Clients, clock: Clock, platform: str, app_scoped_id: str
) -> str:
    """Forget everything at once; the confirmation code. Asking twice is harmless. However late it
    arrives: what somebody wants forgotten is.

    One transaction: a request we have confirmed has been carried out.
    """
    code = random.token_hex(8)
    async with database.tx(ACTOR) as tx:
        for account in await accounts.by_app_scoped_id(tx, platform, app_scoped_id):
            await accounts.disconnect(
                tx,
                clients,
                clock,
                account,
                user_id=None,
                reason="The owner asked us to delete everything.",
            )
            await accounts.purge(tx, clients, account.id)
        await tx.execute(
            """
            INSERT INTO internal.deletion_requests
                   (confirmation_code, platform, platform_user_id, state, requested_at, completed_at)
            VALUES ($1, $2, $3, 'completed', $4, $4)
            """,
            code,
            platform,
            app_scoped_id,
            clock.now(),
        )
    return code


async def deletion_state(tx: Tx, code: str) -> tuple[str, str]:
    """State and time asked for. Raises DeletionUnknown."""
    row = await tx.fetch_one(
        """
        SELECT state, requested_at, completed_at FROM internal.deletion_requests
         WHERE confirmation_code = $1
        """,
        code,
    )
    if row is None:
        raise DeletionUnknown(_("No deletion was asked for under this code."))
    return row["state"], f"{row['requested_at']:%Y-%m-%d %H:%M} UTC"
