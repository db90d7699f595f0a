"""Tables of commerce: products, imports and the wardrobe.

Declared for comparison with the living database and for the admin; statements that run often are
plain SQL in the repository. What the columns mean is said in docs/reference/public_schema.md.
"""

from datetime import datetime
from uuid import UUID

from pgvector.sqlalchemy import Vector
from sqlalchemy import BigInteger, Computed, ForeignKey, Index, UniqueConstraint, desc, text
from sqlalchemy.orm import Mapped, mapped_column

from selify.db.base import (
    EMPTY_LIST,
    EMPTY_OBJECT,
    EMPTY_TEXTS,
    FALSE,
    NOW,
    RANDOM_UUID,
    TRUE,
    UUID_V4,
    ZERO,
    AccountRef,
    Base,
    Json,
    JsonList,
    UserRef,
    WorkspaceRef,
)


class AmazonConnectedAccount(Base):
    """Amazon SP-API connected seller accounts for product import."""

    __tablename__ = "amazon_connected_accounts"
    __table_args__ = (
        UniqueConstraint("workspace_id", name="amazon_connected_accounts_workspace_id_key"),
        Index("idx_amazon_accounts_status", "status"),
        Index("idx_amazon_connected_accounts_workspace", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    seller_id: Mapped[str | None]
    marketplace_id: Mapped[str | None]
    region: Mapped[str | None] = mapped_column(server_default="us-east-1")
    access_token: Mapped[str | None]
    refresh_token: Mapped[str | None]
    token_expires_at: Mapped[datetime | None]
    seller_name: Mapped[str | None]
    selling_status: Mapped[str | None]
    status: Mapped[str | None] = mapped_column(server_default="active")
    connected_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    last_sync_at: Mapped[datetime | None]
    sync_error: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class ImportedProduct(Base):
    """has_variants is computed by the database, so it cannot disagree with variants."""

    __tablename__ = "imported_products"
    __table_args__ = (
        UniqueConstraint(
            "workspace_id",
            "source",
            "external_id",
            name="imported_products_workspace_id_source_external_id_key",
        ),
        Index("idx_imported_products_workspace", "workspace_id", desc("created_at")),
        Index("idx_imported_products_status", "workspace_id", "status"),
        Index("idx_imported_products_batch", "import_batch_id"),
        Index("idx_imported_products_source", "workspace_id", "source"),
        Index(
            "idx_imported_products_pending_ai",
            "workspace_id",
            "status",
            postgresql_where=text("(status = 'pending'::text) AND (ai_generated_at IS NULL)"),
        ),
        Index(
            "idx_imported_products_embedding",
            "embedding",
            postgresql_using="ivfflat",
            postgresql_ops={"embedding": "vector_cosine_ops"},
            postgresql_with={"lists": "100"},
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    source: Mapped[str] = mapped_column(server_default="csv")
    external_id: Mapped[str | None]
    sku: Mapped[str | None]
    title: Mapped[str]
    description: Mapped[str | None]
    images: Mapped[JsonList] = mapped_column(server_default=EMPTY_LIST)
    primary_image_url: Mapped[str | None]
    price_cents: Mapped[int | None]
    compare_at_price_cents: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(server_default="USD")
    product_type: Mapped[str | None]
    vendor: Mapped[str | None]
    tags: Mapped[list[str] | None]
    variants: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    has_variants: Mapped[bool | None] = mapped_column(
        Computed("jsonb_array_length(variants) > 0", persisted=True)
    )
    ai_generated_at: Mapped[datetime | None]
    ai_body_html: Mapped[str | None]
    ai_meta_title: Mapped[str | None]
    ai_meta_description: Mapped[str | None]
    ai_tags: Mapped[list[str] | None]
    ai_quality_score: Mapped[int | None]
    garment_type: Mapped[str | None]
    garment_category: Mapped[str | None]
    garment_color: Mapped[str | None]
    garment_material: Mapped[str | None]
    garment_fit: Mapped[str | None]
    embedding: Mapped[list[float] | None] = mapped_column(Vector(1536))
    content_hash: Mapped[str | None]
    import_batch_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.product_import_batches.id", ondelete="SET NULL")
    )
    import_row_number: Mapped[int | None]
    import_errors: Mapped[Json | None]
    status: Mapped[str | None] = mapped_column(server_default="pending")
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class PendingShopifyInstallation(Base):
    """A shop installed before its owner has an account; unclaimed after seven days, its token is
    thrown away.
    """

    __tablename__ = "pending_shopify_installations"
    __table_args__ = (
        UniqueConstraint("shop", name="pending_shopify_installations_shop_key"),
        Index(
            "idx_pending_shopify_expires",
            "expires_at",
            postgresql_where=text("status = 'pending_account_creation'::text"),
        ),
        Index("idx_pending_shopify_shop", "shop"),
        Index(
            "idx_pending_shopify_status",
            "status",
            postgresql_where=text("status = 'pending_account_creation'::text"),
        ),
        Index(
            "idx_pending_shopify_workspace",
            "linked_workspace_id",
            postgresql_where=text("linked_workspace_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=UUID_V4)
    shop: Mapped[str]
    access_token: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(server_default=EMPTY_TEXTS)
    hmac: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="pending_account_creation")
    oauth_data: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    installed_at: Mapped[datetime] = mapped_column(server_default=NOW)
    expires_at: Mapped[datetime] = mapped_column(
        server_default=text("(now() + '7 days'::interval)")
    )
    completed_at: Mapped[datetime | None]
    linked_workspace_id: Mapped[WorkspaceRef | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(server_default=NOW)


class ProductImportBatch(Base):
    """Tracks bulk import jobs with validation, progress, and error tracking."""

    __tablename__ = "product_import_batches"
    __table_args__ = (
        Index("idx_import_batches_workspace", "workspace_id", desc("created_at")),
        Index("idx_product_import_batches_created_by", "created_by"),
        Index("idx_product_import_batches_catalog_job_id", "catalog_job_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    source: Mapped[str]
    source_file_name: Mapped[str | None]
    source_file_url: Mapped[str | None]
    status: Mapped[str | None] = mapped_column(server_default="pending")
    total_rows: Mapped[int | None] = mapped_column(server_default=ZERO)
    valid_rows: Mapped[int | None] = mapped_column(server_default=ZERO)
    invalid_rows: Mapped[int | None] = mapped_column(server_default=ZERO)
    imported_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    validation_errors: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    error_message: Mapped[str | None]
    catalog_job_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.catalog_generation_jobs.id", ondelete="SET NULL")
    )
    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    created_by: Mapped[UserRef | None]


class ShopifyCollection(Base):
    """Shopify product collections - can sync to wardrobe collections."""

    __tablename__ = "shopify_collections"
    __table_args__ = (
        UniqueConstraint(
            "connected_account_id",
            "shopify_collection_id",
            name="shopify_collections_connected_account_id_shopify_collection_key",
        ),
        Index("idx_shopify_collections_account", "connected_account_id"),
        Index("idx_shopify_collections_published", "workspace_id", "published"),
        Index("idx_shopify_collections_wardrobe", "wardrobe_collection_id"),
        Index("idx_shopify_collections_workspace", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    connected_account_id: Mapped[AccountRef]
    shopify_collection_id: Mapped[str]
    collection_type: Mapped[str | None]
    title: Mapped[str]
    body_html: Mapped[str | None]
    handle: Mapped[str | None]
    sort_order: Mapped[str | None]
    image_url: Mapped[str | None]
    image_alt: Mapped[str | None]
    # Collections point at each other, so one of the two keys is made after both tables.
    wardrobe_collection_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.wardrobe_collections.id", ondelete="SET NULL", use_alter=True)
    )
    auto_sync_enabled: Mapped[bool | None] = mapped_column(server_default=FALSE)
    published: Mapped[bool | None] = mapped_column(server_default=TRUE)
    published_at: Mapped[datetime | None]
    product_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_synced_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    shopify_updated_at: Mapped[datetime | None]


class ShopifyInventoryHistory(Base):
    """Append-only: one row per change, none when nothing changed."""

    __tablename__ = "shopify_inventory_history"
    __table_args__ = (Index("idx_inventory_history_variant", "variant_id", desc("changed_at")),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    variant_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.shopify_product_variants.id", ondelete="CASCADE")
    )
    previous_quantity: Mapped[int]
    new_quantity: Mapped[int]
    change_amount: Mapped[int]
    change_reason: Mapped[str | None]
    change_source: Mapped[str | None]
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    changed_at: Mapped[datetime | None] = mapped_column(server_default=NOW)


class ShopifyProductVariant(Base):
    """Individual product variants with size, color, and real-time inventory."""

    __tablename__ = "shopify_product_variants"
    __table_args__ = (
        UniqueConstraint(
            "shopify_variant_id", name="shopify_product_variants_shopify_variant_id_key"
        ),
        Index(
            "idx_shopify_variants_inventory_item_id",
            "inventory_item_id",
            postgresql_where=text("inventory_item_id IS NOT NULL"),
        ),
        Index(
            "idx_variants_in_stock",
            "product_id",
            postgresql_where=text("(inventory_quantity > 0) AND (available = true)"),
        ),
        Index("idx_variants_inventory", "product_id", "inventory_quantity", "available"),
        Index("idx_variants_options", "product_id", "option1", "option2", "option3"),
        Index("idx_variants_product", "product_id"),
        Index("idx_variants_shopify_id", "shopify_variant_id"),
        Index("idx_variants_sku", "sku", postgresql_where=text("sku IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    product_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.shopify_products.id", ondelete="CASCADE")
    )
    shopify_variant_id: Mapped[str]
    shopify_inventory_item_id: Mapped[str | None]
    title: Mapped[str]
    sku: Mapped[str | None]
    barcode: Mapped[str | None]
    option1: Mapped[str | None]
    option2: Mapped[str | None]
    option3: Mapped[str | None]
    price_cents: Mapped[int]
    compare_at_price_cents: Mapped[int | None]
    cost_cents: Mapped[int | None]
    inventory_quantity: Mapped[int | None] = mapped_column(server_default=ZERO)
    inventory_policy: Mapped[str | None] = mapped_column(server_default="deny")
    inventory_management: Mapped[str | None]
    fulfillment_service: Mapped[str | None] = mapped_column(server_default="manual")
    available: Mapped[bool | None] = mapped_column(server_default=TRUE)
    requires_shipping: Mapped[bool | None] = mapped_column(server_default=TRUE)
    taxable: Mapped[bool | None] = mapped_column(server_default=TRUE)
    weight_grams: Mapped[int | None]
    weight_unit: Mapped[str | None] = mapped_column(server_default="g")
    image_id: Mapped[str | None]
    image_url: Mapped[str | None]
    position: Mapped[int | None] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    shopify_created_at: Mapped[datetime | None]
    shopify_updated_at: Mapped[datetime | None]
    inventory_item_id: Mapped[str | None]


class ShopifyProduct(Base):
    """Cached Shopify product data for fast Instagram bot access."""

    __tablename__ = "shopify_products"
    __table_args__ = (
        UniqueConstraint(
            "connected_account_id",
            "shopify_product_id",
            name="shopify_products_connected_account_id_shopify_product_id_key",
        ),
        Index("idx_shopify_products_sync", "sync_status", "last_synced_at"),
        Index("idx_shopify_products_account", "connected_account_id"),
        Index(
            "idx_shopify_products_available",
            "workspace_id",
            "available_for_sale",
            "has_variants_in_stock",
            postgresql_where=text("(status = 'active'::text) AND (has_variants_in_stock = true)"),
        ),
        Index(
            "idx_shopify_products_inventory",
            "workspace_id",
            "has_variants_in_stock",
            "total_inventory",
        ),
        Index(
            "idx_shopify_products_low_stock",
            "workspace_id",
            "lowest_stock_level",
            postgresql_where=text("(lowest_stock_level < 10) AND (has_variants_in_stock = true)"),
        ),
        Index(
            "idx_shopify_products_search",
            text(
                "to_tsvector('english'::regconfig, ((((title || ' '::text) || COALESCE(body_html, ''::text)) || ' '::text) || COALESCE(vendor, ''::text)))"
            ),
            postgresql_using="gin",
        ),
        Index("idx_shopify_products_status", "workspace_id", "status", "available_for_sale"),
        Index(
            "idx_shopify_products_sync_status",
            "sync_status",
            postgresql_where=text("sync_status <> 'deleted'::text"),
        ),
        Index("idx_shopify_products_tags", "tags", postgresql_using="gin"),
        Index(
            "idx_shopify_products_title_search",
            text("to_tsvector('english'::regconfig, title)"),
            postgresql_using="gin",
        ),
        Index("idx_shopify_products_workspace", "workspace_id"),
        Index(
            "shopify_products_embedding_idx",
            "embedding",
            postgresql_using="hnsw",
            postgresql_ops={"embedding": "vector_cosine_ops"},
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    connected_account_id: Mapped[AccountRef]
    shopify_product_id: Mapped[str]
    shopify_admin_graphql_api_id: Mapped[str | None]
    title: Mapped[str]
    body_html: Mapped[str | None]
    vendor: Mapped[str | None]
    product_type: Mapped[str | None]
    tags: Mapped[list[str] | None] = mapped_column(server_default=EMPTY_TEXTS)
    price_min_cents: Mapped[int | None]
    price_max_cents: Mapped[int | None]
    compare_at_price_min_cents: Mapped[int | None]
    currency: Mapped[str | None] = mapped_column(server_default="USD")
    images: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    featured_image_url: Mapped[str | None]
    status: Mapped[str | None] = mapped_column(server_default="active")
    published_at: Mapped[datetime | None]
    available_for_sale: Mapped[bool | None] = mapped_column(server_default=TRUE)
    total_inventory: Mapped[int | None] = mapped_column(server_default=ZERO)
    variants_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    has_variants_in_stock: Mapped[bool | None] = mapped_column(server_default=FALSE)
    lowest_stock_level: Mapped[int | None]
    options: Mapped[JsonList | None] = mapped_column(server_default=EMPTY_LIST)
    handle: Mapped[str | None]
    shopify_store_url: Mapped[str | None]
    collection_ids: Mapped[list[str] | None] = mapped_column(server_default=EMPTY_TEXTS)
    seo_title: Mapped[str | None]
    seo_description: Mapped[str | None]
    metafields: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    last_synced_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    sync_status: Mapped[str | None] = mapped_column(server_default="synced")
    sync_error: Mapped[str | None]
    sync_hash: Mapped[str | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    shopify_created_at: Mapped[datetime | None]
    shopify_updated_at: Mapped[datetime | None]
    embedding: Mapped[list[float] | None] = mapped_column(Vector(1536))
    embedding_model: Mapped[str | None] = mapped_column(server_default="text-embedding-3-small")
    embedding_updated_at: Mapped[datetime | None]
    ai_generated_at: Mapped[datetime | None]
    content_hash_at_generation: Mapped[str | None]


class WardrobeCollection(Base):
    """A named group of garments; at most one per workspace is the default."""

    __tablename__ = "wardrobe_collections"
    __table_args__ = (
        UniqueConstraint("workspace_id", "name", name="unique_collection_name_per_workspace"),
        Index("idx_collections_shopify", "workspace_id", "shopify_collection_id"),
        Index("idx_wardrobe_collections_created_at", desc("created_at")),
        Index("idx_wardrobe_collections_display_order", "display_order"),
        Index("idx_wardrobe_collections_workspace", "workspace_id"),
        Index(
            "unique_default_collection_per_workspace",
            "workspace_id",
            unique=True,
            postgresql_where=text("is_default = true"),
        ),
        Index("idx_wardrobe_collections_created_by", "created_by"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    name: Mapped[str]
    description: Mapped[str | None]
    thumbnail_url: Mapped[str | None]
    display_order: Mapped[int | None] = mapped_column(server_default=ZERO)
    is_default: Mapped[bool | None] = mapped_column(server_default=FALSE)
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    created_by: Mapped[UserRef | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    shopify_collection_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.shopify_collections.id", ondelete="SET NULL")
    )
    auto_sync_enabled: Mapped[bool | None] = mapped_column(server_default=FALSE)
    last_shopify_sync_at: Mapped[datetime | None]


class WardrobeGarment(Base):
    """A garment that can be tried on: its picture in our own storage, and what was seen on it."""

    __tablename__ = "wardrobe_garments"
    __table_args__ = (
        UniqueConstraint("workspace_id", "storage_path", name="unique_storage_path_per_workspace"),
        Index("idx_garments_shopify_product", "shopify_product_id"),
        Index("idx_garments_shopify_variant", "shopify_variant_id"),
        Index("idx_wardrobe_garments_collection", "collection_id"),
        Index("idx_wardrobe_garments_created_at", desc("created_at")),
        Index(
            "idx_wardrobe_garments_leffa_category",
            text("((leffa_metadata ->> 'leffa_category'::text))"),
            postgresql_where=text("leffa_metadata IS NOT NULL"),
        ),
        Index(
            "idx_wardrobe_garments_shopify_account",
            text("((metadata ->> 'account_id'::text))"),
            postgresql_where=text("(metadata -> 'shopify'::text) IS NOT NULL"),
        ),
        Index(
            "idx_wardrobe_garments_shopify_product_id",
            text("(((metadata -> 'shopify'::text) ->> 'product_id'::text))"),
            postgresql_where=text("(metadata -> 'shopify'::text) IS NOT NULL"),
        ),
        Index("idx_wardrobe_garments_sku", "sku"),
        Index("idx_wardrobe_garments_storage_path", "storage_path"),
        Index("idx_wardrobe_garments_tags", "tags", postgresql_using="gin"),
        Index("idx_wardrobe_garments_usage", desc("usage_count")),
        Index("idx_wardrobe_garments_workspace", "workspace_id"),
        Index("idx_wardrobe_garments_created_by", "created_by"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    workspace_id: Mapped[WorkspaceRef]
    collection_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.wardrobe_collections.id", ondelete="SET NULL")
    )
    storage_path: Mapped[str]
    filename: Mapped[str]
    name: Mapped[str | None]
    description: Mapped[str | None]
    sku: Mapped[str | None]
    tags: Mapped[list[str] | None] = mapped_column(server_default=EMPTY_TEXTS)
    metadata_: Mapped[Json | None] = mapped_column("metadata", server_default=EMPTY_OBJECT)
    usage_count: Mapped[int | None] = mapped_column(server_default=ZERO)
    last_used_at: Mapped[datetime | None]
    has_transparency: Mapped[bool | None] = mapped_column(server_default=FALSE)
    mime_type: Mapped[str | None]
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    created_by: Mapped[UserRef | None]
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
    shopify_product_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.shopify_products.id", ondelete="SET NULL")
    )
    shopify_variant_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("public.shopify_product_variants.id", ondelete="SET NULL")
    )
    shopify_image_index: Mapped[int | None] = mapped_column(server_default=ZERO)
    linked_source: Mapped[str | None] = mapped_column(server_default="manual")
    leffa_metadata: Mapped[Json | None]


class WardrobeUsageEvent(Base):
    """Append-only; usage_count of a garment is the number of its rows here."""

    __tablename__ = "wardrobe_usage_events"
    __table_args__ = (
        Index("idx_wardrobe_usage_events_created_at", desc("created_at")),
        Index("idx_wardrobe_usage_events_garment", "garment_id"),
        Index("idx_wardrobe_usage_events_type", "event_type"),
        Index("idx_wardrobe_usage_events_workspace", "workspace_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=RANDOM_UUID)
    garment_id: Mapped[UUID] = mapped_column(
        ForeignKey("public.wardrobe_garments.id", ondelete="CASCADE")
    )
    workspace_id: Mapped[WorkspaceRef]
    event_type: Mapped[str]
    event_metadata: Mapped[Json | None] = mapped_column(server_default=EMPTY_OBJECT)
    created_at: Mapped[datetime | None] = mapped_column(server_default=NOW)
