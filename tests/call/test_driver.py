"""The driver over real frames: connecting, failing over, reconnecting, tools and hang-up."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np
import pytest

from helpline.actions import ToolResult
from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Rules
from helpline.call.driver import Driver
from helpline.call.outbox import HELD_AUDIO_MS, Outbox
from helpline.call.shown import Notice, Shown
from helpline.clock import Clock, SystemClock
from helpline.errors import BackendError
from helpline.realtime.connection import Backend
from helpline.realtime.events import InputAppend, InputClear, SessionSettings
from helpline.realtime.trace import Trace
from helpline.sentences import OUT_OF_ORDER

from .servers import Peer, ScriptedBackend


class Host:
    """Plays into nothing and remembers."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self.played = 0
        self.tools: list[fx.RunTool] = []
        self.facts: list[fx.Fact] = []
        self.settled: list[fx.Settle] = []
        self.tool_gate = asyncio.Event()
        self.tool_gate.set()
        self.own_voice = b""

    async def play(self, track: str, pcm24k: bytes) -> None:
        self.played += len(pcm24k)

    async def clear_playback(self) -> None: ...

    async def show(self, shown: Shown) -> None:
        self.shown.append(shown)

    async def run_tool(self, tool: fx.RunTool) -> ToolResult:
        self.tools.append(tool)
        await self.tool_gate.wait()
        return ToolResult("It is on its way.")

    async def settle(self, settle: fx.Settle) -> fx.Settled:
        self.settled.append(settle)
        return fx.Settled(settle.proposal.id, declined=True)

    async def pronounce(self, ways: Sequence[str]) -> tuple[str, bytes]:
        return (ways[0], self.own_voice) if self.own_voice else ("", b"")

    def record(self, fact: fx.Fact) -> None:
        self.facts.append(fact)

    def session(self, backend: Backend) -> SessionSettings:
        return SessionSettings(instructions="Be brief.")

    def notices(self) -> list[str]:
        return [shown.text for shown in self.shown if isinstance(shown, Notice)]


@asynccontextmanager
async def driving(
    host: Host,
    *backends: Backend,
    trace: Trace | None = None,
    rules: Rules | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Driver]:
    driver = Driver(host, backends, trace=trace, rules=rules, clock=clock)
    task = asyncio.create_task(driver.run())
    try:
        yield driver
    finally:
        driver.post(fx.HungUp("the test is over"))
        await task
        for backend in backends:
            tasks = backend.tasks if isinstance(backend, ScriptedBackend) else []
            for script in tasks:
                script.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def spoken(conversation: Conversation, item: str) -> bool:
    line = conversation.transcript.line(item)
    return line is not None and line.final


async def test_a_typed_line_is_answered_through_a_tool_and_no_connection_is_left():
    async def script(peer: Peer) -> None:
        asked = await peer.greet()
        assert asked["session"]["instructions"] == "Be brief."
        await peer.expect("response.create")
        await peer.call_tool("r1", "c1", "check_order_status", '{"order_id":"1004"}')
        output = await peer.expect("conversation.item.create")
        assert output["item"]["call_id"] == "c1"
        await peer.expect("response.create")
        await peer.say("r2", "a2", "It is on its way.", 400)
        await peer.expect("never")

    host, backend = Host(), ScriptedBackend(script)
    async with driving(host, backend) as driver:
        driver.post(fx.Typed("where is order 1004"))
        assert await driver.until(
            lambda c: any(line.id == "a2" and line.final for line in c.transcript.lines)
        )
        assert [tool.name for tool in host.tools] == ["check_order_status"]
        assert host.played == 400 * 48
    assert driver.ended.is_set()
    assert backend.tasks[0].done(), "the server saw the connection close"


async def test_microphone_audio_waits_for_the_session_and_then_flows():
    got = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.send("session.created", session={})
        await peer.expect("session.update")
        await peer.send("session.updated", session={})
        while peer.audio_bytes < 4 * 1920:
            await peer.expect("input_audio_buffer.append")
        assert [event["type"] for event in peer.seen[:1]] == ["session.update"]
        got.set()
        await peer.expect("never")

    host, backend = Host(), ScriptedBackend(script)
    async with driving(host, backend) as driver:
        driver.post(fx.VoiceStarted())
        await driver.until(lambda c: c.voice)
        for _ in range(4):
            driver.hear(b"\x00" * 1920)
        await got.wait()


