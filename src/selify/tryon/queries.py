"""What pages and the API show of posts and of the funnel. Read as the user: row level security decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from selify.core.cursor import Cursor, found_cursor, place
from selify.core.database import Tx
from selify.tryon import outfits


@dataclass(frozen=True, slots=True)
class ListedPost:
    """A post as pages show it, with the garment that is bound to it, if one is, and what was chosen to be
    worn with it: whether that still is, ``outfits.why_not`` says.
    """

    id: UUID
    account_id: UUID
    post_ref: str
    caption: str | None
    url: str | None
    thumbnail_url: str | None
    posted_at: datetime
    binding_id: UUID | None
    garment_id: UUID | None
    garment_name: str | None
    total_triggers: int | None
    successful_generations: int | None
    trigger_keywords: Sequence[str] | None
    use_global_keywords: bool | None
    worn_with_id: UUID | None


_POST = f"""
    SELECT p.id, p.connected_account_id AS account_id, p.platform_post_id AS post_ref,
           p.caption, p.platform_url AS url, p.thumbnail_url, p.posted_at,
           b.id AS binding_id, b.wardrobe_garment_id AS garment_id, b.garment_name,
           b.total_triggers, b.successful_generations, b.trigger_keywords, b.use_global_keywords,
           {outfits.worn_with("b")} AS worn_with_id
      FROM public.social_posts p
      LEFT JOIN public.social_posts_garment_bindings b ON b.post_id = p.id AND b.is_active
     WHERE p.workspace_id = $1
"""


async def list_posts(
    tx: Tx, workspace_id: UUID, *, after: Cursor | None = None, limit: int = 60
) -> list[ListedPost]:
    """Newest first, with the garment each shows."""
    return await tx.fetch_as(
        ListedPost,
        f"""
        {_POST} AND (p.posted_at, p.id) < ($2::timestamptz, $3::uuid)
         ORDER BY p.posted_at DESC, p.id DESC LIMIT $4
        """,
        workspace_id,
        *place(after),
        limit,
    )


async def find_post(tx: Tx, workspace_id: UUID, post_id: UUID) -> ListedPost | None:
    """One post as ``list_posts`` shows it."""
    return await tx.fetch_one_as(ListedPost, f"{_POST} AND p.id = $2", workspace_id, post_id)


async def cursor_of_post(tx: Tx, workspace_id: UUID, post_id: UUID) -> Cursor:
    """Raises CursorMissing."""
    post = await find_post(tx, workspace_id, post_id)
    return found_cursor(Cursor(post.posted_at, post.id) if post else None)


async def shows_any_garment(tx: Tx, workspace_id: UUID) -> bool:
    """Whether shoppers can try something on under any post at all."""
    return bool(
        await tx.fetch_value(
            # A range of one, in order: else PostgreSQL hopes to meet such a row soon, and reads the
            # table from its beginning, which may be another brand's.
            """
            SELECT true FROM public.social_posts_garment_bindings
             WHERE workspace_id BETWEEN $1 AND $1 AND is_active
             ORDER BY workspace_id LIMIT 1
            """,
            workspace_id,
        )
    )


@dataclass(frozen=True, slots=True)
class ListedInteraction:
    """A row of the funnel: what began it, and how far it got."""

    id: UUID
    post_ref: str | None
    kind: str
    keyword: str | None
    username: str | None
    answered: bool
    photo: bool
    generated: bool
    liked: bool | None
    started_at: datetime
    finished_at: datetime | None


async def list_interactions(
    tx: Tx, workspace_id: UUID, *, after: Cursor | None = None, limit: int = 50
) -> list[ListedInteraction]:
    """Rows of the funnel, newest first. The newest of each account, of which a workspace has few."""
    return await tx.fetch_as(
        ListedInteraction,
        """
        SELECT i.id, i.post_id AS post_ref, i.interaction_type AS kind, i.trigger_word AS keyword,
               i.instagram_username AS username, coalesce(i.bot_responded, false) AS answered,
               coalesce(i.user_sent_photo, false) AS photo,
               coalesce(i.generation_successful, false) AS generated, i.user_satisfied AS liked,
               i.created_at AS started_at, i.generation_completed_at AS finished_at
          FROM public.connected_social_accounts a
         CROSS JOIN LATERAL (
               SELECT * FROM public.bot_interactions
                WHERE account_id = a.id
                  AND (created_at, id) < ($2::timestamptz, $3::uuid)
                ORDER BY created_at DESC, id DESC LIMIT $4) i
         WHERE a.workspace_id = $1
         ORDER BY i.created_at DESC, i.id DESC LIMIT $4
        """,
        workspace_id,
        *place(after),
        limit,
    )


async def cursor_of_interaction(tx: Tx, workspace_id: UUID, interaction_id: UUID) -> Cursor:
    """Raises CursorMissing."""
    return found_cursor(
        await tx.fetch_one_as(
            Cursor,
            """
            SELECT i.id, i.created_at AS at
              FROM public.bot_interactions i
              JOIN public.connected_social_accounts a ON a.id = i.account_id
             WHERE i.id = $2 AND a.workspace_id = $1
            """,
            workspace_id,
            interaction_id,
        )
    )
