"""A desk and its page in a process of its own, over a scripted backend in memory.

Every call gets the same: the customer asks, and the reply is sound of 40 ms every 40 ms, with five words a
second, for as long as the call lives, while the microphone goes on. Each piece begins with a stamp of the
time, both ways, so that its age, its order and its loss can be told. A typed line is answered by a sentence
that holds the time.

    python -m bench.line.page CORE FOLDER   prints its port; a line on its standard input is answered by what
                                            it has seen since; ends with its standard input
"""

import asyncio
import base64
import contextlib
import gc
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import uvicorn

from bench.line.stamp import age_ms, stamp
from helpline.channels.web.app import create_app, server_config
from helpline.collector import spare_calls_the_collector
from helpline.desk import open_desk
from helpline.errors import ConnectionLost
from helpline.realtime.connection import Connection, Frames, memory_pair
from helpline.settings import load_settings

PIECE_S = 0.04
AHEAD = 8
"""Pieces that a reply begins with at once: a model is faster than speech, and a page needs some in hand."""
NOISE = random.Random(6).randbytes(1920)


class Seen:
    """What the scripted backend has seen of all its calls."""

    def __init__(self) -> None:
        self.up_ms: list[float] = []
        self.arrived = 0
        self.unordered = 0
        self.sent = 0


class Script:
    """The server's end of one call."""

    def __init__(self, frames: Frames, seen: Seen) -> None:
        self._frames = frames
        self._seen = seen
        self._born = float("-inf")
        self._replies = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        with contextlib.suppress(ConnectionLost):
            await self._send("session.created", session={"type": "realtime", "id": "sess_1"})
            while True:
                await self._take(json.loads(await self._frames.recv()))
        for task in self._tasks:
            task.cancel()

    async def _take(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "session.update":
                await self._send("session.updated", session={"type": "realtime", "id": "sess_1"})
            case "input_audio_buffer.append":
                await self._heard(base64.b64decode(event["audio"]))
            case "response.create":
                self._replies += 1
                typed = (event.get("response") or {}).get("output_modalities") == ["text"]
                self._soon(self._write() if typed else self._speak())

    async def _heard(self, pcm24k: bytes) -> None:
        self._seen.arrived += len(pcm24k)
        age = age_ms(pcm24k)
        if age is None:
            return
        self._seen.up_ms.append(age)
        born = time.monotonic() * 1000 - age
        self._seen.unordered += born < self._born
        if self._born == float("-inf"):
            self._soon(self._ask())
        self._born = born

    async def _ask(self) -> None:
        item = "utterance"
        await self._send("input_audio_buffer.speech_started", item_id=item, audio_start_ms=0)
        await self._send("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=700)
        await self._send("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        name = "conversation.item.input_audio_transcription.completed"
        await self._send(name, item_id=item, content_index=0, transcript="tell me all that you have please")

    async def _speak(self) -> None:
        at = await self._begin()
        await self._send("response.output_audio_transcript.delta", **at, delta="We have a great deal to tell")
        event = {"type": "response.output_audio.delta", "event_id": "event_1", **at}
        head = json.dumps(event).encode()[:-1] + b', "delta": "'
        began, n = time.monotonic(), 0
        with contextlib.suppress(ConnectionLost):
            while True:
                mark = stamp()
                await self._frames.send(head + base64.b64encode(mark + NOISE[len(mark) :]) + b'"}')
                self._seen.sent += 1
                n += 1
                if n % 5 == 0:  # Sound is heard no further than its words are known.
                    await self._send("response.output_audio_transcript.delta", **at, delta=" more")
                await asyncio.sleep(max(0.0, began + (n - AHEAD) * PIECE_S - time.monotonic()))

    async def _write(self) -> None:
        at = await self._begin()
        text = f"It was said at {int(time.time() * 1000)} by the clock."
        await self._send("response.output_text.delta", **at, delta=text)
        await self._send("response.output_text.done", **at, text=text)
        response = {"id": at["response_id"], "status": "completed", "output": []}
        await self._send("response.done", response=response)

    async def _begin(self) -> dict[str, Any]:
        response, item = f"r{self._replies}", f"a{self._replies}"
        await self._send("response.created", response={"id": response, "conversation_id": "conv_1"})
        message = {"id": item, "type": "message", "role": "assistant", "content": []}
        await self._send("response.output_item.added", response_id=response, output_index=0, item=message)
        return {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}

    async def _send(self, kind: str, **fields: Any) -> None:
        await self._frames.send(json.dumps({"type": kind, "event_id": "event_1", **fields}).encode())

    def _soon(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class ScriptedBackend:
    """Opens calls over the script."""

    name = "realtime"
    answers = "Answered by a script of the bench."
    transcribes = True

    def __init__(self) -> None:
        self.seen = Seen()
        self._calls: set[asyncio.Task[None]] = set()

    async def connect(self) -> Connection:
        connection, frames = memory_pair()
        call = asyncio.create_task(Script(frames, self.seen).run())
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)
        return connection


def resident_mb() -> float:
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def main(core: int, folder: str) -> None:
    os.sched_setaffinity(0, {core})
    backend = ScriptedBackend()
    settings = load_settings(
        {"data_dir": Path(folder), "port": 0, "log_level": "ERROR"},
        env={}, env_file=Path(folder) / "no.env", desk_file=Path(folder) / "no.toml",
    )  # fmt: skip
    app = create_app(settings, lambda given: open_desk(given, backends=[backend]))
    server = uvicorn.Server(server_config(app, host="127.0.0.1", port=0))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    spare_calls_the_collector()  # As `helpline run` does when it is ready.
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        seen = backend.seen
        found = {"up_ms": seen.up_ms, "arrived": seen.arrived, "unordered": seen.unordered, "sent": seen.sent}
        found |= {"mb": resident_mb(), "visits": len(app.state.visits), "cpu_s": time.process_time()}
        print(json.dumps(found), flush=True)
        seen.up_ms = []
    server.should_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
