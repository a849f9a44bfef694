"""The pure conversation: `step(conversation, event, now_ms)` gives the next value and the effects to perform.

It never awaits, logs, reads a clock or touches a socket. The rules stand in `turns` (the customer), `replies`
and `saying` (the desk), `changes` (proposals) and `link` (the connection); this file says which event goes
where, and what every step ends with: the one wanted reply asked for, the state shown.
"""

from collections.abc import Callable
from typing import Any, Literal

from helpline.call import changes, farewell, link, patience, playout, replies, saying, turns
from helpline.call import effects as fx
from helpline.call.shown import CallState, StateShown
from helpline.call.state import Conversation, Rules, Step
from helpline.call.transcript import Line, Note, Transcript, remove
from helpline.realtime import events as ev

__all__ = ["Conversation", "Rules", "begin", "state_of", "step", "wake_at"]

Event = fx.Input | ev.ServerEvent | ev.UnknownEvent


def begin(now_ms: int, rules: Rules | None = None, past: Transcript | None = None) -> Conversation:
    """A call has come in: no voice yet, no connection yet; `past` is what was said before it."""
    return Conversation(
        rules=rules or Rules(),
        started_ms=now_ms,
        quiet_ms=now_ms,
        words_ms=now_ms,
        transcript=past or Transcript(),
    )


def step(conversation: Conversation, event: Event, now_ms: int) -> tuple[Conversation, list[fx.Effect]]:
    """Take one event; after a hang-up nothing happens any more."""
    if conversation.closed:
        return conversation, []
    s = Step(conversation, now_ms)
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        handler(s, event)
    elif isinstance(event, ev.UnknownEvent):
        s.set(unknown=s.c.unknown + 1)
    if type(event) not in _SMALL and not (type(event) in _DELTAS and _speaks_on(conversation, s.c)):
        _finish(s)
    return s.c, s.effects


def _speaks_on(before: Conversation, after: Conversation) -> bool:
    """More of a reply that was sounding and still is: nothing that `_finish` looks at has changed."""
    playing = after.playout
    return (
        before.shown_state == SPEAKING
        and playing.sent > playing.heard
        and not playing.paused
        and after.quiet_ms is None
        and after.ends is None
        and not after.wants_reply
        and after.link is before.link
        and after.called is before.called
        and after.shown_state is before.shown_state
    )


def _finish(s: Step) -> None:
    if s.c.closed:
        return
    if len(s.c.called) > s.c.rules.max_tool_calls:
        patience.too_many_tools(s)
    replies.ask_if_due(s)
    link.connect_if_needed(s)
    quiet = link.is_quiet(s)
    if farewell.is_due(s, quiet=quiet):
        farewell.begin(s)
        quiet = False
    elif s.c.ends is not None and (quiet or farewell.is_over(s)):
        _hang_up(s, s.c.ends)
        return
    if quiet != (s.c.quiet_ms is not None):
        s.set(quiet_ms=s.now_ms if quiet else None)
    _show_state(s)


# --- which event goes where -------------------------------------------------------------------------------


def _on_ticked(s: Step, event: fx.Ticked) -> None:
    link.on_time(s)
    turns.on_time(s)
    changes.expire(s)
    patience.on_time(s)
    farewell.on_time(s)
    replies.refresh_heard(s)
    replies.pump(s)


def _on_played(s: Step, event: fx.Played) -> None:
    s.set(playout=playout.report(s.c.playout, event.track, event.played_ms, s.now_ms))
    replies.refresh_heard(s)
    replies.pump(s)


def _on_tool_finished(s: Step, event: fx.ToolFinished) -> None:
    if replies.on_tool_finished(s, event) and event.result.proposal is not None:
        changes.propose(s, event.result.proposal, after_entry=event.tool_call_id)


def _on_done(s: Step, event: ev.ResponseDone) -> None:
    reply = replies.meets_its_end(s, event)
    if reply is not None:
        saying.finish(s)  # before its last sound is let go
        replies.on_done(s, event, reply)


