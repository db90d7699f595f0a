"""The glossary is true: what it names is there, and no word has two meanings."""

import re

import asyncpg
from tests.docs.test_docs import ROOT

SOURCE = ROOT / "src" / "selify"
PAGE = (ROOT / "docs" / "glossary.md").read_text()
ROWS = re.findall(r"^\| (\*\*.+?) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)
COLUMNS = """
SELECT c.relnamespace::regnamespace || '.' || c.relname AS name, array_agg(a.attname::text) AS columns
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relkind IN ('r', 'v') GROUP BY c.oid
"""


async def tables(url: str) -> dict[str, list[str]]:
    """The columns of every table."""
    connection = await asyncpg.connect(url)
    found = await connection.fetch(COLUMNS)
    await connection.close()
    return {row["name"]: row["columns"] for row in found}


async def test_what_each_word_belongs_to_is_there(shared_database_url: str) -> None:
    known = await tables(shared_database_url)
    for words, _, where in ROWS:
        places = re.findall(r"`([^`]+)`", where)
        assert places, words
        for place in places:
            there = (
                any((root / place).is_file() for root in (SOURCE, SOURCE.parent))
                if place.endswith(".py")
                else place in known
            )
            assert there, f"{words}: {place}"


async def test_the_words_still_in_use_are_there(shared_database_url: str) -> None:
    """Next to those that are to be used; once they are gone the page need not name them."""
    known = await tables(shared_database_url)
    for name, place in re.findall(r"\(today's \w+: `(\w+)`\) \| `([^`]+)`", PAGE):
        if place.endswith(".py"):
            source = (SOURCE / place).read_text()
            assert re.search(rf"^class {name}\b", source, re.MULTILINE), name
        else:
            assert name in known[place], name


def test_a_word_has_one_meaning() -> None:
    words = [word for row in ROWS for word in re.findall(r"\*\*(.+?)\*\*", row[0])]
    assert len(words) == len(set(words))
    assert len(words) > 60


def test_every_row_was_read() -> None:
    assert len(ROWS) == PAGE.count("\n| **")
