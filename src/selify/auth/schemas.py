"""The JSON of ``/api/v1/auth`` and ``/api/v1/workspaces``."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from selify.auth import emails, passwords
from selify.auth.types import DeletedWorkspace, Member, Session, Workspace
from selify.core.permissions import WorkspaceRole
from selify.core.text import OneLine, Verbatim

_EMAIL = "mira@nordlicht.example"
_WHEN = "2026-05-04T09:30:00Z"
_ID = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"

Email = Annotated[OneLine, Field(min_length=3, max_length=emails.LONGEST, examples=[_EMAIL])]
Password = Annotated[
    Verbatim,
    Field(
        min_length=1,
        max_length=passwords.LONGEST,
        examples=["three words are enough"],
        json_schema_extra={"format": "password"},
    ),
]
Name = Annotated[OneLine, Field(min_length=1, max_length=120)]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignUpInput(Input):
    email: Email
    password: Password
    full_name: Annotated[Name, Field(examples=["Mira Holm"])] | None = None


class MailedOutput(BaseModel):
    """The same, whether or not there was anybody to write to."""

    next: Literal["look_into_your_mailbox"] = "look_into_your_mailbox"


class SignInInput(Input):
    email: Email
    password: Password


class PasswordGrant(Input):
    """Sign in without a cookie: for programs."""

    grant_type: Literal["password"]
    email: Email
    password: Password


class RefreshGrant(Input):
    """Go on with the session of an earlier token."""

    grant_type: Literal["refresh_token"]
    refresh_token: Annotated[OneLine, Field(min_length=20, max_length=100)]


class SessionGrant(Input):
    """A token for the session the request itself comes with (cookie or bearer)."""

    grant_type: Literal["session"]


TokenInput = Annotated[
    PasswordGrant | RefreshGrant | SessionGrant, Field(discriminator="grant_type")
]


class UserOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    email: str = Field(examples=[_EMAIL])
    email_confirmed: bool = Field(description="Whether they have shown that they read its mailbox.")
    full_name: str | None = Field(examples=["Mira Holm"])
    created_at: datetime = Field(examples=[_WHEN])


class MeOutput(BaseModel):
    """Who is signed in, and until when."""

    user: UserOutput
    session_id: UUID = Field(examples=[_ID])
    session_ends_at: datetime = Field(examples=[_WHEN])

    @classmethod
    def of(cls, session: Session) -> Self:
        user = session.user
        return cls(
            user=UserOutput(
                id=user.id,
                email=user.email,
                email_confirmed=user.email_confirmed,
                full_name=user.full_name,
                created_at=user.created_at,
            ),
            session_id=session.id,
            session_ends_at=session.ends_at,
        )


class TokenOutput(BaseModel):
    """``refresh_token`` is null for a browser's session, whose secret stays in its cookie."""

    access_token: str = Field(examples=["eyJhbGciOiJIUzI1NiIsImtpZCI6ImsxIn0.e30.c2lnbmVk"])
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: int = Field(description="Seconds.", examples=[3600])
    expires_at: datetime = Field(examples=[_WHEN])
    refresh_token: str | None = Field(examples=["pX1b0n3c7uQ9o2y8mZk5r4tVw6sLd0aE-fGhJiKlMnO"])
    user: UserOutput


class WorkspaceInput(Input):
    name: Annotated[Name, Field(examples=["Nordlicht"])]
    slug: (
        Annotated[
            str, Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$", examples=["nordlicht"])
        ]
        | None
    ) = None
    description: Annotated[OneLine, Field(max_length=500, examples=["Knitwear"])] | None = None


class WorkspaceOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["Nordlicht"])
    slug: str = Field(examples=["nordlicht"])
    description: str | None = Field(examples=["Knitwear"])
    role: WorkspaceRole = Field(description="Your role in it.")
    created_at: datetime = Field(examples=[_WHEN])

    @classmethod
    def of(cls, workspace: Workspace) -> Self:
        return cls(
            id=workspace.id,
            name=workspace.name,
            slug=workspace.slug,
            description=workspace.description,
            role=workspace.role,
            created_at=workspace.created_at,
        )


class WorkspacesOutput(BaseModel):
    workspaces: list[WorkspaceOutput]


class DeletedWorkspaceOutput(BaseModel):
    id: UUID = Field(examples=[_ID])
    name: str = Field(examples=["Nordlicht"])
    role: WorkspaceRole = Field(description="Your role in it. Owners can bring it back.")
    deleted_at: datetime = Field(examples=[_WHEN])
    forgotten_at: datetime = Field(
        examples=["2026-06-03T09:30:00Z"], description="Until then it can be brought back."
    )

    @classmethod
    def of(cls, workspace: DeletedWorkspace) -> Self:
        return cls(
            id=workspace.id,
            name=workspace.name,
            role=workspace.role,
            deleted_at=workspace.deleted_at,
            forgotten_at=workspace.forgotten_at,
        )


class DeletedWorkspacesOutput(BaseModel):
    workspaces: list[DeletedWorkspaceOutput]


class MemberOutput(BaseModel):
    """``joined_at`` is null while an invitation is open."""

    user_id: UUID = Field(examples=[_ID])
    email: str | None = Field(examples=[_EMAIL])
    full_name: str | None = Field(examples=["Mira Holm"])
    role: WorkspaceRole
    joined_at: datetime | None = Field(examples=[_WHEN])

    @classmethod
    def of(cls, member: Member) -> Self:
        return cls(
            user_id=member.user_id,
            email=member.email,
            full_name=member.full_name,
            role=member.role,
            joined_at=member.joined_at,
        )


class MembersOutput(BaseModel):
    members: list[MemberOutput]


class RoleInput(Input):
    role: WorkspaceRole


class DeletionInput(Input):
    name: str = Field(
        max_length=200, examples=["Nordlicht"], description="The workspace's name, typed again."
    )
