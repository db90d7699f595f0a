"""The bot: answers what shoppers write, and hears what became of its own messages.

What it says and does next, ``dialogue.decide`` says; here that becomes rows, jobs and messages, in the
transaction of the event that caused them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from selify.core.clock import Clock
from selify.core.database import Database, Tx
from selify.core.ids import new_id
from selify.core.language import _, sentences
from selify.core.logging import get_logger
from selify.core.queue.inbox import Skip, Skipped
from selify.core.secrets import SecretBox
from selify.messaging import conversations, keys, outgoing
from selify.messaging.clients import Clients, Delivered, Undelivered
from selify.messaging.conversations import Conversation, Reworded
from selify.messaging.events import SOMEBODY
from selify.messaging.outgoing import Kind, Outgoing
from selify.messaging.ports import AccountGateway
from selify.messaging.types import (
    Account,
    AttachmentKind,
    CommentWritten,
    Handler,
    MessageEdited,
    MessageWritten,
)
from selify.notifications.outbox import notify_workspace
from selify.tryon import (
    bot_settings,
    delivery_refunds,
    dialogue,
    edits,
    interactions,
    keywords,
    lifecycle,
    posts,
    purging,
    renderer,
    repository,
)
from selify.tryon.dialogue import Context, Decision, Effect, Stage, State
from selify.tryon.memory import recall, remember
from selify.tryon.repository import Binding

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TryOnBot:
    """A client of messaging in all three ways (``messaging.clients``)."""

    database: Database
    clock: Clock
    secrets: SecretBox

    # --- Answering ---

    async def on_comment(
        self, tx: Tx, account: Account, comment: CommentWritten
    ) -> Mapping[str, Any] | Skipped:
        """A comment with a keyword under a post with a garment gets the one private reply."""
        now = self.clock.now()
        binding = await repository.binding_of_post(tx, account.id, comment.post_ref)
        if binding is None:
            raise Skip("no garment is bound to this post")
        words = posts.keywords_in_force(account, binding)
        keyword = words.match(comment.text)
        log.info(
            "{shopper} commented under {garment}: {what}",
            shopper=comment.username or SOMEBODY,
            garment=binding.shows,
            what="asked to try on" if keyword else "no keyword",
        )
        if keyword is None:
            return {"decision": "no keyword", "explain": words.explain()}
        if not bot_settings.is_on(account):
            await _tell_paused(tx, account, now)
            return {"decision": "try-on is switched off"}
        known = await conversations.find(tx, account.id, comment.person_ref)
        if known and (known.opted_out or known.handler is Handler.HUMAN):
            await _tell_of_comment(tx, account, known, comment, now)
            return Skipped("the bot is silent in the conversation with this person")
        language = await _language_of(tx, known, comment, now)
        if not await _greet(tx, account, comment, binding, language, keyword, now):
            raise Skip("this comment has had its private reply")
        return {"decision": "private reply", "keyword": keyword, "explain": words.explain()}

    def is_on(
        self, settings: Mapping[str, Any] | None, of_workspace: Mapping[str, Any] | None
    ) -> bool:
        return bot_settings.switched_off(settings, of_workspace) is None

    def may_be_unattributed(self, conversation: Conversation) -> bool:
        return recall(conversation).binding_id is None

    def comes_back_to(self, conversation: Conversation, message: MessageWritten) -> bool:
        """A photo that came while another was being dressed, and that one has ended: now this is next."""
        state = recall(conversation)
        waited = state.waiting_ref != "" and state.waiting_ref == message.message_ref
        # Of what was taken back meanwhile its event tells no photo any more.
        return (
            waited
            and state.stage is not Stage.GENERATING
            and dialogue.photo_of(message) is not None
        )

    def hears(
        self, edit: MessageEdited, conversation: Conversation | None, *, before: str
    ) -> MessageWritten | None:
        return edits.heard(edit, conversation, before=before)

    async def on_message(
        self, tx: Tx, account: Account, conversation: Conversation, message: MessageWritten
    ) -> Mapping[str, Any]:
        facts, binding = await _circumstances(tx, account, conversation, message)
        decision = dialogue.decide(recall(conversation), message, facts)
        log.info(
            "{shopper} sent a message ({kind}): {what}",
            shopper=conversation.username or SOMEBODY,
            kind=message.kind,
            what=decision.why,
        )
        await _carry_out(tx, account, conversation, message, decision, facts, binding, self.clock)
        return {"decision": decision.why, "stage": decision.state.stage.value}

    async def on_reworded(self, tx: Tx, conversation: Conversation, said: Reworded) -> None:
        if said.old:
            await interactions.reword(tx, conversation.id, said.old, said.new)

    async def on_unsent(
        self, tx: Tx, account: Account, conversation: Conversation, message_ref: str
    ) -> None:
        await lifecycle.withdraw(tx, account, conversation, message_ref, now=self.clock.now())

    async def on_named(self, tx: Tx, conversation: Conversation, username: str) -> None:
        await interactions.set_username(tx, conversation.id, username)

    # --- What became of its messages ---

    async def on_delivered(self, tx: Tx, delivered: Delivered) -> None:
        """The funnel goes on, and so does the conversation."""
        message, conversation = delivered.message, delivered.conversation
        if message.kind is Kind.PRIVATE_REPLY:
            conversation = await _know_garment(tx, delivered)
        interaction = message.about.get("interaction_id")
        if interaction:
            await interactions.responded(
                tx,
                UUID(interaction),
                response=message.purpose,
                at=delivered.at,
                conversation_id=conversation.id,
            )
        state = recall(conversation)
        if message.purpose == "feedback" and state.stage is Stage.RESULT_SENT:
            await remember(tx, conversation, replace(state, stage=Stage.AWAITING_FEEDBACK))

    async def on_failed(self, tx: Tx, undelivered: Undelivered) -> None:
        await delivery_refunds.failed(tx, self.clock, undelivered)

    async def on_unknown(self, tx: Tx, undelivered: Undelivered) -> None:
        """What was paid for stays so: its echo may still prove that it arrived."""

    async def on_lapsed(self, tx: Tx, undelivered: Undelivered) -> None:
        await delivery_refunds.refund(tx, self.clock, undelivered.message)

    # --- Accounts ---

    async def on_connected(self, gateway: AccountGateway, account_id: UUID) -> None:
        await posts.sync_account(self.database, self.clock, self.secrets, gateway, account_id)

    async def forget_account(self, tx: Tx, account: Account) -> None:
        await purging.forget_account(tx, account)


def clients(bot: TryOnBot) -> Clients:
    """As long as the bot is the only one who answers."""
    return Clients(bot, {renderer.CLIENT: bot}, (bot,))


async def _greet(
    tx: Tx,
    account: Account,
    comment: CommentWritten,
    binding: Binding,
    language: str,
    keyword: str,
    now: datetime,
) -> bool:
    """False when this comment was answered before."""
    rendered = renderer.renderer(account, language=language, about=binding)
    interaction = new_id()
    fresh = await outgoing.reply_privately(
        tx,
        account,
        Outgoing(
            kind=Kind.PRIVATE_REPLY,
            client=renderer.CLIENT,
            purpose="greeting",
            about={
                "binding_id": str(binding.id),
                "interaction_id": str(interaction),
                "language": language,
            },
            text=rendered.say("greeting"),
            comment_ref=comment.comment_ref,
            commenter_ref=comment.person_ref,
            commented_at=comment.at,
            username=comment.username,
        ),
        now=now,
    )
    if fresh:
        await interactions.begin(
            tx,
            binding,
            interaction_id=interaction,
            person_ref=comment.person_ref,
            username=comment.username,
            kind="comment",
            source="comment",
            keyword=keyword,
            message=comment.text,
            conversation_id=None,
            at=comment.at,
        )
    return fresh


async def _language_of(
    tx: Tx, known: Conversation | None, comment: CommentWritten, now: datetime
) -> str:
    """The comment's, where it is plain, and then the conversation goes on in it; or the one it had."""
    language = keywords.language_of(comment.text)
    if known is None:
        return language
    state = recall(known).speaking(language, at=comment.at, now=now)
    await remember(tx, known, state)
    return state.language


