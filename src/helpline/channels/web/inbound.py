"""What a page may tell the desk beside sound and text, read from hostile input.

Chainlit forwards *any* window message of the page to the server, and a client of the socket can send what it
likes. A message counts only when it is an object marked for the desk, of a known type, with values of the
right type and size; everything else is no message.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from helpline import wording
from helpline.actions import Pace

MicFault = Literal["refused", "missing", "busy", "insecure", "lost", "silent"]
MIC_FAULTS: Final[tuple[MicFault, ...]] = get_args(MicFault)
MAX_COMMENT: Final = 500
"""Characters of what a customer says about a call; the rest is cut."""
_MAX_ID: Final = 128
_MAX_SUGGESTED: Final = 20
_MAX_PLAYED_MS: Final = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Played:
    """So much of a track has sounded."""

    track: str
    ms: int


@dataclass(frozen=True, slots=True)
class Answered:
    """*Yes* or *No* on the card of a proposal."""

    proposal_id: str
    yes: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """The customer silenced the reply."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The button of push to talk is held (`down`) or let go."""

    down: bool


@dataclass(frozen=True, slots=True)
class PersonAsked:
    """*Talk to a person*."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """One of the desk's suggestions was pressed, by its place among them."""

    number: int


@dataclass(frozen=True, slots=True)
class PaceChosen:
    """Slower speech, or the usual one again."""

    pace: Pace


@dataclass(frozen=True, slots=True)
class CustomerChosen:
    """Another demo customer."""

    customer_id: str


@dataclass(frozen=True, slots=True)
class MicFailed:
    """The page has no microphone, and why."""

    fault: MicFault


@dataclass(frozen=True, slots=True)
class RatingGiven:
    """Whether the call was helpful, and why: at most 500 characters."""

    good: bool
    comment: str


@dataclass(frozen=True, slots=True)
class HistoryAsked:
    """The customer wants to see their past conversations."""


@dataclass(frozen=True, slots=True)
class PastChosen:
    """One of them is to be shown, and gone on with."""

    call_id: str


PageMessage = (
    HistoryAsked
    | PastChosen
    | RatingGiven
    | Pushed
    | Played
    | Answered
    | Stopped
    | PersonAsked
    | Suggested
    | PaceChosen
    | CustomerChosen
    | MicFailed
)


def read_page_message(data: object) -> PageMessage | None:
    """The message that `data` holds, or None when it is not one of ours or not well formed."""
    if not isinstance(data, dict) or data.get("helpline") != "desk":
        return None
    match data.get("type"):
        case "played":
            return _played(data.get("track"), data.get("ms"))
        case "answer":
            return _answered(data.get("proposal"), data.get("yes"))
        case "stop":
            return Stopped()
        case "push":
            return Pushed(data["down"]) if isinstance(data.get("down"), bool) else None
        case "rating":
            return _rating(data.get("good"), data.get("comment"))
        case "history":
            return HistoryAsked()
        case "past":
            return PastChosen(past) if (past := _name(data.get("id"))) else None
        case "suggested":
            number = data.get("number")
            return Suggested(number) if type(number) is int and 0 <= number < _MAX_SUGGESTED else None
        case "pace":
            slower = data.get("slower")
            return PaceChosen("slower" if slower else "normal") if isinstance(slower, bool) else None
        case "person":
            return PersonAsked()
        case "customer":
            return CustomerChosen(customer) if (customer := _name(data.get("id"))) else None
        case "microphone":
            return next((MicFailed(fault) for fault in MIC_FAULTS if fault == data.get("fault")), None)
        case _:
            return None


def _played(track: Any, ms: Any) -> Played | None:
    name = _name(track)
    if not name or isinstance(ms, bool) or not isinstance(ms, int | float):
        return None
    if not 0 <= ms <= _MAX_PLAYED_MS:  # Also refuses NaN, which compares with nothing.
        return None
    return Played(name, int(ms))


def _answered(proposal: Any, yes: Any) -> Answered | None:
    name = _name(proposal)
    return Answered(name, yes) if name and isinstance(yes, bool) else None


def _rating(good: Any, comment: Any) -> RatingGiven | None:
    if not isinstance(good, bool) or not isinstance(comment, str):
        return None
    return RatingGiven(good, wording.plain(comment, MAX_COMMENT))


def _name(value: Any) -> str:
    return value if isinstance(value, str) and 0 < len(value) <= _MAX_ID else ""
