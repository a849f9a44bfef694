"""Everything that is kept about one customer: given to them, or taken out again."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from helpline.clock import Clock, SystemClock
from helpline.records import archive, work
from helpline.records.draft import Draft
from helpline.records.events import readable
from helpline.records.journal import Journals
from helpline.records.work import Kind
from helpline.settings import Settings
from helpline.store import Store
from helpline.store import call_tables as c
from helpline.store import schema as t


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed, and what could not be yet."""

    removed: Counter[str]
    live_calls: int
    """Calls of the customer that are going on: they leave a record when they end."""


async def forget(
    settings: Settings, store: Store, customer_id: str, kinds: tuple[Kind, ...], clock: Clock | None = None
) -> Forgotten:
    """Erase a customer from everything that the desk keeps, and tell the shop, whose orders are its own.

    Idempotent: what a crash left is removed by the next attempt.
    """
    now = (clock or SystemClock()).utcnow()
    async with store.database.read() as connection:
        calls = (await connection.execute(archive.calls_of(customer_id))).scalars().all()
    traces = _remove_traces(settings, calls)
    journals, live = _remove_journals(settings, customer_id)
    removed = await store.forget(customer_id)
    async with store.database.write() as connection:
        for kind in kinds:
            await work.add(connection, kind, f"forgotten:{customer_id}", now)
    removed["traces"] += traces
    removed["live"] += journals
    return Forgotten(+removed, live)


def _remove_traces(settings: Settings, calls: Any) -> int:
    count = 0
    for call_id in calls:
        for path in (settings.data_dir / "traces").glob(f"{call_id}*"):
            path.unlink(missing_ok=True)
            count += 1
    return count


def _remove_journals(settings: Settings, customer_id: str) -> tuple[int, int]:
    """Journals that a crash left go now; those of live calls are counted."""
    journals = Journals(settings.data_dir)
    removed = 0
    for journal in journals.left_behind():
        draft = Draft.of(readable(journal.read()))
        if draft is not None and customer_id in draft.customers:
            journal.close()
            removed += 1
        else:
            journal.leave()
    live = 0
    for _, events in journals.read_live():
        draft = Draft.of(readable(events))
        live += draft is not None and customer_id in draft.customers
    return removed, live


async def data_of(store: Store, customer_id: str) -> dict[str, Any] | None:
    """Everything that is kept about a customer, as JSON values; None when nothing is."""
    async with store.database.read() as connection:
        calls = (await connection.execute(archive.calls_of(customer_id))).scalars().all()
        own = c.calls.c.id.in_(calls)
        keys = sa.select(t.pseudonyms.c.key).where(
            t.pseudonyms.c.kind == "customer", t.pseudonyms.c.subject_id == customer_id
        )
        queries: dict[str, sa.Select[Any]] = {
            "customer": sa.select(t.customers).where(t.customers.c.id == customer_id),
            "addresses": sa.select(t.addresses).where(t.addresses.c.customer_id == customer_id),
            "payment_methods": sa.select(t.payment_methods).where(
                t.payment_methods.c.customer_id == customer_id
            ),
            "orders": sa.select(t.orders).where(t.orders.c.customer_id == customer_id),
            "callbacks": sa.select(t.callbacks).where(t.callbacks.c.customer_id == customer_id),
            "tickets": sa.select(t.tickets).where(t.tickets.c.customer_id == customer_id),
            "proposals": sa.select(t.proposals).where(t.proposals.c.customer_id == customer_id),
            "sign_ins": sa.select(t.sign_ins.c.at, t.sign_ins.c.expires_at).where(
                t.sign_ins.c.customer_id == customer_id
            ),
            "ledger": sa.select(t.ledger).where(t.ledger.c.customer_key.in_(keys)),
            "messages": sa.select(c.work).where(c.work.c.customer_key.in_(keys)),
            "reads": sa.select(c.reads).where(c.reads.c.subject.in_(calls)),
        }
        found: dict[str, Any] = {
            name: [dict(row) for row in (await connection.execute(query)).mappings()]
            for name, query in queries.items()
        }
        found["calls"] = list((await connection.execute(sa.select(c.calls.c.record).where(own))).scalars())
    if not any(found.values()):
        return None
    data: dict[str, Any] = msgspec.to_builtins(found)
    return data
