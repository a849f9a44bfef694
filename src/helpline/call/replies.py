"""The desk's side of a turn: one response at a time, its sound, its words, its tool calls. PURE.

- `wants_reply` is the only way to a `response.create`; it goes out when nothing stands in its way.
- A tool call runs once, whatever is repeated; when every sibling is answered and no response is active,
  exactly one `response.create` follows.
- What comes late or twice for a response that was cut off or is done says nothing.
"""

import json
from typing import Any

import msgspec
from msgspec.structs import replace

from helpline.actions import ToolResult
from helpline.call import claims, playout
from helpline.call.effects import (
    CancelTool,
    ClearPlayback,
    Disconnect,
    Interrupted,
    Play,
    RunTool,
    ToolFinished,
    TurnTimed,
    UsageCounted,
)
from helpline.call.shown import CardShown, Notice, ToolEnded, ToolStarted
from helpline.call.state import Draft, Reply, Step, ToolCall, remembering
from helpline.call.transcript import Exchange, Line, heard_part, message, remove, spoken_length
from helpline.realtime import events as ev
from helpline.realtime import faults
from helpline.realtime.faults import Verdict
from helpline.sentences import NO_ANSWER
from helpline.wording import Sentence

MAX_RETRIES = 3
KEPT_REPORTS = 200
"""Statuses that tools have reported: what a claim of the desk may rest on."""
LONGEST_ARGUMENTS = 100_000
"""Letters of a tool call's arguments; what has more is not run."""
HEARD_AGAIN_MS = 10_000
"""The customer's latest words can be heard again by a fresh session when no older than this."""

# --- asking -----------------------------------------------------------------------------------------------


def want_reply(s: Step) -> None:
    if s.c.farewell is None:
        s.set(wants_reply=True)


def ask_if_due(s: Step) -> None:
    """Send the one `response.create` that is wanted, once nothing stands in its way."""
    c = s.c
    if not c.wants_reply or c.closed:
        return
    if c.link.phase != "ready" or c.reply.phase != "none" or c.tools or _held_up(s):
        return
    modality: tuple[Any, ...] = ("audio",) if c.voice and c.rules.speaks else ("text",)
    event_id = f"ask_{c.asked + 1}"
    s.set(
        wants_reply=False,
        retry_at_ms=None,
        asked=c.asked + 1,
        reply=Reply("asked", since_ms=s.now_ms, event_id=event_id),
    )
    settings = ev.ResponseSettings(output_modalities=modality, tool_choice=_choice(s))
    s.send(ev.ResponseCreate(event_id=event_id, response=settings))


def _choice(s: Step) -> str | None:
    """A session whose model must call a tool before it answers lets it speak once one was, and where the
    desk itself asks for the reply; None leaves it as the session has it."""
    session = s.c.session
    if session is None or session.tool_choice in (msgspec.UNSET, "auto", "none"):
        return None
    others = (
        e for e in reversed(s.c.transcript.entries) if not (isinstance(e, Line) and e.speaker == "desk")
    )
    return None if isinstance(next(others, None), Line) else "auto"


def _held_up(s: Step) -> bool:
    """Someone is speaking, an answer is being carried out, a retry is not due yet, or a reply of the session
    before still sounds: this one is to go on from what was heard of it."""
    c = s.c
    if c.untold or c.holds:
        return True
    if c.retry_at_ms is not None and s.now_ms < c.retry_at_ms:
        return True
    if c.pending is not None and c.pending.settling:
        return True
    return any((u.committed_ms is None and u.waits) or u.cuts == "perhaps" for u in c.utterances)


# --- a response's life ------------------------------------------------------------------------------------


def concerns(s: Step, response_id: str | None) -> bool:
    """Is this of the reply in flight, and not cut off? One that was not announced begins here."""
    reply = s.c.reply
    if response_id and response_id == reply.response_id and s.now_ms - reply.since_ms < 1000:
        return not reply.doomed  # what is over is not in flight; what is dead and in flight is doomed
    if reply.phase == "none" or response_id in s.c.over or response_id in s.c.dead:
        return False
    if reply.phase == "asked":
        _begin(s, response_id or "")
    elif response_id and reply.response_id and response_id != reply.response_id:
        return False
    elif not reply.doomed and s.now_ms - reply.since_ms >= 1000:
        s.set(reply=replace(reply, since_ms=s.now_ms))
    return not s.c.reply.doomed


def on_created(s: Step, event: ev.ResponseCreated) -> None:
    response_id = event.response.id or ""
    reply = s.c.reply
    if response_id in s.c.over or response_id in s.c.dead:
        return
    if reply.phase == "active":
        if event.response.conversation_id is None or response_id == reply.response_id:
            return  # out of band, or said before
        _end(s, reply.response_id)  # its `response.done` was not seen
    _begin(s, response_id)


