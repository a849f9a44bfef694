"""The engine's websockets: frames as a session sees them, and what a peer may take of a socket.

A peer may be slow, silent or hostile. Whatever waits for it waits for a stated time, whatever is kept for it
has a stated size; beyond, its connection is dropped, and others notice nothing (`docs/engine.md`, "Limits").
"""

import asyncio
import logging
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.server import Server, ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Event
from websockets.server import ServerProtocol

from helpline.errors import ConnectionLost

LIBRARY_LOG = logging.getLogger("helpline.websockets")
"""The library's own: it tells a traceback for whatever a peer does wrong, and a peer could fill a disk."""
LIBRARY_LOG.setLevel(logging.CRITICAL)

_FRAGMENT_BYTES = 512
"""About what the library keeps beside its data."""


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one peer may take of its socket, and all who are not yet let in of the server's."""

    open_s: float = 10
    """From the connection to the end of its request."""
    ping_s: float = 20
    pong_s: float = 40
    """A ping is answered, or nobody is there. Long: the answer stands behind all that was sent before."""
    send_s: float = 30
    """An event is taken, or nobody reads."""
    close_s: float = 5
    fragments: int = 16_384
    """Of one message: empty ones cost memory and count as no bytes."""
    held_bytes: int = 1024 * 1024
    """Of messages that wait to be performed, half a kilobyte of each fragment added: then it is not read."""
    unread_bytes: int = 1024 * 1024
    """Of answers to pings, for a peer that sends them and does not read."""
    waiting: int = 256
    """Sockets whose requests have not been answered."""
    waiting_per_address: int = 100


class Door:
    """Who has connected, and who of them still stands outside."""

    def __init__(self, limits: SocketLimits) -> None:
        self.limits = limits
        self._peers: set[Peer] = set()
        self._outside: Counter[str] = Counter()

    def come(self, peer: "Peer") -> bool:
        """Whether one more may wait outside."""
        limits = self.limits
        self._peers.add(peer)
        self._outside[peer.address] += 1
        return (
            self._outside.total() <= limits.waiting
            and self._outside[peer.address] <= limits.waiting_per_address
        )

    def let_in(self, peer: "Peer") -> None:
        """Its request was answered, or it went."""
        self._outside -= Counter((peer.address,))

    def gone(self, peer: "Peer") -> None:
        self._peers.discard(peer)

    def drop_all(self) -> None:
        """End every connection without a farewell."""
        for peer in tuple(self._peers):
            peer.transport.abort()


class Peer(ServerConnection):
    """One websocket of the server's; the library bounds messages, this the rest."""

    def __init__(self, protocol: ServerProtocol, server: Server, *, door: Door, **options: Any) -> None:
        super().__init__(protocol, server, **options)
        self._door = door
        self._outside = False
        self._fragments = 0
        self._sizes: deque[int] = deque()
        """Of the messages that wait, the oldest first."""
        self._growing = 0
        self._held = 0
        self._answers_unread = 0
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self._outside = True
        if not self._door.come(self):
            self.transport.abort()

    def let_in(self) -> None:
        """Its request was answered."""
        if self._outside:
            self._outside = False
            self._door.let_in(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.let_in()
        self._door.gone(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        unread = self.transport.get_write_buffer_size()
        super().data_received(data)
        if not self.paused:
            self._answers_unread = 0
            return
        self._answers_unread += max(self.transport.get_write_buffer_size() - unread, 0)
        if self._answers_unread > self._door.limits.unread_bytes:
            self.transport.abort()

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame):
            self._fragments = self._fragments + 1 if event.opcode is Opcode.CONT else 0
            if self._fragments > self._door.limits.fragments:
                self.transport.abort()
                return
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._hold(len(event.data) + _FRAGMENT_BYTES, whole=event.fin)
        super().process_event(event)

    def _hold(self, size: int, *, whole: bool) -> None:
        self._held += size
        self._growing += size
        if whole:
            self._sizes.append(self._growing)
            self._growing = 0
        if self._sizes and self._held > self._door.limits.held_bytes:
            self.transport.pause_reading()

    def taken(self) -> None:
        """The oldest message is performed now."""
        self._held -= self._sizes.popleft()
        if self._held <= self._door.limits.held_bytes or not self._sizes:
            self.transport.resume_reading()


class SocketFrames:
    """A websocket as the session sees it."""

    def __init__(self, connection: ServerConnection, limits: SocketLimits) -> None:
        self._connection = connection
        self._limits = limits

    async def recv(self) -> bytes:
        try:
            frame = await self._connection.recv(decode=False)  # text that is none is the session's to refuse
        except ConnectionClosed as closed:
            raise _gone(closed) from closed
        if isinstance(self._connection, Peer):
            self._connection.taken()
        return frame

    async def send(self, frame: bytes | str) -> None:
        try:
            async with asyncio.timeout(self._limits.send_s):
                await self._connection.send(frame, text=True)
        except ConnectionClosed as closed:
            raise _gone(closed) from closed
        except TimeoutError:
            self._connection.transport.abort()
            raise ConnectionLost("The client does not read.", code=1006) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        try:
            async with asyncio.timeout(self._limits.close_s):
                await self._connection.close(code, reason)
        except TimeoutError:  # what it has not read stands before the farewell
            self._connection.transport.abort()


def _gone(closed: ConnectionClosed) -> ConnectionLost:
    return ConnectionLost("The client is gone.", code=closed.rcvd.code if closed.rcvd else 1006)