async def _know_garment(tx: Tx, delivered: Delivered) -> Conversation:
    """The platform told us whose comment we answered: the conversation now knows its garment."""
    message, conversation = delivered.message, delivered.conversation
    state = recall(conversation)
    if message.commented_at is not None:
        spoken = message.about["language"]
        state = state.speaking(spoken, at=message.commented_at, now=delivered.now)
    state = replace(state, binding_id=UUID(message.about["binding_id"]), nudges=0)
    if state.stage is not Stage.GENERATING:
        interaction = UUID(message.about["interaction_id"])
        state = replace(state, stage=Stage.AWAITING_PHOTO, interaction_id=interaction)
    return await remember(tx, conversation, state)


async def _circumstances(
    tx: Tx, account: Account, conversation: Conversation, message: MessageWritten
) -> tuple[Context, Binding | None]:
    """Which garment is meant, and whether a keyword was said."""
    posts_shared = (a for a in message.attachments if a.kind is AttachmentKind.POST)
    shared = next(posts_shared, None)
    meant = recall(conversation).binding_id
    binding = None
    if shared is not None:
        binding = await repository.binding_of_post(tx, account.id, shared.post_ref)
    elif meant is not None:
        binding = await repository.binding(tx, meant)
    facts = Context(
        tryon_enabled=bot_settings.is_on(account),
        keyword=posts.keywords_in_force(account, binding).match(message.text),
        binding_id=binding.id if binding else None,
        shared_post=shared is not None,
    )
    return facts, binding


