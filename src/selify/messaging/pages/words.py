"""How accounts and people are said to a shop owner."""

from collections.abc import Mapping

from selify.core.language import _

# Why an account could not be connected, by the code of the refusal (without the platform's name).
REFUSED: Mapping[str, str] = {
    "consent_denied": _(
        "Nothing was connected, because access was not allowed. Start again and choose Allow."
    ),
    "oauth_state_invalid": _("This took longer than ten minutes. Please start again."),
    "connected_elsewhere": _(
        "This account is connected in another workspace. Disconnect it there first."
    ),
    "platform_refused": _("The platform did not let us in. Please start again in a minute."),
    "not_connected": _("The account could not be connected. Please start again."),
}

DONE: Mapping[str, str] = {
    "connected": _("Connected. Comments and messages reach your bot from now on."),
    "connected_partly": _(
        "Connected, but not everything reaches your bot: see “Incoming messages”."
    ),
    "disconnected": _("Disconnected. The history stays here for 90 days."),
    "sent_now": _("What waits is tried now. If it is refused again, you read here why."),
}


def shopper(username: str | None, person_ref: str) -> str:
    """By their name, or else told apart by the end of the platform's number for them."""
    return username or _("Shopper · %(number)s", number=person_ref[-4:])
