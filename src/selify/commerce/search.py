"""Finding garments by what they are called: by the beginnings of words of their name or number."""

from dataclasses import dataclass
from uuid import UUID

from selify.commerce.garments import Garment, garment_columns
from selify.core.database import Tx

# However many garments a word is part of, no more are looked at at once.
LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class FoundGarments:
    """``all_looked_at``: whether there can be no others."""

    garments: list[Garment]
    all_looked_at: bool


async def search_garments(
    tx: Tx, workspace_id: UUID, text: str, *, limit: int = 20
) -> FoundGarments:
    """Garments in use that have every word, newest first. As the system, after the membership was
    checked: users do not see the words.

    All that have the rarest word are looked at, for the others. Where even that one is part of very
    many names, the newest garments are, and then the newest of those called so, until enough are
    found.
    """
    rarest = await tx.fetch_one(
        f"""
        SELECT word, (SELECT count(*) FROM (
                        SELECT FROM internal.garment_words w
                         WHERE w.workspace_id = $1 AND {_BEGINS.format("w.word", "asked.word")}
                         LIMIT {LOOKED_AT}) few) AS times
          FROM internal.words_of($2) AS asked (word)
         ORDER BY times, word LIMIT 1
        """,
        workspace_id,
        text,
    )
    if rarest is None:
        return FoundGarments([], all_looked_at=True)
    few = rarest["times"] < LOOKED_AT
    found = [] if few else await _among_the_newest(tx, workspace_id, text, limit)
    if len(found) < limit:
        known = {garment.id for garment in found}
        called = await _among_those_called(tx, workspace_id, rarest["word"], text, limit)
        found += [garment for garment in called if garment.id not in known]  # all of them older
    return FoundGarments(found[:limit], all_looked_at=few or len(found) >= limit)


async def _among_those_called(
    tx: Tx, workspace_id: UUID, word: str, text: str, limit: int
) -> list[Garment]:
    return await tx.fetch_as(
        Garment,
        f"""
        WITH asked AS MATERIALIZED (SELECT word FROM internal.words_of($2) AS asked (word)),
        called AS MATERIALIZED (
            SELECT DISTINCT garment_id
              FROM (SELECT w.garment_id FROM internal.garment_words w
                     WHERE w.workspace_id = $1 AND {_BEGINS.format("w.word", "$4::text")}
                     ORDER BY w.word DESC, w.garment_id DESC LIMIT {LOOKED_AT}) latest),
        found AS MATERIALIZED (
            SELECT shelf.garment_id, shelf.created_at
              FROM called
             CROSS JOIN LATERAL (
                   SELECT * FROM internal.garment_shelf
                    WHERE garment_id = called.garment_id OFFSET 0) shelf
             WHERE {_HAS_EVERY_WORD.format("called.garment_id")}
             ORDER BY shelf.created_at DESC, shelf.garment_id DESC LIMIT $3)
        {_GARMENTS}
        """,
        workspace_id,
        text,
        limit,
        word,
    )


async def _among_the_newest(tx: Tx, workspace_id: UUID, text: str, limit: int) -> list[Garment]:
    return await tx.fetch_as(
        Garment,
        f"""
        WITH asked AS MATERIALIZED (SELECT word FROM internal.words_of($2) AS asked (word)),
        found AS MATERIALIZED (
            SELECT newest.garment_id, newest.created_at
              FROM (SELECT garment_id, created_at FROM internal.garment_shelf
                     WHERE workspace_id = $1 AND NOT archived
                     ORDER BY created_at DESC, garment_id DESC LIMIT {LOOKED_AT}) newest
             WHERE {_HAS_EVERY_WORD.format("newest.garment_id")}
             ORDER BY newest.created_at DESC, newest.garment_id DESC LIMIT $3)
        {_GARMENTS}
        """,
        workspace_id,
        text,
        limit,
    )


# As a range, which an index by the bytes serves. No word goes on with the last of all letters.
_BEGINS = "({0} >= {1} AND {0} < {1} || chr(1114111))"
_HAS_EVERY_WORD = f"""
    NOT EXISTS (
        SELECT FROM asked
         WHERE NOT EXISTS (
               SELECT FROM internal.garment_words w
                WHERE w.garment_id = {{0}}
                  AND {_BEGINS.format("w.word", "asked.word")}))"""
# One by one: else PostgreSQL may hope to meet them soon among the newest of all brands.
_GARMENTS = f"""
    SELECT {garment_columns("g")}
      FROM found
     CROSS JOIN LATERAL (
           SELECT * FROM public.wardrobe_garments WHERE id = found.garment_id OFFSET 0) g
     ORDER BY found.created_at DESC, found.garment_id DESC"""
