"""Tables of vr: shops to walk into, their garments, visitors' tokens and try-ons.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Numeric, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import NOW, RANDOM_UUID, TRUE, UUID_V4, ZERO, Base, UserRef, WorkspaceRef


class VrShopToken(Base):
    """A token is shown once, when it is made. Revoking is is_active = false: nobody may delete
    one.
    """

    __tablename__ = "vr_shop_tokens"
    __table_args__ = (
        UniqueConstraint("token", name="vr_shop_tokens_token_key"),
        Index(
            "idx_vr_shop_tokens_active",
            "is_active",
            "expires_at",
            postgresql_where=text("is_active = true"),
        ),
        Index("idx_vr_shop_tokens_shop_id", "shop_id"),
        Index("idx_vr_shop_tokens_token", "token"),
        Index("idx_vr_shop_tokens_workspace_id", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    shop_id: Mapped[UUID] = mapped_column(ForeignKey("public.vr_shops.id", ondelete="CASCADE"))
    workspace_id: Mapped[WorkspaceRef]
    token: Mapped[str]
    token_name: Mapped[str | None]
    rate_limit_per_minute: Mapped[int | None] = mapped_column(server_default=text("30"))
    rate_limit_per_hour: Mapped[int | None] = mapped_column(server_default=text("500"))
    rate_limit_per_day: Mapped[int | None] = mapped_column(server_default=text("2000"))
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime | None]
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    total_uses: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_successful: Mapped[int | None] = mapped_column(server_default=ZERO)
    total_failed: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_used_at: Mapped[datetime | None]
    last_used_ip: Mapped[str | None]
    created_by: Mapped[UserRef | None]
    notes: Mapped[str | None]


class VrGarment(Base):
    """Six garments hang on a rack, positions 0 to 5."""

    __tablename__ = "vr_garments"
    __table_args__ = (
        Index("idx_vr_garments_active", "is_active"),
        Index("idx_vr_garments_display_order", "shop_id", "display_order"),
        Index("idx_vr_garments_shop_id", "shop_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=UUID_V4)
    shop_id: Mapped[UUID] = mapped_column(ForeignKey("public.vr_shops.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str | None]
    garment_type: Mapped[str]
    model_glb_url: Mapped[str]
    thumbnail_url: Mapped[str]
    price_usd: Mapped[Decimal | None] = mapped_column(Numeric(10, 2))
    polygon_count: Mapped[int | None]
    texture_size: Mapped[int | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    display_order: Mapped[int | None] = mapped_column(server_default=ZERO)
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)


class VrShop(Base):
    """Virtual reality shops in the VR shopping mall."""

    __tablename__ = "vr_shops"
    __table_args__ = (
        UniqueConstraint("name", name="vr_shops_name_unique"),
        Index("idx_vr_shops_workspace_id", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=UUID_V4)
    name: Mapped[str]
    description: Mapped[str | None]
    brand: Mapped[str | None]
    logo_url: Mapped[str | None]
    environment_glb_url: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    is_active: Mapped[bool | None] = mapped_column(server_default=TRUE)
    workspace_id: Mapped[WorkspaceRef | None]


class VrTryon(Base):
    """Virtual try-on history (Nano Banana 2 generations)."""

    __tablename__ = "vr_tryons"
    __table_args__ = (
        Index("idx_vr_tryons_created_at", desc("created_at")),
        Index("idx_vr_tryons_status", "status"),
        Index("idx_vr_tryons_user_id", "user_id"),
        Index("idx_vr_tryons_workspace_id", "workspace_id"),
        Index("idx_vr_tryons_garment_id", "garment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=UUID_V4)
    user_id: Mapped[UserRef | None]
    garment_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.vr_garments.id", ondelete="CASCADE")
    )
    user_photo_url: Mapped[str]
    result_url: Mapped[str | None]
    status: Mapped[str | None] = mapped_column(server_default="pending")
    error_message: Mapped[str | None]
    generation_time_ms: Mapped[int | None]
    cost_usd: Mapped[Decimal | None] = mapped_column(Numeric(10, 4), server_default=text("0.03"))
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    completed_at: Mapped[datetime | None]
    workspace_id: Mapped[WorkspaceRef | None]
