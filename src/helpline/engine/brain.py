"""What the engine answers: one port, and the policy that serves any session's tools without a model.

A brain sees the conversation since its last reply and yields parts: sentences to speak, functions to call.
The policy never states a fact of its own: facts come from tool results and from what the app asked it to say.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from helpline.call.chinese import classify
from helpline.engine.arguments import read_arguments
from helpline.engine.chinese import CHINESE, asks, in_chinese, in_english
from helpline.engine.corrections import rows_in
from helpline.engine.dialogue import Act, Dialogue, Known, Refused, Situation, Topic
from helpline.engine.language import find_entities
from helpline.engine.meaning import Tool, tool_for
from helpline.engine.offers import stays
from helpline.engine.policy import Policy
from helpline.engine.proofs import is_proof
from helpline.engine.results import answer_in, last_price, question_in, say_result, waits
from helpline.sentences import A_LITTLE_CHINESE

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
    """Local time where the client is, aware or naive: "tomorrow" is counted from here."""
    tool_choice: str = "auto"
    """`auto`, `none`, `required`, or a tool's name."""
    instructions: str = ""
    """Of this response, else of the session."""
    asked_for: str = ""
    """Instructions given with this response alone: may hold `Say to the customer: "…"`."""
    known: Known = field(default_factory=Known)
    aside: bool = False
    """Out of band: nothing of it is remembered in the conversation."""


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


_REMEMBERED = 60
_MOST_REMEMBERED = 8000
"""Characters of what is remembered."""
_MOST_SAID = 10_000
"""Characters of what the app has said: ten minutes."""
_MOST_ASKED = 2000
"""Characters of a request: nobody says more, and whoever sends more has no others wait while it is read."""

_SAY = re.compile(r"say (?:exactly )?(?:this )?to the (?:customer|caller|user)\s*:\s*", re.IGNORECASE)
_CLOSING = {'"': '"', "“": "”", "'": "'"}


def told_to_say(text: str) -> str:
    """What stands in quotes after `Say to the customer:`; a backslash escapes, an open quote runs on."""
    match = _SAY.search(text := text[:_MOST_SAID])
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
        dialogue = self._dialogue
        parts = self.decide(turn)
        if turn.aside:
            self._dialogue = dialogue
        for part in parts:
            yield part

    def decide(self, turn: Turn) -> list[Part]:
        """The whole reply."""
        return _one_text(self._decided(turn))

    def _decided(self, turn: Turn) -> list[Part]:
        if asked := told_to_say(turn.asked_for):
            return [Say(asked)]
        tail = _since_last_reply(turn.entries)[-_REMEMBERED:]
        told = _to_be_said(tail, turn)
        question = _to_be_answered(tail)
        situation = Situation(
            turn.tools, turn.now, turn.tool_choice, turn.known, recall(turn.entries, question, turn.now)
        )
        self._dialogue = self._policy.after_results(self._dialogue, _refusals(tail, turn), situation)
        if question is None and self._dialogue.waiting and told and _is_over(tail):
            self._dialogue, act = self._policy.resume(self._dialogue, situation, spoken=_was_spoken(turn))
            act = stays(act, situation)
            if (act.calls or act.say) and _VERIFIED.search(_last_output(tail)):
                told = [_A_LAST_QUESTION.sub("", " ".join(told))]  # "How can I help?" is known
            return [Say(" ".join(told)), *_parts(act)]
        if question is None:
            return [Say(" ".join(told) or self._opening(turn))]
        chinese = CHINESE.search(question.text) is not None
        asked = in_english(question.text, turn.now) if chinese else question.text
        if _OFFERS_A_PERSON.search(situation.topic.last_said):
            # A tool has, in the app's words: what follows is the answer, as to an offer of the policy's own.
            self._dialogue = replace(self._dialogue, offered_person=True)
            answer = classify(question.text, (), frozenset()) if chinese and not asked else "neither"
            asked = answer if answer != "neither" else asked
        if chinese and not asked:
            return [*map(Say, told), *_parts(_looked_up(question.text, turn))]
        self._dialogue, act = self._policy.decide(self._dialogue, asked, situation, spoken=question.spoken)
        act = stays(act, situation)
        parts: list[Part] = [Say(" ".join(told))] if told else []
        if told and act.kind == "small":
            return parts
        return parts + _parts(_in_chinese(act) if chinese or _writes_chinese(turn.entries) else act)

    def _opening(self, turn: Turn) -> str:
        if any(isinstance(entry, Said) and entry.role == "assistant" for entry in turn.entries):
            return "I am listening."
        return self._greeting or self._policy.introduction(turn.tools)


