"""What the messaging API says, in JSON."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from selify.core.cursor import Cursor
from selify.core.text import Said
from selify.messaging.diagnosis import Diagnosis, State
from selify.messaging.queries import ListedConversation, ListedMessage


class FindingOutput(BaseModel):
    """``state``: good, fair, bad or off. ``code`` is stable."""

    about: str
    state: str
    code: str
    title: Said
    text: Said
    since: datetime | None
    what_to_do: Said


class WaitingOutput(BaseModel):
    """Messages that do not leave yet. ``until``: when they are tried again by themselves."""

    count: int
    why: Said
    since: datetime
    until: datetime | None
    may_send_now: bool


class AccountOutput(BaseModel):
    """``chief`` is what the account as a whole is said to be; ``health`` the same in one word, and
    ``error`` its text where something is wrong. Pages and notifications say the same.
    """

    id: UUID
    platform: str
    username: str | None
    status: str
    token_expires_at: datetime | None
    health: str | None
    error: Said | None
    missing: list[Said] = Field(
        description="What it costs that some kinds of events do not reach us. ``error`` says why."
    )
    bot_is_on: bool
    chief: FindingOutput
    findings: list[FindingOutput]
    waiting: list[WaitingOutput]

    @classmethod
    def of(cls, found: Diagnosis, *, bot_is_on: bool) -> Self:
        account, chief = found.account, found.chief
        return cls(
            id=account.id,
            platform=account.platform,
            username=account.username,
            status=account.status,
            token_expires_at=account.token_expires_at,
            health=_HEALTH.get(chief.state),
            error=chief.text if chief.state is State.BAD else None,
            missing=[cost.text for cost in found.lost],
            bot_is_on=bot_is_on,
            chief=FindingOutput.model_validate(chief, from_attributes=True),
            findings=[
                FindingOutput.model_validate(one, from_attributes=True) for one in found.findings
            ],
            waiting=[
                WaitingOutput.model_validate(one, from_attributes=True) for one in found.waiting
            ],
        )


_HEALTH = {State.GOOD: "healthy", State.FAIR: "degraded", State.BAD: "unhealthy"}


class SentNowOutput(BaseModel):
    """``tried``: how many messages are tried now."""

    tried: int


class ConversationOutput(BaseModel):
    """``answers``: bot, person, or nobody after the shopper's STOP. ``cursor``: its place in the list
    as it was now; who writes meanwhile goes to the top.
    """

    id: UUID
    cursor: str
    account_id: UUID
    person: str
    username: str | None
    stage: str
    handler: str
    answers: str
    unread: int
    messages: int
    last_message: str | None
    last_message_at: datetime | None

    @classmethod
    def of(cls, found: ListedConversation) -> Self:
        return cls(
            id=found.id,
            cursor=str(Cursor(found.last_message_at, found.id)),
            account_id=found.account_id,
            person=found.person,
            username=found.username,
            stage=found.stage,
            handler=found.handler.value,
            answers=found.answers.value,
            unread=found.unread,
            messages=found.messages,
            last_message=found.last_message,
            last_message_at=found.last_message_at,
        )


class MessageOutput(BaseModel):
    id: UUID
    from_shopper: bool
    text: str | None
    kind: str
    picture: str | None = Field(
        description="A signed link to a picture of ours, where there is one."
    )
    reactions: list[str]
    at: datetime

    @classmethod
    def of(cls, message: ListedMessage, *, picture: str | None) -> Self:
        return cls(
            id=message.id,
            from_shopper=message.from_shopper,
            text=message.text,
            kind=message.kind,
            picture=picture,
            reactions=[reaction["emoji"] for reaction in message.reactions],
            at=message.at,
        )
