"""What people who write are called. A comment names its writer, a message does not: so the platform is
asked once, after the person has written (before, it would not say), and through the outbox: after the
commit, one after another per account, and again until there is an answer.
"""

from uuid import UUID

from selify.core import outbox
from selify.core.database import Actor, Database, Tx
from selify.core.outbox import Delivery, Outcome, Retry, Sent
from selify.core.secrets import SecretBox
from selify.social import accounts, conversations, interactions, repository
from selify.social.conversations import Conversation
from selify.social.ports import Credentials, Messenger

CHANNEL = "names"
ACTOR = Actor.system("names")


async def ask(tx: Tx, conversation: Conversation) -> None:
    """Once for a conversation, however often the person writes."""
    await outbox.enqueue(
        tx,
        channel=CHANNEL,
        key=str(conversation.id),
        lane=f"names:{conversation.account_id}",
        payload={"conversation_id": conversation.id},
        workspace_id=conversation.workspace_id,
        account_id=conversation.account_id,
    )


class NameChannel:
    """Asks the platform, and writes the answer into the conversation."""

    def __init__(self, database: Database, messenger: Messenger, *, secrets: SecretBox) -> None:
        self._database = database
        self._messenger = messenger
        self._secrets = secrets

    async def send(self, delivery: Delivery) -> Outcome:
        """Sent: with the name, which is empty where there is none to be had."""
        async with self._database.tx(ACTOR) as tx:
            conversation = await conversations.lock_by_id(tx, _conversation_of(delivery))
            if conversation is None or conversation.username:
                return Sent({"username": ""})
            account = await repository.account(tx, conversation.account_id)
            if account is None or account.status not in repository.LIVE:
                return Sent({"username": ""})
            token = await accounts.open_token(tx, self._secrets, account.id)
        sender = Credentials(account.platform_account_id, token)
        username = await self._messenger.username(sender, conversation.person_ref)
        if username is None:
            return Retry("the platform does not say now")
        return Sent({"username": username})

    async def reconcile(self, delivery: Delivery) -> Outcome:  # noqa: ARG002 - a port's signature
        """Asking twice does no harm."""
        return Retry("the question may be asked again")

    async def settle(self, tx: Tx, delivery: Delivery, outcome: Outcome) -> None:
        """Unless a comment has named them meanwhile, or they were forgotten."""
        if not isinstance(outcome, Sent) or not outcome.result["username"]:
            return
        conversation = await conversations.lock_by_id(tx, _conversation_of(delivery))
        if conversation is not None and not conversation.username:
            await conversations.set_username(tx, conversation, outcome.result["username"])
            await interactions.set_username(tx, conversation.id, outcome.result["username"])


def _conversation_of(delivery: Delivery) -> UUID:
    return UUID(delivery.payload["conversation_id"])
