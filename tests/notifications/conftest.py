from tests.infra.one_for_all import database, database_url

__all__ = ["database", "database_url"]
