"""A page's socket without a browser and without a library: bare frames of socket.io in a websocket.

A client on a socket.io library takes a core by itself for 2,500 pieces of sound a second, and what it then
measures is itself. This one costs a few microseconds a frame.
"""

import asyncio
import base64
import json
import os
from collections.abc import Callable
from typing import Any, Self
from urllib.parse import urlsplit

OnEvent = Callable[[str, list[Any], bytes], None]
"""Told the name of each event, its values, and the sound that came with it, if any did."""

_compact = json.JSONEncoder(separators=(",", ":")).encode
"""As a browser writes it."""
_TEXT, _BINARY, _CLOSE = 0x81, 0x82, 0x88


class PageSocket(asyncio.Protocol):
    """One socket of one page, connected by `connect`."""

    def __init__(self, auth: dict[str, Any], on_event: OnEvent) -> None:
        self._auth = auth
        self._on_event = on_event
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._shaken = False
        self._event: list[Any] | None = None
        """One whose sound comes in the next frame."""
        self.open = asyncio.Event()
        self.closed = asyncio.Event()

    @classmethod
    async def connect(
        cls,
        address: str,
        headers: dict[str, str],
        auth: dict[str, Any],
        on_event: OnEvent,
    ) -> Self:
        """Come in as the page does. Raises TimeoutError when it is not let in."""
        url = urlsplit(address)
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(lambda: cls(auth, on_event), url.hostname, url.port)
        lines = {
            "Host": url.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        socket._write(f"GET /ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n{head}\r\n".encode())
        async with asyncio.timeout(30):
            await socket.open.wait()
        return socket

    def emit(self, name: str, *values: Any) -> None:
        """An event without sound."""
        self._send(_TEXT, f"42{_compact([name, *values])}".encode())

    def speak(self, pcm24k: bytes, elapsed_ms: float, *, first: bool) -> None:
        """A piece of the microphone's sound, as socket.io writes it: the event, and then its attachment."""
        values = {"isStart": first, "mimeType": "pcm16", "elapsedTime": elapsed_ms}
        values |= {"data": {"_placeholder": True, "num": 0}}
        self._send(_TEXT, f"451-{_compact(['audio_chunk', values])}".encode())
        self._send(_BINARY, pcm24k)

    def close(self) -> None:
        self._send(_CLOSE, b"\x03\xe8")

    # --- of asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._shaken:
            end = self._received.find(b"\r\n\r\n")
            if end < 0:
                return
            self._shaken = True
            del self._received[: end + 4]
        at = 0
        while (frame := self._frame(at)) is not None:
            opcode, payload, at = frame
            self._take(opcode, payload)
        del self._received[:at]

    def _frame(self, at: int) -> tuple[int, bytes, int] | None:
        """The frame that begins there: its opcode, what it holds, where the next begins; None for a part."""
        data = self._received
        if len(data) < at + 2:
            return None
        length, start = data[at + 1], at + 2
        if length > 125:
            start = at + (4 if length == 126 else 10)
            length = int.from_bytes(data[at + 2 : start], "big")
        end = start + length
        return (data[at] & 15, bytes(data[start:end]), end) if len(data) >= end else None

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == _BINARY & 15:
            if self._event is not None:
                (name, *values), self._event = self._event, None
                self._on_event(name, values, payload)
        elif opcode == _TEXT & 15:
            self._take_packet(payload.decode())

    def _take_packet(self, packet: str) -> None:
        match packet[:2]:
            case "2":
                self._send(_TEXT, b"3")
            case "42":
                name, *values = json.loads(packet[2:])
                self._on_event(name, values, b"")
            case "45":
                self._event = json.loads(packet[packet.index("-") + 1 :])
            case "40":
                self.open.set()
            case _ if packet[:1] == "0":
                self._send(_TEXT, f"40{json.dumps(self._auth)}".encode())

    def _send(self, head: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        # A mask of zeros masks nothing: the client's share of the work is not what is measured.
        self._write(bytes((head,)) + length + bytes(4) + payload)

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)
