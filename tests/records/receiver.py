"""A company's webhook receiver: takes messages, or refuses the first few, and remembers every attempt."""

import asyncio
import json
from contextlib import asynccontextmanager


class Receiver:
    def __init__(self, refuses=0):
        self.refuses = refuses
        self.attempts = []
        """(headers, body) of each."""
        self.came = asyncio.Event()

    @property
    def taken(self):
        """The messages by their ids."""
        return {message["id"]: message for message in self._bodies}

    @property
    def _bodies(self):
        return [json.loads(body) for _, body in self.attempts[self.refused :]]

    refused = 0

    async def answer(self, reader, writer):
        try:
            await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # A sender that was killed in mid-message.
        finally:
            writer.close()

    async def _answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        self.attempts.append((headers, body))
        self.came.set()
        ok = len(self.attempts) > self.refuses
        if not ok:
            self.refused = len(self.attempts)
        status = "200 OK" if ok else "503 Service Unavailable"
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def receiving(refuses=0):
    receiver = Receiver(refuses)
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver, f"http://127.0.0.1:{port}/hook"
