"""What crosses the border between operations and everybody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from selify.core.queue.payload import Payload


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing one person is told. Unread: neither read nor archived."""

    id: UUID
    workspace_id: UUID | None
    kind: str
    title: str
    body: str | None
    action_url: str | None
    created_at: datetime
    read_at: datetime | None


class Notice(Payload):
    """What a workspace is told. ``translations``: title and body in other languages than English.
    ``only``: the one of its members who is told.
    """

    kind: str
    title: str
    body: str
    dedupe_key: str
    action_url: str | None = None
    everyone: bool = False
    only: UUID | None = None
    translations: Mapping[str, Mapping[str, str]] = {}
