"""The wardrobe: garments a brand lets its shoppers try on (``wardrobe_garments``).

A garment's picture is always a copy of ours, so that no outside address can change or rot. Every
use is a row of ``wardrobe_usage_events``; ``usage_count`` is their number, brought up to date by
``refresh_usage``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from selify.commerce.leffa import SHOWS_PERSON, LeffaMetadata, Readiness
from selify.core.database import Tx
from selify.core.errors import NotFound
from selify.core.ids import new_id
from selify.core.language import _

_BODY_VISIBLE = {"upper_body": "upper", "lower_body": "lower", "dresses": "full"}
# What was read from the outline in the belief that it is something else says nothing: a length
# means another thing for a dress than for a top, and the legs of trousers are no sleeves.
_WORDS_OF_ONE = frozenset({"length", "readiness"})
_WORDS_OF_UPPER = _WORDS_OF_ONE | {"sleeve_type", "neckline"}


class GarmentMissing(NotFound):
    code = "garment_missing"
    title = _("This garment is not in the wardrobe")


@dataclass(frozen=True, slots=True)
class NewGarment:
    """A garment about to be stored. ``product``: price_cents, currency, url, stock where known."""

    name: str
    filename: str
    content_type: str
    size: int
    has_transparency: bool
    leffa: LeffaMetadata
    sku: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    product: Mapping[str, Any] = field(default_factory=dict)
    source: str = "manual"


@dataclass(frozen=True, slots=True)
class Garment:
    """A row of the wardrobe as pages show it. ``archived``: put away, and offered no more."""

    id: UUID
    workspace_id: UUID
    name: str
    storage_path: str
    leffa: Mapping[str, Any] = field(default_factory=dict)
    product: Mapping[str, Any] = field(default_factory=dict)
    usage_count: int = 0
    archived: bool = False

    @property
    def covers(self) -> str:
        """Its category, as ``leffa`` has it; empty where nobody has said it."""
        return str(self.leffa.get("leffa_category", ""))

    @property
    def readiness(self) -> Readiness | None:
        """None where it was never read."""
        read = self.leffa.get("readiness")
        return None if read is None else Readiness.model_validate(read)


@dataclass(frozen=True, slots=True)
class GarmentPicture:
    """What an engine needs. ``leffa_category`` is empty when nobody has said what it covers."""

    garment_id: UUID
    storage_path: str
    leffa_category: str


def storage_path(workspace_id: UUID, garment_id: UUID, content_type: str) -> str:
    suffix = {"image/png": "png", "image/webp": "webp"}.get(content_type, "jpg")
    return f"workspaces/{workspace_id}/garments/{garment_id}.{suffix}"


def file_beside(storage_path: str) -> str:
    """Where what was read out of a garment's picture lies, for whoever dresses people in it. It may be missing."""
    return f"{storage_path}.read"


async def add_garment(
    tx: Tx,
    workspace_id: UUID,
    new: NewGarment,
    *,
    created_by: UUID | None,
    garment_id: UUID | None = None,
) -> Garment:
    """The row. The picture must have been stored under ``storage_path`` before: a row without its
    picture would be a lie, a picture without its row is only litter.
    """
    made = garment_id or new_id()
    path = storage_path(workspace_id, made, new.content_type)
    await tx.execute(
        """
        INSERT INTO public.wardrobe_garments
               (id, workspace_id, storage_path, filename, name, description, sku, tags, metadata,
                has_transparency, mime_type, file_size, created_by, linked_source, leffa_metadata)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        """,
        made,
        workspace_id,
        path,
        new.filename,
        new.name,
        new.description or None,
        new.sku or None,
        list(new.tags),
        {"product": dict(new.product)} if new.product else {},
        new.has_transparency,
        new.content_type,
        new.size,
        created_by,
        new.source,
        new.leffa.model_dump(mode="json"),
    )
    return Garment(
        id=made,
        workspace_id=workspace_id,
        name=new.name,
        storage_path=path,
        leffa=new.leffa.model_dump(mode="json"),
        product=new.product,
        usage_count=0,
    )


async def list_garments(
    tx: Tx,
    workspace_id: UUID,
    *,
    after: UUID | None = None,
    archived: bool = False,
    limit: int = 200,
) -> list[Garment]:
    """Newest first: those in use, or those put away. ``after``: the last garment of the page
    before. As the system, after the membership was checked: users do not see the shelf.
    """
    # Two statements, not one that asks whether there is a place to go on after: the plan that a
    # connection keeps for both would begin at the beginning.
    goes_on = """(s.created_at, s.garment_id) <
        (SELECT created_at, garment_id FROM internal.garment_shelf WHERE garment_id = $3)"""
    return await tx.fetch_as(
        Garment,
        f"""
        {_SELECT} WHERE workspace_id = $1 AND id IN (
            SELECT s.garment_id FROM internal.garment_shelf s
             WHERE s.workspace_id = $1 AND s.archived = $2
               AND {goes_on if after else "$3::uuid IS NULL"}
             ORDER BY s.created_at DESC, s.garment_id DESC LIMIT $4)
         ORDER BY created_at DESC, id DESC
        """,
        workspace_id,
        archived,
        after,
        limit,
    )


