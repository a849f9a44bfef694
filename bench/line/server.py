"""A mock of a realtime service in a process of its own: the same scripted call on every connection, for ever.

One cycle of twelve seconds: the customer asks, the model calls a tool, answers in eight seconds of sound at
four times real time, is interrupted three seconds into it, and answers shortly. `?auto=1` answers without
being asked, for clients that leave turn-taking to the vendor. Calls are spread over the cycle, as callers
are. Frames are made once; the time is stamped into the first sound of a reply (its first eight samples) and
into the name of an utterance, so that a client can say how old it is.

    python -m bench.line.server CORE    prints its port; ends with its standard input, and prints what it saw
"""

import asyncio
import base64
import json
import os
import random
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from bench.line.lean import Line, framed
from bench.line.stamp import SIZE, age_ms, stamp

CYCLE_S = 12.0
DELTA_MS = 200
PACE_S = DELTA_MS / 1000 / 4
STAMPED = 4
"""Sound that a client may play at once, not paced."""
SPREAD = 0.618034
"""Of a cycle, from one call's beginning to the next one's: however many there are, they are spread evenly."""
USAGE = {
    "total_tokens": 300,
    "input_tokens": 200,
    "output_tokens": 100,
    "input_token_details": {"text_tokens": 100, "audio_tokens": 100, "cached_tokens": 0},
    "output_token_details": {"text_tokens": 20, "audio_tokens": 80},
}
WORDS = (
    "Your order ", "left our ", "house on ", "Monday. ", "It should ", "be with ", "you by ", "tomorrow ",
    "evening, ", "at the ", "address ", "that we ", "have. ",
)  # fmt: skip
VOICE = base64.b64encode(random.Random(4).randbytes(DELTA_MS * 48)).decode()
"""As loud as can be."""


def frame(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, "event_id": "event_0123456789", **fields})


class Seen:
    """What the server saw of all its clients."""

    def __init__(self) -> None:
        self.up_ms: list[float] = []
        self.frames = 0
        self.cycles = 0
        self.two_at_once = 0
        self.calls = 0


_AUDIO = re.compile(rb'"audio": ?"')


