"""One call of an hour, lived through in a moment: how much more it holds at its end than at its beginning."""

import gc
import tracemalloc

from helpline.actions import ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Rules, begin, step, wake_at
from helpline.realtime import events as ev

CYCLE_MS = 12_000
CYCLES = 300


class Hour:
    """A conversation with its clock."""

    def __init__(self) -> None:
        self.now = 0
        self.c = begin(0, Rules(max_call_ms=10**9, max_tool_calls=10**9))
        self.give(fx.VoiceStarted(), fx.Opened("bench", ev.SessionSettings()), ev.SessionUpdated())

    def give(self, *events: object) -> None:
        for event in events:
            self.c, effects = step(self.c, event, self.now)  # type: ignore[arg-type]
            for effect in effects:
                if isinstance(effect, fx.RunTool):
                    self.give(fx.ToolFinished(effect.tool_call_id, ToolResult("It is on its way.")))

    def until(self, end: int) -> None:
        while (due := wake_at(self.c, self.now)) is not None and due <= end:
            self.now = max(due, self.now + 1)
            self.give(fx.Ticked())
        self.now = end

    def utter(self, item: str, text: str) -> None:
        self.give(ev.SpeechStarted(item_id=item))
        self.until(self.now + 800)
        self.give(
            ev.SpeechStopped(item_id=item, audio_end_ms=1600),
            ev.InputCommitted(item_id=item),
            ev.TranscriptionCompleted(item_id=item, transcript=text),
        )

    def reply(self, response: str, item: str, ms: int) -> None:
        self.give(ev.ResponseCreated(response=ev.Response(id=response, conversation_id="c")))
        for _ in range(ms // 200):
            self.give(
                ev.OutputTranscriptDelta(item_id=item, response_id=response, delta="so, "),
                ev.OutputAudioDelta(item_id=item, response_id=response, delta=bytes(9600)),
            )
        self.give(ev.ResponseDone(response=ev.Response(id=response, status="completed")))

    def cycle(self, n: int) -> None:
        end = self.now + CYCLE_MS
        self.utter(f"u{n}a", "where is my order please")
        self.give(ev.ResponseCreated(response=ev.Response(id=f"r{n}a", conversation_id="c")))
        self.give(ev.ArgumentsDone(item_id=f"i{n}", response_id=f"r{n}a", call_id=f"c{n}", name="look"))
        self.give(ev.ResponseDone(response=ev.Response(id=f"r{n}a", status="completed")))
        self.reply(f"r{n}b", f"a{n}b", 8000)
        self.until(self.now + 3000)
        self.utter(f"u{n}b", "wait I meant the other one")
        self.reply(f"r{n}c", f"a{n}c", 3000)
        self.until(end)


def growth_mb() -> float:
    """MB that a call grows in an hour."""
    hour = Hour()
    for n in range(10):
        hour.cycle(n)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for n in range(10, CYCLES):
        hour.cycle(n)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / 1e6 * CYCLES / (CYCLES - 10)


if __name__ == "__main__":
    print(growth_mb())
