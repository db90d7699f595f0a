"""The funnel: one row of ``bot_interactions`` per (person, trigger), moved along by timestamps.

Counters of a post's garment (``social_posts_garment_bindings``) are projections of these rows,
recomputed by ``refresh_counters``; nothing increments them by hand, so they cannot drift.
"""

from datetime import datetime, timedelta
from uuid import UUID

from selify.core.database import Tx
from selify.core.ids import new_id
from selify.tryon.repository import Binding


async def begin(
    tx: Tx,
    binding: Binding,
    *,
    person_ref: str,
    username: str,
    kind: str,
    source: str,
    keyword: str | None,
    message: str,
    conversation_id: UUID | None,
    at: datetime,
    interaction_id: UUID | None = None,
) -> UUID:
    """A trigger: somebody asked to try this garment on. ``kind``: comment, message, another_try."""
    made = interaction_id or new_id()
    await tx.execute(
        """
        INSERT INTO public.bot_interactions
               (id, account_id, post_id, binding_id, instagram_user_id, instagram_username,
                interaction_type, interaction_source, trigger_word, original_message,
                conversation_id, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """,
        made,
        binding.account_id,
        binding.post_ref,
        binding.id,
        person_ref,
        username or None,
        kind,
        source,
        keyword,
        message[:1000],
        str(conversation_id) if conversation_id else None,
        at,
    )
    return made


async def responded(
    tx: Tx, interaction_id: UUID, *, response: str, at: datetime, conversation_id: UUID | None
) -> None:
    """The bot's first answer arrived. Later answers change nothing but the count."""
    await tx.execute(
        """
        UPDATE public.bot_interactions
           SET bot_responded = true, response_type = coalesce(response_type, $2),
               response_time_ms = coalesce(
                   response_time_ms,
                   least(greatest(0, extract(epoch FROM $3::timestamptz - created_at) * 1000),
                         2147483647)::int),
               conversation_id = coalesce(conversation_id, $4),
               message_count = coalesce(message_count, 0) + 1
         WHERE id = $1
        """,
        interaction_id,
        response,
        at,
        str(conversation_id) if conversation_id else None,
    )


async def photo_received(tx: Tx, interaction_id: UUID, *, at: datetime) -> None:
    """A photo came. An earlier failed try of the same row is forgotten, the row goes on."""
    await tx.execute(
        """
        UPDATE public.bot_interactions
           SET user_sent_photo = true, photo_received_at = greatest(created_at, $2),
               generation_started_at = NULL, generation_completed_at = NULL,
               conversation_ended_at = NULL
         WHERE id = $1 AND NOT coalesce(generation_successful, false)
        """,
        interaction_id,
        at,
    )


async def generation_started(tx: Tx, interaction_id: UUID, *, at: datetime) -> None:
    await tx.execute(
        """
        UPDATE public.bot_interactions
           SET generation_attempted = true,
               generation_started_at = greatest(photo_received_at, $2)
         WHERE id = $1
        """,
        interaction_id,
        at,
    )


async def generation_finished(
    tx: Tx, interaction_id: UUID, *, successful: bool, photo_score: int | None, at: datetime
) -> None:
    """``photo_score``: 0 to 100, how well the photo suited."""
    await tx.execute(
        """
        UPDATE public.bot_interactions
           SET generation_successful = $2, photo_quality_score = coalesce($3, photo_quality_score),
               generation_completed_at = greatest(generation_started_at, $4)
         WHERE id = $1
        """,
        interaction_id,
        successful,
        photo_score,
        at,
    )


async def feedback(tx: Tx, interaction_id: UUID, *, satisfied: bool, at: datetime) -> None:
    await tx.execute(
        """
        UPDATE public.bot_interactions
           SET user_satisfied = $2,
               conversation_ended_at =
                   CASE WHEN $2 THEN greatest(generation_completed_at, $3) END
         WHERE id = $1
        """,
        interaction_id,
        satisfied,
        at,
    )


async def set_username(tx: Tx, conversation_id: UUID, username: str) -> None:
    """What they began before their name was known."""
    await tx.execute(
        """
        UPDATE public.bot_interactions SET instagram_username = $2
         WHERE conversation_id = $1 AND instagram_username IS NULL
        """,
        str(conversation_id),
        username,
    )


async def reword(tx: Tx, conversation_id: UUID, old: str, new: str) -> None:
    """What they wrote says something else by now, or nothing any more."""
    await tx.execute(
        """
        UPDATE public.bot_interactions SET original_message = left($3, 1000)
         WHERE conversation_id = $1 AND original_message = left($2, 1000)
        """,
        str(conversation_id),
        old,
        new,
    )


async def refresh_counters(tx: Tx, *, now: datetime) -> int:
    """Bring the counters of recently used garments in line with the rows. Harmless to repeat."""
    return await tx.execute(
        """
        WITH recent AS (
            SELECT DISTINCT binding_id FROM public.bot_interactions
             WHERE binding_id IS NOT NULL AND created_at > $1),
        counted AS (
            SELECT i.binding_id,
                   count(*) AS triggers,
                   count(*) FILTER (WHERE bot_responded) AS dms,
                   count(*) FILTER (WHERE user_sent_photo) AS photos,
                   count(*) FILTER (WHERE generation_attempted) AS tries,
                   count(*) FILTER (WHERE generation_successful) AS good,
                   avg(response_time_ms) AS response_ms,
                   avg(extract(epoch FROM generation_completed_at - generation_started_at) * 1000)
                       FILTER (WHERE generation_successful) AS render_ms,
                   max(coalesce(generation_completed_at, created_at)) AS last_used
              FROM public.bot_interactions i JOIN recent USING (binding_id)
             GROUP BY i.binding_id)
        UPDATE public.social_posts_garment_bindings b
           SET total_triggers = triggers, total_dm_conversations = dms, total_photo_requests = dms,
               total_photos_received = photos, total_generations = tries,
               successful_generations = good,
               trigger_to_dm_rate = coalesce(internal.percent(dms, triggers), 0),
               dm_to_photo_rate = coalesce(internal.percent(photos, dms), 0),
               photo_to_success_rate = coalesce(internal.percent(good, photos), 0),
               overall_conversion_rate = coalesce(internal.percent(good, triggers), 0),
               avg_response_time_ms = response_ms, avg_generation_time_ms = render_ms,
               last_used_at = last_used
          FROM counted c
         WHERE b.id = c.binding_id
           AND (b.total_triggers, b.total_dm_conversations, b.total_photos_received,
                b.total_generations, b.successful_generations)
               IS DISTINCT FROM (triggers, dms, photos, tries, good)
        """,
        now - timedelta(days=8),
    )