_OFFERS_A_PERSON = re.compile(r"\bshall i get a person\?\s*$|要转人工客服吗？\s*$", re.IGNORECASE)


def _looked_up(question: str, turn: Turn) -> Act:
    """A Chinese question that is no request of ours may stand on a page of help."""
    pages = tool_for("policy_question", turn.tools)
    if pages is None or turn.tool_choice == "none" or not asks(question):
        return Act(A_LITTLE_CHINESE.zh)
    return Act(calls=((pages.name, dict.fromkeys(pages.required[:1], question)),), kind="call")


def _writes_chinese(entries: tuple[Entry, ...]) -> bool:
    """Whether the customer's last sentence was Chinese; a number or a name alone is of no language."""
    words = (entry.text for entry in reversed(entries) if isinstance(entry, Said) and entry.role == "user")
    last = next((text for text in words if CHINESE.search(text) or len(text.split()) > 2), "")
    return CHINESE.search(last) is not None


def _in_chinese(act: Act) -> Act:
    calls = tuple(
        (name, {key: in_chinese(value) if key == "summary" else value for key, value in arguments.items()})
        for name, arguments in act.calls
    )
    return replace(act, say=in_chinese(act.say), calls=calls)


def _one_text(parts: list[Part]) -> list[Part]:
    """Sentences that follow each other, with a space between them."""
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, Say) and joined and isinstance(joined[-1], Say):
            joined[-1] = Say(f"{joined[-1].text} {part.text}".strip())
        else:
            joined.append(part)
    return joined


def _parts(act: Act) -> list[Part]:
    parts: list[Part] = [Say(act.say)] if act.say else []
    return parts + [Call(name, msgspec.json.encode(args).decode()) for name, args in act.calls]


_DONE = re.compile(r"\bit is done\b", re.IGNORECASE)
_SETTLED = re.compile(r"\bit is done\b|\bsaid no\b|\bwas not done\b", re.IGNORECASE)
_IS_OFFER = re.compile(r'"status"\s*:\s*"not_done_yet"')
_OFFER_IS_OVER = re.compile(
    r"\bit is done\b|\bsaid no\b|\bwas not done\b|\bhas run out\b|\bhas verified the customer\b"
    r"|\bnot known whether\b", re.IGNORECASE
)  # fmt: skip

_VERIFIED = re.compile(r'"verified"\s*:\s*true')
_A_LAST_QUESTION = re.compile(r"(?<=[.!。！])\s*[^.!?。！？]+[?？]\s*$")


def _last_output(tail: tuple[Entry, ...]) -> str:
    return next((entry.output for entry in reversed(tail) if isinstance(entry, Answered)), "")


def _is_over(tail: tuple[Entry, ...]) -> bool:
    """Whether the last request is done with: its result is no question, or what it asked was answered."""
    last = next((entry for entry in reversed(tail) if not isinstance(entry, Called)), None)
    if isinstance(last, Answered) and _VERIFIED.search(last.output):
        return True
    if isinstance(last, Answered):
        return not waits(last.output) and not say_result(last.output).rstrip().endswith("?")
    return isinstance(last, Said) and last.role == "system" and _SETTLED.search(last.text) is not None


