"""How an account is doing, said once: page, bell, API and banner all say what ``of_workspace`` says.

Four things are looked at (``About``). Each has a state, a sentence for the brand's people, since when,
and what to do; the worst of them is what the account as a whole is said to be.
What waits is said with them: how much, why, until when, and whether trying at once makes sense.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from selify.core.database import Tx
from selify.core.language import _, _n, sentences, stored
from selify.core.queue import outbox_rows
from selify.core.queue.outbox_rows import HeldBack
from selify.messaging import event_kinds, limits, outgoing, repository, send_backoff
from selify.messaging.event_kinds import Cost
from selify.messaging.limits import Pace
from selify.messaging.send_backoff import Pause

FAILING_AFTER = 3
SOON = timedelta(days=7)


class State(StrEnum):
    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"
    OFF = "off"


class About(StrEnum):
    PERMISSION = "permission"
    INCOMING = "incoming"
    SENDING = "sending"
    COMMENTS = "comments"


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` is a stable word for programs; ``cause`` tells one trouble of that code from another, as
    people would.
    """

    about: About
    state: State
    code: str
    title: str
    text: str
    since: datetime | None = None
    what_to_do: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that do not leave yet, for one reason. ``until``: when they are tried again by
    themselves, where that is known. ``may_send_now``: trying them at once may sensibly work.
    """

    count: int
    why: str
    since: datetime
    until: datetime | None
    may_send_now: bool = False

    def is_due(self, now: datetime) -> bool:
        return self.until is not None and self.until <= now


@dataclass(frozen=True, slots=True)
class Written:
    """What is written of an account. ``received``: the kinds of events that reach us, None of an account
    that was never subscribed.
    """

    id: UUID
    workspace_id: UUID
    platform: str
    username: str | None
    status: str
    token_expires_at: datetime | None
    disconnected_at: datetime | None
    token_valid: bool | None
    avg_response_time_ms: int | None
    last_successful_api_call: datetime | None
    subscription_status: str | None
    received: Sequence[str] | None
    consecutive_failures: int = 0
    messages_processed_today: int = 0
    messages_failed_today: int = 0
    subscription_error: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    workspace_settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``account``: what is written of it, for whoever shows more than what was found.
    ``may_be_over``: the reasons for which messages wait that may be over by now.
    """

    account: Written
    findings: tuple[Finding, ...]
    waiting: tuple[Waiting, ...]
    pace: Pace
    may_be_over: tuple[str, ...]

    @property
    def account_id(self) -> UUID:
        return self.account.id

    @property
    def chief(self) -> Finding:
        """What the account as a whole is said to be. Without access nothing else matters; of what is
        less than that, whether answers leave comes first.
        """
        order = (State.BAD, State.OFF, State.FAIR, State.GOOD)
        worst = min((finding.state for finding in self.findings), key=order.index)
        found = [finding for finding in self.findings if finding.state is worst]
        return found[0] if worst in (State.BAD, State.OFF) else found[-1]

    @property
    def live(self) -> bool:
        """Connected, or about to be."""
        return self.account.status in repository.LIVE

    @property
    def lost(self) -> list[Cost]:
        """What it costs that some kinds of events do not reach us."""
        return event_kinds.missing(self.account.received) if self.live else []

    @property
    def may_send_now(self) -> bool:
        return any(waiting.may_send_now for waiting in self.waiting)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A run of failures (``internal.account_trouble``)."""

    since: datetime
    code: str
    reason: str
    needs_owner: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    account: Written
    trouble: Mapping[str, Trouble]
    pause: Pause | None
    pace: Pace
    queue: Sequence[HeldBack]
    now: datetime

    @property
    def name(self) -> str:
        return f"@{self.account.username or 'unnamed'}"

    @property
    def connected(self) -> bool:
        ends = self.account.token_expires_at
        alive = self.account.token_valid is not False and (ends is None or ends > self.now)
        return alive and self.account.status in repository.LIVE


async def of_workspace(tx: Tx, workspace_id: UUID, now: datetime) -> list[Diagnosis]:
    """Every account of the workspace, oldest first, in a system transaction: what waits is readable by
    no user. Whoever asks for a user checks the membership first.
    """
    written = await tx.fetch_as(
        Written, f"{_ACCOUNTS} WHERE {_KEPT} AND a.workspace_id = $1 {_ORDER}", workspace_id
    )
    return await _examine(tx, written, now)


async def of_account(tx: Tx, account_id: UUID, now: datetime) -> Diagnosis | None:
    """One account, in a system transaction; None where there is none (any more)."""
    written = await tx.fetch_as(Written, f"{_ACCOUNTS} WHERE {_KEPT} AND a.id = $1", account_id)
    found = await _examine(tx, written, now)
    return found[0] if found else None


_ACCOUNTS = f"""
    SELECT a.id, a.workspace_id, a.platform, a.platform_username AS username, a.status,
           a.settings, {repository.WORKSPACE_SETTINGS} AS workspace_settings,
           a.token_expires_at, a.disconnected_at, h.token_valid,
           h.consecutive_failures, h.avg_response_time_ms, h.messages_processed_today,
           h.messages_failed_today, h.last_successful_api_call,
           s.subscription_status, s.last_error AS subscription_error,
           {event_kinds.RECEIVED} AS received
      FROM public.connected_social_accounts a
      LEFT JOIN public.instagram_account_health h ON h.account_id = a.id
      LEFT JOIN public.instagram_webhook_subscriptions s ON s.connected_account_id = a.id
