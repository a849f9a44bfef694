"""What the offline brain remembers of a call, knows of a turn, and does. Values, nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from helpline.engine.meaning import Tool


@dataclass(frozen=True, slots=True)
class Topic:
    """What is being talked about."""

    order: str = ""
    product: str = ""
    price: str = ""
    """A price that was found, fit to be spoken."""
    last_said: str = ""
    last_call: tuple[str, str] = ("", "")
    """The name and the JSON arguments of the last function call."""
    named: tuple[str, ...] = ()
    """References that somebody named, the oldest first."""
    listed: tuple[tuple[str, str], ...] = ()
    """References that results listed, with the words of their rows."""
    offer: str = ""
    """What asks for the customer's yes to a change, while it waits for that."""
    offered: tuple[str, str] = ("", "")
    """The call that made the offer."""
    done: tuple[tuple[str, str], ...] = ()
    """The calls of the offers that were carried out, the oldest first."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the app told the engine to listen for."""

    ids: tuple[str, ...] = ()
    """The caller's own references: a misheard one is matched against them."""
    things: tuple[str, ...] = ()
    """Names of the catalogue; empty: the pack's."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the policy needs to know of a turn."""

    tools: tuple[Tool, ...]
    now: datetime
    tool_choice: str = "auto"
    known: Known = Known()
    topic: Topic = Topic()


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that lacks an argument; `asking` is the property that was asked for."""

    tool: str
    arguments: Mapping[str, Any]
    asking: str
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What the policy remembers."""

    pending: Pending | None = None
    offered_person: bool = False
    misses: int = 0
    waiting: tuple[str, ...] = ()
    """Requests of the last sentence whose turn comes when the one before them is done."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A call that came back with a question; `reason` may name what is missing: `missing:reason`."""

    tool: str
    arguments: str
    reason: str


@dataclass(frozen=True, slots=True)
class Act:
    """What to do: words, calls, or both. `small`: small talk, that need not be said beside news."""

    say: str = ""
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    kind: Literal["say", "call", "small"] = "say"
