"""What the engine answers: one port, and the policy that serves any session's tools without a model.

A brain sees the conversation since its last reply and yields parts: sentences to speak, functions to call.
The policy never states a fact of its own: facts come from tool results and from what the app asked it to say.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from helpline.engine.language import find_entities
from helpline.engine.meaning import Tool
from helpline.engine.policy import Dialogue, Policy, Refused, read_arguments
from helpline.engine.results import last_price, question_in, say_result

Role = Literal["user", "assistant", "system"]


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the customer, the assistant or the app."""

    role: Role
    text: str
    spoken: bool = True


@dataclass(frozen=True, slots=True)
class Called:
    """A function call that the assistant made."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a function call returned."""

    call_id: str
    output: str


Entry = Said | Called | Answered


@dataclass(frozen=True, slots=True)
class Turn:
    """What a response is made from."""

    entries: tuple[Entry, ...]
    """The conversation, oldest first."""
    tools: tuple[Tool, ...]
    now: datetime
    """Aware or naive local time: "tomorrow" is counted from here."""
    tool_choice: str = "auto"
    """`auto`, `none`, `required`, or a tool's name."""
    instructions: str = ""
    """Of this response, else of the session."""
    asked_for: str = ""
    """Instructions given with this response alone: may hold `Say to the customer: "…"`."""
    known_ids: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Say:
    """More words of the reply."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function to call."""

    name: str
    arguments: str


Part = Say | Call


class Brain(Protocol):
    """Answers one session."""

    def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """The reply's parts, as they come; raises helpline.errors.BackendError when it cannot answer."""


_SAY = re.compile(r"say (?:exactly )?(?:this )?to the (?:customer|caller|user)\s*:\s*", re.IGNORECASE)
_CLOSING = {'"': '"', "“": "”", "'": "'"}


def told_to_say(text: str) -> str:
    """What stands in quotes after `Say to the customer:`; backslashes escape, an open quote runs to the end."""
    match = _SAY.search(text)
    if match is None or match.end() >= len(text):
        return ""
    closing = _CLOSING.get(text[match.end()])
    if closing is None:
        return text[match.end() :].strip()
    said: list[str] = []
    at = match.end() + 1
    while at < len(text) and text[at] != closing:
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
            said.append({"n": "\n", "t": " "}.get(text[at], text[at]))
        else:
            said.append(text[at])
        at += 1
    return "".join(said).strip()


class PolicyBrain:
    """The offline brain of one session."""

    def __init__(self, *, greeting: str = "", agent: str = "") -> None:
        self._policy = Policy(agent=agent)
        self._dialogue = Dialogue()
        self._greeting = greeting

    async def answer(self, turn: Turn) -> AsyncIterator[Part]:
        """At once: the policy is quick and asks nobody."""
        for part in self.decide(turn):
            yield part

    def decide(self, turn: Turn) -> list[Part]:
        """The whole reply."""
        asked = told_to_say(turn.asked_for)
        if asked:
            return [Say(asked)]
        tail = _since_last_reply(turn.entries)
        self._remember(turn, tail)
        self._dialogue = self._policy.after_results(self._dialogue, _refusals(tail, turn), turn)
        told = _to_be_said(tail, turn)
        question = _to_be_answered(tail)
        if question is None:
            return [Say(" ".join(told) or self._opening(turn))]
        self._dialogue, act = self._policy.decide(self._dialogue, question.text, turn, spoken=question.spoken)
        parts: list[Part] = [Say(" ".join(told))] if told else []
        if told and act.kind == "small":
            return parts
        parts += [Say(act.say)] if act.say else []
        return parts + [Call(name, msgspec.json.encode(args).decode()) for name, args in act.calls]

    def _remember(self, turn: Turn, tail: tuple[Entry, ...]) -> None:
        """What is being talked about, from the newest facts; also after a rebuilt conversation."""
        for entry in turn.entries if self._dialogue.fresh else tail:
            self._dialogue = remember(self._dialogue, entry, turn.now)
        self._dialogue = replace(self._dialogue, fresh=False)

    def _opening(self, turn: Turn) -> str:
        if any(isinstance(entry, Said) and entry.role == "assistant" for entry in turn.entries):
            return "I am listening."
        return self._greeting or self._policy.introduction(turn.tools)


def _since_last_reply(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    last = max(
        (
            at
            for at, entry in enumerate(entries)
            if isinstance(entry, Called) or (isinstance(entry, Said) and entry.role == "assistant")
        ),
        default=-1,
    )
    return entries[last + 1 :]


def _to_be_said(tail: tuple[Entry, ...], turn: Turn) -> list[str]:
    said: list[str] = []
    names = {entry.call_id: entry.name for entry in turn.entries if isinstance(entry, Called)}
    for entry in tail:
        if isinstance(entry, Answered):
            said.append(say_result(entry.output, names.get(entry.call_id, "")))
        elif isinstance(entry, Said) and entry.role == "system":
            said.append(told_to_say(entry.text))
    return [text for text in said if text]


def _refusals(tail: tuple[Entry, ...], turn: Turn) -> tuple[Refused, ...]:
    """Calls that came back with a question."""
    calls = {entry.call_id: entry for entry in turn.entries if isinstance(entry, Called)}
    found = [(calls.get(entry.call_id), entry.output) for entry in tail if isinstance(entry, Answered)]
    asked = [(call, question_in(output)) for call, output in found if call is not None]
    return tuple(Refused(call.name, call.arguments, reason) for call, reason in asked if reason is not None)


def _to_be_answered(tail: tuple[Entry, ...]) -> Said | None:
    """The customer's words that nobody has answered; words that the app has dealt with do not count."""
    words: list[Said] = []
    for entry in tail:
        if isinstance(entry, Said) and entry.role == "user":
            words.append(entry)
        elif isinstance(entry, Said) and told_to_say(entry.text):
            words.clear()
    if not words:
        return None
    return Said("user", " ".join(word.text for word in words), spoken=all(word.spoken for word in words))


def remember(dialogue: Dialogue, entry: Entry, now: datetime) -> Dialogue:
    """The dialogue, knowing what this entry was about."""
    match entry:
        case Called(arguments=arguments):
            return _remember_arguments(dialogue, arguments)
        case Answered(output=output):
            return replace(dialogue, price=last_price(output) or dialogue.price)
        case Said(role="assistant", text=text):
            found = find_entities(text, now).references
            return (
                replace(dialogue, order=found[-1].upper(), last_said=text)
                if len(found) == 1
                else replace(dialogue, last_said=text)
            )
    return dialogue


def _remember_arguments(dialogue: Dialogue, arguments: str) -> Dialogue:
    for name, value in read_arguments(arguments).items():
        if "order" in name and isinstance(value, str | int):
            dialogue = replace(dialogue, order=str(value))
        elif re.search(r"product|item|query", name) and isinstance(value, str):
            dialogue = replace(dialogue, product=value)
    return dialogue
