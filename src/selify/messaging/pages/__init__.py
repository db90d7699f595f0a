"""Connected accounts, how they are, and what is wrong with them.

Others show what they do with an account at two places: ``account`` (an ``Account``: on the accounts' page,
beside its health) and ``doctor`` (a ``Doctor``: in the account's health, wherever that is shown).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.types import Scope

from selify.core.language import _
from selify.dash.pages import Inset, Pages, Room
from selify.messaging.pages import accounts, health, words
from selify.messaging.permissions import ACCOUNTS_READ

# Coming back from a platform's consent page.
_CALLBACK = re.compile(r"/connect/(?P<platform>\w+)/callback")


def lead_to_accounts(scope: Scope, problem: Mapping[str, Any], script: bool) -> str:
    """Where one can connect once more, with a word about what went wrong. (The end of the address keeps
    the platform's own away.)
    """
    callback = None if script else _CALLBACK.fullmatch(scope["path"])
    if callback is None:
        return ""
    code = problem["code"].removeprefix(f"{callback['platform']}_")
    known = code if code in words.REFUSED else "not_connected"
    return f"/accounts?refused={known}#main"


TEMPLATES = Path(__file__).parents[1] / "templates"

PAGES = Pages(
    routers=[accounts.router],
    templates=TEMPLATES,
    style=TEMPLATES / "style.css",
    rooms=[
        Room(
            path="/accounts",
            title=_("Accounts"),
            icon="plug",
            section=_("The bot"),
            order=40,
            permission=ACCOUNTS_READ,
        )
    ],
    parts=[accounts.DOCTOR, health.HEALTH],
    insets=[
        Inset(
            place="banner",
            order=10,
            template="messaging/fragments/alarms.html",
            draw=health.show_alarms,
            permission=ACCOUNTS_READ,
            tables=(
                "connected_social_accounts",
                "instagram_account_health",
                "instagram_webhook_subscriptions",
            ),
        )
    ],
    words=words,
    confirmations=words.DONE,
    refusals=words.REFUSED,
    leads=[lead_to_accounts],
)
