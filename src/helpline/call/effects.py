"""What goes into a conversation and what comes out of it: its inputs (past tense) and effects (imperative).

Server events (`realtime/events.py`) are inputs too. The driver performs effects in the order given.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec

from helpline.actions import Answer, Caller, Means, Proposal, Receipt, ToolResult
from helpline.call.shown import Shown
from helpline.errors import Trouble
from helpline.realtime.events import ClientEvent, SessionSettings, Usage

# --- inputs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection is open: configure it, then rebuild the context in it."""

    backend: str
    session: SessionSettings
    transcribes: bool = True
    wall_s: float = 0.0
    """The wall clock (Unix seconds): servers say by it when a session expires."""
    languages: tuple[str, ...] = ()
    """The only ones that it hears; empty for a backend that hears many."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended without us, or could not be had; the call goes on."""

    reason: str = ""
    hopeless: bool = False
    """No backend answers: say so instead of trying for ever."""
    trouble: Trouble = "away"


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The customer's microphone and speaker are on."""


@dataclass(frozen=True, slots=True)
class VoiceEnded:
    """The customer switched voice off; typed chat goes on."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The customer holds the button and speaks; only with push to talk."""


@dataclass(frozen=True, slots=True)
class Released:
    """The customer has let go of the button: that was all."""


@dataclass(frozen=True, slots=True)
class Typed:
    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of a proposal: counts as the spoken answer, once."""

    proposal_id: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Played:
    """The channel says how much of a track has sounded; hostile input, clamped."""

    track: str
    played_ms: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The customer pressed Stop: silence this reply. Who knows how much of a track had sounded says so."""

    track: str = ""
    played_ms: int = 0


@dataclass(frozen=True, slots=True)
class ToolFinished:
    tool_call_id: str
    result: ToolResult
    took_ms: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """The desk executed or closed a proposal after the customer's answer."""

    proposal_id: str
    receipt: Receipt | None = None
    say: str = ""
    """Why it was not done, fit to be spoken, when there is no receipt and it was not declined."""
    declined: bool = False
    waits: bool = False
    """It was not done, and the proposal stays open for another answer."""
    unsure: bool = False
    """Whether it was done is not known: the line to whoever does it was lost meanwhile."""


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """Tools or instructions changed in mid-call (the caller was verified, the language switched)."""

    session: SessionSettings


@dataclass(frozen=True, slots=True)
class LanguageChosen:
    """The customer goes on in another language; what was said so far was said in the one before."""

    language: str
    """A tag such as `zh-CN`."""


@dataclass(frozen=True, slots=True)
class CallerChanged:
    """Another verified caller is on the line: what was proposed to the one before is void."""

    caller: Caller
    stranger: bool = False
    """Somebody else than the verified customer before: nothing of theirs may be known any more."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something the model should know from the desk itself."""

    text: str
    reply: bool = False
    """Ask for a reply to it."""


@dataclass(frozen=True, slots=True)
class ReplyAsked:
    """The library's user asks for a reply."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An event of the library's user: sent as it is, while there is a session to send it to."""

    event: ClientEvent


Limit = Literal["time limit", "tool limit", "money limit", "the caller was silent"]


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A limit of this call was reached: say so, then hang up."""

    reason: Limit


@dataclass(frozen=True, slots=True)
class Pronounced:
    """A sentence in the desk's own voice: 24 kHz mono s16le, empty when it has none for it."""

    line_id: str
    text: str
    pcm24k: bytes


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time passed: `wake_at` was reached."""


@dataclass(frozen=True, slots=True)
class HungUp:
    reason: str = ""


Input = (
    Opened
    | Lost
    | VoiceStarted
    | VoiceEnded
    | Pushed
    | Released
    | Typed
    | Pressed
    | Played
    | Stopped
    | ToolFinished
    | Settled
    | SessionChanged
    | CallerChanged
    | LanguageChosen
    | Noted
    | ReplyAsked
    | Forwarded
    | LimitReached
    | Pronounced
    | Ticked
    | HungUp
)

# --- effects --------------------------------------------------------------------------------------------

# Those that come with every word are structs, which are made several times as fast as dataclasses.


class Send(msgspec.Struct, frozen=True, gc=False):
    event: ClientEvent


class Play(msgspec.Struct, frozen=True, gc=False):
    """Queue sound at the channel: 24 kHz mono s16le."""

    track: str
    pcm24k: bytes


@dataclass(frozen=True, slots=True)
class ClearPlayback:
    """Silence the channel now."""


@dataclass(frozen=True, slots=True)
class RunTool:
    tool_call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CancelTool:
    tool_call_id: str


@dataclass(frozen=True, slots=True)
class Settle:
    """Carry out (yes) or close (no) a proposal; answered by `Settled`."""

    proposal: Proposal
    answer: Answer
    means: Means
    heard: str
    """What the customer heard of the read-back: goes into the ledger."""
    said: str
    """The customer's words."""


@dataclass(frozen=True, slots=True)
class Pronounce:
    """Put a sentence into sound on this machine, in the first of these wordings that its voice can say;
    answered by `Pronounced`."""

    line_id: str
    ways: tuple[str, ...]


class Show(msgspec.Struct, frozen=True, gc=False):
    shown: Shown


@dataclass(frozen=True, slots=True)
class TurnTimed:
    """End of the customer's speech (or the typed line) to the first sound or text of the answer."""

    latency_ms: int
    spoken: bool


@dataclass(frozen=True, slots=True)
class UsageCounted:
    usage: Usage
    kind: Literal["response", "transcription"]
    backend: str = ""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The customer's speech cut a reply: how much of the item was heard."""

    item_id: str
    heard_ms: int
    received_ms: int


@dataclass(frozen=True, slots=True)
class Silenced:
    """The customer spoke over the desk, which fell silent: so long after the speech began.

    It is measured on the microphone's audio, up to the moment at which the channel was told; whether the
    speech interrupts is decided later.
    """

    after_ms: int


@dataclass(frozen=True, slots=True)
class Answered:
    """The customer's answer to a proposal was taken: by voice, typed, or by its button."""

    proposal_id: str
    answer: Answer
    means: Means


@dataclass(frozen=True, slots=True)
class Incident:
    """Something for the record that is nobody's line: an ignored error, a stopped claim, a lost utterance."""

    kind: str
    detail: str = ""


Fact = TurnTimed | UsageCounted | Interrupted | Silenced | Answered | Incident


class Record(msgspec.Struct, frozen=True, gc=False):
    fact: Fact


@dataclass(frozen=True, slots=True)
class Connect:
    """A connection is needed and there is none."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection: nobody needs it (no reason), or it is of no use (try the next backend)."""

    reason: str
    trouble: Trouble = "out_of_order"
    """What the reason is to a customer, if there is no other backend."""


@dataclass(frozen=True, slots=True)
class Rehear:
    """The last of the microphone's audio goes to the next session too: the lost one kept its words."""

    ms: int
    pushes: int = 0
    """With push to talk: so many of the last pushes, whatever time passed between them."""


@dataclass(frozen=True, slots=True)
class HangUp:
    reason: str


Effect = (
    Send
    | Play
    | ClearPlayback
    | RunTool
    | CancelTool
    | Settle
    | Pronounce
    | Show
    | Record
    | Connect
    | Disconnect
    | Rehear
    | HangUp
)
