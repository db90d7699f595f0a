"""What went wrong at Instagram, and what to do about it.

One table (``RULES``) turns Meta's codes into the port's ``Action``; what has no code (a cut connection, a
gateway's page) is judged by what may already have happened on the other side. The question behind
every rule: *may this request be sent again?* A message has no idempotency key, so it is repeated
only when it surely was not sent.

Source: Meta's error pages for the Graph API, the Messenger Platform and Instagram; the rows are
those of the protocol sheet, section 9.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx

from selify.core.language import _
from selify.messaging.ports import Action
from selify.vendors.instagram.types import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What to do, and the reason as a stable word.

    ``retry_after``: not before. ``grows``: double it each time this comes again. ``alert``: somebody
    must act. ``may_be_over``: nobody was there, and may be back at any moment. ``explanation`` is written
    for the shop owner.
    """

    action: Action
    reason: str
    explanation: str
    retry_after: timedelta | None = None
    grows: bool = False
    alert: bool = False
    may_be_over: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a code, a subcode, or both (None: any), and the verdict."""

    code: int | None
    subcode: int | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The error object of an answer, in either of Meta's two shapes.

    ``at_sign_in``: it came from the token endpoint, whose codes are mere HTTP statuses.
    """

    code: int = 0
    subcode: int = 0
    message: str = ""
    trace_id: str = ""
    is_transient: bool = False
    at_sign_in: bool = False


