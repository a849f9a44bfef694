"""A call written down as it happened, and lived through again: same trace, same effects.

The driver notes every input of the conversation in the trace, between the events of the server. What a
recording of somebody else's session does not say (when voice began, what a tool answered) is read from what
its client sent.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

import msgspec

from helpline.actions import ToolResult
from helpline.audio.pcm import BYTES_PER_MS
from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Event, Rules, begin, step, wake_at
from helpline.call.transcript import Exchange, Line, Transcript
from helpline.realtime import events as ev
from helpline.realtime.cost import Bill, PriceList
from helpline.realtime.trace import BadTrace, Entry, Trace

TAIL_MS = 120_000
"""What still sounds at a recording's end is heard out, up to this."""
LONGEST_SOUND_MS = 60_000
LEFT_OUT: Final = "…"
"""Stands for words that were taken out of a trace."""

_NOTED: Final = {
    kind.__name__: kind
    for kind in (
        fx.Opened, fx.Lost, fx.VoiceStarted, fx.VoiceEnded, fx.Pushed, fx.Released, fx.Typed, fx.Pressed,
        fx.Played, fx.Stopped, fx.ToolFinished, fx.Settled, fx.SessionChanged, fx.CallerChanged,
        fx.LanguageChosen, fx.Noted, fx.ReplyAsked, fx.LimitReached, fx.Pronounced, fx.Ticked, fx.HungUp,
    )
}  # fmt: skip
_IMPERSONAL: Final = frozenset(
    "backend transcribes wall_s reason hopeless proposal_id answer track played_ms tool_call_id took_ms "
    "language languages declined waits reply line_id sound_ms".split()
)
_STAND_INS: Final[dict[type, dict[str, Any]]] = {
    fx.Opened: {"session": ev.SessionSettings()},
    fx.SessionChanged: {"session": ev.SessionSettings()},
    fx.Typed: {"text": LEFT_OUT},
    fx.Noted: {"text": LEFT_OUT},
    fx.ToolFinished: {"result": ToolResult("")},
    fx.Pronounced: {"text": LEFT_OUT},
}
"""For what a trace does not hold: a session's settings, and what was personal."""


# --- writing ----------------------------------------------------------------------------------------------


def note_rules(trace: Trace, rules: Rules) -> None:
    """Write down the rules of the call that begins."""
    trace.note("Rules", **msgspec.to_builtins(rules))


def note_input(trace: Trace, event: fx.Input) -> None:
    """Write down one input of the conversation, what is personal in it under marked keys."""
    kind = type(event)
    if kind.__name__ not in _NOTED:
        return
    values = {
        field.name: msgspec.to_builtins(getattr(event, field.name), enc_hook=dict)
        for field in fields(event)
        if field.name != "session"
    }
    if isinstance(event, fx.Pronounced):
        values["sound_ms"] = len(event.pcm24k) // BYTES_PER_MS
        del values["pcm24k"]  # how long it is matters, and no more
    facts = {name: value for name, value in values.items() if name in _IMPERSONAL}
    trace.note(
        kind.__name__,
        personal={name: value for name, value in values.items() if name not in _IMPERSONAL},
        **facts,
    )


# --- living through it again ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a trace."""

    conversation: Conversation
    effects: tuple[tuple[int, fx.Effect], ...]
    """Each with its time, ms since the trace began."""
    bill: Bill

    @property
    def lines(self) -> tuple[Line, ...]:
        return self.conversation.transcript.lines

    @property
    def tools(self) -> tuple[Exchange, ...]:
        entries = self.conversation.transcript.entries
        return tuple(entry for entry in entries if isinstance(entry, Exchange))


def replay(entries: Iterable[Entry], prices: PriceList) -> Replayed:
    """Run a trace, or a recording, through the conversation. Raises BadTrace."""
    listed = list(entries)
    ours = any(entry.way == "noted" for entry in listed)
    player = _Player(prices)
    inputs = _noted_inputs(listed, player) if ours else _inferred_inputs(listed, player)
    for at_ms, event in inputs:
        player.take(at_ms, event, ticks=not ours)
    if not ours:
        player.tick_until(player.now_ms + TAIL_MS, rests=True)
    return Replayed(player.conversation, tuple(player.effects), player.bill)


class _Player:
    def __init__(self, prices: PriceList) -> None:
        self.conversation = begin(0)
        self.effects: list[tuple[int, fx.Effect]] = []
        self.bill = Bill()
        self.now_ms = 0
        self._prices = prices
        self._models = {"response": "", "transcription": ""}

    def start(self, rules: Rules, past: Transcript | None = None) -> None:
        self.conversation = begin(self.now_ms, rules, past)

    def take(self, at_ms: int, event: Event, *, ticks: bool) -> None:
        if ticks:
            self.tick_until(at_ms)
        self.now_ms = max(self.now_ms, at_ms)
        if isinstance(event, ev.SessionCreated | ev.SessionUpdated):
            self._learn_models(event.session)
        self._step(event)

    def tick_until(self, end_ms: int, *, rests: bool = False) -> None:
        """Wake the conversation whenever it asked for it; `rests`: no longer than something is going on."""
        while not (rests and self.conversation.quiet_ms is not None):
            due = wake_at(self.conversation, self.now_ms)
            if due is None or due > end_ms:
                return
            self.now_ms = max(self.now_ms + 1, due)
            self._step(fx.Ticked())

    def _step(self, event: Event) -> None:
        self.conversation, effects = step(self.conversation, event, self.now_ms)
        for effect in effects:
            self.effects.append((self.now_ms, effect))
            if isinstance(effect, fx.Record) and isinstance(effect.fact, fx.UsageCounted):
                model = self._models[effect.fact.kind] or effect.fact.backend
                self.bill = self.bill.charged(effect.fact.usage, model, self._prices)

    def _learn_models(self, session: ev.Session) -> None:
        if session.model:
            self._models["response"] = session.model
        hears: Any = session.audio
        for key in ("input", "transcription", "model"):
            hears = hears.get(key) if isinstance(hears, dict) else None
        if isinstance(hears, str):
            self._models["transcription"] = hears


