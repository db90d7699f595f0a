"""What one may do with posts, the bot and what it says."""

from typing import Final

from selify.core.language import _
from selify.core.permissions import ADMIN, MEMBER, Permission, rows

BOT_CHANGE: Final = Permission(
    "tryon.bot.change",
    ADMIN,
    _("switch the bot on and off, and say in which language and to which words it answers"),
    scope="bot:write",
)
TEXTS_READ: Final = Permission(
    "tryon.texts.read", MEMBER, _("read what the bot says"), scope="bot:read"
)
TEXTS_CHANGE: Final = Permission(
    "tryon.texts.change", ADMIN, _("rewrite what the bot says"), scope="bot:write"
)
POSTS_READ: Final = Permission(
    "tryon.posts.read",
    MEMBER,
    _("see posts, which garment each shows, and which words start a try-on there"),
    rows("social_posts social_posts_garment_bindings", "SELECT"),
    scope="posts:read",
)
POSTS_BIND: Final = Permission(
    "tryon.posts.bind",
    MEMBER,
    _("choose the garment that a post shows"),
    scope="posts:write",
)
FUNNEL_READ: Final = Permission(
    "tryon.funnel.read",
    MEMBER,
    _("see every try-on and how far it got"),
    rows("bot_interactions", "SELECT"),
    scope="tryons:read",
)

PERMISSIONS: Final = (BOT_CHANGE, TEXTS_READ, TEXTS_CHANGE, POSTS_READ, POSTS_BIND, FUNNEL_READ)
