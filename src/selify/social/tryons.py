"""One try-on in a conversation: reserved here, rendered by ``jobs/tryon.py``, finished here.

Exactly one try-on per photo message: the message's id is the key of the job, of the reservation and
of every answer. Every end is one of three, each in one transaction: a picture and a settled charge;
a refusal and a refund; or silence (taken back, or a person took over) and a refund.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from selify import billing
from selify.ai.types import Refusal, RefusalCode, Rendering, RenderWarning
from selify.billing import CreditsExhausted
from selify.commerce import ProductCard
from selify.core import jobs, retention
from selify.core.clock import Clock
from selify.core.database import Tx
from selify.core.ids import new_id
from selify.core.money import MicroUnits
from selify.core.notices import notify_workspace
from selify.social import conversations, interactions, messages, repository
from selify.social.conversations import Conversation
from selify.social.dialogue import FEEDBACK_BUTTONS, Handler, Stage, State
from selify.social.repository import Binding
from selify.social.types import Account, Attachment, Button, MessageWritten

JOB = "tryon"
METER = "tryon"
NO_LONGER_WANTED = "The shopper took the photo back, or a person took over the conversation."


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

    @classmethod
    def from_payload(cls, key: str, payload: dict[str, Any]) -> "Request":
        return cls(
            key=key,
            account_id=UUID(payload["account_id"]),
            conversation_id=UUID(payload["conversation_id"]),
            interaction_id=UUID(payload["interaction_id"]),
            binding_id=UUID(payload["binding_id"]),
            message_ref=payload["message_ref"],
            photo_url=payload["photo_url"],
            charge_id=UUID(payload["charge_id"]),
        )


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
) -> bool:
    """Reserve the price and start the job; false when the workspace cannot pay (owner is told)."""
    assert state.interaction_id is not None  # noqa: S101 - the caller begins one where none is
    await interactions.photo_received(tx, state.interaction_id, at=message.at)
    key, job_id = f"{account.id}/{message.message_ref}", new_id()
    try:
        charge = await billing.reserve(
            tx,
            clock,
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
    except CreditsExhausted as exhausted:
        await _tell_exhausted(tx, account, exhausted)
        return False
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
    return True


async def may_continue(tx: Tx, request: Request, *, now: datetime) -> Binding | None:
    """Before rendering: still wanted, and with which garment. ``None``: end it silently."""
    conversation = await conversations.lock_by_id(tx, request.conversation_id)
    if conversation is None or await _unwanted(tx, conversation, request):
        return None
    await interactions.generation_started(tx, request.interaction_id, at=now)
    return await repository.binding(tx, request.binding_id)


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that passed the gate, stored under ``storage_key``."""

    rendering: Rendering
    storage_key: str
    cost: MicroUnits
    attempts: int


async def finish(
    tx: Tx, clock: Clock, request: Request, made: Made, card: ProductCard | None
) -> None:
    """The picture goes out and the charge is settled. Doing it twice changes nothing."""
    conversation, account = await _locked(tx, request)
    if conversation is None or account is None or await _unwanted(tx, conversation, request):
        await abandon(tx, clock, request, reason=NO_LONGER_WANTED)
        return
    settled = await billing.settle(
        tx,
        clock,
        request.charge_id,
        provider_cost=made.cost,
        engine=made.rendering.engine,
        processing_time_ms=round(made.rendering.seconds * 1000),
        metadata={"result": made.storage_key, "attempts": made.attempts, **_scores(made.rendering)},
    )
    if not settled:
        return
    await interactions.generation_finished(
        tx, request.interaction_id, successful=True, photo_score=100, at=clock.now()
    )
    await _say_result(tx, account, conversation, request, made, card)
    await _move_to(tx, conversation, Stage.RESULT_SENT)


async def refuse(tx: Tx, clock: Clock, request: Request, refusal: Refusal) -> None:
    """No picture: the charge is given back, the shopper hears why and what helps."""
    conversation, account = await _locked(tx, request)
    if conversation is None or account is None or await _unwanted(tx, conversation, request):
        await abandon(tx, clock, request, reason=NO_LONGER_WANTED)
        return
    refund = await billing.refund(
        tx, clock, request.charge_id, reason=refusal.sentence, code=refusal.code.value
    )
    if refund.repeated:
        return
    await interactions.generation_finished(
        tx, request.interaction_id, successful=False, photo_score=0, at=clock.now()
    )
    binding = await repository.binding(tx, request.binding_id)
    garment = binding.garment_name if binding else ""
    voice = await messages.voice(tx, account, language=conversation.state.language, garment=garment)
    await messages.send_text(
        tx,
        account,
        conversation,
        key=f"refusal/{request.message_ref}",
        purpose=f"refusal:{refusal.code.value}",
        text=voice.say(f"refusals.{refusal.code.value}"),
        interaction_id=request.interaction_id,
    )
    await _move_to(tx, conversation, Stage.AWAITING_PHOTO)
    if refusal.code in _GARMENT_FAULTS:
        await _tell_garment_fault(tx, account, request, garment)


