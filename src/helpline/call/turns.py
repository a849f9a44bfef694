"""The customer's side of a turn: speech, typed words, buttons, silence. PURE.

Barge-in: at `speech_started` with anything unheard, playback is silenced at once and the tail kept. Words in
the transcription, or speech that goes on too long for an "mhm", commit the interruption; a cough or an "mhm"
does not, and the tail plays again. Models generate faster than speech plays, so the rule is keyed on unheard
sound, not on an active response.
"""

from msgspec.structs import replace

from helpline.call import changes, playout, replies
from helpline.call.confirm import is_backchannel
from helpline.call.effects import ClearPlayback, Send, Stopped, Typed, UsageCounted
from helpline.call.state import Push, Step, Utterance
from helpline.call.transcript import Line, message, remove
from helpline.realtime import events as ev

MOST_STRETCHES = 5000
"""Of a whole call: what a server reports beyond that is no speech of a customer."""
LONGEST_UTTERANCE = 20_000
"""Letters that are kept of one."""
MOST_AT_ONCE = 32
"""A server that reports more stretches of speech, and the end of none, is not believed in the oldest."""


def on_speech_started(s: Step, event: ev.SpeechStarted) -> None:
    if event.item_id in s.c.dealt or s.utterance(event.item_id) is not None or not s.c.voice:
        return  # said before, or voice is off by now
    utterance = Utterance(event.item_id, s.now_ms, event.audio_start_ms or 0)
    if not s.c.rules.vendor_turns and _something_to_cut(s):
        replies.refresh_heard(s)
        if s.c.playout.sent > s.c.playout.heard_at(s.now_ms):
            s.emit(ClearPlayback())
        s.set(playout=playout.pause(s.c.playout, s.now_ms))
        utterance = replace(utterance, cuts="perhaps")
    elif s.c.rules.vendor_turns:
        replies.interrupt(s)
    _hears(s, utterance)


def _hears(s: Step, utterance: Utterance) -> None:
    """A stretch of speech: its line stands where it began."""
    s.set(stretches=s.c.stretches + 1)
    if s.c.stretches > MOST_STRETCHES:
        if s.c.stretches == MOST_STRETCHES + 1:
            s.incident("too_many_utterances")
        return
    s.put_utterance(utterance)
    if len(s.c.utterances) > MOST_AT_ONCE:
        oldest = s.c.utterances[0].item_id
        s.forget_utterance(oldest)
        s.set(transcript=remove(s.c.transcript, oldest))
    for item_id, _ in s.c.wordless[:-MOST_AT_ONCE]:  # no words of it came, and none will
        line = s.c.transcript.line(item_id)
        if line is not None and not line.text and s.utterance(item_id) is None:
            s.set(transcript=remove(s.c.transcript, item_id))
    s.set(wordless=(*s.c.wordless[-MOST_AT_ONCE:], (utterance.item_id, utterance.started_ms)))
    if s.c.transcript.line(utterance.item_id) is None:
        start_ms = utterance.started_ms - s.c.started_ms
        s.put(Line(utterance.item_id, "customer", start_ms=start_ms, end_ms=s.call_ms))


def _something_to_cut(s: Step) -> bool:
    return s.c.reply.phase != "none" or not s.c.playout.silent or s.c.playout.paused


def on_speech_stopped(s: Step, event: ev.SpeechStopped) -> None:
    utterance = s.utterance(event.item_id)
    if utterance is None or utterance.stopped_ms is not None:
        return
    rules = s.c.rules
    spoken = (event.audio_end_ms or 0) - rules.silence_ms - utterance.audio_start_ms - rules.prefix_ms
    s.put_utterance(replace(utterance, stopped_ms=s.now_ms, speech_ms=max(0, spoken)))
    s.set(turn_ms=s.now_ms - rules.silence_ms, stopped_claims=0)
    line = s.c.transcript.line(event.item_id)
    if line is not None:
        s.put(replace(line, end_ms=max(line.start_ms, s.call_ms - rules.silence_ms)))


def on_committed(s: Step, event: ev.InputCommitted) -> None:
    """The utterance is an item of the conversation now; push to talk has had no speech events before it."""
    item_id = event.item_id
    if item_id in s.c.dealt:
        return  # said before
    if s.utterance(item_id) is None:
        if not s.c.voice:
            return
        push, began_ms = s.c.push, s.now_ms
        if push is not None and push.released_ms is not None:
            began_ms = push.pressed_ms
            s.set(push=None)
        _hears(s, Utterance(item_id, began_ms, stopped_ms=s.now_ms))
    _commit(s, item_id)
    decide(s, item_id)


def _commit(s: Step, item_id: str) -> None:
    utterance = s.utterance(item_id)
    if utterance is not None and utterance.committed_ms is None:
        stopped_ms = s.now_ms if utterance.stopped_ms is None else utterance.stopped_ms
        s.put_utterance(replace(utterance, committed_ms=s.now_ms, stopped_ms=stopped_ms))


