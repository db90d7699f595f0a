"""What one may do with the workspace's mailboxes."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import ADMIN, Permission, rows

MAILBOXES_READ: Final = Permission(
    "mail.mailboxes.read",
    ADMIN,
    _("see all mailboxes of the workspace"),
    rows("workspace_email_accounts", "SELECT"),
)
MAILBOXES_CHANGE: Final = Permission(
    "mail.mailboxes.change",
    ADMIN,
    _("add, change and remove mailboxes"),
    rows("workspace_email_accounts", "INSERT UPDATE DELETE"),
)
MAILBOXES_SHARE: Final = Permission(
    "mail.mailboxes.share",
    ADMIN,
    _("say who uses which mailbox"),
    rows("workspace_email_account_members", "SELECT INSERT UPDATE DELETE"),
)

PERMISSIONS: Final = (MAILBOXES_READ, MAILBOXES_CHANGE, MAILBOXES_SHARE)
