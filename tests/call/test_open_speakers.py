"""The desk's own voice in the customer's microphone, through the whole desk and the engine, in real time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from helpline.audio.pcm import gained, mix
from helpline.call import effects as fx
from helpline.call.call import Call
from helpline.call.shown import Caption, Shown, StateShown
from helpline.desk import Desk, open_desk
from helpline.engine.voice import Synthesiser
from helpline.settings import load_settings

FRAME_MS = 40
FRAME = 48 * FRAME_MS
ECHO_DB = -20
ECHO_FRAMES = 4  # about 150 ms
LATE_S = 0.4

pytestmark = [pytest.mark.spoken, pytest.mark.timeout(120)]


class OpenSpeakers:
    """A channel whose loudspeaker is heard by its microphone."""

    def __init__(self) -> None:
        self.queue = b""
        self.queued_at = 0.0
        self.air = [bytes(FRAME)] * ECHO_FRAMES
        self.speech = b""
        self.state = ""
        self.replies = 0
        """How many were heard to their end, or cut."""
        self.changed = asyncio.Event()

    async def play(self, track: str, pcm24k: bytes) -> None:
        self.queue += pcm24k
        self.queued_at = asyncio.get_running_loop().time()

    async def clear_playback(self) -> None:
        self.queue = b""

    async def show(self, shown: Shown) -> None:
        if isinstance(shown, StateShown):
            self.state = shown.state
        elif isinstance(shown, Caption) and shown.speaker == "desk" and shown.final:
            self.replies += 1
        self.changed.set()

    async def live(self, call: Call) -> None:
        """Play and listen, a frame at a time, in real time."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            sounding = bytes(FRAME)
            if due >= self.queued_at:  # a loop that is late catches up, but nothing sounds before it was sent
                sounding, self.queue = self.queue[:FRAME].ljust(FRAME, b"\0"), self.queue[FRAME:]
            self.air.append(gained(sounding, ECHO_DB))
            spoken, self.speech = self.speech[:FRAME].ljust(FRAME, b"\0"), self.speech[FRAME:]
            heard = mix(spoken, self.air.pop(0))
            if loop.time() - due < LATE_S:  # as the page's does
                call.hear(heard)
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0, due - loop.time()))

    async def until(self, *states: str, replies: int = 0) -> None:
        while self.state not in states or self.replies < replies:
            self.changed.clear()
            await self.changed.wait()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    settings = replace(load_settings({"data_dir": tmp_path, "backends": "engine"}, env={}))
    async with open_desk(settings) as opened:
        yield opened


async def talk(desk: Desk, questions: list[str], *, interrupt: str = "") -> Call:
    """Ask each question once the reply before it was heard; `interrupt` is spoken into the last reply."""
    voice = Synthesiser()
    channel = OpenSpeakers()
    call = await desk.admit(channel, kind="test", caller=desk.demo_customers[0])
    assert await call.start_voice()
    living = asyncio.create_task(channel.live(call))
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
    living.cancel()
    call.hang_up()
    await call.ended()
    return call


def interruptions(call: Call) -> list[fx.Interrupted]:
    return [fact for fact in call.facts if isinstance(fact, fx.Interrupted)]


async def test_the_desk_does_not_interrupt_itself_in_twenty_replies(desk: Desk):
    questions = ["what did I order", "where is order 1004", "tell me about the yoga mat", "what did I order"]
    calls = await asyncio.gather(*(talk(desk, questions) for _ in range(5)))
    assert sum(len(interruptions(call)) for call in calls) == 0


async def test_real_speech_on_top_still_interrupts(desk: Desk):
    call = await talk(desk, ["tell me about the travel backpack"], interrupt="where is my order 1004")
    assert len(interruptions(call)) == 1
