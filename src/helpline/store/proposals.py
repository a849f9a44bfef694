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


# Made once: SQLAlchemy takes longer to make a statement than the database to carry it out.
_OF_CALL = t.proposals.c.call_id == sa.bindparam("of_call")
_INSERT = sa.insert(t.proposals)
_FIND = sa.select(t.proposals).where(t.proposals.c.id == sa.bindparam("own"), _OF_CALL).with_for_update()
_OPEN = sa.select(t.proposals).where(_OF_CALL, t.proposals.c.state == "open").with_for_update()
_FINISH = (
    sa.update(t.proposals)
    .where(t.proposals.c.id == sa.bindparam("own"))
    .values({name: sa.bindparam(name) for name in ("state", "receipt", "confirmation")})
)


def _tally() -> sa.Select[int, int, int]:
    done = t.proposals.c.state == "done"
    whose = t.proposals.c.customer_id == sa.bindparam("whose")  # nobody's for a guest: nothing equals NULL
    in_day = sa.and_(whose, done, t.proposals.c.made_at > sa.bindparam("since"))
    count = sa.func.count
    return sa.select(count().filter(_OF_CALL), count().filter(_OF_CALL, done), count().filter(in_day)).where(
        sa.or_(_OF_CALL, in_day)
    )


_TALLY = _tally()


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
    """When it was last under way elsewhere; without a receipt it is not known whether it was made there."""
    receipt: Receipt | None = None
    kept_key: str = ""

    @property
    def key(self) -> str:
        """Its idempotency key: its id, or that of an earlier attempt whose end is not known."""
        return self.kept_key or self.proposal.id

    @property
    def in_doubt(self) -> bool:
        """Was it tried, with an end that is not known?"""
        return self.claimed_at is not None and self.receipt is None


async def insert(connection: AsyncConnection, pending: Pending, made_at: datetime) -> None:
    """Store a new proposal."""
    values = {
        "id": pending.proposal.id,
        "call_id": pending.call_id,
        "customer_id": pending.customer_id,
        "action": pending.proposal.action,
        "change": to_json(pending.change),
        "order_id": pending.order_id,
        "order_version": pending.order_version,
        "amount_cents": pending.proposal.amount_cents,
        "shown": {
            "proposal": asdict(pending.proposal),
            "done_say": pending.done_say,
            **({"key": pending.kept_key} if pending.kept_key else {}),
        },
        "state": pending.state,
        "made_at": made_at,
        "expires_at": pending.expires_at,
    }
    await connection.execute(_INSERT, values)


async def find(connection: AsyncConnection, call_id: str, proposal_id: str) -> Pending | None:
    """The call's own proposal of that id, locked."""
    found = await connection.execute(_FIND, {"own": proposal_id, "of_call": call_id})
    row = found.mappings().one_or_none()
    return _pending(dict(row)) if row else None


async def open_in(connection: AsyncConnection, call_id: str) -> Pending | None:
    """The proposal that is open in a call, locked: there is at most one."""
    row = (await connection.execute(_OPEN, {"of_call": call_id})).mappings().first()
    return _pending(dict(row)) if row else None


def _of_call_or_customer(call_id: str, customer_id: str | None) -> sa.ColumnElement[bool]:
    own = t.proposals.c.call_id == call_id
    # A guest is nobody that another guest could be.
    return own if customer_id is None else sa.or_(own, t.proposals.c.customer_id == customer_id)


async def in_doubt(
    connection: AsyncConnection, call_id: str, customer_id: str | None, since: datetime
) -> tuple[Pending, ...]:
    """What this call or customer has tried since then with an end that is not known, the latest first."""
    whose = _of_call_or_customer(call_id, customer_id)
    query = (
        sa.select(t.proposals)
        .where(whose, t.proposals.c.claimed_at > since, t.proposals.c.state != "done")
        .order_by(t.proposals.c.claimed_at.desc())
    )
    return tuple(_pending(dict(row)) for row in (await connection.execute(query)).mappings())


async def settle_doubt(connection: AsyncConnection, of: Pending) -> None:
    """It is known by now that this was made: so are the earlier attempts under its key."""
    whose = _of_call_or_customer(of.call_id, of.customer_id)
    rows = await connection.execute(
        sa.select(t.proposals).where(
            whose, t.proposals.c.claimed_at.is_not(None), t.proposals.c.state != "done"
        )
    )
    for other in (_pending(dict(row)) for row in rows.mappings()):
        if other.key == of.key and other.proposal.id != of.proposal.id:
            await move(connection, other.proposal.id, other.state, not_made=True)


async def move(
    connection: AsyncConnection,
    proposal_id: str,
    state: State,
    *,
    at: datetime | None = None,
    not_made: bool = False,
) -> None:
    """Write a proposal's new state; `at` when it is under way, `not_made` when it surely was not."""
    values: dict[str, Any] = {"state": state}
    if at is not None or not_made:
        values["claimed_at"] = at
    await connection.execute(sa.update(t.proposals).where(t.proposals.c.id == proposal_id).values(**values))


async def finish(connection: AsyncConnection, receipt: Receipt, confirmation: Mapping[str, str]) -> None:
    """Write that it is done, with its receipt and with what was heard and answered."""
    values = {"state": "done", "receipt": asdict(receipt), "confirmation": dict(confirmation)}
    await connection.execute(_FINISH, {"own": receipt.proposal_id, **values})


@dataclass(frozen=True, slots=True)
class Tally:
    """How much was asked for and done."""

    proposed_in_call: int
    done_in_call: int
    done_in_day: int


async def tally(connection: AsyncConnection, call_id: str, customer_id: str | None, now: datetime) -> Tally:
    """How much was proposed and done in this call, and done by this customer within a day."""
    whose = {"of_call": call_id, "whose": customer_id, "since": now - timedelta(days=1)}
    return Tally(*(await connection.execute(_TALLY, whose)).one())


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
        kept_key=shown.get("key", ""),
    )


def _proposal(value: Any) -> Proposal:
    return msgspec.convert(value, Proposal)


def _receipt(value: Any) -> Receipt:
    return msgspec.convert(value, Receipt)
