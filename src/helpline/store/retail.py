"""The retail layout: products, users and orders in one JSON object, as published benchmarks use it.

An adapter: the layout knows no dates, phones, carriers or stock counts, and names an order's state by its
status and by extra keys. What is imported is exported the same.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.errors import StoreError
from helpline.store import schema as t
from helpline.store.database import count_on
from helpline.store.records import digits_of, order_number
from helpline.store.store import Store, shop_of

SHOP = "retail"
_CHANGED = "pending (item modified)"
MAX_BYTES = 500_000_000
"""A file is read whole: a larger one would take the machine's memory."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""When a return or an exchange was made that the layout gives no date."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How much was loaded."""

    customers: int
    orders: int
    products: int
    variants: int


def read_retail(path: Path) -> dict[str, Any]:
    """The file's content.

    Raises:
        StoreError: it cannot be read, is too large, or is no JSON object; says where.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StoreError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB: split the shop.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise StoreError(f"{path}, line {error.lineno}: it is not JSON from there on.") from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise StoreError(f"{path} cannot be read: it must be a readable JSON file in UTF-8.") from error
    if not isinstance(content, dict):
        raise StoreError(f"{path} must hold one JSON object with products, users and orders.")
    return content


async def import_retail(store: Store, content: Mapping[str, Any]) -> Loaded:
    """Load a shop into an empty database.

    Raises:
        StoreError: the content is not in this layout, or the database holds a shop already.
    """
    reading = _Reading(content)
    try:
        rows = reading.rows()
    except _WRONG as error:
        raise StoreError(
            f"This is not a shop in the retail layout: {reading.place} {_fault(error)}."
        ) from error
    async with store.database.write() as connection:
        if await shop_of(connection) is not None:
            raise StoreError("The database holds a shop already: set HELPLINE_DATABASE_URL to an empty one.")
        for table, values in rows.items():
            if values:
                await _insert(connection, table, values)
        await count_on(connection, rows)
        await connection.execute(sa.insert(t.facts).values(name="shop", value=SHOP))
    return Loaded(*(len(rows[table]) for table in (t.customers, t.orders, t.products, t.variants)))


async def _insert(connection: AsyncConnection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    try:
        async with connection.begin_nested():
            await connection.execute(sa.insert(table), rows)
    except (IntegrityError, DataError, StatementError) as error:
        if len(rows) > 1:
            # Which one it was the database does not say: look again, row by row. Nothing of it stays.
            for row in rows:
                await _insert(connection, table, [row])
        raise StoreError(
            f"This shop contradicts itself at {_place(table, rows[0])}: an id stands twice, a value is none "
            "of those there are, or something names what is not there."
        ) from error


def _place(table: sa.Table, row: Mapping[str, Any]) -> str:
    if row.get("order_id") is not None:
        return f"order {row['order_id']}"
    if table in (t.customers, t.products, t.orders, t.variants):
        kind = {t.customers: "user", t.products: "product", t.orders: "order", t.variants: "item"}[table]
        return f"{kind} {row['id']}"
    if row.get("customer_id") is not None:
        return f"user {row['customer_id']}"
    return f"a row of {table.name.replace('_', ' ')}"


async def export_retail(store: Store) -> dict[str, Any]:
    """The shop in the retail layout."""
    async with store.database.read() as connection:
        return await _Writing(connection).content()


_WRONG = (LookupError, TypeError, ValueError, AttributeError, StopIteration, OverflowError)


def _fault(error: BaseException) -> str:
    """What is wrong there, without the value: it may be personal."""
    if isinstance(error, KeyError):
        return f"has no {error.args[0]}"
    if isinstance(error, StopIteration):
        return "returns or exchanges an item that it does not have"
    if type(error) is LookupError:
        return str(error)
    return "has a value of the wrong kind"


def _cents(amount: float) -> int:
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise TypeError
    return round(amount * 100)


def _address(value: Mapping[str, str]) -> dict[str, str]:
    return {
        "street": value["address1"],
        "apartment": value["address2"],
        "city": value["city"],
        "state": value["state"],
        "postcode": value["zip"],
        "country": value["country"],
    }


class _Reading:
    """The layout turned into rows."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self.place = "the file"
        """What is being read, for whoever has to mend it."""
        self._rows: dict[sa.Table, list[dict[str, Any]]] = {
            table: []
            for table in (
                t.customers, t.payment_methods, t.products, t.variants, t.orders, t.addresses, t.order_lines,
                t.shipments, t.payments, t.returns, t.return_lines, t.exchanges, t.exchange_lines,
            )
        }  # fmt: skip

    def rows(self) -> dict[sa.Table, list[dict[str, Any]]]:
        """All rows by table, in an order that foreign keys allow."""
        for position, (name, product) in enumerate(self._content["products"].items()):
            self.place = f"product {name}"
            self._add_product(position, product)
        self.place = "the file"
        named: set[str] = set()
        for position, (name, user) in enumerate(self._content["users"].items()):
            self.place = f"user {name}"
            self._add_customer(position, user)
        for name, user in self._content["users"].items():
            for position, order_id in enumerate(user["orders"]):
                self.place = f"user {name}"
                order = self._order_of(user, order_id)
                self.place = f"order {order_id}"
                self._add_order(position, order)
                named.add(order_id)
        for order_id in self._content["orders"]:
            if order_id not in named:
                self.place = f"order {order_id}"
                raise LookupError("stands in no user's list of orders")
        return self._rows

    def _order_of(self, user: Mapping[str, Any], order_id: str) -> Mapping[str, Any]:
        orders = self._content.get("orders", {})
        if order_id not in orders:
            raise KeyError(f"order {order_id} in orders")
        order: Mapping[str, Any] = orders[order_id]
        if order["user_id"] != user["user_id"]:
            raise ValueError
        return order

    def _add_product(self, position: int, product: Mapping[str, Any]) -> None:
        own = product["product_id"]
        self._rows[t.products].append(
            {"id": own, "position": position, "name": product["name"], "description": ""}
        )
        for index, variant in enumerate(product["variants"].values()):
            self._rows[t.variants].append(
                {
                    "id": variant["item_id"],
                    "product_id": own,
                    "position": index,
                    "options": variant["options"],
                    "price_cents": _cents(variant["price"]),
                    "available": variant["available"],
                    "stock": None,
                }
            )

    def _add_customer(self, position: int, user: Mapping[str, Any]) -> None:
        self._rows[t.customers].append(
            {
                "id": user["user_id"],
                "position": position,
                "first_name": user["name"]["first_name"],
                "last_name": user["name"]["last_name"],
                "email": user["email"],
                "phone": "",
            }
        )
        self._rows[t.addresses].append(
            {"customer_id": user["user_id"], "order_id": None, **_address(user["address"])}
        )
        for index, method in enumerate(user["payment_methods"].values()):
            balance = method.get("balance")
            self._rows[t.payment_methods].append(
                {
                    "id": method["id"],
                    "customer_id": user["user_id"],
                    "position": index,
                    "kind": method["source"],
                    "brand": method.get("brand", ""),
                    "last_digits": method.get("last_four", ""),
                    "balance_cents": None if balance is None else _cents(balance),
                }
            )

    def _add_order(self, position: int, order: Mapping[str, Any]) -> None:
        own, number = order["order_id"], order_number(order["order_id"])
        changed = order["status"] == _CHANGED
        self._rows[t.orders].append(
            {
                "id": own,
                "number": number,
                "digits": digits_of(number),
                "customer_id": order["user_id"],
                "position": position,
                "status": "pending" if changed else order["status"],
                "items_changed": changed,
                "cancel_reason": order.get("cancel_reason", ""),
                "currency": "USD",
                "version": 1,
            }
        )
        self._rows[t.addresses].append(
            {"customer_id": order["user_id"], "order_id": own, **_address(order["address"])}
        )
        lines = [self._add_line(own, index, item) for index, item in enumerate(order["items"])]
        for index, parcel in enumerate(order["fulfillments"]):
            self._rows[t.shipments].append(
                {
                    "order_id": own,
                    "position": index,
                    "carrier": "",
                    "tracking": parcel["tracking_id"],
                    "variant_ids": parcel["item_ids"],
                }
            )
        for index, payment in enumerate(order["payment_history"]):
            self._rows[t.payments].append(
                {
                    "order_id": own,
                    "position": index,
                    "kind": payment["transaction_type"],
                    "amount_cents": _cents(payment["amount"]),
                    "method_id": payment["payment_method_id"],
                }
            )
        self._add_afterwards(order, lines)

    def _add_line(self, order_id: str, index: int, item: Mapping[str, Any]) -> dict[str, Any]:
        row = {
            "id": len(self._rows[t.order_lines]) + 1,
            "order_id": order_id,
            "position": index,
            "product_id": item["product_id"],
            "variant_id": item["item_id"],
            "name": item["name"],
            "options": item["options"],
            "price_cents": _cents(item["price"]),
            "quantity": 1,
        }
        self._rows[t.order_lines].append(row)
        return row

    def _add_afterwards(self, order: Mapping[str, Any], lines: list[dict[str, Any]]) -> None:
        """A return or an exchange that was asked for before the file was written."""
        if "return_items" in order:
            made = len(self._rows[t.returns]) + 1
            self._rows[t.returns].append(
                {
                    "id": made,
                    "order_id": order["order_id"],
                    "method_id": order["return_payment_method_id"],
                    "at": _EPOCH,
                }
            )
            for line in _lines_of(lines, order["return_items"]):
                self._rows[t.return_lines].append({"return_id": made, "line_id": line["id"], "quantity": 1})
        if "exchange_items" in order:
            made = len(self._rows[t.exchanges]) + 1
            self._rows[t.exchanges].append(
                {
                    "id": made,
                    "order_id": order["order_id"],
                    "method_id": order["exchange_payment_method_id"],
                    "difference_cents": _cents(order["exchange_price_difference"]),
                    "at": _EPOCH,
                }
            )
            old = _lines_of(lines, order["exchange_items"])
            for line, new in zip(old, order["exchange_new_items"], strict=True):
                self._rows[t.exchange_lines].append(
                    {"exchange_id": made, "line_id": line["id"], "new_variant_id": new, "quantity": 1}
                )


