"""A table is written by its owner alone: whoever else wants a row changed asks the owner for it.

The owner of a public table is whoever declares it in its ``models.py``; a table of schema ``internal``, which
nobody declares, belongs to the one that writes it. What PostgreSQL does by itself, and migrations, which move
everything, lie in ``db``.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from tests.architecture.test_laws import SOURCE

from selify.app import WINGS
from selify.core import discovery
from selify.db.base import Base
from selify.db.metadata import declared_metadata

_TARGET = r"(?:ONLY\s+)?\"?([^\s\"(;,]*)"
WRITES = (
    re.compile(rf"\b(?:INSERT|MERGE)\s+INTO(?:\s+|$){_TARGET}", re.IGNORECASE),
    re.compile(rf"\bDELETE\s+FROM(?:\s+|$){_TARGET}", re.IGNORECASE),
    re.compile(rf"\bTRUNCATE\s+(?:TABLE\s+)?{_TARGET}"),
    re.compile(rf"\bCOPY\s+{_TARGET}(?:\s*\([^)]*\))?\s+FROM\b"),
    # Not that of ``FOR UPDATE`` and ``DO UPDATE``, which has no table.
    re.compile(
        rf"\bUPDATE\s+(?!SET\b){_TARGET}(?<!\s)\s+(?:AS\s+)?(?:(?!SET\b)\w+\s+)?SET\b",
        re.IGNORECASE,
    ),
    re.compile(r"(?<!FOR )(?<!KEY )(?<!DO )\bUPDATE\s+()$"),
)
NAMED = re.compile(r"(public|internal|auth)\.\w+")
# Whose statement is written for any table, and who names the tables.
ANY_TABLE = {
    "core/pruning.py": "the owner, in a Rule that its wiring plugs in",
    "core/wrong_clocks.py": "the owner, in a Bound that its wiring plugs in",
    "auth/personal/catalog.py": "the catalogs: every row that names a person who is forgotten, by rules of columns",
    "auth/workspace_deletion.py": "the catalogs: every row of a workspace that was deleted goes, whoever"
    " owns it, but for what owners keep (core/departure.py)",
}


def whose(path: str) -> str:
    """``tryon/purging.py`` is the try-on's, ``core/queue/jobs.py`` the queues', ``vendors/fal/…`` fal's."""
    first, *others = path.split("/")
    return f"{first}/{others[0]}" if first in {"core", "vendors"} else first


def owners() -> dict[str, str]:
    """Of the public tables, and of the one of schema ``auth`` that others refer to."""
    tables = declared_metadata().tables
    mapped = {
        f"public.{mapper.local_table.name}": mapper.class_.__module__
        for mapper in Base.registry.mappers
    }
    assert set(tables) - set(mapped) == {"auth.users"}
    ours = {one.name: one.wing.replace(".", "/") for one in discovery.ours("models")}
    return {table: ours[module] for table, module in mapped.items() if module in ours}


def texts(tree: ast.AST) -> Iterator[str]:
    """Every string as it will be, with what is put into it in braces."""
    match tree:
        case ast.Constant(value=str() as text):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                f"{{{ast.unparse(part.value)}}}"
                if isinstance(part, ast.FormattedValue)
                else str(part.value)
                for part in parts
            )
        case _:
            for child in ast.iter_child_nodes(tree):
                yield from texts(child)


def written_in(code: str) -> set[str]:
    """The tables that statements in it write."""
    return {
        found.group(1)
        for text in texts(ast.parse(code))
        for pattern in WRITES
        for found in pattern.finditer(text)
        if found.group(1).upper() != "SET"
    }


@cache
def written(source: Path) -> dict[str, set[str]]:
    """By the file's name below ``source``."""
    return {
        str(path.relative_to(source)): tables
        for path in sorted(source.rglob("*.py"))
        if path.relative_to(source).parts[0] != "db"
        if (tables := written_in(path.read_text()))
    }


def writers_of_support(source: Path) -> dict[str, set[str]]:
    """Who writes each table of schema ``internal``."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, tables in written(source).items():
        for table in tables:
            if table.startswith("internal."):
                found[table].add(whose(path))
    return found


def trespasses(source: Path) -> list[str]:
    """Statements that write another's table, or do not say which table they write."""
    owner = owners()
    foreign = [
        f"{path} writes {table}, which belongs to {owner.get(table, 'nobody')}"
        for path, tables in written(source).items()
        for table in sorted(tables)
        if table.startswith("public.")
        if owner.get(table) != whose(path)
    ]
    foreign += [
        f"{path} writes {table}, which belongs to auth"
        for path, tables in written(source).items()
        for table in sorted(tables)
        if table.startswith("auth.") and whose(path) != "auth"
    ]
    shared = [
        f"{table} is written by {' and '.join(sorted(writers))}"
        for table, writers in sorted(writers_of_support(source).items())
        if len(writers) > 1
    ]
    unsaid = [
        f"{path} writes {table or 'a table'} and does not say whose"
        for path, tables in written(source).items()
        for table in sorted(tables)
        if not NAMED.fullmatch(table) and path not in ANY_TABLE
    ]
    return [*foreign, *shared, *unsaid]


