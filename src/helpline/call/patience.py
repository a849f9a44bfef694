"""Silence, waiting and limits: what happens when nothing happens. PURE.

A silent caller is asked, then hung up. On a line whose noise keeps the voice detection busy, words decide,
not speech. A tool that takes long is bridged by one line. A call that reaches a limit ends with a sentence.
"""

from typing import Literal

from helpline import sentences as say
from helpline.call import replies
from helpline.call.effects import Limit, LimitReached
from helpline.call.state import Reply, Step
from helpline.call.transcript import quoted
from helpline.realtime import events as ev
from helpline.wording import Sentence

_GOODBYES: dict[Limit, Sentence] = {
    "time limit": say.TOO_LONG,
    "tool limit": say.TOO_MUCH,
    "money limit": say.TOO_MUCH,
    "the caller was silent": say.GOODBYE,
}


def heard_from(s: Step) -> None:
    """The customer is there."""
    s.set(words_ms=s.now_ms, prompted=0)


def on_limit(s: Step, event: LimitReached) -> None:
    """Say why, then hang up: `ends` waits until it was heard."""
    if s.c.ends is None:
        s.incident("limit", event.reason)
        goodbye = _GOODBYES[event.reason]
        s.set(ends=event.reason, goodbye=goodbye)
        s.tell(quoted(s.words(goodbye)))
        replies.want_reply(s)


def on_time(s: Step) -> None:
    _limits(s)
    _bridge(s)
    _ask_the_silent(s)


def _limits(s: Step) -> None:
    if s.c.ends is None and s.now_ms - s.c.started_ms >= s.c.rules.max_call_ms:
        on_limit(s, LimitReached("time limit"))


def too_many_tools(s: Step) -> None:
    """A model that calls tools without end is ended."""
    on_limit(s, LimitReached("tool limit"))


def _bridge(s: Step) -> None:
    due = _bridge_due(s)
    if due is None or s.now_ms < due:
        return
    event_id = f"ask_{s.c.asked + 1}"
    s.set(bridged=True, asked=s.c.asked + 1, reply=Reply("asked", since_ms=s.now_ms, event_id=event_id))
    modality: tuple[Literal["text", "audio"], ...] = ("audio",) if s.c.rules.speaks else ("text",)
    settings = ev.ResponseSettings(
        instructions=quoted(s.words(say.ONE_MOMENT)), output_modalities=modality, tool_choice="none"
    )
    s.send(ev.ResponseCreate(event_id=event_id, response=settings))


def _bridge_due(s: Step) -> int | None:
    c = s.c
    if not c.tools or c.bridged or not c.voice or c.link.phase != "ready" or c.reply.phase != "none":
        return None
    if c.utterances or not c.playout.silent:
        return None
    return min(tool.since_ms for tool in c.tools) + c.rules.dead_air_ms


def _ask_the_silent(s: Step) -> None:
    due = _silence_due(s)
    if due is None or s.now_ms < due:
        return
    if s.c.prompted >= s.c.rules.idle_prompts:
        s.set(words_ms=s.now_ms)
        on_limit(s, LimitReached("the caller was silent"))
        return
    s.set(prompted=s.c.prompted + 1, words_ms=s.now_ms, utterances=())  # noise was no utterance
    s.tell("The customer is silent. " + quoted(s.words(say.STILL_THERE)))
    replies.want_reply(s)


def _silence_due(s: Step) -> int | None:
    c = s.c
    if not c.voice or c.link.phase != "ready" or c.ends is not None:
        return None
    if any(u.stopped_ms is None for u in c.utterances):
        return c.words_ms + c.rules.noise_ms
    if c.quiet_ms is None:
        return None
    return max(c.words_ms, c.quiet_ms) + c.rules.idle_ms


def due_times(s: Step) -> tuple[int | None, ...]:
    """When `on_time` will have something to do."""
    ends_ms = s.c.started_ms + s.c.rules.max_call_ms if s.c.ends is None else None
    return _bridge_due(s) if s.c.tools else None, _silence_due(s), ends_ms
