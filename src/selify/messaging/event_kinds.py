"""The kinds of events that a platform sends of an account, and what it costs when some do not come."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from selify.core.language import _

# Of a subscription ``s``.
RECEIVED = """
    CASE s.subscription_status WHEN 'active' THEN s.subscribed_fields WHEN 'error' THEN '{}' END
"""
# The word before a stored complaint that ends once the account is connected again.
RECONNECT = "reconnect"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a brand loses when events of one kind do not come. ``vital``: the bot cannot do its work."""

    text: str
    vital: bool = False


COSTS: Mapping[str, Cost] = MappingProxyType(
    {
        "comments": Cost(_("Comments under your posts are not answered."), vital=True),
        "live_comments": Cost(_("Comments under your live videos are not answered.")),
        "messages": Cost(_("Messages and photos do not reach the bot."), vital=True),
        "messaging_postbacks": Cost(_("Taps on the buttons of a message are not noticed.")),
        "message_echoes": Cost(_("The bot does not notice when you answer a shopper yourself.")),
        "message_reactions": Cost(_("Reactions to messages are not shown.")),
        "message_edit": Cost(_("What a shopper changes in a message afterwards is not seen.")),
    }
)


def missing(fields: Collection[str] | None) -> list[Cost]:
    """What it costs that only these fields come; of an account never subscribed, nothing is known."""
    if fields is None:
        return []
    return [cost for field, cost in COSTS.items() if field not in fields]
