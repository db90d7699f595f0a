"""The audit trail of account connections: ``public.oauth_audit_logs``, append-only."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

from selify.auth.types import ClientInfo
from selify.core.database import Tx

NOWHERE = ClientInfo(address=None, user_agent=None)
_REMOVED = "[removed]"
_SECRET_NAME = re.compile(
    r"token|secret|password|passwd|authorization|signature|cookie|api.?key|^code$|^state$",
    re.IGNORECASE,
)
# What looks like a credential inside a sentence or an address: name=value, or a header's scheme.
_SECRET_TEXT = re.compile(
    r"""(?P<name>[\w-]*(?:token|secret|password|signature|api_?key)|\bcode|\bstate)"""
    r"""(?P<sign>["']?\s*[=:]\s*["']?)(?P<value>[^\s&"',;}]+)""",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(?P<scheme>bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)


class OAuthEvent(StrEnum):
    """The nine types the reference lists (comment of ``event_type``)."""

    INITIATED = "oauth_initiated"
    CALLBACK_SUCCESS = "oauth_callback_success"
    CALLBACK_FAILED = "oauth_callback_failed"
    ACCOUNT_CONNECTED = "account_connected"
    ACCOUNT_DISCONNECTED = "account_disconnected"
    TOKEN_REFRESHED = "token_refreshed"  # noqa: S105 - the name of an event
    TOKEN_REFRESH_FAILED = "token_refresh_failed"  # noqa: S105 - the name of an event
    INVALID_STATE = "invalid_state"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"


_FAILURES = frozenset(
    {
        OAuthEvent.CALLBACK_FAILED,
        OAuthEvent.TOKEN_REFRESH_FAILED,
        OAuthEvent.INVALID_STATE,
        OAuthEvent.RATE_LIMIT_EXCEEDED,
    }
)


async def record(
    tx: Tx,
    event: OAuthEvent,
    *,
    platform: str,
    workspace_id: UUID | None = None,
    user_id: UUID | None = None,
    platform_account_id: str | None = None,
    error_message: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    client: ClientInfo = NOWHERE,
) -> None:
    """Write one line, in a system transaction. Whether it counts as a success follows from the
    event. Values that look like credentials are removed, wherever they stand.

    A failure that is then raised takes its line with it: record it in a transaction that commits.
    """
    await tx.execute(
        """
        INSERT INTO public.oauth_audit_logs
               (event_type, workspace_id, user_id, platform, platform_account_id, ip_address,
                user_agent, success, error_message, metadata)
        VALUES ($1, $2, $3, $4, $5, $6::text::inet, $7, $8, $9, $10)
        """,
        event.value,
        workspace_id,
        user_id,
        platform,
        platform_account_id,
        client.address,
        client.user_agent,
        event not in _FAILURES,
        without_secrets(error_message),
        without_secrets(dict(metadata or {})),
    )


def without_secrets(value: Any) -> Any:
    """The same, and what looks like a credential cut out."""
    match value:
        case str():
            return _BEARER.sub(
                rf"\g<scheme> {_REMOVED}", _SECRET_TEXT.sub(rf"\g<name>\g<sign>{_REMOVED}", value)
            )
        case Mapping():
            return {
                str(name): _REMOVED if _SECRET_NAME.search(str(name)) else without_secrets(inner)
                for name, inner in value.items()
            }
        case list() | tuple():
            return [without_secrets(inner) for inner in value]
        case _:
            return value
