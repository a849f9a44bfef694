"""The desk's own database, opened once: the shop, the proposals and the ledger."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.actions import Caller, Identity
from helpline.clock import Clock, SystemClock
from helpline.errors import StoreError
from helpline.store import demo, erasing, ledger, queries
from helpline.store import schema as t
from helpline.store.database import Database, database_url, open_database, sqlite_file
from helpline.store.shop import SqlShop

DEMO_CUSTOMERS = 8


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. Make one with `Store.open`, and close it."""

    database: Database
    shop: SqlShop
    anchor: ledger.Anchor | None
    clock: Clock
    _demo: tuple[Caller, ...]

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        data_dir: Path | None = None,
        demo: bool = False,
        anchor: Path | None = None,
        clock: Clock | None = None,
    ) -> "Store":
        """Open the database at `url`, bring its tables up to date, and seed the demo shop if asked to.

        `anchor` is the file that remembers the ledger's entries. Left out, it is a SQLite file's neighbour,
        and for Postgres a file in `data_dir` named after server and database (without `data_dir` there is
        none). An empty database becomes the demo shop; one that holds another shop stays as it is.

        Raises:
            StoreError: one sentence that names the setting to change.
        """
        clock = clock or SystemClock()
        database = await open_database(url)
        try:
            callers = await _open_demo(database, clock) if demo else ()
        except SQLAlchemyError as error:
            await database.close()
            raise StoreError("The demo shop cannot be written: change HELPLINE_DATABASE_URL.") from error
        except BaseException:
            await database.close()
            raise
        return cls(database, SqlShop(database), _anchor(anchor, url, data_dir), clock, callers)

    async def demo_customers(self) -> tuple[Caller, ...]:
        """The demo shop's customers, the owner of orders 1001 to 1006 first; empty for any other shop."""
        return self._demo

    async def verify_ledger(self) -> tuple[ledger.Flaw, ...]:
        """Every place where the ledger is not what it was; empty when it is whole."""
        async with self.database.read() as connection:
            return await ledger.verify(connection, self.anchor)

    async def forget(self, customer_id: str) -> Counter[str]:
        """Erase everything personal about a customer, down to the bytes on the disk; the ledger stays whole.

        Gives how many rows of each table were removed or emptied.
        """
        async with self.database.write() as connection:
            erased = await erasing.forget(connection, customer_id)
        await self.database.compact()
        return erased

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()


def _anchor(path: Path | None, url: str, data_dir: Path | None) -> ledger.Anchor | None:
    """None for a database in memory alone, which ends with its ledger, and where no folder is given."""
    parsed = database_url(url)
    if path is None and parsed.get_backend_name() == "sqlite":
        file = sqlite_file(parsed)
        path = file and file.with_name(file.name + ".anchor")
    elif path is None and data_dir is not None:
        # Without user and password, which change while the database stays the same one.
        where = f"{parsed.host or parsed.query.get('host')}:{parsed.port or 5432}/{parsed.database}"
        path = data_dir / f"ledger-{hashlib.sha256(where.encode()).hexdigest()[:16]}.anchor"
    return ledger.Anchor(path) if path else None


async def _open_demo(database: Database, clock: Clock) -> tuple[Caller, ...]:
    today = clock.utcnow().date()
    async with database.write() as connection:
        shop = await shop_of(connection)
        if shop is None:
            await demo.seed(connection, today)
        elif shop != demo.SHOP:
            return ()
        await demo.move_dates(connection, today)
        customers = await queries.first_customers(connection, DEMO_CUSTOMERS)
    return tuple(
        Caller(customer_id=one.id, name=one.name, identity=Identity.PROVEN, how="demo") for one in customers
    )


async def shop_of(connection: AsyncConnection) -> str | None:
    """Which shop the database holds: `demo`, `retail`, or None when it is empty."""
    query = sa.select(t.facts.c.value).where(t.facts.c.name == "shop")
    name: str | None = (await connection.execute(query)).scalar_one_or_none()
    return name
