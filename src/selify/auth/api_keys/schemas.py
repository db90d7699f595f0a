"""The JSON of ``/api/v1/workspaces/{workspace_id}/keys``."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from selify.auth.api_keys.keys import MARK
from selify.auth.api_keys.types import ApiKey, KeyState, NewKey, Review
from selify.auth.schemas import Input, Name

_WHEN = "2026-05-04T09:30:00Z"
_ID = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"
_SCOPE = "conversations:read"

Scope = Annotated[str, Field(max_length=60, examples=[_SCOPE])]


class KeyInput(Input):
    name: Annotated[Name, Field(examples=["Till in the shop"])]
    scopes: list[Scope] = Field(min_length=1, max_length=50, examples=[[_SCOPE]])
    expires_at: AwareDatetime | None = Field(
        None, examples=["2027-05-04T09:30:00Z"], description="Left out: until it is revoked."
    )


class KeyNameInput(Input):
    name: Annotated[Name, Field(examples=["Till in the shop"])]


class KeyOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["Till in the shop"])
    prefix: str = Field(examples=[f"{MARK}pX1b0n3c"], description="How its secret begins.")
    scopes: list[str] = Field(examples=[[_SCOPE]])
    state: KeyState
    review: Review | None = Field(
        description="Why an owner should look at it. After a ban of its maker it is suspended until"
        " an owner confirms it."
    )
    made_by: UUID | None = Field(examples=[_ID])
    made_at: datetime = Field(examples=[_WHEN])
    expires_at: datetime | None = Field(examples=[_WHEN])
    last_used_at: datetime | None = Field(examples=[_WHEN], description="To the minute.")
    revoked_at: datetime | None = Field(examples=[_WHEN])

    @classmethod
    def of(cls, key: ApiKey, *, now: datetime) -> Self:
        return cls(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            scopes=list(key.scopes),
            state=key.state(now),
            review=key.review,
            made_by=key.made_by,
            made_at=key.made_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )


class KeysOutput(BaseModel):
    keys: list[KeyOutput]
    scopes: list[str] = Field(description="All that a key can be given.", examples=[[_SCOPE]])


class NewKeyOutput(BaseModel):
    key: KeyOutput
    secret: str = Field(
        examples=[f"{MARK}pX1b0n3c7uQ9o2y8mZk5r4tVw6sLd0aEfGhJiKlMnO"],
        description="For `Authorization: Bearer`. It is shown this once: nobody can read it again.",
    )

    @classmethod
    def of(cls, made: NewKey, *, now: datetime) -> Self:
        return cls(key=KeyOutput.of(made.key, now=now), secret=made.secret)
