"""How far ahead the times of this domain can honestly lie; see ``selify.core.wrong_clocks``."""

from selify.core.wrong_clocks import Bound, interval
from selify.messaging.limits import LONGEST_LINE

# A pause remembers how long it is. While it lasts, the pace begins at its end.
_PAUSED = "CASE WHEN paused_until > $1 THEN paused_for ELSE interval '0' END"

BOUNDS = (
    Bound("internal.send_pace", "paused_until", "coalesce(paused_for, interval '0')"),
    Bound("internal.send_pace", "free_at", _PAUSED),
    Bound("internal.send_pace", "last_turn", f"{_PAUSED} + {interval(LONGEST_LINE)}"),
    # What was counted stays counted, in the window that is now.
    Bound("public.instagram_rate_limits", "last_message_at"),
    Bound("public.instagram_webhook_subscriptions", "last_verified_at"),
    Bound("public.instagram_message_queue", "processed_at", condition="status = 'pending'"),
    Bound("public.connected_social_accounts", "token_last_refreshed_at"),
)
