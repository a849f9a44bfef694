"""Twenty times "mhm", coughs and noises while the desk speaks: no reply is lost.

Over the scripted server and a loudspeaker, in a time of the test's own, which jumps to whatever is due next.
"""

import asyncio
import base64
import contextlib
import selectors
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from helpline.call import effects as fx
from helpline.call.conversation import Conversation, Rules
from helpline.call.driver import Driver

from .servers import Peer, ScriptedBackend
from .test_driver import Host

FRAME_MS = 10
REPLY_MS = 3000
SILENCE_MS = Rules().silence_ms
PADDING_MS = Rules().prefix_ms


class Jumping(selectors.SelectSelector):
    """Where the loop would wait for its next timer, the time jumps there."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits for everybody")
        if not ready:
            self.now_s += timeout or 0
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now_s


class LoopClock:
    def now_ms(self) -> int:
        return round(asyncio.get_running_loop().time() * 1000)

    def utcnow(self) -> datetime:
        return datetime.fromtimestamp(asyncio.get_running_loop().time(), UTC)


def at_once(call: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(call)


class Loudspeaker(Host):
    """Plays a frame at a time, tells the desk of it, and keeps which milliseconds of each reply sounded."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[int, list[int]] = {}
        self._queue: list[tuple[str, bytes]] = []
        self._played_ms: dict[str, int] = {}

    async def play(self, track: str, pcm24k: bytes) -> None:
        size = FRAME_MS * 48
        self._queue += [(track, pcm24k[at : at + size]) for at in range(0, len(pcm24k), size)]

    async def clear_playback(self) -> None:
        self._queue.clear()

    async def live(self, driver: Driver) -> None:
        while True:
            track, frame = self._queue.pop(0) if self._queue else ("", b"")
            for reply, ms in marks(frame):
                self.heard.setdefault(reply, []).append(ms)
            await asyncio.sleep(FRAME_MS / 1000)
            if track:
                self._played_ms[track] = self._played_ms.get(track, 0) + len(frame) // 48
                driver.post(fx.Played(track, self._played_ms[track]))


def marked(reply: int, start_ms: int, ms: int) -> bytes:
    """Sound that says which reply it is of, and which of its milliseconds."""
    samples = array("h")
    for at in range(start_ms, start_ms + ms):
        samples.extend((reply, at) * 12)
    return samples.tobytes()


def marks(pcm: bytes) -> list[tuple[int, int]]:
    samples = array("h", pcm)
    return [(samples[at], samples[at + 1]) for at in range(0, len(samples) - 1, 24)]


@dataclass(frozen=True)
class Noise:
    """What the server makes of a sound of the customer's."""

    at_ms: int
    """Since the reply was asked for."""
    ms: int
    words: str | None = ""
    """None: no transcript ever comes."""
    words_after_ms: int = 50
    """Since its end; below zero: while it still sounds."""
    generates_ms: int = 0
    """How long the model takes for the reply: with 0 all of it is there at once."""
    failed: bool = False
    """The transcription fails."""


TRANSCRIBED = (
    Noise(0, 200, "mhm"),  # before the reply has begun
    Noise(20, 150, ""),  # with its first sound
    Noise(250, 300, "Mhm."),
    Noise(400, 350, "mm-hm"),
    Noise(600, 120, ""),  # a click
    Noise(800, 380, "uh-huh"),
    Noise(1000, 250, "mhm", words_after_ms=1500),  # its words come late
    Noise(1200, 200, "", words_after_ms=2900),
    Noise(1300, 300, None),  # never
    Noise(1500, 200, failed=True),
    Noise(1600, 760, "mmm", words_after_ms=-300),  # long, its words already known
    Noise(1800, 600, "Hmm, hm."),
    Noise(700, 250, "oh", generates_ms=2500),  # while the model still speaks
    Noise(2400, 300, "嗯嗯"),
    Noise(3000, 250, "aha"),  # with the last words
)
UNTRANSCRIBED = (
    Noise(10, 60, None),
    Noise(500, 150, None),
    Noise(1100, 300, None),
    Noise(2000, 350, None, generates_ms=2500),
    Noise(2900, 200, None),
)


