"""Forgetting a customer: everything personal goes, the ledger stays and still verifies."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.store import schema as t


async def forget(connection: AsyncConnection, customer_id: str) -> None:
    """Erase one customer's personal data.

    Orders and money stay, without a name: books must balance. The ledger's rows keep pseudonyms that nothing
    leads back from any more.
    """
    own_orders = sa.select(t.orders.c.id).where(t.orders.c.customer_id == customer_id)
    await connection.execute(
        sa.delete(t.pseudonyms).where(
            sa.or_(
                sa.and_(t.pseudonyms.c.kind == "customer", t.pseudonyms.c.subject_id == customer_id),
                sa.and_(t.pseudonyms.c.kind == "order", t.pseudonyms.c.subject_id.in_(own_orders)),
            )
        )
    )
    for table in (t.proposals, t.callbacks, t.tickets, t.login_codes):
        await connection.execute(sa.delete(table).where(table.c.customer_id == customer_id))
    nameless = {"first_name": "", "last_name": "", "email": "", "phone": ""}
    await connection.execute(sa.update(t.customers).where(t.customers.c.id == customer_id).values(**nameless))
    nowhere = {"street": "", "apartment": "", "city": "", "state": "", "postcode": ""}
    own = t.addresses.c.customer_id == customer_id
    await connection.execute(sa.update(t.addresses).where(own).values(**nowhere))
    await connection.execute(
        sa.update(t.payment_methods)
        .where(t.payment_methods.c.customer_id == customer_id)
        .values(brand="", last_digits="")
    )
