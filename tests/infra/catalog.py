"""All that a database's schema consists of, to compare two of them."""

import asyncpg

# Everything a migration can make, as one text per object; names only where the text has none.
CATALOG = """
SELECT 'column ' || a.attrelid::regclass || '.' || a.attnum || ' ' || a.attname || ' '
       || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
       || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || ' ' || coalesce(a.attacl::text, '')
       || coalesce(col_description(a.attrelid, a.attnum), '')
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE c.relnamespace::regnamespace::text IN ('public', 'internal', 'auth')
   AND c.relkind IN ('r', 'v') AND a.attnum > 0
UNION ALL SELECT 'table ' || oid::regclass || ' ' || relrowsecurity || coalesce(relacl::text, '')
       || coalesce(obj_description(oid), '')
  FROM pg_class WHERE relnamespace::regnamespace::text IN ('public', 'internal', 'auth')
   AND relkind IN ('r', 'v')
UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) FROM pg_index
  JOIN pg_class c ON c.oid = indexrelid
 WHERE c.relnamespace::regnamespace::text IN ('public', 'internal', 'auth')
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace::regnamespace::text IN ('public', 'internal', 'auth')
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || pg_get_functiondef(oid) || coalesce(proacl::text, '') FROM pg_proc
 WHERE pronamespace::regnamespace::text IN ('public', 'internal', 'auth')
UNION ALL SELECT 'policy ' || polrelid::regclass || ' ' || polname || polcmd::text || polroles::regrole[]::text
       || coalesce(pg_get_expr(polqual, polrelid), '')
       || coalesce(pg_get_expr(polwithcheck, polrelid), '')
  FROM pg_policy
"""


async def catalog(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(CATALOG)
    await connection.close()
    return {row[0] for row in rows}
