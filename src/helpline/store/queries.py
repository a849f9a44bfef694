"""Every question that the shop is asked, in SQL. Each query about orders carries the customer's id."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.store import schema as t
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


async def _rows(connection: AsyncConnection, query: sa.Select[Any]) -> Sequence[Row]:
    result = await connection.execute(query)
    return [dict(row) for row in result.mappings()]


# --- customers ---


def _customers() -> sa.Select[Any]:
    # A customer with the own address: the one that belongs to no order.
    own = sa.and_(t.addresses.c.customer_id == t.customers.c.id, t.addresses.c.order_id.is_(None))
    return sa.select(t.customers, *_ADDRESS).join_from(t.customers, t.addresses, own)


async def customer(connection: AsyncConnection, customer_id: str, *, lock: bool = False) -> Customer | None:
    """One customer with the address and the ways to pay."""
    query = _customers().where(t.customers.c.id == customer_id)
    found = await _with_methods(connection, await _rows(connection, query), lock=lock)
    return found[0] if found else None


async def customers_by_email(connection: AsyncConnection, email: str) -> tuple[Customer, ...]:
    """Everybody with that e-mail address, in any case."""
    query = _customers().where(sa.func.lower(t.customers.c.email) == email.strip().lower()).limit(5)
    return await _with_methods(connection, await _rows(connection, query))


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
    return await _with_methods(connection, await _rows(connection, query))


async def first_customers(connection: AsyncConnection, limit: int) -> tuple[Customer, ...]:
    """The first customers in the order in which they were loaded."""
    query = _customers().order_by(t.customers.c.position).limit(limit)
    return await _with_methods(connection, await _rows(connection, query))


async def _with_methods(
    connection: AsyncConnection, rows: Sequence[Row], *, lock: bool = False
) -> tuple[Customer, ...]:
    if not rows:
        return ()
    query = (
        sa.select(t.payment_methods)
        .where(t.payment_methods.c.customer_id.in_([row["id"] for row in rows]))
        .order_by(t.payment_methods.c.position)
    )
    if lock:
        query = query.with_for_update()
    methods: defaultdict[str, list[PaymentMethod]] = defaultdict(list)
    for row in await _rows(connection, query):
        methods[row["customer_id"]].append(_method(row))
    return tuple(_customer(row, methods[row["id"]]) for row in rows)


def _method(row: Row) -> PaymentMethod:
    return PaymentMethod(
        id=row["id"],
        kind=row["kind"],
        brand=row["brand"],
        last_digits=row["last_digits"],
        balance_cents=row["balance_cents"],
    )


def _customer(row: Row, methods: Iterable[PaymentMethod]) -> Customer:
    return Customer(
        id=row["id"],
        first_name=row["first_name"],
        last_name=row["last_name"],
        email=row["email"],
        phone=row["phone"],
        address=_address(row),
        methods=tuple(methods),
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
    # One customer's orders with the address that each goes to.
    return (
        sa.select(t.orders, *_ADDRESS)
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
    return await _with_parts(connection, await _rows(connection, query))


async def latest_orders(connection: AsyncConnection, customer_id: str, limit: int) -> tuple[Order, ...]:
    """The customer's newest orders, newest first."""
    newest = (sa.nulls_last(t.orders.c.placed_at.desc()), t.orders.c.position.desc())
    query = _orders(customer_id).order_by(*newest).limit(limit)
    return await _with_parts(connection, await _rows(connection, query))


async def _with_parts(connection: AsyncConnection, rows: Sequence[Row]) -> tuple[Order, ...]:
    if not rows:
        return ()
    ids = [row["id"] for row in rows]
    lines = await _by_order(connection, t.order_lines, ids, t.order_lines.c.position)
    shipments = await _by_order(connection, t.shipments, ids, t.shipments.c.position)
    payments = await _by_order(connection, t.payments, ids, t.payments.c.position)
    events = await _by_order(connection, t.order_events, ids, t.order_events.c.at)
    return tuple(
        Order(
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
            lines=tuple(_line(line) for line in lines[row["id"]]),
            shipments=tuple(_shipment(parcel) for parcel in shipments[row["id"]]),
            payments=tuple(
                Payment(entry["kind"], entry["amount_cents"], entry["method_id"])
                for entry in payments[row["id"]]
            ),
            events=tuple(Event(event["at"], event["text"]) for event in events[row["id"]]),
        )
        for row in rows
    )


async def _by_order(
    connection: AsyncConnection, table: sa.Table, order_ids: list[str], by: sa.Column[Any]
) -> defaultdict[str, list[Row]]:
    # What hangs on these orders. The ids come from a query that carried the customer's.
    query = sa.select(table).where(table.c.order_id.in_(order_ids)).order_by(by, table.c.id)
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in await _rows(connection, query):
        found[row["order_id"]].append(row)
    return found


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
    query = sa.select(t.products)
    if words:
        text = sa.func.lower(t.products.c.name + " " + t.products.c.description)
        name = sa.func.lower(t.products.c.name)
        hits = [sa.case((text.contains(word, autoescape=True), 1), else_=0) for word in words]
        named = [sa.case((name.contains(word, autoescape=True), 3), else_=0) for word in words]
        score = sum((*hits, *named), start=sa.literal(0))
        query = query.where(score > 0).order_by(score.desc())
    query = query.order_by(t.products.c.position).limit(limit)
    return await _with_variants(connection, await _rows(connection, query))


async def product(connection: AsyncConnection, product_id: str) -> Product | None:
    """The product of that id, or the one that the variant of that id belongs to."""
    of_variant = sa.select(t.variants.c.product_id).where(t.variants.c.id == product_id)
    query = sa.select(t.products).where(
        sa.or_(t.products.c.id == product_id, t.products.c.id.in_(of_variant))
    )
    found = await _with_variants(connection, await _rows(connection, query))
    return found[0] if found else None


async def _with_variants(connection: AsyncConnection, rows: Sequence[Row]) -> tuple[Product, ...]:
    if not rows:
        return ()
    ids = [row["id"] for row in rows]
    query = _variants().where(t.variants.c.product_id.in_(ids)).order_by(t.variants.c.position)
    of: defaultdict[str, list[Variant]] = defaultdict(list)
    for row in await _rows(connection, query):
        of[row["product_id"]].append(_variant(row))
    return tuple(Product(row["id"], row["name"], row["description"], tuple(of[row["id"]])) for row in rows)


def _variants() -> sa.Select[Any]:
    return sa.select(t.variants, t.products.c.name).join_from(t.variants, t.products)


async def variants(
    connection: AsyncConnection, ids: Iterable[str], *, lock: bool = False
) -> dict[str, Variant]:
    """Variants by id; unknown ids are left out."""
    query = _variants().where(t.variants.c.id.in_(sorted(set(ids)))).order_by(t.variants.c.id)
    if lock:
        query = query.with_for_update(of=t.variants)
    return {row["id"]: _variant(row) for row in await _rows(connection, query)}


def _variant(row: Row) -> Variant:
    return Variant(
        id=row["id"],
        product_id=row["product_id"],
        name=row["name"],
        options=row["options"],
        price_cents=row["price_cents"],
        available=row["available"],
        stock=row["stock"],
    )
