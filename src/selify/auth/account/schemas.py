"""The JSON of what people do with their own account."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field

from selify.auth.account.own_sessions import browser_of
from selify.auth.one_time_links import LONGEST_SECRET
from selify.auth.schemas import Email, Input, Password
from selify.auth.sign_in_audit import SignInLine
from selify.auth.types import Session, SessionOverview
from selify.core.text import OneLine

_ID = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"
_WHEN = "2026-05-04T09:30:00Z"

Token = Annotated[
    OneLine,
    Field(
        min_length=1,
        max_length=LONGEST_SECRET,
        description="What the link in the mail ends with.",
        examples=["pX1b0n3c7uQ9o2y8mZk5r4tVw6sLd0aE-fGhJiKlMnO"],
    ),
]


class ResetAskedInput(Input):
    email: Email


class ResetInput(Input):
    token: Token
    password: Password


class LinkInput(Input):
    token: Token


class PasswordChangeInput(Input):
    old_password: Password
    new_password: Password


class EmailChangeInput(Input):
    email: Email
    password: Password


class UndoneOutput(BaseModel):
    """The account has no password now: set one by this token."""

    password_reset_token: str


class SessionOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    address: str | None = Field(description="Of the network.", examples=["203.0.113.7"])
    browser: str = Field(description="As far as it says so itself.", examples=["Firefox, Windows"])
    user_agent: str | None
    started_at: datetime = Field(examples=[_WHEN])
    seen_at: datetime = Field(description="To the hour.", examples=[_WHEN])
    ends_at: datetime = Field(examples=[_WHEN])
    is_this_one: bool

    @classmethod
    def of(cls, found: SessionOverview, current: Session) -> Self:
        return cls(
            id=found.id,
            address=found.address,
            browser=browser_of(found.user_agent),
            user_agent=found.user_agent,
            started_at=found.started_at,
            seen_at=found.seen_at,
            ends_at=found.ends_at,
            is_this_one=found.id == current.id,
        )


class SessionsOutput(BaseModel):
    sessions: list[SessionOutput]


class SignInLineOutput(BaseModel):
    """``error_code`` where it was refused."""

    id: UUID = Field(examples=[_ID])
    at: datetime = Field(examples=[_WHEN])
    event: str = Field(examples=["sign_in"])
    success: bool
    error_code: str | None = Field(examples=["wrong_credentials"])
    address: str | None = Field(description="Of the network.", examples=["203.0.113.7"])
    user_agent: str | None

    @classmethod
    def of(cls, line: SignInLine) -> Self:
        return cls(
            id=line.id,
            at=line.at,
            event=line.event,
            success=line.success,
            error_code=line.error_code,
            address=line.address,
            user_agent=line.user_agent,
        )


class SignInLinesOutput(BaseModel):
    """``next``: after which line the next page begins; null on the last one."""

    lines: list[SignInLineOutput]
    next: UUID | None = Field(examples=[_ID])
