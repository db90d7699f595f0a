"""The audit trail of signing in: ``public.sso_audit_log``, append-only, and what of it its user reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from selify.auth.audit import NOWHERE, without_secrets
from selify.auth.types import ClientInfo, User
from selify.core.database import Tx
from selify.core.ids import LAST_ID, new_id


class SignInEvent(StrEnum):
    """What is written down. Extended by whoever has more to tell; a word once written stays what it is."""

    SIGN_UP = "sign_up"
    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_EVERYWHERE = "signed_out_everywhere"
    SESSION_REVOKED = "session_revoked"
    PASSWORD_RESET_ASKED = "password_reset_asked"  # noqa: S105 - the name of an event
    PASSWORD_RESET = "password_reset"  # noqa: S105 - the name of an event
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an event
    EMAIL_CONFIRMED = "email_confirmed"
    EMAIL_CHANGE_ASKED = "email_change_asked"
    EMAIL_CHANGED = "email_changed"
    EMAIL_CHANGE_UNDONE = "email_change_undone"
    ADDRESS_CLAIMED = "address_claimed"
    INVITATION_ACCEPTED = "invitation_accepted"
    INVITATION_OTHER_ADDRESS = "invitation_other_address"
    BANNED = "banned"
    BAN_LIFTED = "ban_lifted"
    OWNER_APPOINTED = "owner_appointed"
    OWNERSHIP_HANDED_OVER = "ownership_handed_over"


@dataclass(frozen=True, slots=True)
class SignInLine:
    """``error_code`` where it was refused; ``address``: the network's."""

    id: UUID
    at: datetime
    event: str
    success: bool
    error_code: str | None
    address: str | None
    user_agent: str | None


async def record(
    tx: Tx,
    event: SignInEvent,
    *,
    now: datetime,
    user: User | None = None,
    email: str | None = None,
    error_code: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    client: ClientInfo = NOWHERE,
) -> None:
    """Write one line, in a system transaction; ``error_code`` makes it one of something refused. ``email``:
    what was typed, where nobody is known by it.

    A refusal that is then raised takes its line with it: record it in a transaction that commits.
    """
    await tx.execute(
        """
        WITH line AS (
            INSERT INTO public.sso_audit_log
                   (id, created_at, user_id, email, event_type, login_method, ip_address, user_agent,
                    success, error_code, metadata)
            VALUES ($1, $2, $3, $4, $5, 'password', $6::text::inet, $7, $8, $9, $10)
            RETURNING id, user_id)
        INSERT INTO internal.sign_in_history (user_id, line_id)
        SELECT user_id, id FROM line WHERE user_id IS NOT NULL
        """,
        new_id(),
        now,
        user.id if user else None,
        email or (user.email if user else None),
        event.value,
        client.address,
        client.user_agent,
        error_code is None,
        error_code,
        without_secrets(dict(metadata or {})),
    )


async def list_own(
    tx: Tx, user_id: UUID, *, after: UUID | None = None, limit: int
) -> list[SignInLine]:
    """The user's own lines, the newest first, from the one after ``after`` on."""
    return await tx.fetch_as(
        SignInLine,
        """
        SELECT l.id, l.created_at AS at, l.event_type AS event, l.success, l.error_code,
               host(l.ip_address) AS address, l.user_agent
          FROM internal.sign_in_history h JOIN public.sso_audit_log l ON l.id = h.line_id
         WHERE h.user_id = $1 AND h.line_id < $2
         ORDER BY h.line_id DESC LIMIT $3
        """,
        user_id,
        after or LAST_ID,
        limit,
    )
