from tests.store.fixtures import clock, database_url, maya, postgres_server, store, toolbox

__all__ = ["clock", "database_url", "maya", "postgres_server", "store", "toolbox"]
