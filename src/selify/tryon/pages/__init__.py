"""The first page, its conversations, the posts, and the bot's settings and texts."""

from pathlib import Path

from selify.core.language import _
from selify.dash.pages import Pages, Room
from selify.messaging.permissions import CONVERSATIONS_READ
from selify.tryon.pages import bot, home, inbox, posts, words
from selify.tryon.permissions import POSTS_READ

PAGES = Pages(
    routers=[home.router, inbox.router, posts.router, bot.router],
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
    ],
    parts=[*home.PARTS, inbox.CONVERSATIONS, inbox.THREAD, posts.POSTS, bot.SWITCH],
    insets=bot.INSETS,
    words=words,
    confirmations=words.DONE,
    fields=words.FIELDS,
    chosen=frozenset({"key", "language"}),
)