def _was_spoken(turn: Turn) -> bool:
    said = (entry for entry in reversed(turn.entries) if isinstance(entry, Said) and entry.role == "user")
    return next(said, Said("user", "")).spoken


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
    asked = _last_question(turn.entries)
    names = {entry.call_id: entry.name for entry in turn.entries if isinstance(entry, Called)}
    for entry in tail:
        if isinstance(entry, Answered):
            said.append(say_result(entry.output, names.get(entry.call_id, "")))
            said.append(answer_in(entry.output, asked))
        elif isinstance(entry, Said) and entry.role == "system":
            said.append(told_to_say(entry.text))
    return [text for text in said if text]


def _last_question(entries: tuple[Entry, ...]) -> str:
    """The customer's last words, in lower case."""
    said = (entry.text for entry in reversed(entries) if isinstance(entry, Said) and entry.role == "user")
    return next(said, "").lower()


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
    text = " ".join(word.text[:_MOST_ASKED] for word in words[-_REMEMBERED:])[-_MOST_ASKED:]
    return Said("user", text, spoken=all(word.spoken for word in words))


def recall(entries: tuple[Entry, ...], question: Said | None, now: datetime) -> Topic:
    """What is being talked about, from the newest part of the conversation; also after it was rebuilt."""
    topic = Topic()
    for entry in _newest(entries):
        match entry:
            case Called(name=name, arguments=arguments):
                topic = _topic_of_call(topic, name, arguments)
            case Answered(output=output):
                price = last_price(output) if _has_price(topic.last_call[0]) else ""
                listed = rows_in(output)
                topic = replace(topic, price=price, listed=listed or topic.listed)
                if len({reference for reference, _ in listed}) == 1:
                    topic = replace(topic, order=listed[0][0])
                if _IS_OFFER.search(output):
                    topic = replace(topic, offer=say_result(output), offered=topic.last_call)
            case Said(role="system", text=text) if _OFFER_IS_OVER.search(text):
                done = (topic.offered,) if topic.offer and _DONE.search(text) else ()
                topic = replace(topic, offer="", offered=("", ""), done=(*topic.done, *done))
            case Said(role="assistant", text=text):
                topic = replace(_topic_of_words(topic, text, now), last_said=text)
            case Said(role="user", text=text) if question is None or text not in question.text:
                topic = _topic_of_words(topic, text, now)
    return topic


def _newest(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    """The last part of a conversation that is remembered, oldest first."""
    room, first = _MOST_REMEMBERED, len(entries)
    for entry in reversed(entries[-_REMEMBERED:]):
        room -= len(entry.text) if isinstance(entry, Said) else 0
        if room < 0:
            break
        first -= 1
    return iter(entries[first:])


def _has_price(tool: str) -> bool:
    """Whether a tool's result is about one thing that costs something."""
    return bool(re.search(r"order|product|item|cart|basket|price|quote|cancel|return", tool.lower()))


def _topic_of_words(topic: Topic, text: str, now: datetime) -> Topic:
    named = tuple(one.upper() for one in find_entities(text, now).references)
    topic = replace(topic, named=tuple(dict.fromkeys((*topic.named, *named))))
    return replace(topic, order=named[0]) if len(named) == 1 else topic


def _topic_of_call(topic: Topic, name: str, arguments: str) -> Topic:
    given = read_arguments(arguments)
    topic = replace(topic, last_call=(name, arguments))
    if is_proof(name) and topic.order.lower() in {str(value).lower() for value in given.values()}:
        topic = replace(topic, order="")  # a postcode, and no order
    for key, value in given.items():
        if "order" in key and isinstance(value, str | int):
            named = tuple(dict.fromkeys((*topic.named, str(value).upper())))
            topic = replace(topic, order=str(value), named=named)
        elif re.search(r"product|item|query", key) and isinstance(value, str):
            topic = replace(topic, product=value)
    return topic
