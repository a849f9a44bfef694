"""Opening a database: migrated, writable, or one sentence that says what to change."""

import asyncio

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from helpline.errors import StoreError
from helpline.store import Store
from helpline.store.database import HEAD, open_database
from helpline.store.schema import metadata


async def test_the_migrations_make_the_tables_that_the_queries_know(database_url):
    database = await open_database(database_url)
    async with database.read() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(
                MigrationContext.configure(
                    sync, opts={"compare_type": True, "include_object": not_for_searching}
                ),
                metadata,
            )
        )
    await database.close()
    assert differences == []


def not_for_searching(thing, name, *_):
    """The index of words is each database's own kind, which a table of columns cannot say."""
    return not name.startswith("search_calls")


def test_the_newest_migration_is_the_one_that_opening_expects():
    assert ScriptDirectory("src/helpline/store/migrations").get_current_head() == HEAD


async def test_an_open_database_keeps_what_it_held(database_url, clock):
    first = await Store.open(database_url, demo=True, clock=clock)
    orders = await first.shop.latest_orders("maya", 10)
    await first.close()
    second = await Store.open(database_url, demo=True, clock=clock)
    assert await second.shop.latest_orders("maya", 10) == orders
    await second.close()


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("sqlite:////dev/null/shop.db", "HELPLINE_DATA_DIR"),
        ("postgresql://somebody:hunter2@127.0.0.1:1/shop", "HELPLINE_DATABASE_URL"),
        ("mysql://localhost/shop", "HELPLINE_DATABASE_URL"),
        ("shop.db", "HELPLINE_DATABASE_URL"),
    ],
)
async def test_a_database_that_cannot_be_opened_names_the_setting(url, names):
    with pytest.raises(StoreError) as error:
        await Store.open(url, demo=True)
    message = str(error.value)
    assert names in message
    assert "hunter2" not in message
    assert message.count(".") <= message.count("127.0.0.1") * 3 + message.count(".db") + 1


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path):
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    database = await open_database(url)
    async with database.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()
    with pytest.raises(StoreError, match="newer version"):
        await open_database(url)


async def test_a_database_that_cannot_be_written_is_found_at_the_start(tmp_path, clock):
    path = tmp_path / "shop.db"
    store = await Store.open(f"sqlite:///{path}", demo=True, clock=clock)
    await store.close()
    with pytest.raises(StoreError, match="HELPLINE_DATABASE_URL"):
        await Store.open(f"sqlite:///file:{path}?mode=ro&uri=true", demo=True, clock=clock)


async def test_sqlite_runs_in_wal_mode_with_foreign_keys(tmp_path):
    database = await open_database(f"sqlite:///{tmp_path / 'new folder' / 'shop.db'}")
    async with database.read() as connection:
        pragmas = [
            (await connection.execute(sa.text(f"PRAGMA {name}"))).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous")
        ]
    await database.close()
    assert pragmas == ["wal", 1, 2]


async def test_a_write_that_fails_leaves_nothing_behind(store):
    with pytest.raises(ZeroDivisionError):
        await half_a_change(store)
    assert (await store.shop.orders("maya", "1004"))[0].status == "shipped"


async def half_a_change(store):
    async with store.database.write() as connection:
        await connection.execute(sa.text("UPDATE orders SET status = 'cancelled'"))
        raise ZeroDivisionError


async def test_desks_that_open_side_by_side_take_turns_to_make_their_tables(tmp_path):
    """What upgrades them has one state for the whole process."""
    stores = await asyncio.gather(
        *(Store.open(f"sqlite+aiosqlite:///{tmp_path / str(number)}.db") for number in range(8))
    )
    for store in stores:
        await store.close()