async def abandon(tx: Tx, clock: Clock, request: Request, *, reason: str) -> None:
    """Nobody waits for it any more: give the charge back and say nothing."""
    conversation, account = await _locked(tx, request)
    if conversation is None or account is None:
        return
    refund = await billing.refund(tx, clock, request.charge_id, reason=reason, code="abandoned")
    if not refund.repeated:
        await _move_to(tx, conversation, Stage.AWAITING_PHOTO)


async def forget_photo(tx: Tx, account: Account, message_ref: str) -> None:
    """Delete our copy of a photo now instead of at its end of life."""
    await retention.delete_now(tx, photo_key(account.workspace_id, f"{account.id}/{message_ref}"))


def photo_key(workspace_id: UUID, key: str) -> str:
    """Where a shopper's photo is kept for as long as it is needed."""
    return f"workspaces/{workspace_id}/photos/{retention.safe_name(key)}.jpg"


def result_key(workspace_id: UUID, key: str) -> str:
    return f"workspaces/{workspace_id}/results/{retention.safe_name(key)}.jpg"


_GARMENT_FAULTS = (RefusalCode.GARMENT_NOT_FOUND, RefusalCode.GARMENT_CATEGORY_MISSING)


async def _locked(tx: Tx, request: Request) -> tuple[Conversation | None, Account | None]:
    conversation = await conversations.lock_by_id(tx, request.conversation_id)
    return conversation, await repository.account(tx, request.account_id)


async def _unwanted(tx: Tx, conversation: Conversation, request: Request) -> bool:
    silent = conversation.state.opted_out or conversation.state.handler is Handler.HUMAN
    return silent or await conversations.was_unsent(tx, request.message_ref)


async def _move_to(tx: Tx, conversation: Conversation, stage: Stage) -> None:
    """Only from ``generating``: whatever the shopper did meanwhile stands."""
    if conversation.state.stage is Stage.GENERATING:
        await conversations.save_state(tx, conversation, replace(conversation.state, stage=stage))


async def _say_result(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    request: Request,
    made: Made,
    card: ProductCard | None,
) -> None:
    """The picture, what it is and costs, and the question how they like it."""
    binding = await repository.binding(tx, request.binding_id)
    garment = binding.garment_name if binding else ""
    voice = await messages.voice(tx, account, language=conversation.state.language, garment=garment)
    several = RenderWarning.SEVERAL_PEOPLE in made.rendering.warnings
    await messages.send_image(
        tx,
        account,
        conversation,
        key=f"picture/{request.message_ref}",
        purpose="result_picture",
        storage_key=made.storage_key,
        interaction_id=request.interaction_id,
    )
    await messages.send_text(
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
    await messages.send_text(
        tx,
        account,
        conversation,
        key=f"feedback/{request.message_ref}",
        purpose="feedback",
        text=voice.say("feedback"),
        buttons=[(voice.title(button), Button(button)) for button in FEEDBACK_BUTTONS],
        interaction_id=request.interaction_id,
    )


def product_line(card: ProductCard | None, voice: messages.Voice) -> str:
    """Price, stock and link, each only where known."""
    if card is None:
        return ""
    stock = ""
    if card.in_stock is not None:
        key = "in_stock" if card.in_stock else "out_of_stock"
        few = card.in_stock and card.stock is not None and card.stock < 10
        stock = voice.say("few_left", count=card.stock) if few else voice.say(key)
    return " · ".join(part for part in (card.price_text, stock, card.url) if part)


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
        title="Shoppers are waiting: the credits are used up",
        body=exhausted.detail,
        action_url="/billing",
        dedupe_key=f"credits/{account.workspace_id}/{exhausted.extra.get('resets_at')}",
    )


async def _tell_garment_fault(tx: Tx, account: Account, request: Request, garment: str) -> None:
    await notify_workspace(
        tx,
        workspace_id=account.workspace_id,
        kind="garment_unusable",
        title=f"The picture of “{garment}” cannot be used for try-ons",
        body="Upload one of the garment alone, laid flat on a plain background.",
        action_url="/wardrobe",
        dedupe_key=f"garment/{request.binding_id}",
    )
