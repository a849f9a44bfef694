"""The connection as the conversation sees it: configured, given the context, lost, found again. PURE.

The upstream conversation is a cache. No audio reaches a fresh session before its `session.updated`.
"""

import re
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from helpline.call import farewell, playout, replies, saying
from helpline.call.effects import Connect, Disconnect, Lost, Opened, Rehear, SessionChanged
from helpline.call.shown import Notice
from helpline.call.state import Link, Push, Reply, Step
from helpline.call.transcript import Exchange, after, rebuild, remove
from helpline.realtime import events as ev
from helpline.realtime import faults
from helpline.realtime.faults import Verdict
from helpline.sentences import HEARD_IN_ENGLISH, NO_ANSWER, NOBODY_ANSWERS
from helpline.wording import language_of

SHORTEST_SESSION_S = 30
LONGEST_SESSION_S = 7 * 86_400
"""A server that says it ends sooner, or later, has another idea of the time."""
PUSHED = "pushed"
"""Stands for the item that the sound since a push will become."""
ALREADY_ACTIVE = "conversation_already_has_active_response"


def connect_if_needed(s: Step) -> None:
    """A connection is needed while voice is on or a reply is wanted; ask for it once."""
    c = s.c
    if c.farewell is not None:
        return  # there is none to be had, and the call is about to end
    if c.link.phase == "down" and not c.link.asked and (c.wants_reply or (c.voice and c.ends is None)):
        s.set(link=replace(c.link, asked=True, since_ms=s.now_ms))
        s.emit(Connect())


def on_opened(s: Step, event: Opened) -> None:
    link = s.c.link
    s.set(
        link=Link(
            "opening",
            event.backend,
            s.now_ms,
            link.generation + 1,
            event.transcribes,
            event.languages,
            wall_s=event.wall_s,
            opened_ms=s.now_ms,
        ),
        session=event.session,
        reply=Reply(),
        dead=(),  # another session's ids
        over=(),
        dealt=(),
        names=(),
    )
    s.send(ev.SessionUpdate(session=event.session))
    tell_what_is_heard(s)


def tell_what_is_heard(s: Step) -> None:
    """Say once to somebody who talks that their language is not heard; what they type is read as ever."""
    heard = s.c.link.languages
    if heard and s.c.voice and not s.c.deaf and language_of(s.c.language) not in heard:
        s.set(deaf=True)
        s.show(Notice(s.words(HEARD_IN_ENGLISH), "warning"))


def note_expiry(s: Step, session: ev.Session) -> None:
    """Servers say by the wall clock when a session will end; here it is a time of ours."""
    link = s.c.link
    if session.expires_at and link.wall_s:
        left_s = session.expires_at - link.wall_s
        if SHORTEST_SESSION_S <= left_s <= LONGEST_SESSION_S:
            s.set(link=replace(link, expires_ms=link.opened_ms + int(left_s * 1000)))


def on_updated(s: Step, event: ev.SessionUpdated | None = None) -> None:
    """The session is configured: give it the context and let the microphone through."""
    if event is not None:
        note_expiry(s, event.session)
    if s.c.link.phase != "opening":
        return
    sounding = tuple(clip.item_id for clip in s.c.playout.clips)
    untold = tuple(line.id for line in s.c.transcript.lines if line.id in sounding and not line.final)
    s.set(link=replace(s.c.link, phase="ready", since_ms=s.now_ms), untold=untold)
    for item in rebuild(s.c.transcript, without=untold):
        s.send(ev.ItemCreate(item=item))


def on_lost(s: Step, event: Lost) -> None:
    """The call goes on: what has been received is still heard, what was under way is asked again."""
    s.incident("connection_lost", event.reason)
    let_go(s)
    if event.hopeless:
        s.set(wants_reply=False)
        if s.c.voice:
            farewell.nobody_is_left(s)
        s.show(Notice(s.words(NOBODY_ANSWERS[event.trouble]), "error", event.reason))
    replies.pump(s)