"""
_KEPT = "a.status <> 'purged'"
_ORDER = "ORDER BY a.created_at, a.id"


async def _examine(tx: Tx, written: Sequence[Written], now: datetime) -> list[Diagnosis]:
    ids = [account.id for account in written]
    trouble = await _trouble(tx, ids)
    queue = await outbox_rows.held_back(
        tx, channel=outgoing.CHANNEL, account_ids=ids, but=outgoing.DOTS
    )
    found = []
    for account in written:
        facts = _Facts(
            account=account,
            trouble=trouble.get(account.id, {}),
            pause=await send_backoff.current(tx, account.id, now),
            pace=await limits.pace(tx, account.id, now),
            queue=[item for item in queue if item.account_id == account.id],
            now=now,
        )
        found.append(
            Diagnosis(account, _findings(facts), _waiting(facts), facts.pace, _may_be_over(facts))
        )
    return found


async def _trouble(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, dict[str, Trouble]]:
    found: dict[UUID, dict[str, Trouble]] = {}
    for row in await tx.fetch(
        """
        SELECT account_id, scope, since, code, reason, needs_owner
          FROM internal.account_trouble WHERE account_id = ANY ($1)
        """,
        ids,
    ):
        trouble = Trouble(row["since"], row["code"], row["reason"], row["needs_owner"])
        found.setdefault(row["account_id"], {})[row["scope"]] = trouble
    return found


# --- What is found ------------------------------------------------------------------------------


def _findings(facts: _Facts) -> tuple[Finding, ...]:
    if facts.account.status == "disconnected":
        return (_disconnected(facts),)
    found = (_permission(facts), _incoming(facts), _sending(facts), _comments(facts))
    return tuple(finding for finding in found if finding is not None)


def _disconnected(facts: _Facts) -> Finding:
    return Finding(
        About.PERMISSION,
        State.OFF,
        "disconnected",
        _("Disconnected"),
        _("%(account)s is disconnected: shoppers get no answers.", account=facts.name),
        since=facts.account.disconnected_at,
        what_to_do=_("Connect the account again."),
    )


def _permission(facts: _Facts) -> Finding:
    ends = facts.account.token_expires_at
    if not facts.connected:
        trouble = facts.trouble.get("sends")
        return Finding(
            About.PERMISSION,
            State.BAD,
            "account_expired",
            _("%(account)s needs to be connected again", account=facts.name),
            _(
                "The platform no longer accepts our access."
                " Shoppers' answers wait until you reconnect."
            ),
            since=trouble.since if trouble else ends,
            what_to_do=_("Connect the account again."),
            cause=_for_people(trouble.reason) if trouble else "",
        )
    if facts.account.status == "pending":
        text, title = _("The platform has not confirmed it yet"), _("Being connected")
        return Finding(About.PERMISSION, State.FAIR, "connecting", title, text)
    if ends is None:
        return Finding(About.PERMISSION, State.GOOD, *_CONNECTED, _("Valid"))
    days = (ends - facts.now).days
    state = State.FAIR if ends - facts.now < SOON else State.GOOD
    code, title = ("access_ends_soon", _("Access ends soon")) if state is State.FAIR else _CONNECTED
    text = _n(
        "Valid for %(count)s more day; renewed by itself",
        "Valid for %(count)s more days; renewed by itself",
        count=days,
    )
    return Finding(About.PERMISSION, state, code, title, text)


_CONNECTED = ("connected", _("Connected"))


def _incoming(facts: _Facts) -> Finding:
    """Whether comments and messages reach us, and what it costs where some do not."""
    status, error = facts.account.subscription_status, facts.account.subscription_error
    lost = event_kinds.missing(facts.account.received)
    if status is None:
        text = _("Not confirmed yet")
        return Finding(About.INCOMING, State.FAIR, "events_unconfirmed", text, text)
    if status == "active" and not lost:
        text = _("Comments and messages reach us")
        return Finding(About.INCOMING, State.GOOD, "events_arrive", _("Connected"), text)
    arriving, trouble = status == "active", facts.trouble.get("events")
    costs = [cost.text for cost in lost] if arriving else []
    reconnect = error.startswith(f"{event_kinds.RECONNECT}: ")
    return Finding(
        About.INCOMING,
        State.FAIR if arriving and not any(cost.vital for cost in lost) else State.BAD,
        "events_missing" if arriving else "events_not_arriving",
        _("Some of what shoppers write does not reach %(account)s", account=facts.name)
        if arriving
        else _("Comments and messages do not reach %(account)s", account=facts.name),
        sentences(*costs, _for_people(error)) or _("Not arriving."),
        since=None if arriving or trouble is None else trouble.since,
        what_to_do=_("Connect the account again and leave every switch on.") if reconnect else "",
        cause=_for_people(error),
    )


def _sending(facts: _Facts) -> Finding:
    trouble, pause = facts.trouble.get("sends"), facts.pause
    failures = facts.account.consecutive_failures
    stuck = _("Answers of %(account)s cannot leave", account=facts.name)
    if trouble and facts.connected and (trouble.needs_owner or failures >= FAILING_AFTER):
        blocked = trouble.needs_owner
        return Finding(
            About.SENDING,
            State.BAD,
            "sending_blocked" if blocked else "account_failing",
            stuck,
            _for_people(trouble.reason) if blocked else _in_a_row(trouble),
            since=trouble.since,
            what_to_do=MENDED if blocked else "",
            cause=_for_people(trouble.reason),
        )
    if pause:
        return _held("sending_paused", stored(pause.why), pause.since)
    if facts.pace.waiting and facts.pace.used_up:
        return _held("limit_reached", limits.used_up(facts.pace.used_up), None)
    if trouble and facts.connected:
        text = sentences(_("The latest send failed."), _for_people(trouble.reason))
        title = _("A send failed")
        return Finding(About.SENDING, State.FAIR, "send_failed", title, text, since=trouble.since)
    if facts.queue and facts.connected:
        first = facts.queue[0]
        return _held("answers_waiting", _why(first), first.since)
    ready = facts.account.last_successful_api_call is None
    text = _("Ready; nothing sent yet") if ready else _("Everything works")
    return Finding(About.SENDING, State.GOOD, "sending", _("Everything works"), text)


MENDED = _("When you have done so, press “Send now”.")


def _in_a_row(trouble: Trouble) -> str:
    return sentences(_("The latest sends all failed."), _for_people(trouble.reason))


def _held(code: str, why: str, since: datetime | None) -> Finding:
    return Finding(About.SENDING, State.FAIR, code, _("Answers wait"), why, since=since)


def _comments(facts: _Facts) -> Finding | None:
    """Only where something is wrong: what comments need is a permission of its own."""
    trouble = facts.trouble.get("comments")
    if trouble is None or not facts.connected:
        return None
    return Finding(
        About.COMMENTS,
        State.BAD,
        "sending_blocked",
        _("Answers of %(account)s to comments cannot leave", account=facts.name),
        _for_people(trouble.reason),
        since=trouble.since,
        what_to_do=MENDED,
        cause=_for_people(trouble.reason),
    )


# --- What waits -----------------------------------------------------------------------------------


def _waiting(facts: _Facts) -> tuple[Waiting, ...]:
    doubtful = [_in_doubt(row) for row in facts.queue if row.state == "unknown"]
    held = [row for row in facts.queue if row.state == "queued"]
    everything = facts.pace.waiting - sum(waiting.count for waiting in doubtful)
    since = min((row.since for row in held), default=facts.now)
    if held and not facts.connected:
        why = _("The account must be connected again.")
        return (*doubtful, Waiting(everything, why, since, None))
    if held and facts.pause:
        pause = facts.pause
        said = stored(pause.why)
        held_back = Waiting(everything, said, since, pause.until, pause.may_end_early)
        return (*doubtful, held_back)
    if held and facts.pace.used_up:
        said = limits.used_up(facts.pace.used_up)
        return (*doubtful, Waiting(everything, said, since, facts.pace.clear_at))
    return (*doubtful, *(_by_itself(facts, row) for row in held))


def _in_doubt(row: HeldBack) -> Waiting:
    why = _("We are finding out whether it arrived before anything is sent again.")
    return Waiting(row.count, why, row.since, None)


def _by_itself(facts: _Facts, row: HeldBack) -> Waiting:
    may_send_now = row.retried or row.reason in _may_be_over(facts)
    return Waiting(row.count, _why(row), row.since, row.until, may_send_now)


def _may_be_over(facts: _Facts) -> tuple[str, ...]:
    """The owner may have mended it, or the platform be back. What waits for its turn at the platform
    does not come sooner by asking.
    """
    if facts.pause:
        return (facts.pause.why, send_backoff.SLOW_DOWN) if facts.pause.may_end_early else ()
    comments = facts.trouble.get("comments")
    return (comments.reason,) if comments else ()


def _why(row: HeldBack) -> str:
    if row.state == "unknown":
        return _("We are finding out whether an answer arrived before anything is sent again.")
    said = _for_people(row.reason)
    return said or _("It could not be sent at the first try; it is tried again by itself.")


# A word for programs before the words for people (“bad_parameter: …”, “ConnectError: …”).
_CODE = re.compile(r"(?P<word>[\w.]+): ")


def _for_people(reason: str) -> str:
    """A stored reason without its code; nothing at all of what only a programmer understands."""
    code = _CODE.match(reason)
    if code and not code["word"].islower():
        return ""
    said = reason[code.end() :] if code else reason
    return stored(said[:1].upper() + said[1:])
