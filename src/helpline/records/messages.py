"""What the desk tells others: each message is written from the database at the moment it is sent."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.errors import HelplineError
from helpline.records import archive
from helpline.store import Store
from helpline.store import schema as t


class NothingToSay(HelplineError):
    """What the work is about is gone: there is nothing to do any more."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message: JSON values only."""

    type: str
    """`call.ended`, `receipt.made`, `callback.booked`, `ticket.opened`, `customer.forgotten`."""
    data: dict[str, Any]


async def message_about(store: Store, subject: str) -> Message:
    """The message about a piece of work's subject.

    Raises:
        NothingToSay: it was forgotten meanwhile.
    """
    kind, _, key = subject.partition(":")
    async with store.database.read() as connection:
        match kind:
            case "call":
                return await _call(connection, key)
            case "receipt":
                return await _receipt(connection, int(key))
            case "callback":
                return await _callback(connection, int(key))
            case "ticket":
                return await _ticket(connection, int(key))
            case "forgotten":
                return Message("customer.forgotten", {"customer_id": key})
            case _:
                raise NothingToSay


async def _call(connection: AsyncConnection, call_id: str) -> Message:
    record = await archive.find(connection, call_id)
    if record is None:
        raise NothingToSay
    told = (
        "id", "channel", "language", "started_at", "ended_at", "outcome", "reason", "summary", "next_step",
        "promises", "usage",
    )  # fmt: skip
    data = {name: record[name] for name in told}
    data["receipts"] = [receipt["reference"] for receipt in record["receipts"]]
    data["customer_ids"] = [await _customer(connection, key) for key in record["customers"]]
    return Message("call.ended", data)


async def _receipt(connection: AsyncConnection, seq: int) -> Message:
    row = (await connection.execute(sa.select(t.ledger).where(t.ledger.c.seq == seq))).one_or_none()
    if row is None:
        raise NothingToSay
    data = {
        "reference": row.reference,
        "action": row.action,
        "amount_cents": row.amount_cents,
        "currency": row.currency,
        "at": row.at,
        "call_id": row.call_id,
        "customer_id": await _customer(connection, row.customer_key) if row.customer_key else None,
        "order": await _order(connection, row.order_key),
    }
    return Message("receipt.made", data)


async def _customer(connection: AsyncConnection, key: str) -> str:
    subject = await _subject(connection, "customer", key)
    if subject is None:
        raise NothingToSay
    return subject


async def _order(connection: AsyncConnection, key: str) -> str | None:
    order_id = await _subject(connection, "order", key)
    query = sa.select(t.orders.c.number).where(t.orders.c.id == order_id)
    number: str | None = (await connection.execute(query)).scalar_one_or_none()
    return number or order_id


async def _subject(connection: AsyncConnection, kind: str, key: str) -> str | None:
    query = sa.select(t.pseudonyms.c.subject_id).where(t.pseudonyms.c.kind == kind, t.pseudonyms.c.key == key)
    found: str | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def _callback(connection: AsyncConnection, callback_id: int) -> Message:
    row = await _row(connection, t.callbacks, callback_id)
    names = ("id", "phone", "topic", "state", "call_id", "customer_id")
    return Message("callback.booked", {**{name: row[name] for name in names}, "at": row["at"].isoformat()})


async def _ticket(connection: AsyncConnection, ticket_id: int) -> Message:
    row = await _row(connection, t.tickets, ticket_id)
    names = ("id", "kind", "subject", "body", "state", "call_id", "customer_id")
    return Message("ticket.opened", {**{name: row[name] for name in names}, "at": row["at"].isoformat()})


async def _row(connection: AsyncConnection, table: sa.Table, row_id: int) -> sa.RowMapping:
    row = (await connection.execute(sa.select(table).where(table.c.id == row_id))).mappings().one_or_none()
    if row is None:
        raise NothingToSay
    return row
