"""Every question that the shop is asked, in SQL. Each query about orders carries the customer's id."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.store import schema as t
from helpline.store.json_rows import json_rows
from helpline.store.records import (
    Address,
    Customer,
    Event,
    Line,
    Order,
    Payment,
    PaymentMethod,
    Product,
    Shipment,
    Variant,
    digits_of,
    order_number,
)

Row = Mapping[str, Any]

_ADDRESS = (
    t.addresses.c.street,
    t.addresses.c.apartment,
    t.addresses.c.city,
    t.addresses.c.state,
    t.addresses.c.postcode,
    t.addresses.c.country,
)


async def _rows(
    connection: AsyncConnection, query: sa.Select[Any], values: Mapping[str, Any] | None = None
) -> Sequence[Row]:
    result = await connection.execute(query, values)
    return [dict(row) for row in result.mappings()]


# --- customers ---


def _customers() -> sa.Select[Any]:
    # A customer with the own address: the one that belongs to no order.
    own = sa.and_(t.addresses.c.customer_id == t.customers.c.id, t.addresses.c.order_id.is_(None))
    methods = _parts(t.payment_methods, t.payment_methods.c.customer_id == t.customers.c.id)
    return sa.select(t.customers, *_ADDRESS, methods).join_from(t.customers, t.addresses, own)


def _parts(table: sa.Table, whose: sa.ColumnElement[bool]) -> sa.Label[Any]:
    # What hangs on a row, as JSON in the same statement: each statement more is a round trip more.
    return sa.select(json_rows(*table.c)).where(whose).scalar_subquery().label(table.name)


_CUSTOMER = _customers().where(t.customers.c.id == sa.bindparam("whose"))


async def customer(connection: AsyncConnection, customer_id: str) -> Customer | None:
    """One customer with the address and the ways to pay."""
    rows = await _rows(connection, _CUSTOMER, {"whose": customer_id})
    return _customer(rows[0]) if rows else None


async def customers_by_email(connection: AsyncConnection, email: str) -> tuple[Customer, ...]:
    """Everybody with that e-mail address, in any case."""
    query = _customers().where(sa.func.lower(t.customers.c.email) == email.strip().lower()).limit(5)
    return tuple(_customer(row) for row in await _rows(connection, query))


async def customers_by_name(
    connection: AsyncConnection, first_name: str, last_name: str, postcode: str
) -> tuple[Customer, ...]:
    """Everybody of that name who lives there: two may share both."""
    query = (
        _customers()
        .where(sa.func.lower(t.customers.c.first_name) == first_name.strip().lower())
        .where(sa.func.lower(t.customers.c.last_name) == last_name.strip().lower())
        .where(sa.func.lower(t.addresses.c.postcode) == postcode.strip().lower())
        .limit(5)
    )
    return tuple(_customer(row) for row in await _rows(connection, query))


async def first_customers(connection: AsyncConnection, limit: int) -> tuple[Customer, ...]:
    """The first customers in the order in which they were loaded."""
    query = _customers().order_by(t.customers.c.position).limit(limit)
    return tuple(_customer(row) for row in await _rows(connection, query))


def _method(row: Row) -> PaymentMethod:
    return PaymentMethod(
        id=row["id"],
        kind=row["kind"],
        brand=row["brand"],
        last_digits=row["last_digits"],
        balance_cents=row["balance_cents"],
    )


def _in_order(row: Row, table: sa.Table, by: str = "position") -> list[Row]:
    return sorted(row[table.name] or (), key=lambda part: (part[by], part["id"]))


def _customer(row: Row) -> Customer:
    return Customer(
        id=row["id"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"],
        phone=row["phone"],
        address=_address(row),
        methods=tuple(_method(part) for part in _in_order(row, t.payment_methods)),
    )


def _address(row: Row) -> Address:
    return Address(
        street=row["street"],
        apartment=row["apartment"],
        city=row["city"],
        state=row["state"],
        postcode=row["postcode"],
        country=row["country"],
    )


# --- orders ---


def _orders(customer_id: str) -> sa.Select[Any]:
    # One customer's orders, each with the address that it goes to and with everything that hangs on it.
    hanging = (t.order_lines, t.shipments, t.payments, t.order_events)
    return (
        sa.select(
            t.orders, *_ADDRESS, *(_parts(table, table.c.order_id == t.orders.c.id) for table in hanging)
        )
        .join_from(t.orders, t.addresses, t.addresses.c.order_id == t.orders.c.id)
        .where(t.orders.c.customer_id == customer_id)
    )


async def orders(
    connection: AsyncConnection, customer_id: str, said: str, *, lock: bool = False
) -> tuple[Order, ...]:
    """The customer's orders of that number, said with or without its letters."""
    number = order_number(said)
    spoken_digits = digits_of(number)
    matches = [t.orders.c.id == said, t.orders.c.number == number]
    if number == spoken_digits and number:
        matches.append(t.orders.c.digits == spoken_digits)
    query = _orders(customer_id).where(sa.or_(*matches)).limit(5)
    if lock:
        query = query.with_for_update(of=t.orders)
    return tuple(_order(row) for row in await _rows(connection, query))


