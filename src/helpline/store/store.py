"""The desk's own database, opened once: the shop, the proposals and the ledger."""

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
        cls, url: str, *, demo: bool = False, anchor: Path | None = None, clock: Clock | None = None
    ) -> "Store":
        """Open the database at `url`, bring its tables up to date, and seed the demo shop if asked to.

        `anchor` is the file that remembers the ledger's head; for a SQLite file it is its neighbour when
        left out. An empty database becomes the demo shop; one that holds another shop stays as it is.

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
        path = anchor or _beside(url)
        return cls(database, SqlShop(database), ledger.Anchor(path) if path else None, clock, callers)

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


def _beside(url: str) -> Path | None:
    path = sqlite_file(database_url(url))
    return path.with_name(path.name + ".anchor") if path else None


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
