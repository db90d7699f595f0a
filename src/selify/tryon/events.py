"""Inbox handlers: each stored event moves its conversation, in the inbox's own transaction.

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
from selify.core.ids import new_id
from selify.core.logging import get_logger
from selify.core.queue import outbox
from selify.core.queue.inbox import Event, RetryLater, Skip, Skipped
from selify.messaging import (
    conversations,
    echoes,
    lost_replies,
    names,
    outgoing,
    repository,
    unmatched_events,
)
from selify.messaging.conversations import Conversation
from selify.messaging.echoes import Origin
from selify.messaging.ports import Translator
from selify.messaging.repository import Binding
from selify.messaging.types import (
    Account,
    Attachment,
    AttachmentKind,
    ButtonTapped,
    CommentWritten,
    MessageEdited,
    MessageSeen,
    MessageUnsent,
    MessageWritten,
    NothingToDo,
    ReactionChanged,
    SocialEvent,
)
from selify.notifications.outbox import notify_workspace
from selify.tryon import delivery_refunds, dialogue, edits, interactions, keywords, lifecycle, posts
from selify.tryon.dialogue import Act, Circumstances, Decision, Handler, Stage

log = get_logger(__name__)

COMMENT_LIFE = timedelta(days=7)
ATTRIBUTION_PATIENCE = timedelta(minutes=2)
SOMEBODY = "a shopper"  # in the log, which tells names and kinds, and never what was written


class SocialEvents:
    """The inbox's handler for one platform."""

    def __init__(self, translate: Translator, clock: Clock) -> None:
        self._translate = translate
        self._clock = clock

    async def __call__(self, tx: Tx, event: Event) -> Mapping[str, Any] | Skipped | None:
        """Handle one event; the result is kept on its row. Raises Skip and RetryLater."""
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
            await unmatched_events.park_event(tx, event)
            return Skipped("no connected account yet: parked")
        if _of_itself(account, happened):
            raise Skip("the account's own words, to nobody else")
        match happened:
            case CommentWritten():
                return await _comment(tx, account, happened, self._clock.now())
            case MessageWritten(is_echo=True):
                return await _echo(tx, account, happened, self._clock.now())
            case MessageWritten():
                return await _message(tx, account, happened, self._clock)
            case ButtonTapped():
                return await _message(tx, account, _as_message(happened), self._clock)
            case MessageEdited():
                return await _edited(tx, account, happened, self._clock)
            case MessageUnsent():
                return await _unsent(tx, account, happened)
            case MessageSeen():
                return {"seen": True}
            case ReactionChanged():
                return await _reaction(tx, happened, self._clock.now())


def _of_itself(account: Account, happened: SocialEvent) -> bool:
    """Whether the account commented itself, or wrote to itself, without the marks of either."""
    match happened:
        case CommentWritten():
            return account.is_itself(happened.person_ref, happened.username)
        case MessageWritten() | ButtonTapped() | MessageEdited() | MessageUnsent() | MessageSeen():
            return account.is_itself(happened.person_ref)
        case _:
            return False


