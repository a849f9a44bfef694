"""A chat server of our own, which streams, stalls, dies and refuses by script; and ears that hear nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from helpline.engine.listening import Committed, Listened, ListenSettings

Json = dict[str, Any]
Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


def line(**delta: Any) -> bytes:
    event = {"choices": [{"index": 0, "delta": delta}]}
    return f"data: {json.dumps(event)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def ends(reason: str) -> bytes:
    event = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    return f"data: {json.dumps(event)}\n\n".encode()


def piece(index: int, name: str = "", arguments: str = "") -> Json:
    return {"index": index, "id": f"call_{index}", "function": {"name": name, "arguments": arguments}}


class ChatServer:
    """Answers each request with the next script, and keeps what was asked."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.asked: list[Json] = []
        self.headers: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(
            next(one for one in head.lower().split("\r\n") if one.startswith("content-length")).split(":")[1]
        )
        self.headers.append(head)
        self.asked.append(json.loads(await reader.readexactly(length)))
        try:
            await self.scripts.pop(0)(writer)
        except ConnectionError:
            return  # the client has heard enough
        finally:
            writer.close()


@asynccontextmanager
async def chat_server() -> AsyncIterator[ChatServer]:
    """One that runs, at a port of its own."""
    server = ChatServer()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    yield server
    listening.close()
    await listening.wait_closed()


def streams(*lines: bytes, whole: bool = True) -> Script:
    async def script(writer: asyncio.StreamWriter) -> None:
        size = "" if whole else "Content-Length: 100000\r\n"
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{size}Connection: close\r\n\r\n".encode()
        )
        for one in lines:
            writer.write(one)
            await writer.drain()

    return script


def whole(*pieces: str | bytes, **message: Any) -> Script:
    """One JSON object, in these pieces or with this message: a server that ignores `stream`."""
    body = {"object": "chat.completion", "choices": [{"message": {"role": "assistant", **message}}]}
    sent = pieces or (json.dumps(body, indent=2),)

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        for one in sent:
            writer.write(one.encode() if isinstance(one, str) else one)
            await writer.drain()

    return script


def refuses(status: int, body: str = "") -> Script:
    async def script(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} No\r\nContent-Length: {len(body.encode())}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())

    return script


def stalls(until: asyncio.Event) -> Script:
    async def script(writer: asyncio.StreamWriter) -> None:
        await streams(line(content="One moment. "))(writer)
        await until.wait()

    return script


class Nobody:
    """Hears nothing: these customers type."""

    async def configure(self, settings: ListenSettings) -> None: ...

    async def feed(self, audio: bytes) -> list[Listened]:
        return []

    async def commit(self) -> Committed:
        return Committed(0, "", 0)

    async def clear(self) -> None: ...

    async def transcribe(self, pcm24k: bytes) -> str:
        return ""

    async def close(self) -> None: ...
