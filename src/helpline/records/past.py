"""A signed-in customer's own past conversations: listed, shown again, and gone on with.

The lasting record is the one home of a conversation; nothing is copied from it. It knows its customers by
pseudonym, and it is redacted: a customer is found by the mapping that `forget` removes, and sees
what is kept. A call in which anybody else was verified too belongs to neither: it is in nobody's history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from helpline.actions import Receipt
from helpline.call.claims import Done, told_in
from helpline.call.shown import Caption
from helpline.call.state import Conversation
from helpline.call.transcript import Entry, Line, Note, Transcript
from helpline.records import archive
from helpline.store import call_tables as c
from helpline.store import schema as t

LISTED: Final = 50
"""A history shows so many conversations, the newest."""
_TITLE: Final = 80


@dataclass(frozen=True, slots=True)
class Heading:
    """One past conversation in a list."""

    call_id: str
    at: str
    """When it began: ISO 8601 with offset."""
    title: str
    """The customer's first words; why they called when there were none."""
    references: tuple[str, ...]
    """Of its receipts."""


@dataclass(frozen=True, slots=True)
class Past:
    """One past conversation, as its record has it."""

    call_id: str
    customer_id: str
    at: str
    lines: tuple[Caption, ...]
    receipts: tuple[Receipt, ...]
    done: tuple[Done, ...]

    def before(self, conversation: Conversation) -> Conversation:
        """The conversation with this one in front of it: heard words and receipts. PURE.

        What its tools said is left out: orders have moved on since, and are to be looked up again.
        """
        rest = conversation.transcript.entries
        told = tuple(report for receipt in self.receipts for report in told_in(receipt.say))
        return msgspec.structs.replace(
            conversation,
            transcript=Transcript((*self._entries(), *rest)),
            done=(*self.done, *conversation.done),
            reported=(*told, *conversation.reported),
        )

    def _entries(self) -> tuple[Entry, ...]:
        lines = [
            Line(each.line_id, each.speaker, each.text, each.heard, final=True, typed=True)
            for each in self.lines
        ]
        done = [f"receipt {each.reference}: {each.say}" for each in self.receipts]
        note = (
            f"What stands above was said in an earlier conversation, which began at {self.at}. "
            f"Done in it: {'; '.join(done) or 'nothing'}. Nothing of it is open any more. "
            "Orders may have changed since: look them up again."
        )
        return (*lines, Note("past_note", note))


async def headings(connection: AsyncConnection, customer_id: str) -> tuple[Heading, ...]:
    """The customer's conversations, the newest first; those in which they said nothing are left out."""
    query = (
        sa.select(c.calls.c.record)
        .where(c.calls.c.id.in_(_own(customer_id)))
        .order_by(c.calls.c.seq.desc())
        .limit(LISTED)
    )
    records = (await connection.execute(query)).scalars()
    return tuple(_heading(record) for record in records if _said(record))


async def find(connection: AsyncConnection, customer_id: str, call_id: str) -> Past | None:
    """A conversation of the customer's; None for another's as for one that there is not."""
    query = sa.select(c.calls.c.record).where(c.calls.c.id == call_id, c.calls.c.id.in_(_own(customer_id)))
    record = (await connection.execute(query)).scalar_one_or_none()
    return _past(record, customer_id) if record is not None else None


def _own(customer_id: str) -> sa.Select[tuple[str]]:
    keys = sa.select(t.pseudonyms.c.key).where(
        t.pseudonyms.c.kind == "customer", t.pseudonyms.c.subject_id == customer_id
    )
    others = sa.select(c.call_customers.c.call_id).where(c.call_customers.c.customer_key.not_in(keys))
    mine = archive.calls_of(customer_id)
    return mine.where(c.call_customers.c.call_id.not_in(others.where(c.call_customers.c.call_id.in_(mine))))


def _said(record: Mapping[str, Any]) -> list[str]:
    return [
        line["text"] for line in record["lines"] if line["speaker"] == "customer" and line["text"].strip()
    ]


def _heading(record: Mapping[str, Any]) -> Heading:
    title = (_said(record) or [record["reason"]])[0].strip()
    title = title if len(title) <= _TITLE else f"{title[: _TITLE - 1].rstrip()}…"
    references = tuple(receipt["reference"] for receipt in record["receipts"])
    return Heading(record["id"], _instant(record["started_at"]), title, references)


def _past(record: Mapping[str, Any], customer_id: str) -> Past:
    lines = tuple(
        Caption(f"past_line_{n}", line["speaker"], line["text"], line["heard"], final=True)
        for n, line in enumerate(record["lines"])
        if line["text"].strip()
    )
    receipts = tuple(
        Receipt(each["reference"], each["proposal"], each["action"], each["say"], each["at"], each["data"])
        for each in record["receipts"]
    )
    subjects = {each["id"]: each["subject"] for each in record["proposals"]}
    done = tuple(Done(each.action, subjects.get(each.proposal_id, "")) for each in receipts)
    return Past(record["id"], customer_id, _instant(record["started_at"]), lines, receipts, done)


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).isoformat(timespec="seconds")
