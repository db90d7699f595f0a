"""Telling a brand's people that they must act.

Owns ``notifications``.
Offers the names below, and ``outbox``, by which whoever has something to tell does so with the change that it is
about; ``NoticeChannel`` writes the rows.
Needs ``dash`` for its pages.
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
