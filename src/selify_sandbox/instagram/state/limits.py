"""Natural rate limits and the usage headers that announce them."""

import json
import math
import time
from collections import defaultdict, deque

from selify_sandbox.instagram.config import DAY, Limits
from selify_sandbox.instagram.state.errors import (
    APP_LIMIT,
    BUSINESS_LIMIT,
    CALL_LIMIT,
    PRIVATE_REPLY_LIMIT,
    SEND_LIMIT,
    GraphError,
    Refusal,
)
from selify_sandbox.instagram.state.switchboard import Switchboard


class Window:
    """How many calls fell into the last ``seconds``; exact, with one entry per call."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def count(self) -> int:
        """Calls still inside the window."""
        edge = time.monotonic() - self._seconds
        while self._times and self._times[0] <= edge:
            self._times.popleft()
        return len(self._times)

    def add(self) -> None:
        """One more call, now."""
        self._times.append(time.monotonic())


class Meter:
    """Counts calls per app and per account, refuses beyond the limits, writes the headers.

    Counters are in memory: a restart forgets at most a day's usage, which only makes the
    stand-in kinder.
    """

    def __init__(self, limits: Limits, switchboard: Switchboard) -> None:
        self._limits = limits
        self._switchboard = switchboard
        self._app = Window(3600)
        self._accounts: dict[str, Window] = defaultdict(lambda: Window(DAY))
        self._sends: dict[str, Window] = defaultdict(lambda: Window(1))
        self._private: dict[str, Window] = defaultdict(lambda: Window(3600))
        self._reads: dict[str, Window] = defaultdict(lambda: Window(1))

    def admit(self, account_id: str, kind: str) -> None:
        """Count one call of ``kind`` (messages, private_reply, conversations, call) or refuse it.

        Raises GraphError when a published limit is reached; a refused call still counts for the
        app, as with the real thing.
        """
        self._switchboard.check_throttle()
        limits = self._limits
        self._take(self._app, limits.app_calls_per_hour, APP_LIMIT)
        if kind in {"messages", "private_reply"}:
            self._take(self._sends[account_id], limits.sends_per_second, SEND_LIMIT)
        if kind == "private_reply":
            window = self._private[account_id]
            self._take(window, limits.private_replies_per_hour, PRIVATE_REPLY_LIMIT)
        if kind == "conversations":
            self.admit_read(account_id)
        if kind not in {"messages", "private_reply"}:
            self._take(self._accounts[account_id], limits.account_calls_per_day, BUSINESS_LIMIT)

    def admit_read(self, account_id: str) -> None:
        """Count one read of conversations: the listing, a thread and a message are one budget."""
        limit = self._limits.conversation_reads_per_second
        self._take(self._reads[account_id], limit, CALL_LIMIT)

    def _take(self, window: Window, limit: int, refusal: Refusal) -> None:
        if window.count() >= limit:
            raise GraphError(refusal)
        window.add()

    def headers(self, account_id: str) -> dict[str, str]:
        """``X-App-Usage`` and ``X-Business-Use-Case-Usage``, percentages as the vendor has them."""
        blocked = self._switchboard.throttled_for()
        forced = 100 if blocked else self._switchboard.faults.usage_percent
        app = max(forced, _percent(self._app.count(), self._limits.app_calls_per_hour))
        headers = {"X-App-Usage": json.dumps(_usage(app))}
        if account_id:
            calls = self._accounts[account_id].count()
            used = max(forced, _percent(calls, self._limits.account_calls_per_day))
            minutes = math.ceil(blocked / 60)
            entry = {
                "type": "instagram",
                **_usage(used),
                "estimated_time_to_regain_access": minutes,
            }
            headers["X-Business-Use-Case-Usage"] = json.dumps({account_id: [entry]})
        return headers


def _percent(used: int, limit: int) -> int:
    return min(100, used * 100 // limit) if limit else 100


def _usage(percent: int) -> dict[str, int]:
    return {"call_count": percent, "total_cputime": percent, "total_time": percent}
