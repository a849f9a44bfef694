"""A company's own order system in the place of our tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy.dialects import postgresql, sqlite

from helpline.store import schema as t
from helpline.store.changes import Applied
from helpline.store.database import Database
from helpline.store.records import Customer, Order, Product, Variant
from helpline.store.shop import ChangeRequest, Shop

_REMEMBERED: Final = 10_000


class ShopElsewhere:
    """The company's shop, as it answers; of its customers our database has the ids alone.

    Proposals, codes and sign-ins point at a customer: whom the shop knows gets a row here, without a name.
    """

    def __init__(self, shop: Shop, database: Database) -> None:
        self._shop = shop
        self._database = database
        self._noted: set[str] = set()
        """Ids that have their row, so that a customer costs one write."""

    async def customer(self, customer_id: str) -> Customer | None:
        """One customer."""
        found = await self._shop.customer(customer_id)
        await self._note((found,) if found is not None else ())
        return found

    async def customers_by_email(self, email: str) -> tuple[Customer, ...]:
        """Everybody with that e-mail address."""
        return await self._note(await self._shop.customers_by_email(email))

    async def customers_by_name(self, first_name: str, last_name: str, postcode: str) -> tuple[Customer, ...]:
        """Everybody of that name at that postcode."""
        return await self._note(await self._shop.customers_by_name(first_name, last_name, postcode))

    async def orders(self, customer_id: str, number: str) -> tuple[Order, ...]:
        """This customer's orders of that number."""
        return await self._shop.orders(customer_id, number)

    async def latest_orders(self, customer_id: str, limit: int) -> tuple[Order, ...]:
        """This customer's newest orders."""
        return await self._shop.latest_orders(customer_id, limit)

    async def products(self, words: Sequence[str], limit: int) -> tuple[Product, ...]:
        """Products that fit the words."""
        return await self._shop.products(words, limit)

    async def product(self, product_id: str) -> Product | None:
        """A product by its own id or a variant's."""
        return await self._shop.product(product_id)

    async def variants(self, ids: Iterable[str]) -> Mapping[str, Variant]:
        """Variants by id."""
        return await self._shop.variants(ids)

    async def apply(self, request: ChangeRequest) -> Applied:
        """Make the change there."""
        return await self._shop.apply(request)

    async def _note(self, found: tuple[Customer, ...]) -> tuple[Customer, ...]:
        new = {each.id for each in found} - self._noted
        if new:
            if len(self._noted) > _REMEMBERED:
                self._noted.clear()
            rows = [
                {"id": each, "position": 0, "first_name": "", "last_name": "", "email": ""}
                for each in sorted(new)
            ]
            async with self._database.write() as connection:
                dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
                await connection.execute(dialect.insert(t.customers).on_conflict_do_nothing(), rows)
            self._noted |= new
        return found