async def latest_orders(connection: AsyncConnection, customer_id: str, limit: int) -> tuple[Order, ...]:
    """The customer's newest orders, newest first."""
    newest = (sa.nulls_last(t.orders.c.placed_at.desc()), t.orders.c.position.desc())
    query = _orders(customer_id).order_by(*newest).limit(limit)
    return tuple(_order(row) for row in await _rows(connection, query))


def _order(row: Row) -> Order:
    return Order(
        id=row["id"],
        number=row["number"],
        customer_id=row["customer_id"],
        status=row["status"],
        items_changed=row["items_changed"],
        placed_at=row["placed_at"],
        expected_on=row["expected_on"],
        delivered_at=row["delivered_at"],
        cancel_reason=row["cancel_reason"],
        currency=row["currency"],
        version=row["version"],
        address=_address(row),
        lines=tuple(_line(part) for part in _in_order(row, t.order_lines)),
        shipments=tuple(_shipment(part) for part in _in_order(row, t.shipments)),
        payments=tuple(
            Payment(part["kind"], part["amount_cents"], part["method_id"])
            for part in _in_order(row, t.payments)
        ),
        events=tuple(Event(_time(part["at"]), part["text"]) for part in _in_order(row, t.order_events, "at")),
    )


def _time(text: str) -> datetime:
    # Within JSON a time is text: with its offset from Postgres, bare UTC from SQLite.
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _line(row: Row) -> Line:
    return Line(
        id=row["id"],
        product_id=row["product_id"],
        variant_id=row["variant_id"],
        name=row["name"],
        options=row["options"],
        price_cents=row["price_cents"],
        quantity=row["quantity"],
    )


def _shipment(row: Row) -> Shipment:
    return Shipment(row["carrier"], tuple(row["tracking"]), tuple(row["variant_ids"]))


# --- the catalogue ---


async def products(connection: AsyncConnection, words: Sequence[str], limit: int) -> tuple[Product, ...]:
    """Products whose name or description has any of the words, those with most of them first.

    Without words, the first products of the catalogue.
    """
    query = _products()
    if words:
        text = sa.func.lower(t.products.c.name + " " + t.products.c.description)
        name = sa.func.lower(t.products.c.name)
        hits = [sa.case((text.contains(word, autoescape=True), 1), else_=0) for word in words]
        named = [sa.case((name.contains(word, autoescape=True), 3), else_=0) for word in words]
        score = sum((*hits, *named), start=sa.literal(0))
        query = query.where(score > 0).order_by(score.desc())
    query = query.order_by(t.products.c.position).limit(limit)
    return tuple(_product(row) for row in await _rows(connection, query))


async def product(connection: AsyncConnection, product_id: str) -> Product | None:
    """The product of that id, or the one that the variant of that id belongs to."""
    of_variant = sa.select(t.variants.c.product_id).where(t.variants.c.id == product_id)
    query = _products().where(sa.or_(t.products.c.id == product_id, t.products.c.id.in_(of_variant)))
    rows = await _rows(connection, query)
    return _product(rows[0]) if rows else None


def _products() -> sa.Select[Any]:
    return sa.select(t.products, _parts(t.variants, t.variants.c.product_id == t.products.c.id))


def _product(row: Row) -> Product:
    variants = tuple(_variant({**part, "name": row["name"]}) for part in _in_order(row, t.variants))
    return Product(row["id"], row["name"], row["description"], variants)


async def variants(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, Variant]:
    """Variants by id; unknown ids are left out."""
    query = (
        sa.select(t.variants, t.products.c.name)
        .join_from(t.variants, t.products)
        .where(t.variants.c.id.in_(sorted(set(ids))))
    )
    return {row["id"]: _variant(row) for row in await _rows(connection, query)}


def _variant(row: Row) -> Variant:
    return Variant(
        id=row["id"],
        product_id=row["product_id"],
        name=row["name"],
        options=row["options"],
        price_cents=row["price_cents"],
        available=bool(row["available"]),
        stock=row["stock"],
    )