def _lines_of(lines: list[dict[str, Any]], item_ids: list[str]) -> list[dict[str, Any]]:
    free = list(lines)
    found = []
    for item_id in item_ids:
        line = next(line for line in free if line["variant_id"] == item_id)
        free.remove(line)
        found.append(line)
    return found


class _Writing:
    """The database turned into the layout."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def content(self) -> dict[str, Any]:
        """Products, users and orders."""
        orders = await self._orders()
        return {"products": await self._products(), "users": await self._users(orders), "orders": orders}

    async def _all(self, table: sa.Table, *by: sa.Column[Any]) -> list[Any]:
        return list((await self._connection.execute(sa.select(table).order_by(*by))).all())

    async def _grouped(self, table: sa.Table, key: str, *by: sa.Column[Any]) -> defaultdict[Any, list[Any]]:
        groups: defaultdict[Any, list[Any]] = defaultdict(list)
        for row in await self._all(table, *by):
            groups[getattr(row, key)].append(row)
        return groups

    async def _products(self) -> dict[str, Any]:
        variants = await self._grouped(t.variants, "product_id", t.variants.c.position)
        return {
            product.id: {
                "name": product.name,
                "product_id": product.id,
                "variants": {
                    variant.id: {
                        "item_id": variant.id,
                        "options": variant.options,
                        "available": variant.available,
                        "price": variant.price_cents / 100,
                    }
                    for variant in variants[product.id]
                },
            }
            for product in await self._all(t.products, t.products.c.position)
        }

    async def _users(self, orders: dict[str, Any]) -> dict[str, Any]:
        methods = await self._grouped(t.payment_methods, "customer_id", t.payment_methods.c.position)
        addresses = await self._grouped(t.addresses, "customer_id", t.addresses.c.id)
        own_orders: defaultdict[str, list[str]] = defaultdict(list)
        for order_id, order in orders.items():
            own_orders[order["user_id"]].append(order_id)
        return {
            customer.id: {
                "user_id": customer.id,
                "name": {"first_name": customer.first_name, "last_name": customer.last_name},
                "address": next(
                    _as_address(address) for address in addresses[customer.id] if address.order_id is None
                ),
                "email": customer.email,
                "payment_methods": {method.id: _as_method(method) for method in methods[customer.id]},
                "orders": own_orders[customer.id],
            }
            for customer in await self._all(t.customers, t.customers.c.position)
        }

    async def _orders(self) -> dict[str, Any]:
        lines = await self._grouped(t.order_lines, "order_id", t.order_lines.c.position, t.order_lines.c.id)
        shipments = await self._grouped(t.shipments, "order_id", t.shipments.c.position)
        payments = await self._grouped(t.payments, "order_id", t.payments.c.position)
        addresses = await self._grouped(t.addresses, "order_id", t.addresses.c.id)
        afterwards = await self._afterwards({line.id: line for own in lines.values() for line in own})
        return {
            order.id: {
                "order_id": order.id,
                "user_id": order.customer_id,
                "address": _as_address(addresses[order.id][0]),
                "items": [item for line in lines[order.id] for item in _as_items(line)],
                "status": _CHANGED if order.items_changed and order.status == "pending" else order.status,
                "fulfillments": [
                    {"tracking_id": parcel.tracking, "item_ids": parcel.variant_ids}
                    for parcel in shipments[order.id]
                ],
                "payment_history": [
                    {
                        "transaction_type": payment.kind,
                        "amount": payment.amount_cents / 100,
                        "payment_method_id": payment.method_id,
                    }
                    for payment in payments[order.id]
                ],
                **({"cancel_reason": order.cancel_reason} if order.cancel_reason else {}),
                **afterwards[order.id],
            }
            for order in await self._all(t.orders, t.orders.c.customer_id, t.orders.c.position)
        }

    async def _afterwards(self, lines: Mapping[int, Any]) -> defaultdict[str, dict[str, Any]]:
        """The extra keys of orders that were returned or exchanged; the layout sorts their lists."""
        extra: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        returned = await self._grouped(t.return_lines, "return_id", t.return_lines.c.id)
        for made in await self._all(t.returns, t.returns.c.id):
            extra[made.order_id] |= {
                "return_items": sorted(
                    lines[each.line_id].variant_id for each in returned[made.id] for _ in range(each.quantity)
                ),
                "return_payment_method_id": made.method_id,
            }
        swapped = await self._grouped(t.exchange_lines, "exchange_id", t.exchange_lines.c.id)
        for made in await self._all(t.exchanges, t.exchanges.c.id):
            units = [each for each in swapped[made.id] for _ in range(each.quantity)]
            extra[made.order_id] |= {
                "exchange_items": sorted(lines[each.line_id].variant_id for each in units),
                "exchange_new_items": sorted(each.new_variant_id for each in units),
                "exchange_payment_method_id": made.method_id,
                "exchange_price_difference": made.difference_cents / 100,
            }
        return extra


def _as_address(row: Any) -> dict[str, str]:
    return {
        "address1": row.street,
        "address2": row.apartment,
        "city": row.city,
        "country": row.country,
        "state": row.state,
        "zip": row.postcode,
    }


def _as_method(row: Any) -> dict[str, Any]:
    method: dict[str, Any] = {"source": row.kind, "id": row.id}
    if row.kind == "credit_card":
        method |= {"brand": row.brand, "last_four": row.last_digits}
    if row.balance_cents is not None:
        method["balance"] = row.balance_cents / 100
    return method


def _as_items(row: Any) -> list[dict[str, Any]]:
    item = {
        "name": row.name,
        "product_id": row.product_id,
        "item_id": row.variant_id,
        "price": row.price_cents / 100,
        "options": row.options,
    }
    return [item] * int(row.quantity)