async def _comment(
    tx: Tx, account: Account, comment: CommentWritten, now: datetime
) -> Mapping[str, Any] | Skipped:
    """A comment with a keyword under a post with a garment gets the one private reply."""
    if comment.is_own:
        raise Skip("our own comment")
    if now - comment.at > COMMENT_LIFE:
        raise Skip("older than the seven days in which a comment may be answered")
    binding = await repository.binding_of_post(tx, account.id, comment.post_ref)
    if binding is None:
        raise Skip("no garment is bound to this post")
    _, platforms = await repository.workspace_texts(tx, account.workspace_id)
    words = posts.keywords_in_force(account, platforms, binding)
    keyword = words.match(comment.text)
    log.info(
        "{shopper} commented under {garment}: {what}",
        shopper=comment.username or SOMEBODY,
        garment=binding.garment_name,
        what="asked to try on" if keyword else "no keyword",
    )
    if keyword is None:
        return {"decision": "no keyword", "explain": words.explain()}
    if not account.tryon_enabled:
        await _tell_paused(tx, account, now)
        return {"decision": "try-on is switched off"}
    known = await conversations.find(tx, account.id, comment.person_ref)
    if known and (known.state.opted_out or known.state.handler is Handler.HUMAN):
        await _tell_of_comment(tx, account, known, comment)
        return Skipped("the bot is silent in the conversation with this person")
    language = await _language_of(tx, known, comment, now)
    voice = await outgoing.voice(tx, account, language=language, about=binding)
    interaction = new_id()
    fresh = await outgoing.private_reply(
        tx,
        account,
        comment_ref=comment.comment_ref,
        person_ref=comment.person_ref,
        commented_at=comment.at,
        text=voice.say("greeting"),
        binding_id=binding.id,
        interaction_id=interaction,
        language=language,
        username=comment.username,
    )
    if not fresh:
        raise Skip("this comment has had its private reply")
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
    return {"decision": "private reply", "keyword": keyword, "explain": words.explain()}


async def _language_of(
    tx: Tx, known: Conversation | None, comment: CommentWritten, now: datetime
) -> str:
    """The comment's, where it is plain, and then the conversation goes on in it; or the one it had."""
    language = keywords.language_of(comment.text)
    if known is None:
        return language
    state = known.state.speaking(language, at=comment.at, now=now)
    await conversations.save_state(tx, known, state)
    return state.language


async def _message(
    tx: Tx, account: Account, message: MessageWritten, clock: Clock
) -> Mapping[str, Any] | Skipped:
    """A person wrote: record it, decide, answer."""
    conversation = await conversations.find(tx, account.id, message.person_ref)
    if conversation is None or conversation.state.binding_id is None:
        now = clock.now()
        if not await lost_replies.settle_for(tx, account, message.person_ref, now=now):
            await _await_attribution(tx, account, message, now)
        conversation = await conversations.lock(tx, account, message.person_ref)
    fresh = await conversations.record_message(
        tx,
        conversation,
        message_ref=message.message_ref or None,
        sender_ref=message.person_ref,
        text=message.text,
        kind=_kind(message),
        attachments=conversations.stored_attachments(message.attachments),
        at=message.at,
    )
    if not fresh and not _has_its_turn(conversation, message):
        return await _seen_before(tx, account, message, "this message was handled before")
    if not conversation.username:
        await names.ask(tx, conversation, clock.now())
    return await _answer(tx, account, conversation, message, clock)


async def _answer(
    tx: Tx, account: Account, conversation: Conversation, message: MessageWritten, clock: Clock
) -> Mapping[str, Any]:
    facts, binding = await _circumstances(tx, account, conversation, message)
    decision = dialogue.decide(conversation.state, message, facts)
    log.info(
        "{shopper} sent a message ({kind}): {what}",
        shopper=conversation.username or SOMEBODY,
        kind=_kind(message),
        what=decision.why,
    )
    await _carry_out(tx, account, conversation, message, decision, facts, binding, clock)
    return {"decision": decision.why, "stage": decision.state.stage.value}


def _has_its_turn(conversation: Conversation, message: MessageWritten) -> bool:
    """A photo that came while another was being dressed, and that one has ended: now this is next."""
    state = conversation.state
    waited = state.waiting_ref != "" and state.waiting_ref == message.message_ref
    # Of what was taken back meanwhile its event tells no photo any more.
    return waited and state.stage is not Stage.GENERATING and dialogue.photo_of(message) is not None


