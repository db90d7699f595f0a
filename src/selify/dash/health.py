"""How connected accounts are doing: what a brand must know before its shoppers notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selify.dash import words
from selify.dash.desk import Desk
from selify.social import limits, reading
from selify.social.limits import Pace

SOON = timedelta(days=7)
LIVE = ("active", "pending")
FELT_MILLISECONDS = 100


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that works, or does not: ``state`` is good, fair, bad or off."""

    title: str
    state: str
    text: str


@dataclass(frozen=True, slots=True)
class Doctor:
    """An account and everything that was looked at."""

    id: UUID
    platform: str
    username: str
    status: str
    state: str
    verdict: str
    checks: tuple[Check, ...]
    pace: Pace

    @property
    def live(self) -> bool:
        return self.status in LIVE


async def examine(desk: Desk) -> list[Doctor]:
    """The workspace's accounts, as the user may see them; what is waiting is counted by the system."""
    async with desk.reading() as tx:
        rows = await reading.list_accounts(tx, desk.workspace.id)
    async with desk.acting() as tx:
        paces = [await limits.pace(tx, row["id"], desk.now) for row in rows]
    return [_doctor(row, pace, desk.now) for row, pace in zip(rows, paces, strict=True)]


def _doctor(row: Mapping[str, Any], pace: Pace, now: datetime) -> Doctor:
    checks = _checks(row, now)
    state, verdict = words.ACCOUNT.get(row["status"], ("fair", row["status"]))
    if state == "good":
        state, verdict = _worst(checks, (state, verdict))
    return Doctor(
        id=row["id"],
        platform=row["platform"],
        username=row["username"] or "unnamed",
        status=row["status"],
        state=state,
        verdict=verdict,
        checks=checks,
        pace=pace,
    )


def _worst(checks: Sequence[Check], otherwise: tuple[str, str]) -> tuple[str, str]:
    for state, verdict in (("bad", "Needs your attention"), ("fair", "Mostly fine")):
        if any(check.state == state for check in checks):
            return state, verdict
    return otherwise


def _checks(row: Mapping[str, Any], now: datetime) -> tuple[Check, ...]:
    if row["status"] not in LIVE:
        return ()
    return (_permission(row, now), _subscription(row), _calls(row), _failures(row))


def _permission(row: Mapping[str, Any], now: datetime) -> Check:
    title, ends = "Permission", row["token_expires_at"]
    if row["token_valid"] is False or (ends and ends <= now):
        return Check(title, "bad", "It has ended. Connect the account again.")
    if ends is None:
        return Check(title, "good", "Valid")
    days = (ends - now).days
    text = f"Valid for {days} more day{'' if days == 1 else 's'}; renewed by itself"
    return Check(title, "fair" if ends - now < SOON else "good", text)


def _subscription(row: Mapping[str, Any]) -> Check:
    title, status, lost = "Incoming messages", row["subscription_status"], row["lost"]
    why = row["subscription_error"] or "Connect the account again."
    if status is None:
        return Check(title, "fair", "Not confirmed yet")
    if status != "active":
        return Check(title, "bad", f"Not arriving. {why}")
    if not lost:
        return Check(title, "good", "Comments and messages reach us")
    state = "bad" if any(cost.vital for cost in lost) else "fair"
    return Check(title, state, " ".join([*(cost.text for cost in lost), why]))


def _calls(row: Mapping[str, Any]) -> Check:
    state, text = words.HEALTH.get(row["health"] or "", ("off", "Nothing sent yet"))
    if row["last_successful_api_call"] is None and state == "good":
        return Check("Sending", "good", "Ready; nothing sent yet")
    pace: Any = row["avg_response_time_ms"]
    return Check("Sending", state, f"{text}{_pace(pace)}" if pace is not None else text)


def _pace(milliseconds: float) -> str:
    """How soon the platform answers, no finer than anybody feels it."""
    if milliseconds < FELT_MILLISECONDS:
        return "; answers at once"
    return f", {milliseconds / 1000:.1f} s on average"


def _failures(row: Mapping[str, Any]) -> Check:
    failed, sent = row["messages_failed_today"] or 0, row["messages_processed_today"] or 0
    if not failed:
        return Check("Today", "good", f"{sent:,} sent, none failed")
    return Check("Today", "fair", f"{sent:,} sent, {failed:,} failed and tried again")
