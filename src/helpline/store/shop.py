"""The port to a shop, and the shop that lives in our own database.

To connect an order system of your own, write a class with the methods of `Shop` and give it to the desk with
`open_shop` (`docs/shop.md`): `examples/http_shop.py` does so over a small HTTP service. The proposals and the
ledger stay with the desk.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.store import queries
from helpline.store.applying import Writing
from helpline.store.changes import Applied, Outcome, ShopChange, order_of
from helpline.store.database import Database
from helpline.store.records import Customer, Order, Product, Variant


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A change that the customer has said yes to."""

    change: ShopChange
    outcome: Outcome
    customer_id: str | None
    """The verified caller; None when nobody needs to be known (a callback, a ticket)."""
    call_id: str
    key: str
    """The idempotency key: asked again with the same key, a shop does nothing and answers the same."""
    at: datetime


class Shop(Protocol):
    """What the desk needs from a shop. Every method may raise `ToolError` with a sentence to be spoken;
    anything else that it raises is logged and apologised for.
    """

    async def customer(self, customer_id: str) -> Customer | None:
        """One customer."""

    async def customers_by_email(self, email: str) -> tuple[Customer, ...]:
        """Everybody with that e-mail address."""

    async def customers_by_name(self, first_name: str, last_name: str, postcode: str) -> tuple[Customer, ...]:
        """Everybody of that name at that postcode: with more than one the desk asks for something else."""

    async def orders(self, customer_id: str, number: str) -> tuple[Order, ...]:
        """The orders *of this customer* with that number as it was said; somebody else's are unknown."""

    async def latest_orders(self, customer_id: str, limit: int) -> tuple[Order, ...]:
        """The newest orders of this customer, newest first."""

    async def products(self, words: Sequence[str], limit: int) -> tuple[Product, ...]:
        """Products that fit the words, best first; without words, any."""

    async def product(self, product_id: str) -> Product | None:
        """The product of that id, or the one to which the variant of that id belongs."""

    async def variants(self, ids: Iterable[str]) -> Mapping[str, Variant]:
        """Variants by id, the unknown left out."""

    async def apply(self, request: ChangeRequest) -> Applied:
        """Make the change, once a key. The desk checked the policy and heard the yes.

        Raises:
            ToolError: the shop refuses; nothing was changed.
        """


class SqlShop:
    """The shop in our own database. Over a connection all is one transaction, and orders are locked."""

    def __init__(self, database: Database, connection: AsyncConnection | None = None) -> None:
        self._database = database
        self._connection = connection

    def inside(self, connection: AsyncConnection) -> "SqlShop":
        """The same shop within a writing transaction."""
        return SqlShop(self._database, connection)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        if self._connection is not None:
            yield self._connection
            return
        async with self._database.read() as connection:
            yield connection

    async def customer(self, customer_id: str) -> Customer | None:
        """One customer."""
        async with self._reading() as connection:
            return await queries.customer(connection, customer_id)

    async def customers_by_email(self, email: str) -> tuple[Customer, ...]:
        """Everybody with that e-mail address."""
        async with self._reading() as connection:
            return await queries.customers_by_email(connection, email)

    async def customers_by_name(self, first_name: str, last_name: str, postcode: str) -> tuple[Customer, ...]:
        """Everybody of that name at that postcode."""
        async with self._reading() as connection:
            return await queries.customers_by_name(connection, first_name, last_name, postcode)

    async def orders(self, customer_id: str, number: str) -> tuple[Order, ...]:
        """This customer's orders of that number."""
        async with self._reading() as connection:
            return await queries.orders(connection, customer_id, number, lock=self._connection is not None)

    async def latest_orders(self, customer_id: str, limit: int) -> tuple[Order, ...]:
        """This customer's newest orders."""
        async with self._reading() as connection:
            return await queries.latest_orders(connection, customer_id, limit)

    async def products(self, words: Sequence[str], limit: int) -> tuple[Product, ...]:
        """Products that fit the words."""
        async with self._reading() as connection:
            return await queries.products(connection, words, limit)

    async def product(self, product_id: str) -> Product | None:
        """A product by its own id or a variant's."""
        async with self._reading() as connection:
            return await queries.product(connection, product_id)

    async def variants(self, ids: Iterable[str]) -> Mapping[str, Variant]:
        """Variants by id."""
        async with self._reading() as connection:
            return await queries.variants(connection, ids)

    async def apply(self, request: ChangeRequest) -> Applied:
        """Make the change within the transaction it was opened in, or one of its own."""
        if self._connection is None:
            async with self._database.write() as connection:
                return await self.inside(connection).apply(request)
        order = await self._order(request)
        wanted = [swap.new_variant_id for swap in getattr(request.change, "swaps", ())]
        variants = await queries.variants(self._connection, wanted) if wanted else {}
        writing = Writing(self._connection, request.customer_id, request.call_id, request.at)
        reference = await writing.apply(request.change, request.outcome, order, variants)
        return Applied(reference)

    async def _order(self, request: ChangeRequest) -> Order | None:
        order_id = order_of(request.change)
        if order_id is None or request.customer_id is None:
            return None
        return next(iter(await self.orders(request.customer_id, order_id)), None)
