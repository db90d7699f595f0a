"""Finding garments by what they are called: by the beginnings of words of their name or number."""

from uuid import UUID

from selify.commerce.garments import Garment, as_garment, garment_columns
from selify.core.database import Tx

# Of a word that so many garments have, no more are looked at: nobody finds theirs among them anyway.
LOOKED_AT = 1000


async def search_garments(
    tx: Tx, workspace_id: UUID, text: str, *, limit: int = 20
) -> list[Garment]:
    """Garments in use that have every word, newest first. As the system, after the membership was
    checked: users do not see the words.

    The rarest word decides where the search begins, and the others are asked of each garment found.
    """
    rows = await tx.fetch(
        f"""
        WITH asked AS MATERIALIZED (
            SELECT word, (SELECT count(*) FROM (
                            SELECT FROM internal.garment_words w
                             WHERE w.workspace_id = $1 AND {_BEGINS.format("w.word", "asked.word")}
                             LIMIT {LOOKED_AT}) few) AS times
              FROM internal.words_of($2) AS asked (word)),
        found AS MATERIALIZED (
            SELECT DISTINCT candidate.garment_id
              FROM (SELECT word FROM asked ORDER BY times, word LIMIT 1) rarest
             CROSS JOIN LATERAL (
                   SELECT w.garment_id FROM internal.garment_words w
                    WHERE w.workspace_id = $1 AND {_BEGINS.format("w.word", "rarest.word")}
                    LIMIT {LOOKED_AT}) candidate)
        SELECT {garment_columns("g")}
          FROM found
         -- One by one: else PostgreSQL may hope to meet them soon among the newest of all brands.
         CROSS JOIN LATERAL (
               SELECT * FROM public.wardrobe_garments WHERE id = found.garment_id OFFSET 0) g
         WHERE g.workspace_id = $1
           AND NOT EXISTS (
               SELECT FROM asked
                WHERE NOT EXISTS (
                      SELECT FROM internal.garment_words w
                       WHERE w.garment_id = found.garment_id
                         AND {_BEGINS.format("w.word", "asked.word")}))
         ORDER BY g.created_at DESC, g.id DESC LIMIT $3
        """,
        workspace_id,
        text,
        limit,
    )
    return [as_garment(row) for row in rows]


# As a range, which an index by the bytes serves. No word goes on with the last of all letters.
_BEGINS = "({0} >= {1} AND {0} < {1} || chr(1114111))"
