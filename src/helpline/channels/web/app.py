"""The desk's page as an ASGI application of our own, with Chainlit inside it.

Ours, because `chainlit run` ends in `os._exit`, has no drain, and its start-up and shut-down hooks do not
fire when it is mounted: here the lifespan opens the desk, and closes it when the server stops.
"""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from helpline.channels import operator
from helpline.channels.web.accounts import account_routes
from helpline.channels.web.adapters import Adapters
from helpline.channels.web.brand import Brand
from helpline.channels.web.browsers import Browsers, load_key
from helpline.channels.web.fitting import MAX_FRAME_BYTES, alone, fit
from helpline.channels.web.guard import Guard
from helpline.channels.web.handlers import Handlers
from helpline.channels.web.messenger import Correspondents
from helpline.channels.web.oauth import OAuth
from helpline.channels.web.operating import DrainingServer, ServedDesk, metrics_route
from helpline.channels.web.seam import Desk, OpenDesk
from helpline.channels.web.signing_in import SignIn
from helpline.channels.web.site import routes
from helpline.channels.web.sockets import take_over
from helpline.channels.web.sound import SoundWires
from helpline.channels.web.visits import GRACE_S, Visits
from helpline.channels.web.words import words_for
from helpline.clock import Clock, SystemClock
from helpline.errors import LocalError
from helpline.settings import Settings

_DRAIN_S: Final = 5
"""How long a server that stops waits for its pages; their calls are hung up by the desk."""


def create_app(
    settings: Settings,
    open_desk: OpenDesk,
    *,
    clock: Clock | None = None,
    grace_s: float = GRACE_S,
) -> FastAPI:
    """The page over a desk that `open_desk(settings)` opens for as long as the application runs.

    Raises SettingsError for a sign-in that is half set up, and MissingPartError without Chainlit, which knows
    one page per process: the last one made is served.
    """
    clock = clock or SystemClock()
    fitted = fit(settings.name)
    browsers = Browsers(load_key(settings.data_dir))
    sign_in = SignIn.of(settings)
    oauth = OAuth.of(settings, browsers, clock)
    adapters = Adapters(settings)
    wires = SoundWires()
    ready = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with alone(settings.name), open_desk(settings) as desk:
            visits = Visits(
                desk,
                settings,
                clock,
                grace_s=grace_s,
                sign_in=sign_in,
                providers=oauth.names if oauth else {},
            )
            correspondents = Correspondents(desk, clock, words_for(settings.language))
            handlers = Handlers(visits, browsers, correspondents, adapters, wires)
            handlers.register()
            take_over(fitted, handlers, browsers, wires)
            app.state.visits = visits
            try:
                async with adapters.running():
                    ready.set()
                    yield
            finally:
                ready.clear()
                visits.close()
                await correspondents.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.ready = ready
    app.router.routes.extend(adapters.routes)
    app.router.routes.extend(account_routes(browsers))
    app.router.routes.extend(oauth.routes if oauth else ())
    app.router.routes.extend(
        routes(
            fitted,
            wires.around(fitted.app),
            browsers,
            Brand.of(settings),
            language=settings.language,
            ready=ready.is_set,
        )
    )
    app.add_middleware(Guard, clock=clock, loopback=settings.loopback, origins=settings.origins)
    return app


async def serve(
    settings: Settings, open_desk: Callable[[Settings], AbstractAsyncContextManager[ServedDesk]]
) -> None:
    """Serve the page until the process is told to stop; says in two lines where it is and who answers.

    SIGTERM and `helpline drain` let live calls end first.

    Raises LocalError when the port cannot be had, and what opening the desk raises: one sentence each.
    """
    with _listening(settings) as listener:
        async with open_desk(settings) as desk:
            app = create_app(settings, lambda _: nullcontext(desk))
            app.router.routes.insert(0, metrics_route(settings, desk.records.metrics))
            config = server_config(app, host=settings.host, port=settings.port)
            greeting = _greeting(settings, listener, desk)
            server = DrainingServer(config, greeting, desk, app.state.ready, settings.drain_s)
            async with operator.listening(settings.data_dir, desk, server.drain):
                await server.serve(sockets=[listener])


def server_config(app: Any, *, host: str, port: int) -> uvicorn.Config:
    """How the page is served: websockets without compression, which costs more than sound gains by it."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=MAX_FRAME_BYTES,
        # engine.io has pings of its own, which the page answers; a second set would only cost.
        ws_ping_interval=None,
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )


def _greeting(settings: Settings, listener: socket.socket, desk: Desk) -> str:
    host = "localhost" if settings.loopback else settings.host
    lines = [f"{settings.name} is open at http://{host}:{listener.getsockname()[1]}", desk.banner]
    if desk.demo_customers and not settings.sign_in_header:
        lines.append(f"Demo shop with fictional data: you are {desk.demo_customers[0].name}.")
    return "\n".join(lines)


def _listening(settings: Settings) -> socket.socket:
    """The socket of the page's port, bound before anything else is opened."""
    host, port = settings.host, settings.port
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
    except OSError:
        raise LocalError(f"HELPLINE_HOST is {host!r}, which is no address of this machine.") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as refused:
        listener.close()
        if refused.errno == errno.EADDRINUSE:
            reason = f"Port {port} is in use: choose another with --port or HELPLINE_PORT."
        elif refused.errno == errno.EACCES:
            reason = f"Port {port} needs more rights: choose one above 1023 with --port or HELPLINE_PORT."
        else:
            reason = f"HELPLINE_HOST is {host!r}, which is no address of this machine."
        raise LocalError(reason) from None
    return listener