def let_go(s: Step) -> None:
    """The session is gone, and with it what only it knew."""
    saying.finish(s)  # nothing unchecked is heard
    knew_it_all = s.c.link.phase == "ready"
    unanswered = s.c.reply.phase != "none" and not s.c.reply.doomed
    s.set(
        link=replace(s.c.link, phase="down", asked=False, since_ms=s.now_ms),
        reply=Reply(),
        playout=playout.break_off(s.c.playout, s.now_ms),
    )
    if s.c.playout.paused:  # nobody will say any more whether that was an interruption
        s.set(playout=playout.resume(s.c.playout, s.now_ms))
    replies.refresh_heard(s)
    speaking = bool(s.c.utterances) or s.c.push is not None
    for utterance in s.c.utterances:
        unanswered |= utterance.text_final and utterance.committed_ms is not None
        s.forget_utterance(utterance.item_id)
    if (speaking or unanswered) and _hear_again(s, s.c.push if knew_it_all else None):
        return  # the reply is asked for when those words are known
    s.set(wordless=())
    if unanswered:
        replies.want_reply(s)


def _hear_again(s: Step, push: Push | None) -> bool:
    """Let the next session hear what the lost one was still to put into words, if nothing came of it yet."""
    wordless, c = s.c.wordless, s.c
    if push is not None:
        wordless = (*wordless, (PUSHED, max(push.pressed_ms, s.now_ms - replies.HEARD_AGAIN_MS + 1)))
    s.set(wordless=())
    recent = [
        (item_id, at)
        for item_id, at in wordless
        if s.now_ms - at < replies.HEARD_AGAIN_MS and (item_id == PUSHED or not _came_of(s, item_id))
    ]
    if not recent or not c.voice:
        return False
    for item_id, _ in recent:
        s.set(transcript=remove(s.c.transcript, item_id))
    pushes = len(recent) if c.rules.push_to_talk else 0
    s.emit(Rehear(s.now_ms - min(at for _, at in recent) + c.rules.prefix_ms, pushes))
    return True


def _came_of(s: Step, item_id: str) -> bool:
    """Did an utterance lead to a tool call?"""
    return any(isinstance(entry, Exchange) for entry in after(s.c.transcript, item_id))


def renew(s: Step, why: str) -> None:
    """Put a fresh session in the place of one that is of no use any more."""
    s.incident(why)
    let_go(s)
    s.emit(Disconnect(""))


def on_session_changed(s: Step, event: SessionChanged) -> None:
    s.set(session=_with(s.c.session, event.session))
    s.send(ev.SessionUpdate(session=event.session))


def _with(session: ev.SessionSettings | None, changes: ev.SessionSettings) -> ev.SessionSettings:
    if session is None:
        return changes
    asked = ((name, getattr(changes, name)) for name in changes.__struct_fields__)
    return replace(session, **{name: value for name, value in asked if value is not UNSET})


def on_error(s: Step, event: ev.ErrorReceived) -> None:
    """One table says what an error means; most leave the session open."""
    error = event.error
    fault = faults.of_error(error.code, error.message, error.type)
    s.incident("error", error.code or error.type or "error")
    if error.code == "input_audio_buffer_commit_empty" and not s.c.holds:
        s.set(push=None)  # a button that was only touched
    if fault.verdict is Verdict.IGNORE:
        return
    if s.c.link.phase == "opening" and _asks_for_less(s, error):
        return
    if s.c.link.phase == "opening" and fault.verdict is Verdict.RETRY:
        renew(s, "session_refused")
    elif fault.verdict is Verdict.FAIL_OVER or s.c.link.phase == "opening":
        s.emit(Disconnect(fault.says, fault.trouble))
    elif s.c.reply.phase != "asked" or not _is_about_the_reply(s, error, fault.verdict):
        return  # about something else; what is lost by it was counted
    elif fault.verdict is Verdict.RETRY:
        replies.try_again(s, at_least_ms=500 if error.code == ALREADY_ACTIVE else 1000)
    else:
        s.set(reply=Reply())
        s.show(Notice(s.words(NO_ANSWER), "error"))


OPTIONAL = {
    "speed": "speed",
    "reasoning": "reasoning_effort",
    "truncation": "truncation",
    "noise_reduction": "noise_reduction",
    "echo_cancellation": "echo_cancellation",
    "parallel_tool_calls": "parallel_tool_calls",
    "output_tokens": "max_output_tokens",
    "tool_choice": "tool_choice",
    "voice": "voice",
    "transcription": "transcription",
    "turn_detection": "turn_detection",
}
"""Words of a refused field's name (in every dialect), and the setting that a call can do without."""
FIELD = re.compile(r"session\.[a-z_.]{1,80}")
"""The place of a field, in an error's `param` or its message."""


