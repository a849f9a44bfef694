"""The database itself: opening, migrating, and the two kinds of transaction.

SQLite runs in WAL mode with foreign keys on. A writing transaction takes SQLite's lock at its start
(`BEGIN IMMEDIATE`) and one `asyncio.Lock` before that: without it sixteen writers wait for each other by
polling, and the slowest takes seconds. On Postgres rows are locked instead.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from helpline.errors import StoreError
from helpline.private import make_file, make_folder

T = TypeVar("T")

HEAD = "0004"
"""The newest migration: a database that is already there does not load Alembic."""

_MIGRATION_LOCK = 0x68656C70  # "help": only a number that no other program is likely to lock
_WRITES = "helpline_writes"


def database_url(url: str) -> sa.URL:
    """The URL with an async driver, from any usual spelling.

    Raises:
        StoreError: not a URL, or neither SQLite nor Postgres.
    """
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise StoreError("HELPLINE_DATABASE_URL is not a database URL.") from error
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+asyncpg")
        case other:
            raise StoreError(f"HELPLINE_DATABASE_URL: {other} is not supported; use sqlite or postgresql.")


def sqlite_file(url: sa.URL) -> Path | None:
    """The database's file, if it is one."""
    name = url.database or ""
    if url.get_backend_name() != "sqlite" or name in ("", ":memory:") or name.startswith("file:"):
        return None
    return Path(name)


@dataclass(frozen=True, slots=True)
class Database:
    """An open database."""

    engine: AsyncEngine
    writer: asyncio.Lock | None
    """One writer at a time on SQLite; None on Postgres."""

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads: one snapshot, thrown away at its end."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes: committed at its end, rolled back by an exception."""
        async with self.writer or nullcontext(), self.engine.connect() as connection:
            await connection.execution_options(**{_WRITES: True})
            async with connection.begin():
                yield connection

    async def compact(self) -> None:
        """Give the space of deleted rows back, so that nothing of them is left in the database's files.

        Raises:
            StoreError: somebody is reading an older state of it, which is why that is kept.
        """
        async with self.writer or nullcontext(), self.engine.connect() as connection:
            bare = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await bare.exec_driver_sql("VACUUM")
            if self.writer is not None:
                busy = (await bare.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar_one()
                if busy:
                    raise StoreError(
                        "What was deleted is still in the database's files, since another program reads them:"
                        " do this again."
                    )

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


async def open_database(url: str) -> Database:
    """Open the database, bring its tables up to date, and make sure that it can be written.

    Raises:
        StoreError: one sentence that names the setting to change.
    """
    parsed = database_url(url)
    _make_place(parsed)
    sqlite = parsed.get_backend_name() == "sqlite"
    options: dict[str, Any] = {}
    if not sqlite:
        options = {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True}
    elif sqlite_file(parsed):
        options = {"pool_size": 20}  # each has a thread: one more or less is slower than waiting
    # An error's text would hold the statement's values: names, numbers, addresses.
    engine = create_async_engine(parsed, hide_parameters=True, **options)
    if sqlite:
        sa.event.listen(engine.sync_engine, "connect", _set_pragmas)
        sa.event.listen(engine.sync_engine, "begin", _begin)
    database = Database(engine, asyncio.Lock() if sqlite else None)
    try:
        await _migrate(database)
    except (SQLAlchemyError, OSError) as error:
        await database.close()
        raise StoreError(_why_unusable(parsed)) from error
    except BaseException:
        await database.close()
        raise
    return database


def _make_place(url: sa.URL) -> None:
    path = sqlite_file(url)
    if path is None:
        return
    try:
        make_folder(path.parent)
        make_file(path)  # SQLite would let everybody read it, and what it writes beside it.
    except OSError as error:
        raise StoreError(_why_unusable(url)) from error


def _why_unusable(url: sa.URL) -> str:
    # The URL may hold a password and the driver's message may hold the URL: neither is repeated here.
    path = sqlite_file(url)
    if path is not None:
        settings = "HELPLINE_DATABASE_URL or HELPLINE_DATA_DIR"
        return f"The database {path} cannot be opened and written: change {settings}."
    return (
        "The database cannot be opened and written: check HELPLINE_DATABASE_URL"
        f" (host {url.host or 'none'}, database {url.database or 'none'})."
    )


def _set_pragmas(dbapi_connection: Any, _record: object) -> None:
    # The driver's own BEGIN would come too late and too weak: `_begin` writes it.
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES) else "BEGIN")


_migrating: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
"""Alembic keeps what it is upgrading in its modules: desks that open side by side take turns."""


async def _migrate(database: Database) -> None:
    turn = _migrating.setdefault(asyncio.get_running_loop(), asyncio.Lock())
    async with turn, database.write() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        if await connection.run_sync(_revision) != HEAD:
            await connection.run_sync(_upgrade)
        # Fails here, at the start, rather than at the first customer's change.
        await connection.execute(sa.text("UPDATE facts SET value = value WHERE name = ''"))


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _upgrade(connection: sa.Connection) -> None:
    # Here and not above: Alembic takes longer to load than an up-to-date database takes to open.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(files("helpline.store") / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            "The database was written by a newer version of Helpline: install that one, or choose another "
            "database with HELPLINE_DATABASE_URL or HELPLINE_DATA_DIR."
        ) from error


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that must not stop half-way; a cancellation waits for its end and then goes on.

    A writing transaction that is cancelled between two statements would leave SQLite's lock with a connection
    that nobody closes, and a change elsewhere would be made and not written down.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # looked at, so that it is not reported as forgotten
        raise cancelled
    return task.result()


async def count_on(connection: AsyncConnection, tables: Iterable[sa.Table]) -> None:
    """After rows with ids of their own were loaded: let Postgres count on behind the highest one."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
            await connection.execute(sa.select(sa.func.setval(sequence, highest, False)))
