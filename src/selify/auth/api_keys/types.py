"""What an API key is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from selify.core.database import Actor


class Review(StrEnum):
    """Why an owner should look at a key."""

    MAKER_DEMOTED = "maker_demoted"
    MAKER_LEFT = "maker_left"
    MAKER_BANNED = "maker_banned"


class KeyState(StrEnum):
    """Only an active key opens anything. A suspended one waits for an owner to confirm it."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """``prefix``: the secret's first letters. ``role``: the least that holds what its scopes are for."""

    id: UUID
    workspace_id: UUID
    name: str
    made_by: UUID | None
    prefix: str
    scopes: tuple[str, ...]
    role: str
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    review: Review | None

    def state(self, now: datetime) -> KeyState:
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and self.expires_at <= now:
            return KeyState.EXPIRED
        suspended = self.review is Review.MAKER_BANNED
        return KeyState.SUSPENDED if suspended else KeyState.ACTIVE

    @property
    def actor(self) -> Actor:
        return Actor.api_key(
            self.id, workspace_id=self.workspace_id, role=self.role, scopes=self.scopes
        )


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret; the only time the secret is seen."""

    key: ApiKey
    secret: str