class Session:
    """One connection."""

    def __init__(self, line: Line, seen: Seen, *, auto: bool) -> None:
        self._line = line
        self._seen = seen
        self._auto = auto
        self._asked = asyncio.Event()
        self._answered = asyncio.Event()
        self._ready = asyncio.Event()
        self._n = 0
        self._begins_s = seen.calls * SPREAD % 1 * CYCLE_S
        seen.calls += 1
        line.came = self._take
        self._send(frame("session.created", session={"type": "realtime", "id": "sess_1"}))
        self._task = asyncio.create_task(self._cycles())
        line.ended = self._task.cancel

    def _take(self, head: bytes, whole: Callable[[], bytes]) -> None:
        self._seen.frames += 1
        if found := _AUDIO.search(head):
            age = age_ms(base64.b64decode(head[found.end() : found.end() + SIZE * 4 // 3]))
            if age is not None:
                self._seen.up_ms.append(age)
        elif b'"session.update"' in head:
            self._ready.set()
        elif b'"response.create"' in head:
            if self._asked.is_set():
                self._seen.two_at_once += 1
            self._asked.set()
        elif b"function_call_output" in whole():
            self._answered.set()

    def _send(self, text: str) -> None:
        self._line.send(framed(text))

    async def _cycles(self) -> None:
        await self._ready.wait()
        self._send(frame("session.updated", session={"type": "realtime", "id": "sess_1"}))
        await asyncio.sleep(self._begins_s)
        while True:
            began = time.monotonic()
            await self._cycle()
            self._seen.cycles += 1
            await asyncio.sleep(max(0, began + CYCLE_S - time.monotonic()))

    async def _cycle(self) -> None:
        self._n += 1
        await self._speech(f"u{self._n}a", 1.0, "where is my order please")
        await self._wait_asked()
        self._tool(f"r{self._n}a", f"c{self._n}")
        await self._answered.wait()
        self._answered.clear()
        await self._wait_asked(again=True)
        began = time.monotonic()
        await self._reply(f"r{self._n}b", f"a{self._n}b", 8000)
        await asyncio.sleep(max(0, began + 3.0 - time.monotonic()))
        await self._speech(f"u{self._n}b", 0.8, "wait I meant the other one", words_after_s=0.5)
        await self._wait_asked()
        await self._reply(f"r{self._n}c", f"a{self._n}c", 3000)

    async def _wait_asked(self, *, again: bool = False) -> None:
        if not self._auto or again:
            await self._asked.wait()
        self._asked.clear()

    async def _speech(self, item: str, s: float, text: str, words_after_s: float = 0.0) -> None:
        item = f"{item}.{time.monotonic_ns()}"
        self._send(frame("input_audio_buffer.speech_started", item_id=item, audio_start_ms=0))
        await asyncio.sleep(words_after_s or s / 2)
        name = "conversation.item.input_audio_transcription"
        self._send(frame(f"{name}.delta", item_id=item, content_index=0, delta=text[:11]))
        await asyncio.sleep(s - (words_after_s or s / 2))
        self._send(frame("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=int(s * 1000) + 800))
        self._send(frame("input_audio_buffer.committed", item_id=item, previous_item_id=None))
        added = {"id": item, "type": "message", "role": "user", "content": [], "status": "completed"}
        self._send(frame("conversation.item.added", item=added, previous_item_id=None))
        self._send(
            frame(
                f"{name}.completed",
                item_id=item,
                content_index=0,
                transcript=text,
                usage={"type": "duration", "seconds": s},
            )
        )

    def _response(self, response: str, status: str, **more: Any) -> dict[str, Any]:
        body = {"id": response, "object": "realtime.response", "conversation_id": "conv_1", "output": []}
        return {**body, "status": status, "status_details": None, **more}

    def _tool(self, response: str, call: str) -> None:
        item = {"id": f"i{call}", "type": "function_call", "call_id": call, "name": "look", "arguments": ""}
        at = {"response_id": response, "output_index": 0}
        self._send(frame("response.created", response=self._response(response, "in_progress")))
        self._send(frame("response.output_item.added", **at, item={**item, "status": "in_progress"}))
        self._send(
            frame(
                "response.function_call_arguments.done",
                **at,
                item_id=item["id"],
                call_id=call,
                name="look",
                arguments="{}",
            )
        )
        done = {**item, "arguments": "{}", "status": "completed"}
        self._send(frame("response.output_item.done", **at, item=done))
        self._send(
            frame("response.done", response=self._response(response, "completed", usage=USAGE, output=[done]))
        )

    async def _reply(self, response: str, item: str, ms: int) -> None:
        at = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        message = {"id": item, "type": "message", "role": "assistant", "content": [], "status": "in_progress"}
        self._send(frame("response.created", response=self._response(response, "in_progress")))
        self._send(frame("response.output_item.added", response_id=response, output_index=0, item=message))
        self._send(frame("response.output_audio_transcript.delta", **at, delta=WORDS[0] + WORDS[1]))
        head = frame("response.output_audio.delta", **at, delta="")[:-2]
        more = framed(f'{head}{VOICE}"}}')
        for n in range(ms // DELTA_MS):
            if n < STAMPED:
                self._send(f'{head}{base64.b64encode(stamp()).decode()}{VOICE[SIZE * 4 // 3 :]}"}}')
            else:
                self._line.send(more)
            word = WORDS[(n + 2) % len(WORDS)]
            self._send(frame("response.output_audio_transcript.delta", **at, delta=word))
            await asyncio.sleep(PACE_S)
        self._send(frame("response.output_audio.done", **at))
        text = "".join(WORDS[n % len(WORDS)] for n in range(ms // DELTA_MS + 2))
        self._send(frame("response.output_audio_transcript.done", **at, transcript=text))
        done = {**message, "status": "completed"}
        done["content"] = [{"type": "output_audio", "transcript": text}]
        self._send(frame("response.output_item.done", response_id=response, output_index=0, item=done))
        self._send(
            frame("response.done", response=self._response(response, "completed", usage=USAGE, output=[done]))
        )


async def main(core: int) -> None:
    os.sched_setaffinity(0, {core})
    seen = Seen()

    sessions: list[Session] = []

    def begin(line: Line, path: str) -> None:
        sessions.append(Session(line, seen, auto="auto=1" in path))

    async with await asyncio.get_running_loop().create_server(lambda: Line(begin), "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        for line in iter(lambda: None, 1):
            del line
            command = await asyncio.to_thread(sys.stdin.readline)
            if not command:
                return
            print(
                json.dumps(
                    {
                        "up_ms": seen.up_ms,
                        "frames": seen.frames,
                        "cycles": seen.cycles,
                        "two_at_once": seen.two_at_once,
                        "cpu_s": time.process_time(),
                    }
                ),
                flush=True,
            )
            seen.up_ms, seen.calls = [], 0
            sessions.clear()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