class GraphError(Exception):
    """A call that failed. Its text and members never hold a token or a secret.

    ``http_status`` is 0 where no answer came. ``usage`` is what the answer's headers said.
    """

    def __init__(
        self,
        operation: str,
        verdict: Verdict,
        *,
        http_status: int = 0,
        fault: Fault | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.operation = operation
        self.verdict = verdict
        self.http_status = http_status
        self.fault = fault or Fault()
        self.usage = usage or Usage()
        codes = f"code {self.fault.code}/{self.fault.subcode}, " if self.fault.code else ""
        super().__init__(
            f"instagram {operation}: {verdict.action}, {verdict.reason} "
            f"({codes}HTTP {http_status}, trace {self.fault.trace_id or '-'})"
        )

    @property
    def action(self) -> Action:
        return self.verdict.action

    @property
    def retry_after(self) -> timedelta | None:
        return self.verdict.retry_after


_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


def _verdict(
    action: Action,
    reason: str,
    explanation: str,
    retry_after: timedelta | None = None,
    *,
    grows: bool = False,
    alert: bool = False,
) -> Verdict:
    return Verdict(
        action=action,
        reason=reason,
        explanation=explanation,
        retry_after=retry_after,
        grows=grows,
        alert=alert,
    )


_RETRY_SOON = timedelta(seconds=30)
_IN_A_MOMENT = timedelta(seconds=5)

UNCERTAIN = _verdict(
    Action.UNKNOWN,
    "maybe_sent",
    _("Instagram did not say whether this went out. We are checking before trying again."),
    _RETRY_SOON,
    grows=True,
)
# Nothing else of the account would arrive now either.
NOT_SENT = replace(
    _verdict(
        Action.PAUSE_ACCOUNT,
        "not_reached",
        _("Instagram could not be reached. We will try again shortly."),
        _IN_A_MOMENT,
        grows=True,
    ),
    may_be_over=True,
)
THROTTLED = _verdict(
    Action.PAUSE_ACCOUNT,
    "throttled",
    _("Instagram asks this account to slow down. Messages wait and go out as soon as they may."),
    15 * _MINUTE,
    grows=True,
)
# More in one second than it takes: the next second is another one.
BURST = replace(THROTTLED, reason="too_fast", retry_after=timedelta(seconds=2))
APP_THROTTLED = _verdict(
    Action.PAUSE_PLATFORM,
    "app_throttled",
    _("Instagram asks our app to slow down. Messages wait and go out as soon as they may."),
    15 * _MINUTE,
    grows=True,
)
WINDOW_OVER = _verdict(
    Action.WINDOW_CLOSED,
    "window_closed",
    _(
        "More than 24 hours have passed since this person wrote, so Instagram does not let the bot "
        "answer. A person can still answer in the Instagram app."
    ),
)
NOT_RECEIVING = _verdict(
    Action.PERSON_UNREACHABLE,
    "person_not_receiving",
    _("This person does not receive messages from your account (any more)."),
)
NO_SUCH_PERSON = replace(NOT_RECEIVING, reason="person_unknown")
TOKEN_DEAD = _verdict(
    Action.REAUTHORISE,
    "token_dead",
    _("Instagram no longer accepts our access. Please connect the account again."),
    alert=True,
)
NOT_ALLOWED = _verdict(
    Action.ASK_OWNER,
    "permission_missing",
    _("A permission is missing. Please connect the account again and leave every switch on."),
    alert=True,
)
WRONG_REQUEST = _verdict(
    Action.STOP,
    "bad_parameter",
    _("Instagram did not accept this message. It has been set aside and our team can see it."),
    alert=True,
)
MISCONFIGURED = replace(WRONG_REQUEST, reason="no_capability")
OBJECT_GONE = _verdict(
    Action.STOP,
    "object_gone",
    _("The comment or post this belongs to is no longer there."),
)
NO_CONSENT = _verdict(
    Action.STOP,
    "consent_missing",
    _("Instagram shows a person's profile only once they have written to you."),
)
RESTRICTED = _verdict(
    Action.PAUSE_ACCOUNT,
    "account_restricted",
    _("Instagram has restricted your account from sending for a while. Messages wait."),
    30 * _MINUTE,
    grows=True,
    alert=True,
)
BLOCKED = _verdict(
    Action.PAUSE_ACCOUNT,
    "account_blocked",
    _(
        "Instagram has blocked your account from messaging through apps. Please look at Account "
        "Status in the Instagram app."
    ),
    alert=True,
)
POLICY = replace(BLOCKED, reason="policy_breach", retry_after=24 * _HOUR, grows=True)
MESSAGES_OFF = _verdict(
    Action.ASK_OWNER,
    "message_access_off",
    _(
        "Please allow access to messages in the Instagram app: Settings, Messages and story replies, "
        "Message controls, Connected tools."
    ),
    alert=True,
)
REVIEW_PENDING = replace(MISCONFIGURED, reason="review_pending")
REHOST = _verdict(
    Action.RETRY,
    "media_not_fetched",
    _("Instagram could not fetch the picture. We are trying again."),
)
CHANGE = _verdict(
    Action.STOP,
    "duplicate_text",
    _("Instagram refused the text because it was just used. Please vary it."),
)
DONE = _verdict(
    Action.ALREADY_DONE,
    "already_replied",
    _("This comment has already had its one private reply."),
)
GONE = _verdict(
    Action.PERSON_UNREACHABLE,
    "conversation_gone",
    _("The conversation has been archived or deleted."),
)
MESSAGE_GONE = _verdict(
    Action.STOP,
    "message_deleted",
    _("The message this refers to has been deleted."),
)
REPLIES_LIMITED = _verdict(
    Action.LATER,
    "private_replies_limited",
    _("Instagram limits private replies per hour. This one waits for its turn."),
    _HOUR,
)
SINGLY = _verdict(
    Action.STOP,
    "several_pictures_off",
    _("Instagram takes one picture a message from this account."),
)
QUOTA = _verdict(Action.LATER, "publishing_quota", NOT_SENT.explanation, 24 * _HOUR)
TRY_LATER = replace(NOT_SENT, reason="instagram_busy", retry_after=timedelta(seconds=15))
FETCHING = replace(TRY_LATER, action=Action.LATER, reason="media_fetch_slow", may_be_over=False)
EXPIRED = _verdict(
    Action.RETRY,
    "container_expired",
    _("What was prepared for publishing has expired. We are preparing it again."),
)
SIGN_IN_REFUSED = _verdict(
    Action.REAUTHORISE,
    "sign_in_refused",
    _(
        "Instagram did not accept the sign-in. Please start again. If this comes back, the address or "
        "the secret entered at Meta differs from ours."
    ),
    alert=True,
)
UNEXPECTED = replace(WRONG_REQUEST, reason="unexpected_answer")

_TOKEN_SUBCODES = {
    458: "app_removed",
    459: "checkpoint",
    460: "password_changed",
    463: "token_expired",
    464: "account_unconfirmed",
    467: "token_invalid",
    492: "session_invalid",
}

RULES: tuple[Rule, ...] = (
    Rule(1, 1357046, replace(UNCERTAIN, reason="invalid_reply_though_sent")),
    Rule(1, None, UNCERTAIN),
    Rule(2, None, UNCERTAIN),
    Rule(3, None, MISCONFIGURED),
    Rule(4, 2207051, replace(BLOCKED, reason="spam_block", retry_after=24 * _HOUR, grows=True)),
    Rule(4, None, APP_THROTTLED),
    Rule(20, 1772107, replace(DONE, reason="created_though_refused")),
    Rule(17, None, THROTTLED),
    Rule(32, None, THROTTLED),
    Rule(80001, None, THROTTLED),
    Rule(80002, None, THROTTLED),
    Rule(80006, None, THROTTLED),
    Rule(613, 1996, replace(BURST, reason="volume_anomaly", retry_after=15 * _MINUTE)),
    Rule(613, None, BURST),
    Rule(None, 2534040, BURST),
    Rule(None, 2534022, WINDOW_OVER),
    Rule(None, 2018278, WINDOW_OVER),
    Rule(None, 2018108, NOT_RECEIVING),
    Rule(None, 1545041, NOT_RECEIVING),
    Rule(551, None, NOT_RECEIVING),
    Rule(None, 1893063, RESTRICTED),
    Rule(10, None, NOT_ALLOWED),
    Rule(None, 2018001, NO_SUCH_PERSON),
    Rule(None, 2534014, NO_SUCH_PERSON),
    Rule(None, 2534029, BLOCKED),
    Rule(None, 2018047, REHOST),
    Rule(None, 2018109, replace(REHOST, reason="media_too_large")),
    Rule(9010, None, NO_SUCH_PERSON),
    Rule(100, 33, OBJECT_GONE),
    Rule(100, None, WRONG_REQUEST),
    *(
        Rule(190, subcode, replace(TOKEN_DEAD, reason=reason))
        for subcode, reason in _TOKEN_SUBCODES.items()
    ),
    Rule(190, None, TOKEN_DEAD),
    Rule(102, None, replace(TOKEN_DEAD, reason="session_invalid")),
    Rule(None, 2534041, MESSAGES_OFF),
    Rule(None, 2534048, REVIEW_PENDING),
    Rule(230, None, NO_CONSENT),
    Rule(368, None, POLICY),
    Rule(341, None, replace(THROTTLED, reason="action_limit", retry_after=_HOUR)),
    Rule(506, None, CHANGE),
    Rule(1609005, None, replace(CHANGE, reason="link_refused")),
    Rule(None, 2534025, DONE),
    Rule(None, 2534001, GONE),
    Rule(None, 2534013, REPLIES_LIMITED),
    Rule(9000001, None, MESSAGE_GONE),
    Rule(10900, None, MESSAGE_GONE),
    Rule(None, 2534068, SINGLY),
    Rule(9, 2207042, QUOTA),
    Rule(None, 2207020, EXPIRED),
    Rule(None, 2207003, FETCHING),
    Rule(None, 2207001, TRY_LATER),
    Rule(None, 2207004, replace(REHOST, reason="media_too_large")),
    Rule(None, 2207008, replace(EXPIRED, reason="container_not_found")),
)

_BY_CODES = {(rule.code, rule.subcode): rule.verdict for rule in RULES}
_PERMISSION_CODES = range(200, 300)


def judge_fault(
    fault: Fault, *, http_status: int, repeatable: bool, usage: Usage | None = None
) -> Verdict:
    """What to do about an error that Instagram named. ``usage``: how long a throttle lasts."""
    listed = None if fault.at_sign_in else _look_up(fault)
    verdict = listed or _judge_unlisted(fault, http_status)
    paused = verdict.action in {Action.PAUSE_ACCOUNT, Action.PAUSE_PLATFORM}
    if paused and not verdict.may_be_over and usage and usage.regain_after:
        verdict = replace(verdict, retry_after=usage.regain_after, grows=False)
    return _repeat_if(verdict, repeatable=repeatable)


def judge_status(
    http_status: int, *, repeatable: bool, retry_after: timedelta | None = None
) -> Verdict:
    """What to do about an answer that names no error: something before Instagram answered."""
    if http_status == httpx.codes.TOO_MANY_REQUESTS:
        return _told(BURST, retry_after)
    if http_status == httpx.codes.SERVICE_UNAVAILABLE:
        return _told(TRY_LATER, retry_after)
    if 300 <= http_status < 500 and http_status != httpx.codes.REQUEST_TIMEOUT:
        return UNEXPECTED
    return _repeat_if(UNCERTAIN, repeatable=repeatable)


def _told(verdict: Verdict, retry_after: timedelta | None) -> Verdict:
    """Where they say how long, that is how long."""
    return replace(verdict, retry_after=retry_after, grows=False) if retry_after else verdict


def judge_unreadable(*, repeatable: bool) -> Verdict:
    """What to do about a success whose body lacks what it must have: it was done, or perhaps not."""
    return _repeat_if(replace(UNCERTAIN, reason="unreadable_answer"), repeatable=repeatable)


_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_CANNOT_LEAVE = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL)


