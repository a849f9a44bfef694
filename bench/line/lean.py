"""A WebSocket server that costs little, so that what is measured is the clients: bench only.

Handshake, pings and closing are the library's pure protocol; text frames are read where they lie, and of a
microphone's frame no more than its beginning.
"""

import asyncio
from collections.abc import Callable

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.speedups import apply_mask

HEAD = 200
"""Bytes of a frame that say what it is, and when it was stamped."""


class Line(asyncio.Protocol):
    """One connection: `begun` when it is open, `came` with each text, `ended` at its end."""

    def __init__(self, begin: Callable[["Line", str], None]) -> None:
        self._begin = begin
        self._protocol = ServerProtocol(max_size=2**20)
        self._part = b""
        self._open = False
        self.came: Callable[[bytes, Callable[[], bytes]], None] = lambda head, whole: None
        """Called with the beginning of each text, and a way to the whole of it."""
        self.ended: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended()

    def data_received(self, data: bytes) -> None:
        if not self._open:
            self._hand(data)
            return
        data = self._part + data
        at, size = 0, len(data)
        while size - at >= 6:
            start, length = at + 6, data[at + 1] & 127
            if length >= 126:
                start += 2 if length == 126 else 8
                if size < start:
                    break
                length = int.from_bytes(data[at + 2 : start - 4])
            end = start + length
            if size < end:
                break
            if data[at] & 15 == Opcode.TEXT:
                self._text(data, start, end)
            else:
                self._hand(data[at:end])
            at = end
        self._part = data[at:]

    def _text(self, data: bytes, start: int, end: int) -> None:
        mask = data[start - 4 : start]
        head = apply_mask(data[start : min(end, start + HEAD)], mask)
        self.came(head, lambda: apply_mask(data[start:end], mask))

    def _hand(self, data: bytes) -> None:
        """What is not text is the library's."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._protocol.send_response(self._protocol.accept(event))
                self._open = True
                self._write()
                self._begin(self, event.path)
            elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                self._write()
                self._transport.close()
        self._write()

    def _write(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)

    def send(self, frame: bytes) -> None:
        """Send a frame made by `framed`."""
        if not self._transport.is_closing():
            self._transport.write(frame)


def framed(text: str) -> bytes:
    """The text as a frame: made once, sent often."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
