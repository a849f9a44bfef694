"""How fast the desk answers and falls silent, in spoken calls with the embedded engine, in real time."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.figures import Figure, median
from helpline.channels.wav import FRAME_MS, Line, WavChannel, line_to
from helpline.desk import Desk, open_desk
from helpline.engine.backend import EngineBackend
from helpline.engine.server import options_of
from helpline.engine.voice import Synthesiser
from helpline.realtime.connection import Connection
from helpline.realtime.events import ServerEvent, SpeechStarted, UnknownEvent
from helpline.settings import load_settings

SILENCE_MS = 500
QUESTIONS = (
    "where is my order 1004",
    "do you have running shoes",
    "show me my account",
    "where is my order 1002",
    "I want to return order 1002",
    "no",
)
ROUNDS = 4
INTERRUPTIONS = 12
PATIENCE_S = 30.0


async def measure() -> list[Figure]:
    answers = await answers_ms()
    silences = await silences_ms()
    spoken = f"end of speech to first audio, p50 of {len(answers)} turns"
    cut = f"speech_started to playback cleared, worst of {len(silences)}"
    return [Figure(spoken, 700, median(answers), "ms"), Figure(cut, 20, max(silences), "ms")]


async def answers_ms() -> list[int]:
    """Of each turn: from the customer's last sound to the first of the answer."""
    latencies: list[int] = []
    async with a_desk(engine()) as desk:
        for _ in range(ROUNDS):
            channel = WavChannel()
            async with line_to(desk, channel, desk.demo_customers[0]) as call:
                assert await call.start_voice(), channel.document.failure
                for question in QUESTIONS:
                    await say(channel, question)
                    assert await channel.answered(PATIENCE_S), f"no answer to {question!r}"
            latencies += channel.document.latency_ms
    assert len(latencies) == ROUNDS * len(QUESTIONS), "a turn was not measured"
    return latencies


def engine() -> EngineBackend:
    """As a desk opens it: it listens in worker processes."""
    none = Path("none")
    return EngineBackend(options_of(load_settings({"silence_ms": SILENCE_MS}, {}, none, none)))


async def silences_ms() -> list[float]:
    """Of each interruption: from the event that speech started to the channel being told to fall silent."""
    watched = Watched(engine())
    channel = TimedChannel()
    taken: list[float] = []
    async with a_desk(watched) as desk, line_to(desk, channel, desk.demo_customers[0]) as call:
        assert await call.start_voice(), channel.document.failure
        for _ in range(INTERRUPTIONS):
            await say(channel, "where is my order 1002")
            assert await channel.until(lambda: channel.sounding_ms > 300, PATIENCE_S), "nothing to talk over"
            channel.cleared_s = None
            await say(channel, "show me my account")
            assert await channel.until(lambda: channel.cleared_s is not None, PATIENCE_S), "not silenced"
            assert channel.cleared_s is not None
            taken.append((channel.cleared_s - watched.started_s) * 1000)
            assert await channel.answered(PATIENCE_S)
    return taken


async def say(channel: WavChannel, sentence: str) -> None:
    channel.speak(await asyncio.to_thread(Synthesiser().speak, sentence))


@asynccontextmanager
async def a_desk(backend: "EngineBackend | Watched") -> AsyncIterator[Desk]:
    """A desk with the demo shop in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        none = Path(folder) / "none"
        settings = load_settings({"data_dir": folder, "silence_ms": SILENCE_MS}, {}, none, none)
        async with open_desk(settings, backends=(backend,)) as desk:
            yield desk
    await backend.aclose()


class TimedChannel(WavChannel):
    """Knows to the microsecond when it was silenced, and how long it has been sounding."""

    def __init__(self) -> None:
        super().__init__()
        self.cleared_s: float | None = None
        self.sounding_ms = 0

    def advance(self, line: Line) -> None:
        self.sounding_ms = 0 if self.speaker.silent else self.sounding_ms + FRAME_MS
        super().advance(line)

    async def clear_playback(self) -> None:
        await super().clear_playback()
        self.cleared_s = self.cleared_s or time.perf_counter()


class Watched:
    """A backend that notes when its sessions last said that the customer began to speak."""

    def __init__(self, backend: EngineBackend) -> None:
        self._backend = backend
        self.name, self.answers, self.transcribes = backend.name, backend.answers, backend.transcribes
        self.started_s = 0.0
        self.aclose = backend.aclose

    async def connect(self) -> Connection:
        return WatchedConnection(await self._backend.connect(), self)


class WatchedConnection:
    """Hands every event on, and notes the beginning of speech."""

    def __init__(self, connection: Connection, backend: Watched) -> None:
        self._connection = connection
        self._backend = backend
        self.send, self.close = connection.send, connection.close

    async def receive(self) -> ServerEvent | UnknownEvent:
        event = await self._connection.receive()
        if isinstance(event, SpeechStarted):
            self._backend.started_s = time.perf_counter()
        return event
