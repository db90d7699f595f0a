"""How connected accounts are doing, as the pages show it: what ``messaging.diagnosis`` says, a sentence
beside each thing that was looked at.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from selify.core.language import _, _n
from selify.dash.context import PageContext
from selify.dash.view import View
from selify.messaging import diagnosis
from selify.messaging.diagnosis import About, Diagnosis, Finding, State, Waiting
from selify.messaging.limits import Pace
from selify.tryon.bot_settings import SwitchedOff, switched_off

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
    def switched_off(self) -> SwitchedOff | None:
        account = self.found.account
        return switched_off(account.settings, account.workspace_settings)

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


async def show_banner(ctx: PageContext, _view: View) -> dict[str, Any]:
    """What keeps shoppers from an answer, said on every page: an account in trouble or disconnected, a
    bot that is switched off.
    """
    doctors = await ctx.once(examine)
    silent = not any(doctor.live for doctor in doctors)
    return {
        "alarms": [one for one in doctors if one.state is State.BAD or (silent and not one.live)],
        "switched_off": [one for one in doctors if one.live and one.switched_off],
    }


PARTS = {"banner": show_banner}


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
