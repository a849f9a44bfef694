"""N scripted calls in one process, by one of four kinds of client; what they cost is printed as JSON.

    python -m bench.line.client KIND CALLS SECONDS URL CORE

`helpline` is the desk's driver with its conversation, playout, transcript and cost meter; `floor` a bare loop
of `websockets` and msgspec; `openai` the SDK's loop; `agents` openai-agents' session. All play into nothing,
answer the same tool and are fed by the same microphone: 40 ms of a quiet room every 40 ms. A latency is that
of one piece of sound, from its stamp at one end to its arrival at the other.
"""

import asyncio
import base64
import contextlib
import gc
import json
import os
import random
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from bench.line.server import CYCLE_S
from bench.line.stamp import SIZE, age_ms, stamp
from helpline.collector import spare_calls_the_collector

_noise = random.Random(4)
CHUNK = b"".join(struct.pack("<h", _noise.randint(-20, 20)) for _ in range(960))
"""A customer who listens in a quiet room: no digital silence."""
STAMPED_EVERY = 25
"""One frame a second says when it was heard; the others are the silence of a customer who listens."""
SLOTS = 8
"""The microphones speak in turns of 5 ms."""


class Line(Protocol):
    """One call under way."""

    async def open(self) -> None: ...

    async def hear(self, pcm24k: bytes) -> None: ...

    async def close(self) -> None: ...


Make = Callable[[], Line]
"""Makes a call; its classes are made once, not once a call."""


class Times:
    """What was measured, in ms."""

    def __init__(self) -> None:
        self.down_ms: list[float] = []
        self.barge_in_ms: list[float] = []
        """From the server's word that somebody speaks to silence, where there was something to silence."""
        self.played = 0

    def heard(self, pcm: bytes) -> None:
        self.played += len(pcm)
        age = age_ms(pcm)
        if age is not None:
            self.down_ms.append(age)


def helpline_line(url: str, times: Times) -> Make:
    from helpline.actions import ToolResult
    from helpline.call import effects as fx
    from helpline.call.driver import Driver
    from helpline.call.meter import Meter
    from helpline.realtime.backends import UrlBackend
    from helpline.realtime.cost import prices
    from helpline.realtime.events import ServerVad, SessionSettings, Transcription
    from helpline.settings_text import Secret

    class Host:
        def __init__(self) -> None:
            self.meter = Meter(prices(), lambda backend, kind: "gpt-realtime-2.1")
            self.driver = Driver(self, [UrlBackend(url, Secret(), "m")])

        async def play(self, track: str, pcm24k: bytes) -> None:
            times.heard(pcm24k)

        async def clear_playback(self) -> None:
            for utterance in self.driver.conversation.utterances:
                if utterance.cuts == "perhaps":  # it has just begun
                    began_ns = int(utterance.item_id.rpartition(".")[2])
                    times.barge_in_ms.append((time.monotonic_ns() - began_ns) / 1e6)

        async def show(self, shown: Any) -> None: ...

        async def run_tool(self, tool: Any) -> ToolResult:
            return ToolResult("It is on its way.")

        async def settle(self, settle: Any) -> Any:
            raise AssertionError("nothing is proposed")

        async def pronounce(self, ways: Any) -> tuple[str, bytes]:
            return "", b""

        def record(self, fact: Any) -> None:
            if isinstance(fact, fx.UsageCounted):
                self.meter.charge(fact)

        def session(self, backend: Any) -> SessionSettings:
            return SessionSettings(
                instructions="Be brief.", turn_detection=ServerVad(), transcription=Transcription()
            )

    class Helpline:
        def __init__(self) -> None:
            self.driver = Host().driver

        async def open(self) -> None:
            self.task = asyncio.create_task(self.driver.run())
            self.driver.post(fx.VoiceStarted())
            await self.driver.until(lambda c: c.may_listen)

        async def hear(self, pcm24k: bytes) -> None:
            self.driver.hear(pcm24k)

        async def close(self) -> None:
            self.driver.post(fx.HungUp("enough"))
            await self.task

    return Helpline


def floor_line(url: str, times: Times) -> Make:
    import msgspec
    from websockets.asyncio.client import connect

    from helpline.realtime import wire
    from helpline.realtime.events import ArgumentsDone, InputAppend, OutputAudioDelta, TranscriptionCompleted

    encode = msgspec.json.Encoder().encode
    update = '{"type":"session.update","session":{"type":"realtime"}}'
    item = '{"type":"function_call_output","call_id":"%s","output":"{}"}'
    output = f'{{"type":"conversation.item.create","item":{item}}}'
    create = '{"type":"response.create"}'

    class Floor:
        async def open(self) -> None:
            self.socket = await connect(url, compression=None, ping_interval=None)
            await self.socket.send(update)
            self.task = asyncio.create_task(self._read())

        async def _read(self) -> None:
            while True:
                event = wire.decode(await self.socket.recv(decode=False))
                if isinstance(event, OutputAudioDelta):
                    times.heard(event.delta)
                elif isinstance(event, ArgumentsDone):
                    await self.socket.send(output % event.call_id)
                    await self.socket.send(create)
                elif isinstance(event, TranscriptionCompleted):
                    await self.socket.send(create)

        async def hear(self, pcm24k: bytes) -> None:
            await self.socket.send(encode(InputAppend(audio=pcm24k)), text=True)

        async def close(self) -> None:
            await ended(self.task)
            await self.socket.close()

    return Floor


