"""Ten thousand server frames that are mutated, cut short, repeated and out of order, through the wire."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from helpline.actions import ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Rules, begin, step, wake_at
from helpline.realtime import events as ev
from helpline.realtime import wire

from .model import PLANS, Server

FRAMES = 10_000
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**31, 10**30, -(10**18), 0.5, 1e308, "", "x" * 2000, "\u0000\ud7ff\U0001f600",
    [], {}, [None], {"id": 1}, "1005", "response.done", "session.created", "AAA", "////",
)  # fmt: skip


def frames(rng: random.Random) -> Iterator[bytes]:
    """What a server says over many sessions, one session's ids after another's."""
    for number in range(FRAMES):
        server = Server(number % 7)
        server.take({"type": "session.update"})
        for _ in range(3):
            server.speech_starts()
            server.speech_stops(rng.randrange(3000))
            server.words_come(rng.choice(["where is it", "mhm", "", None]))
            server.take({"type": "response.create", "event_id": f"ask_{rng.randrange(5)}"})
            plan = rng.choice(PLANS)
            for _ in range(60):
                server.go_on(plan)
        yield json.dumps({"type": "session.created", "session": {"expires_at": rng.choice(ODD)}}).encode()
        for event in server.said:
            yield json.dumps(event).encode()


def mangled(rng: random.Random, frame: bytes) -> bytes:
    """The frame with something wrong in it."""
    kind = rng.randrange(5)
    if kind == 0:
        return frame[: rng.randrange(len(frame) + 1)]
    if kind == 1:
        at = rng.randrange(len(frame))
        return frame[:at] + bytes([rng.randrange(256)]) + frame[at + 1 :]
    event = json.loads(frame)
    holders = [event, *(value for value in event.values() if isinstance(value, dict))]
    holder = rng.choice(holders)
    if not holder:
        return frame
    key = rng.choice(sorted(holder))
    if kind == 2:
        del holder[key]
    elif kind == 3:
        holder[key] = rng.choice(ODD)
    else:
        holder[rng.choice(["item_id", "response_id", "call_id", "delta", "novelty"])] = rng.choice(ODD)
    return json.dumps(event).encode()


def stream(rng: random.Random) -> Iterator[bytes]:
    """Frames in no order to rely on: held back, repeated, mangled."""
    held: list[bytes] = []
    source = frames(rng)
    for _ in range(FRAMES):
        frame = next(source)
        luck = rng.random()
        if luck < 0.1:
            held.append(frame)
            frame = rng.choice(held)
        elif luck < 0.2 and held:
            frame = held.pop(rng.randrange(len(held)))
        elif luck < 0.5:
            frame = mangled(rng, frame)
        yield frame


class Desk:
    """The rest of the desk: performs effects, writes down how often each tool ran."""

    def __init__(self) -> None:
        self.now = 0
        rules = Rules(max_tool_calls=10**9, max_call_ms=10**12)
        self.c: Conversation = begin(0, rules)
        self.ran: Counter[str] = Counter()
        self.inputs: list[fx.Input] = []

    def give(self, event: Any) -> None:
        self.c, effects = step(self.c, event, self.now)
        for effect in effects:
            match effect:
                case fx.Send(event):
                    assert json.loads(wire.encode(event))["type"]
                case fx.RunTool(call_id):
                    self.ran[call_id] += 1
                    assert self.ran[call_id] == 1, "a tool call ran twice"
                    self.inputs.append(fx.ToolFinished(call_id, ToolResult("Done looking.")))
                case fx.Connect():
                    self.inputs.append(fx.Opened("mangled", ev.SessionSettings(), wall_s=1e9))
        p = self.c.playout
        assert 0 <= p.heard <= p.sent <= p.received

    def tick(self, ms: int) -> None:
        self.now += ms
        due = wake_at(self.c, self.now)
        if due is not None and due <= self.now:
            self.give(fx.Ticked())

    def catch_up(self) -> None:
        waiting, self.inputs = self.inputs, []
        for one in waiting:
            self.give(one)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_crash_and_no_repeated_tool_call(seed: int):
    rng = random.Random(seed)
    desk = Desk()
    kinds: Counter[str] = Counter()
    ran = 0
    for frame in stream(rng):
        if desk.c.closed:
            ran += desk.ran.total()
            desk = Desk()
        if not desk.c.voice:
            desk.give(fx.VoiceStarted())
        try:
            event = wire.decode(frame)
        except wire.BadFrame:
            kinds["bad"] += 1
            continue
        kinds[type(event).__name__] += 1
        desk.give(event)
        desk.tick(rng.randrange(200))
        if rng.random() < 0.2:
            desk.catch_up()
        if rng.random() < 0.02:
            desk.give(
                rng.choice([fx.Lost("dropped"), fx.Typed("yes"), fx.Stopped(), fx.Played("x.1", 10**9)])
            )
    assert ran + desk.ran.total() > 50
    assert kinds["bad"] > 500, "the mangling mangles"
    assert kinds["UnknownEvent"] > 500
    assert kinds["ResponseDone"] > 100
