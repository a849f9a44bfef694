"""The other side of a messenger: its HTTP side, and Discord's socket, on loopback.

In a thread of its own, since some of the platforms' libraries block while they ask.
"""

import asyncio
import json
import threading
from contextlib import contextmanager

from aiohttp import web


class Platform:
    """Answers by `answers` (path: JSON), and remembers each request."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []
        """(path, body) of each request."""
        self.address = ""
        self._loop = asyncio.new_event_loop()
        self._news = threading.Condition()
        self._sockets = []
        self._opened = threading.Event()
        self._stop = asyncio.Event()

    def bodies(self, path):
        return [body for asked, body in self.asked if asked.endswith(path)]

    async def until(self, holds, timeout_s=60):
        """Wait until something holds of what was asked."""

        def wait():
            with self._news:
                return self._news.wait_for(holds, timeout_s)

        assert await asyncio.to_thread(wait), self.asked

    def dispatch(self, event, data):
        """Send an event to every socket that is open, as Discord does."""
        message = json.dumps({"op": 0, "s": 2, "t": event, "d": data})
        for socket in self._sockets:
            asyncio.run_coroutine_threadsafe(socket.send_str(message), self._loop).result(10)

    async def _answer(self, request):
        body = await request.text()
        if request.content_type == "application/x-www-form-urlencoded":
            read = dict(await request.post())
        else:
            read = json.loads(body or "{}")
        with self._news:
            self.asked.append((request.path, read))
            self._news.notify_all()
        answer = json.dumps(self.answers.get(request.path, {"ok": True, "id": "1"})).encode()
        # Discord's library takes this header to the letter: without a charset.
        return web.Response(body=answer, headers={"content-type": "application/json"})

    async def _gateway(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(
            json.dumps({"op": 10, "d": {"heartbeat_interval": 40_000}, "s": None, "t": None})
        )
        async for message in socket:
            if message.json()["op"] == 2:
                ready = {"op": 0, "s": 1, "t": "READY", "d": self.answers["READY"]}
                await socket.send_str(json.dumps(ready))
                with self._news:
                    self._sockets.append(socket)
                    self.asked.append(("IDENTIFY", message.json()["d"]))
                    self._news.notify_all()
            else:
                await socket.send_str(json.dumps({"op": 11}))
        return socket

    async def _serve(self):
        app = web.Application()
        app.router.add_get("/gateway/", self._gateway)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        self._opened.set()
        await self._stop.wait()
        await runner.cleanup()

    def _run(self):
        self._loop.run_until_complete(self._serve())
        self._loop.close()


@contextmanager
def platform(answers):
    other = Platform(answers)
    thread = threading.Thread(target=other._run)
    thread.start()
    other._opened.wait(20)
    try:
        yield other
    finally:
        other._loop.call_soon_threadsafe(other._stop.set)
        thread.join(20)