async def test_the_first_backend_that_answers_is_used_and_the_wrong_key_is_not_tried_twice():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("never")

    wrong = ScriptedBackend(BackendError("The key was refused: check KEY.", retry=False), name="first")
    right = ScriptedBackend(script, name="second")
    async with driving(Host(), wrong, right) as driver:
        driver.post(fx.VoiceStarted())
        assert await driver.until(lambda c: c.may_listen)
        assert driver.conversation.link.backend == "second"


async def test_when_no_backend_answers_that_is_said_once_and_voice_is_off(caplog: pytest.LogCaptureFixture):
    host = Host()
    wrong = ScriptedBackend(BackendError("The key was refused: check KEY.", retry=False))
    async with driving(host, wrong) as driver:
        driver.post(fx.VoiceStarted())
        await driver.until(lambda c: c.voice)
        await driver.until(lambda c: not c.voice)
        assert host.notices() == [OUT_OF_ORDER.en]
    assert caplog.text.count("check KEY") == 1, "the log says why"


@pytest.mark.parametrize("code", [1001, 1006, 1011])
async def test_a_dropped_session_is_opened_again_with_its_context_and_no_tool_runs_twice(code: int):
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.hear("u1", "where is my order")
        await peer.expect("response.create")
        await peer.call_tool("r1", "c1", "check_order_status")
        await peer.frames.close(code)

    async def second(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        kinds = [e["item"]["type"] for e in peer.seen if e["type"] == "conversation.item.create"]
        assert kinds == ["message", "function_call", "function_call_output"]
        await peer.say("r2", "a2", "It is on its way.", 200)
        await peer.expect("never")

    host, backend = Host(), ScriptedBackend(first, second)
    async with driving(host, backend) as driver:
        driver.post(fx.VoiceStarted())
        assert await driver.until(
            lambda c: any(line.id == "a2" and line.final for line in c.transcript.lines)
        )
        assert len(host.tools) == 1


async def test_a_backend_that_will_not_answer_any_more_hands_over_to_the_next():
    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.hear("u1", "hello")
        await peer.expect("response.create")
        await peer.send("error", error={"type": "insufficient_quota", "code": "insufficient_quota"})
        await peer.expect("never")

    async def second(peer: Peer) -> None:
        await peer.greet()
        said = await peer.expect("conversation.item.create")
        assert said["item"]["content"][0]["text"] == "hello"
        await peer.expect("response.create")
        await peer.say("r1", "a1", "Hello.", 200)
        await peer.expect("never")

    one, two = ScriptedBackend(first, name="one"), ScriptedBackend(second, name="two")
    async with driving(Host(), one, two) as driver:
        driver.post(fx.VoiceStarted())
        assert await driver.until(lambda c: c.link.backend == "two" and not c.playout.silent)


async def test_hanging_up_in_the_middle_of_a_tool_cancels_it():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        await peer.call_tool("r1", "c1", "slow")
        await peer.expect("never")

    host, backend = Host(), ScriptedBackend(script)
    host.tool_gate.clear()
    async with driving(host, backend) as driver:
        driver.post(fx.Typed("hello"))
        await driver.until(lambda c: bool(c.tools))
    assert driver.ended.is_set()
    assert not await driver.until(lambda c: bool(c.tools))


async def test_held_audio_is_bounded_and_the_oldest_goes_first():
    outbox = Outbox()
    for n in range(HELD_AUDIO_MS // 40 + 10):
        outbox.put_audio(n.to_bytes(2, "big") * 960)
    assert outbox.dropped_ms == 400
    outbox.put(InputClear())
    outbox.open_audio(True)
    assert isinstance(await outbox.get(), InputClear), "events go first and are never dropped"
    first = await outbox.get()
    assert isinstance(first, InputAppend)
    assert first.audio[:2] == (10).to_bytes(2, "big")


async def test_it_is_known_how_soon_the_desk_fell_silent_when_it_was_spoken_over():
    heard = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.begin("r1", "a1", "Your order is on its way and should arrive soon.", 2000)
        await heard.wait()
        while peer.audio_bytes < 48 * 1000:
            await peer.expect("input_audio_buffer.append")
        # The speech began 520 ms ago; a server says where in the audio it was given, less its prefix.
        await peer.send("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=480 - 300)
        await peer.expect("never")

    host, backend = Host(), ScriptedBackend(script)
    async with driving(host, backend) as driver:
        driver.post(fx.VoiceStarted())
        assert await driver.until(lambda c: c.playout.sent > 0)
        for _ in range(25):
            driver.hear(bytes(40 * 48))
        heard.set()
        assert await driver.until(lambda c: c.playout.paused)
        await asyncio.sleep(0)
    assert [fact for fact in host.facts if isinstance(fact, fx.Silenced)] == [fx.Silenced(520)]


async def test_a_call_goes_on_when_all_of_its_backends_were_away_for_a_while():
    """Each is tried for two seconds, then all of them again; the one that refused is asked once."""

    async def first(peer: Peer) -> None:
        await peer.greet()
        await peer.cut(1006)

    async def second(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("never")

    class Fast(SystemClock):
        def now_ms(self) -> int:
            return super().now_ms() * 3

    away = [BackendError("Nobody is there.", retry=True)] * 4
    refuses = BackendError("The key was refused: check KEY.", retry=False)
    one = ScriptedBackend(first, refuses, second, name="one")
    other = ScriptedBackend(*away, second, name="other")
    host = Host()
    async with driving(host, one, other, clock=Fast()) as driver:
        driver.post(fx.VoiceStarted())
        assert await driver.until(lambda c: c.may_listen)
        assert await driver.until(lambda c: not c.may_listen)
        assert await driver.until(lambda c: c.may_listen or c.farewell is not None)
        assert driver.conversation.link.backend == "other"
        assert host.notices() == []


async def test_a_backend_that_was_of_no_use_an_hour_ago_is_tried_again():
    async def no_quota(peer: Peer) -> None:
        await peer.greet()
        gate = gates.pop(0)
        await gate.wait()
        await peer.send("error", error={"type": "error", "code": "insufficient_quota", "message": "No."})
        await peer.expect("never")

    async def answers(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("never")

    class Later(SystemClock):
        later_ms = 0

        def now_ms(self) -> int:
            return super().now_ms() + self.later_ms

    clock = Later()
    gates = [asyncio.Event(), asyncio.Event()]
    soon, later = gates
    one, other = ScriptedBackend(no_quota, answers, name="one"), ScriptedBackend(no_quota, name="other")
    async with driving(Host(), one, other, clock=clock) as driver:
        driver.post(fx.VoiceStarted())
        soon.set()
        assert await driver.until(lambda c: c.may_listen and c.link.backend == "other")
        clock.later_ms = 60_000
        later.set()
        assert await driver.until(
            lambda c: (c.may_listen and c.link.generation == 3) or c.farewell is not None
        )
        assert driver.conversation.link.backend == "one"


async def test_the_echo_of_a_page_that_is_late_is_known_by_its_reports():
    class Held(SystemClock):
        at_ms = 100_000

        def now_ms(self) -> int:
            return self.at_ms

    noise = np.random.default_rng(1).normal(0, 3000, 24 * 900).astype("<i2").tobytes()
    heard: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        await peer.send("response.created", response={"id": "r1", "conversation_id": "conv"})
        at = {"response_id": "r1", "item_id": "a1", "output_index": 0, "content_index": 0}
        await peer.send("response.output_audio_transcript.done", **at, transcript="A long sentence. " * 9)
        await peer.send("response.output_audio.delta", **at, delta=base64.b64encode(noise).decode())
        while len(heard) < 10:
            heard.append(base64.b64decode((await peer.expect("input_audio_buffer.append"))["audio"]))
        done.set()

    done = asyncio.Event()
    clock, host = Held(), Host()
    async with driving(host, ScriptedBackend(script), clock=clock) as driver:
        driver.post(fx.VoiceStarted())
        assert await driver.until(lambda c: c.may_listen)
        driver.post(fx.ReplyAsked())
        assert await driver.until(lambda c: c.playout.sent == len(noise))
        (clip,) = driver.conversation.playout.clips
        clock.at_ms += 1100  # the page has played nothing of it yet
        driver.post(fx.Played(clip.track, 0))
        assert await driver.until(lambda c: c.playout.anchor_ms == clock.at_ms)
        for frame in range(10):
            clock.at_ms += 40
            driver.hear(noise[frame * 1920 : (frame + 1) * 1920])
        await asyncio.wait_for(done.wait(), 60)
    assert [any(frame) for frame in heard[5:]] == [False] * 5
