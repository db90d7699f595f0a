"""What the social API says, in JSON."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, Field

from selify.core.text import OneLine, Said, Verbatim
from selify.messaging.diagnosis import Diagnosis, State
from selify.tryon import texts

Language = Annotated[
    OneLine, Field(max_length=10, json_schema_extra={"enum": list(texts.languages())})
]
TextKey = Annotated[
    str,
    Path(
        json_schema_extra={"enum": [k for k in texts.catalogue(texts.FALLBACK) if k != "language"]}
    ),
]


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
    def of(cls, found: Diagnosis) -> Self:
        row, chief = found.row, found.chief
        return cls(
            id=row["id"],
            platform=row["platform"],
            username=row["username"],
            status=row["status"],
            token_expires_at=row["token_expires_at"],
            health=_HEALTH.get(chief.state),
            error=chief.text if chief.state is State.BAD else None,
            missing=[cost.text for cost in found.lost],
            bot_is_on=found.bot_is_on,
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


class BotSettingsInput(BaseModel):
    """``keywords``: empty for ours."""

    tryon_enabled: bool
    language: Language
    keywords: list[OneLine] = Field(default_factory=list, max_length=20)


class BotTextInput(BaseModel):
    """``text``: in the brand's own words; empty for ours."""

    language: Language
    text: Verbatim = Field(max_length=2000)


class BotTextOutput(BaseModel):
    """``own``: the brand's words, empty where ours are said; ``faults``: why they are not said."""

    key: str
    ours: str
    own: str
    faults: list[Said]


class PostOutput(BaseModel):
    id: UUID
    account_id: UUID
    post_ref: str
    caption: str | None
    url: str | None
    posted_at: datetime
    binding_id: UUID | None
    garment_id: UUID | None
    garment_name: str | None


class BindInput(BaseModel):
    garment_id: UUID
    keywords: list[OneLine] = Field(default_factory=list, max_length=20)
    use_global_keywords: bool = True
    confirmed: bool = False


class BindingOutput(BaseModel):
    binding_id: UUID


class KeywordsOutput(BaseModel):
    """``words`` maps each keyword in force to the level that set it."""

    rule: str
    words: dict[str, str]
    explanation: str


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


class FunnelOutput(BaseModel):
    """How many got how far. Each step counts people who got at least there."""

    triggers: int
    answered: int
    photos: int
    tried_on: int
    liked: int


class InteractionOutput(BaseModel):
    id: UUID
    post_ref: str | None
    kind: str
    keyword: str | None
    username: str | None
    answered: bool
    photo: bool
    generated: bool
    liked: bool | None
    started_at: datetime
    finished_at: datetime | None
