"""Look-ups shared by the rooms of this wing: which garment a post shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from selify.core.database import Tx
from selify.core.rows import columns
from selify.tryon import outfits


@dataclass(frozen=True, slots=True)
class WornWith:
    """The other piece of an outfit."""

    garment_id: UUID
    name: str
    covers: str


@dataclass(frozen=True, slots=True)
class Binding:
    """A garment bound to a post, with what decides about its keywords. ``covers`` is its category in
    the words of ``wardrobe_garments.leffa_metadata``, empty when nobody has said it. ``worn_with``: of
    this workspace, not put away, and still a top to its bottom or a bottom to its top.
    """

    id: UUID
    account_id: UUID
    workspace_id: UUID
    post_id: UUID
    post_ref: str
    garment_id: UUID
    garment_name: str
    covers: str
    trigger_keywords: tuple[str, ...]
    use_global_keywords: bool
    post_config: Mapping[str, Any] = field(default_factory=dict)
    worn_with: WornWith | None = None

    @property
    def shows(self) -> str:
        """All that the post shows, by name."""
        names = [self.garment_name, *([self.worn_with.name] if self.worn_with else [])]
        return " + ".join(names)


async def binding_of_post(tx: Tx, account_id: UUID, post_ref: str) -> Binding | None:
    """The active garment of a post, by the platform's own id of the post."""
    return await tx.fetch_one_as(
        Binding,
        f"{_BINDING} WHERE b.account_id = $1 AND p.platform_post_id = $2 AND b.is_active",
        account_id,
        post_ref,
    )


async def binding(tx: Tx, binding_id: UUID) -> Binding | None:
    return await tx.fetch_one_as(Binding, f"{_BINDING} WHERE b.id = $1 AND b.is_active", binding_id)


_COVERS = "{}.leffa_metadata ->> 'leffa_category'"
_WORN_WITH = {
    "garment_id": "w.id",
    "name": "coalesce(w.name, w.filename)",
    "covers": _COVERS.format("w"),
}
_BINDING = f"""
    SELECT b.id, b.account_id, b.post_id, p.workspace_id, p.platform_post_id AS post_ref,
           b.wardrobe_garment_id AS garment_id,
           coalesce(b.garment_name, g.name, g.filename) AS garment_name,
           coalesce({_COVERS.format("g")}, '') AS covers,
           coalesce(b.trigger_keywords, '{{}}') AS trigger_keywords,
           b.use_global_keywords IS NOT false AS use_global_keywords,
           p.bot_config AS post_config,
           {columns(_WORN_WITH, within="worn_with")}
      FROM public.social_posts_garment_bindings b
      JOIN public.social_posts p ON p.id = b.post_id
      JOIN public.wardrobe_garments g ON g.id = b.wardrobe_garment_id
      LEFT JOIN public.wardrobe_garments w
             ON w.id = {outfits.worn_with("b")} AND w.workspace_id = p.workspace_id
            AND NOT coalesce(w.metadata, '{{}}') ? 'archived_at'
            AND ({_COVERS.format("g")}, {_COVERS.format("w")}) IN {outfits.PAIRS}
"""
