"""The demo shop: loaded from `data/demo_shop.toml`, with a fixed seed for what the file leaves open.

Its dates are relative to today. They are moved on whenever the shop is opened on a later day, so that the
order that is on its way stays on its way.
"""

import itertools
import random
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.store import schema as t
from helpline.store.database import count_on
from helpline.store.records import ORDER_STATUSES, MethodKind, OrderStatus

SHOP = "demo"
ORDERS = 30
_CARRIERS = ("Swift Parcel", "Northline", "Blue Heron Post")
_TRANSIT_DAYS = 6


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file."""


class _Product(_Part, frozen=True):
    id: str
    name: str
    description: str
    price_cents: int
    options: dict[str, tuple[str, ...]] = {}


class _Method(_Part, frozen=True):
    kind: MethodKind
    brand: str = ""
    last_digits: str = ""
    balance_cents: int | None = None


class _Customer(_Part, frozen=True):
    id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    street: str
    apartment: str
    city: str
    state: str
    postcode: str
    methods: tuple[_Method, ...]


class _Line(_Part, frozen=True):
    product: str
    variant: int
    quantity: int


class _Order(_Part, frozen=True):
    number: str
    customer: str
    status: OrderStatus
    placed_days_ago: int
    lines: tuple[_Line, ...]
    cancel_reason: str = ""


class _File(_Part, frozen=True):
    seed: int
    currency: str
    products: tuple[_Product, ...]
    customers: tuple[_Customer, ...]
    orders: tuple[_Order, ...]


Rows = list[dict[str, Any]]


async def seed(connection: AsyncConnection, today: date) -> None:
    """Fill an empty database with the demo shop as it stands on that day."""
    text = (files("helpline.data") / "demo_shop.toml").read_text(encoding="utf-8")
    content = msgspec.convert(tomllib.loads(text), _File)
    rows = _Seeding(content, today).rows()
    for table, values in rows.items():
        await connection.execute(sa.insert(table), values)
    await count_on(connection, rows)
    await connection.execute(
        sa.insert(t.facts),
        [{"name": "shop", "value": SHOP}, {"name": "dated_on", "value": today.isoformat()}],
    )


@dataclass(frozen=True, slots=True)
class _Steps:
    """When an order took each step; None for one that it has not taken."""

    placed: datetime
    packed: datetime | None
    shipped: datetime | None
    delivered: datetime | None
    ended: datetime | None


class _Seeding:
    """The file turned into rows, the same ones every time but for the dates."""

    def __init__(self, content: _File, today: date) -> None:
        self._content = content
        self._today = today
        self._random = random.Random(content.seed)
        self._rows: dict[sa.Table, Rows] = {
            table: []
            for table in (
                t.customers, t.payment_methods, t.products, t.variants, t.orders, t.addresses, t.order_lines,
                t.shipments, t.payments, t.order_events, t.returns, t.return_lines, t.exchanges,
                t.exchange_lines, t.refunds,
            )
        }  # fmt: skip
        self._variants: dict[str, Rows] = {}

    def rows(self) -> Mapping[sa.Table, Rows]:
        """All rows by table, in an order that foreign keys allow; tables without rows left out."""
        for position, product in enumerate(self._content.products):
            self._add_product(position, product)
        for position, customer in enumerate(self._content.customers):
            self._add_customer(position, customer)
        for position, order in enumerate(itertools.chain(self._content.orders, self._drawn_orders())):
            self._add_order(position, order)
        return {table: rows for table, rows in self._rows.items() if rows}

    def _add_product(self, position: int, product: _Product) -> None:
        self._rows[t.products].append(
            {"id": product.id, "position": position, "name": product.name, "description": product.description}
        )
        self._variants[product.id] = [
            {
                "id": f"{product.id}-{index + 1}",
                "product_id": product.id,
                "position": index,
                "options": dict(zip(product.options, choice, strict=True)),
                "price_cents": product.price_cents,
                "available": True,
                # One in twelve is sold out: somebody has to hear that too.
                "stock": 0 if self._random.random() < 1 / 12 else self._random.randint(3, 40),
            }
            for index, choice in enumerate(itertools.product(*product.options.values()))
        ]
        self._rows[t.variants].extend(self._variants[product.id])

    def _add_customer(self, position: int, customer: _Customer) -> None:
        self._rows[t.customers].append(
            {
                "id": customer.id,
                "position": position,
                "first_name": customer.first_name,
                "last_name": customer.last_name,
                "email": customer.email,
                "phone": customer.phone,
            }
        )
        self._add_address(customer, None)
        for index, method in enumerate(customer.methods):
            self._rows[t.payment_methods].append(
                {
                    "id": f"{customer.id}-{method.kind}",
                    "customer_id": customer.id,
                    "position": index,
                    "kind": method.kind,
                    "brand": method.brand,
                    "last_digits": method.last_digits,
                    "balance_cents": method.balance_cents,
                }
            )

    def _add_address(self, customer: _Customer, order_id: str | None) -> None:
        self._rows[t.addresses].append(
            {
                "customer_id": customer.id,
                "order_id": order_id,
                "street": customer.street,
                "apartment": customer.apartment,
                "city": customer.city,
                "state": customer.state,
                "postcode": customer.postcode,
                "country": "USA",
            }
        )

    def _drawn_orders(self) -> Sequence[_Order]:
        """The orders of everybody but the first customer, every status in turn."""
        others = self._content.customers[1:]
        first = int(self._content.orders[-1].number) + 1
        return [
            self._draw_order(str(first + index), others[index % len(others)].id, ORDER_STATUSES[index % 8])
            for index in range(ORDERS - len(self._content.orders))
        ]

    def _draw_order(self, number: str, customer: str, status: OrderStatus) -> _Order:
        ago = {"pending": (1, 2), "processed": (2, 3), "shipped": (3, 5)}.get(status, (12, 60))
        products = self._random.sample(self._content.products, self._random.randint(1, 3))
        return _Order(
            number=number,
            customer=customer,
            status=status,
            placed_days_ago=self._random.randint(*ago),
            lines=tuple(
                _Line(
                    product.id,
                    self._random.randrange(len(self._variants[product.id])),
                    self._random.choice((1, 1, 1, 2)),
                )
                for product in products
            ),
            cancel_reason="no longer needed" if status == "cancelled" else "",
        )

    def _add_order(self, position: int, order: _Order) -> None:
        customer = next(one for one in self._content.customers if one.id == order.customer)
        steps = self._steps(order)
        self._rows[t.orders].append(
            {
                "id": order.number,
                "number": order.number,
                "digits": order.number,
                "customer_id": customer.id,
                "position": position,
                "status": order.status,
                "items_changed": False,
                "placed_at": steps.placed,
                "expected_on": self._expected(order),
                "delivered_at": steps.delivered,
                "cancel_reason": order.cancel_reason,
                "currency": self._content.currency,
                "version": 1,
            }
        )
        self._add_address(customer, order.number)
        lines = [self._add_line(order, index, line) for index, line in enumerate(order.lines)]
        self._add_money(order, customer, lines)
        self._add_parcel(order, lines, steps)
        self._add_events(order, steps)
        self._add_afterwards(order, customer, lines, steps)

    def _add_line(self, order: _Order, index: int, line: _Line) -> dict[str, Any]:
        variant = self._variants[line.product][line.variant]
        product = next(one for one in self._content.products if one.id == line.product)
        row = {
            "id": len(self._rows[t.order_lines]) + 1,
            "order_id": order.number,
            "position": index,
            "product_id": line.product,
            "variant_id": variant["id"],
            "name": product.name,
            "options": variant["options"],
            "price_cents": variant["price_cents"],
            "quantity": line.quantity,
        }
        self._rows[t.order_lines].append(row)
        return row

    def _add_money(self, order: _Order, customer: _Customer, lines: Rows) -> None:
        # Nobody in the demo paid with a gift card: its balance would have to tell the same story.
        kind = next(method.kind for method in customer.methods if method.kind != "gift_card")
        paid = {
            "order_id": order.number,
            "amount_cents": _total(lines),
            "method_id": f"{customer.id}-{kind}",
        }
        self._rows[t.payments].append({**paid, "position": 0, "kind": "payment"})
        if order.status in ("cancelled", "returned"):
            self._rows[t.payments].append({**paid, "position": 1, "kind": "refund"})
            self._rows[t.refunds].append({**paid, "return_id": None, "state": "paid"})

    def _add_parcel(self, order: _Order, lines: Rows, steps: _Steps) -> None:
        if steps.shipped is None:
            return
        self._rows[t.shipments].append(
            {
                "order_id": order.number,
                "position": 0,
                "carrier": self._random.choice(_CARRIERS),
                "tracking": [f"SM{self._random.randrange(10**8):08d}"],
                "variant_ids": [line["variant_id"] for line in lines],
            }
        )

    def _add_events(self, order: _Order, steps: _Steps) -> None:
        ended = {
            "cancelled": f"Cancelled: {order.cancel_reason}",
            "return requested": "Return requested",
            "exchange requested": "Exchange requested",
            "returned": "Returned and refunded",
        }.get(order.status, "")
        named = (
            (steps.placed, "Order placed"),
            (steps.packed, "Packed"),
            (steps.shipped, "Handed to the carrier"),
            (steps.delivered, "Delivered"),
            (steps.ended, ended),
        )
        self._rows[t.order_events].extend(
            {"order_id": order.number, "at": at, "text": text} for at, text in named if at is not None
        )

    def _add_afterwards(self, order: _Order, customer: _Customer, lines: Rows, steps: _Steps) -> None:
        method = self._rows[t.payments][-1]["method_id"]
        if order.status in ("return requested", "returned"):
            made = len(self._rows[t.returns]) + 1
            self._rows[t.returns].append(
                {"id": made, "order_id": order.number, "method_id": method, "reason": "", "at": steps.ended}
            )
            self._rows[t.return_lines].extend(
                {"return_id": made, "line_id": line["id"], "quantity": line["quantity"]} for line in lines
            )
        if order.status == "return requested":
            self._rows[t.refunds].append(
                {
                    "order_id": order.number,
                    "return_id": len(self._rows[t.returns]),
                    "method_id": method,
                    "amount_cents": _total(lines),
                    "state": "on arrival",
                }
            )
        if order.status == "exchange requested":
            self._add_exchange(order, method, lines[0], steps)

    def _add_exchange(self, order: _Order, method: str, line: dict[str, Any], steps: _Steps) -> None:
        others = [one for one in self._variants[line["product_id"]] if one["id"] != line["variant_id"]]
        made = len(self._rows[t.exchanges]) + 1
        self._rows[t.exchanges].append(
            {
                "id": made,
                "order_id": order.number,
                "method_id": method,
                "difference_cents": 0,
                "at": steps.ended,
            }
        )
        self._rows[t.exchange_lines].append(
            {
                "exchange_id": made,
                "line_id": line["id"],
                "new_variant_id": (others or [{"id": line["variant_id"]}])[0]["id"],
                "quantity": line["quantity"],
            }
        )

    def _at(self, days_ago: float, hour: int, zone: str = "America/New_York") -> datetime:
        on = self._today - timedelta(days=days_ago)
        return datetime.combine(on, time(hour, 15), ZoneInfo(zone))

    def _steps(self, order: _Order) -> _Steps:
        ago, status = order.placed_days_ago, order.status
        arrived = status in ("delivered", "return requested", "exchange requested", "returned")
        packed = arrived or status in ("processed", "shipped")
        shipped = arrived or status == "shipped"
        after = {"cancelled": ago - 1}.get(status, ago - 9)
        ended = status in ("cancelled", "return requested", "exchange requested", "returned")
        return _Steps(
            placed=self._at(ago, 10),
            packed=self._at(ago - 1, 8) if packed else None,
            shipped=self._at(ago - 2, 17) if shipped else None,
            delivered=self._at(ago - 5, 14) if arrived else None,
            ended=self._at(after, 11) if ended else None,
        )

    def _expected(self, order: _Order) -> date | None:
        if order.status == "cancelled":
            return None
        return self._today - timedelta(days=order.placed_days_ago) + timedelta(days=_TRANSIT_DAYS)


def _total(lines: Rows) -> int:
    return sum(line["price_cents"] * line["quantity"] for line in lines)


async def move_dates(connection: AsyncConnection, today: date) -> None:
    """Move every date of the demo shop on by as many days as have passed since it was last opened."""
    query = sa.select(t.facts.c.value).where(t.facts.c.name == "dated_on")
    days = (today - date.fromisoformat((await connection.execute(query)).scalar_one())).days
    if days <= 0:
        return
    for table, columns in (
        (t.orders, ("placed_at", "expected_on", "delivered_at")),
        (t.order_events, ("at",)),
        (t.returns, ("at",)),
        (t.exchanges, ("at",)),
    ):
        await _shift(connection, table, columns, timedelta(days=days))
    await connection.execute(
        sa.update(t.facts).where(t.facts.c.name == "dated_on").values(value=today.isoformat())
    )


async def _shift(
    connection: AsyncConnection, table: sa.Table, columns: tuple[str, ...], by: timedelta
) -> None:
    # Row by row: the two databases add days to a date in different words, and these are few rows.
    rows = (await connection.execute(sa.select(table.c.id, *(table.c[name] for name in columns)))).mappings()
    for row in rows.all():
        later = {name: row[name] + by for name in columns if row[name] is not None}
        await connection.execute(sa.update(table).where(table.c.id == row["id"]).values(**later))
