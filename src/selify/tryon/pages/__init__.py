"""The first page, its conversations, the posts, the engines, and the bot's settings and texts."""

from pathlib import Path

from selify.billing.permissions import USAGE_READ
from selify.core.language import _
from selify.dash.pages import Badge, Pages, Room
from selify.messaging.permissions import CONVERSATIONS_READ
from selify.tryon.pages import bot, engines, home, inbox, posts, words
from selify.tryon.permissions import FUNNEL_READ, POSTS_READ

TEMPLATES = Path(__file__).parents[1] / "templates"

PAGES = Pages(
    routers=[home.router, inbox.router, posts.router, engines.router, bot.router],
    templates=TEMPLATES,
    style=TEMPLATES / "style.css",
    rooms=[
        Room(path="/", title=_("Home"), icon="house", order=10, permission=FUNNEL_READ),
        Room(
            path=inbox.PATH,
            title=_("Inbox"),
            icon="inbox",
            order=15,
            permission=CONVERSATIONS_READ,
            badge=Badge(
                means=_("Waiting for a person"),
                count=inbox.count_waiting,
                tables=("social_conversations",),
            ),
        ),
        Room(path="/posts", title=_("Posts"), icon="images", order=20, permission=POSTS_READ),
        Room(
            path="/engines",
            title=_("Engines"),
            icon="gauge",
            section=_("The bot"),
            order=45,
            permission=USAGE_READ,
        ),
    ],
    parts=[*home.PARTS, inbox.CONVERSATIONS, inbox.THREAD, posts.POSTS, engines.LEAGUE, bot.SWITCH],
    insets=bot.INSETS,
    words=words,
    confirmations=words.DONE,
    fields=words.FIELDS,
    chosen=frozenset({"key", "language", "worn_with"}),
)
