"""What the shop knows, as plain frozen values: customers, the catalogue, orders.

Money is whole cents, times are aware UTC, options are an attribute's name and value ("size": "M").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from helpline.sentences import ENDING_IN, WAYS_TO_PAY
from helpline.wording import said

OrderStatus = Literal[
    "pending",
    "processed",
    "shipped",
    "delivered",
    "cancelled",
    "return requested",
    "exchange requested",
    "returned",
]
ORDER_STATUSES: tuple[OrderStatus, ...] = (
    "pending",
    "processed",
    "shipped",
    "delivered",
    "cancelled",
    "return requested",
    "exchange requested",
    "returned",
)
MethodKind = Literal["credit_card", "paypal", "gift_card"]
METHOD_KINDS: tuple[MethodKind, ...] = ("credit_card", "paypal", "gift_card")
PaymentKind = Literal["payment", "refund"]

_BRAND_NAMES = {"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where something is sent; `apartment` may be empty."""

    street: str
    apartment: str
    city: str
    state: str
    postcode: str
    country: str

    @property
    def line(self) -> str:
        """The address on one line."""
        parts = (self.street, self.apartment, self.city, f"{self.state} {self.postcode}".strip())
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A way to pay: never a card number, only its last digits."""

    id: str
    kind: MethodKind
    brand: str = ""
    last_digits: str = ""
    balance_cents: int | None = None
    """What is left on a gift card; None for the others."""

    @property
    def spoken(self) -> str:
        """As a customer would say it in English: "Visa ending in 4242"."""
        return self.in_("en")

    def in_(self, language: str) -> str:
        """As a customer would say it."""
        name = _BRAND_NAMES.get(self.brand) or WAYS_TO_PAY[self.kind]
        named = ENDING_IN(name=name, digits=self.last_digits) if self.last_digits else name
        return said(named, language)


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with the address and the ways to pay on file."""

    id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    address: Address
    methods: tuple[PaymentMethod, ...]

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()

    def method(self, method_id: str) -> PaymentMethod | None:
        """The customer's own payment method of that id."""
        return next((method for method in self.methods if method.id == method_id), None)


@dataclass(frozen=True, slots=True)
class Variant:
    """One item one can buy: a product in one choice of options. `stock` is None where it is not counted."""

    id: str
    product_id: str
    name: str
    options: Mapping[str, str]
    price_cents: int
    available: bool
    stock: int | None

    def has(self, quantity: int) -> bool:
        """Whether so many can be had."""
        return self.available and (self.stock is None or self.stock >= quantity)


@dataclass(frozen=True, slots=True)
class Product:
    """A product with all its variants."""

    id: str
    name: str
    description: str
    variants: tuple[Variant, ...]
    currency: str = "USD"
    """What its prices are in, as ISO 4217 has it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order, as it was bought."""

    id: int
    product_id: str
    variant_id: str
    name: str
    options: Mapping[str, str]
    price_cents: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel: who carries it, under which numbers, holding which variants."""

    carrier: str
    tracking: tuple[str, ...]
    variant_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that went from the customer (`payment`) or back (`refund`)."""

    kind: PaymentKind
    amount_cents: int
    method_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """One step in an order's life."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order with everything that hangs on it."""

    id: str
    number: str
    """As it is spoken: `1004`, `W2611340`."""
    customer_id: str
    status: OrderStatus
    items_changed: bool
    """Its items were changed once while it was pending."""
    placed_at: datetime | None
    expected_on: date | None
    delivered_at: datetime | None
    cancel_reason: str
    currency: str
    version: int
    """Grows with every change: a proposal made on an older version is dead."""
    address: Address
    lines: tuple[Line, ...]
    shipments: tuple[Shipment, ...]
    payments: tuple[Payment, ...]
    events: tuple[Event, ...]

    @property
    def total_cents(self) -> int:
        """What its lines cost."""
        return sum(line.price_cents * line.quantity for line in self.lines)

    @property
    def item_count(self) -> int:
        """How many items it holds."""
        return sum(line.quantity for line in self.lines)

    @property
    def paid_with(self) -> str:
        """The id of the method that last paid for it."""
        return next((p.method_id for p in reversed(self.payments) if p.kind == "payment"), "")

    def net_paid(self) -> dict[str, int]:
        """Cents that each method still holds in this order, methods with nothing left out."""
        net: dict[str, int] = {}
        for payment in self.payments:
            sign = 1 if payment.kind == "payment" else -1
            net[payment.method_id] = net.get(payment.method_id, 0) + sign * payment.amount_cents
        return {method: cents for method, cents in net.items() if cents}


_SPOKEN_DIGITS = {
    "zero": "0",
    "oh": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}  # fmt: skip


def order_number(said: str) -> str:
    """An order's number out of what was said: "order #1004", "W 2 6 1", "one zero zero four" -> "1004"."""
    words = re.findall(r"[a-z]+|\d+", said.lower())
    kept = [_SPOKEN_DIGITS.get(word, word) for word in words if word not in ("order", "number", "no")]
    return "".join(kept).upper()


def digits_of(text: str) -> str:
    """Only the digits."""
    return re.sub(r"\D", "", text)
