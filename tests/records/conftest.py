from tests.store.fixtures import (
    backend,
    clock,
    maya,
    postgres_server,
    seeded_postgres,
    seeded_sqlite,
    shop_url,
    store,
    toolbox,
)

__all__ = [
    "backend",
    "clock",
    "maya",
    "postgres_server",
    "seeded_postgres",
    "seeded_sqlite",
    "shop_url",
    "store",
    "toolbox",
]