def _begin(s: Step, response_id: str) -> None:
    doomed = s.c.reply.phase == "asked" and s.c.reply.doomed
    s.set(reply=Reply("active", response_id, s.now_ms, doomed=doomed))
    if doomed:
        s.set(dead=remembering(s.c.dead, response_id))
        s.send(ev.ResponseCancel(response_id=response_id or None))


def _end(s: Step, response_id: str, *, whole: bool = True) -> None:
    s.set(
        playout=playout.finish(s.c.playout, response_id, whole=whole),
        over=remembering(s.c.over, response_id),
    )


def meets_its_end(s: Step, event: ev.ResponseDone) -> Reply | None:
    """Count a response's usage, once; the reply that was in flight when it ends with this, else None."""
    response = event.response
    response_id = response.id or s.c.reply.response_id
    if response_id in s.c.over:
        return None
    usage = response.usage or event.usage
    if usage is not None:
        s.record(UsageCounted(usage, "response", s.c.link.backend))
    if s.c.reply.phase == "asked" and response_id not in s.c.dead:
        _begin(s, response_id)
    reply = s.c.reply
    if reply.phase != "active" or response_id != reply.response_id:
        s.set(over=remembering(s.c.over, response_id))
        return None
    s.set(reply=Reply())
    return reply


def on_done(s: Step, event: ev.ResponseDone, reply: Reply) -> None:
    """The reply in flight is over: run the calls it made, and ask again when it failed."""
    response = event.response
    response_id = reply.response_id
    for item in response.output or ():  # a server that announced none of its calls one by one
        if item.type == "function_call" and item.call_id and response.status == "completed":
            call_tool(s, item.call_id, item.name or "", item.arguments or "", response_id)
    _end(s, response_id, whole=response.status == "completed")
    if response.status == "completed":
        s.set(retries=0, wordless=_still_wordless(s))
    elif response.status in ("failed", "incomplete") and not reply.doomed:
        _on_failed(s, response)
    if s.c.goodbye is not None and not s.c.tools and response.status not in ("failed", "incomplete"):
        s.set(goodbye=None)  # said, or cut off by the customer
    pump(s)
    refresh_heard(s)  # its sound may have been heard out before


def _still_wordless(s: Step) -> tuple[tuple[str, int], ...]:
    """Words that may still come; those of an answered utterance do not matter where nothing transcribes."""
    if not s.c.link.transcribes:
        return ()
    return tuple(one for one in s.c.wordless if s.now_ms - one[1] < HEARD_AGAIN_MS)


def _on_failed(s: Step, response: ev.Response) -> None:
    details = response.status_details
    error = details.error if details else None
    reason = (
        (error.code or error.type if error else None) or (details.reason if details else None) or "failed"
    )
    s.incident("response_failed", reason)
    if reason in ("max_output_tokens", "content_filter"):
        return
    fault = faults.of_error(reason, error.message if error else None, error.type if error else None)
    if fault.verdict is Verdict.FAIL_OVER:
        want_reply(s)
        s.set(retry_at_ms=s.now_ms + 1)  # of the next one, when this one is gone
        s.emit(Disconnect(fault.says, fault.trouble))
    else:
        try_again(s, at_least_ms=1000)


def try_again(s: Step, at_least_ms: int) -> None:
    """Ask for the reply again after a while, longer each time; after three times say so instead."""
    if s.c.reply.doomed:  # the customer has spoken since
        s.set(reply=Reply())
        return
    if s.c.retries >= MAX_RETRIES:
        s.set(reply=Reply(), retries=0)
        s.show(Notice(s.words(NO_ANSWER), "error"))
        return
    delay_ms = at_least_ms * 2**s.c.retries
    s.set(reply=Reply(), wants_reply=True, retries=s.c.retries + 1, retry_at_ms=s.now_ms + delay_ms)


# --- sound and words --------------------------------------------------------------------------------------


def on_item_added(s: Step, event: ev.OutputItemAdded) -> None:
    item = event.item
    if not item.id or not concerns(s, event.response_id):
        return
    if item.type == "function_call" and item.name:
        s.set(names=(*s.c.names[-31:], (item.id, item.name)))


def on_audio(s: Step, event: ev.OutputAudioDelta) -> None:
    if not event.delta or not concerns(s, event.response_id):
        return
    response_id = event.response_id or s.c.reply.response_id
    known = s.c.playout.tracks
    after = playout.receive(s.c.playout, event.item_id, response_id, event.delta, s.now_ms)
    if after.tracks != known:  # its first sound: words may have come before
        line = line_of(s, event.item_id, typed=False)
        after = playout.note_words(after, event.item_id, spoken_length(line.text))
    s.set(playout=after)
    pump(s)


