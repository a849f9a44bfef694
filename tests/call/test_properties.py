"""What holds of every call: random servers, random customers, any order of things.

The server is a model of its own (`model.py`); nothing in it knows our client. Each example is a list of
small steps of the server, of the customer, of the tools and of the line between them.
"""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline.actions import Receipt, ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Event, Rules, begin, step, wake_at
from helpline.realtime import events as ev
from helpline.realtime import wire

from .model import PLANS, Ear, Server, VendorServer
from .talk import proposal

RULES = Rules(idle_ms=10**9, noise_ms=10**9, max_call_ms=10**9)

ms = st.integers(1, 3000)
steps = st.one_of(
    st.tuples(st.just("wait"), ms),
    st.tuples(st.just("server"), st.sampled_from(PLANS)),
    st.tuples(st.just("server"), st.sampled_from(PLANS)),
    st.tuples(st.just("respond"), st.sampled_from(PLANS)),
    st.tuples(st.just("respond"), st.sampled_from(PLANS)),
    st.tuples(st.just("speak"), ms),
    st.tuples(st.just("utter"), st.sampled_from(["where is it", "yes", "no", "mhm", "", None])),
    st.tuples(st.just("words"), st.sampled_from(["where is it", "yes", "mhm", "", None])),
    st.tuples(st.just("type"), st.sampled_from(["hello", "yes", "no"])),
    st.tuples(st.just("press"), st.sampled_from(["yes", "no"])),
    st.tuples(st.just("stop"), st.none()),
    st.tuples(st.just("report"), st.none()),
    st.tuples(st.just("lie"), st.integers(-(10**6), 10**7)),
    st.tuples(st.just("tool"), st.sampled_from(["ok", "propose"])),
    st.tuples(st.just("settle"), st.sampled_from(["done", "failed", "waits"])),
    st.tuples(st.just("drop"), st.booleans()),
    st.tuples(st.just("open"), st.none()),
    st.tuples(st.just("voice"), st.none()),
    st.tuples(st.just("repeat"), st.integers(0, 30)),
    st.tuples(st.just("repeat_last"), st.sampled_from(["done", "created", "speech_started", "committed"])),
)


def calls_of(longest: int) -> st.SearchStrategy[list[tuple[str, Any]]]:
    """Lists alone stay short; half of these are longer than half."""
    return st.integers(0, longest).flatmap(lambda n: st.lists(steps, min_size=n, max_size=n))


