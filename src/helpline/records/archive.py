"""The calls that have ended, in the database: writing, listing, finding words, and who looked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.actions import Receipt
from helpline.store import call_tables as c
from helpline.store import ledger, proposals
from helpline.store import schema as t


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls; what is empty does not restrict."""

    customer_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    outcome: str = ""
    reason: str = ""
    channel: str = ""
    backend: str = ""
    words: str = ""
    """All of these words were said in it, or stand in its summary; `cancel*` is a word's beginning."""
    limit: int = 50


HEADINGS = (
    c.calls.c.id,
    c.calls.c.started_at,
    c.calls.c.ended_at,
    c.calls.c.channel,
    c.calls.c.language,
    c.calls.c.backend,
    c.calls.c.outcome,
    c.calls.c.reason,
    c.calls.c.summary,
)


# --- writing ---


async def customer_keys(connection: AsyncConnection, customer_ids: Sequence[str]) -> tuple[str, ...]:
    """The pseudonyms of customers, made where there is none yet."""
    if not customer_ids:
        return ()
    if connection.dialect.name != "sqlite":  # there a transaction that writes is alone
        await ledger.lock_head(connection)
    return tuple(
        [(await ledger.pseudonyms(connection, {"customer": each}))["customer"] for each in customer_ids]
    )


async def receipts_of(connection: AsyncConnection, call_id: str) -> tuple[Receipt, ...]:
    """What was done in a call, as the ledger's own transaction wrote it."""
    query = (
        sa.select(t.proposals.c.id)
        .where(t.proposals.c.call_id == call_id, t.proposals.c.state == "done")
        .order_by(t.proposals.c.made_at)
    )
    found = [
        await proposals.find(connection, call_id, proposal_id)
        for proposal_id in (await connection.execute(query)).scalars().all()
    ]
    return tuple(each.receipt for each in found if each is not None and each.receipt is not None)


async def proposals_of(connection: AsyncConnection, call_id: str) -> dict[str, tuple[str, Receipt | None]]:
    """What became of a call's proposals, by id: their state, and the receipt of one that is done."""
    query = sa.select(t.proposals.c.id).where(t.proposals.c.call_id == call_id)
    found = [
        await proposals.find(connection, call_id, proposal_id)
        for proposal_id in (await connection.execute(query)).scalars().all()
    ]
    return {each.proposal.id: (each.state, each.receipt) for each in found if each is not None}


async def insert(connection: AsyncConnection, record: Mapping[str, Any], words: str) -> bool:
    """Write a call's record; False when it is there already, from before a crash."""
    values = {
        "id": record["id"],
        "started_at": datetime.fromisoformat(record["started_at"]),
        "ended_at": datetime.fromisoformat(record["ended_at"]),
        "channel": record["channel"][:20],
        "language": record["language"][:20],
        "backend": (record["backends"][-1] if record["backends"] else "")[:40],
        "outcome": record["outcome"],
        "reason": record["reason"],
        "summary": record["summary"],
        "summarised_by": record["summarised_by"],
        "words": words,
        "record": dict(record),
    }
    done = (await connection.execute(_INSERT_CALL[connection.dialect.name], values)).rowcount > 0
    if done and record["customers"]:
        rows = [{"call_id": record["id"], "customer_key": key} for key in record["customers"]]
        await connection.execute(_INSERT_CUSTOMERS, rows)
    return done


# Made once: SQLAlchemy takes longer to make a statement than the database to carry it out.
_INSERT_CALL: Final = {
    "sqlite": sqlite.insert(c.calls).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(c.calls).on_conflict_do_nothing(),
}
_INSERT_CUSTOMERS: Final = sa.insert(c.call_customers)


async def insert_new(connection: AsyncConnection, table: sa.Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key is there; whether it was new."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return (
        await connection.execute(dialect.insert(table).values(values).on_conflict_do_nothing())
    ).rowcount > 0


async def rate(connection: AsyncConnection, call_id: str, rating: Mapping[str, Any]) -> None:
    """Put the customer's rating into a call's record."""
    query = sa.select(c.calls.c.record).where(c.calls.c.id == call_id).with_for_update()
    record = (await connection.execute(query)).scalar_one_or_none()
    if record is not None:
        values = {"record": {**record, "rating": dict(rating)}}
        await connection.execute(sa.update(c.calls).where(c.calls.c.id == call_id).values(**values))


async def summarise(connection: AsyncConnection, call_id: str, found: Mapping[str, Any]) -> None:
    """Put a model's summary in the place of the rules' own, once: a repeat changes nothing."""
    row = (
        await connection.execute(
            sa.select(c.calls.c.record, c.calls.c.words)
            .where(c.calls.c.id == call_id, c.calls.c.summarised_by == "rules")
            .with_for_update()
        )
    ).one_or_none()
    if row is None:
        return
    record = {**row.record, **found, "summarised_by": "model"}
    await connection.execute(
        sa.update(c.calls)
        .where(c.calls.c.id == call_id)
        .values(
            record=record,
            summary=record["summary"],
            reason=record["reason"],
            summarised_by="model",
            words=f"{row.words}\n{record['summary']}",
        )
    )


# --- reading ---


async def listed(connection: AsyncConnection, wanted: Filter) -> list[dict[str, Any]]:
    """The headings of calls, the newest first, with the ids of who was verified in them and what was done."""
    receipts = c.calls.c.record["receipts"].label("receipts")
    query = _filtered(sa.select(*HEADINGS, receipts), connection, wanted)
    found = [dict(row) for row in (await connection.execute(query)).mappings()]
    who = await _customers_in(connection, wanted)
    for call in found:
        call["customers"] = who.get(call["id"], [])
        call["done"] = [
            {"reference": each["reference"], "action": each["action"]} for each in call.pop("receipts") or ()
        ]
    return found


