"""What a call's journal holds: everything it showed and every fact about it, each with its time.

One line of JSON each: `[at_ms, kind, value]`.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from helpline.actions import Caller
from helpline.call import effects as fx
from helpline.call import shown as sh
from helpline.storable import storable_json


@dataclass(frozen=True, slots=True)
class Began:
    call_id: str
    channel: str
    language: str
    at: str
    """ISO 8601 with offset."""
    caller: Caller
    holder: str = ""
    """Who may go on with it when the desk starts again: a browser's name, hashed; empty for nobody."""
    past: str = ""
    """The id of the earlier call of this customer's that it goes on from."""


@dataclass(frozen=True, slots=True)
class Connected:
    backend: str


@dataclass(frozen=True, slots=True)
class Became:
    caller: Caller


@dataclass(frozen=True, slots=True)
class Spoke:
    """The call goes on in another language."""

    language: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """The desk had broken off, and its next start went on with the call."""


@dataclass(frozen=True, slots=True)
class Rated:
    """What the customer thinks of the call; a later word takes the place of an earlier one."""

    good: bool
    comment: str = ""


Happening = Rated | Began | Connected | Became | Spoke | Resumed | sh.Shown | fx.Fact

_KINDS: Final = {
    kind.__name__: kind
    for kind in (
        Began,
        Connected,
        Became,
        Spoke,
        Resumed,
        Rated,
        sh.Caption,
        sh.ToolEnded,
        sh.ProposalShown,
        sh.ProposalClosed,
        sh.ReceiptShown,
        sh.StateShown,
        sh.Notice,
        fx.TurnTimed,
        fx.UsageCounted,
        fx.Interrupted,
        fx.Silenced,
        fx.Answered,
        fx.Incident,
    )
}
log = logging.getLogger(__name__)
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a call, `at_ms` after it began."""

    at_ms: int
    what: Happening


def is_kept(what: Happening) -> bool:
    """Whether it belongs into a record: cards and tools that only began do not."""
    if isinstance(what, sh.StateShown):
        return what.state == "ended"
    return type(what).__name__ in _KINDS


def encode(event: Event) -> bytes:
    """Always possible: what a tool or a model has put into it may have no UTF-8."""
    kind = type(event.what).__name__
    try:
        return _ENCODER.encode((event.at_ms, kind, event.what))
    except UnicodeEncodeError:
        return _ENCODER.encode((event.at_ms, kind, storable_json(msgspec.to_builtins(event.what))))


def decode(line: bytes) -> Event:
    """Raises ValueError for a line that nothing of ours wrote."""
    at_ms, kind, value = msgspec.json.decode(line, type=tuple[int, str, msgspec.Raw])
    if kind not in _KINDS:
        raise ValueError("an unknown kind of event")
    what: Any = msgspec.json.decode(value, type=_KINDS[kind])
    return Event(at_ms, what)


def readable(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events of a journal; those that another version of the desk wrote in its own way are left out.

    A desk that was upgraded between a kill and its next start must start, with what it can read.
    """
    for line in lines:
        try:
            yield decode(line)
        except (ValueError, msgspec.MsgspecError):
            log.warning("an event of a call that broke off cannot be read: another version wrote it")