async def _circumstances(
    tx: Tx, account: Account, conversation: Conversation, message: MessageWritten
) -> tuple[Circumstances, Binding | None]:
    """Which garment is meant, and whether a keyword was said."""
    shared = _shared_post(message)
    binding = None
    if shared is not None:
        binding = await repository.binding_of_post(tx, account.id, shared.post_ref)
    elif conversation.state.binding_id is not None:
        binding = await repository.binding(tx, conversation.state.binding_id)
    _, platforms = await repository.workspace_texts(tx, account.workspace_id)
    facts = Circumstances(
        tryon_enabled=account.tryon_enabled,
        keyword=posts.keywords_in_force(account, platforms, binding).match(message.text),
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
    facts: Circumstances,
    binding: Binding | None,
    clock: Clock,
) -> None:
    """Rows, jobs and replies of a decision. What need not wait for the charge comes before it: its
    row lock is the hot one.
    """
    # A photo that had to wait was answered before, and its words are not their latest.
    waited = conversation.state.waiting_ref == message.message_ref
    spoken = "" if waited or message.button else keywords.language_of(message.text)
    state = decision.state.speaking(spoken, at=message.at, now=clock.now())
    if dialogue.photo_of(message) is not None:
        await outgoing.take_back_nudges(tx, conversation, reason="The photo came.")
    if Act.NEW_INTERACTION in decision.acts and binding is not None:
        interaction = await interactions.begin(
            tx,
            binding,
            person_ref=conversation.person_ref,
            username=conversation.username,
            kind="message" if conversation.state.interaction_id is None else "another_try",
            source="direct_message",
            keyword=facts.keyword,
            message=message.text,
            conversation_id=conversation.id,
            at=message.at,
        )
        state = replace(state, interaction_id=interaction)
    await _smaller_acts(tx, account, conversation, message, decision, clock.now())
    replies = decision.replies
    voice = await outgoing.voice(tx, account, language=state.language, about=binding)
    if replies:
        await outgoing.show_typing(tx, account, conversation, key=f"typing/{message.message_ref}")
    if replies and Act.CALL_HUMAN not in decision.acts:  # whoever is called has not read it yet
        await conversations.mark_read(tx, conversation, message.at)
    if Act.START_TRYON in decision.acts and binding is not None:
        photo = dialogue.photo_of(message)
        assert photo is not None  # noqa: S101 - the dialogue starts a try-on for photos only
        started = await lifecycle.begin(
            tx, clock, account, conversation, state, binding, message=message, photo=photo
        )
        if started is not lifecycle.Start.STARTED:
            state = replace(state, stage=Stage.AWAITING_PHOTO, photo_ref="")
            replies = (dialogue.Reply(started.value),)
    await conversations.save_state(tx, conversation, state)
    await outgoing.reply(
        tx,
        account,
        conversation,
        voice,
        replies,
        key=f"{outgoing.REPLIES[waited]}/{message.message_ref}",
        interaction_id=state.interaction_id,
        now=clock.now(),
    )


async def _smaller_acts(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    message: MessageWritten,
    decision: Decision,
    now: datetime,
) -> None:
    judged = conversation.state.result_id or conversation.state.interaction_id
    for act in decision.acts:
        match act:
            case Act.OPT_OUT:
                await _silence(tx, conversation, "asked to stop")
            case Act.CALL_HUMAN:
                await _call_human(tx, account, conversation, message, decision.why)
            case Act.TELL_PAUSED:
                await _tell_paused(tx, account, now)
            case Act.RECORD_LIKE | Act.RECORD_DISLIKE if judged is not None:
                liked = act is Act.RECORD_LIKE
                await interactions.feedback(tx, judged, satisfied=liked, at=now)
            case _:
                pass


