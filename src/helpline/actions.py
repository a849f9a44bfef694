"""The words of acting for a customer: who calls, what a tool answers, what is proposed, what was done.

Plain frozen values that the pure conversation, the tools, the store and the channels all share.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

Answer = Literal["yes", "no"]
Means = Literal["voice", "typed", "button"]
Pace = Literal["slower", "normal", "faster"]
"""How fast the desk speaks."""
CardKind = Literal[
    "order",
    "orders",
    "customer",
    "product",
    "products",
    "proposal",
    "receipt",
    "refund",
    "callback",
    "ticket",
    "passage",
]


class Identity(IntEnum):
    """How sure the desk is of who calls. Policy says what each action needs."""

    GUEST = 0
    """Public tools only."""
    KNOWN = 1
    """May read their own orders."""
    PROVEN = 2
    """May change their own orders."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is on the line, as verified below the model."""

    customer_id: str | None = None
    name: str = ""
    identity: Identity = Identity.GUEST
    how: str = "guest"
    """What proved it: `guest`, `demo`, `sign_in`, `code`, `email`, `name_postcode`."""


GUEST = Caller()


@dataclass(frozen=True, slots=True)
class Card:
    """Something to show beside the words: data only, never markup."""

    kind: CardKind
    title: str
    data: Mapping[str, Any] = field(default_factory=dict)
    """JSON values only."""
    key: str = ""
    """Cards with the same non-empty key are one card that updates in place."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that was asked for and is *not done yet*: it waits for the customer's yes.

    The yes counts only when the read-back was heard: its `subject` (if any) and either one of
    `effect_words` or its amount.
    """

    id: str
    action: str
    """The tool's name, e.g. `cancel_order`."""
    subject: str
    """What it changes, as the customer would name it: an order number, a phone number; may be empty."""
    effect: str
    """The change in a few words: "cancel order 1005"."""
    effect_words: tuple[str, ...]
    """Words of which one, heard, names the effect: ("cancel", "cancelled")."""
    read_back: str
    """The sentence to speak: what, which order, how much, and the question."""
    amount_cents: int | None = None
    currency: str = "USD"
    card: Card | None = None
    lives_ms: int = 300_000
    """How long it stays open."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A change that was done: one ledger row."""

    reference: str
    """Short and speakable: `R-4821`."""
    proposal_id: str
    action: str
    say: str
    """The sentence to speak, with the reference."""
    at: str
    """ISO 8601 with offset."""
    data: Mapping[str, Any] = field(default_factory=dict)
    card: Card | None = None
    repeated: bool = False
    """True when this is the first receipt again, because the same yes came twice."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answers: data for the model, a sentence fit to be spoken, cards for the page."""

    say: str
    data: Mapping[str, Any] = field(default_factory=dict)
    cards: tuple[Card, ...] = ()
    proposal: Proposal | None = None
    """Set when the tool proposed a change instead of doing it."""
    caller: Caller | None = None
    """Set when the tool verified who calls."""
    ok: bool = True
    reason: str = ""
    """A refusal's reason code, when not `ok`."""
    pace: Pace | None = None
    """Set when the customer asked for another one."""
    ends_call: bool = False


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as a session offers it to a model."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON schema of an object."""