class World:
    """A call under way: the conversation, its server, its customer; every invariant is checked as it goes."""

    rules = RULES
    server_of = Server

    def __init__(self) -> None:
        self.now = 0
        self.c: Conversation = begin(0, self.rules)
        self.server: Server | None = None
        self.servers = 0
        self.ear = Ear()
        self.wants_connection = False
        self.tools: list[str] = []
        self.ran: list[str] = []
        self.settles: list[fx.Settle] = []
        self.cut: set[str] = set()
        """Items that may not sound any more."""
        self.proposals = 0
        self.trace: list[tuple[Event, int]] = []
        self.effects: list[list[fx.Effect]] = []
        self.give(fx.VoiceStarted())
        self.open()

    # --- the conversation ---

    def give(self, event: Event) -> None:
        self.trace.append((event, self.now))
        was_closed = self.c.closed
        self.c, effects = step(self.c, event, self.now)
        self.effects.append(effects)
        assert not (was_closed and effects), "nothing after the hang-up"
        p = self.c.playout
        assert 0 <= p.heard <= p.sent <= p.received
        answers: list[dict[str, Any]] = []
        for effect in effects:
            answers += self._perform(effect)
        for answer in answers:
            self.hear_from(answer)

    def _perform(self, effect: fx.Effect) -> list[dict[str, Any]]:
        match effect:
            case fx.Send(event):
                assert self.server is not None, "sent to nobody"
                self._check_cut(event)
                return self.server.take(json.loads(wire.encode(event)))
            case fx.Play(track, pcm24k):
                assert track.rpartition(".")[0] not in self.cut, "sound after a committed interruption"
                assert pcm24k
                self.ear.play(track, len(pcm24k) / 48)
            case fx.ClearPlayback():
                self.ear.silence()
            case fx.RunTool(call_id):
                assert call_id not in self.ran, "a tool ran twice"
                self.ran.append(call_id)
                self.tools.append(call_id)
            case fx.CancelTool(call_id):
                self.tools.remove(call_id)
            case fx.Settle():
                assert all(one.proposal.id != effect.proposal.id for one in self.settles)
                self.settles.append(effect)
            case fx.Connect():
                assert self.server is None
                assert not self.wants_connection
                self.wants_connection = True
            case fx.Disconnect():
                self.server = None
            case fx.Record(fx.Interrupted(item_id, heard_ms, received_ms)):
                assert heard_ms <= received_ms
                assert heard_ms <= self.ear.given_ms.get(item_id, 0) + 1, "heard what was never played"
                self.cut.add(item_id)
        return []

    def _check_cut(self, event: ev.ClientEvent) -> None:
        assert self.server is not None
        if isinstance(event, ev.ResponseCancel):
            of = self.server.response_of
            self.cut |= {item for item, response in of.items() if response == event.response_id}

    def hear_from(self, event: dict[str, Any]) -> None:
        self.give(wire.read(json.loads(json.dumps(event))))

    # --- time ---

    def wait(self, duration_ms: int) -> None:
        end = self.now + duration_ms
        for _ in range(500):
            due = wake_at(self.c, self.now)
            if due is None or due > end:
                break
            self._move_to(max(self.now, due))
            self.give(fx.Ticked())
        else:
            raise AssertionError("the call wakes for ever")
        self._move_to(end)

    def _move_to(self, now: int) -> None:
        self.ear.pass_time(now - self.now)
        self.now = now

    # --- what may happen ---

    def open(self) -> None:
        if not self.wants_connection:
            return
        self.wants_connection = False
        self.servers += 1
        self.server = self.server_of(self.servers)
        self.give(fx.Opened("model", ev.SessionSettings()))

    def do(self, what: str, with_: Any) -> None:
        getattr(self, f"_{what}")(with_)

    def _wait(self, duration_ms: int) -> None:
        self.wait(duration_ms)

    def _server(self, plan: str) -> None:
        if self.server is not None:
            for event in self.server.go_on(plan):
                self.hear_from(event)

    def _respond(self, plan: str) -> None:
        server = self.server
        for _ in range(60):
            if server is None or server.response is None or self.server is not server:
                return
            self._server(plan)

    def _speak(self, duration_ms: int) -> None:
        if self.server is None or not self.c.may_listen:
            return
        events = (
            self.server.speech_stops(duration_ms) if self.server.speaking else self.server.speech_starts()
        )
        for event in events:
            self.hear_from(event)

    def _utter(self, text: str | None) -> None:
        if self.server is None or self.server.speaking:
            return
        self._speak(0)
        self.wait(300 if text == "mhm" else 900)
        if self.server is not None and self.server.speaking:
            self._speak(900)
            self._words(text)

    def _words(self, text: str | None) -> None:
        if self.server is not None:
            for event in self.server.words_come(text):
                self.hear_from(event)

    def _type(self, text: str) -> None:
        self.give(fx.Typed(text))

    def _press(self, answer: Any) -> None:
        self.give(fx.Pressed(f"prop_{self.proposals}", answer))

    def _stop(self, _: None) -> None:
        self.give(fx.Stopped())

    def _report(self, _: None) -> None:
        for track, played_ms in list(self.ear.played_ms.items())[-3:]:
            self.give(fx.Played(track, int(played_ms)))

    def _lie(self, played_ms: int) -> None:
        for clip in self.c.playout.clips[-1:]:
            self.give(fx.Played(clip.track, played_ms))

    def _tool(self, kind: str) -> None:
        if not self.tools:
            return
        result = ToolResult("It is on its way.")
        if kind == "propose":
            self.proposals += 1
            change = proposal(id=f"prop_{self.proposals}", read_back="word0 word1 1005 cancel")
            result = ToolResult(change.read_back, proposal=change)
        self.give(fx.ToolFinished(self.tools.pop(0), result))

    def _settle(self, kind: str) -> None:
        if not self.settles:
            return
        settle = self.settles.pop(0)
        name = settle.proposal.id
        receipt = Receipt(f"R-{name}", name, "cancel_order", "Done.", "now")
        done = fx.Settled(name, declined=True) if settle.answer == "no" else fx.Settled(name, receipt=receipt)
        failed = fx.Settled(name, say="That did not work.", waits=kind == "waits")
        self.give(done if kind == "done" else failed)

    def _drop(self, reopens: bool) -> None:
        if self.server is not None:
            self.server = None
            self.give(fx.Lost("dropped"))
            if reopens:
                self.open()

    def _open(self, _: None) -> None:
        self.open()

    def _voice(self, _: None) -> None:
        self.give(fx.VoiceEnded() if self.c.voice else fx.VoiceStarted())

    def _repeat(self, back: int) -> None:
        if self.server is not None and back < len(self.server.said):
            self.hear_from(self.server.said[-back - 1])

    def _repeat_last(self, kind: str) -> None:
        said = self.server.said if self.server is not None else []
        for event in [event for event in said if event["type"].endswith(f".{kind}")][-1:]:
            self.hear_from(event)

    # --- at the end ---

    def check(self) -> None:
        if self.server is not None:
            assert self.server.faults == []
            assert all(count <= 1 for count in self.server.calls.values()), "a call answered twice"

    def drain(self) -> None:
        """Let everything that is under way come to its end; a call that cannot is stuck."""
        for _ in range(120):
            self.open()
            if self.server is not None and self.server.speaking:
                self._speak(500)
            self._words("where is it")
            self._respond("speech")
            self._tool("ok")
            self._settle("done")
            self.wait(1000)
            self.check()
            if self._is_quiet():
                return
        raise AssertionError(f"stuck: {self.c.reply} {self.c.wants_reply=} {self.c.utterances} {self.c.link}")

    def _is_quiet(self) -> bool:
        c = self.c
        idle = c.reply.phase == "none" and not c.wants_reply and not c.utterances and c.playout.silent
        return idle and not self.tools and not self.settles and not (self.server and self.server.wordless)