async def find_garment(tx: Tx, workspace_id: UUID, garment_id: UUID) -> Garment:
    """Put away or not. Raises GarmentMissing."""
    found = await tx.fetch_one_as(
        Garment, f"{_SELECT} WHERE workspace_id = $1 AND id = $2", workspace_id, garment_id
    )
    if found is None:
        raise GarmentMissing(_("There is no such garment in this wardrobe."))
    return found


async def garments_by_id(tx: Tx, workspace_id: UUID, ids: Sequence[UUID]) -> dict[UUID, Garment]:
    """Those of them that are in this wardrobe, put away or not."""
    found = await tx.fetch_as(
        Garment,
        f"{_SELECT} WHERE workspace_id = $1 AND id = ANY ($2::uuid[])",
        workspace_id,
        list(ids),
    )
    return {garment.id: garment for garment in found}


async def garment_picture(tx: Tx, garment_id: UUID) -> GarmentPicture | None:
    return await tx.fetch_one_as(
        GarmentPicture,
        """
        SELECT id AS garment_id, storage_path,
               coalesce(leffa_metadata ->> 'leffa_category', '') AS leffa_category
          FROM public.wardrobe_garments WHERE id = $1
        """,
        garment_id,
    )


async def record_use(
    tx: Tx, garment_id: UUID, workspace_id: UUID, event_type: str, *, once: str
) -> None:
    """One use; ``once`` identifies it, so that telling it twice counts it once."""
    await tx.execute(
        """
        INSERT INTO public.wardrobe_usage_events (garment_id, workspace_id, event_type, event_metadata)
        SELECT $1, $2, $3, jsonb_build_object('once', $4::text)
         WHERE NOT EXISTS (
               SELECT 1 FROM public.wardrobe_usage_events
                WHERE garment_id = $1 AND event_type = $3 AND event_metadata ->> 'once' = $4)
        """,
        garment_id,
        workspace_id,
        event_type,
        once,
    )


async def confirm_category(
    tx: Tx, workspace_id: UUID, garment_id: UUID, leffa_category: str
) -> None:
    """Somebody looked and said what it is: from now on that is certain. Raises GarmentMissing."""
    row = await tx.fetch_one(
        """
        SELECT leffa_metadata FROM public.wardrobe_garments
         WHERE id = $1 AND workspace_id = $2 FOR UPDATE
        """,
        garment_id,
        workspace_id,
    )
    if row is None:
        raise GarmentMissing(_("There is no such garment in this wardrobe."))
    said: dict[str, Any] = {"leffa_category": leffa_category, "category_confidence": 1.0}
    warnings = (row["leffa_metadata"] or {}).get("warnings", [])
    said["warnings"] = [warning for warning in warnings if warning != SHOWS_PERSON]
    read = {"analyzed_at": datetime.now(UTC), "analyzer_version": "hand"}
    known = row["leffa_metadata"] or {}
    before = known.get("leffa_category")
    if before != leffa_category:
        said["recommended_body_visible"] = _BODY_VISIBLE[leffa_category]
        wrong = _WORDS_OF_ONE if "lower_body" not in (before, leffa_category) else _WORDS_OF_UPPER
        known = {key: value for key, value in known.items() if key not in wrong}
    leffa = LeffaMetadata.model_validate({**read, **known, **said})
    await tx.execute(
        "UPDATE public.wardrobe_garments SET leffa_metadata = $2 WHERE id = $1",
        garment_id,
        leffa.model_dump(mode="json"),
    )


async def refresh_usage(tx: Tx) -> int:
    """Bring ``usage_count`` and ``last_used_at`` in line with the events."""
    return await tx.execute(
        """
        UPDATE public.wardrobe_garments g
           SET usage_count = used.times, last_used_at = used.latest
          FROM (SELECT garment_id, count(*) AS times, max(created_at) AS latest
                  FROM public.wardrobe_usage_events GROUP BY garment_id) used
         WHERE g.id = used.garment_id AND g.usage_count IS DISTINCT FROM used.times
        """
    )


def garment_columns(of: str) -> str:
    """What makes a ``Garment``, of a table by that name."""
    return f"""
        {of}.id, {of}.workspace_id, coalesce({of}.name, {of}.filename) AS name, {of}.storage_path,
        {of}.leffa_metadata AS leffa, {of}.metadata -> 'product' AS product, {of}.usage_count,
        coalesce({of}.metadata, '{{}}') ? 'archived_at' AS archived
    """


_SELECT = f"SELECT {garment_columns('g')} FROM public.wardrobe_garments g"
