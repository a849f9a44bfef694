"""Forgetting a customer: everything personal goes, the ledger stays and still verifies."""

from collections import Counter

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.store import call_tables as c
from helpline.store import schema as t


async def forget(connection: AsyncConnection, customer_id: str) -> Counter[str]:
    """Erase one customer's personal data; gives how many rows of each table were removed or emptied.

    Orders and money stay, without a name: books must balance. The ledger's rows keep pseudonyms that nothing
    leads back from any more.
    """
    erased: Counter[str] = Counter()
    await _forget_calls(connection, customer_id, erased)
    own_orders = sa.select(t.orders.c.id).where(t.orders.c.customer_id == customer_id)
    of_customer = sa.and_(t.pseudonyms.c.kind == "customer", t.pseudonyms.c.subject_id == customer_id)
    of_orders = sa.and_(t.pseudonyms.c.kind == "order", t.pseudonyms.c.subject_id.in_(own_orders))
    await _delete(connection, erased, t.pseudonyms, sa.or_(of_customer, of_orders))
    for table in (t.proposals, t.callbacks, t.tickets, t.login_codes, t.sign_ins):
        await _delete(connection, erased, table, table.c.customer_id == customer_id)
    nameless = {"first_name": "", "last_name": "", "email": "", "phone": ""}
    await _empty(connection, erased, t.customers, t.customers.c.id == customer_id, nameless)
    nowhere = {"street": "", "apartment": "", "city": "", "state": "", "postcode": ""}
    await _empty(connection, erased, t.addresses, t.addresses.c.customer_id == customer_id, nowhere)
    unmarked = {"brand": "", "last_digits": ""}
    own_methods = t.payment_methods.c.customer_id == customer_id
    await _empty(connection, erased, t.payment_methods, own_methods, unmarked)
    return +erased


async def _forget_calls(connection: AsyncConnection, customer_id: str, erased: Counter[str]) -> None:
    """The calls in which they were verified, with what was asked or booked in them before that."""
    keys = sa.select(t.pseudonyms.c.key).where(
        t.pseudonyms.c.kind == "customer", t.pseudonyms.c.subject_id == customer_id
    )
    own_calls = sa.select(c.call_customers.c.call_id).where(c.call_customers.c.customer_key.in_(keys))
    calls = (await connection.execute(own_calls)).scalars().all()
    for table in (t.proposals, t.callbacks, t.tickets):
        await _delete(connection, erased, table, table.c.call_id.in_(calls))
    subjects = [f"call:{call_id}" for call_id in calls]
    await _delete(connection, erased, c.reads, c.reads.c.subject.in_(calls))
    await _delete(
        connection, erased, c.work, sa.or_(c.work.c.customer_key.in_(keys), c.work.c.subject.in_(subjects))
    )
    await _delete(connection, erased, c.announced, c.announced.c.subject.in_(subjects))
    await _delete(connection, erased, c.call_customers, c.call_customers.c.call_id.in_(calls))
    await _delete(connection, erased, c.calls, c.calls.c.id.in_(calls))
    if calls and connection.dialect.name == "sqlite":
        # Deleted words stay in FTS5's older segments until these are merged into new ones.
        await connection.exec_driver_sql("INSERT INTO search_calls(search_calls) VALUES ('rebuild')")


async def _delete(
    connection: AsyncConnection, erased: Counter[str], table: sa.Table, where: sa.ColumnElement[bool]
) -> None:
    erased[table.name] += (await connection.execute(sa.delete(table).where(where))).rowcount


async def _empty(
    connection: AsyncConnection,
    erased: Counter[str],
    table: sa.Table,
    where: sa.ColumnElement[bool],
    values: dict[str, str],
) -> None:
    erased[table.name] += (await connection.execute(sa.update(table).where(where).values(**values))).rowcount