class PushWorld(World):
    """The same with push to talk: whoever speaks holds a button; the commits wait behind the sound."""

    rules = msgspec.structs.replace(RULES, push_to_talk=True)

    def __init__(self) -> None:
        self.commits = 0
        super().__init__()

    def _perform(self, effect: fx.Effect) -> list[dict[str, Any]]:
        match effect:
            case fx.Send(ev.InputCommit()):
                self.commits += 1
                return []
            case fx.Rehear(pushes=pushes):
                assert pushes
                self.commits += pushes - self.c.holds
                return []
            case _:
                return super()._perform(effect)

    def give(self, event: Event) -> None:
        super().give(event)
        while self.commits and self.server is not None and self.c.may_listen:
            self.commits -= 1
            for answer in self.server.commits():
                self.hear_from(answer)
        if not self.c.voice:
            self.commits = 0

    def _speak(self, duration_ms: int) -> None:
        self.give(fx.Released() if self.c.holds else fx.Pushed())

    def _utter(self, text: str | None) -> None:
        if self.c.voice and not self.c.holds:
            self.give(fx.Pushed())
            assert self.c.playout.silent, "the desk speaks over a customer who holds the button"
            self.wait(900)
            self.give(fx.Released())
            self._words(text)

    def _is_quiet(self) -> bool:
        if self.c.holds:
            self.give(fx.Released())
        return super()._is_quiet() and self.c.push is None


class VendorWorld(World):
    """The same with a vendor that takes the turns."""

    rules = msgspec.structs.replace(RULES, vendor_turns=True)
    server_of = VendorServer


def play(call: list[tuple[str, Any]], world: World | None = None) -> World:
    world = world or World()
    for what, with_ in call:
        world.do(what, with_)
        world.check()
    return world


def every_promise_holds(call: list[tuple[str, Any]], world: World | None = None) -> None:
    world = play(call, world)
    world.drain()
    if world.server is not None:
        assert all(count == 1 for count in world.server.calls.values()), "each call is answered exactly once"
    world.give(fx.HungUp("bye"))
    for what, with_ in call:
        if what not in ("voice", "open"):
            world.do(what, with_)
    assert same_effects(world)


def same_effects(world: World) -> bool:
    """The same trace gives the same effects."""
    c = begin(0, world.rules)
    for (event, now), before in zip(world.trace, world.effects, strict=True):
        c, effects = step(c, event, now)
        assert effects == before
    return c == world.c


COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


@given(calls_of(40))
@settings(max_examples=1000, **COMMON)
def test_every_promise_holds_whatever_happens(call: list[tuple[str, Any]]):
    every_promise_holds(call)


@given(calls_of(40))
@settings(max_examples=300, **COMMON)
def test_every_promise_holds_with_a_button_to_hold(call: list[tuple[str, Any]]):
    every_promise_holds(call, PushWorld())


@given(calls_of(40))
@settings(max_examples=300, **COMMON)
def test_every_promise_holds_with_a_vendor_that_takes_the_turns(call: list[tuple[str, Any]]):
    every_promise_holds(call, VendorWorld())


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(calls_of(150))
@settings(max_examples=20_000, **COMMON)
def test_every_promise_holds_in_long_calls(call: list[tuple[str, Any]]):
    every_promise_holds(call)
