"""The sound of a page's socket, taken past engine.io, socket.io and Chainlit.

Those spend three tasks, two time limits and a validated model on each 40 ms of sound; with 50 calls that was
more than a core. This ASGI wrapper stands before them at the same socket, behind the same door: what it takes
out is the two frames of an `audio_chunk` and the page's reports of what it has played, and only once Chainlit
has let the page in. Everything else passes; so do reports that are written otherwise than our page's.

- Upward a piece is heard as soon as its frames are in. Its place among the page's events is kept: a frame is
  read when what came before it has begun to be handled.
- Downward a task of the socket's own writes sound and the word to drop it, in order. Nobody waits for it: a
  page that does not read holds up neither its call nor the desk.
- Sound is the only thing on these sockets with an attachment. Its two frames are written without another
  between them, by a lock that engine.io's frames take too.
"""

import asyncio
import contextlib
import json
from collections import deque
from typing import Any, Final, Protocol

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Listener(Protocol):
    """Who is told what pages say; neither may wait."""

    def hear(self, page_id: str, pcm24k: bytes, elapsed_ms: float) -> None:
        """A piece of a page's sound, recorded so long after its microphone was opened."""

    def heed_played(self, page_id: str, message: object) -> None:
        """A window message that says that it is a report of what was played."""


_WIRE: Final = "helpline.sound"
"""Its place in the scope of a socket's request."""
_CHUNK: Final = '451-["audio_chunk",'
_PLAYED: Final = '42["window_message",{"helpline":"desk","type":"played",'
_PLACE: Final = '"mimeType":"pcm16","data":{"_placeholder":true,"num":0}}]'
_DROP_ALL: Final = '42["audio_interrupt",{}]'
_MOST_WAITING: Final = 400
"""Pieces for a page that does not read; more are dropped, and it is soon taken for gone."""


class _Recorded(msgspec.Struct):
    elapsedTime: float


_read_chunk: Final = msgspec.json.Decoder(tuple[str, _Recorded]).decode
_read_event: Final = msgspec.json.Decoder(tuple[str, dict[str, Any]]).decode


class SoundWire:
    """The sound of one socket: `play` and `silence` write to it, `opened_for` is told what it says."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._writing = asyncio.Lock()
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._news = asyncio.Event()
        self._elapsed_ms: float | None = None
        """Of a piece whose sound is the next frame."""
        self.page_id = ""
        self._listener: Listener | None = None

    def opened_for(self, page_id: str, listener: Listener) -> None:
        """This page was let in: its sound is heard from now on."""
        self.page_id = page_id
        self._listener = listener

    def shut(self) -> None:
        """The page has another socket: nothing is heard from this one any more."""
        self._listener = None

    def play(self, track: str, pcm24k: bytes) -> None:
        """Send sound; never waits."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append((f'{_CHUNK}{{"track":{json.dumps(track)},{_PLACE}', pcm24k))
            self._news.set()

    def silence(self) -> None:
        """Have the page drop what it was sent; what waits here is not sent at all."""
        self._waiting.clear()
        self._waiting.append((_DROP_ALL, b""))
        self._news.set()

    async def receive(self) -> Message:
        """The next message that is not sound."""
        while True:
            message = await self._receive()
            if not self._takes(message):
                return message

    async def send(self, message: Message) -> None:
        """Send what is not sound."""
        async with self._writing:
            await self._send(message)

    async def write(self) -> None:
        """Write what is to be played, until the socket is gone."""
        with contextlib.suppress(OSError, RuntimeError):  # How servers say that it is.
            while await self._news.wait():
                self._news.clear()
                while self._waiting:
                    head, pcm24k = self._waiting.popleft()
                    async with self._writing:
                        await self._send({"type": "websocket.send", "text": head})
                        if pcm24k:
                            await self._send({"type": "websocket.send", "bytes": pcm24k})

    def _takes(self, message: Message) -> bool:
        """Whether this was a frame of sound or about it; hostile, like all that a page sends."""
        text, data = message.get("text"), message.get("bytes")
        elapsed_ms, self._elapsed_ms = self._elapsed_ms, None
        if self._listener is None:
            return False
        if data is not None and elapsed_ms is not None:
            self._listener.hear(self.page_id, data, elapsed_ms)
            return True
        if text is None:
            return False
        with contextlib.suppress(msgspec.MsgspecError, RecursionError):
            if text.startswith(_CHUNK):
                self._elapsed_ms = _read_chunk(text[4:])[1].elapsedTime
                return True
            if text.startswith(_PLAYED):
                self._listener.heed_played(self.page_id, _read_event(text[2:])[1])
                return True
        return False


class SoundWires:
    """The wires of all pages, by the page's id."""

    def __init__(self) -> None:
        self._wires: dict[str, SoundWire] = {}

    def at(self, page_id: str) -> SoundWire | None:
        """The one of a page; None while its socket is away."""
        return self._wires.get(page_id)

    def open(self, scope: Scope, page_id: str, listener: Listener) -> None:
        """The page of the socket with this scope was let in; its socket before, if any, is heard no more."""
        wire: SoundWire = scope[_WIRE]
        if before := self._wires.get(page_id):
            before.shut()
        wire.opened_for(page_id, listener)
        self._wires[page_id] = wire

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application whose sockets' sound is taken out."""

        async def with_sound(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "websocket":
                await app(scope, receive, send)
                return
            wire = SoundWire(receive, send)
            writing = asyncio.create_task(wire.write())
            try:
                await app({**scope, _WIRE: wire}, wire.receive, wire.send)
            finally:
                self._forget(wire)
                writing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await writing

        return with_sound

    def _forget(self, wire: SoundWire) -> None:
        if self._wires.get(wire.page_id) is wire:
            del self._wires[wire.page_id]
