from tests.store.fixtures import backend, clock, database_url, postgres_server

__all__ = ["backend", "clock", "database_url", "postgres_server"]