async def _echo(
    tx: Tx, account: Account, message: MessageWritten, now: datetime
) -> Mapping[str, Any] | Skipped:
    """The account itself wrote. If it was not us, a person did: the bot falls silent there."""
    origin = await echoes.recognise(tx, account, message, now=now)
    if origin is Origin.RECORDED:
        return await _seen_before(tx, account, message, origin.value)
    if origin in (Origin.OURS, Origin.ASKED):
        return {"decision": "our own message", "how": origin.value}
    if origin is Origin.MAYBE_OURS:
        if now - message.at > ATTRIBUTION_PATIENCE:
            raise Skip("most likely our own message")
        raise RetryLater("one of our own sends is not confirmed yet", timedelta(seconds=2))
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
        kind=conversations.AUTOMATIC if automatic else _kind(message),
        attachments=conversations.stored_attachments(message.attachments),
        at=message.at,
    )
    if not fresh:
        return await _seen_before(tx, account, message, Origin.RECORDED.value)
    if automatic:
        return {"decision": "an automatic message of the brand: the bot goes on"}
    await conversations.mark_read(tx, conversation, message.at)
    handed_back = conversation.state.bot_since
    if handed_back and message.at <= handed_back:
        return {"decision": "written before the conversation was handed back to the bot"}
    await _taken_over(tx, account, conversation, message)
    return {"decision": "a person answered: the bot is silent here"}


async def _taken_over(
    tx: Tx, account: Account, conversation: Conversation, message: MessageWritten
) -> None:
    if conversation.state.handler is Handler.BOT:
        theirs = replace(conversation.state, handler=Handler.HUMAN)
        await conversations.save_state(tx, conversation, theirs)
        await notify_workspace(
            tx,
            workspace_id=account.workspace_id,
            kind="taken_over",
            title="Somebody of your team answered a shopper",
            body="The bot is silent in this conversation until you hand it back.",
            action_url=f"/conversations/{conversation.id}",
            dedupe_key=f"taken_over/{conversation.id}/{message.message_ref}",
        )
        log.info(
            "somebody of {account} answered {shopper}: the bot is silent there",
            account=account.username,
            shopper=conversation.username or SOMEBODY,
        )
    await _silence(tx, conversation, "a person took over")


async def _await_attribution(
    tx: Tx, account: Account, message: MessageWritten, now: datetime
) -> None:
    """Somebody of whom we know no garment writes while a private reply is in the air: they may be
    its reader. Wait a little.
    """
    if now - message.at > ATTRIBUTION_PATIENCE:
        return
    in_the_air = await tx.fetch_value(
        f"""
        SELECT true FROM internal.outbox
         WHERE account_id = $1 AND channel = $2 AND payload ->> 'kind' = 'private_reply'
           AND {outbox.OPEN} AND (state <> 'queued' OR {outbox.TRIES} > 0)
        UNION ALL
        -- It arrived, and its echo will say in whose thread.
        SELECT true FROM internal.outbox
         WHERE account_id = $1 AND channel = $2 AND payload ->> 'kind' = 'private_reply'
           AND state = 'failed' AND result ->> 'code' = ANY ($5)
           AND updated_at > $7::timestamptz - $6::interval
        UNION ALL
        SELECT true FROM internal.outbox
         WHERE account_id = $1 AND channel = $3 AND payload ->> 'person_ref' = $4
           AND {outbox.OPEN}
         LIMIT 1
        """,
        account.id,
        outgoing.CHANNEL,
        echoes.CHANNEL,
        message.person_ref,
        list(delivery_refunds.ARRIVED_PERHAPS),
        ATTRIBUTION_PATIENCE,
        now,
    )
    if in_the_air:
        raise RetryLater(
            "a private reply is on its way: this may be its reader", timedelta(seconds=1)
        )


async def _seen_before(
    tx: Tx, account: Account, news: MessageWritten | MessageEdited, why: str
) -> Skipped:
    """Nothing to do, for this reason. Of what had been taken back before, the words go now."""
    if await conversations.was_unsent(tx, news.message_ref):
        await conversations.scrub_events(tx, account.platform, news.message_ref)
        return Skipped("this message was taken back")
    raise Skip(why)


async def _unsent(tx: Tx, account: Account, unsent: MessageUnsent) -> Mapping[str, Any]:
    """Taken back: our copies of text and photo go, and a try-on of that photo is not finished.

    The conversation is locked first, as whoever handles the message itself does.
    """
    conversation = await conversations.lock(tx, account, unsent.person_ref)
    if not await conversations.unsend_message(tx, unsent.message_ref):
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
    unanswered = await lifecycle.forget_photo(tx, conversation, unsent.message_ref)
    free = await conversations.lock_by_id(tx, conversation.id)
    if unanswered and free is not None and account.status in repository.LIVE:
        await lifecycle.next_photo(tx, free)
    return {"unsent": True}