def _noted_inputs(entries: list[Entry], player: _Player) -> Iterator[tuple[int, Event]]:
    for entry in entries:
        if entry.way == "received" and isinstance(entry.event, ev.ServerEvent | ev.UnknownEvent):
            yield entry.at_ms, entry.event
        elif entry.way == "noted" and entry.note.get("type") == "Rules":
            player.start(_rules(entry.note))
        elif entry.way == "noted" and (event := _input(entry.note)) is not None:
            yield entry.at_ms, event


def _rules(note: Any) -> Rules:
    try:
        return msgspec.convert({key: value for key, value in note.items() if key != "type"}, Rules)
    except msgspec.ValidationError as error:
        raise BadTrace(f"The trace's rules cannot be read: {error}.") from None


def _input(note: Any) -> fx.Input | None:
    kind = _NOTED.get(str(note.get("type")))
    if kind is None:
        return None
    stand_ins = _STAND_INS.get(kind, {})
    if kind is fx.Pronounced and isinstance(sound_ms := note.get("sound_ms"), int):
        stand_ins = {**stand_ins, "pcm24k": bytes(min(max(sound_ms, 0), LONGEST_SOUND_MS) * BYTES_PER_MS)}
    known = {field.name for field in fields(kind)}
    values = {key: value for key, value in note.items() if key in known}
    missing = {key: value for key, value in stand_ins.items() if key not in values}
    try:
        parts = {
            key: msgspec.convert(value, _type_of(kind, key), strict=False) for key, value in values.items()
        }
        event: fx.Input = kind(**parts, **missing)
    except msgspec.ValidationError as error:
        raise BadTrace(f"The trace's {kind.__name__} cannot be read: {error}.") from None
    except TypeError:
        return None  # what it is about was taken out of the trace
    return event


def _type_of(kind: type, name: str) -> Any:
    return next(field.type for field in fields(kind) if field.name == name)


# --- other people's sessions ------------------------------------------------------------------------------


def _inferred_inputs(entries: list[Entry], player: _Player) -> Iterator[tuple[int, Event]]:
    """What a desk would have been told, going by what this session's client sent."""
    asked = next(
        (entry.event.session for entry in entries if isinstance(entry.event, ev.SessionUpdate)), None
    )
    session = asked or ev.SessionSettings()
    past, typed = _past(entries)
    player.start(Rules(vendor_turns=True), past)
    configured = False
    for entry in entries:
        at_ms, event = entry.at_ms, entry.event
        match event:
            case _ if entry.way == "opened":
                yield at_ms, fx.Opened(entry.backend, session)
            case _ if entry.way == "lost":
                yield at_ms, fx.Lost(f"The session ended ({entry.code}).")
            case ev.InputAppend() if not player.conversation.voice:
                yield at_ms, fx.VoiceStarted()
            case ev.SessionUpdate() if configured:
                yield at_ms, fx.SessionChanged(event.session)
            case ev.SessionUpdate():
                configured = True
            case ev.ItemCreate(item=item) if item.type == "function_call_output" and item.call_id:
                yield at_ms, fx.ToolFinished(item.call_id, _result(item.output or ""))
            case ev.ItemCreate(item=item) if item.role == "user" and id(item) in typed:
                yield at_ms, fx.Typed(_text(item))
            case ev.ServerEvent() | ev.UnknownEvent():
                yield at_ms, event


def _past(entries: list[Entry]) -> tuple[Transcript, set[int]]:
    """What was said before the recorded session: messages sent before the last one that asks; the rest."""
    lines: list[Line] = []
    typed: set[int] = set()
    waiting: list[ev.Item] = []
    for entry in entries:
        if isinstance(entry.event, ev.ItemCreate) and entry.event.item.role in ("user", "assistant"):
            waiting.append(entry.event.item)
        elif isinstance(entry.event, ev.ResponseCreate) and waiting:
            if not typed:
                lines = [_line(number, item) for number, item in enumerate(waiting[:-1], start=1)]
            typed |= {id(item) for item in waiting[-1:]}
            waiting = []
    return Transcript(tuple(lines)), typed


def _line(number: int, item: ev.Item) -> Line:
    text = _text(item)
    speaker: Any = "customer" if item.role == "user" else "desk"
    return Line(f"past_{number}", speaker, text, text, final=True, typed=True)


def _text(item: ev.Item) -> str:
    return " ".join(part.text or part.transcript or "" for part in item.content or ()).strip()


def _result(output: str) -> ToolResult:
    try:
        data = json.loads(output)
    except ValueError:
        return ToolResult(output)
    return ToolResult(str(data.get("say", "")), data) if isinstance(data, dict) else ToolResult(output)