async def _carry_out(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    message: MessageWritten,
    decision: Decision,
    facts: Context,
    binding: Binding | None,
    clock: Clock,
) -> None:
    """Rows, jobs and replies of a decision. What need not wait for the charge comes before it: its
    row lock is the hot one.
    """
    before, now = recall(conversation), clock.now()
    # A photo that had to wait was answered before, and its words are not their latest.
    waited = before.waiting_ref == message.message_ref
    spoken = "" if waited or message.button else keywords.language_of(message.text)
    state = decision.state.speaking(spoken, at=message.at, now=now)
    if Effect.NEW_INTERACTION in decision.effects and binding is not None:
        begun = await _begin_interaction(tx, conversation, message, binding, facts.keyword)
        state = replace(state, interaction_id=begun)
    await _smaller_acts(tx, account, conversation, message, decision, now)
    replies, photo = decision.replies, dialogue.photo_of(message)
    if Effect.START_TRYON in decision.effects and binding is not None and photo is not None:
        started = await lifecycle.begin(
            tx, clock, account, conversation, state, binding, message=message, photo=photo
        )
        if started is not lifecycle.Start.STARTED:
            state = replace(state, stage=Stage.AWAITING_PHOTO, photo_ref="")
            replies = (dialogue.Reply(started.value),)
    # Whoever is called to a person has not read it yet.
    dealt_with = bool(replies) and Effect.CALL_HUMAN not in decision.effects
    await remember(tx, conversation, state, read_to=message.at if dealt_with else None)
    rendered = renderer.renderer(account, language=state.language, about=binding)
    answered = renderer.REPLIES[waited]
    messages = {
        keys.numbered_answer(answered, message.message_ref, number): rendered.message(
            reply.text,
            buttons=reply.buttons,
            interaction_id=state.interaction_id,
            debounced=reply.patient,
        )
        for number, reply in enumerate(replies)
    }
    if messages:
        typing = keys.answer("typing", message.message_ref)
        messages = {typing: renderer.TYPING, **messages}
    if messages or photo:
        instead = "The photo came." if photo else ""
        await outgoing.send_all(tx, account, conversation, messages, now=now, instead=instead)


async def _begin_interaction(
    tx: Tx,
    conversation: Conversation,
    message: MessageWritten,
    binding: Binding,
    keyword: str | None,
) -> UUID:
    first = recall(conversation).interaction_id is None
    return await interactions.begin(
        tx,
        binding,
        person_ref=conversation.person_ref,
        username=conversation.username,
        kind="message" if first else "another_try",
        source="direct_message",
        keyword=keyword,
        message=message.text,
        conversation_id=conversation.id,
        at=message.at,
    )


async def _smaller_acts(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    message: MessageWritten,
    decision: Decision,
    now: datetime,
) -> None:
    before: State = recall(conversation)
    judged = before.result_id or before.interaction_id
    for act in decision.effects:
        match act:
            case Effect.OPT_OUT:
                await outgoing.fall_silent(tx, conversation, reason="asked to stop", now=now)
            case Effect.CALL_HUMAN:
                await _call_human(tx, account, conversation, message, decision.why, now)
            case Effect.TELL_PAUSED:
                await _tell_paused(tx, account, now)
            case Effect.RECORD_LIKE | Effect.RECORD_DISLIKE if judged is not None:
                liked = act is Effect.RECORD_LIKE
                await interactions.feedback(tx, judged, satisfied=liked, at=now)
            case _:
                pass


async def _call_human(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    message: MessageWritten,
    why: str,
    now: datetime,
) -> None:
    # No name: a notice outlives the conversation, which the link leads to.
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="human_wanted",
        title=_("A shopper needs a person"),
        body=sentences(
            _("The shopper %(why)s.", why=why),
            _("The bot is silent in this conversation until you hand it back."),
        ),
        action_url=f"/conversations/{conversation.id}",
        dedupe_key=f"human/{conversation.id}/{message.message_ref}",
        now=now,
    )


async def _tell_of_comment(
    tx: Tx, account: Account, conversation: Conversation, comment: CommentWritten, now: datetime
) -> None:
    """Whoever answers a shopper by hand hears of their wish: the bot may not follow it. Of those who
    asked not to be written to nobody need hear.
    """
    if conversation.opted_out:
        return
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="human_wanted",
        title=_("A shopper you answer would like to try something on"),
        body=_("They asked for it in a comment. The bot is silent there until you hand it back."),
        action_url=f"/conversations/{conversation.id}",
        dedupe_key=f"comment/{comment.comment_ref}",
        now=now,
    )


async def _tell_paused(tx: Tx, account: Account, now: datetime) -> None:
    """Once a day."""
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="tryon_paused",
        title=_("Try-on is switched off for @%(name)s", name=account.username),
        body=_("Shoppers are asking for it. Switch it on in the account's settings."),
        action_url="/accounts",
        dedupe_key=f"paused/{account.id}/{now:%Y-%m-%d}",
        now=now,
    )