def on_audio_done(s: Step, event: ev.OutputAudioDone) -> None:
    response_id = event.response_id or s.c.reply.response_id
    s.set(playout=playout.finish(s.c.playout, response_id, event.item_id))


def line_of(s: Step, item_id: str, *, typed: bool) -> Line:
    """The line of a reply's item; a new one stands behind all that was said before."""
    line = s.c.transcript.line(item_id)
    if line is None:
        line = Line(item_id, "desk", typed=typed, start_ms=s.call_ms)
        s.put(line)
    return line


def answer_began(s: Step, *, spoken: bool) -> None:
    if s.c.turn_ms is not None:
        s.record(TurnTimed(s.now_ms - s.c.turn_ms, spoken))
        s.set(turn_ms=None)


def pump(s: Step) -> None:
    """Send on what may sound now."""
    after, pieces = playout.pump(s.c.playout, s.now_ms)
    if not pieces:
        return
    s.set(playout=after)
    for track, pcm in pieces:
        s.emit(Play(track, pcm))
    answer_began(s, spoken=True)


def refresh_heard(s: Step) -> None:
    """Bring the lines' heard words up to what the playout knows; close those heard to their end."""
    s.set(playout=playout.settle(s.c.playout, s.now_ms))
    if s.c.playout.paused:
        return
    for clip in s.c.playout.clips:
        line = s.c.transcript.line(clip.item_id)
        if line is None or line.final:
            continue
        ended = clip.complete and s.c.playout.heard >= clip.end
        heard = line.text if ended and not clip.broken else _heard_words(s, line, clip)
        if ended:
            close(s, replace(line, heard=heard))
        elif heard != line.heard:
            s.put_line(replace(line, heard=heard, end_ms=s.call_ms))
    if s.c.playout.silent and s.c.playout.clips and all(clip.complete for clip in s.c.playout.clips):
        s.set(playout=replace(s.c.playout, clips=(), unheard=()))


def close(s: Step, line: Line) -> None:
    """Nothing more of this line will be heard; a session that came after it began is told of it now."""
    line = replace(line, final=True, end_ms=s.call_ms)
    s.put_line(line)
    if line.id in s.c.untold:
        s.set(untold=tuple(known for known in s.c.untold if known != line.id))
        if line.heard:
            s.send(ev.ItemCreate(item=message("assistant", line.heard)))


TYPICAL_CHARS_PER_S = 14


