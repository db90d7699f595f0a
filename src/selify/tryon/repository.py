"""Look-ups shared by the rooms of this wing: which garment a post shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from selify.core.database import Tx


@dataclass(frozen=True, slots=True)
class Binding:
    """A garment bound to a post, with what decides about its keywords. ``covers`` is its category in
    the words of ``wardrobe_garments.leffa_metadata``, empty when nobody has said it.
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


_BINDING = """
    SELECT b.id, b.account_id, b.post_id, p.workspace_id, p.platform_post_id AS post_ref,
           b.wardrobe_garment_id AS garment_id,
           coalesce(b.garment_name, g.name, g.filename) AS garment_name,
           coalesce(g.leffa_metadata ->> 'leffa_category', '') AS covers,
           coalesce(b.trigger_keywords, '{}') AS trigger_keywords,
           b.use_global_keywords IS NOT false AS use_global_keywords,
           p.bot_config AS post_config
      FROM public.social_posts_garment_bindings b
      JOIN public.social_posts p ON p.id = b.post_id
      JOIN public.wardrobe_garments g ON g.id = b.wardrobe_garment_id
"""