def _on_voice_started(s: Step, event: fx.VoiceStarted) -> None:
    turns.on_voice_started(s)
    link.tell_what_is_heard(s)


def _on_language_chosen(s: Step, event: fx.LanguageChosen) -> None:
    changes.on_language_chosen(s, event)
    link.tell_what_is_heard(s)


def _on_typed(s: Step, event: fx.Typed) -> None:
    patience.heard_from(s)
    turns.on_typed(s, event)


def _on_pressed(s: Step, event: fx.Pressed) -> None:
    patience.heard_from(s)
    changes.press(s, event.proposal_id, event.answer)


def _on_transcribed(s: Step, event: ev.TranscriptionCompleted) -> None:
    if event.transcript and event.transcript.strip():
        patience.heard_from(s)
    turns.on_transcription_completed(s, event)


def _on_noted(s: Step, event: fx.Noted) -> None:
    s.tell(event.text)
    if event.reply:
        replies.want_reply(s)


def _on_forwarded(s: Step, event: fx.Forwarded) -> None:
    """What the library's user sends: messages belong to the transcript, so that later sessions know them."""
    match event.event:
        case ev.InputCommit():
            s.emit(fx.Send(event.event))  # behind the sound that waits, also without a session
            return
        case ev.ItemCreate(item=item) if item.type == "message":
            text = " ".join(part.text or "" for part in item.content or ()).strip()
            number = s.c.notes + 1
            s.set(notes=number)
            item_id = item.id or f"item_{number}"
            if text and item.role == "system":
                s.put(Note(item_id, text))
            elif text and s.c.transcript.line(item_id) is None:
                speaker: Literal["customer", "desk"] = "customer" if item.role == "user" else "desk"
                s.put(Line(item_id, speaker, text, text, True, True, s.call_ms, s.call_ms))
        case ev.ItemDelete(item_id=item_id):
            s.set(transcript=remove(s.c.transcript, item_id))
    s.send(event.event)


def _hang_up(s: Step, reason: str) -> None:
    if not s.c.playout.silent:
        s.emit(fx.ClearPlayback())
    replies.refresh_heard(s)
    replies.cancel_tools(s)
    s.set(closed=True, voice=False)
    s.show(StateShown("ended", reason))
    s.emit(fx.HangUp(reason))


_HANDLERS: dict[type, Callable[[Step, Any], None]] = {
    fx.Opened: link.on_opened,
    fx.Lost: link.on_lost,
    fx.SessionChanged: link.on_session_changed,
    fx.VoiceStarted: _on_voice_started,
    fx.VoiceEnded: lambda s, event: turns.on_voice_ended(s),
    fx.Pushed: lambda s, event: turns.on_pushed(s),
    fx.Released: lambda s, event: turns.on_released(s),
    fx.Typed: _on_typed,
    fx.Pressed: _on_pressed,
    fx.Played: _on_played,
    fx.Stopped: turns.on_stopped,
    fx.ToolFinished: _on_tool_finished,
    fx.Settled: changes.on_settled,
    fx.CallerChanged: changes.on_caller_changed,
    fx.LanguageChosen: _on_language_chosen,
    fx.Noted: _on_noted,
    fx.ReplyAsked: lambda s, event: replies.want_reply(s),
    fx.Forwarded: _on_forwarded,
    fx.LimitReached: patience.on_limit,
    fx.Pronounced: farewell.on_pronounced,
    fx.Ticked: _on_ticked,
    fx.HungUp: lambda s, event: _hang_up(s, event.reason),
    ev.SessionCreated: lambda s, event: link.note_expiry(s, event.session),
    ev.SessionUpdated: link.on_updated,
    ev.ErrorReceived: link.on_error,
    ev.SpeechStarted: turns.on_speech_started,
    ev.SpeechStopped: turns.on_speech_stopped,
    ev.InputCommitted: turns.on_committed,
    ev.TranscriptionDelta: turns.on_transcription_delta,
    ev.TranscriptionCompleted: _on_transcribed,
    ev.TranscriptionFailed: turns.on_transcription_failed,
    ev.ResponseCreated: replies.on_created,
    ev.ResponseDone: _on_done,
    ev.OutputItemAdded: replies.on_item_added,
    ev.OutputItemDone: replies.on_item_done,
    ev.OutputAudioDelta: replies.on_audio,
    ev.OutputAudioDone: replies.on_audio_done,
    ev.OutputTranscriptDelta: lambda s, e: saying.on_words(s, e.item_id, e.response_id, e.delta, typed=False),
    ev.OutputTranscriptDone: lambda s, e: saying.on_words_done(
        s, e.item_id, e.response_id, e.transcript or "", typed=False
    ),
    ev.OutputTextDelta: lambda s, e: saying.on_words(s, e.item_id, e.response_id, e.delta, typed=True),
    ev.OutputTextDone: lambda s, e: saying.on_words_done(
        s, e.item_id, e.response_id, e.text or "", typed=True
    ),
    ev.ArgumentsDone: replies.on_arguments_done,
}