def _asks_for_less(s: Step, error: ev.ErrorDetails) -> bool:
    """One refused field has the whole update refused: ask again without it, once for each.

    A session as the vendor has it by default must not be talked to: it answers by itself, with no tools.
    """
    session = s.c.session
    field = FIELD.search(f"{error.param or ''} {error.message or ''}")
    name = next((name for word, name in OPTIONAL.items() if field and word in field[0]), None)
    if session is None or name is None:
        return False
    less = replace(session, **{name: _less(name, getattr(session, name))})
    if less == session:
        return False
    s.incident("setting_refused", name)
    s.set(session=less, link=replace(s.c.link, since_ms=s.now_ms))
    s.send(ev.SessionUpdate(session=less))
    return True


def _less(name: str, asked: Any) -> Any:
    """The plainest form of a setting; for most, not to ask."""
    if name == "transcription" and isinstance(asked, ev.Transcription):
        return ev.Transcription(model=asked.model)
    if name == "turn_detection" and isinstance(asked, ev.SemanticVad | ev.AzureSemanticVad | ev.ServerVad):
        return ev.ServerVad(
            create_response=asked.create_response, interrupt_response=asked.interrupt_response
        )
    return asked if name in ("transcription", "turn_detection") else UNSET


def _is_about_the_reply(s: Step, error: ev.ErrorDetails, verdict: Verdict) -> bool:
    """Our `response.create` has an event id, which servers repeat; one that repeats none may mean it."""
    return error.event_id == s.c.reply.event_id or (error.event_id is None and verdict is Verdict.RETRY)


def on_time(s: Step) -> None:
    """An acknowledgement or a reply that never came; a session that is about to expire, or idle."""
    link, rules = s.c.link, s.c.rules
    if link.phase == "opening" and s.now_ms - link.since_ms >= rules.ack_wait_ms:
        s.incident("no_session_updated")
        on_updated(s)
    if _is_due(s, stalled_due_ms(s)):
        _on_stalled(s)
    elif _is_due(s, park_due_ms(s)):
        renew(s, "parked")
    elif _is_due(s, rollover_due_ms(s)):
        renew(s, "rollover")


def _is_due(s: Step, due_ms: int | None) -> bool:
    return due_ms is not None and s.now_ms >= due_ms


def stalled_due_ms(s: Step) -> int | None:
    """When a reply that was asked for counts as one that will not come."""
    reply, rules = s.c.reply, s.c.rules
    if reply.phase == "none":
        return None
    return reply.since_ms + (rules.created_wait_ms if reply.phase == "asked" else rules.stalled_wait_ms)


def _on_stalled(s: Step) -> None:
    """Asking the same session again might bring two replies: a fresh one is asked, a few times."""
    tries = s.c.retries + 1
    renew(s, "reply_stalled")
    s.set(retries=tries)
    if tries > replies.MAX_RETRIES:
        s.set(wants_reply=False, retries=0)
        s.show(Notice(s.words(NO_ANSWER), "error"))


def rollover_due_ms(s: Step) -> int | None:
    """A session about to expire is replaced while nobody speaks; the context is ours."""
    c = s.c
    if c.link.expires_ms is None or c.link.phase != "ready" or not is_quiet(s):
        return None
    lifetime_ms = c.link.expires_ms - c.link.opened_ms
    # A short-lived session keeps most of its life.
    return c.link.expires_ms - min(c.rules.rollover_ms, lifetime_ms // 5)


def park_due_ms(s: Step) -> int | None:
    c = s.c
    if c.voice or c.link.phase != "ready" or not is_quiet(s):
        return None
    wait = c.rules.park_voice_ms if c.spoke else c.rules.park_typed_ms
    return max(c.quiet_ms or 0, c.link.since_ms) + wait


def is_quiet(s: Step) -> bool:
    """Nothing is asked, running, speaking or undecided."""
    c = s.c
    return (
        c.reply.phase == "none"
        and not c.wants_reply
        and not c.tools
        and not c.utterances
        and c.push is None
        and c.playout.silent
        and not (c.pending is not None and c.pending.settling)
        and (c.farewell is None or c.farewell.phase == "said")
    )
