"""The JSON of ``/api/v1/auth/export`` and ``/api/v1/auth/erasure``."""

from datetime import datetime

from pydantic import BaseModel, Field

from selify.auth.personal.export import ExportState
from selify.auth.schemas import Email, Input, Password

_WHEN = "2026-05-04T09:30:00Z"


class ExportOutput(BaseModel):
    state: ExportState
    asked_at: datetime = Field(examples=[_WHEN])
    link: str | None = Field(
        examples=["https://shop.example/files/azEuMTc4"],
        description="Where the file is, for an hour; ask again for another link.",
    )
    expires_at: datetime = Field(examples=[_WHEN], description="The file is deleted then.")


class ErasureInput(Input):
    password: Password


class ErasureOutput(BaseModel):
    due_at: datetime = Field(
        examples=[_WHEN], description="Until then the account can be kept after all."
    )


class KeepInput(Input):
    email: Email
    password: Password


class KeptOutput(BaseModel):
    kept: bool = True
