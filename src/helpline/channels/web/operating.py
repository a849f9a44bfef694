"""How a served desk is watched and ended: its metrics, and a stop that cuts no call.

SIGTERM and `helpline drain` begin the same drain: the desk says that it is not ready, takes no new calls, and
the server stops when the live ones have ended or their time is over. A second SIGTERM, or Ctrl-C, stops now.
"""

import asyncio
import hmac
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Any, Protocol, runtime_checkable

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from helpline.channels import operator
from helpline.channels.web.seam import Desk
from helpline.collector import spare_calls_the_collector
from helpline.settings import Settings
from helpline.telemetry.metrics import CONTENT_TYPE, Metrics

log = logging.getLogger(__name__)


class Kept(Protocol):
    @property
    def metrics(self) -> Metrics: ...


@runtime_checkable
class ServedDesk(Desk, Protocol):
    """What serving asks of a desk beyond the page."""

    @property
    def calls(self) -> Any: ...
    @property
    def records(self) -> Kept: ...
    async def drain(self, within_s: float) -> int: ...


def metrics_route(settings: Settings, metrics: Metrics) -> Route:
    """`/metrics` in Prometheus's format; beyond this machine only for who shows the token."""

    async def answer(request: Request) -> Response:
        token = settings.metrics_token.reveal()
        shown = request.headers.get("authorization", "")
        allowed = (
            hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()) if token else settings.loopback
        )
        if not allowed:
            return PlainTextResponse("Not found", status_code=404)
        return Response(metrics.exposition(), media_type=CONTENT_TYPE)

    return Route("/metrics", answer)


@asynccontextmanager
async def operated(app: Starlette, settings: Settings, desk: ServedDesk) -> AsyncIterator[None]:
    """A desk in somebody else's application: its `/metrics`, and `helpline drain`.

    A drain ends its calls and takes no new ones; the server is its owner's, and goes on.
    """
    added = [metrics_route(settings, desk.records.metrics)] if desk.records is not None else []
    app.router.routes[:0] = added

    async def drain() -> None:
        app.state.ready.clear()
        log.info("draining: %d live calls", len(desk.calls))
        log.info("drained: %d calls had not ended in time", await desk.drain(settings.drain_s))

    try:
        async with operator.listening(settings.data_dir, desk, drain):
            yield
    finally:
        for route in added:
            app.router.routes.remove(route)


class DrainingServer(uvicorn.Server):
    """A server that says when it is ready, and lets calls end before it stops."""

    def __init__(
        self, config: uvicorn.Config, greeting: str, desk: ServedDesk, ready: asyncio.Event, drain_s: float
    ) -> None:
        super().__init__(config)
        self._greeting = greeting
        self._desk = desk
        self._ready = ready
        self._drain_s = drain_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._draining: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        spare_calls_the_collector()
        if not self.should_exit:
            print(self._greeting, file=sys.stdout, flush=True)  # noqa: T201 - this is what the command says

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal has come; in a handler nothing may be done but to tell the loop."""
        if sig != signal.SIGTERM or self._loop is None:
            super().handle_exit(sig, frame)
        elif self._draining is not None:
            self.should_exit = True
        else:
            self._loop.call_soon_threadsafe(self._begin)

    async def drain(self) -> None:
        """Begin the drain, if it has not begun, and wait until the calls have ended."""
        await asyncio.shield(self._begin())

    def _begin(self) -> "asyncio.Task[None]":
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain(), name="drain")
        return self._draining

    async def _drain(self) -> None:
        self._ready.clear()
        log.info("draining: %d live calls", len(self._desk.calls))
        left = await self._desk.drain(self._drain_s)
        log.info("drained: %d calls had not ended in time", left)
        self.should_exit = True
