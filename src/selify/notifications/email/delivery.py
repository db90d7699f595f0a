"""Delivering a mail: to the mail server, or where there is none into this machine's own mailbox.

Once that is done, or can never be done, the letter is forgotten: the row of the outbox stays, without it.
"""

import ssl
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage

import aiosmtplib

from selify.core.database import Tx
from selify.core.logging import get_logger
from selify.core.queue import outbox_rows
from selify.core.queue.inbox import backoff
from selify.core.queue.outbox import Failed, OutboxMessage, Outcome, Retry, Sent
from selify.core.secrets import SecretBox, SecretUnreadable
from selify.notifications.email import local_mailbox, mailer
from selify.notifications.email.letter import Letter
from selify.notifications.email.mailer import SealedLetter
from selify.notifications.email.message import message_of
from selify.notifications.email.settings import MailServer

log = get_logger(__name__)

# Servers that put strangers off want to be asked again after minutes.
FIRST_RETRY = timedelta(minutes=1)
PATIENCE = 30.0
_ENDS = (Sent, Failed)


@dataclass(frozen=True, slots=True)
class MailServerChannel:
    """The outbox channel where there is a mail server. ``tls``: whom else to trust than the machine does."""

    box: SecretBox
    server: MailServer
    sender: Address
    tls: ssl.SSLContext | None = None

    async def send(self, delivery: OutboxMessage) -> Outcome:
        try:
            letter = _letter(self.box, delivery)
        except SecretUnreadable as error:
            return Failed(error.code, error.detail)
        message = message_of(
            letter, sender=self.sender, key=delivery.key, written_at=delivery.created_at
        )
        try:
            await self._hand_in(message, letter)
        except aiosmtplib.SMTPAuthenticationError as error:  # the server's, not this mail's
            log.warning("the mail server does not let us in", code=error.code)
            return _again(delivery, "mail_server_refused_us", f"{error.code} at the sign-in")
        except aiosmtplib.SMTPRecipientsRefused as error:
            refusal = error.recipients[0]
            return _answered(delivery, refusal.code, refusal.message)
        except aiosmtplib.SMTPResponseException as error:
            return _answered(delivery, error.code, error.message)
        except (aiosmtplib.SMTPException, OSError) as error:
            return _again(delivery, "mail_server_away", f"{type(error).__name__}: {error}")
        return Sent({})

    async def _hand_in(self, message: EmailMessage, letter: Letter) -> None:
        server = self.server
        await aiosmtplib.send(
            message.as_bytes(),
            sender=self.sender.addr_spec,
            recipients=[letter.to],
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls == "tls",
            start_tls=server.tls == "starttls",
            tls_context=self.tls if server.tls != "none" else None,
            timeout=PATIENCE,
        )

    async def reconcile(self, _: OutboxMessage) -> Outcome:
        """Nobody can be asked. A second one has the same Message-ID, and who reads mails sees one."""
        return Retry("The worker stopped while it was handed in.")

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        if isinstance(outcome, _ENDS):
            await _forget(tx, delivery)


@dataclass(frozen=True, slots=True)
class LocalMailboxChannel:
    """The outbox channel where there is none: the mail is put into the mailbox in the very transaction that
    marks it as sent.
    """

    box: SecretBox

    async def send(self, delivery: OutboxMessage) -> Outcome:
        try:
            _letter(self.box, delivery)
        except SecretUnreadable as error:
            return Failed(error.code, error.detail)
        return Sent({"local": True})

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:
        return await self.send(delivery)  # twice is as good as once

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        if isinstance(outcome, Sent):
            letter = _letter(self.box, delivery)
            await local_mailbox.keep(
                tx, self.box, letter, mail_id=delivery.id, at=delivery.created_at
            )
        if isinstance(outcome, _ENDS):
            await _forget(tx, delivery)


def _letter(box: SecretBox, delivery: OutboxMessage) -> Letter:
    """Raises SecretUnreadable."""
    return mailer.opened(box, SealedLetter.read(delivery.payload).sealed, delivery.key)


async def _forget(tx: Tx, delivery: OutboxMessage) -> None:
    await outbox_rows.strike_notes(tx, delivery.id, mailer.SEALED)


def _answered(delivery: OutboxMessage, code: int, said: str) -> Outcome:
    """Of 5xx the server will not change its mind; of everything else it may."""
    reason = f"{code} {' '.join(said.split())}"[:300]
    if 500 <= code < 600:
        return Failed(f"mail_refused_{code}", reason)
    return _again(delivery, f"mail_put_off_{code}", reason)


def _again(delivery: OutboxMessage, code: str, reason: str) -> Retry:
    return Retry(reason, backoff(delivery.tries - 1, FIRST_RETRY), code)
