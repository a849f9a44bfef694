"""The end of a call that nobody upstream can speak: the desk says it in a voice of its own. PURE.

No backend is left, or the last answer of a call that is to end does not come. What the customer has received
is heard out and what they confirmed is carried out; then the closing sentence is put into sound on this
machine (`Pronounce`), heard like any other line, and the call is hung up. Without such a voice the notice
that was shown has to do, and a call that has reached no limit goes on in writing.
"""

from msgspec.structs import replace

from helpline import sentences as say
from helpline.call import playout, replies, turns
from helpline.call.effects import Pronounce, Pronounced
from helpline.call.state import Farewell, Step
from helpline.call.transcript import Line
from helpline.wording import Saying, Sentence

NOBODY: str = "nobody can answer"
"""The reason with which a call ends when no backend is left."""
VOICE_WAIT_MS = 10_000
"""The desk's own voice is a matter of moments, also when it has to be loaded first."""


def nobody_is_left(s: Step) -> None:
    """No backend answers any more, and the customer is listening."""
    s.set(
        farewell=Farewell(),
        ends=s.c.ends or NOBODY,
        goodbye=s.c.goodbye or say.LINE_IS_DOWN,
        wants_reply=False,
        push=None,
    )


def on_settled(s: Step, said: str) -> None:
    """What became of a confirmed change is said first."""
    if s.c.farewell is not None and s.c.goodbye is not None:
        s.set(goodbye=_Both(Sentence(said, said), s.c.goodbye))


def is_due(s: Step, *, quiet: bool) -> bool:
    """Is there a closing sentence that nobody has said, and nothing to be heard before it?"""
    c = s.c
    if c.goodbye is None or c.ends is None or not c.voice:
        return False
    return quiet if c.farewell is None else c.farewell.phase == "due" and _is_still(s)


def begin(s: Step) -> None:
    """Ask for the closing sentence in sound."""
    number = s.c.notes + 1
    line_id = f"desk_{number}"
    s.set(notes=number, farewell=Farewell("asked", line_id, s.now_ms))
    if s.c.goodbye is not None:
        ways = (s.words(s.c.goodbye), s.c.goodbye.in_("en"))
        s.emit(Pronounce(line_id, tuple(dict.fromkeys(ways))))


def on_pronounced(s: Step, event: Pronounced) -> None:
    """The closing sentence has its sound: it is heard as a line of the desk's."""
    farewell = s.c.farewell
    if farewell is None or farewell.phase != "asked" or farewell.line_id != event.line_id:
        return
    if not event.pcm24k:
        _without_a_voice(s)
        return
    line_id = event.line_id
    s.incident("desk_voice", s.c.ends or "")
    s.put_line(Line(line_id, "desk", event.text, start_ms=s.call_ms))
    heard = playout.receive(s.c.playout, line_id, line_id, event.pcm24k, s.now_ms)
    s.set(
        farewell=replace(farewell, phase="said"),
        goodbye=None,
        untold=(*s.c.untold, line_id),  # no session has it
        playout=playout.finish(heard, line_id),
    )
    replies.pump(s)


def due_ms(s: Step) -> int | None:
    """When a voice that has not come counts as none."""
    farewell = s.c.farewell
    return farewell.since_ms + VOICE_WAIT_MS if farewell is not None and farewell.phase == "asked" else None


def on_time(s: Step) -> None:
    due = due_ms(s)
    if due is not None and s.now_ms >= due:
        _without_a_voice(s)


def _without_a_voice(s: Step) -> None:
    goes_on = s.c.ends == NOBODY
    s.set(farewell=None, goodbye=None, ends=None if goes_on else s.c.ends)
    if goes_on:
        turns.on_voice_ended(s)


def is_over(s: Step) -> bool:
    """The closing sentence was heard, or stopped: nothing else is waited for."""
    return s.c.farewell is not None and s.c.farewell.phase == "said" and _is_still(s)


def _is_still(s: Step) -> bool:
    return s.c.playout.silent and not (s.c.pending is not None and s.c.pending.settling)


class _Both:
    """One thing, then another."""

    def __init__(self, first: Saying, then: Saying) -> None:
        self._parts = first, then

    def in_(self, language: str) -> str:
        return " ".join(part.in_(language) for part in self._parts)