_DELTAS = frozenset({ev.OutputAudioDelta, ev.OutputTranscriptDelta})
"""Most of what comes; more of a reply that sounds already changes nothing else."""
# These cannot make a reply due or change what is going on.
_SMALL = frozenset({ev.ArgumentsDelta, ev.ContentPartAdded, ev.ContentPartDone, ev.ItemAdded, ev.ItemDone})


# --- what is derived --------------------------------------------------------------------------------------


def state_of(conversation: Conversation) -> tuple[CallState, str]:
    """What the desk is doing, in one word, and which tool or backend."""
    c = conversation
    if c.closed:
        return "ended", ""
    if not c.playout.silent and not c.playout.paused and c.playout.sent > c.playout.heard:
        return "speaking", ""
    if c.link.phase == "opening" or c.link.asked:
        return ("reconnecting" if c.link.generation > 1 and c.voice else "connecting"), ""
    if c.tools:
        return "working", c.tools[-1].name
    if c.pending is not None and c.pending.settling:
        return "working", c.pending.proposal.action
    if (
        c.farewell is not None
        or c.reply.phase != "none"
        or c.wants_reply
        or any(u.committed_ms is not None for u in c.utterances)
    ):
        return "thinking", ""
    return ("listening", "") if c.voice else ("idle", "")


SPEAKING = "speaking:"
"""As it stands in `shown_state`."""


def _show_state(s: Step) -> None:
    state, detail = state_of(s.c)
    shown = f"{state}:{detail}"
    if shown != s.c.shown_state:
        s.set(shown_state=shown)
        s.show(StateShown(state, detail))


def wake_at(conversation: Conversation, now_ms: int) -> int | None:
    """When `Ticked` is due, or None when time alone changes nothing."""
    c = conversation
    if c.closed:
        return None
    s, rules = Step(c, now_ms), c.rules
    times: list[int | None] = [*patience.due_times(s)]
    if c.farewell is not None:
        times.append(farewell.due_ms(s))
    if c.playout.unsent:
        times.append(playout.next_pump_ms(c.playout, now_ms))
    elif not c.playout.silent:
        times.append(playout.silent_at_ms(c.playout, now_ms))
    if c.reply.phase != "none":
        times.append(link.stalled_due_ms(s))
    if c.push is not None:
        times.append(turns.push_due_ms(s, c.push))
    if c.utterances:
        long_ms = rules.long_speech_ms + rules.silence_ms
        times.append(turns.due_ms(c.utterances, long_ms, rules.words_wait_ms))
    if c.quiet_ms is not None:
        times += (link.park_due_ms(s), link.rollover_due_ms(s))
    if c.link.phase == "opening":
        times.append(c.link.since_ms + rules.ack_wait_ms)
    if c.wants_reply and c.retry_at_ms is not None and c.retry_at_ms > now_ms:
        times.append(c.retry_at_ms)
    if c.pending is not None and not c.pending.settling:
        times.append(c.pending.since_ms + c.pending.proposal.lives_ms)
    return min([time for time in times if time is not None], default=None)
