"""One try-on in a conversation: reserved here, rendered by ``tryon/job.py``, finished here.

Exactly one try-on per photo message: the message's id is the key of the job, of the reservation and
of every answer. Every end is one of three, each in one transaction: a picture and a settled charge;
a refusal and a refund; or silence (taken back, or a person took over) and a refund.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Self
from uuid import UUID

from selify import billing
from selify.billing import CreditsExhausted
from selify.commerce import ProductCard
from selify.core import retention
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.ids import new_id
from selify.core.language import _
from selify.core.logging import get_logger
from selify.core.money import MicroUnits
from selify.core.queue import inbox, jobs
from selify.core.queue.jobs import Job
from selify.messaging import conversations, outgoing, repository, sending, unanswered
from selify.messaging.conversations import Conversation
from selify.messaging.repository import Binding
from selify.messaging.types import Account, Attachment, Button, MessageWritten
from selify.notifications.outbox import notify_workspace
from selify.tryon import interactions, photo_addresses, texts
from selify.tryon.dialogue import FEEDBACK_BUTTONS, Handler, Stage, State
from selify.tryon.types import Refusal, RefusalCode, Rendering, RenderWarning

log = get_logger(__name__)

JOB = "tryon"
METER = "tryon"
LONGEST_LINK = 300
NO_LONGER_WANTED = _("The shopper took the photo back, or a person took over the conversation.")


@dataclass(frozen=True, slots=True)
class Request:
    """What the job's payload says."""

    key: str
    account_id: UUID
    conversation_id: UUID
    interaction_id: UUID
    binding_id: UUID
    message_ref: str
    photo_url: str
    charge_id: UUID
    workspace_id: UUID

    @classmethod
    def from_job(cls, job: Job) -> Self:
        if job.workspace_id is None:
            raise ValueError("a try-on job belongs to a workspace")
        payload = job.payload
        return cls(
            key=job.key,
            workspace_id=job.workspace_id,
            account_id=UUID(payload["account_id"]),
            conversation_id=UUID(payload["conversation_id"]),
            interaction_id=UUID(payload["interaction_id"]),
            binding_id=UUID(payload["binding_id"]),
            message_ref=payload["message_ref"],
            photo_url=payload["photo_url"],
            charge_id=UUID(payload["charge_id"]),
        )


class Start(StrEnum):
    """How a try-on began; where it did not, the text that says so."""

    STARTED = "started"
    EXHAUSTED = "credits_exhausted"
    PAUSED = "paused"
    TOO_LATE = "refusals.photo_gone"


async def begin(
    tx: Tx,
    clock: Clock,
    account: Account,
    conversation: Conversation,
    state: State,
    binding: Binding,
    *,
    message: MessageWritten,
    photo: Attachment,
) -> Start:
    """Reserve the price and start the job, or say why not (the owner is told where they must act)."""
    assert state.interaction_id is not None  # noqa: S101 - the caller begins one where none is
    await interactions.photo_received(tx, state.interaction_id, at=message.at)
    if await _window_closed(tx, conversation.id, clock.now()):
        return Start.TOO_LATE
    key, job_id = f"{account.id}/{message.message_ref}", new_id()
    try:
        order = billing.Order(
            workspace_id=account.workspace_id,
            meter=METER,
            source_id=f"{JOB}:{key}",
            source_platform=account.platform,
            job_id=job_id,
            metadata={
                "conversation_id": str(conversation.id),
                "interaction_id": str(state.interaction_id),
                "garment": binding.garment_name,
                "shopper": conversation.username,
            },
        )
        charge = await billing.reserve(tx, clock, order)
    except CreditsExhausted as exhausted:
        await _tell_exhausted(tx, account, exhausted)
        return Start.EXHAUSTED
    except billing.MeterClosed:
        return Start.PAUSED
    log.info(
        "{shopper} will be dressed in {garment}: {credits} credits reserved",
        shopper=conversation.username or "a shopper",
        garment=binding.garment_name,
        credits=charge.price.value,
    )
    await jobs.start(
        tx,
        kind=JOB,
        key=key,
        job_id=job_id,
        workspace_id=account.workspace_id,
        payload={
            "account_id": str(account.id),
            "conversation_id": str(conversation.id),
            "interaction_id": str(state.interaction_id),
            "binding_id": str(binding.id),
            "message_ref": message.message_ref,
            "photo_url": photo.url,
            "charge_id": str(charge.id),
        },
    )
    return Start.STARTED