async def _customers_in(connection: AsyncConnection, wanted: Filter) -> dict[str, list[str]]:
    chosen = _filtered(sa.select(c.calls.c.id), connection, wanted).subquery()
    query = (
        sa.select(c.call_customers.c.call_id, t.pseudonyms.c.subject_id)
        .join(chosen, chosen.c.id == c.call_customers.c.call_id)
        .join(t.pseudonyms, t.pseudonyms.c.key == c.call_customers.c.customer_key)
        .where(t.pseudonyms.c.kind == "customer")
        .order_by(t.pseudonyms.c.subject_id)
    )
    who: dict[str, list[str]] = {}
    for call_id, customer_id in await connection.execute(query):
        who.setdefault(call_id, []).append(customer_id)
    return who


async def exported(connection: AsyncConnection, wanted: Filter) -> list[dict[str, Any]]:
    """Whole records, the newest first."""
    query = _filtered(sa.select(c.calls.c.record), connection, wanted)
    return list((await connection.execute(query)).scalars())


async def find(connection: AsyncConnection, call_id: str) -> dict[str, Any] | None:
    """One call's record."""
    query = sa.select(c.calls.c.record).where(c.calls.c.id == call_id)
    return (await connection.execute(query)).scalar_one_or_none()


def _filtered(query: sa.Select[Any], connection: AsyncConnection, wanted: Filter) -> sa.Select[Any]:
    conditions: list[sa.ColumnElement[bool]] = [
        column == value
        for column, value in (
            (c.calls.c.outcome, wanted.outcome),
            (c.calls.c.reason, wanted.reason.replace("_", " ")),
            (c.calls.c.channel, wanted.channel),
            (c.calls.c.backend, wanted.backend),
        )
        if value
    ]
    if wanted.since is not None:
        conditions.append(c.calls.c.started_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(c.calls.c.started_at < wanted.until)
    if wanted.customer_id:
        conditions.append(c.calls.c.id.in_(calls_of(wanted.customer_id)))
    if wanted.words:
        conditions.append(_says(connection, wanted.words))
    return query.where(*conditions).order_by(c.calls.c.seq.desc()).limit(wanted.limit)


def calls_of(customer_id: str) -> sa.Select[tuple[str]]:
    """The ids of the calls in which a customer was verified."""
    return (
        sa.select(c.call_customers.c.call_id)
        .join(t.pseudonyms, t.pseudonyms.c.key == c.call_customers.c.customer_key)
        .where(t.pseudonyms.c.kind == "customer", t.pseudonyms.c.subject_id == customer_id)
    )


def _says(connection: AsyncConnection, words: str) -> sa.ColumnElement[bool]:
    # Only letters and digits reach either database's own little language.
    found = re.findall(r"(\w+)(\*?)", words)[:20]
    if not found:
        return sa.false()
    if connection.dialect.name == "postgresql":
        asked = " & ".join(f"{word}{':*' if star else ''}" for word, star in found)
        vector = sa.func.to_tsvector(sa.literal_column("'simple'"), c.calls.c.words)
        return vector.op("@@")(sa.func.to_tsquery(sa.literal_column("'simple'"), asked))
    asked = " ".join(f'"{word}"{star}' for word, star in found)
    matching = sa.text("SELECT rowid FROM search_calls WHERE search_calls MATCH :asked").bindparams(
        asked=asked
    )
    return c.calls.c.seq.in_(matching.columns(sa.column("rowid")))


# --- who looked ---


async def note_read(
    connection: AsyncConnection, at: datetime, reader: str, action: str, subject: str
) -> None:
    """Write down that somebody looks at calls; what they searched for is not kept."""
    await connection.execute(
        sa.insert(c.reads).values(at=at, reader=reader[:100], action=action, subject=subject[:100])
    )


async def reads_of(connection: AsyncConnection, subject: str) -> list[dict[str, Any]]:
    """Who looked at a call, the first first."""
    query = sa.select(c.reads.c.at, c.reads.c.reader, c.reads.c.action).where(c.reads.c.subject == subject)
    return [dict(row) for row in (await connection.execute(query.order_by(c.reads.c.id))).mappings()]


# --- callbacks ---


async def callbacks(connection: AsyncConnection, state: str = "booked") -> list[dict[str, Any]]:
    """The callbacks in a state (empty for all), the next one first."""
    query = sa.select(
        t.callbacks.c.id,
        t.callbacks.c.at,
        t.callbacks.c.phone,
        t.callbacks.c.topic,
        t.callbacks.c.state,
        t.callbacks.c.customer_id,
        t.callbacks.c.call_id,
    ).order_by(t.callbacks.c.at)
    if state:
        query = query.where(t.callbacks.c.state == state)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def finish_callback(connection: AsyncConnection, callback_id: int) -> bool:
    """Write that a callback was made; False when there is no open one of that number."""
    done = await connection.execute(
        sa.update(t.callbacks)
        .where(t.callbacks.c.id == callback_id, t.callbacks.c.state == "booked")
        .values(state="done")
    )
    return done.rowcount == 1


# --- tickets ---


async def tickets(connection: AsyncConnection, state: str = "open") -> list[dict[str, Any]]:
    """The tickets in a state (empty for all), the oldest first."""
    query = sa.select(t.tickets).order_by(t.tickets.c.id)
    if state:
        query = query.where(t.tickets.c.state == state)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def finish_ticket(connection: AsyncConnection, ticket_id: int) -> bool:
    """Write that a ticket was answered; False when there is no open one of that number."""
    done = await connection.execute(
        sa.update(t.tickets)
        .where(t.tickets.c.id == ticket_id, t.tickets.c.state == "open")
        .values(state="done")
    )
    return done.rowcount == 1
