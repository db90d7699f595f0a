"""One try-on in a conversation: reserved here, rendered by ``tryon/job.py``, finished here.

Exactly one try-on per photo message: the message's id is the key of the job, of the reservation and
of every answer. Every end is one of three, each in one transaction: a picture and a settled charge;
a refusal and a refund; or silence (taken back, or a person took over) and a refund.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import Field

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
from selify.core.queue import inbox, job_rows, jobs
from selify.core.queue.jobs import Job
from selify.core.queue.payload import Payload
from selify.messaging import conversations, outgoing, unanswered
from selify.messaging import repository as accounts
from selify.messaging.conversations import Conversation
from selify.messaging.outgoing import Kind, Outgoing
from selify.messaging.repository import GONE, LIVE
from selify.messaging.types import Account, Attachment, Handler, MessageWritten
from selify.notifications.outbox import notify_workspace
from selify.tryon import interactions, photo_addresses, renderer, repository, texts
from selify.tryon.dialogue import FEEDBACK_BUTTONS, Stage, State
from selify.tryon.memory import recall, remember
from selify.tryon.renderer import MessageRenderer
from selify.tryon.repository import Binding
from selify.tryon.types import Refusal, RefusalCode, Rendering, RenderWarning

log = get_logger(__name__)

JOB = "tryon"
METER = "tryon"
LONGEST_LINK = 300
NO_LONGER_WANTED = _("The shopper took the photo back, or a person took over the conversation.")


class Request(Payload):
    """What the job's payload says, and with it the job's key and workspace."""

    personal: ClassVar[frozenset[str]] = frozenset({"photo_url"})

    key: str = Field("", exclude=True)
    workspace_id: UUID = Field(exclude=True)
    account_id: UUID
    conversation_id: UUID
    interaction_id: UUID
    binding_id: UUID
    message_ref: str
    photo_url: str = ""
    charge_id: UUID

    @classmethod
    def from_job(cls, job: Job) -> Self:
        if job.workspace_id is None:
            raise ValueError("a try-on job belongs to a workspace")
        return cls.read({**job.payload, "key": job.key, "workspace_id": job.workspace_id})


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
            metadata=_what_is_paid(conversation, state, binding),
        )
        charge = await billing.reserve(tx, clock, order)
    except CreditsExhausted as exhausted:
        await _tell_exhausted(tx, account, exhausted, clock.now())
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
        payload=Request(
            workspace_id=account.workspace_id,
            account_id=account.id,
            conversation_id=conversation.id,
            interaction_id=state.interaction_id,
            binding_id=binding.id,
            message_ref=message.message_ref,
            photo_url=photo.url,
            charge_id=charge.id,
        ).stored(),
        now=clock.now(),
    )
    return Start.STARTED


def _what_is_paid(conversation: Conversation, state: State, binding: Binding) -> dict[str, str]:
    """As the charge tells it."""
    return {
        "conversation_id": str(conversation.id),
        "interaction_id": str(state.interaction_id),
        "garment": binding.garment_name,
        "shopper": conversation.username,
    }


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
class RenderResult:
    """A picture that passed the gate, stored under ``storage_key``."""

    rendering: Rendering
    storage_key: str
    cost: MicroUnits
    attempts: int


async def finish(
    tx: Tx, clock: Clock, request: Request, made: RenderResult, card: ProductCard | None
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
    await _say_result(tx, thread, request, made, card, clock.now())
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
    rendered = await thread.renderer(tx, binding)
    await outgoing.send(
        tx,
        thread.account,
        thread.conversation,
        rendered.message(
            f"refusal:{refusal.code.value}",
            rendered.say(texts.refusal_key(refusal.code.value, refusal.reason)),
            interaction_id=request.interaction_id,
        ),
        key=f"refusal/{request.message_ref}",
        now=clock.now(),
    )
    await _conclude(tx, thread.conversation, request, Stage.AWAITING_PHOTO)
    log.info(
        "{shopper} could not be dressed ({code}): the charge was given back",
        shopper=thread.conversation.username or "a shopper",
        code=refusal.code.value,
    )
    if refusal.code in _GARMENT_FAULTS:
        await _tell_garment_fault(tx, thread.account, request, rendered.garment, now=clock.now())


async def abandon(tx: Tx, clock: Clock, request: Request, *, reason: str) -> None:
    """No answer may be given any more, or nobody waits for one: give the charge back, say nothing, keep
    no picture of them. Who still waits gets a person.
    """
    conversation, account = await _locked(tx, request)
    status = await _charge(tx, request)
    if status is billing.UsageStatus.RESERVED:
        await billing.refund(tx, clock, request.charge_id, reason=reason, code="abandoned")
    if status in (billing.UsageStatus.RESERVED, billing.UsageStatus.REFUNDED):
        await forget_files(tx, request.workspace_id, request.key)
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


async def withdraw(
    tx: Tx, account: Account, conversation: Conversation, message_ref: str, *, now: datetime
) -> None:
    """A photo was taken back: it goes now instead of at its end of life, and so does the picture
    made of it. The next photo need not wait for the end of a try-on that nobody wants; whoever would
    have heard how it ended, and now will not, has it dressed.
    """
    state = recall(conversation)
    dressing = state.stage is Stage.GENERATING and state.photo_ref == message_ref
    if state.photo_ref == message_ref:
        free = Stage.AWAITING_PHOTO if dressing else state.stage
        conversation = await remember(tx, conversation, replace(state, photo_ref="", stage=free))
    taken = partial(
        outgoing.cancel,
        tx,
        message_ref,
        account_id=conversation.account_id,
        ordering_key=conversation.ordering_key,
        reason=_("The shopper took the photo back."),
        now=now,
    )
    await taken(kinds=renderer.REPLIES)
    ended = await taken(kinds=("picture", "result", "feedback", "refusal"))
    key = f"{conversation.account_id}/{message_ref}"
    await forget_address(tx, key)
    await photo_addresses.forget(tx, message_ref)
    await forget_files(tx, conversation.workspace_id, key)
    await conversations.forget_picture(
        tx, conversation.id, result_key(conversation.workspace_id, key)
    )
    if (dressing or ended) and account.status in LIVE:
        await next_photo(tx, conversation)


async def forget_address(tx: Tx, key: str) -> None:
    """Where the job fetches its photo: once the photo is ours, or gone, nobody needs to know."""
    await job_rows.forget(tx, JOB, key, personal=Request.personal)


async def forget_files(tx: Tx, workspace_id: UUID, key: str) -> None:
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

    async def renderer(self, tx: Tx, binding: Binding | None) -> MessageRenderer:
        language = recall(self.conversation).language
        return await renderer.renderer(tx, self.account, language=language, about=binding)


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
    await outgoing.cancel_debounced(
        tx, conversation, reason=_("The picture is ready."), now=clock.now()
    )
    return _Thread(account, conversation)


async def _locked(tx: Tx, request: Request) -> tuple[Conversation | None, Account | None]:
    conversation = await conversations.lock_by_id(tx, request.conversation_id)
    return conversation, await accounts.account(tx, request.account_id)


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
    if account is None or conversation is None or account.status in GONE:
        return True
    silent = conversation.opted_out or conversation.handler is Handler.HUMAN
    return silent or recall(conversation).photo_ref != request.message_ref


async def _conclude(tx: Tx, conversation: Conversation, request: Request, stage: Stage) -> None:
    """On from ``generating``, unless the shopper is elsewhere by now: then that stands."""
    state = recall(conversation)
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
    await next_photo(tx, await remember(tx, conversation, state))


async def next_photo(tx: Tx, conversation: Conversation) -> None:
    """The photo that came meanwhile has its turn: the event that brought it is handled again. Unless
    it was taken back by now, its event still tells its address, and nothing else does.
    """
    state = recall(conversation)
    if state.stage is Stage.GENERATING or not state.waiting_ref:
        return
    told = await conversations.events_about(tx, conversation.platform, state.waiting_ref)
    latest = next((event for event in told if "attachments" in event.payload), None)
    if latest is not None:
        await inbox.again(tx, latest.id)


async def _say_result(
    tx: Tx,
    thread: _Thread,
    request: Request,
    made: RenderResult,
    card: ProductCard | None,
    now: datetime,
) -> None:
    """The picture, what it is and costs, and the question how they like it."""
    account, conversation = thread.account, thread.conversation
    rendered = await thread.renderer(tx, await repository.binding(tx, request.binding_id))
    say = partial(rendered.message, interaction_id=request.interaction_id)
    several = RenderWarning.SEVERAL_PEOPLE in made.rendering.warnings
    words = rendered.say(
        "result_several_people" if several else "result", product=product_line(card, rendered)
    )
    for message, answer in (
        (_picture(request, made), "picture"),
        (say("result", words), "result"),
        (say("feedback", rendered.say("feedback"), buttons=FEEDBACK_BUTTONS), "feedback"),
    ):
        await outgoing.send(
            tx, account, conversation, message, key=f"{answer}/{request.message_ref}", now=now
        )


def _picture(request: Request, made: RenderResult) -> Outgoing:
    """Paid for: its charge goes back if it never leaves, and with it the words about it. The address
    under which the platform fetches it is made when it is sent.
    """
    return Outgoing(
        kind=Kind.IMAGE,
        client=renderer.CLIENT,
        purpose="result_picture",
        about={
            "interaction_id": str(request.interaction_id),
            "charge_id": str(request.charge_id),
            "photo_ref": request.message_ref,
        },
        storage_key=made.storage_key,
        made_of=request.message_ref,
        accounted_for=True,
    )


def product_line(card: ProductCard | None, rendered: MessageRenderer) -> str:
    """Price, stock and link, each only where known."""
    if card is None:
        return ""
    stock = ""
    if card.in_stock is not None:
        key = "in_stock" if card.in_stock else "out_of_stock"
        few = card.in_stock and card.stock is not None and card.stock < 10
        stock = rendered.say("few_left", count=card.stock) if few else rendered.say(key)
    # Half an address leads nowhere: one that leaves no room for the words is left out.
    url = card.url if len(card.url) <= LONGEST_LINK else ""
    return " · ".join(part for part in (card.price_text, stock, url) if part)


def _scores(rendering: Rendering) -> dict[str, Any]:
    scores = rendering.scores
    if scores is None:
        return {}
    measured = {name: getattr(scores, name) for name in scores.__dataclass_fields__}
    return {"quality": {k: list(v) if isinstance(v, tuple) else v for k, v in measured.items()}}


async def _tell_exhausted(
    tx: Tx, account: Account, exhausted: CreditsExhausted, now: datetime
) -> None:
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="credits_exhausted",
        title=_("Shoppers are waiting: the credits are used up"),
        body=exhausted.detail,
        action_url="/billing",
        dedupe_key=f"credits/{account.workspace_id}/{exhausted.balance.resets_at:%Y-%m-%dT%H:%M}",
        now=now,
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
        now=now,
    )
