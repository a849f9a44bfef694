"""Frames over a WebSocket; opens one to a realtime service, or says in one sentence why it did not open."""

import logging
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import connect
from websockets.asyncio.connection import Connection as AnySocket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)

from helpline import __version__
from helpline.errors import BackendError, ConnectionLost
from helpline.realtime import faults
from helpline.realtime.address import is_loopback
from helpline.realtime.framing import MAX_FRAME_BYTES, Socket

__all__ = ["MAX_FRAME_BYTES", "TIMEOUTS", "SocketFrames", "Timeouts", "WebSocketFrames", "open_websocket"]

# At DEBUG the library logs a handshake's headers, which hold the key.
_quiet = logging.getLogger("helpline.realtime.socket")
_quiet.setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds."""

    open_s: float = 8.0
    close_s: float = 1.0
    ping_s: float = 10.0
    """A ping this often; a line that leaves one unanswered for as long again is lost."""


TIMEOUTS = Timeouts()


class WebSocketFrames:
    """Frames over a WebSocket, either end of it. Frames are UTF-8 bytes both ways, sent as text."""

    def __init__(self, socket: AnySocket) -> None:
        self._socket = socket

    async def recv(self) -> bytes:
        try:
            return await self._socket.recv(decode=False)
        except ConnectionClosed as closed:
            raise _lost(closed) from closed

    async def send(self, frame: bytes | str) -> None:
        try:
            await self._socket.send(frame, text=True)
        except ConnectionClosed as closed:
            raise _lost(closed) from closed

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code, reason)


class SocketFrames:
    """Frames over a WebSocket that we opened: as above, by the short way of `framing`."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self.send_now: Callable[[bytes], bool] = socket.send_now

    async def recv(self) -> bytes:
        try:
            return await self._socket.next_frame()
        except ConnectionClosed as closed:
            raise _lost(closed) from closed

    def recv_now(self) -> bytes | None:
        try:
            return self._socket.frame_now()
        except ConnectionClosed as closed:
            raise _lost(closed) from closed

    def on_ready(self, ready: Callable[[], None] | None) -> None:
        self._socket.on_ready = ready

    async def send(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes) and self._socket.send_now(frame):
            return
        try:
            await self._socket.send(frame, text=True)
        except ConnectionClosed as closed:
            raise _lost(closed) from closed

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code, reason)


def _lost(closed: ConnectionClosed) -> ConnectionLost:
    # The peer's own reason is left out: it may quote what was said.
    code = closed.rcvd.code if closed.rcvd else 1006
    return ConnectionLost(f"The session ended ({code}).", code=code)


class _Connect(connect):
    """Follows no redirect: the headers, and the key in them, would go along."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def open_websocket(
    url: str, headers: Mapping[str, str], vendor: faults.Vendor, timeouts: Timeouts = TIMEOUTS
) -> SocketFrames:
    """Frames over a new WebSocket. Raises BackendError."""
    try:
        opened = await _Connect(
            url,
            additional_headers=headers,
            user_agent_header=f"helpline/{__version__}",
            compression=None,
            proxy=None if is_loopback(urlsplit(url).hostname or "") else True,
            open_timeout=timeouts.open_s,
            close_timeout=timeouts.close_s,
            ping_interval=timeouts.ping_s,
            ping_timeout=timeouts.ping_s,
            max_size=MAX_FRAME_BYTES,
            logger=_quiet,
            create_connection=Socket,
        )
    except (OSError, InvalidHandshake, InvalidProxy, InvalidURI) as error:
        # Without its cause: that may quote the address, and an address may hold a key.
        raise _refusal(error, vendor) from None
    assert isinstance(opened, Socket)
    return SocketFrames(opened)


def _refusal(error: Exception, vendor: faults.Vendor) -> BackendError:
    status = error.response.status_code if isinstance(error, InvalidStatus) else None
    if isinstance(error, InvalidStatus):
        fault = faults.of_status(error.response.status_code, _code_in(error.response.body))
    else:
        fault = faults.UNREACHABLE[_why(error)]
    return BackendError(
        fault.sentence(vendor, status),
        setting=vendor.setting(fault.about),
        retry=fault.verdict is faults.Verdict.RETRY,
        trouble=fault.trouble,
    )


def _why(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "timeout"
        case socket.gaierror():
            return "name"
        case ssl.SSLError():
            return "tls"
        case ProxyError() | InvalidProxy():
            return "proxy"
        case InvalidMessage(__cause__=EOFError()):
            return "refused"
        case InvalidHandshake() | InvalidURI():
            return "stranger"
        case _:
            return "refused"


def _code_in(body: bytes | None) -> str | None:
    """The error code in a refusal's body: {"error": {"code": …}} or {"code": …}."""
    try:
        found: Any = msgspec.json.decode(body or b"")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    error = found.get("error", found) if isinstance(found, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None
