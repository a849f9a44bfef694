"""A conversation driven by hand: a server's events go in, effects come out, the test owns the time."""

from typing import Any

from helpline.actions import Proposal, ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Event, Rules, begin, step, wake_at
from helpline.call.shown import Caption
from helpline.realtime import events as ev

MS = 48  # bytes of pcm24k per millisecond


def sound(ms: int) -> bytes:
    return b"\x01\x02" * (ms * MS // 2)


def proposal(**changes: Any) -> Proposal:
    values: dict[str, Any] = {
        "id": "prop_1",
        "action": "cancel_order",
        "subject": "1005",
        "effect": "cancel order 1005",
        "effect_words": ("cancel",),
        "read_back": "I can cancel order 1005 and refund 84 dollars and 50 cents. Shall I cancel it?",
        "amount_cents": 8450,
    }
    return Proposal(**{**values, **changes})


class Talk:
    """`talk.now` only moves when the test moves it; wake-ups on the way are delivered."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.now = 10_000
        self.c: Conversation = begin(self.now, rules)
        self.effects: list[fx.Effect] = []

    def give(self, *events: Event) -> list[fx.Effect]:
        """Feed events; returns the effects of these alone."""
        out: list[fx.Effect] = []
        for event in events:
            self.c, effects = step(self.c, event, self.now)
            out.extend(effects)
        self.effects.extend(out)
        return out

    def wait(self, ms: int) -> list[fx.Effect]:
        """Let time pass, ticking whenever the conversation asked to be woken."""
        end = self.now + ms
        out: list[fx.Effect] = []
        for _ in range(10_000):
            due = wake_at(self.c, self.now)
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            out += self.give(fx.Ticked())
        else:
            raise AssertionError("the conversation wakes for ever")
        self.now = end
        return out

    # --- shortcuts ---

    def live(self, *, voice: bool = True, transcribes: bool = True) -> "Talk":
        """Bring the call to a configured session."""
        if voice:
            self.give(fx.VoiceStarted())
        self.give(fx.Opened("test", ev.SessionSettings(), transcribes=transcribes), ev.SessionUpdated())
        return self

    def speech(self, item: str, text: str | None, *, ms: int = 1000) -> list[fx.Effect]:
        """The customer says something: 300 ms of padding, `ms` of speech, 500 ms of silence."""
        at = self.now
        out = self.give(ev.SpeechStarted(item_id=item, audio_start_ms=at))
        out += self.wait(ms + 500)
        out += self.give(
            ev.SpeechStopped(item_id=item, audio_end_ms=at + 300 + ms + 500),
            ev.InputCommitted(item_id=item),
        )
        if text is not None:
            out += self.give(ev.TranscriptionCompleted(item_id=item, transcript=text))
        return out

    def reply(self, response: str, item: str, text: str, ms: int, *, done: bool = True) -> list[fx.Effect]:
        """The model answers: all words, all sound, at once (models are faster than speech)."""
        out = self.give(
            ev.ResponseCreated(response=ev.Response(id=response, conversation_id="conv")),
            ev.OutputItemAdded(item=ev.Item(id=item, role="assistant"), response_id=response),
            ev.OutputTranscriptDelta(item_id=item, response_id=response, delta=text),
            ev.OutputAudioDelta(item_id=item, response_id=response, delta=sound(ms)),
        )
        return out + (self.done(response, item, text) if done else [])

    def done(self, response: str, item: str, text: str) -> list[fx.Effect]:
        return self.give(
            ev.OutputTranscriptDone(item_id=item, response_id=response, transcript=text),
            ev.OutputAudioDone(item_id=item, response_id=response),
            ev.ResponseDone(response=ev.Response(id=response, status="completed")),
        )

    def call_tool(self, response: str, call_id: str, name: str, arguments: str = "{}") -> list[fx.Effect]:
        return self.give(
            ev.ResponseCreated(response=ev.Response(id=response, conversation_id="conv")),
            ev.ArgumentsDone(
                item_id=f"item_{call_id}",
                response_id=response,
                call_id=call_id,
                name=name,
                arguments=arguments,
            ),
            ev.ResponseDone(response=ev.Response(id=response, status="completed")),
        )

    def tool_done(self, call_id: str, result: ToolResult) -> list[fx.Effect]:
        return self.give(fx.ToolFinished(call_id, result))

    def propose(self) -> "Talk":
        """The model asks for a change; it waits for the customer's answer."""
        self.call_tool("resp_t", "call_t", "cancel_order", '{"order_id":"1005"}')
        change = proposal()
        self.tool_done("call_t", ToolResult(change.read_back, proposal=change))
        return self


def sent(effects: list[fx.Effect], kind: type) -> list[Any]:
    return [
        effect.event for effect in effects if isinstance(effect, fx.Send) and isinstance(effect.event, kind)
    ]


def of(effects: list[fx.Effect], kind: type) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, kind)]


def played_ms(effects: list[fx.Effect]) -> int:
    return sum(len(effect.pcm24k) for effect in of(effects, fx.Play)) // MS


def captions(effects: list[fx.Effect]) -> list[Caption]:
    return [e.shown for e in of(effects, fx.Show) if isinstance(e.shown, Caption)]


def notes(effects: list[fx.Effect]) -> str:
    """What the desk told the model in system items."""
    items = [event.item for event in sent(effects, ev.ItemCreate) if event.item.role == "system"]
    return " ".join(item.content[0].text or "" for item in items)
