"""What PostgreSQL itself enforces: tables, roles, policies, functions, migrations."""
