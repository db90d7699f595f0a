from tests.infra.one_for_all import database

__all__ = ["database"]
