"""The state of a call as one frozen value, and the pen with which one step writes its next value."""

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from helpline.actions import Proposal
from helpline.call.claims import Done, Reported
from helpline.call.effects import Effect, Fact, Incident, Record, Send, Show
from helpline.call.playout import Playout
from helpline.call.shown import Shown
from helpline.call.transcript import Entry, Line, Note, Transcript, add, message
from helpline.realtime.events import ClientEvent, ItemCreate, SessionSettings, SessionUpdate
from helpline.wording import Saying

# Frozen values can hold no cycle: `gc=False` spares the collector most of what a call consists of.


class Rules(msgspec.Struct, frozen=True, gc=False):
    """How the desk takes turns. All times in ms."""

    barge_in_ms: int = 400
    """Speech of this length interrupts even when its words are unknown."""
    long_speech_ms: int = 800
    """Still talking after this long is no "mhm", whatever the words turn out to be."""
    silence_ms: int = 500
    """The vendor's silence window: `speech_stopped` comes this long after the last sound."""
    prefix_ms: int = 300
    words_wait_ms: int = 3000
    """A transcript that has not come by then will not come."""
    ack_wait_ms: int = 3000
    """Some servers never acknowledge `session.update`."""
    created_wait_ms: int = 10_000
    """A session that has not begun the reply asked of it by then is replaced."""
    stalled_wait_ms: int = 30_000
    """The same of a reply of which nothing more comes."""
    idle_ms: int = 30_000
    """Silence of a caller with voice on before the desk asks whether they are still there."""
    noise_ms: int = 60_000
    """The same on a line whose noise looks like speech but gives no words."""
    idle_prompts: int = 2
    """How often it asks before it hangs up."""
    dead_air_ms: int = 4000
    """A tool that takes longer is bridged by one short line."""
    rollover_ms: int = 180_000
    """A session about to expire is replaced at the first quiet moment of this last stretch."""
    max_call_ms: int = 3_600_000
    max_tool_calls: int = 100
    park_voice_ms: int = 1000
    """After voice has ended an idle connection is closed this soon; the context is ours."""
    park_typed_ms: int = 60_000
    push_to_talk: bool = False
    """The customer is heard while holding a button, and has finished when they let go."""
    longest_push_ms: int = 60_000
    """A button held for longer got stuck."""
    speaks: bool = True
    """Spoken questions are answered aloud; else in text."""
    vendor_turns: bool = False
    """The vendor decides when to answer and when to stop: one round trip faster, no tolerance of "mhm"."""


LinkPhase = Literal["down", "opening", "ready"]
"""down: no connection. opening: connected, not configured yet. ready: may be spoken to."""

ReplyPhase = Literal["none", "asked", "active"]


class Link(msgspec.Struct, frozen=True, gc=False):
    phase: LinkPhase = "down"
    backend: str = ""
    since_ms: int = 0
    generation: int = 0
    """Counts sessions: what an older one knew must be told to a newer one."""
    transcribes: bool = True
    languages: tuple[str, ...] = ()
    """The only ones that it hears; empty for many."""
    opened_ms: int = 0
    wall_s: float = 0.0
    """The wall clock when it was opened."""
    expires_ms: int | None = None
    """When the server will end the session."""
    asked: bool = False
    """`Connect` was emitted and neither `Opened` nor `Lost` has answered it."""


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The one response that may be in flight."""

    phase: ReplyPhase = "none"
    response_id: str = ""
    since_ms: int = 0
    """When the last of it came, to within a second."""
    event_id: str = ""
    """Ours, of the `response.create`: an error about it says so."""
    doomed: bool = False
    """Cut off: what still comes of it dies. One that the server has not named yet is cancelled when it is."""
    chars: int = 0
    """How many letters came of its words; each of its items counts as some."""


class Utterance(msgspec.Struct, frozen=True, gc=False):
    """A stretch of customer speech that the desk has not dealt with yet."""

    item_id: str
    started_ms: int
    audio_start_ms: int = 0
    cuts: Literal["no", "perhaps", "yes"] = "no"
    """Does it interrupt? perhaps: playback is silenced until words or length decide."""
    waits: bool = True
    """The desk does not speak before it has ended; False when the customer has typed since it began."""
    stopped_ms: int | None = None
    speech_ms: int = 0
    committed_ms: int | None = None
    text: str = ""
    text_final: bool = False


class Push(msgspec.Struct, frozen=True, gc=False):
    """The customer holds the button, or has let go and the server has not made an item of it yet."""

    pressed_ms: int
    released_ms: int | None = None


class Pending(msgspec.Struct, frozen=True, gc=False):
    """The proposal that waits for the customer's answer."""

    proposal: Proposal
    since_ms: int
    after_entry: str
    """Only what was heard behind this transcript entry counts as the read-back."""
    settling: bool = False
    """The answer was taken; the desk is carrying it out."""


