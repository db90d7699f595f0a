"""What the try-on API says, in JSON."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, Field

from selify.core.text import OneLine, Said, Verbatim
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
    """``worn_with_id``: as it was chosen; pictures do without it while it is put away or does not go with it."""

    id: UUID
    account_id: UUID
    post_ref: str
    caption: str | None
    url: str | None
    posted_at: datetime
    binding_id: UUID | None
    garment_id: UUID | None
    garment_name: str | None
    worn_with_id: UUID | None


class BindInput(BaseModel):
    """``worn_with_id``: a bottom to a top or a top to a bottom, for one picture with both."""

    garment_id: UUID
    worn_with_id: UUID | None = None
    keywords: list[OneLine] = Field(default_factory=list, max_length=20)
    use_global_keywords: bool = True
    confirmed: bool = False


class BindingOutput(BaseModel):
    binding_id: UUID


class KeywordsOutput(BaseModel):
    """``words`` maps each keyword in force to the level that set it."""

    rule: str
    words: dict[str, str]
    explanation: Said


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
