"""Inbox handlers: each stored event is recorded in its conversation, in the inbox's own transaction, and
whoever answers is called.

Everything here may run again for the same event after a crash, and events may come late or out of
order; what must happen once is keyed by the platform's ids (messages, comments, outbox keys).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from selify.core import retention
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.queue.defer import Defer
from selify.core.queue.inbox import Event, Skip, Skipped
from selify.messaging import (
    conversations,
    echoes,
    lost_replies,
    names,
    outgoing,
    repository,
    unmatched_events,
)
from selify.messaging.clients import Clients
from selify.messaging.conversations import Conversation
from selify.messaging.echoes import Origin
from selify.messaging.ports import Translator
from selify.messaging.types import (
    Account,
    ButtonTapped,
    CommentWritten,
    Handler,
    MessageEdited,
    MessageSeen,
    MessageUnsent,
    MessageWritten,
    NothingToDo,
    ReactionChanged,
    SocialEvent,
)
from selify.notifications.outbox import notify_workspace

log = get_logger(__name__)

COMMENT_LIFE = timedelta(days=7)
ATTRIBUTION_PATIENCE = timedelta(minutes=2)
SOMEBODY = "a shopper"  # in the log, which tells names and kinds, and never what was written

Answer = Mapping[str, Any] | Skipped


class SocialEvents:
    """The inbox's handler for one platform."""

    def __init__(self, translate: Translator, clients: Clients, clock: Clock) -> None:
        self._translate = translate
        self._clients = clients
        self._responder = clients.responder
        self._clock = clock

    async def __call__(self, tx: Tx, event: Event) -> Answer:
        """Handle one event; the result is kept on its row. Raises Skip and Defer."""
        happened = self._translate(event.event_type, event.payload, event.created_at)
        if isinstance(happened, NothingToDo):
            raise Skip(happened.reason)
        account = await repository.live_account(tx, event.platform, happened.account_ref)
        if account is None:
            former = await repository.former_account(tx, event.platform, happened.account_ref)
            if isinstance(happened, MessageUnsent):
                await conversations.scrub_events(tx, event.platform, happened.message_ref)
                # Whoever takes something back need not wait until the brand connects again.
                account = former
            elif former is not None and former.status == "disconnected":
                # Answered weeks later, when the brand comes back, it would only puzzle its writer.
                raise Skip("the account is disconnected")
        if account is None:
            await unmatched_events.park_event(tx, event, now=self._clock.now())
            return Skipped("no connected account yet: parked")
        if _of_itself(account, happened):
            raise Skip("the account's own words, to nobody else")
        return await self._handle(tx, account, happened)

    async def _handle(self, tx: Tx, account: Account, happened: SocialEvent) -> Answer:
        match happened:
            case CommentWritten():
                return await self._comment(tx, account, happened)
            case MessageWritten(is_echo=True):
                return await self._echo(tx, account, happened)
            case MessageWritten():
                return await self._message(tx, account, happened)
            case ButtonTapped():
                return await self._message(tx, account, _as_message(happened))
            case MessageEdited():
                return await self._edited(tx, account, happened)
            case MessageUnsent():
                return await self._unsent(tx, account, happened)
            case ReactionChanged():
                return await self._reaction(tx, happened)
            case _:
                return {"seen": True}

    async def _comment(self, tx: Tx, account: Account, comment: CommentWritten) -> Answer:
        if comment.is_own:
            raise Skip("our own comment")
        if self._clock.now() - comment.at > COMMENT_LIFE:
            raise Skip("older than the seven days in which a comment may be answered")
        return await self._responder.on_comment(tx, account, comment)

    async def _message(self, tx: Tx, account: Account, message: MessageWritten) -> Answer:
        """A person wrote: record it, and have it answered."""
        conversation = await conversations.find(tx, account.id, message.person_ref)
        if conversation is None or self._responder.may_be_unattributed(conversation):
            await self._attribute(tx, account, message)
            conversation = await conversations.lock(tx, account, message.person_ref)
        fresh = await conversations.record_message(
            tx,
            conversation,
            message_ref=message.message_ref or None,
            sender_ref=message.person_ref,
            text=message.text,
            kind=message.kind,
            attachments=conversations.stored_attachments(message.attachments),
            at=message.at,
        )
        if not fresh and not self._responder.comes_back_to(conversation, message):
            return await _seen_before(tx, account, message, "this message was handled before")
        if not conversation.username:
            await names.ask(tx, conversation, self._clock.now())
        return await self._responder.on_message(tx, account, conversation, message)

    async def _attribute(self, tx: Tx, account: Account, message: MessageWritten) -> None:
        """Somebody of whom we know nothing writes while a private reply is in the air: they may be
        its reader. Wait a little.
        """
        now = self._clock.now()
        if await lost_replies.settle_for(tx, self._clients, account, message.person_ref, now=now):
            return
        if now - message.at <= ATTRIBUTION_PATIENCE and await lost_replies.in_the_air(
            tx, account, message.person_ref, patience=ATTRIBUTION_PATIENCE, now=now
        ):
            raise Defer(
                "a private reply is on its way: this may be its reader", timedelta(seconds=1)
            )

    async def _echo(self, tx: Tx, account: Account, message: MessageWritten) -> Answer:
        """The account itself wrote. If it was not us, a person did: the bot falls silent there."""
        now = self._clock.now()
        origin = await echoes.attribute_sender(tx, self._clients, account, message, now=now)
        if origin is Origin.RECORDED:
            return await _seen_before(tx, account, message, origin.value)
        if origin in (Origin.OURS, Origin.ASKED):
            return {"decision": "our own message", "how": origin.value}
        if origin is Origin.MAYBE_OURS:
            if now - message.at > ATTRIBUTION_PATIENCE:
                raise Skip("most likely our own message")
            raise Defer("one of our own sends is not confirmed yet", timedelta(seconds=2))
        conversation = await conversations.lock(tx, account, message.person_ref)
        automatic = await conversations.is_automatic(
            tx, account, conversation, text=message.text, at=message.at
        )
        fresh = await conversations.record_message(
            tx,
            conversation,
            message_ref=message.message_ref,
            sender_ref=account.platform_account_id,
            text=message.text,
            kind=conversations.AUTOMATIC if automatic else message.kind,
            attachments=conversations.stored_attachments(message.attachments),
            at=message.at,
        )
        if not fresh:
            return await _seen_before(tx, account, message, Origin.RECORDED.value)
        if automatic:
            return {"decision": "an automatic message of the brand: the bot goes on"}
        await conversations.mark_read(tx, conversation, message.at)
        handed_back = conversation.bot_since
        if handed_back and message.at <= handed_back:
            return {"decision": "written before the conversation was handed back to the bot"}
        await _taken_over(tx, account, conversation, message, now)
        return {"decision": "a person answered: the bot is silent here"}

    async def _unsent(self, tx: Tx, account: Account, unsent: MessageUnsent) -> Answer:
        """Taken back: our copies go, and what was being made of it is not finished.

        The conversation is locked first, as whoever handles the message itself does.
        """
        conversation = await conversations.lock(tx, account, unsent.person_ref)
        reworded = await conversations.unsend_message(tx, unsent.message_ref)
        if reworded:
            await self._responder.on_reworded(tx, conversation, reworded)
        else:
            # It may still arrive (events come in any order): a tombstone keeps it from coming back.
            await conversations.record_unsent(
                tx,
                conversation,
                message_ref=unsent.message_ref,
                sender_ref=account.platform_account_id if unsent.is_own else unsent.person_ref,
                at=unsent.at,
            )
        await conversations.scrub_events(tx, account.platform, unsent.message_ref)
        log.info("{shopper} took a message back", shopper=conversation.username or SOMEBODY)
        await self._responder.on_unsent(tx, account, conversation, unsent.message_ref)
        return {"unsent": True}

    async def _edited(self, tx: Tx, account: Account, edit: MessageEdited) -> Answer:
        """Our copy follows. Whether the new words are answered, the responder says."""
        conversation = await conversations.find(tx, account.id, edit.person_ref)
        if await conversations.has_later_edit(tx, account.platform, edit.message_ref, edit.number):
            raise Skip("a later edit of this message is here already")
        said = await conversations.edit_message(tx, edit.message_ref, edit.text)
        if said and conversation:
            await self._responder.on_reworded(tx, conversation, said)
        heard = self._responder.hears(edit, conversation, before=said.old if said else "")
        if said is None:
            self._await_message(edit.at)
            if heard is None:
                raise Skip("an edit of a message we do not know")
            return await self._message(tx, account, replace(heard, message_ref=edit.message_ref))
        if await conversations.was_unsent(tx, edit.message_ref):
            return await _seen_before(tx, account, edit, "an edit of a message taken back")
        if heard is None or conversation is None:
            return {"edited": True}
        await conversations.mark_unread(tx, conversation, edit.message_ref)
        return await self._responder.on_message(tx, account, conversation, heard)

    async def _reaction(self, tx: Tx, reaction: ReactionChanged) -> Answer:
        known = await conversations.set_reaction(
            tx,
            message_ref=reaction.message_ref,
            actor_ref=reaction.person_ref,
            emoji=reaction.emoji,
            at=reaction.at,
        )
        if not known:
            self._await_message(reaction.at)
            raise Skip("a reaction to a message we do not know")
        return {"reaction": reaction.emoji}

    def _await_message(self, at: datetime) -> None:
        """News of a message (an edit, a reaction) may overtake the message itself."""
        if self._clock.now() - at < ATTRIBUTION_PATIENCE:
            raise Defer("its message may still arrive", timedelta(seconds=5))


