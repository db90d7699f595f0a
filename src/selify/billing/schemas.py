"""The JSON of ``/api/v1/workspaces/{workspace_id}/billing``. Amounts are whole numbers of the unit
in their name: credits, or micro-units (100,000 = $1.00). What an action cost *us* is not told here.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from selify.billing.auto_reload import AutoReload
from selify.billing.types import (
    Balance,
    CostSource,
    Explanation,
    RefundTo,
    UsagePart,
    UsageStatus,
)
from selify.billing.usage import After
from selify.core.errors import BadRequest
from selify.core.language import _, stored
from selify.core.text import Said

_ID = "5f0a3c8e-90b1-8c6d-8d5a-3f1e7b2a9c40"
_WORKSPACE = "01970b5e-7c1a-7f00-8a2b-3c4d5e6f7a8b"
_WHEN = "2026-05-04T09:30:00Z"

_Id = Annotated[UUID, Field(examples=[_ID])]
_WorkspaceId = Annotated[UUID, Field(examples=[_WORKSPACE])]
_When = Annotated[datetime, Field(examples=[_WHEN])]
_Credits = Annotated[int, Field(ge=0, examples=[383], description="Credits")]
_MicroUnits = Annotated[int, Field(ge=0, examples=[2298], description="100,000 = $1.00")]


class BadCursor(BadRequest):
    code = "bad_cursor"
    title = _("This is not a page of the list")


def encode_cursor(part: UsagePart) -> str:
    text = f"{part.created_at.isoformat()} {part.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> After:
    """Raises BadCursor for anything that did not come from ``encode_cursor``."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        when, row = base64.urlsafe_b64decode(padded).decode("ascii").split(" ")
        return After(datetime.fromisoformat(when).astimezone(UTC), UUID(row))
    except (ValueError, OverflowError, binascii.Error) as error:
        raise BadCursor(
            _("The cursor was not made by this list."),
            hint=_("Leave it out to begin at the start."),
        ) from error


class BalanceOutput(BaseModel):
    """What the workspace can spend now. The week's credits go first and are not carried over."""

    workspace_id: _WorkspaceId
    tier: Annotated[str, Field(examples=["free"])]
    week_credits_limit: _Credits
    week_credits_used: _Credits
    week_credits_left: _Credits
    week_started_at: _When
    week_resets_at: _When
    payg_micro_units: _MicroUnits

    @classmethod
    def of(cls, balance: Balance) -> Self:
        return cls(
            workspace_id=balance.workspace_id,
            tier=balance.tier,
            week_credits_limit=balance.week_limit.value,
            week_credits_used=balance.week_used.value,
            week_credits_left=balance.week_left.value,
            week_started_at=balance.week_start,
            week_resets_at=balance.resets_at,
            payg_micro_units=balance.payg.value,
        )


class UsageOutput(BaseModel):
    """What one source paid of one action. An action that both sources paid is two of these."""

    id: _Id
    what: Annotated[Said, Field(examples=["Virtual try-on"])]
    meter: Annotated[str, Field(examples=["tryon"])]
    credits: _Credits
    paid_from: CostSource
    status: UsageStatus
    platform: Annotated[str, Field(examples=["bot"])]
    source_id: Annotated[str, Field(examples=["tryon-1842"])]
    created_at: _When
    completed_at: _When | None
    refunded_at: _When | None
    refund_reason: Annotated[Said | None, Field(examples=["No person could be seen."])]

    @classmethod
    def of(cls, part: UsagePart) -> Self:
        return cls(
            id=part.id,
            what=part.name,
            meter=part.meter,
            credits=part.credits.value,
            paid_from=part.source,
            status=part.status,
            platform=part.source_platform,
            source_id=part.source_id,
            created_at=part.created_at,
            completed_at=part.completed_at,
            refunded_at=part.refunded_at,
            refund_reason=stored(part.error_message or "") if part.refunded_at else None,
        )


class UsagePage(BaseModel):
    """Newest first. ``next_cursor`` is null on the last page."""

    items: list[UsageOutput]
    next_cursor: Annotated[str | None, Field(examples=["MjAyNi0wNS0wNFQwOTozMDowMCswMDowMCA1"])]


class ExplanationOutput(BaseModel):
    """Why a charge is what it is. ``sentences`` say it all, in order, for a person."""

    id: _Id
    what: Annotated[Said, Field(examples=["Virtual try-on"])]
    status: UsageStatus
    created_at: _When
    price_credits: _Credits
    price_micro_units: _MicroUnits
    price_since: _When | None
    from_week_credits: _Credits
    from_payg_micro_units: _MicroUnits
    refund_reason: Annotated[Said | None, Field(examples=["No person could be seen."])]
    refunded_at: _When | None
    refunded_to: list[RefundTo]
    parts: list[UsageOutput]
    sentences: Annotated[
        list[Said],
        Field(
            examples=[
                [
                    "Virtual try-on, on 4 May 2026 at 09:30 UTC: 383 credits ($0.02298).",
                    "383 credits came from the week's allowance: 9,617 credits were left.",
                ]
            ]
        ),
    ]

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        return cls(
            id=explanation.id,
            what=explanation.what,
            status=explanation.status,
            created_at=explanation.when,
            price_credits=explanation.price.value,
            price_micro_units=explanation.price.to_micro_units().value,
            price_since=explanation.price_since,
            from_week_credits=explanation.from_week.value,
            from_payg_micro_units=explanation.from_payg.value,
            refund_reason=explanation.refund_reason,
            refunded_at=explanation.refunded_at,
            refunded_to=list(explanation.refunded_to),
            parts=[UsageOutput.of(part) for part in explanation.parts],
            sentences=list(explanation.sentences),
        )


class AutoReloadInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    enabled: bool
    threshold_cents: int = Field(500, ge=500, le=100_000, description="Below which it buys.")
    reload_amount_cents: int = Field(1500, ge=1500, le=500_000, description="For how much.")


class AutoReloadOutput(BaseModel):
    enabled: bool
    threshold_cents: int = Field(examples=[500])
    reload_amount_cents: int = Field(examples=[1500])
    confirmed: bool = Field(description="The present owner has said that the card may be charged.")

    @classmethod
    def of(cls, settings: AutoReload) -> Self:
        return cls(**{name: getattr(settings, name) for name in cls.model_fields})
