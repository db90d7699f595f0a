"""What PostgreSQL itself enforces: tables, roles, policies, functions, migrations.

Owns no table: each wing declares its own.
Offers ``base`` and ``metadata`` (declared tables), ``embedded`` (a server for whoever brings none), ``migrate`` and
``dumps``.
Needs no other wing.
"""
