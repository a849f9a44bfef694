"""A small TCP proxy that a test can cut: what goes through it waits, and comes in a burst afterwards."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """Forwards to a port of this machine; `cut` holds everything back, `mend` lets it through."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._whole = asyncio.Event()
        self._whole.set()
        self._pipes: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def drop(self) -> None:
        """Close every connection that goes through."""
        for writer in self._writers:
            writer.close()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, back}
        await asyncio.gather(self._pipe(reader, back), self._pipe(there, writer))

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            return  # The other half of the pipe notices by itself.
        finally:
            writer.close()
            self._writers.discard(writer)


@asynccontextmanager
async def proxied(address: str) -> AsyncIterator[tuple[str, Proxy]]:
    """A proxy before a server: its own address, and the means to cut it."""
    proxy = Proxy(int(address.rpartition(":")[2]))
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", proxy
    finally:
        proxy.mend()
        proxy.drop()
        server.close()
