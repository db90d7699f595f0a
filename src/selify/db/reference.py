"""The schema reference, printed back from the living database.

Everything but the classification (``classification.toml``) comes from PostgreSQL's catalogs. Tables
and policies are sorted by name, columns stand in table order, indexes in the order of their making.
"""

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import asyncpg

# The moment the contract was taken; the committed copy carries it, so that it changes only with us.
CONTRACT_TAKEN_AT = datetime(2026, 1, 20, 23, 6, 10, 44647, tzinfo=UTC)
GENERATOR = "schema_generator.py"
# Longer defaults are cut; both lengths count the opening backtick, and the closing one if whole.
LONGEST_DEFAULT = 30
CUT_DEFAULT = 27

TABLES = """
SELECT c.oid, c.relname AS name, c.relrowsecurity AS rls, obj_description(c.oid) AS comment
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""
COLUMNS = """
SELECT a.attrelid AS table_oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AS nullable, pg_get_expr(d.adbin, d.adrelid) AS default,
       col_description(a.attrelid, a.attnum) AS comment
FROM pg_attribute AS a
LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
INDEXES = """
SELECT i.indrelid AS table_oid, c.relname AS name, pg_get_indexdef(c.oid) AS definition,
       i.indisprimary AS is_primary, i.indisunique AS is_unique
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY ($1)
ORDER BY c.oid
"""
POLICIES = """
SELECT polrelid AS table_oid, polname AS name, polpermissive AS permissive,
       CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                   WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS command
FROM pg_policy
WHERE polrelid = ANY ($1)
ORDER BY polname
"""

Rows = list[asyncpg.Record]


@dataclass(frozen=True, slots=True)
class Classification:
    """What a table is for; printed beside its name."""

    usage: str
    audience: str
    domain: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table as the reference shows it."""

    name: str
    comment: str | None
    rls: bool
    classification: Classification
    columns: Rows
    indexes: Rows
    policies: Rows


async def render_reference(
    connection: "asyncpg.Connection[Any]", generated_at: datetime = CONTRACT_TAKEN_AT
) -> str:
    """The whole document. ``generated_at`` (aware) is printed at its head and foot."""
    tables = await read_tables(connection)
    stamp = generated_at.isoformat()
    parts = [_front_matter(tables, stamp), _introduction(tables)]
    parts += [_section(table) for table in tables]
    parts.append(f"---\n\n*Generated at {stamp} by {GENERATOR}*")
    return "\n".join(parts)


async def read_tables(connection: "asyncpg.Connection[Any]") -> list[Table]:
    """All tables of schema ``public``, sorted by name."""
    async with connection.transaction():
        # Names in the search path print without their schema, as the reference has them.
        await connection.execute("SET LOCAL search_path TO public, extensions")
        tables = await connection.fetch(TABLES)
        oids = [row["oid"] for row in tables]
        columns = _by_table(await connection.fetch(COLUMNS, oids))
        indexes = _by_table(await connection.fetch(INDEXES, oids))
        policies = _by_table(await connection.fetch(POLICIES, oids))
    classified = classification()
    return [
        Table(
            row["name"],
            row["comment"],
            row["rls"],
            classified.get(row["name"], Classification("both", "internal", "other")),
            columns[row["oid"]],
            indexes[row["oid"]],
            policies[row["oid"]],
        )
        for row in tables
    ]


def classification() -> Mapping[str, Classification]:
    """Table name to what the catalogs cannot know about it."""
    file = resources.files("selify.db").joinpath("classification.toml")
    domains = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        name: Classification(facts["usage"], facts["audience"], domain)
        for domain, tables in domains.items()
        for name, facts in tables.items()
    }


def _by_table(rows: Iterable[asyncpg.Record]) -> defaultdict[int, Rows]:
    grouped: defaultdict[int, Rows] = defaultdict(list)
    for row in rows:
        grouped[row["table_oid"]].append(row)
    return grouped


def _front_matter(tables: list[Table], stamp: str) -> str:
    usages = Counter(table.classification.usage for table in tables)
    audiences = Counter(table.classification.audience for table in tables)
    domains = ", ".join(sorted({table.classification.domain for table in tables}))
    return f"""\
---
title: public Schema Reference
description: PostgreSQL schema documentation for public.* tables
category: database
tags: [database, schema, public, postgresql]
generated_at: {stamp}
generator: {GENERATOR}
table_count: {len(tables)}
frontend_tables: {usages["frontend"]}
backend_tables: {usages["backend"]}
external_tables: {audiences["external"]}
internal_tables: {audiences["internal"]}
domains: [{domains}]
---
"""


def _introduction(tables: list[Table]) -> str:
    columns = sum(len(table.columns) for table in tables)
    rows = "\n".join(_overview_row(table) for table in tables)
    return f"""\
# public Schema Reference

> Auto-generated from live PostgreSQL database. {len(tables)} tables, {columns} columns.
> Do not edit manually - regenerated on schema changes.

## Classification Legend

**Usage:** `frontend` (dash/admin UI) | `backend` (services only) | `both`

**Audience:** `external` (customer-facing) | `internal` (ops/admin only)

**Domain:** billing, social, ai, commerce, auth, ops, analytics, other

## Overview

This document describes all tables in the `public` schema.

| Table | Usage | Audience | Domain | Columns | RLS |
|-------|-------|----------|--------|---------|-----|
{rows}
"""


def _overview_row(table: Table) -> str:
    about = table.classification
    return (
        f"| [{table.name}](#{table.name}) | `{about.usage}` | `{about.audience}` |"
        f" `{about.domain}` | {len(table.columns)} | {_yes(table.rls)} |"
    )


def _section(table: Table) -> str:
    about = table.classification
    parts = [
        f"## {table.name}\n",
        (
            f"> **Usage:** `{about.usage}` · **Audience:** `{about.audience}`"
            f" · **Domain:** `{about.domain}`\n"
        ),
    ]
    if table.comment:
        parts.append(f"{table.comment}\n")
    parts.append(_columns(table.columns))
    if table.indexes:
        parts.append("### Indexes\n\n" + "\n".join(map(_index, table.indexes)) + "\n")
    if table.policies:
        parts.append(_policies(table.policies))
    return "\n".join(parts)


def _columns(columns: Rows) -> str:
    rows = "\n".join(
        f"| `{column['name']}` | `{column['type']}` | {_yes(column['nullable'])} |"
        f" {_default(column['default'])} | {column['comment'] or '-'} |"
        for column in columns
    )
    return f"""\
### Columns

| Column | Type | Nullable | Default | Description |
|--------|------|----------|---------|-------------|
{rows}
"""


def _default(expression: str | None) -> str:
    if expression is None:
        return "-"
    whole = f"`{expression}`"
    return whole if len(whole) <= LONGEST_DEFAULT else f"{whole[:CUT_DEFAULT]}...`"


def _index(index: asyncpg.Record) -> str:
    mark = "(PK) " if index["is_primary"] else "(UQ) " if index["is_unique"] else ""
    return f"- **{mark}{index['name']}**\n  ```sql\n  {index['definition']}\n  ```"


def _policies(policies: Rows) -> str:
    rows = "\n".join(
        f"| `{policy['name']}` | {policy['command']} | {_yes(policy['permissive'])} |"
        for policy in policies
    )
    return f"""\
### RLS Policies

| Policy | Command | Permissive |
|--------|---------|------------|
{rows}
"""


def _yes(fact: bool) -> str:
    return "Yes" if fact else "No"