def _heard_words(s: Step, line: Line, clip: playout.Clip) -> str:
    """While sound still comes, the words may be ahead of it: judge by a typical pace of speech."""
    whole_ms = clip.received_ms
    if clip.broken or not clip.complete:
        whole_ms = max(whole_ms, spoken_length(line.text) * 1000 // TYPICAL_CHARS_PER_S)
    return heard_part(line.text, playout.heard_ms_of(s.c.playout, clip.item_id, s.now_ms), whole_ms)


# --- interruption -----------------------------------------------------------------------------------------


def interrupt(s: Step) -> None:
    """Cut the reply for good: cancel what still comes, truncate what was heard in part, delete the rest."""
    refresh_heard(s)
    was_audible = s.c.playout.sent > s.c.playout.heard and not s.c.playout.paused
    _cut_words(s)
    after, cut = playout.drop(s.c.playout, s.now_ms)
    s.set(playout=after, draft=Draft())
    if was_audible:
        s.emit(ClearPlayback())
    _cancel_response(s)
    for dropped in cut:
        _cut_item(s, dropped)


def _cut_words(s: Step) -> None:
    """A reply of which only words have come: those that were shown stay, those to be spoken never were."""
    line = s.c.transcript.line(s.c.draft.item_id)
    if line is None or line.final or s.c.playout.clip(line.id) is not None:
        return
    if line.text:
        close(s, replace(line, heard=line.text if line.typed else ""))
    else:
        s.set(transcript=remove(s.c.transcript, line.id))
    if not line.typed:
        s.send(ev.ItemDelete(item_id=line.id))


def _cut_item(s: Step, dropped: playout.Dropped) -> None:
    line = s.c.transcript.line(dropped.item_id)
    ours = dropped.item_id not in s.c.untold
    if line is not None and not line.final:
        close(s, line)
    s.set(dead=remembering(s.c.dead, dropped.response_id))
    heard_ms = min(dropped.heard_ms, dropped.received_ms)
    if dropped.complete and heard_ms >= dropped.received_ms:
        return
    s.record(Interrupted(dropped.item_id, heard_ms, dropped.received_ms))
    if not ours:
        return  # an item of an earlier session
    if heard_ms <= 0:
        s.send(ev.ItemDelete(item_id=dropped.item_id))
    else:
        s.send(ev.ItemTruncate(item_id=dropped.item_id, content_index=0, audio_end_ms=heard_ms))


def _cancel_response(s: Step) -> None:
    reply = s.c.reply
    if reply.phase == "none" or reply.doomed:
        return
    s.set(reply=replace(reply, doomed=True))
    if reply.phase == "active":
        s.set(dead=remembering(s.c.dead, reply.response_id))
        s.send(ev.ResponseCancel(response_id=reply.response_id or None))


# --- tools ------------------------------------------------------------------------------------------------


def on_arguments_done(s: Step, event: ev.ArgumentsDone) -> None:
    name = event.name or dict(s.c.names).get(event.item_id, "")
    if event.call_id and name:
        call_tool(s, event.call_id, name, event.arguments, event.response_id or s.c.reply.response_id)


def on_item_done(s: Step, event: ev.OutputItemDone) -> None:
    item = event.item
    if item.type == "function_call" and item.call_id and item.name and item.status != "incomplete":
        call_tool(
            s, item.call_id, item.name, item.arguments or "", event.response_id or s.c.reply.response_id
        )


def call_tool(s: Step, call_id: str, name: str, arguments: str, response_id: str) -> None:
    """Run a finished function call, once; one of a reply that was cut off is answered unrun."""
    if call_id in s.c.called or not name:
        return
    concerns(s, response_id)  # it may be the first that is heard of it
    s.set(called=s.c.called | {call_id})
    too_long = len(arguments) > LONGEST_ARGUMENTS
    if too_long:
        s.incident("arguments_too_long", name[:80])
        arguments = "{}"
    s.put(Exchange(call_id, name, arguments))
    call = ToolCall(call_id, name, arguments, response_id, s.c.link.generation, s.now_ms)
    unrun = "its arguments are too long" if too_long else _why_not(s, response_id)
    if unrun:
        _answer(s, call, json.dumps({"status": "not_run", "reason": unrun}))
        return
    s.set(tools=(*s.c.tools, call), bridged=bool(s.c.tools) and s.c.bridged)
    s.show(ToolStarted(call_id, name, arguments))
    s.emit(RunTool(call_id, name, arguments))


def _why_not(s: Step, response_id: str) -> str:
    if response_id in s.c.dead or (s.c.reply.doomed and response_id == s.c.reply.response_id):
        return "the customer interrupted"
    if len(s.c.called) > s.c.rules.max_tool_calls:
        return "this call has used up its tool calls"
    return ""


def on_tool_finished(s: Step, event: ToolFinished) -> bool:
    """Answer a tool call; False when nobody waits for it any more."""
    call = next((tool for tool in s.c.tools if tool.id == event.tool_call_id), None)
    if call is None:
        return False
    result = event.result
    s.set(tools=tuple(tool for tool in s.c.tools if tool.id != call.id))
    s.show(ToolEnded(call.id, call.name, call.arguments, result, event.took_ms))
    for card in result.cards:
        s.show(CardShown(card))
    output = output_of(result)
    _answer(s, call, output)
    told = () if result.proposal else claims.told_in(result.say, result.data)
    s.set(reported=(*s.c.reported, *claims.reports_in(output), *told)[-KEPT_REPORTS:])
    if result.ends_call:
        s.set(ends=result.reason or "done", goodbye=Sentence(result.say, result.say))
    want_reply(s)
    return True


def output_of(result: ToolResult) -> str:
    """The function output for the model: data, never instructions."""
    body: dict[str, Any] = {"say": result.say}
    if result.proposal is not None or not result.ok:
        body["status"] = "not_done_yet" if result.proposal else "refused"
    if result.reason:
        body["reason"] = result.reason
    return json.dumps({**result.data, **body}, ensure_ascii=False, default=str)


def _answer(s: Step, call: ToolCall, output: str) -> None:
    s.put(Exchange(call.id, call.name, call.arguments, output))
    if s.c.link.phase != "ready":
        return  # `rebuild` will tell the next session
    if call.generation != s.c.link.generation:
        item = ev.Item(type="function_call", call_id=call.id, name=call.name, arguments=call.arguments)
        s.send(ev.ItemCreate(item=item))
    s.send(ev.ItemCreate(item=ev.Item(type="function_call_output", call_id=call.id, output=output)))


def cancel_tools(s: Step) -> None:
    for tool in s.c.tools:
        s.emit(CancelTool(tool.id))
    s.set(tools=())