def on_transcription(s: Step, item_id: str, text: str, *, final: bool) -> None:
    """Words of an utterance, so far or all of them."""
    line = s.c.transcript.line(item_id)
    if len(text) > LONGEST_UTTERANCE:
        text = text[:LONGEST_UTTERANCE]
        if line is not None and line.text != text:
            s.incident("utterance_too_long")
    if line is not None and line.speaker == "customer" and not (line.final and line.text == text):
        s.put_line(replace(line, text=text, heard=text, final=final))
    if final:
        s.know_words(item_id)
        _commit(s, item_id)  # some servers say so by its words alone
    utterance = s.utterance(item_id)
    if utterance is not None:
        s.put_utterance(replace(utterance, text=text, text_final=final))
        decide(s, item_id)


def on_transcription_delta(s: Step, event: ev.TranscriptionDelta) -> None:
    line = s.c.transcript.line(event.item_id)
    if line is not None and not line.final and event.delta and len(line.text) < LONGEST_UTTERANCE:
        on_transcription(s, event.item_id, line.text + event.delta, final=False)


def on_transcription_completed(s: Step, event: ev.TranscriptionCompleted) -> None:
    repeated = event.item_id in s.c.dealt and not any(event.item_id == item for item, _ in s.c.wordless)
    if event.usage is not None and not repeated:
        s.record(UsageCounted(event.usage, "transcription", s.c.link.backend))
    on_transcription(s, event.item_id, (event.transcript or "").strip(), final=True)


def on_transcription_failed(s: Step, event: ev.TranscriptionFailed) -> None:
    s.incident("transcription_failed", (event.error.code if event.error else None) or "")
    line = s.c.transcript.line(event.item_id)
    if line is not None and not line.text:
        s.put_line(replace(line, final=True))
    s.know_words(event.item_id)
    _commit(s, event.item_id)
    _give_up_on_words(s, event.item_id)


# --- deciding ---------------------------------------------------------------------------------------------


def decide(s: Step, item_id: str) -> None:
    """Deal with an utterance as far as what is known of it allows."""
    utterance = s.utterance(item_id)
    if utterance is None:
        return
    if utterance.cuts == "perhaps":
        utterance = _decide_cut(s, utterance)
        if utterance is None or utterance.cuts == "perhaps":
            return
    if utterance.committed_ms is None:
        return
    if changes.awaits_answer(s):
        _decide_answer(s, utterance)
        return
    _answer_it(s, item_id)


def _decide_cut(s: Step, utterance: Utterance) -> Utterance | None:
    """Did it interrupt? None when it did not: the tail plays again and the utterance is forgotten."""
    rules = s.c.rules
    if utterance.text and not is_backchannel(utterance.text):
        return _commit_cut(s, utterance)
    if utterance.stopped_ms is None:
        too_long = s.now_ms - utterance.started_ms >= rules.long_speech_ms + rules.silence_ms
        return _commit_cut(s, utterance) if too_long else utterance
    if utterance.text_final:  # no words, or only "mhm"
        _not_a_cut(s, utterance)
        return None
    if not s.c.link.transcribes and utterance.committed_ms is not None:
        if utterance.speech_ms >= rules.barge_in_ms:
            return _commit_cut(s, utterance)
        _not_a_cut(s, utterance)
        return None
    return utterance


def _commit_cut(s: Step, utterance: Utterance) -> Utterance:
    replies.interrupt(s)
    utterance = replace(utterance, cuts="yes")
    s.put_utterance(utterance)
    return utterance


def _not_a_cut(s: Step, utterance: Utterance) -> None:
    """A cough or an "mhm": forget it here and upstream, and play the tail again."""
    s.incident("not_an_interruption", f"{utterance.speech_ms} ms")
    s.forget_utterance(utterance.item_id)
    s.know_words(utterance.item_id)
    s.set(transcript=remove(s.c.transcript, utterance.item_id), turn_ms=None)
    if utterance.committed_ms is not None:
        s.send(ev.ItemDelete(item_id=utterance.item_id))
    if not any(other.cuts == "perhaps" for other in s.c.utterances):
        s.set(playout=playout.resume(s.c.playout, s.now_ms))
        replies.pump(s)


def _decide_answer(s: Step, utterance: Utterance) -> None:
    """A proposal waits: the words decide, so wait for them."""
    if utterance.text_final:
        s.forget_utterance(utterance.item_id)
        if not utterance.text:
            changes.ask_for_button(s)
        elif not changes.read_answer(s, utterance.item_id, utterance.text, "voice"):
            _answer_it(s, utterance.item_id)
    elif not s.c.link.transcribes:
        s.forget_utterance(utterance.item_id)
        changes.ask_for_button(s)