def _of_itself(account: Account, happened: SocialEvent) -> bool:
    """Whether the account commented itself, or wrote to itself, without the marks of either."""
    match happened:
        case CommentWritten():
            return account.is_itself(happened.person_ref, happened.username)
        case MessageWritten() | ButtonTapped() | MessageEdited() | MessageUnsent() | MessageSeen():
            return account.is_itself(happened.person_ref)
        case _:
            return False


async def _taken_over(
    tx: Tx, account: Account, conversation: Conversation, message: MessageWritten, now: datetime
) -> None:
    if conversation.handler is Handler.BOT:
        await conversations.hand_to(tx, conversation, Handler.HUMAN, now=now)
        await notify_workspace(
            tx,
            workspace_id=account.workspace_id,
            kind="taken_over",
            title=_("Somebody of your team answered a shopper"),
            body=_("The bot is silent in this conversation until you hand it back."),
            action_url=f"/conversations/{conversation.id}",
            dedupe_key=f"taken_over/{conversation.id}/{message.message_ref}",
            now=now,
        )
        log.info(
            "somebody of {account} answered {shopper}: the bot is silent there",
            account=account.username,
            shopper=conversation.username or SOMEBODY,
        )
    await outgoing.fall_silent(tx, conversation, reason="a person took over", now=now)


async def _seen_before(
    tx: Tx, account: Account, news: MessageWritten | MessageEdited, why: str
) -> Skipped:
    """Nothing to do, for this reason. Of what had been taken back before, the words go now."""
    if await conversations.was_unsent(tx, news.message_ref):
        await conversations.scrub_events(tx, account.platform, news.message_ref)
        return Skipped("this message was taken back")
    raise Skip(why)


def _as_message(tap: ButtonTapped) -> MessageWritten:
    """A tap is named by us: the id it comes with may be that of the message it was made on."""
    said = f"{tap.person_ref}/{tap.message_ref}/{tap.at.timestamp():.3f}/{tap.button}"
    return MessageWritten(
        account_ref=tap.account_ref,
        person_ref=tap.person_ref,
        message_ref=f"tap:{retention.safe_name(said)}",
        text=tap.title,
        button=tap.button,
        at=tap.at,
    )
