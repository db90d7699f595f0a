"""Telling a brand's people that they must act, and writing mails to them.

Owns ``notifications`` and ``internal.local_mails``.
Offers the names below, and ``outbox``, by which whoever has something to tell does so with the change that it is
about; ``NoticeChannel`` writes the rows. And ``email``, by which mails are sent with the change they are about.
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
