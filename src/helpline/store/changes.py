"""The changes that a shop knows how to make, as values.

A proposal stores one as JSON and reads it back typed, hence msgspec's tagged structs. A change names the
order and never the customer: whose order it is comes from the call.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from helpline.store.records import Address, Payment


class Change(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that can be done for a customer."""


class LineCount(msgspec.Struct, frozen=True):
    """So many of one line of an order."""

    line_id: int
    quantity: int


class Swap(msgspec.Struct, frozen=True):
    """So many of one line of an order, for another variant of the same product."""

    line_id: int
    quantity: int
    new_variant_id: str


class CancelOrder(Change, frozen=True):
    order_id: str
    reason: str


class ReturnItems(Change, frozen=True):
    order_id: str
    lines: tuple[LineCount, ...]
    method_id: str
    reason: str = ""


class ExchangeItems(Change, frozen=True):
    order_id: str
    swaps: tuple[Swap, ...]
    method_id: str


class ChangeItems(Change, frozen=True):
    order_id: str
    swaps: tuple[Swap, ...]
    method_id: str


class ChangeOrderAddress(Change, frozen=True):
    order_id: str
    address: Address


class ChangePayment(Change, frozen=True):
    order_id: str
    method_id: str


class UpdateAccount(Change, frozen=True):
    """Whatever is None stays as it is."""

    email: str | None = None
    phone: str | None = None
    address: Address | None = None


class ScheduleCallback(Change, frozen=True):
    at: datetime
    phone: str
    topic: str = ""


class OpenTicket(Change, frozen=True):
    subject: str
    body: str
    kind: Literal["ticket", "transfer"] = "ticket"


class RunTool(Change, frozen=True):
    """A tool of the desk's owner that changes something elsewhere: it runs after the customer's yes."""

    name: str
    arguments: dict[str, Any]
    keyed: bool = True
    """It may be run again when it is not known how it ended: it does once what has one key."""


OrderChange = CancelOrder | ReturnItems | ExchangeItems | ChangeItems | ChangeOrderAddress | ChangePayment
ShopChange = OrderChange | UpdateAccount | ScheduleCallback | OpenTicket
AnyChange = ShopChange | RunTool


def to_json(change: AnyChange) -> Any:
    """As JSON values, for the proposals table."""
    return msgspec.to_builtins(change)


def from_json(value: Any) -> AnyChange:
    """The change that `to_json` wrote."""
    change: AnyChange = msgspec.convert(value, AnyChange)
    return change


def order_of(change: AnyChange) -> str | None:
    """The order that it changes, if any."""
    return getattr(change, "order_id", None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a permitted change does to money: computed when it is proposed and again when it is done."""

    amount_cents: int | None = None
    """Refunded, or the price difference (positive: the customer pays); None when no money moves."""
    movements: tuple[Payment, ...] = ()
    """Booked at once, in this order."""
    method_id: str = ""
    """Where a refund goes, or what pays the difference."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What the shop says it did."""

    reference: str = ""
    """The shop's own reference, if it has one."""
