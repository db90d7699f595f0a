"""Access tokens: issued, exchanged, refreshed, checked, and killed."""

import time
from dataclasses import dataclass

from selify_sandbox.instagram.config import DAY
from selify_sandbox.instagram.state import ids
from selify_sandbox.instagram.state.errors import (
    NO_PERMISSION,
    TOKEN_EXPIRED,
    TOKEN_FAULTS,
    TOKEN_INVALID,
    GraphError,
)
from selify_sandbox.instagram.state.store import Row, Tx

HOUR = 3600.0
SHORT_LIFE = HOUR
LONG_LIFE = 5_183_944.0  # the vendor's own figure for "60 days"
REFRESHABLE_AFTER = DAY

BASIC = "instagram_business_basic"
MESSAGES = "instagram_business_manage_messages"
COMMENTS = "instagram_business_manage_comments"
PUBLISH = "instagram_business_content_publish"
INSIGHTS = "instagram_business_manage_insights"
SCOPES = {
    BASIC: "See your profile and posts",
    MESSAGES: "Read and answer direct messages",
    COMMENTS: "Read and answer comments",
    PUBLISH: "Publish posts",
    INSIGHTS: "See insights",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a living token allows."""

    token: str
    account_id: str
    scopes: frozenset[str]
    long_lived: bool
    issued_at: float
    expires_at: float

    def require(self, scope: str) -> None:
        """Raise code 10 unless the token holds the permission."""
        if scope not in self.scopes:
            raise GraphError(
                NO_PERMISSION.saying(f"(#10) This action requires the permission {scope}.")
            )


def issue(
    tx: Tx, account_id: str, scopes: str, *, long_lived: bool, issued_at: float | None = None
) -> str:
    """A new token, an hour or 60 days long."""
    token, start = ids.access_token(), issued_at or time.time()
    tx.run(
        "INSERT INTO tokens (token, account_id, long_lived, scopes, issued_at, expires_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        token,
        account_id,
        int(long_lived),
        scopes,
        start,
        start + (LONG_LIFE if long_lived else SHORT_LIFE),
    )
    return token


def check(tx: Tx, token: str) -> Grant:
    """The token's grant. Raises code 190 with the subcode that says why it is dead."""
    row = tx.one("SELECT * FROM tokens WHERE token = ?", token) if token else None
    if row is None:
        raise GraphError(TOKEN_INVALID)
    if row["dead_subcode"]:
        raise GraphError(TOKEN_FAULTS[row["dead_subcode"]])
    if row["expires_at"] <= time.time():
        raise GraphError(TOKEN_EXPIRED)
    return Grant(
        token=token,
        account_id=row["account_id"],
        scopes=frozenset(row["scopes"].split(",")),
        long_lived=bool(row["long_lived"]),
        issued_at=row["issued_at"],
        expires_at=row["expires_at"],
    )


def kill(tx: Tx, account_id: str, subcode: int) -> int:
    """Every token of the account dies for this reason; how many that were."""
    return tx.run(
        "UPDATE tokens SET dead_subcode = ? WHERE account_id = ? AND dead_subcode = 0",
        subcode,
        account_id,
    )


def expire(tx: Tx, account_id: str) -> int:
    """Every token of the account ran out a minute ago; how many that were."""
    return tx.run(
        "UPDATE tokens SET expires_at = ? WHERE account_id = ? AND dead_subcode = 0",
        time.time() - 60,
        account_id,
    )


def age(tx: Tx, account_id: str, hours: float) -> int:
    """Make the account's tokens older by some hours, as if that time had passed."""
    return tx.run(
        "UPDATE tokens SET issued_at = issued_at - ?, expires_at = expires_at - ? "
        "WHERE account_id = ? AND dead_subcode = 0",
        hours * HOUR,
        hours * HOUR,
        account_id,
    )


def newest(tx: Tx, account_id: str) -> Row | None:
    """The account's most recent token, dead or alive."""
    return tx.one(
        "SELECT * FROM tokens WHERE account_id = ? ORDER BY issued_at DESC, rowid DESC LIMIT 1",
        account_id,
    )


def is_connected(tx: Tx, account_id: str) -> bool:
    """Whether any token of the account is alive."""
    alive = "SELECT 1 FROM tokens WHERE account_id = ? AND dead_subcode = 0 AND expires_at > ?"
    return bool(tx.value(alive, account_id, time.time()))