class Farewell(msgspec.Struct, frozen=True, gc=False):
    """The desk ends the call by itself, in its own voice: nobody upstream is asked any more.

    due: once all that was received is heard. asked: its sound is being made. said: it sounds.
    """

    phase: Literal["due", "asked", "said"] = "due"
    line_id: str = ""
    since_ms: int = 0


class Draft(msgspec.Struct, frozen=True, gc=False):
    """The words of the reply in flight, before they are shown: sentences are checked first."""

    item_id: str = ""
    text: str = ""
    checked: int = 0
    """Up to here its sentences are finished and stand."""
    typed: bool = False
    looked: int = 0
    """Up to here its unfinished sentence was looked at and claims nothing."""


class ToolCall(msgspec.Struct, frozen=True, gc=False):
    """A tool call of the model that has not been answered."""

    id: str
    name: str
    arguments: str
    response_id: str
    generation: int
    since_ms: int


class Conversation(msgspec.Struct, frozen=True, gc=False):
    """Everything a call knows. Only `step` makes the next one."""

    rules: Rules = Rules()
    started_ms: int = 0
    closed: bool = False
    voice: bool = False
    spoke: bool = False
    """Voice has been on since the last typed line."""
    link: Link = Link()
    deaf: bool = False
    """The customer was told that their language is not heard."""
    language: str = "en"
    """The customer's, as a tag: in it the desk says what it says by itself."""
    session: SessionSettings | None = None
    reply: Reply = Reply()
    wants_reply: bool = False
    asked: int = 0
    """How many replies were asked for."""
    retry_at_ms: int | None = None
    """A wanted reply waits until then."""
    retries: int = 0
    dead: tuple[str, ...] = ()
    """Responses that were cut off, latest last: what comes late of them dies."""
    over: tuple[str, ...] = ()
    """Responses that are done, latest last: what is repeated of them says nothing."""
    playout: Playout = Playout()
    transcript: Transcript = Transcript()
    utterances: tuple[Utterance, ...] = ()
    push: Push | None = None
    dealt: tuple[str, ...] = ()
    """Utterances that were dealt with, latest last."""
    wordless: tuple[tuple[str, int], ...] = ()
    """(item_id, started_ms) of utterances whose words are not known yet: only the session has heard them."""
    untold: tuple[str, ...] = ()
    """Lines of an earlier session that still sound: this one is told what was heard of them."""
    tools: tuple[ToolCall, ...] = ()
    called: frozenset[str] = frozenset()
    """Every tool call id ever run: none runs twice."""
    names: tuple[tuple[str, str], ...] = ()
    """Function-call items announced: (item_id, tool name); some servers name the tool only there."""
    pending: Pending | None = None
    queued: Pending | None = None
    """Proposed while another was being carried out."""
    offer: Proposal | None = None
    """The latest change that was offered, for as long as it is neither done nor declined."""
    done: tuple[Done, ...] = ()
    """Changes of this call that have their receipts: what a claim must have behind it."""
    unsure: bool = False
    """Of a change of this call it is not known whether it was done."""
    reported: tuple[Reported, ...] = ()
    draft: Draft = Draft()
    stopped_claims: int = 0
    """Claims stopped in a row, since the customer last spoke."""
    turn_ms: int | None = None
    """When the customer's turn ended, until the answer begins."""
    quiet_ms: int | None = None
    """Since when nothing is going on; None while something is."""
    words_ms: int = 0
    """When the customer last said, typed or pressed something."""
    prompted: int = 0
    """How often a silent caller has been asked since."""
    bridged: bool = False
    """The wait for the tools now running was bridged by a line."""
    ends: str | None = None
    """Hang up with this reason once the last reply was heard."""
    goodbye: Saying | None = None
    """What that reply is to say, until one has come; the desk says it by itself when none does."""
    farewell: Farewell | None = None
    shown_state: str = ""
    notes: int = 0
    unknown: int = 0
    stretches: int = 0
    """How many stretches of speech the servers of this call have reported."""

    @property
    def may_listen(self) -> bool:
        """May microphone audio be sent? Never before the session is configured."""
        return self.voice and self.link.phase == "ready" and not self.closed

    @property
    def hears(self) -> bool:
        """Is the customer's microphone listened to? What it gives while the session is away is held."""
        return self.voice and self.farewell is None and (not self.rules.push_to_talk or self.holds)

    @property
    def holds(self) -> bool:
        """Does the customer hold the button?"""
        return self.push is not None and self.push.released_ms is None


