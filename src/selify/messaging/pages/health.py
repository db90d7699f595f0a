"""How connected accounts are doing, as the pages show it: what ``messaging.diagnosis`` says, a sentence
beside each thing that was looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from markupsafe import Markup

from selify.core.language import _, _n
from selify.dash.context import PageContext
from selify.dash.pages import Part
from selify.dash.rendering import insets
from selify.messaging import diagnosis
from selify.messaging.diagnosis import About, Diagnosis, Finding, State, Waiting
from selify.messaging.limits import Pace
from selify.messaging.permissions import ACCOUNTS_READ

FELT_MILLISECONDS = 100

TITLES = {
    About.PERMISSION: _("Permission"),
    About.INCOMING: _("Incoming messages"),
    About.SENDING: _("Sending"),
    About.COMMENTS: _("Answers to comments"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that works, or does not."""

    title: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class Doctor:
    """An account and everything that was looked at."""

    found: Diagnosis

    @property
    def id(self) -> UUID:
        return self.found.account_id

    @property
    def platform(self) -> str:
        return self.found.account.platform

    @property
    def username(self) -> str:
        return self.found.account.username or _("unnamed")

    @property
    def status(self) -> str:
        return self.found.account.status

    @property
    def chief(self) -> Finding:
        return self.found.chief

    @property
    def state(self) -> State:
        return self.chief.state

    @property
    def is_connected(self) -> bool:
        return self.status != "disconnected"

    @property
    def live(self) -> bool:
        return self.found.live

    @property
    def reconnect(self) -> bool:
        """Whether connecting it again is what helps, or may."""
        found = self.found.findings
        return any(
            bool(one.what_to_do) if one.about is About.INCOMING else one.state in _CONNECT_AGAIN
            for one in found
        )

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        return self.found.waiting

    @property
    def may_send_now(self) -> bool:
        return self.found.may_send_now

    @property
    def pace(self) -> Pace:
        return self.found.pace

    @property
    def verdict(self) -> str:
        """The state in two words: what is wrong stands below it."""
        return _VERDICTS.get(self.state, self.chief.title)

    @property
    def checks(self) -> tuple[Check, ...]:
        if not self.live:
            return ()
        shown = (
            Check(TITLES[one.about], one.state, self._text(one)) for one in self.found.findings
        )
        return (*shown, _today(self.found))

    def _text(self, finding: Finding) -> str:
        if finding is self.chief and finding.state is State.BAD:
            return finding.title  # the sentence stands above
        timed = finding.about is About.SENDING and finding.state is State.GOOD
        pace = self.found.account.avg_response_time_ms
        return _pace(finding.text, pace) if timed and pace is not None else finding.text


_CONNECT_AGAIN = (State.BAD, State.OFF)
_VERDICTS = {State.BAD: _("Needs your attention"), State.FAIR: _("Mostly fine")}


async def examine(ctx: PageContext) -> list[Doctor]:
    """The workspace's accounts."""
    async with ctx.acting() as tx:
        return [Doctor(one) for one in await diagnosis.of_workspace(tx, ctx.workspace.id, ctx.now)]


async def show_alarms(ctx: PageContext, _about: object) -> dict[str, Any]:
    """What keeps people from an answer, said on every page: an account in trouble or disconnected."""
    doctors = await ctx.once(examine)
    silent = not any(doctor.live for doctor in doctors)
    return {
        "alarms": [one for one in doctors if one.state is State.BAD or (silent and not one.live)]
    }


async def show_health(ctx: PageContext, _view: object) -> dict[str, Any]:
    """All accounts, and what others say of each."""
    doctors = await ctx.once(examine)
    return {"accounts": doctors, "notes": await notes(ctx, doctors)}


async def notes(ctx: PageContext, doctors: Sequence[Doctor]) -> dict[UUID, Markup]:
    """What others show in an account's health, by the account."""
    return {one.id: await insets(ctx, "doctor", one) for one in doctors}


# What an account's health is drawn from.
TABLES = (
    "instagram_account_health",
    "connected_social_accounts",
    "instagram_webhook_subscriptions",
    "outbox",
    "social_messages",
)
HEALTH = Part(
    name="health",
    template="messaging/fragments/health.html",
    draw=show_health,
    permissions=(ACCOUNTS_READ,),
    tables=TABLES,
)


def _pace(text: str, milliseconds: float) -> str:
    """How soon the platform answers, no finer than anybody feels it."""
    if milliseconds < FELT_MILLISECONDS:
        return _("%(text)s; answers at once", text=text)
    seconds = Decimal(milliseconds / 1000).quantize(Decimal("0.1"))
    return _("%(text)s, %(seconds)s s on average", text=text, seconds=seconds)


def _today(found: Diagnosis) -> Check:
    failed = found.account.messages_failed_today
    sent = found.account.messages_processed_today
    if not failed:
        return Check(_("Today"), State.GOOD, _("%(sent)s sent, none failed", sent=sent))
    said = _n(
        "%(sent)s sent; sending failed %(count)s time",
        "%(sent)s sent; sending failed %(count)s times",
        count=failed,
        sent=sent,
    )
    return Check(_("Today"), State.FAIR, said)
