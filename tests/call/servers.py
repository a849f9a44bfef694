"""Backends with a script: each connection is answered by a coroutine of the test's own, over real frames."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

from helpline.errors import BackendError, ConnectionLost
from helpline.realtime.backends import UrlBackend
from helpline.realtime.connection import Connection, Frames, memory_pair
from helpline.realtime.dialects import GA, Dialect
from helpline.realtime.websocket import WebSocketFrames
from helpline.settings_text import Secret

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """The server's end of one connection: expect this, then send that."""

    def __init__(self, frames: Frames, abort: Callable[[], None] | None = None) -> None:
        self.frames = frames
        self._abort = abort
        self.seen: list[dict[str, Any]] = []
        self.audio_bytes = 0

    async def send(self, kind: str, **fields: Any) -> None:
        await self.frames.send(json.dumps({"type": kind, "event_id": "event_x", **fields}).encode())

    async def expect(self, kind: str) -> dict[str, Any]:
        """Read until an event of this type comes; everything read is kept in `seen`."""
        while True:
            event = json.loads(await self.frames.recv())
            self.seen.append(event)
            if event["type"] == "input_audio_buffer.append":
                self.audio_bytes += len(event["audio"]) * 3 // 4
            if event["type"] == kind:
                return dict(event)

    async def cut(self, code: int) -> None:
        """Break the line: with a close code, or without a word (1006)."""
        if code == 1006 and self._abort is not None:
            self._abort()
        else:
            await self.frames.close(code)

    async def greet(self) -> dict[str, Any]:
        await self.send("session.created", session={"type": "realtime", "id": "sess_1"})
        asked = await self.expect("session.update")
        await self.send("session.updated", session={"type": "realtime", "id": "sess_1"})
        return asked

    async def say(self, response: str, item: str, text: str, ms: int, *, chunk_ms: int = 200) -> None:
        """One whole spoken response."""
        await self.begin(response, item, text, ms, chunk_ms=chunk_ms)
        at = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        await self.send("response.output_audio.done", **at)
        await self.send("response.output_audio_transcript.done", **at, transcript=text)
        await self.send("response.done", response={"id": response, "status": "completed", "output": []})

    async def begin(self, response: str, item: str, text: str, ms: int, *, chunk_ms: int = 200) -> None:
        """A spoken response up to its last sound, not to its end."""
        at = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        await self.send("response.created", response={"id": response, "conversation_id": "conv"})
        await self.send(
            "response.output_item.added",
            response_id=response,
            output_index=0,
            item={"id": item, "type": "message", "role": "assistant", "content": []},
        )
        await self.send("response.output_audio_transcript.delta", **at, delta=text)
        for start in range(0, ms, chunk_ms):
            pcm = b"\x00\x01" * (24 * min(chunk_ms, ms - start))
            await self.send("response.output_audio.delta", **at, delta=base64.b64encode(pcm).decode())

    async def hear(self, item: str, text: str, *, ms: int = 1000) -> None:
        """One whole utterance of the customer, transcribed."""
        await self.send("input_audio_buffer.speech_started", item_id=item, audio_start_ms=0)
        await self.send("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=ms + 800)
        await self.send("input_audio_buffer.committed", item_id=item)
        await self.send(
            "conversation.item.input_audio_transcription.completed",
            item_id=item,
            content_index=0,
            transcript=text,
        )

    async def call_tool(self, response: str, call_id: str, name: str, arguments: str = "{}") -> None:
        await self.send("response.created", response={"id": response, "conversation_id": "conv"})
        item = {"id": f"item_{call_id}", "type": "function_call", "call_id": call_id, "name": name}
        at = {"response_id": response, "output_index": 0}
        await self.send("response.output_item.added", **at, item={**item, "arguments": ""})
        await self.send(
            "response.function_call_arguments.done",
            **at,
            item_id=item["id"],
            call_id=call_id,
            name=name,
            arguments=arguments,
        )
        await self.send("response.output_item.done", **at, item={**item, "arguments": arguments})
        await self.send("response.done", response={"id": response, "status": "completed", "output": []})


class ScriptedBackend:
    """Gives each connection the next script; past the last one it refuses."""

    def __init__(
        self,
        *scripts: Script | BackendError,
        name: str = "scripted",
        transcribes: bool = True,
        dialect: Dialect = GA,
    ) -> None:
        self._dialect = dialect
        self.name = name
        self.answers = "A scripted server answers."
        self.transcribes = transcribes
        self.peers: list[Peer] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._scripts = list(scripts)

    async def connect(self) -> Connection:
        if not self._scripts:
            raise BackendError("The scripted server has no more scripts.", retry=False)
        script = self._scripts.pop(0)
        if isinstance(script, BackendError):
            raise script
        connection, frames = memory_pair(self._dialect)
        peer = Peer(frames)
        self.peers.append(peer)
        self.tasks.append(asyncio.create_task(self._play(script, peer)))
        return connection

    async def _play(self, script: Script, peer: Peer) -> None:
        with contextlib.suppress(ConnectionLost):  # the client hung up
            await script(peer)


@contextlib.asynccontextmanager
async def on_a_socket(*scripts: Script) -> AsyncIterator[UrlBackend]:
    """A backend whose connections go over a real socket on this machine, each answered by the next script."""
    waiting = list(scripts)

    async def answer(socket: ServerConnection) -> None:
        script = waiting.pop(0)
        with contextlib.suppress(ConnectionLost):  # the client hung up
            await script(Peer(WebSocketFrames(socket), socket.transport.abort))

    async with serve(answer, "127.0.0.1", 0, compression=None, close_timeout=1) as server:
        port = server.sockets[0].getsockname()[1]
        yield UrlBackend(f"ws://127.0.0.1:{port}/v1/realtime", Secret(), "scripted")
