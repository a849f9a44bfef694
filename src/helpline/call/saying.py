"""What the desk is about to say, checked before it is heard or shown. PURE.

Words come faster than they sound. They are held as a draft; a sentence is released, to the captions and to
the playout, when it is known to claim nothing that is not done. A claim with no receipt behind it ends the
reply before it sounds, and one reply is asked for in its place; one that slipped through is corrected aloud.
"""

from msgspec.structs import replace

from helpline import sentences as say
from helpline.call import claims, playout, replies
from helpline.call.state import Draft, Step
from helpline.call.transcript import add, quoted, spoken_length

MAX_STOPPED = 3
LONGEST_REPLY = 20_000
"""Letters, half an hour of speech: a server that goes on has run away, and is cut off."""
CHARS_OF_AN_ITEM = 100
HARMLESS_CHARS = 8
"""The beginning of a claim ("I have …") claims nothing yet."""


def on_words(s: Step, item_id: str, response_id: str | None, delta: str, *, typed: bool) -> None:
    """The reply's next words: a transcript delta of its sound, or text."""
    if not delta or not replies.concerns(s, response_id):
        return
    draft = s.c.draft
    if _runs_away(s, len(delta) if draft.item_id == item_id else len(delta) + CHARS_OF_AN_ITEM):
        return
    if draft.item_id != item_id:
        replies.line_of(s, item_id, typed=typed)
        draft = Draft(item_id, typed=typed)
    _release(s, replace(draft, text=draft.text + delta), complete=False)


def on_words_done(s: Step, item_id: str, response_id: str | None, text: str, *, typed: bool) -> None:
    """All of a reply's words: they replace the deltas. They may come when their response is done."""
    if not text or response_id in s.c.dead:
        return
    if not replies.concerns(s, response_id):
        _on_late_words(s, item_id, text)
        return
    known = len(s.c.draft.text) if s.c.draft.item_id == item_id else -CHARS_OF_AN_ITEM
    if _runs_away(s, max(0, len(text) - known)):
        return
    line = replies.line_of(s, item_id, typed=typed)
    if line.final and line.text:
        return
    checked = s.c.draft.checked if s.c.draft.item_id == item_id and text.startswith(s.c.draft.text) else 0
    _release(s, Draft(item_id, text, checked, typed), complete=True)


def _runs_away(s: Step, chars: int) -> bool:
    """Count a reply's words; one that never ends is cut off, and the call goes on."""
    reply = replace(s.c.reply, chars=s.c.reply.chars + chars)
    s.set(reply=reply)
    if reply.chars <= LONGEST_REPLY:
        return False
    s.incident("reply_too_long")
    replies.interrupt(s)
    return True


def _on_late_words(s: Step, item_id: str, text: str) -> None:
    """Of a reply that is done and still sounds; the one in flight keeps its own draft."""
    line, current = s.c.transcript.line(item_id), s.c.draft
    if line is None or line.speaker != "desk" or line.final or line.typed or len(text) > LONGEST_REPLY:
        return
    _release(s, Draft(item_id, text), complete=True)
    if s.c.draft.item_id == item_id:  # it stands
        s.set(draft=current)


def finish(s: Step) -> None:
    """The response is done: what is left of its words is released."""
    if s.c.draft.item_id and s.c.draft.text:
        _release(s, s.c.draft, complete=True)
    line = s.c.transcript.line(s.c.draft.item_id)
    if line is not None and line.typed and not line.final:
        replies.close(s, replace(line, heard=line.text))
    s.set(draft=Draft())


def _release(s: Step, draft: Draft, *, complete: bool) -> None:
    """Check what has come since the last finished sentence, and let what stands go on."""
    checked, cleared = draft.checked, len(draft.text)
    for start, sentence, finished in claims.sentences(draft.text[draft.checked :]):
        grows = not (finished or complete)
        looked = draft.looked - draft.checked - start
        if grows and looked > 0 and not claims.may_have_become(sentence, looked):
            continue
        claim = claims.unbacked(sentence, s.c.done, s.c.reported, s.c.offer)
        if claim is not None and (finished or complete):
            s.set(draft=replace(draft, checked=checked))
            _stop(s, claim, draft.checked + start)
            return
        if claim is not None:  # it may yet become a question: wait for its end
            cleared = draft.checked + start
            break
        if not grows:
            checked = draft.checked + start + len(sentence)
    draft = replace(draft, checked=checked, looked=cleared)
    _show(s, draft, draft.text[:cleared], complete=complete and cleared == len(draft.text))


def _show(s: Step, draft: Draft, text: str, *, complete: bool) -> None:
    """Let so much of a draft be seen, and its sound be heard."""
    line = replies.line_of(s, draft.item_id, typed=draft.typed)
    if draft.typed:  # in a typed conversation, shown counts as heard
        s.set(draft=draft)
        if text != line.text:
            s.put_line(replace(line, text=text, heard=text, typed=True))
            replies.answer_began(s, spoken=False)
        return
    known = playout.note_words(s.c.playout, line.id, spoken_length(text), complete=complete)
    if text != line.text:
        line = replace(line, text=text)
        s.set(draft=draft, playout=known, transcript=add(s.c.transcript, line))
        s.show(line.caption())
    else:
        s.set(draft=draft, playout=known)
    replies.pump(s)


def _stop(s: Step, claim: claims.Claim, start: int) -> None:
    """End the reply before the claim sounds; correct it if its beginning was heard."""
    heard_ms = playout.heard_ms_of(s.c.playout, s.c.draft.item_id, s.now_ms)
    begun = spoken_length(s.c.draft.text[:start])
    slipped = heard_ms * replies.TYPICAL_CHARS_PER_S // 1000 > begun + HARMLESS_CHARS
    replies.interrupt(s)
    s.incident("claim_slipped" if slipped else "claim_stopped", claim.kind)
    stopped = s.c.stopped_claims + 1
    s.set(stopped_claims=stopped)
    if stopped > MAX_STOPPED:
        return  # a model that will not stop claiming is left unheard
    s.tell(
        "You were about to tell the customer that something is done. It is not, or not like that: there is "
        "no receipt that says so. " + quoted(_what_is_so(s, slipped))
    )
    replies.want_reply(s)


def _what_is_so(s: Step, slipped: bool) -> str:
    """What to say in place of a claim: it denies nothing that is done, or may be."""
    if s.c.unsure:
        return s.words(say.UNKNOWN_OUTCOME)
    if s.c.pending is not None and s.c.pending.settling:
        return s.words(say.STILL_WORKING)
    done = " ".join(dict.fromkeys(one.say.strip() for one in s.c.done if one.say))
    if not done:
        return s.words(say.CORRECTION if slipped else say.NOT_YET)
    return s.words((say.NOT_THAT_CORRECTED if slipped else say.NOT_THAT)(done=done))
