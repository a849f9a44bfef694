"""Loopback servers with a script: what they answer to the handshake, then what they do with the session."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

Script = Callable[[ServerConnection], Awaitable[None]]


@dataclass
class Server:
    """A running server: where it is, and what came in."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


async def idle(socket: ServerConnection) -> None:
    """Stays until the client leaves."""
    await socket.wait_closed()


@asynccontextmanager
async def server(script: Script = idle, **options: Any) -> AsyncIterator[Server]:
    """A server that runs the script for each session."""
    running = Server()

    async def note(_: ServerConnection, request: Request) -> None:
        running.requests.append(request)

    async with serve(script, "127.0.0.1", 0, process_request=note, **options) as listening:
        running.port = listening.sockets[0].getsockname()[1]
        yield running


@asynccontextmanager
async def refusing(status: int, body: str = "", **headers: str) -> AsyncIterator[Server]:
    """A server that answers every handshake with an HTTP status."""
    running = Server()

    async def refuse(socket: ServerConnection, request: Request) -> Response:
        running.requests.append(request)
        response = socket.respond(HTTPStatus(status), body)
        for name, value in headers.items():
            response.headers[name.replace("_", "-")] = value
        return response

    async with serve(idle, "127.0.0.1", 0, process_request=refuse) as listening:
        running.port = listening.sockets[0].getsockname()[1]
        yield running