class Server:
    """Answers each question with one long reply, and hears a noise during it."""

    def __init__(self, peer: Peer, driver: Driver) -> None:
        self.peer = peer
        self._driver = driver

    async def hears(self, item: str, noise: Noise) -> None:
        at, send = round(asyncio.get_running_loop().time() * 1000), self.peer.send
        await send("input_audio_buffer.speech_started", item_id=item, audio_start_ms=at)
        early_ms = max(0, -noise.words_after_ms)
        await asyncio.sleep((noise.ms + SILENCE_MS - early_ms) / 1000)
        if early_ms:
            await self.writes(item, noise)
        await asyncio.sleep(early_ms / 1000)
        end_ms = at + PADDING_MS + noise.ms + SILENCE_MS
        await send("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=end_ms)
        await send("input_audio_buffer.committed", item_id=item)
        if not early_ms:
            await asyncio.sleep(noise.words_after_ms / 1000)
            await self.writes(item, noise)

    async def writes(self, item: str, noise: Noise) -> None:
        kind = "conversation.item.input_audio_transcription"
        if noise.failed:
            await self.peer.send(f"{kind}.failed", item_id=item, content_index=0, error={"code": "unheard"})
        elif noise.words is not None and noise.words_after_ms < 0:
            await self.peer.send(f"{kind}.delta", item_id=item, content_index=0, delta=noise.words)
            await self.peer.send(f"{kind}.completed", item_id=item, content_index=0, transcript=noise.words)
        elif noise.words is not None:
            await self.peer.send(f"{kind}.completed", item_id=item, content_index=0, transcript=noise.words)

    async def says(self, number: int, generates_ms: int = 0) -> None:
        """A reply of `REPLY_MS`, generated faster than it sounds."""
        send, response, text = self.peer.send, f"r{number}", words_of(number)
        at = {"response_id": response, "item_id": f"a{number}", "output_index": 0, "content_index": 0}
        await send("response.created", response={"id": response, "conversation_id": "conv"})
        await send("response.output_audio_transcript.delta", **at, delta=text)
        for start in range(0, REPLY_MS, 200):
            pcm = marked(number, start, 200)
            await send("response.output_audio.delta", **at, delta=base64.b64encode(pcm).decode())
            await asyncio.sleep(generates_ms * 200 / REPLY_MS / 1000)
        await send("response.output_audio.done", **at)
        await send("response.output_audio_transcript.done", **at, transcript=text)
        await send("response.done", response={"id": response, "status": "completed", "output": []})

    async def until_over(self, number: int) -> None:
        """Nothing of this reply is left to be heard, and every sound of the customer's was dealt with."""

        def over(c: Conversation) -> bool:
            line = c.transcript.line(f"a{number}")
            return line is not None and line.final and not c.utterances and c.playout.silent

        async with asyncio.timeout(60):
            assert await self._driver.until(over)


def words_of(number: int) -> str:
    return f"Reply {number}: your order left the warehouse on Monday and comes tomorrow before noon."


@contextlib.asynccontextmanager
async def talking(
    script: Callable[[Server], Awaitable[None]], *, transcribes: bool, rules: Rules | None = None
) -> AsyncIterator[tuple[Loudspeaker, Driver, Peer]]:
    """A call that lasts until the server's script has ended."""

    async def greeted(peer: Peer) -> None:
        await peer.greet()
        assert await driver.until(lambda c: c.may_listen)
        await script(Server(peer, driver))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await peer.expect("never")  # whatever else the desk has to say

    host, backend = Loudspeaker(), ScriptedBackend(greeted, transcribes=transcribes)
    driver = Driver(host, [backend], clock=LoopClock(), rules=rules)
    running, playing = asyncio.create_task(driver.run()), asyncio.create_task(host.live(driver))
    try:
        driver.post(fx.VoiceStarted())
        assert await driver.until(lambda c: c.may_listen)
        await asyncio.gather(*backend.tasks)
        yield host, driver, backend.peers[0]
    finally:
        driver.post(fx.HungUp("the test is over"))
        await running
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)


