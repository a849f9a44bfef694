"""A WebSocket client whose text frames take a short way; everything else is the library's.

A call sends 25 small frames a second and receives a dozen large ones; in the library each of them passes a
parser of generators, a queue, a lock and a task. Here a whole, unfragmented text frame of an open connection
goes straight from the socket's bytes to the reader, and straight from the sender to the transport. Handshake,
pings, closing, fragments, and whatever breaks the rules, are handed to `websockets`, frame by frame, so that
its parser is always at the beginning of one.
"""

import asyncio
import os
import struct
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import State

try:
    from websockets.speedups import apply_mask
except ImportError:  # built without its C extension
    from websockets.utils import apply_mask

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""An `input_audio_buffer.append` may hold 15 MiB; nothing that a server sends comes near."""
MAX_UNREAD = 64
"""The socket is not read while so many frames wait: the server is slowed, nothing is lost."""

READ_BYTES = 64 * 1024
"""Read at once, of any connection."""

_WHOLE_TEXT = 0x81
_medium = struct.Struct("!BBH").pack
_HANDSHAKE_ENDS = b"\r\n\r\n"


class _Buffers(threading.local):
    """One buffer for all the connections of a thread, whose loop fills and empties it between two of them.

    asyncio's own way takes 256 KiB from the system for every read and gives nearly all of it back: several
    times the time of the read itself, and a heap full of holes.
    """

    def __init__(self) -> None:
        self.shared = memoryview(bytearray(READ_BYTES))


_buffers = _Buffers()


class Socket(ClientConnection, asyncio.BufferedProtocol):
    """The library's client connection: `next_frame` or `frame_now` in the place of `recv`; `send_now` too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._buffer = _buffers.shared
        self._tail: bytes | None = b""
        """The last bytes of the handshake so far; None when it is over."""
        self._part = bytearray()
        """The beginning of a frame."""
        self._wanted = 0
        """So many bytes complete it."""
        self._fragments: list[bytes] = []
        self._unread: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._held = False
        """The transport is not read."""
        self._full = False
        """The transport has enough to write."""
        self._over = False
        self._masks = b""
        """Random bytes, four for each frame."""
        self._masks_at = 0
        self.on_ready: Callable[[], None] | None = None
        """Called whenever `frame_now` may have something to say."""

    # --- receiving ---

    async def next_frame(self) -> bytes:
        """The next text or binary message, as bytes; one reader. Raises ConnectionClosed."""
        while (frame := self.frame_now()) is None:
            self._reader = self.loop.create_future()
            await self._reader
        return frame

    def frame_now(self) -> bytes | None:
        """The same, or None when none has come. Raises ConnectionClosed."""
        if not self._unread:
            if self._over:
                raise self.protocol.close_exc
            return None
        frame = self._unread.popleft()
        if self._held and len(self._unread) < MAX_UNREAD // 2:
            self._held = False
            self.transport.resume_reading()
        return frame

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._receive(self._buffer[:nbytes])

    def data_received(self, data: bytes) -> None:
        self._receive(memoryview(data))

    def _receive(self, data: memoryview) -> None:
        """Bytes from the other side; they are ours until this returns."""
        if self._tail is not None:
            data = memoryview(self._shake_hands(self._tail, bytes(data)))
        if self._part:
            self._part += data
            if len(self._part) < self._wanted:
                return
            data, self._part = memoryview(self._part), bytearray()
        rest = self._take_frames(data)
        if rest < len(data):
            self._part += data[rest:]
        if self._unread:
            self._wake()

    def _shake_hands(self, tail: bytes, data: bytes) -> bytes:
        """Give the library its handshake, and no byte of what comes behind it."""
        end = (tail + data).find(_HANDSHAKE_ENDS)
        if end < 0:
            self._tail = (tail + data)[-3:]
            super().data_received(data)
            return b""
        self._tail = None
        end += len(_HANDSHAKE_ENDS) - len(tail)
        super().data_received(data[:end])
        return data[end:]

    def _take_frames(self, data: memoryview) -> int:
        """Deal with every whole frame; how far that was."""
        at, size = 0, len(data)
        while True:
            if self.protocol.state is not State.OPEN:  # refused, closing or failed: not ours any more
                if at < size:
                    super().data_received(bytes(data[at:]))
                return size
            if size - at < 2:
                self._wanted = 2
                return at
            start, length = at + 2, data[at + 1]  # a masked frame is too long for a server's, and refused
            if length >= 126:
                start += 2 if length == 126 else 8
                if size < start:
                    self._wanted = start - at
                    return at
                length = int.from_bytes(data[at + 2 : start]) if length < 128 else MAX_FRAME_BYTES + 1
            if length > MAX_FRAME_BYTES:
                super().data_received(bytes(data[at:]))  # which fails the connection
                return size
            end = start + length
            if size < end:
                self._wanted = end - at
                return at
            if data[at] == _WHOLE_TEXT and not self._fragments:
                self._deliver(bytes(data[start:end]))
            else:
                super().data_received(bytes(data[at:end]))
            at = end

    def process_event(self, event: Any) -> None:
        """What the library has parsed: the messages among it stand in our queue."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._fragments.append(bytes(event.data))
        if event.fin:
            message = b"".join(self._fragments)
            self._fragments.clear()
            self._deliver(message)

    def _deliver(self, message: bytes) -> None:
        self._unread.append(message)
        if len(self._unread) >= MAX_UNREAD and not self._held:
            self._held = True
            self.transport.pause_reading()

    def _wake(self) -> None:
        if self.on_ready is not None:
            self.on_ready()
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._over = True
        self._wake()

    # --- sending ---

    def send_now(self, frame: bytes) -> bool:
        """Write one text frame; False when the line is not open, or behind with what it has to write."""
        if self._full or self.protocol.state is not State.OPEN:
            return False
        size = len(frame)
        if 126 <= size < 65_536:  # a piece of sound
            head = _medium(_WHOLE_TEXT, 0x80 | 126, size)
        elif size < 126:
            head = bytes((_WHOLE_TEXT, 0x80 | size))
        else:
            head = struct.pack("!BBQ", _WHOLE_TEXT, 0x80 | 127, size)
        at = self._masks_at
        if at == len(self._masks):
            self._masks, at = os.urandom(1024), 0
        self._masks_at = at + 4
        mask = self._masks[at : at + 4]
        self.transport.write(b"".join((head, mask, apply_mask(frame, mask))))
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._full = True

    def resume_writing(self) -> None:
        super().resume_writing()
        self._full = False