async def _edited(
    tx: Tx, account: Account, edit: MessageEdited, clock: Clock
) -> Mapping[str, Any] | Skipped:
    conversation = await conversations.find(tx, account.id, edit.person_ref)
    if await conversations.has_later_edit(tx, account.platform, edit.message_ref, edit.number):
        raise Skip("a later edit of this message is here already")
    before = await conversations.edit_message(tx, edit.message_ref, edit.text)
    said = edits.heard(edit, conversation, before=before or "")
    if before is None:
        _await_message(edit.at, clock.now())
        if said is None:
            raise Skip("an edit of a message we do not know")
        return await _message(tx, account, replace(said, message_ref=edit.message_ref), clock)
    if await conversations.was_unsent(tx, edit.message_ref):
        return await _seen_before(tx, account, edit, "an edit of a message taken back")
    if said is None or conversation is None:
        return {"edited": True}
    await conversations.mark_unread(tx, conversation, edit.message_ref)
    return await _answer(tx, account, conversation, said, clock)


def _await_message(at: datetime, now: datetime) -> None:
    """News of a message (an edit, a reaction) may overtake the message itself."""
    if now - at < ATTRIBUTION_PATIENCE:
        raise RetryLater("its message may still arrive", timedelta(seconds=5))


async def _reaction(tx: Tx, reaction: ReactionChanged, now: datetime) -> Mapping[str, Any]:
    known = await conversations.set_reaction(
        tx,
        message_ref=reaction.message_ref,
        actor_ref=reaction.person_ref,
        emoji=reaction.emoji,
        at=reaction.at,
    )
    if not known:
        _await_message(reaction.at, now)
        raise Skip("a reaction to a message we do not know")
    return {"reaction": reaction.emoji}


async def _silence(tx: Tx, conversation: Conversation, reason: str) -> None:
    await outbox.cancel_lane(tx, channel=outgoing.CHANNEL, lane=conversation.lane, reason=reason)


async def _call_human(
    tx: Tx, account: Account, conversation: Conversation, message: MessageWritten, why: str
) -> None:
    # No name: a notice outlives the conversation, which the link leads to.
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="human_wanted",
        title="A shopper needs a person",
        body=f"The shopper {why}. The bot is silent in this conversation until you hand it back.",
        action_url=f"/conversations/{conversation.id}",
        dedupe_key=f"human/{conversation.id}/{message.message_ref}",
    )


async def _tell_of_comment(
    tx: Tx, account: Account, conversation: Conversation, comment: CommentWritten
) -> None:
    """Whoever answers a shopper by hand hears of their wish: the bot may not follow it. Of those who
    asked not to be written to nobody need hear.
    """
    if conversation.state.opted_out:
        return
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="human_wanted",
        title="A shopper you answer would like to try something on",
        body="They asked for it in a comment. The bot is silent there until you hand it back.",
        action_url=f"/conversations/{conversation.id}",
        dedupe_key=f"comment/{comment.comment_ref}",
    )


async def _tell_paused(tx: Tx, account: Account, now: datetime) -> None:
    """Once a day."""
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="tryon_paused",
        title=f"Try-on is switched off for @{account.username}",
        body="Shoppers are asking for it. Switch it on in the account's settings.",
        action_url="/accounts",
        dedupe_key=f"paused/{account.id}/{now:%Y-%m-%d}",
    )


def _shared_post(message: MessageWritten) -> Attachment | None:
    return next((a for a in message.attachments if a.kind is AttachmentKind.POST), None)


def _kind(message: MessageWritten) -> str:
    if message.attachments:
        return message.attachments[0].kind.value
    return "button" if message.button else "text"


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
