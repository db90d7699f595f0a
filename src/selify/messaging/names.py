"""What people who write are called. A comment names its writer, a message does not: so the platform is
asked once, after the person has written (before, it would not say), and through the outbox: after the
commit, each for itself, and again until there is an answer. Where none was to be had for hours, their
next message asks anew.
"""

from datetime import datetime, timedelta
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Actor, Database, Tx
from selify.core.queue import outbox, outbox_rows
from selify.core.queue.inbox import backoff
from selify.core.queue.outbox import Deferred, Failed, OutboxMessage, Outcome, Retry, Sent
from selify.core.queue.payload import Payload
from selify.core.secrets import SecretBox
from selify.messaging import conversations, keys, repository, tokens
from selify.messaging.clients import Responder
from selify.messaging.conversations import Conversation
from selify.messaging.ports import Messenger

CHANNEL = "names"
ACTOR = Actor.system("names")
# All tries together last two hours, longer than most troubles of a platform.
FIRST_RETRY = timedelta(seconds=30)
NOT_CONNECTED_WAIT = timedelta(minutes=5)
# So long a question waits for its account to be connected again.
CONNECTED_WITHIN = timedelta(days=1)
# And so long after the last try, their next message asks again.
REST = timedelta(hours=1)


class Question(Payload):
    """What the person of a conversation is called."""

    conversation_id: UUID


async def ask(tx: Tx, conversation: Conversation, now: datetime) -> None:
    """Once for a conversation, however often the person writes, unless that led to no answer."""
    asked = await outbox.enqueue(
        tx,
        channel=CHANNEL,
        key=str(conversation.id),
        ordering_key=keys.name(conversation.id),
        payload=Question(conversation_id=conversation.id),
        workspace_id=conversation.workspace_id,
        account_id=conversation.account_id,
        now=now,
    )
    if asked is None:
        await outbox_rows.ask_again(
            tx, channel=CHANNEL, key=str(conversation.id), now=now, rest=REST
        )


class NameChannel:
    """Asks the platform, and writes the answer into the conversation."""

    def __init__(
        self,
        database: Database,
        messenger: Messenger,
        responder: Responder,
        *,
        secrets: SecretBox,
        clock: Clock,
    ) -> None:
        self._database = database
        self._messenger = messenger
        self._responder = responder
        self._secrets = secrets
        self._clock = clock

    async def send(self, delivery: OutboxMessage) -> Outcome:
        """Sent: with the name, which is empty where there is none to be had."""
        async with self._database.tx(ACTOR) as tx:
            question = Question.read(delivery.payload)
            conversation = await conversations.lock_by_id(tx, question.conversation_id)
            if conversation is None or conversation.username:
                return Sent({"username": ""})
            account = await repository.account(tx, conversation.account_id)
            if account is None or account.status not in repository.LIVE:
                return self._not_connected(delivery)
            sender = await tokens.credentials(tx, self._secrets, account.id)
        username = await self._messenger.username(sender, conversation.person_ref)
        if username is None:
            after = backoff(delivery.attempts, FIRST_RETRY)
            return Retry("the platform does not say now", after)
        return Sent({"username": username})

    def _not_connected(self, delivery: OutboxMessage) -> Outcome:
        """It may be again at any moment."""
        now, reason = self._clock.now(), "the account is not connected"
        if now - delivery.created_at > CONNECTED_WITHIN:
            return Failed("not_connected", reason)
        return Deferred(now + NOT_CONNECTED_WAIT, reason)

    async def reconcile(self, delivery: OutboxMessage) -> Outcome:  # noqa: ARG002 - a port's signature
        """Asking twice does no harm."""
        return Retry("the question may be asked again")

    async def on_outcome(self, tx: Tx, delivery: OutboxMessage, outcome: Outcome) -> None:
        """Unless a comment has named them meanwhile, or they were forgotten."""
        if not isinstance(outcome, Sent) or not outcome.result["username"]:
            return
        question = Question.read(delivery.payload)
        conversation = await conversations.lock_by_id(tx, question.conversation_id)
        if conversation is not None and not conversation.username:
            username = outcome.result["username"]
            await conversations.set_username(tx, conversation, username)
            await self._responder.on_named(tx, conversation, username)