def test_a_table_is_written_by_its_owner_alone() -> None:
    assert trespasses(SOURCE) == []


def test_who_writes_any_table_does() -> None:
    """No reason outlives what it is for."""
    unsaid = {
        path
        for path, tables in written(SOURCE).items()
        if any(not NAMED.fullmatch(table) for table in tables)
    }
    assert unsaid == ANY_TABLE.keys()


def test_what_a_wing_has_pruned_and_set_right_is_its_own() -> None:
    owner = {
        **owners(),
        **{table: min(writers) for table, writers in writers_of_support(SOURCE).items()},
    }
    foreign = [
        f"{wing.name}: {said.table}"
        for wing in WINGS
        for said in (*wing.pruned, *wing.bounds)
        if not f"{owner[said.table]}/".startswith(f"{wing.name}/")
    ]
    assert sum(len(wing.pruned) + len(wing.bounds) for wing in WINGS) > 20
    assert foreign == []


@pytest.mark.parametrize(
    ("planted", "trespass"),
    [
        (
            {"tryon/x.py": '"UPDATE public.workspaces SET name = $1"'},
            "tryon/x.py writes public.workspaces, which belongs to auth",
        ),
        (
            {"tryon/x.py": '"UPDATE ONLY public.workspaces AS w\\n   SET name = $1"'},
            "tryon/x.py writes public.workspaces, which belongs to auth",
        ),
        (
            {"billing/x.py": '"WITH gone AS (delete from public.notifications RETURNING id)"'},
            "billing/x.py writes public.notifications, which belongs to notifications",
        ),
        (
            {"vendors/fal/x.py": 'f"INSERT INTO public.social_messages ({columns}) VALUES ($1)"'},
            "vendors/fal/x.py writes public.social_messages, which belongs to messaging",
        ),
        (
            {"auth/x.py": '"MERGE INTO public.webhook_events USING (SELECT 1) AS one ON true"'},
            "auth/x.py writes public.webhook_events, which belongs to core/queue",
        ),
        (
            {"auth/x.py": '"INSERT INTO public.no_such_table VALUES (1)"'},
            "auth/x.py writes public.no_such_table, which belongs to nobody",
        ),
        (
            {"tryon/x.py": '"DELETE FROM auth.users WHERE id = $1"'},
            "tryon/x.py writes auth.users, which belongs to auth",
        ),
        (
            {
                "tryon/x.py": '"TRUNCATE internal.things"',
                "auth/x.py": '"INSERT INTO internal.things VALUES ($1)"',
            },
            "internal.things is written by auth and tryon",
        ),
        (
            {
                "core/queue/x.py": '"COPY internal.things (id) FROM STDIN"',
                "core/web/x.py": '"DELETE FROM internal.things"',
            },
            "internal.things is written by core/queue and core/web",
        ),
        (
            {"tryon/x.py": '"DELETE FROM bot_interactions"'},
            "tryon/x.py writes bot_interactions and does not say whose",
        ),
        (
            {"tryon/x.py": 'f"DELETE FROM {table} WHERE id = $1"'},
            "tryon/x.py writes {table} and does not say whose",
        ),
        (
            {"tryon/x.py": '"INSERT INTO " + table + " VALUES ($1)"'},
            "tryon/x.py writes a table and does not say whose",
        ),
        (
            {"tryon/x.py": '"UPDATE " + table + " SET a = 1"'},
            "tryon/x.py writes a table and does not say whose",
        ),
    ],
)
def test_a_planted_trespass_is_found(
    tmp_path: Path, planted: dict[str, str], trespass: str
) -> None:
    for name, statement in planted.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"async def change(tx):\n    await tx.execute({statement})\n")
    assert trespasses(tmp_path) == [trespass]


def test_reading_and_locking_is_no_trespass(tmp_path: Path) -> None:
    (tmp_path / "tryon").mkdir()
    (tmp_path / "tryon" / "x.py").write_text(
        '"SELECT id FROM public.workspaces FOR UPDATE"\n'
        '"SELECT id FROM public.workspaces FOR NO KEY UPDATE SKIP LOCKED"\n'
        '"INSERT INTO public.social_posts (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET a = 1"\n'
    )
    assert trespasses(tmp_path) == []
