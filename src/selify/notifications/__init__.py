"""Telling a brand's people that they must act. Owns ``notifications``.

Whoever has something to tell calls ``notify_workspace``: it leaves with the change it is about, through
the outbox, and ``NoticeChannel`` writes the rows.
"""

from selify.notifications.notices import (
    NoticeChannel,
    archive,
    count_unread,
    list_notifications,
    mark_read,
    notify,
)
from selify.notifications.types import Notification

__all__ = [
    "NoticeChannel",
    "Notification",
    "archive",
    "count_unread",
    "list_notifications",
    "mark_read",
    "notify",
]
