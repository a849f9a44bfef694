"""The connection as the conversation sees it: configured, given the context, lost, found again. PURE.

The upstream conversation is a cache. No audio reaches a fresh session before its `session.updated`.
"""

from msgspec.structs import replace

from helpline.call import playout, replies, turns
from helpline.call.effects import Connect, Disconnect, Lost, Opened, SessionChanged
from helpline.call.shown import Notice
from helpline.call.state import Link, Reply, Step
from helpline.call.transcript import rebuild, remove
from helpline.realtime import events as ev
from helpline.realtime import faults
from helpline.realtime.faults import Verdict

ALREADY_ACTIVE = "conversation_already_has_active_response"


def connect_if_needed(s: Step) -> None:
    """A connection is needed while voice is on or a reply is wanted; ask for it once."""
    c = s.c
    if c.link.phase == "down" and not c.link.asked and (c.voice or c.wants_reply):
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
            wall_s=event.wall_s,
            opened_ms=s.now_ms,
        ),
        session=event.session,
        reply=Reply(),
    )
    s.send(ev.SessionUpdate(session=event.session))


def note_expiry(s: Step, session: ev.Session) -> None:
    """Servers say by the wall clock when a session will end; here it is a time of ours."""
    link = s.c.link
    if session.expires_at and link.wall_s:
        left_ms = int((session.expires_at - link.wall_s) * 1000)
        s.set(link=replace(link, expires_ms=link.opened_ms + left_ms))


def on_updated(s: Step, event: ev.SessionUpdated | None = None) -> None:
    """The session is configured: give it the context and let the microphone through."""
    if event is not None:
        note_expiry(s, event.session)
    if s.c.link.phase != "opening":
        return
    s.set(link=replace(s.c.link, phase="ready", since_ms=s.now_ms))
    for item in rebuild(s.c.transcript):
        s.send(ev.ItemCreate(item=item))


def on_lost(s: Step, event: Lost) -> None:
    """The call goes on: what has been received is still heard, what was under way is asked again."""
    s.incident("connection_lost", event.reason)
    if event.hopeless:
        turns.on_voice_ended(s)
    unanswered = s.c.reply.phase != "none" or any(u.committed_ms is not None for u in s.c.utterances)
    s.set(
        link=replace(s.c.link, phase="down", asked=False, since_ms=s.now_ms),
        reply=Reply(),
        playout=playout.finish_all(s.c.playout),
    )
    if s.c.playout.paused:  # nobody will say any more whether that was an interruption
        s.set(playout=playout.resume(s.c.playout, s.now_ms))
    for utterance in s.c.utterances:
        line = s.c.transcript.line(utterance.item_id)
        if line is not None and not line.text:
            s.set(transcript=remove(s.c.transcript, utterance.item_id))
    s.set(utterances=())
    if event.hopeless:
        s.set(wants_reply=False)
        s.show(Notice(event.reason, "error"))
    elif unanswered:
        replies.want_reply(s)
    replies.pump(s)


def on_session_changed(s: Step, event: SessionChanged) -> None:
    s.set(session=event.session)
    if s.c.link.phase == "ready":
        s.send(ev.SessionUpdate(session=event.session))


def on_error(s: Step, event: ev.ErrorReceived) -> None:
    """One table says what an error means; most leave the session open."""
    error = event.error
    fault = faults.of_error(error.code, error.message, error.type)
    s.incident("error", error.code or error.type or "error")
    if fault.verdict is Verdict.IGNORE:
        return
    if fault.verdict is Verdict.FAIL_OVER or s.c.link.phase == "opening":
        s.emit(Disconnect(fault.says))
    elif s.c.reply.phase != "asked" or error.event_id not in (None, s.c.reply.event_id):
        return  # about something else; what is lost by it was counted
    elif fault.verdict is Verdict.RETRY:
        replies.try_again(s, at_least_ms=500 if error.code == ALREADY_ACTIVE else 1000)
    else:
        s.set(reply=Reply())
        s.show(Notice(replies.NO_ANSWER, "error"))


def on_time(s: Step) -> None:
    """An acknowledgement that never came; an idle connection that nobody needs."""
    link, rules = s.c.link, s.c.rules
    if link.phase == "opening" and s.now_ms - link.since_ms >= rules.ack_wait_ms:
        s.incident("no_session_updated")
        on_updated(s)
    due = park_due_ms(s)
    if due is not None and s.now_ms >= due:
        s.set(link=replace(s.c.link, phase="down", asked=False, since_ms=s.now_ms))
        s.emit(Disconnect(""))

    due = rollover_due_ms(s)
    if due is not None and s.now_ms >= due:
        s.incident("rollover")
        s.set(link=replace(s.c.link, phase="down", asked=False, since_ms=s.now_ms))
        s.emit(Disconnect(""))


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
    return max(c.quiet_ms, c.link.since_ms) + wait


def is_quiet(s: Step) -> bool:
    """Nothing is asked, running, speaking or undecided."""
    c = s.c
    return (
        c.reply.phase == "none"
        and not c.wants_reply
        and not c.tools
        and not c.utterances
        and c.playout.silent
        and not (c.pending is not None and c.pending.settling)
    )
