"""What triggers keep beside the reference's tables is what a rebuild from the rows would make."""

import asyncpg
import pytest
from tests.infra.worlds import build_world, read_tables

KEPT = ("waiting_conversations", "garment_shelf", "garment_words")
CONVERSATION = "UPDATE public.social_conversations SET "
GARMENT = "UPDATE public.wardrobe_garments SET "

WRITES = (
    CONVERSATION + "unread_count = 2",
    CONVERSATION + "unread_count = 0",
    CONVERSATION + 'conversation_state = conversation_state || \'{"handler": "human"}\'',
    CONVERSATION + "last_message_at = NULL",
    CONVERSATION + "unread_count = 1, last_message_at = '2030-01-01'",
    CONVERSATION + 'conversation_state = conversation_state || \'{"handler": "bot"}\'',
    CONVERSATION + "unread_count = NULL",
    GARMENT + "name = 'Grünes Kleid, size M'",
    GARMENT + "sku = 'AB-12'",
    GARMENT + "name = NULL",
    GARMENT + 'metadata = \'{"archived_at": "2026-01-01T00:00:00Z"}\'',
    GARMENT + "name = 'Another'",
    GARMENT + "metadata = '{}', created_at = '2020-01-01'",
    GARMENT + "usage_count = 7",
    "DELETE FROM public.wardrobe_garments",
    "DELETE FROM public.social_conversations",
)


async def _kept(db: asyncpg.Connection) -> dict[str, list[asyncpg.Record]]:
    return {
        table: sorted(await db.fetch(f"SELECT t::text FROM internal.{table} t")) for table in KEPT
    }


@pytest.mark.parametrize("writes", [WRITES[:7], WRITES[7:14], WRITES], ids=["talk", "wear", "all"])
async def test_lists_follow_their_rows(shared_database_url: str, writes: tuple[str, ...]) -> None:
    db = await asyncpg.connect(shared_database_url)
    await db.execute("BEGIN; SET LOCAL selify.quiet = 'on'")
    tables = await read_tables(db)
    for name in ("a", "b"):
        await build_world(db, tables, name)
    for write in ("SELECT 1", *writes):
        await db.execute(write)
        kept = await _kept(db)
        await db.execute("SELECT internal.rebuild_lists()")
        assert kept == await _kept(db), write
    await db.execute("ROLLBACK")
    await db.close()


async def test_words_have_no_signs_and_no_capital_letters(shared_database_url: str) -> None:
    db = await asyncpg.connect(shared_database_url)
    words = await db.fetchval(
        "SELECT array_agg(w) FROM internal.words_of('Sand-DRESS: size_M,  (2)') w"
    )
    assert set(words) == {"sand", "dress", "size", "m", "2"}
    await db.close()
