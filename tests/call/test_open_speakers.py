"""The desk's own voice in the customer's microphone, through the whole desk and the engine.

In real time where the machine is fast enough for it: the desk's clock counts the sound that has passed, so a
machine that is busy slows the room down and neither drops a frame nor moves the echo.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helpline.audio.pcm import gained, mix
from helpline.call import effects as fx
from helpline.call.call import Call
from helpline.call.shown import Caption, Shown, StateShown
from helpline.clock import SystemClock
from helpline.desk import Desk, open_desk
from helpline.engine.voice import Synthesiser
from helpline.settings import load_settings

FRAME_MS = 40
FRAME = 48 * FRAME_MS
ECHO_DB = -20
ECHO_FRAMES = 4  # about 150 ms

pytestmark = [pytest.mark.spoken, pytest.mark.timeout(300)]


class OpenSpeakers:
    """A channel whose loudspeaker is heard by its microphone."""

    def __init__(self) -> None:
        self.queue = b""
        self.air = [bytes(FRAME)] * ECHO_FRAMES
        self.speech = b""
        self.state = ""
        self.replies = 0
        """How many were heard to their end, or cut."""
        self.changed = asyncio.Event()

    async def play(self, track: str, pcm24k: bytes) -> None:
        self.queue += pcm24k

    async def clear_playback(self) -> None:
        self.queue = b""

    async def show(self, shown: Shown) -> None:
        if isinstance(shown, StateShown):
            self.state = shown.state
        elif isinstance(shown, Caption) and shown.speaker == "desk" and shown.final:
            self.replies += 1
        self.changed.set()

    def pass_frame(self) -> bytes:
        """One frame sounds; what the microphone hears meanwhile."""
        sounding, self.queue = self.queue[:FRAME].ljust(FRAME, b"\0"), self.queue[FRAME:]
        self.air.append(gained(sounding, ECHO_DB))
        spoken, self.speech = self.speech[:FRAME].ljust(FRAME, b"\0"), self.speech[FRAME:]
        return mix(spoken, self.air.pop(0))

    async def until(self, *states: str, replies: int = 0) -> None:
        while self.state not in states or self.replies < replies:
            self.changed.clear()
            await self.changed.wait()


class Room(SystemClock):
    """Where the calls are made, and their clock: its time is the sound that has passed."""

    def __init__(self) -> None:
        self._passed_ms = 0
        self._calls: list[tuple[OpenSpeakers, Call]] = []

    def now_ms(self) -> int:
        return self._passed_ms

    async def live(self) -> None:
        while True:
            await asyncio.sleep(FRAME_MS / 1000)
            self._passed_ms += FRAME_MS
            for channel, call in self._calls:
                call.hear(channel.pass_frame())

    @asynccontextmanager
    async def calling(self, desk: Desk) -> AsyncIterator[tuple[OpenSpeakers, Call]]:
        channel = OpenSpeakers()
        call = await desk.admit(channel, kind="test", caller=desk.demo_customers[0])
        assert await call.start_voice()
        self._calls.append((channel, call))
        yield channel, call
        self._calls.remove((channel, call))
        call.hang_up()
        await call.ended()


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    living = asyncio.create_task(room.live())
    yield room
    living.cancel()
    await asyncio.gather(living, return_exceptions=True)


@pytest.fixture
async def desk(tmp_path: Path, room: Room) -> AsyncIterator[Desk]:
    settings = load_settings({"data_dir": tmp_path, "backends": "engine"}, env={})
    async with open_desk(settings, clock=room) as opened:
        yield opened


async def talk(desk: Desk, room: Room, questions: list[str], *, interrupt: str = "") -> Call:
    """Ask each question once the reply before it was heard; `interrupt` is spoken into the last reply."""
    voice = Synthesiser()
    async with room.calling(desk) as (channel, call):
        for question in questions:
            channel.speech = await asyncio.to_thread(voice.speak, question)
            await channel.until("speaking")
            replies = channel.replies + 1
            if interrupt and question is questions[-1]:
                channel.speech = bytes(48 * 800) + await asyncio.to_thread(voice.speak, interrupt)
                await channel.until("listening", "thinking")
                await channel.until("speaking")
                replies += 1
            # The desk falls silent for a moment when it takes a noise for somebody: the reply goes on.
            await channel.until("listening", replies=replies)
    return call


def interruptions(call: Call) -> list[fx.Interrupted]:
    return [fact for fact in call.facts if isinstance(fact, fx.Interrupted)]


async def test_the_desk_does_not_interrupt_itself_in_twenty_replies(desk: Desk, room: Room):
    questions = ["what did I order", "where is order 1004", "tell me about the yoga mat", "what did I order"]
    calls = await asyncio.gather(*(talk(desk, room, questions) for _ in range(5)))
    assert sum(len(interruptions(call)) for call in calls) == 0


async def test_real_speech_on_top_still_interrupts(desk: Desk, room: Room):
    call = await talk(desk, room, ["tell me about the travel backpack"], interrupt="where is my order 1004")
    assert len(interruptions(call)) == 1
