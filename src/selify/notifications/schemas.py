"""The JSON of ``/api/v1/notifications``."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from selify.notifications.types import Notification

_ID = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"
_WHEN = "2026-05-04T09:30:00Z"


class NotificationOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    workspace_id: UUID | None = Field(examples=[_ID])
    kind: str = Field(examples=["credits_exhausted"])
    title: str = Field(examples=["Shoppers are waiting: the credits are used up"])
    body: str | None = Field(examples=["Top up, or wait until Monday."])
    action_url: str | None = Field(examples=["/billing"])
    created_at: datetime = Field(examples=[_WHEN])
    read_at: datetime | None = Field(examples=[None])

    @classmethod
    def of(cls, notification: Notification) -> Self:
        return cls(
            id=notification.id,
            workspace_id=notification.workspace_id,
            kind=notification.kind,
            title=notification.title,
            body=notification.body,
            action_url=notification.action_url,
            created_at=notification.created_at,
            read_at=notification.read_at,
        )


class NotificationsOutput(BaseModel):
    """``unread`` counts all of them, not only the ones listed; 1000 is that many or more."""

    notifications: list[NotificationOutput]
    unread: int


class NotificationIds(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[UUID], Field(min_length=1, max_length=200, examples=[[_ID]])]


class Changed(BaseModel):
    changed: int = Field(description="How many were not in that state yet.")
