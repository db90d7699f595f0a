"""The first page, its conversations, the posts, the engines, and the bot's settings and texts."""

from pathlib import Path

from selify.billing.permissions import USAGE_READ
from selify.core.language import _
from selify.dash.pages import Pages, Room
from selify.messaging.permissions import CONVERSATIONS_READ
from selify.tryon.pages import bot, engines, home, inbox, posts, words
from selify.tryon.permissions import POSTS_READ

PAGES = Pages(
    routers=[home.router, inbox.router, posts.router, engines.router, bot.router],
    templates=Path(__file__).parents[1] / "templates",
    rooms=[
        Room(
            path="/",
            title=_("Live"),
            order=10,
            permission=CONVERSATIONS_READ,
            also=("/conversations",),
        ),
        Room(path="/posts", title=_("Posts"), order=20, permission=POSTS_READ),
        Room(path="/engines", title=_("Engines"), order=45, permission=USAGE_READ),
    ],
    parts=[*home.PARTS, inbox.CONVERSATIONS, inbox.THREAD, posts.POSTS, engines.LEAGUE, bot.SWITCH],
    insets=bot.INSETS,
    words=words,
    confirmations=words.DONE,
    fields=words.FIELDS,
    chosen=frozenset({"key", "language", "worn_with"}),
)
