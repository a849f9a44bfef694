"""What is left to do when a call has ended: summaries to make and messages to deliver, at least once.

Rules:
- A piece of work is a row with a stable id, written in the transaction that made it necessary, or found
  missing by `gather`; so a crash loses none. The same id is the same work.
- Whoever does it leases it first: a worker that dies holding it is overtaken when the lease runs out.
- What fails is tried again, ever later, for a day; then it is `failed`, and stays to be looked at.
- A row says what the work is about, never what it says: a message is written when it is sent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.records.archive import insert_new
from helpline.store import call_tables as c
from helpline.store import schema as t
from helpline.store.schema import UtcTime

Kind = Literal["summary", "webhook", "mail"]

LEASE_S: Final = 60
RETRIES_S: Final = (1, 5, 30, 120, 600, 1800, 3600, *(7200,) * 11)
"""How long to wait after each failure: a day in all."""


@dataclass(frozen=True, slots=True)
class Work:
    id: str
    kind: Kind
    subject: str
    """What it is about: `call:call_1f`, `receipt:55`, `callback:3`, `ticket:7`, `forgotten:maya`."""
    attempts: int


async def add(
    connection: AsyncConnection, kind: Kind, subject: str, now: datetime, *, customer_key: str = ""
) -> None:
    """Put work down, unless it is there."""
    row = {
        "id": f"{kind}-{subject.replace(':', '-')}",
        "kind": kind,
        "subject": subject,
        "customer_key": customer_key,
        "state": "waiting",
        "attempts": 0,
        "made_at": now,
        "due_at": now,
    }
    await insert_new(connection, c.work, row)


async def gather(connection: AsyncConnection, kinds: tuple[Kind, ...], now: datetime) -> None:
    """Put down what was done since: receipts, callbacks and tickets that nobody was told about yet.

    What happened while there was nobody to tell is not told later.
    """
    for subject, key in await _new_receipts(connection):
        for kind in kinds:
            await add(connection, kind, subject, now, customer_key=key)
    for subject, key in await _new_promises(connection):
        if await insert_new(connection, c.announced, {"subject": subject}):
            for kind in kinds:
                await add(connection, kind, subject, now, customer_key=key)


async def _new_receipts(connection: AsyncConnection) -> list[tuple[str, str]]:
    """The ledger's entries behind the last one that was seen: it has no gaps, and grows in order."""
    await insert_new(connection, t.facts, {"name": _SEEN, "value": "0"})
    own = t.facts.c.name == _SEEN
    seen = int(
        (await connection.execute(sa.select(t.facts.c.value).where(own).with_for_update())).scalar_one()
    )
    query = sa.select(t.ledger.c.seq, t.ledger.c.customer_key).where(t.ledger.c.seq > seen)
    rows = (await connection.execute(query.order_by(t.ledger.c.seq))).all()
    if rows:
        await connection.execute(sa.update(t.facts).where(own).values(value=str(rows[-1].seq)))
    return [(f"receipt:{row.seq}", row.customer_key) for row in rows]


_SEEN: Final = "receipts told of"
_OPEN: Final = ("booked", "open")


async def _new_promises(connection: AsyncConnection) -> list[tuple[str, str]]:
    """Open callbacks and tickets, with their customers' pseudonyms where they have one."""
    found = []
    for kind, table in (("callback", t.callbacks), ("ticket", t.tickets)):
        subject = f"{kind}:" + sa.cast(table.c.id, sa.String)
        key = sa.and_(t.pseudonyms.c.kind == "customer", t.pseudonyms.c.subject_id == table.c.customer_id)
        told = sa.select(c.announced.c.subject).where(c.announced.c.subject == subject).exists()
        query = (
            sa.select(subject.label("subject"), t.pseudonyms.c.key)
            .join_from(table, t.pseudonyms, key, isouter=True)
            .where(table.c.state.in_(_OPEN), ~told)
            .order_by(table.c.id)
        )
        found += [(row.subject, row.key or "") for row in await connection.execute(query)]
    return found


async def take(connection: AsyncConnection, now: datetime, kinds: tuple[Kind, ...]) -> Work | None:
    """Lease the work of these kinds that is due longest; None when nothing is due."""
    free = sa.or_(c.work.c.leased_until.is_(None), c.work.c.leased_until <= now)
    query = (
        sa.select(c.work)
        .where(c.work.c.state == "waiting", c.work.c.kind.in_(kinds), c.work.c.due_at <= now, free)
        .order_by(c.work.c.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    await _write(connection, row.id, leased_until=now + timedelta(seconds=LEASE_S), attempts=row.attempts + 1)
    return Work(row.id, row.kind, row.subject, row.attempts + 1)


async def finish(connection: AsyncConnection, work: Work, now: datetime) -> None:
    """It is done, or there is nothing to do any more."""
    await _write(connection, work.id, state="done", done_at=now, leased_until=None, error="")


async def postpone(connection: AsyncConnection, work: Work, now: datetime, error: str) -> None:
    """It failed: try again later, or give it up. `error` says how, and nothing personal."""
    if work.attempts > len(RETRIES_S):
        await _write(connection, work.id, state="failed", done_at=now, leased_until=None, error=error[:200])
        return
    due = now + timedelta(seconds=RETRIES_S[work.attempts - 1])
    await _write(connection, work.id, due_at=due, leased_until=None, error=error[:200])


async def _write(connection: AsyncConnection, work_id: str, **values: object) -> None:
    await connection.execute(sa.update(c.work).where(c.work.c.id == work_id).values(**values))


async def next_due(connection: AsyncConnection, kinds: tuple[Kind, ...]) -> datetime | None:
    """When the next work of these kinds is due or its lease runs out; None when nothing waits."""
    when = sa.func.min(sa.func.coalesce(c.work.c.leased_until, c.work.c.due_at), type_=UtcTime())
    query = sa.select(when).where(c.work.c.state == "waiting", c.work.c.kind.in_(kinds))
    found: datetime | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def counts(connection: AsyncConnection) -> tuple[dict[tuple[str, str], int], datetime | None]:
    """How much work of each kind is in each state, and since when the oldest waits."""
    query = sa.select(
        c.work.c.kind, c.work.c.state, sa.func.count(), sa.func.min(c.work.c.made_at, type_=UtcTime())
    ).group_by(c.work.c.kind, c.work.c.state)
    rows = (await connection.execute(query)).all()
    waiting = [row[3] for row in rows if row.state == "waiting"]
    return {(row.kind, row.state): row[2] for row in rows}, min(waiting, default=None)
