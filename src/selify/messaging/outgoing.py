"""What the bot sends: replies in the right language, queued with the change that caused them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selify.core.database import Tx
from selify.core.queue import outbox
from selify.messaging import repository
from selify.messaging.conversations import Conversation
from selify.messaging.repository import Binding
from selify.messaging.types import Account, Button
from selify.tryon import texts
from selify.tryon.dialogue import Reply

CHANNEL = "messages"
# What a message of theirs is answered with at once; a photo that had to wait also when it has its turn.
REPLIES = ("reply", "reply_at_last")
# Names come from catalogues. Clipped here, no text of ours outgrows what a platform takes at once,
# and the way to a person at a greeting's end is never what gets cut.
LONGEST_NAME = 60
COVERING_LEGS = ("dresses", "lower_body")
# How long a patient reply waits for what would make it needless.
PATIENCE = timedelta(seconds=4)


@dataclass(frozen=True, slots=True)
class Voice:
    """In whose name and language to speak about which garment. ``legs``: it covers them, so the photo
    must show them.
    """

    brand: str
    language: str
    garment: str
    brand_texts: dict[str, object]
    legs: bool = False

    def say(self, key: str, **values: object) -> str:
        framing = texts.say("framing_legs" if self.legs else "framing", self.language)
        ours = {"brand": self.brand, "garment": self.garment, "product": "", "framing": framing}
        filled = {**ours, **values}
        return texts.say(key, self.language, brand_texts=self.brand_texts, **filled)

    def title(self, button: Button) -> str:
        return self.say(f"button_{button.value.partition(':')[2]}")


async def voice(tx: Tx, account: Account, *, language: str, about: Binding | None) -> Voice:
    """``about``: the garment that is spoken of, if it is known."""
    brand, _ = await repository.workspace_texts(tx, account.workspace_id)
    own = account.settings.get("message_templates")
    garment, covers = (about.garment_name, about.covers) if about else ("", "")
    return Voice(
        brand=_clipped(brand or account.username),
        language=language or account.language,
        garment=_clipped(garment) or texts.say("this_piece", language or account.language),
        brand_texts=dict(own) if isinstance(own, dict) else {},
        legs=covers in COVERING_LEGS,
    )


async def reply(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    voice_: Voice,
    replies: Sequence[Reply],
    *,
    key: str,
    interaction_id: UUID | None = None,
    now: datetime,
) -> None:
    """Queue replies in order. ``key`` names what is being answered: answering twice does nothing."""
    for number, item in enumerate(replies):
        await send_text(
            tx,
            account,
            conversation,
            key=f"{key}/{number}",
            purpose=item.text,
            text=voice_.say(item.text),
            buttons=[(voice_.title(button), button) for button in item.buttons],
            interaction_id=interaction_id,
            patient_from=now if item.patient else None,
        )


async def send_text(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    *,
    key: str,
    purpose: str,
    text: str,
    buttons: Sequence[tuple[str, Button]] = (),
    interaction_id: UUID | None = None,
    patient_from: datetime | None = None,
) -> None:
    """``patient_from``: it waits a little from then on, and is taken back if it is needless by then."""
    await _enqueue(
        tx,
        account,
        lane=conversation.lane,
        key=key,
        payload={
            "kind": "text",
            "person_ref": conversation.person_ref,
            "conversation_id": str(conversation.id),
            "purpose": purpose,
            "text": text,
            "buttons": [[title, button.value] for title, button in buttons],
            "interaction_id": str(interaction_id) if interaction_id else None,
            **({"patient": True} if patient_from else {}),
        },
        patient_from=patient_from,
    )


async def send_image(
    tx: Tx,
    account: Account,
    conversation: Conversation,
    *,
    key: str,
    purpose: str,
    storage_key: str,
    interaction_id: UUID | None = None,
    paid: Mapping[str, str] | None = None,
) -> None:
    """The address under which the platform fetches the picture is made when it is sent.

    ``paid``: the charge (``charge_id``) that goes back if the picture never leaves, and the photo
    (``photo_ref``) after which the words about it are named.
    """
    await _enqueue(
        tx,
        account,
        lane=conversation.lane,
        key=key,
        payload={
            "kind": "image",
            "person_ref": conversation.person_ref,
            "conversation_id": str(conversation.id),
            "purpose": purpose,
            "storage_key": storage_key,
            "interaction_id": str(interaction_id) if interaction_id else None,
            **(paid or {}),
        },
    )


async def show_typing(tx: Tx, account: Account, conversation: Conversation, *, key: str) -> None:
    """Seen, and typing dots. They go first, outside the queue's order, and may fail silently."""
    await _enqueue(
        tx,
        account,
        lane=f"typing:{key}",
        key=key,
        payload={"kind": "typing", "person_ref": conversation.person_ref},
    )


async def private_reply(
    tx: Tx,
    account: Account,
    *,
    comment_ref: str,
    person_ref: str,
    commented_at: datetime,
    text: str,
    binding_id: UUID,
    interaction_id: UUID,
    language: str,
    username: str,
) -> bool:
    """The one private answer a comment may get; false when it has it already. The thread is known
    only once it was sent.
    """
    return await _enqueue(
        tx,
        account,
        lane=f"comment:{account.id}:{person_ref}",
        key=f"comment:{comment_ref}",
        payload={
            "kind": "private_reply",
            "comment_ref": comment_ref,
            "commenter_ref": person_ref,
            "username": username,
            "commented_at": commented_at.isoformat(),
            "purpose": "greeting",
            "text": text,
            "binding_id": str(binding_id),
            "interaction_id": str(interaction_id),
            "language": language,
        },
    )


async def take_back(
    tx: Tx,
    message_ref: str,
    *,
    account_id: UUID | None,
    lane: str,
    kinds: Sequence[str],
    reason: str,
) -> int:
    """What was queued about one message of theirs and has not left yet does not leave any more; how
    much that was.
    """
    return await tx.execute(
        """
        UPDATE internal.outbox o SET state = 'cancelled', last_error = $4, updated_at = now()
         WHERE channel = $1 AND lane = $2 AND state = 'queued'
           AND EXISTS (SELECT FROM unnest($3::text[]) AS about
                        WHERE o.key = about OR starts_with(o.key, about || '/'))
        """,
        CHANNEL,
        lane,
        [f"{account_id}/{kind}/{message_ref}" for kind in kinds],
        reason,
    )


async def take_back_nudges(tx: Tx, conversation: Conversation, *, reason: str) -> None:
    """The photo (or the picture) is here: whoever was about to speak of it need not."""
    await tx.execute(
        """
        UPDATE internal.outbox SET state = 'cancelled', last_error = $3, updated_at = now()
         WHERE channel = $1 AND lane = $2 AND state = 'queued' AND payload ? 'patient'
        """,
        CHANNEL,
        conversation.lane,
        reason,
    )


async def _enqueue(
    tx: Tx,
    account: Account,
    *,
    lane: str,
    key: str,
    payload: dict[str, object],
    patient_from: datetime | None = None,
) -> bool:
    """False when this was queued before."""
    queued = await outbox.enqueue(
        tx,
        channel=CHANNEL,
        key=f"{account.id}/{key}",
        payload=payload,
        lane=lane,
        workspace_id=account.workspace_id,
        account_id=account.id,
        not_before=patient_from + PATIENCE if patient_from else None,
        now=patient_from,
    )
    return queued is not None


def _clipped(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"