def judge_network(error: Exception, *, repeatable: bool) -> Verdict:
    """What to do when no answer came: it depends on whether the request may have arrived."""
    if isinstance(error, _NEVER_LEFT):
        return NOT_SENT
    if isinstance(error, _CANNOT_LEAVE):
        return replace(WRONG_REQUEST, reason="cannot_be_sent")
    return _repeat_if(UNCERTAIN, repeatable=repeatable)


def read_fault(answer: Any, *, hide: tuple[str, ...] = ()) -> Fault | None:
    """The error an answer names, or None. The token endpoint spells it differently from Graph."""
    if not isinstance(answer, dict):
        return None
    error = answer.get("error")
    if isinstance(error, dict):
        return Fault(
            code=_number(error.get("code")),
            subcode=_number(error.get("error_subcode")),
            message=_redacted(error.get("message"), hide),
            trace_id=str(error.get("fbtrace_id") or "")[:64],
            is_transient=error.get("is_transient") is True,
        )
    if "error_type" in answer or "error_message" in answer:
        return Fault(
            code=_number(answer.get("code")),
            message=_redacted(answer.get("error_message"), hide),
            at_sign_in=True,
        )
    return None


def _look_up(fault: Fault) -> Verdict | None:
    """The most exact row. Reports give some subcodes as the code itself, so those are tried too."""
    pairs = (
        (fault.code, fault.subcode),
        (None, fault.subcode),
        (None, fault.code),
        (fault.code, None),
    )
    return next((_BY_CODES[pair] for pair in pairs if pair in _BY_CODES), None)


def _judge_unlisted(fault: Fault, http_status: int) -> Verdict:
    if fault.is_transient or http_status >= 500:
        return UNCERTAIN
    if http_status == httpx.codes.TOO_MANY_REQUESTS:
        return BURST
    if fault.at_sign_in:
        return SIGN_IN_REFUSED
    return NOT_ALLOWED if fault.code in _PERMISSION_CODES else UNEXPECTED


def _repeat_if(verdict: Verdict, *, repeatable: bool) -> Verdict:
    """What does no harm twice (reading, subscribing, typing dots) is simply done again."""
    if repeatable and verdict.action is Action.UNKNOWN:
        return replace(verdict, action=Action.LATER)
    return verdict


# Meta quotes a malformed token back in its message.
_TOKEN_LIKE = re.compile(r"[A-Za-z0-9_-]{40,}")


def _redacted(message: Any, hide: tuple[str, ...]) -> str:
    text = message if isinstance(message, str) else ""
    for secret in filter(None, hide):
        text = text.replace(secret, "…")
    return _TOKEN_LIKE.sub("…", text)[:500]


def _number(value: Any) -> int:
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 16:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
