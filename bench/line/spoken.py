"""Spoken calls with `helpline engine` as a process of its own: what a caller waits for, what it costs.

The customers speak in the synthesiser's voice, at the pace of time or a multiple of it, answer the tools that
they are asked for, and let each reply play to its end.
"""

import asyncio
import base64
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from helpline.engine.voice import Synthesiser

FRAME_MS = 40
BYTES_PER_MS = 48
PATIENCE_S = 60.0
SENTENCES = (
    "where is my order 1004",
    "do you have running shoes",
    "hello",
    "where is my order 1002",
    "thank you",
)
SAYS = {"say": "Order 1004 is on its way, and it should arrive on Tuesday."}


def _tool(name: str, description: str, argument: str) -> dict[str, Any]:
    properties = {argument: {"type": "string", "description": f"The {argument.replace('_', ' ')}."}}
    parameters = {"type": "object", "properties": properties, "required": [argument]}
    return {"type": "function", "name": name, "description": description, "parameters": parameters}


TOOLS = [
    _tool("check_order_status", "Where an order is.", "order_id"),
    _tool("get_product_info", "Price and stock of a product.", "query"),
]


@dataclass(frozen=True)
class Turn:
    """What one sentence's caller waited for, in ms."""

    first_audio: float
    """From the end of the sentence to the first sound of the answer."""
    compute: float
    """From the end of the silence window to it."""


@dataclass
class EngineProcess:
    """A running `helpline engine`."""

    process: asyncio.subprocess.Process
    url: str
    started_s: float

    def tree(self) -> list[int]:
        """Its processes: itself and those that listen."""
        found = [self.process.pid]
        for pid in found:
            for listed in Path(f"/proc/{pid}/task").glob("*/children"):
                found += map(int, listed.read_text().split())
        return found

    def cpu_s(self) -> float:
        """CPU that it used so far."""
        ticks = [
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13] for pid in self.tree()
        ]
        return sum(int(user) + int(system) for user, system in ticks) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Its memory, what its processes share counted once."""
        rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.tree()]
        shares = [
            line.split()[1] for rollup in rollups for line in rollup.splitlines() if line.startswith("Pss:")
        ]
        return sum(map(int, shares)) / 1024


@asynccontextmanager
async def an_engine(core: int | None = None) -> AsyncIterator[EngineProcess]:
    """`helpline engine` in a folder of its own; with a core, on that one alone."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(Path(sys.executable).with_name("helpline")), "engine", "--port", "0"]
        pinned = [] if core is None else [sys.executable, "-c", _PIN, str(core)]
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *pinned, *command, cwd=folder, env={**os.environ, "HELPLINE_DATA_DIR": folder},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            said = (await process.stdout.readline()).decode()
            assert "ws://" in said, "helpline engine did not start"
            yield EngineProcess(process, said.split()[-1], time.perf_counter() - began)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


_PIN = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); os.execv(sys.argv[2], sys.argv[2:])"


def sounds(voice: str = "en-us") -> list[bytes]:
    """The sentences as pcm24k, without the silence at their ends."""
    return [_trimmed(Synthesiser(voice).speak(sentence)) for sentence in SENTENCES]


def _trimmed(pcm24k: bytes) -> bytes:
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm24k, dtype="<i2").astype(int)) > 300)
    return pcm24k[: (int(loud[-1]) + 1) * 2]


@dataclass
class _Mic:
    """Sends speech, else silence, frame by frame, until it is cancelled."""

    socket: ClientConnection
    speed: float
    sent_s: list[float] = field(default_factory=list)
    """When each frame was sent."""
    speech: bytearray = field(default_factory=bytearray)
    spoken: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        size = FRAME_MS * BYTES_PER_MS
        began = time.perf_counter()
        while True:
            frame, self.speech = bytes(self.speech[:size]), self.speech[size:]
            audio = base64.b64encode(frame.ljust(size, b"\0")).decode()
            self.sent_s.append(time.perf_counter())
            await self.socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
            if frame and not self.speech:
                self.spoken.set()
            due = began + len(self.sent_s) * FRAME_MS / 1000 / self.speed
            await asyncio.sleep(max(due - time.perf_counter(), 0))

    async def say(self, pcm24k: bytes) -> None:
        """Until the last of it is sent."""
        self.spoken.clear()
        self.speech += pcm24k
        await self.spoken.wait()


@dataclass
class _Answer:
    """What came back for one sentence."""

    first_s: float = 0.0
    stopped_ms: int = 0
    sound_ms: int = 0
    over: bool = False


async def hold_call(url: str, sentences: Sequence[bytes], for_s: float, speed: float = 1.0) -> list[Turn]:
    """One call of `for_s` seconds of sound; raises TimeoutError when a sentence is not answered."""
    turns: list[Turn] = []
    async with connect(url, max_size=None) as socket:
        audio = {"input": {"transcription": {"model": "gpt-transcribe"}}}
        session = {"type": "realtime", "tools": TOOLS, "audio": audio}
        await socket.send(json.dumps({"type": "session.update", "session": session}))
        mic = _Mic(socket, speed)
        speaking = asyncio.create_task(mic.run())
        try:
            await asyncio.sleep(0.4 / speed)  # nobody speaks in the instant in which the line opens
            number = 0
            while len(mic.sent_s) * FRAME_MS < for_s * 1000:
                turns.append(await _turn(socket, mic, sentences[number % len(sentences)]))
                number += 1
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
    return turns


async def _turn(socket: ClientConnection, mic: _Mic, pcm24k: bytes) -> Turn:
    answer = _Answer()
    hearing = asyncio.create_task(_hear(socket, answer))
    try:
        await mic.say(pcm24k)
        end_s = mic.sent_s[-1]
        await asyncio.wait_for(hearing, PATIENCE_S)
    finally:
        hearing.cancel()
    window_s = mic.sent_s[min(answer.stopped_ms // FRAME_MS, len(mic.sent_s) - 1)]
    await asyncio.sleep((answer.sound_ms + 300) / 1000 / mic.speed)
    return Turn((answer.first_s - end_s) * 1000, (answer.first_s - window_s) * 1000)


async def _hear(socket: ClientConnection, answer: _Answer) -> None:
    while not answer.over:
        event = json.loads(await socket.recv())
        match event["type"]:
            case "error":
                raise AssertionError(event["error"]["message"])
            case "input_audio_buffer.speech_started":
                answer.first_s, answer.sound_ms = 0.0, 0
            case "input_audio_buffer.speech_stopped":
                answer.stopped_ms = event["audio_end_ms"]
            case "response.output_audio.delta":
                answer.first_s = answer.first_s or time.perf_counter()
                answer.sound_ms += len(event["delta"]) * 3 // 4 // BYTES_PER_MS
            case "response.done":
                await _on_done(socket, event["response"], answer)


async def _on_done(socket: ClientConnection, response: dict[str, Any], answer: _Answer) -> None:
    calls = [item for item in response["output"] if item["type"] == "function_call"]
    for call in calls:
        output = {"type": "function_call_output", "call_id": call["call_id"], "output": json.dumps(SAYS)}
        await socket.send(json.dumps({"type": "conversation.item.create", "item": output}))
    if calls:
        await socket.send(json.dumps({"type": "response.create"}))
    answer.over = not calls and response["status"] == "completed"
