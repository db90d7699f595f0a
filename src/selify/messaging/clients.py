"""Who uses messaging: answers what people write, asks for messages, keeps something about an account.

Messaging never knows why a message exists. Whoever asks for one names itself (``Outgoing.client``) and hears
what became of it; whoever answers is called with what was written, its conversation locked. All of it
happens in the transaction that writes down what it is about.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from selify.core.database import Tx
from selify.core.queue.inbox import Skipped
from selify.messaging.conversations import Conversation, Reworded
from selify.messaging.diagnosis import Diagnosis
from selify.messaging.outgoing import Outgoing
from selify.messaging.ports import AccountGateway
from selify.messaging.types import Account, CommentWritten, MessageEdited, MessageWritten


class Responder(Protocol):
    """Who answers what people write. What each returns is kept on the event's row; each may raise
    ``inbox.Skip`` and ``Defer``.
    """

    async def on_comment(
        self, tx: Tx, account: Account, comment: CommentWritten
    ) -> Mapping[str, Any] | Skipped:
        """Somebody else than the account commented, no longer ago than a comment may be answered."""

    async def on_message(
        self, tx: Tx, account: Account, conversation: Conversation, message: MessageWritten
    ) -> Mapping[str, Any]:
        """Somebody wrote, and it is recorded."""

    def is_on(
        self, settings: Mapping[str, Any] | None, of_workspace: Mapping[str, Any] | None
    ) -> bool:
        """Whether an account's settings, and its workspace's for the platform, let it answer."""

    def may_be_unattributed(self, conversation: Conversation) -> bool:
        """Whether this may be the reader of a private reply whose thread nobody knows yet."""

    def comes_back_to(self, conversation: Conversation, message: MessageWritten) -> bool:
        """Whether a message that was handled before is to be answered now (``inbox.again``)."""

    def hears(
        self, edit: MessageEdited, conversation: Conversation | None, *, before: str
    ) -> MessageWritten | None:
        """An edit as a message of its own, where its words are to be answered."""

    async def on_reworded(self, tx: Tx, conversation: Conversation, said: Reworded) -> None:
        """A message was edited or taken back: whoever quotes it follows."""

    async def on_unsent(
        self, tx: Tx, account: Account, conversation: Conversation, message_ref: str
    ) -> None:
        """A message was taken back. Our copies are gone."""

    async def on_named(self, tx: Tx, conversation: Conversation, username: str) -> None:
        """What the person is called is known by now."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that arrived ``at``, as far as that is known. The conversation is locked."""

    account: Account
    conversation: Conversation
    message: Outgoing
    at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that did not arrive. ``code``: how it ended (``outgoing``)."""

    account_id: UUID | None
    ordering_key: str
    message: Outgoing
    code: str
    now: datetime


class DeliveryObserver(Protocol):
    """Who asked for a message."""

    async def on_delivered(self, tx: Tx, delivered: Delivered) -> None: ...

    async def on_failed(self, tx: Tx, undelivered: Undelivered) -> None:
        """It surely did not arrive."""

    async def on_unknown(self, tx: Tx, undelivered: Undelivered) -> None:
        """Nobody can tell whether it arrived (``outgoing.ARRIVED_PERHAPS``). Its echo still may."""

    async def on_lapsed(self, tx: Tx, undelivered: Undelivered) -> None:
        """Of a message that is ``accounted_for``: it was taken back before it left, or no proof can
        come any more that it arrived. No conversation is locked.
        """


class AccountObserver(Protocol):
    """Who keeps something about accounts."""

    async def on_connected(self, gateway: AccountGateway, account_id: UUID) -> None:
        """After its commit. What fails here is the observer's to mend."""

    async def forget_account(self, tx: Tx, account: Account) -> None:
        """Forget its people. Its conversations are still there."""


@dataclass(frozen=True, slots=True)
class Clients:
    """All of them. ``deliveries`` by the name under which they ask for messages."""

    responder: Responder
    deliveries: Mapping[str, DeliveryObserver] = field(default_factory=dict)
    accounts: Sequence[AccountObserver] = ()

    def bot_is_on(self, found: Diagnosis) -> bool:
        account = found.account
        return found.live and self.responder.is_on(account.settings, account.workspace_settings)