def openai_line(url: str, times: Times) -> Make:
    from openai import AsyncOpenAI

    class Sdk:
        async def open(self) -> None:
            client = AsyncOpenAI(api_key="none", websocket_base_url=url.rsplit("/", 1)[0])
            self.manager = client.realtime.connect(model="m")
            self.connection = await self.manager.enter()
            await self.connection.session.update(session={"type": "realtime"})
            self.task = asyncio.create_task(self._read())

        async def _read(self) -> None:
            async for event in self.connection:
                if event.type == "response.output_audio.delta":
                    times.heard(base64.b64decode(event.delta))
                elif event.type == "response.function_call_arguments.done":
                    item: Any = {"type": "function_call_output", "call_id": event.call_id, "output": "{}"}
                    await self.connection.conversation.item.create(item=item)
                    await self.connection.response.create()
                elif event.type == "conversation.item.input_audio_transcription.completed":
                    await self.connection.response.create()

        async def hear(self, pcm24k: bytes) -> None:
            await self.connection.input_audio_buffer.append(audio=base64.b64encode(pcm24k).decode())

        async def close(self) -> None:
            await ended(self.task)
            await self.connection.close()

    return Sdk


def agents_line(url: str, times: Times) -> Make:
    from agents import function_tool, set_tracing_disabled
    from agents.realtime import RealtimeAgent, RealtimeRunner

    set_tracing_disabled(True)

    @function_tool
    def look() -> str:
        """Look."""
        return "{}"

    class Agents:
        async def open(self) -> None:
            runner = RealtimeRunner(RealtimeAgent(name="desk", instructions="Be brief.", tools=[look]))
            self.session = await runner.run(model_config={"api_key": "none", "url": f"{url}&auto=1"})
            await self.session.enter()
            self.task = asyncio.create_task(self._read())

        async def _read(self) -> None:
            async for event in self.session:
                if event.type == "audio":
                    times.heard(event.audio.data)

        async def hear(self, pcm24k: bytes) -> None:
            await self.session.send_audio(pcm24k)

        async def close(self) -> None:
            await ended(self.task)
            await self.session.close()

    return Agents


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


KINDS: dict[str, Callable[[str, Times], Make]] = {
    "helpline": helpline_line,
    "floor": floor_line,
    "openai": openai_line,
    "agents": agents_line,
}


async def microphones(lines: list[Line], stop: asyncio.Event) -> None:
    """Feed every call, an eighth of them every 5 ms; a turn that is late is made up for."""
    began = time.monotonic()
    turn = 0
    while not stop.is_set():
        chunk = CHUNK
        if turn // SLOTS % STAMPED_EVERY == 0:
            chunk = stamp() + CHUNK[SIZE:]
        for line in lines[turn % SLOTS :: SLOTS]:
            await line.hear(chunk)
        turn += 1
        await asyncio.sleep(max(0.0, began + turn * 0.04 / SLOTS - time.monotonic()))


def rss_mb() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def each(lines: list[Line], what: Callable[[Line], Awaitable[None]]) -> None:
    for start in range(0, len(lines), 20):
        await asyncio.gather(*(what(line) for line in lines[start : start + 20]))


async def main(kind: str, calls: int, seconds: float, url: str) -> dict[str, Any]:
    times = Times()
    make = KINDS[kind](url, times)
    first = make()  # its imports are no part of a call
    await first.open()
    spare_calls_the_collector()  # as `helpline run` does, for every kind
    before_mb = rss_mb()
    lines = [first, *(make() for _ in range(calls - 1))]
    await each(lines[1:], lambda line: line.open())
    open_mb = (rss_mb() - before_mb) / max(1, calls - 1)
    stop = asyncio.Event()
    feeding = asyncio.create_task(microphones(lines, stop))
    await asyncio.sleep(CYCLE_S + 1)  # every call has begun
    times.down_ms.clear()
    times.barge_in_ms.clear()
    times.played = 0
    cpu, wall = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    gc.collect()
    found = {
        "kind": kind,
        "calls": calls,
        "cpu_ms_per_call_s": cpu / wall / calls * 1000,
        "core": cpu / wall,
        "down_ms": list(times.down_ms),  # what a hang-up silences is no barge-in
        "barge_in_ms": list(times.barge_in_ms),
        "played_s": times.played / 48_000,
        "mb_open": open_mb,
        "mb_per_call": (rss_mb() - before_mb) / max(1, calls - 1),
    }
    stop.set()
    await feeding
    await each(lines, lambda line: line.close())
    return found


if __name__ == "__main__":
    kind, calls, seconds, url, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    print(json.dumps(asyncio.run(main(kind, int(calls), float(seconds), url))))
