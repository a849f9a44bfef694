"""Proposals in the database: what waits for a yes, and what became of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.actions import Proposal, Receipt
from helpline.store import schema as t
from helpline.store.changes import AnyChange, from_json, to_json

State = Literal["open", "working", "done", "declined", "replaced", "expired", "failed"]


@dataclass(frozen=True, slots=True)
class Pending:
    """A proposal as it is stored."""

    proposal: Proposal
    call_id: str
    customer_id: str | None
    change: AnyChange
    order_id: str | None
    order_version: int | None
    done_say: str
    """What to say when it is done; `{receipt}` stands for the reference."""
    state: State
    expires_at: datetime
    claimed_at: datetime | None = None
    receipt: Receipt | None = None


async def insert(connection: AsyncConnection, pending: Pending, made_at: datetime) -> None:
    """Store a new proposal."""
    await connection.execute(
        sa.insert(t.proposals).values(
            id=pending.proposal.id,
            call_id=pending.call_id,
            customer_id=pending.customer_id,
            action=pending.proposal.action,
            change=to_json(pending.change),
            order_id=pending.order_id,
            order_version=pending.order_version,
            amount_cents=pending.proposal.amount_cents,
            shown={"proposal": asdict(pending.proposal), "done_say": pending.done_say},
            state=pending.state,
            made_at=made_at,
            expires_at=pending.expires_at,
        )
    )


async def find(connection: AsyncConnection, call_id: str, proposal_id: str) -> Pending | None:
    """The call's own proposal of that id, locked."""
    query = sa.select(t.proposals).where(t.proposals.c.id == proposal_id, t.proposals.c.call_id == call_id)
    row = (await connection.execute(query.with_for_update())).mappings().one_or_none()
    return _pending(dict(row)) if row else None


async def open_in(connection: AsyncConnection, call_id: str) -> Pending | None:
    """The proposal that is open in a call, locked: there is at most one."""
    query = sa.select(t.proposals).where(t.proposals.c.call_id == call_id, t.proposals.c.state == "open")
    row = (await connection.execute(query.with_for_update())).mappings().first()
    return _pending(dict(row)) if row else None


async def move(
    connection: AsyncConnection, proposal_id: str, state: State, *, at: datetime | None = None
) -> None:
    """Write a proposal's new state."""
    values: dict[str, Any] = {"state": state}
    if at is not None:
        values["claimed_at"] = at
    await connection.execute(sa.update(t.proposals).where(t.proposals.c.id == proposal_id).values(**values))


async def finish(connection: AsyncConnection, receipt: Receipt, confirmation: Mapping[str, str]) -> None:
    """Write that it is done, with its receipt and with what was heard and answered."""
    await connection.execute(
        sa.update(t.proposals)
        .where(t.proposals.c.id == receipt.proposal_id)
        .values(state="done", receipt=asdict(receipt), confirmation=dict(confirmation))
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """How much was asked for and done."""

    proposed_in_call: int
    done_in_call: int
    done_in_day: int


async def tally(connection: AsyncConnection, call_id: str, customer_id: str | None, now: datetime) -> Tally:
    """How much was proposed and done in this call, and done by this customer within a day."""
    own = t.proposals.c.call_id == call_id
    done = t.proposals.c.state == "done"
    in_day = sa.and_(
        t.proposals.c.customer_id == customer_id, done, t.proposals.c.made_at > now - timedelta(days=1)
    )
    query = sa.select(
        sa.func.count().filter(own),
        sa.func.count().filter(own, done),
        sa.func.count().filter(in_day) if customer_id is not None else sa.literal(0),
    ).where(sa.or_(own, in_day) if customer_id is not None else own)
    row = (await connection.execute(query)).one()
    return Tally(*row)


def _pending(row: Mapping[str, Any]) -> Pending:
    shown = row["shown"]
    return Pending(
        proposal=_proposal(shown["proposal"]),
        call_id=row["call_id"],
        customer_id=row["customer_id"],
        change=from_json(row["change"]),
        order_id=row["order_id"],
        order_version=row["order_version"],
        done_say=shown["done_say"],
        state=row["state"],
        expires_at=row["expires_at"],
        claimed_at=row["claimed_at"],
        receipt=_receipt(row["receipt"]) if row["receipt"] else None,
    )


def _proposal(value: Any) -> Proposal:
    return msgspec.convert(value, Proposal)


def _receipt(value: Any) -> Receipt:
    return msgspec.convert(value, Receipt)
