"""A page without a browser: Chainlit's socket protocol, spoken by a socket.io client."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import socketio

SILENCE = bytes(1920)


class SocketPage:
    """Notes each event of the server; `until` waits for one."""

    def __init__(self, cookie: str, root: str = "") -> None:
        self.root = root
        self.session_id = str(uuid.uuid4())
        self.cookie = cookie
        self.events: list[tuple[str, Any]] = []
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("*", self._note)
        self._news = asyncio.Condition()

    async def connect(self, address: str, **headers: str) -> None:
        """Come in as Chainlit's page does. Raises socketio's ConnectionError when refused."""
        auth = {"clientType": "webapp", "sessionId": self.session_id, "threadId": "", "userEnv": "{}"}
        try:
            await self.client.connect(
                address,
                auth=auth,
                headers={"Cookie": self.cookie, **headers} if self.cookie else headers,
                socketio_path=f"{self.root}/ws/socket.io",
                transports=["websocket"],
            )
        except socketio.exceptions.ConnectionError:
            # It leaves its HTTP session open when it is refused.
            if http := self.client.eio.http:
                await http.close()
            raise
        await self.client.emit("connection_successful")

    async def type(self, text: str) -> None:
        message = {
            "id": str(uuid.uuid4()),
            "name": "User",
            "type": "user_message",
            "output": text,
            "createdAt": "2026-11-22T12:00:00Z",
        }
        await self.client.emit("client_message", {"message": message, "fileReferences": []})

    async def tell(self, **values: Any) -> None:
        await self.client.emit("window_message", {"helpline": "desk", **values})

    async def speak(self, pcm24k: bytes = SILENCE, elapsed_ms: float = 0) -> None:
        chunk = {"isStart": False, "mimeType": "pcm16", "elapsedTime": elapsed_ms, "data": pcm24k}
        await self.client.emit("audio_chunk", chunk)

    async def talk(self) -> str:
        """Press P; returns the desk's answer, `on` or `off`."""
        before = self.count("audio_connection")
        await self.client.emit("audio_start")
        await self.until(lambda page: page.count("audio_connection") > before)
        return self.all("audio_connection")[-1]

    async def until(self, holds: Callable[["SocketPage"], bool], timeout_s: float = 60) -> None:
        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: holds(self))

    async def until_shown(self, text: str, timeout_s: float = 60) -> None:
        """Wait until a message holds this text."""
        try:
            await self.until(lambda page: any(text in output for output in page.outputs()), timeout_s)
        except TimeoutError:
            raise AssertionError(f"{text!r} is not among {self.outputs()}") from None

    def all(self, event: str) -> list[Any]:
        return [data for name, data in self.events if name == event]

    def count(self, event: str) -> int:
        return len(self.all(event))

    def outputs(self) -> list[str]:
        return [step["output"] for step in self.all("new_message") if step["type"] != "run"]

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [message for message in self.all("window_message") if message["type"] == kind]

    async def _note(self, event: str, *data: Any) -> None:
        self.events.append((event, data[0] if data else None))
        async with self._news:
            self._news.notify_all()


async def new_cookie(address: str) -> str:
    """The cookie of a browser that opens the page for the first time."""
    async with httpx.AsyncClient() as browser:
        response = await browser.get(address)
        return response.headers["set-cookie"].split(";")[0]


@asynccontextmanager
async def page_at(
    address: str, cookie: str | None = None, *, root: str = "", **headers: str
) -> AsyncIterator[SocketPage]:
    """A page that was welcomed; `root` is where the desk is mounted."""
    page = SocketPage(await new_cookie(address) if cookie is None else cookie, root)
    await page.connect(address, **headers)
    try:
        await page.until(lambda page: page.told("desk") != [])
        yield page
    finally:
        await page.client.disconnect()