async def may_continue(tx: Tx, request: Request, *, now: datetime) -> bool:
    """Before rendering: is it still wanted, and not concluded before?"""
    conversation, account = await _locked(tx, request)
    if not await _is_open(tx, request) or _unwanted(account, conversation, request):
        return False
    if conversation and await conversations.was_unsent(tx, request.message_ref):
        return False
    if await _window_closed(tx, request.conversation_id, now):
        return False
    await interactions.generation_started(tx, request.interaction_id, at=now)
    return True


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that passed the gate, stored under ``storage_key``."""

    rendering: Rendering
    storage_key: str
    cost: MicroUnits
    attempts: int


async def finish(
    tx: Tx, clock: Clock, request: Request, made: Made, card: ProductCard | None
) -> bool:
    """The picture goes out and the charge is settled; false when it was not wanted any more, or
    concluded before. Doing it twice changes nothing.
    """
    thread = await _open_ending(tx, clock, request)
    if thread is None:
        return False
    work = billing.Work(
        request.charge_id,
        provider_cost=made.cost,
        engine=made.rendering.engine,
        processing_time_ms=round(made.rendering.seconds * 1000),
        metadata={"result": made.storage_key, "attempts": made.attempts, **_scores(made.rendering)},
    )
    await billing.settle(tx, clock, work)
    await interactions.generation_finished(
        tx, request.interaction_id, successful=True, photo_score=100, at=clock.now()
    )
    await _say_result(tx, thread, request, made, card)
    await _conclude(tx, thread.conversation, request, Stage.RESULT_SENT)
    log.info(
        "{shopper} was dressed in {seconds} s by {engine}: the charge stands",
        shopper=thread.conversation.username or "a shopper",
        seconds=round(made.rendering.seconds, 1),
        engine=made.rendering.engine,
    )
    return True


async def refuse(
    tx: Tx,
    clock: Clock,
    request: Request,
    refusal: Refusal,
    *,
    cost: MicroUnits | None = None,
    engine: str = "",
) -> None:
    """No picture: the charge is given back, the shopper hears why and what helps.

    ``cost`` is what trying cost us all the same, and ``engine`` who was paid.
    """
    thread = await _open_ending(tx, clock, request)
    if thread is None:
        return
    await billing.refund(
        tx,
        clock,
        request.charge_id,
        reason=refusal.sentence,
        code=refusal.code.value,
        provider_cost=cost,
        engine=engine,
    )
    await interactions.generation_finished(
        tx,
        request.interaction_id,
        successful=False,
        photo_score=None if refusal.code in _NOT_THE_PHOTO else 0,
        at=clock.now(),
    )
    binding = await repository.binding(tx, request.binding_id)
    voice = await thread.voice(tx, binding)
    await outgoing.send_text(
        tx,
        thread.account,
        thread.conversation,
        key=f"refusal/{request.message_ref}",
        purpose=f"refusal:{refusal.code.value}",
        text=voice.say(texts.refusal_key(refusal.code.value, refusal.reason)),
        interaction_id=request.interaction_id,
    )
    await _conclude(tx, thread.conversation, request, Stage.AWAITING_PHOTO)
    log.info(
        "{shopper} could not be dressed ({code}): the charge was given back",
        shopper=thread.conversation.username or "a shopper",
        code=refusal.code.value,
    )
    if refusal.code in _GARMENT_FAULTS:
        await _tell_garment_fault(tx, thread.account, request, voice.garment, now=clock.now())


async def abandon(tx: Tx, clock: Clock, request: Request, *, reason: str) -> None:
    """No answer may be given any more, or nobody waits for one: give the charge back, say nothing, keep
    no picture of them. Who still waits gets a person.
    """
    conversation, account = await _locked(tx, request)
    status = await _charge(tx, request)
    if status is billing.UsageStatus.RESERVED:
        await billing.refund(tx, clock, request.charge_id, reason=reason, code="abandoned")
    if status in (billing.UsageStatus.RESERVED, billing.UsageStatus.REFUNDED):
        await _forget(tx, request.workspace_id, request.key)
        await forget_address(tx, request.key)
        await photo_addresses.forget(tx, request.message_ref)
    if conversation is not None:
        await _conclude(tx, conversation, request, Stage.AWAITING_PHOTO)
        if not _unwanted(account, conversation, request):
            await _pass_on(tx, clock, request)


async def _pass_on(tx: Tx, clock: Clock, request: Request) -> None:
    """Where it ended without words because it was too late for them, a person may find some."""
    conversation = await conversations.lock_by_id(tx, request.conversation_id)
    now = clock.now()
    if conversation is None or not await _window_closed(tx, conversation.id, now):
        return
    if not await conversations.was_unsent(tx, request.message_ref):
        await unanswered.hand_over(tx, conversation, unanswered.TOO_LATE, now=now)


async def forget_photo(tx: Tx, conversation: Conversation, message_ref: str) -> bool:
    """A photo was taken back: it goes now instead of at its end of life, and so does the picture
    made of it. The next photo need not wait for the end of a try-on that nobody wants.

    True when the shopper would have heard how it ended, and now will not.
    """
    state = conversation.state
    dressing = state.stage is Stage.GENERATING and state.photo_ref == message_ref
    if state.photo_ref == message_ref:
        free = Stage.AWAITING_PHOTO if dressing else state.stage
        await conversations.save_state(tx, conversation, replace(state, photo_ref="", stage=free))
    taken = partial(
        outgoing.take_back,
        tx,
        message_ref,
        account_id=conversation.account_id,
        lane=conversation.lane,
        reason=_("The shopper took the photo back."),
    )
    await taken(kinds=outgoing.REPLIES)
    ended = await taken(kinds=("picture", "result", "feedback", "refusal"))
    key = f"{conversation.account_id}/{message_ref}"
    await forget_address(tx, key)
    await photo_addresses.forget(tx, message_ref)
    await _forget(tx, conversation.workspace_id, key)
    await conversations.forget_picture(
        tx, conversation.id, result_key(conversation.workspace_id, key)
    )
    return dressing or ended > 0


async def forget_address(tx: Tx, key: str) -> None:
    """Where the job fetches its photo: once the photo is ours, or gone, nobody needs to know."""
    await tx.execute(
        """
        UPDATE internal.jobs SET payload = payload || '{"photo_url": ""}'
         WHERE kind = $1 AND key = $2
        """,
        JOB,
        key,
    )


async def forget_account(tx: Tx, account_id: UUID) -> None:
    """Every photo and picture of an account's try-ons goes now, whether or not it was ever sent."""
    rows = await tx.fetch(
        """
        SELECT key, workspace_id FROM internal.jobs
         WHERE kind = $1 AND payload ->> 'account_id' = $2::uuid::text AND workspace_id IS NOT NULL
        """,
        JOB,
        account_id,
    )
    for row in rows:
        await _forget(tx, row["workspace_id"], row["key"])