def assert_heard_whole(host: Loudspeaker, driver: Driver, number: int, why: object) -> None:
    lost = set(range(REPLY_MS)) - set(host.heard.get(number, ()))
    assert not lost, f"{len(lost)} ms of reply {number} are lost: {why}"
    line = driver.conversation.transcript.line(f"a{number}")
    assert line is not None
    assert line.heard == line.text == words_of(number)


def items(peer: Peer, kind: str) -> list[str]:
    return [event["item_id"] for event in peer.seen if event["type"] == kind]


@pytest.mark.parametrize(
    ("noises", "transcribes"), [(TRANSCRIBED, True), (UNTRANSCRIBED, False)], ids=["words", "no words"]
)
def test_no_reply_is_lost_to_an_mhm_a_cough_or_a_noise(noises, transcribes):
    """One call: a question, a reply and a noise for each; the last reply is interrupted in earnest."""
    last = len(noises)
    interruption = Noise(1000, 700, "no, the other order" if transcribes else None)

    async def script(server: Server) -> None:
        for number, noise in enumerate((*noises, interruption)):
            await server.hears(f"u{number}", Noise(0, 700, "where is it?" if transcribes else None))
            await server.peer.expect("response.create")
            async with asyncio.TaskGroup() as both:
                both.create_task(server.says(number, noise.generates_ms))
                await asyncio.sleep(noise.at_ms / 1000)
                both.create_task(server.hears(f"n{number}", noise))
            await server.until_over(number)
        await server.peer.expect("response.create")

    async def call() -> None:
        async with talking(script, transcribes=transcribes) as (host, driver, peer):
            for number, noise in enumerate(noises):
                assert_heard_whole(host, driver, number, noise)
                assert driver.conversation.transcript.line(f"n{number}") is None, "it was no turn"
            assert items(peer, "conversation.item.delete") == [f"n{number}" for number in range(last)]
            assert items(peer, "conversation.item.truncate") == [f"a{last}"]
            asked = [event for event in peer.seen if event["type"] == "response.create"]
            assert len(asked) == len(noises) + 2, "one for each question, one for the interruption"
            assert 0 < len(set(host.heard[last])) < REPLY_MS / 2
            line = driver.conversation.transcript.line(f"a{last}")
            assert line is not None
            assert 0 < len(line.heard) < len(line.text)

    at_once(call())


def test_twenty_noises_differ():
    assert len({*TRANSCRIBED, *UNTRANSCRIBED}) == 20


def test_a_vendor_that_takes_the_turns_answers_the_noise_and_is_heard_to_the_end():
    """It takes a noise for a turn, by itself: what it answers then is the reply that must not be lost."""
    noises = [*TRANSCRIBED[1:9], Noise(4500, 200, "")]  # the last one in the silence

    async def script(server: Server) -> None:
        for number, noise in enumerate(noises):
            await server.hears(f"u{number}", Noise(0, 700, "where is it?"))
            await server.says(number)
            await asyncio.sleep(noise.at_ms / 1000)
            async with asyncio.TaskGroup() as both:
                both.create_task(server.hears(f"n{number}", noise))
                await asyncio.sleep((noise.ms + SILENCE_MS + 10) / 1000)
                both.create_task(server.says(100 + number))
            await server.until_over(100 + number)

    async def call() -> None:
        rules = Rules(vendor_turns=True)
        async with talking(script, transcribes=True, rules=rules) as (host, driver, peer):
            for number, noise in enumerate(noises):
                assert_heard_whole(host, driver, 100 + number, noise)
            assert_heard_whole(host, driver, len(noises) - 1, "nothing of it was unheard")
            assert not [event for event in peer.seen if event["type"] == "response.create"]

    at_once(call())
