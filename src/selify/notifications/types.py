"""What crosses the border between operations and everybody else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


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