async def _forget(tx: Tx, workspace_id: UUID, key: str) -> None:
    for file in (photo_key(workspace_id, key), result_key(workspace_id, key)):
        await retention.delete_soon(
            tx, file, reason="not wanted any more", workspace_id=workspace_id
        )


def photo_key(workspace_id: UUID, key: str) -> str:
    """Where a shopper's photo is kept for as long as it is needed."""
    return f"workspaces/{workspace_id}/photos/{retention.safe_name(key)}.jpg"


def result_key(workspace_id: UUID, key: str) -> str:
    return f"workspaces/{workspace_id}/results/{retention.safe_name(key)}.jpg"


_GARMENT_FAULTS = (RefusalCode.GARMENT_NOT_FOUND, RefusalCode.GARMENT_CATEGORY_MISSING)


_NOT_THE_PHOTO = (*_GARMENT_FAULTS, RefusalCode.TIMED_OUT, RefusalCode.QUALITY_TOO_LOW)


@dataclass(frozen=True, slots=True)
class _Thread:
    """Where a try-on's end is told. The conversation is locked."""

    account: Account
    conversation: Conversation

    async def voice(self, tx: Tx, binding: Binding | None) -> outgoing.Voice:
        language = self.conversation.state.language
        return await outgoing.voice(tx, self.account, language=language, about=binding)


async def _open_ending(tx: Tx, clock: Clock, request: Request) -> _Thread | None:
    """Ready to end it in words; ``None`` when it ended before, or was abandoned just now.

    Whoever gave the charge back meanwhile (an operator) has ended it too: a result without a charge
    does not leave the house.
    """
    conversation, account = await _locked(tx, request)
    unsent = await conversations.was_unsent(tx, request.message_ref)
    too_late = await _window_closed(tx, request.conversation_id, clock.now())
    unwanted = unsent or too_late or _unwanted(account, conversation, request)
    if unwanted or not await _is_open(tx, request):
        await abandon(tx, clock, request, reason=NO_LONGER_WANTED)
        return None
    assert conversation is not None and account is not None  # noqa: S101, PT018 - else unwanted
    await outgoing.take_back_nudges(tx, conversation, reason=_("The picture is ready."))
    return _Thread(account, conversation)


async def _locked(tx: Tx, request: Request) -> tuple[Conversation | None, Account | None]:
    conversation = await conversations.lock_by_id(tx, request.conversation_id)
    return conversation, await repository.account(tx, request.account_id)


async def _window_closed(tx: Tx, conversation_id: UUID, now: datetime) -> bool:
    """Whether no answer may leave any more: then there is nothing to pay for either."""
    until = await conversations.window_open_until(tx, conversation_id)
    return until is None or until < now


async def _is_open(tx: Tx, request: Request) -> bool:
    """Whether the charge still waits for its end. Ask with the conversation locked."""
    return await _charge(tx, request) is billing.UsageStatus.RESERVED


async def _charge(tx: Tx, request: Request) -> billing.UsageStatus | None:
    try:
        return await billing.status_of(tx, request.charge_id)
    except billing.ChargeMissing:
        return None  # its workspace is gone, and its books with it


