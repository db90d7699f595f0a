"""The words of billing that cross its border: frozen values, no behaviour but what they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType
from uuid import UUID

from selify.core.ids import WorkspaceId
from selify.core.money import Credits, MicroUnits

UsageEventId = NewType("UsageEventId", UUID)
LONGEST_SOURCE_ID = 300


class CostSource(StrEnum):
    """Who pays (``workspace_usage_events.cost_source``)."""

    WEEK = "subscription"
    PAYG = "payg_balance"


class UsageStatus(StrEnum):
    """Money states of a charge (``workspace_usage_events.status``).

    reserved → completed → refunded, or reserved → refunded. Credits leave the account when the
    charge is *reserved*, not when it completes: what is spoken for cannot be spent again. refunded
    is final. failed and cancelled are words the table knows for rows of others; a charge of ours
    whose work fails is given back.
    """

    RESERVED = "reserved"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class RefundTo(StrEnum):
    """Where a part of a charge went back to."""

    WEEK = "subscription"
    PAYG = "payg_balance"
    ENDED_WEEK = "ended_week"
    """Nowhere: it was paid from a week that is over, and the next week's allowance came in full."""


@dataclass(frozen=True, slots=True)
class Price:
    """One line of the price book: what a meter costs the brand from a day on."""

    id: UUID
    meter: str
    credits: Credits
    since: datetime
    until: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class Balance:
    """What a workspace can spend now. ``payg`` does not expire; the week's credits do."""

    workspace_id: WorkspaceId
    tier: str
    week_limit: Credits
    week_used: Credits
    week_start: datetime
    resets_at: datetime
    payg: MicroUnits

    @property
    def week_left(self) -> Credits:
        """Not below zero, also after a change to a smaller tier in the middle of the week."""
        return max(self.week_limit - self.week_used, Credits.zero())


@dataclass(frozen=True, slots=True)
class Order:
    """One unit of ``meter`` to be charged for ``source_id``.

    ``source_id`` names what is paid for (a job, a message), unique within its service type.
    ``job_id``: while that job is queued or running, ``release_stale`` leaves the charge alone.
    """

    workspace_id: UUID
    meter: str
    source_id: str
    source_platform: str
    user_id: UUID | None = None
    job_id: UUID | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < len(self.source_id) <= LONGEST_SOURCE_ID or "\0" in self.source_id:
            raise ValueError(f"a source id has 1 to {LONGEST_SOURCE_ID} characters")


@dataclass(frozen=True, slots=True)
class Work:
    """What was done for a charge: by which ``engine``, in what time, and at what cost to us."""

    charge_id: UUID
    provider_cost: MicroUnits
    engine: str
    processing_time_ms: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reservation:
    """A charge that was made. ``id`` names all of it, whether one source paid or both did."""

    id: UsageEventId
    meter: str
    source_id: str
    status: UsageStatus
    price: Credits
    from_week: Credits
    from_payg: MicroUnits
    replayed: bool
    """True when this source had been charged before and nothing happened now."""
    balance: Balance
    """What is left afterwards."""


@dataclass(frozen=True, slots=True)
class Refund:
    """What a refund gave back."""

    to_week: Credits
    to_payg: MicroUnits
    expired: Credits
    """Credits of a week that has ended: they would have expired anyway."""
    repeated: bool
    """True when it had been refunded before and nothing happened now."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Pay-as-you-go credit given without a payment."""

    transaction_id: UUID
    amount: MicroUnits
    balance_before: MicroUnits
    balance_after: MicroUnits
    repeated: bool


@dataclass(frozen=True, slots=True)
class UsagePart:
    """One row of ``workspace_usage_events``: what one source paid of a charge."""

    id: UsageEventId
    workspace_id: WorkspaceId
    user_id: UUID | None
    service_type: str
    meter: str
    name: str
    credits: Credits
    source: CostSource
    status: UsageStatus
    source_platform: str
    source_id: str
    processing_time_ms: int | None
    error_code: str | None
    error_message: str | None
    tier: str
    created_at: datetime
    completed_at: datetime | None
    refunded_at: datetime | None
    refunded_to: RefundTo | None
    charge: Mapping[str, Any] = field(default_factory=dict)
    """What was decided and why, as it was then (``metadata.charge``)."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one charge, in facts and in sentences for a shop owner."""

    id: UsageEventId
    workspace_id: WorkspaceId
    what: str
    meter: str
    status: UsageStatus
    when: datetime
    source_platform: str
    source_id: str
    tier: str
    price: Credits
    price_id: UUID | None
    price_since: datetime | None
    from_week: Credits
    from_payg: MicroUnits
    parts: tuple[UsagePart, ...]
    engine: str | None
    provider_cost: MicroUnits | None
    """What the action cost us; None while nothing is booked, and for users: it is the operator's."""
    margin: MicroUnits | None
    refund_reason: str | None
    refunded_at: datetime | None
    refunded_to: tuple[RefundTo, ...]
    sentences: tuple[str, ...]


class SpendBy(StrEnum):
    """What to add up by."""

    METER = "meter"
    DAY = "day"
    PLATFORM = "source_platform"
    SOURCE = "cost_source"
    TIER = "tier"


@dataclass(frozen=True, slots=True)
class Spend:
    """A sum over live (not refunded) charges, and beside it what was given back."""

    key: str
    actions: int
    from_week: Credits
    from_payg: MicroUnits
    refunded: Credits
    provider_cost: MicroUnits | None
    """What they cost us, given back or not; None for users."""
