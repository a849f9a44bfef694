"""A backend whose network can be cut, for customers whose line is bad."""

import asyncio

from helpline.errors import ConnectionLost
from helpline.realtime.connection import Backend, Connection
from helpline.realtime.events import ClientEvent, ServerEvent, UnknownEvent


class CutConnection:
    """A connection that works until `cut`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cut = asyncio.Event()

    def cut(self) -> None:
        self._cut.set()

    async def send(self, event: ClientEvent) -> None:
        if self._cut.is_set():
            raise ConnectionLost("The network was cut.")
        await self._connection.send(event)

    async def receive(self) -> ServerEvent | UnknownEvent:
        receiving = asyncio.ensure_future(self._connection.receive())
        cut = asyncio.ensure_future(self._cut.wait())
        try:
            await asyncio.wait([receiving, cut], return_when=asyncio.FIRST_COMPLETED)
            if self._cut.is_set():
                raise ConnectionLost("The network was cut.")
            return receiving.result()
        finally:
            for each in (receiving, cut):
                each.cancel()
            await asyncio.gather(receiving, cut, return_exceptions=True)

    async def close(self) -> None:
        await self._connection.close()


class CuttableBackend:
    """Another backend, on a network that `cut` breaks once."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.name = backend.name
        self.answers = backend.answers
        self.transcribes = backend.transcribes
        self._connection: CutConnection | None = None

    async def connect(self) -> Connection:
        self._connection = CutConnection(await self._backend.connect())
        return self._connection

    def cut(self) -> None:
        """Break the connection that is open."""
        if self._connection is not None:
            self._connection.cut()
