"""What a call shows: one small vocabulary that every channel renders in its own way."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from helpline.actions import Card, Proposal, Receipt, ToolResult

Speaker = Literal["customer", "desk"]
CallState = Literal[
    "connecting", "listening", "thinking", "working", "speaking", "reconnecting", "idle", "ended"
]


class Caption(msgspec.Struct, frozen=True, gc=False):
    """One line of the transcript as it stands now; the same `line_id` comes again as it grows.

    `text` is what was said, `heard` the part of it that was heard (they differ after an interruption and
    while the desk still speaks). For the customer both are the same.
    """

    line_id: str
    speaker: Speaker
    text: str
    heard: str
    final: bool
    typed: bool = False
    start_ms: int = 0
    """Since the start of the call."""
    end_ms: int = 0


@dataclass(frozen=True, slots=True)
class ToolStarted:
    tool_call_id: str
    name: str
    arguments: str
    """The arguments' JSON text, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class ToolEnded:
    tool_call_id: str
    name: str
    arguments: str
    result: ToolResult
    took_ms: int


@dataclass(frozen=True, slots=True)
class CardShown:
    card: Card


@dataclass(frozen=True, slots=True)
class ProposalShown:
    """Offer *Yes* and *No*: each counts as the spoken answer, once."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class ProposalClosed:
    proposal_id: str
    outcome: Literal["confirmed", "declined", "expired", "replaced", "failed", "unknown"]
    """`unknown`: it was tried elsewhere, and whether it was done cannot be told."""


@dataclass(frozen=True, slots=True)
class ReceiptShown:
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class StateShown:
    state: CallState
    detail: str = ""
    """Which tool, which backend, or why it ended: one short sentence."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One sentence from the desk itself, not part of the conversation."""

    text: str
    kind: Literal["info", "warning", "error"] = "info"
    reason: str = ""
    """What is behind it, for whoever runs the desk; no customer is shown it."""


Shown = (
    Caption
    | ToolStarted
    | ToolEnded
    | CardShown
    | ProposalShown
    | ProposalClosed
    | ReceiptShown
    | StateShown
    | Notice
)