def _give_up_on_words(s: Step, item_id: str) -> None:
    """No transcript will come."""
    utterance = s.utterance(item_id)
    if utterance is None:
        return
    if utterance.cuts == "perhaps":
        if utterance.stopped_ms is not None and utterance.speech_ms < s.c.rules.barge_in_ms:
            _not_a_cut(s, utterance)
            return
        utterance = _commit_cut(s, utterance)
    if changes.awaits_answer(s):
        s.forget_utterance(item_id)
        changes.ask_for_button(s)
    else:
        _answer_it(s, item_id)


def _answer_it(s: Step, item_id: str) -> None:
    s.forget_utterance(item_id)
    if not s.c.rules.vendor_turns:  # then the vendor answers by itself
        replies.want_reply(s)


def on_time(s: Step) -> None:
    """Utterances whose words or length time has decided; a button that got stuck."""
    push = s.c.push
    if push is not None and s.now_ms >= push_due_ms(s, push):
        if s.c.holds:
            on_released(s)
        else:
            s.set(push=None)  # too short to be an item, or lost
    for utterance in s.c.utterances:
        waiting_since = utterance.committed_ms or utterance.stopped_ms
        if waiting_since is not None and s.now_ms - waiting_since >= s.c.rules.words_wait_ms:
            _commit(s, utterance.item_id)  # the server never made an item of it
            _give_up_on_words(s, utterance.item_id)
        else:
            decide(s, utterance.item_id)


def due_ms(s_utterances: tuple[Utterance, ...], long_ms: int, words_wait_ms: int) -> int | None:
    """When `on_time` will have something to do."""
    times = []
    for utterance in s_utterances:
        if utterance.stopped_ms is None and utterance.cuts == "perhaps":
            times.append(utterance.started_ms + long_ms)
        elif utterance.stopped_ms is not None:
            times.append((utterance.committed_ms or utterance.stopped_ms) + words_wait_ms)
    return min(times, default=None)


# --- push to talk -----------------------------------------------------------------------------------------


def on_pushed(s: Step) -> None:
    """The customer takes the turn, whoever has it: whoever presses a button means it."""
    if not s.c.rules.push_to_talk or not s.c.voice or s.c.holds or s.c.farewell is not None:
        return
    if _something_to_cut(s):
        replies.interrupt(s)
    s.set(push=Push(s.now_ms), prompted=0, words_ms=s.now_ms)


def on_released(s: Step) -> None:
    """The commit stands behind the sound in the outbox, also while the session is away."""
    push = s.c.push
    if push is None or push.released_ms is not None:
        return
    s.set(push=replace(push, released_ms=s.now_ms), turn_ms=s.now_ms, stopped_claims=0)
    s.emit(Send(ev.InputCommit()))


def push_due_ms(s: Step, push: Push) -> int:
    """When a button counts as stuck, or its sound as too little to be an item."""
    if push.released_ms is None:
        return push.pressed_ms + s.c.rules.longest_push_ms
    since_ms = push.released_ms if s.c.link.phase == "ready" else s.now_ms
    return max(since_ms, s.c.link.since_ms) + s.c.rules.words_wait_ms


# --- typed, stopped, voice on and off ---------------------------------------------------------------------


def on_typed(s: Step, event: Typed) -> None:
    """A typed line interrupts what sounds, and may be the answer to a proposal."""
    text = event.text.strip()
    if not text:
        return
    line_id = f"typed_{s.c.notes + 1}"
    s.set(notes=s.c.notes + 1, turn_ms=s.now_ms, spoke=s.c.voice, stopped_claims=0)
    if _something_to_cut(s):
        replies.interrupt(s)
    # Speech that has not ended yet is no reason to wait: it is answered when it has.
    s.set(utterances=tuple(replace(u, waits=False, cuts="yes") for u in s.c.utterances))
    s.put_line(Line(line_id, "customer", text, text, True, True, s.call_ms, s.call_ms))
    s.send(ev.ItemCreate(item=message("user", text)))
    if changes.read_answer(s, line_id, text, "typed"):
        return
    replies.want_reply(s)


def on_stopped(s: Step, event: Stopped) -> None:
    """Silence this reply; the conversation goes on."""
    s.set(wants_reply=False, retry_at_ms=None)
    if event.track:
        s.set(playout=playout.stopped_at(s.c.playout, event.track, event.played_ms, s.now_ms))
    replies.interrupt(s)


def on_voice_started(s: Step) -> None:
    if s.c.voice:
        return
    s.set(voice=True, spoke=True, words_ms=s.now_ms, prompted=0)
    s.send(ev.InputClear())


def on_voice_ended(s: Step) -> None:
    """Typed chat goes on: what was being spoken, by either side, ends here."""
    if not s.c.voice:
        return
    s.set(voice=False, wordless=(), push=None)
    if _something_to_cut(s):
        replies.interrupt(s)
    for utterance in s.c.utterances:
        if utterance.committed_ms is None:
            s.set(transcript=remove(s.c.transcript, utterance.item_id))
            s.forget_utterance(utterance.item_id)
    s.send(ev.InputClear())
