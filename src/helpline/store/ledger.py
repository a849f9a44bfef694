"""The ledger: every change that was made, once, in a chain that shows any tampering.

Rules:
- Append-only. Each row's hash covers the row and the hash before it.
- One row for a (call, proposal), by a constraint of the database.
- Nothing personal: customers and orders stand under random pseudonyms. Forgetting a customer deletes the
  pseudonym's row in `pseudonyms`; the chain still verifies and no longer says who.
- The head is anchored outside the database, in a file with a line for each entry, so that rewriting the chain
  or cutting off its end shows too.
"""

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.errors import StoreError
from helpline.private import make_folder
from helpline.store import schema as t

GENESIS = "0" * 64
_HASHED = (
    "seq",
    "call_id",
    "proposal_id",
    "at",
    "customer_key",
    "order_key",
    "action",
    "amount_cents",
    "currency",
    "means",
    "evidence",
    "reference",
    "previous",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one change writes into the ledger."""

    call_id: str
    proposal_id: str
    at: str
    """ISO 8601 with offset."""
    customer_id: str | None
    order_id: str | None
    action: str
    amount_cents: int | None
    currency: str
    means: str
    evidence: str
    """The salted digest of what was heard and answered; the salt is erased with the customer."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where an entry came to stand."""

    seq: int
    hash: str
    reference: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place where the ledger is not what it was."""

    seq: int
    kind: Literal["altered", "removed", "reordered", "cut off", "not anchored"]

    def __str__(self) -> str:
        return f"entry {self.seq}: {self.kind}"


def reference_of(seq: int) -> str:
    """The short reference of the entry at `seq`: four digits for the first 9000, then five, and so on.

    A fixed shuffle: no two are alike, and neighbours in time do not look alike when they are spoken.
    """
    digits, block, before = 4, 9_000, 0
    while seq - before > block:
        before += block
        digits, block = digits + 1, block * 10
    # 7919 is prime and divides no block, so the shuffle meets every number of the block once.
    return f"R-{10 ** (digits - 1) + (seq - before) * 7919 % block}"


# Made once: SQLAlchemy takes longer to make a statement than the database to carry it out.
_APPEND = sa.insert(t.ledger)
_HEAD = sa.select(t.ledger_head).where(t.ledger_head.c.id == 1).with_for_update()
_MOVE_HEAD = (
    sa.update(t.ledger_head)
    .where(t.ledger_head.c.id == 1)
    .values(seq=sa.bindparam("new_seq"), hash=sa.bindparam("new_hash"))
)
_KEYS = sa.select(t.pseudonyms).where(
    t.pseudonyms.c.kind.in_(sa.bindparam("kinds", expanding=True)),
    t.pseudonyms.c.subject_id.in_(sa.bindparam("subjects", expanding=True)),
)
_ADD_KEY = sa.insert(t.pseudonyms)


async def append(connection: AsyncConnection, entry: Entry) -> Written:
    """Write an entry behind the last one, inside the transaction of the change itself."""
    head = await lock_head(connection)
    seq = head.seq + 1
    keys = await pseudonyms(connection, {"customer": entry.customer_id, "order": entry.order_id})
    row: dict[str, Any] = {
        "seq": seq,
        "call_id": entry.call_id,
        "proposal_id": entry.proposal_id,
        "at": entry.at,
        "customer_key": keys["customer"],
        "order_key": keys["order"],
        "action": entry.action,
        "amount_cents": entry.amount_cents,
        "currency": entry.currency,
        "means": entry.means,
        "evidence": entry.evidence,
        "reference": reference_of(seq),
        "previous": head.hash,
    }
    row["hash"] = _digest(row)
    await connection.execute(_APPEND, row)
    await connection.execute(_MOVE_HEAD, {"new_seq": seq, "new_hash": row["hash"]})
    return Written(seq, row["hash"], row["reference"])


async def lock_head(connection: AsyncConnection) -> sa.Row[Any]:
    """The head's row, which nobody else writes until this transaction has ended."""
    return (await connection.execute(_HEAD)).one()


async def pseudonyms(connection: AsyncConnection, subjects: Mapping[str, str | None]) -> dict[str, str]:
    """The pseudonym of each kind of subject, made when there is none yet; empty for None.

    Under `lock_head`, so that two transactions do not make two for one.
    """
    wanted = {kind: subject for kind, subject in subjects.items() if subject is not None}
    keys = dict.fromkeys(subjects, "")
    if wanted:
        asked = {"kinds": list(wanted), "subjects": list(wanted.values())}
        found = await connection.execute(_KEYS, asked)
        keys |= {row.kind: row.key for row in found if wanted.get(row.kind) == row.subject_id}
    for kind, subject in wanted.items():
        if not keys[kind]:
            keys[kind] = secrets.token_hex(16)
            values = {"key": keys[kind], "kind": kind, "subject_id": subject}
            await connection.execute(_ADD_KEY, values)
    return keys


def _digest(row: Mapping[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode([row[name] for name in _HASHED])).hexdigest()


class Anchor:
    """The file outside the database that remembers each entry's hash: one line "seq hash" each."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, written: Written) -> None:
        """Remember an entry that was committed."""
        line = f"{written.seq} {written.hash}\n".encode()
        try:
            make_folder(self._path.parent)
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise StoreError(f"The ledger's anchor {self._path} cannot be written.") from error
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    def read(self) -> dict[int, str]:
        """Every entry's hash by its number; of a line that a crash cut short nothing is kept."""
        try:
            lines = self._path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return {}
        pairs = (line.split(" ") for line in lines)
        return {
            int(pair[0]): pair[1]
            for pair in pairs
            if len(pair) == 2 and pair[0].isdigit() and len(pair[1]) == 64
        }


async def verify(connection: AsyncConnection, anchor: Anchor | None) -> tuple[Flaw, ...]:
    """Every flaw, in the order of the entries; empty when the ledger is whole.

    An entry without a line in the anchor is covered by the next one that has one, through the chain: only a
    crash between the last commit and its line leaves an entry that nothing outside vouches for.
    """
    rows = (await connection.execute(sa.select(t.ledger).order_by(t.ledger.c.seq))).mappings().all()
    head = (await connection.execute(sa.select(t.ledger_head))).mappings().one_or_none()
    anchored = anchor.read() if anchor is not None else None
    flaws = _chain_flaws(rows)
    last = rows[-1]["seq"] if rows else 0
    if head is None or (head["seq"], head["hash"]) != (last, rows[-1]["hash"] if rows else GENESIS):
        flaws[max(last, head["seq"] if head else 0)] = "cut off"
    if anchored is not None:
        _compare(rows, anchored, flaws)
    return tuple(Flaw(seq, kind) for seq, kind in sorted(flaws.items()))


_Kind = Literal["altered", "removed", "reordered", "cut off", "not anchored"]


def _chain_flaws(rows: Any) -> dict[int, _Kind]:
    flaws: dict[int, _Kind] = {}
    previous, expected = GENESIS, 1
    for row in rows:
        if row["seq"] != expected:
            flaws[expected] = "removed"
        elif row["hash"] != _digest(row) or row["reference"] != reference_of(row["seq"]):
            flaws[row["seq"]] = "altered"
        elif row["previous"] != previous:
            flaws[row["seq"]] = "reordered"
        previous, expected = row["hash"], row["seq"] + 1
    return flaws


def _compare(rows: Any, anchored: dict[int, str], flaws: dict[int, _Kind]) -> None:
    by_seq = {row["seq"]: row["hash"] for row in rows}
    for seq, digest in anchored.items():
        if seq not in by_seq:
            flaws.setdefault(seq, "cut off" if seq > max(by_seq, default=0) else "removed")
        elif by_seq[seq] != digest:
            flaws.setdefault(seq, "altered")
    if by_seq and not anchored:
        flaws.setdefault(max(by_seq), "not anchored")
