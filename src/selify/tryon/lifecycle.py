"""One try-on in a conversation: reserved here, rendered by ``tryon/job.py``, finished here.

Exactly one try-on per photo message: the message's id is the key of the job, of the reservation and
of every answer. Every end is one of three, each in one transaction: a picture and a settled charge;
a refusal and a refund; or silence (taken back, or a person took over) and a refund.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar, Self, TypeGuard
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
from selify.messaging.conversations import Conversation, Thread
from selify.messaging.keys import answer
from selify.messaging.outgoing import Kind, Outgoing
from selify.messaging.repository import GONE, LIVE
from selify.messaging.types import Account, Attachment, Handler, MessageWritten
from selify.notifications.outbox import notify_workspace
from selify.tryon import interactions, keys, photo_addresses, renderer, repository, texts, tries
from selify.tryon.dialogue import FEEDBACK_BUTTONS, Stage, State
from selify.tryon.memory import recall, remember
from selify.tryon.renderer import MessageRenderer
from selify.tryon.repository import Binding
from selify.tryon.routing import Attempt
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
    if await _is_too_late(tx, conversation, message, clock.now()):
        return Start.TOO_LATE
    key, job_id = keys.job(account.id, message.message_ref), new_id()
    try:
        order = billing.Order(
            workspace_id=account.workspace_id,
            meter=METER,
            source_id=keys.charge(key),
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
        garment=binding.shows,
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
        ),
        now=clock.now(),
    )
    return Start.STARTED


def _what_is_paid(conversation: Conversation, state: State, binding: Binding) -> dict[str, str]:
    """As the charge tells it."""
    return {
        "conversation_id": str(conversation.id),
        "interaction_id": str(state.interaction_id),
        "garment": binding.shows,
        "shopper": conversation.username,
    }


async def _is_too_late(
    tx: Tx, conversation: Conversation, message: MessageWritten, now: datetime
) -> bool:
    """Whether no answer may leave any more: then there is nothing to pay for either. What they wrote just
    now keeps the window open by itself.
    """
    if message.at + conversations.WINDOW >= now:
        return False
    until = await conversations.window_open_until(tx, conversation.id)
    return until is None or until < now


async def may_continue(tx: Tx, request: Request, *, now: datetime) -> bool:
    """Before rendering: is it still wanted, and not concluded before?"""
    thread = await conversations.lock_thread(tx, request.conversation_id, request.message_ref)
    if not _is_wanted(thread, request, now):
        return False
    if await billing.status_of(tx, request.charge_id) is not billing.UsageStatus.RESERVED:
        return False
    await interactions.generation_started(tx, request.interaction_id, at=now)
    return True


@dataclass(frozen=True, slots=True)
class RenderResult:
    """A picture that passed the gate, stored under ``storage_key``. ``attempts``: all that were made for it.
    ``left_out``: why the garment that should be worn with it is not in the picture.
    """

    rendering: Rendering
    storage_key: str
    cost: MicroUnits
    attempts: Sequence[Attempt] = ()
    left_out: Refusal | None = None


async def finish(
    tx: Tx, clock: Clock, request: Request, made: RenderResult, cards: Sequence[ProductCard]
) -> bool:
    """The picture goes out and the charge is settled; false when it was not wanted any more, or
    concluded before. Doing it twice changes nothing. ``cards``: of each garment in the picture.
    """
    now = clock.now()
    thread = await conversations.lock_thread(tx, request.conversation_id, request.message_ref)
    if not _is_wanted(thread, request, now) or not await _settle(tx, clock, request, made):
        await abandon(tx, clock, request, reason=NO_LONGER_WANTED)
        return False
    await interactions.generation_finished(
        tx, request.interaction_id, successful=True, photo_score=100, at=now
    )
    binding = await repository.binding(tx, request.binding_id)
    said = _result(thread, binding, request, made, cards)
    await _conclude(tx, thread, request, Stage.RESULT_SENT, said, now)
    log.info(
        "{shopper} was dressed in {seconds} s by {engine}: the charge stands",
        shopper=thread.conversation.username or "a shopper",
        seconds=round(made.rendering.seconds, 1),
        engine=made.rendering.engine,
    )
    if binding and binding.worn_with and made.left_out and made.left_out.code in _GARMENT_FAULTS:
        other = binding.worn_with
        await _tell_garment_fault(tx, thread.account, other.garment_id, other.name, now=now)
    return True


async def _settle(tx: Tx, clock: Clock, request: Request, made: RenderResult) -> bool:
    """Whether its charge stood open. Whoever gave it back meanwhile (an operator) has ended the try-on too: a
    result without a charge does not leave the house.
    """
    rendering = made.rendering
    work = billing.Work(
        request.charge_id,
        provider_cost=made.cost,
        engine=rendering.engine,
        processing_time_ms=round(rendering.seconds * 1000),
        metadata={
            "result": made.storage_key,
            "attempts": len(made.attempts),
            **tries.as_metadata(made.attempts),
            **_scores(rendering),
        },
    )
    try:
        return await billing.settle(tx, clock, work)
    except (billing.ChargeMissing, billing.ChargeRefunded):
        return False


async def refuse(
    tx: Tx,
    clock: Clock,
    request: Request,
    refusal: Refusal,
    *,
    cost: MicroUnits | None = None,
    engine: str = "",
    attempts: Sequence[Attempt] = (),
) -> None:
    """No picture: the charge is given back, the shopper hears why and what helps.

    ``cost`` is what trying cost us all the same, ``engine`` who was paid, and ``attempts`` what was tried.
    """
    now = clock.now()
    thread = await conversations.lock_thread(tx, request.conversation_id, request.message_ref)
    open_still = billing.UsageStatus.RESERVED
    if (
        not _is_wanted(thread, request, now)
        or await billing.status_of(tx, request.charge_id) is not open_still
    ):
        await abandon(tx, clock, request, reason=NO_LONGER_WANTED)
        return
    await billing.refund(
        tx,
        clock,
        request.charge_id,
        reason=refusal.sentence,
        code=refusal.code.value,
        provider_cost=cost,
        engine=engine,
        metadata=tries.as_metadata(attempts),
    )
    await interactions.generation_finished(
        tx,
        request.interaction_id,
        successful=False,
        photo_score=None if refusal.code in _NOT_THE_PHOTO else 0,
        at=now,
    )
    binding = await repository.binding(tx, request.binding_id)
    rendered = renderer.renderer(
        thread.account, language=recall(thread.conversation).language, about=binding
    )
    said = rendered.message(
        f"refusal:{refusal.code.value}",
        rendered.say(texts.refusal_key(refusal.code.value, refusal.reason)),
        interaction_id=request.interaction_id,
    )
    await _conclude(tx, thread, request, Stage.AWAITING_PHOTO, {"refusal": said}, now)
    log.info(
        "{shopper} could not be dressed ({code}): the charge was given back",
        shopper=thread.conversation.username or "a shopper",
        code=refusal.code.value,
    )
    if refusal.code in _GARMENT_FAULTS:
        garment = binding.garment_name if binding else rendered.garment
        await _tell_garment_fault(tx, thread.account, request.binding_id, garment, now=now)


async def abandon(tx: Tx, clock: Clock, request: Request, *, reason: str) -> None:
    """No answer may be given any more, or nobody waits for one: give the charge back, say nothing, keep
    no picture of them. Who still waits gets a person.
    """
    thread = await conversations.lock_thread(tx, request.conversation_id, request.message_ref)
    status = await billing.status_of(tx, request.charge_id)
    if status is billing.UsageStatus.RESERVED:
        await billing.refund(tx, clock, request.charge_id, reason=reason, code="abandoned")
    if status in (billing.UsageStatus.RESERVED, billing.UsageStatus.REFUNDED):
        await forget_files(tx, request.workspace_id, request.key)
        await forget_address(tx, request.key)
        await photo_addresses.forget(tx, request.message_ref)
    if thread is None:
        return
    now = clock.now()
    conversation = await _conclude(tx, thread, request, Stage.AWAITING_PHOTO, {}, now)
    # Where it ended without words because it was too late for them, a person may find some.
    if not _is_elsewhere(thread, request) and not thread.unsent and thread.is_closed(now):
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
    ended = await taken(kinds=(keys.PICTURE, *keys.ABOUT_PICTURE, "refusal"))
    key = keys.job(conversation.account_id, message_ref)
    await forget_address(tx, key)
    await photo_addresses.forget(tx, message_ref)
    await forget_files(tx, conversation.workspace_id, key)
    await conversations.forget_picture(
        tx, conversation.id, keys.result_key(conversation.workspace_id, key)
    )
    if (dressing or ended) and account.status in LIVE:
        await next_photo(tx, conversation)


async def forget_address(tx: Tx, key: str) -> None:
    """Where the job fetches its photo: once the photo is ours, or gone, nobody needs to know."""
    await job_rows.forget(tx, JOB, key, personal=Request.personal)


async def forget_files(tx: Tx, workspace_id: UUID, key: str) -> None:
    for file in (keys.photo_key(workspace_id, key), keys.result_key(workspace_id, key)):
        await retention.delete_soon(
            tx, file, reason="not wanted any more", workspace_id=workspace_id
        )


_GARMENT_FAULTS = (RefusalCode.GARMENT_NOT_FOUND, RefusalCode.GARMENT_CATEGORY_MISSING)


_NOT_THE_PHOTO = (*_GARMENT_FAULTS, RefusalCode.TIMED_OUT, RefusalCode.QUALITY_TOO_LOW)


def _is_wanted(thread: Thread | None, request: Request, now: datetime) -> TypeGuard[Thread]:
    """Whether it may end in words."""
    if thread is None or _is_elsewhere(thread, request):
        return False
    return not thread.unsent and not thread.is_closed(now)


def _is_elsewhere(thread: Thread, request: Request) -> bool:
    """The person said stop or moved on, somebody of the brand took over, or the account is gone."""
    conversation = thread.conversation
    silent = conversation.opted_out or conversation.handler is Handler.HUMAN
    moved_on = recall(conversation).photo_ref != request.message_ref
    return silent or moved_on or thread.account.status in GONE


async def _conclude(
    tx: Tx,
    thread: Thread,
    request: Request,
    stage: Stage,
    said: Mapping[str, Outgoing],
    now: datetime,
) -> Conversation:
    """With these words, if any, instead of those that only filled the time; and on from ``generating``,
    unless the shopper is elsewhere by now: then that stands.
    """
    conversation = thread.conversation
    if said:
        messages = {answer(kind, request.message_ref): message for kind, message in said.items()}
        instead = _("The picture is ready.")
        await outgoing.send_all(
            tx, thread.account, conversation, messages, now=now, instead=instead
        )
    state = recall(conversation)
    if state.photo_ref != request.message_ref:
        return conversation
    state = replace(state, photo_ref="")
    if state.stage is Stage.GENERATING:
        state = replace(state, stage=stage)
    if stage is Stage.RESULT_SENT:
        state = replace(state, result_id=request.interaction_id)
    elif state.binding_id != request.binding_id:
        # They chose another garment meanwhile; this row was about the first one.
        state = replace(state, interaction_id=None)
    conversation = await remember(tx, conversation, state)
    await next_photo(tx, conversation)
    return conversation


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


def _result(
    thread: Thread,
    binding: Binding | None,
    request: Request,
    made: RenderResult,
    cards: Sequence[ProductCard],
) -> dict[str, Outgoing]:
    """The picture, what it is and costs, what is not in it, and the question how they like it.

    The picture is paid for: its charge goes back if it never leaves, and with it the words about it. The
    address under which the platform fetches it is made when it is sent.
    """
    other = binding.worn_with if binding and made.left_out else None
    rendered = renderer.renderer(
        thread.account,
        language=recall(thread.conversation).language,
        about=replace(binding, worn_with=None) if binding and made.left_out else binding,
    )
    say = partial(rendered.message, interaction_id=request.interaction_id)
    several = RenderWarning.SEVERAL_PEOPLE in made.rendering.warnings
    words = rendered.say(
        "result_several_people" if several else "result", product=products(cards, rendered)
    )
    picture = Outgoing(
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
    said = {keys.PICTURE: picture, "result": say("result", words)}
    if other and made.left_out:
        lacking = one_piece_only(renderer.about_other(rendered, other), made.left_out)
        said["one_piece_only"] = say("one_piece_only", lacking)
    return {**said, "feedback": say("feedback", buttons=FEEDBACK_BUTTONS)}


def one_piece_only(rendered: MessageRenderer, left_out: Refusal) -> str:
    """That the other piece is not in the picture, and what would help where that is known."""
    key, usual = (
        texts.refusal_key(left_out.code.value, reason) for reason in (left_out.reason, None)
    )
    return rendered.say("one_piece_only", why=rendered.say(key) if key != usual else "")


def products(cards: Sequence[ProductCard], rendered: MessageRenderer) -> str:
    """What is known of each, of two with its name and in a line of its own."""
    if len(cards) < 2:
        return product_line(next(iter(cards), None), rendered)
    names = renderer.both_clipped(*(card.name for card in cards))
    lines = [product_line(card, rendered, longest_link=LONGEST_LINK // 2) for card in cards]
    told = [f"{name}: {line}" for name, line in zip(names, lines, strict=True) if line]
    return "\n".join(told)


def product_line(
    card: ProductCard | None, rendered: MessageRenderer, *, longest_link: int = LONGEST_LINK
) -> str:
    """Price, stock and link, each only where known."""
    if card is None:
        return ""
    stock = ""
    if card.in_stock is not None:
        key = "in_stock" if card.in_stock else "out_of_stock"
        few = card.in_stock and card.stock is not None and card.stock < 10
        stock = rendered.say("few_left", count=card.stock) if few else rendered.say(key)
    # Half an address leads nowhere: one that leaves no room for the words is left out.
    url = card.url if len(card.url) <= longest_link else ""
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
    tx: Tx, account: Account, about: UUID, garment: str, *, now: datetime
) -> None:
    """``about``: once a day for each."""
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="garment_unusable",
        title=_("The picture of “%(garment)s” cannot be used for try-ons", garment=garment),
        body=_("Upload one of the garment alone, laid flat on a plain background."),
        action_url="/wardrobe",
        dedupe_key=f"garment/{about}/{now:%Y-%m-%d}",
        now=now,
    )