def _unwanted(account: Account | None, conversation: Conversation | None, request: Request) -> bool:
    """The person said stop or moved on, somebody of the brand took over, or nobody is there."""
    if account is None or conversation is None or account.status in sending.GONE:
        return True
    state = conversation.state
    silent = state.opted_out or state.handler is Handler.HUMAN
    return silent or state.photo_ref != request.message_ref


async def _conclude(tx: Tx, conversation: Conversation, request: Request, stage: Stage) -> None:
    """On from ``generating``, unless the shopper is elsewhere by now: then that stands."""
    state = conversation.state
    if state.photo_ref != request.message_ref:
        return
    state = replace(state, photo_ref="")
    if state.stage is Stage.GENERATING:
        state = replace(state, stage=stage)
    if stage is Stage.RESULT_SENT:
        state = replace(state, result_id=request.interaction_id)
    elif state.binding_id != request.binding_id:
        # They chose another garment meanwhile; this row was about the first one.
        state = replace(state, interaction_id=None)
    await conversations.save_state(tx, conversation, state)
    await next_photo(tx, replace(conversation, state=state))


async def next_photo(tx: Tx, conversation: Conversation) -> None:
    """The photo that came meanwhile has its turn: the event that brought it is handled again. Unless
    it was taken back by now, its event still tells its address, and nothing else does.
    """
    if conversation.state.stage is Stage.GENERATING or not conversation.state.waiting_ref:
        return
    told = await conversations.telling_event(
        tx, conversation.platform, conversation.state.waiting_ref, member="attachments"
    )
    if told is not None:
        await inbox.again(tx, told["id"])


async def _say_result(
    tx: Tx, thread: _Thread, request: Request, made: Made, card: ProductCard | None
) -> None:
    """The picture, what it is and costs, and the question how they like it."""
    account, conversation = thread.account, thread.conversation
    voice = await thread.voice(tx, await repository.binding(tx, request.binding_id))
    several = RenderWarning.SEVERAL_PEOPLE in made.rendering.warnings
    await outgoing.send_image(
        tx,
        account,
        conversation,
        key=f"picture/{request.message_ref}",
        purpose="result_picture",
        storage_key=made.storage_key,
        interaction_id=request.interaction_id,
        paid={"charge_id": str(request.charge_id), "photo_ref": request.message_ref},
    )
    await outgoing.send_text(
        tx,
        account,
        conversation,
        key=f"result/{request.message_ref}",
        purpose="result",
        text=voice.say(
            "result_several_people" if several else "result", product=product_line(card, voice)
        ),
        interaction_id=request.interaction_id,
    )
    await outgoing.send_text(
        tx,
        account,
        conversation,
        key=f"feedback/{request.message_ref}",
        purpose="feedback",
        text=voice.say("feedback"),
        buttons=[(voice.title(button), Button(button)) for button in FEEDBACK_BUTTONS],
        interaction_id=request.interaction_id,
    )


def product_line(card: ProductCard | None, voice: outgoing.Voice) -> str:
    """Price, stock and link, each only where known."""
    if card is None:
        return ""
    stock = ""
    if card.in_stock is not None:
        key = "in_stock" if card.in_stock else "out_of_stock"
        few = card.in_stock and card.stock is not None and card.stock < 10
        stock = voice.say("few_left", count=card.stock) if few else voice.say(key)
    # Half an address leads nowhere: one that leaves no room for the words is left out.
    url = card.url if len(card.url) <= LONGEST_LINK else ""
    return " · ".join(part for part in (card.price_text, stock, url) if part)


def _scores(rendering: Rendering) -> dict[str, Any]:
    scores = rendering.scores
    if scores is None:
        return {}
    measured = {name: getattr(scores, name) for name in scores.__dataclass_fields__}
    return {"quality": {k: list(v) if isinstance(v, tuple) else v for k, v in measured.items()}}


async def _tell_exhausted(tx: Tx, account: Account, exhausted: CreditsExhausted) -> None:
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="credits_exhausted",
        title=_("Shoppers are waiting: the credits are used up"),
        body=exhausted.detail,
        action_url="/billing",
        dedupe_key=f"credits/{account.workspace_id}/{exhausted.balance.resets_at:%Y-%m-%dT%H:%M}",
    )


async def _tell_garment_fault(
    tx: Tx, account: Account, request: Request, garment: str, *, now: datetime
) -> None:
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="garment_unusable",
        title=_("The picture of “%(garment)s” cannot be used for try-ons", garment=garment),
        body=_("Upload one of the garment alone, laid flat on a plain background."),
        action_url="/wardrobe",
        dedupe_key=f"garment/{request.binding_id}/{now:%Y-%m-%d}",
    )