REMEMBERED = 64


def remembering(ids: tuple[str, ...], new: str) -> tuple[str, ...]:
    """The ids with one more behind them; the oldest are forgotten."""
    return (*ids[-REMEMBERED + 1 :], new) if new and new not in ids else ids


class Step:
    """One step in the making: the value so far, the effects so far, and the time."""

    __slots__ = ("c", "effects", "now_ms")

    def __init__(self, conversation: Conversation, now_ms: int) -> None:
        self.c = conversation
        self.now_ms = now_ms
        self.effects: list[Effect] = []

    def set(self, **changes: Any) -> None:
        self.c = replace(self.c, **changes)

    def emit(self, effect: Effect) -> None:
        self.effects.append(effect)

    def send(self, event: ClientEvent) -> None:
        """Send, if there is a session that is configured; a later one is told by `rebuild`."""
        phase = self.c.link.phase
        if phase == "ready" or (phase == "opening" and isinstance(event, SessionUpdate)):
            self.effects.append(Send(event))

    def show(self, shown: Shown) -> None:
        self.effects.append(Show(shown))

    def record(self, fact: Fact) -> None:
        self.effects.append(Record(fact))

    def words(self, saying: Saying) -> str:
        """Something of the desk's own, in the language of this call."""
        return saying.in_(self.c.language)

    def incident(self, kind: str, detail: str = "") -> None:
        self.record(Incident(kind, detail))

    # --- the transcript ---

    @property
    def call_ms(self) -> int:
        return self.now_ms - self.c.started_ms

    def put(self, entry: Entry) -> None:
        before = self.c.transcript.left_out
        self.set(transcript=add(self.c.transcript, entry))
        if self.c.transcript.left_out and not before:
            self.incident("transcript_full")

    def put_line(self, line: Line) -> None:
        """Write a line and show it."""
        self.put(line)
        self.show(line.caption())

    def tell(self, text: str) -> None:
        """Tell the model something from the desk: a system item, remembered for later sessions."""
        number = self.c.notes + 1
        self.set(notes=number)
        self.put(Note(f"note_{number}", text))
        self.send(ItemCreate(item=message("system", text)))

    # --- utterances ---

    def utterance(self, item_id: str) -> Utterance | None:
        return next((u for u in self.c.utterances if u.item_id == item_id), None)

    def put_utterance(self, utterance: Utterance) -> None:
        rest = tuple(u for u in self.c.utterances if u.item_id != utterance.item_id)
        self.set(utterances=(*rest, utterance))

    def forget_utterance(self, item_id: str) -> None:
        """It was dealt with: what is repeated of it says nothing."""
        self.set(
            utterances=tuple(u for u in self.c.utterances if u.item_id != item_id),
            dealt=remembering(self.c.dealt, item_id),
        )

    def know_words(self, item_id: str) -> None:
        """An utterance's words are known, or will never be."""
        if any(known == item_id for known, _ in self.c.wordless):
            self.set(wordless=tuple(one for one in self.c.wordless if one[0] != item_id))
