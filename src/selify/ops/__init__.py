"""The ops domain. Owns what the house itself runs on: notifications, feedback, webhooks' records,
quality tests.

Earlier domains tell people something with ``selify.core.notices.notify_workspace``; the rows are
written by ``NoticeChannel``, an outbox channel.
"""

from selify.ops.notifications import (
    NoticeChannel,
    archive,
    count_unread,
    list_notifications,
    mark_read,
    notify,
)
from selify.ops.types import Notification

__all__ = [
    "NoticeChannel",
    "Notification",
    "archive",
    "count_unread",
    "list_notifications",
    "mark_read",
    "notify",
]
