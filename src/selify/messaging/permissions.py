"""What one may do with accounts, conversations and what waits to be sent."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import ADMIN, MEMBER, Permission, rows

ACCOUNTS_READ: Final = Permission(
    "messaging.accounts.read",
    MEMBER,
    _("see the connected accounts and how they are doing"),
    rows(
        "connected_social_accounts instagram_account_health instagram_rate_limits instagram_webhook_subscriptions",
        "SELECT",
    ),
    scope="accounts:read",
)
ACCOUNTS_CONNECT: Final = Permission("messaging.accounts.connect", ADMIN, _("connect accounts"))
ACCOUNTS_DISCONNECT: Final = Permission(
    "messaging.accounts.disconnect", ADMIN, _("disconnect accounts")
)
MESSAGES_RETRY: Final = Permission(
    "messaging.messages.retry",
    MEMBER,
    _("try at once what waits to be sent"),
    scope="conversations:write",
)
CONVERSATIONS_READ: Final = Permission(
    "messaging.conversations.read",
    MEMBER,
    _("read conversations"),
    rows("social_conversations social_messages", "SELECT"),
    scope="conversations:read",
)
CONVERSATIONS_ANSWER: Final = Permission(
    "messaging.conversations.answer",
    MEMBER,
    _("say who answers in a conversation, the bot or a person"),
    scope="conversations:write",
)
DELIVERIES_READ: Final = Permission(
    "messaging.deliveries.read",
    MEMBER,
    _("see what platforms delivered"),
    rows("webhook_events", "SELECT"),
)

PERMISSIONS: Final = (
    ACCOUNTS_READ,
    ACCOUNTS_CONNECT,
    ACCOUNTS_DISCONNECT,
    MESSAGES_RETRY,
    CONVERSATIONS_READ,
    CONVERSATIONS_ANSWER,
    DELIVERIES_READ,
)
