"""The desk's page as an ASGI application of our own, with Chainlit inside it.

Ours, because `chainlit run` ends in `os._exit`, has no drain, and its start-up and shut-down hooks do not
fire when it is mounted: here the lifespan opens the desk, and closes it when the server stops.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI

from helpline.channels.web.browsers import Browsers, load_key
from helpline.channels.web.fitting import fit
from helpline.channels.web.guard import Guard
from helpline.channels.web.handlers import Handlers
from helpline.channels.web.seam import OpenDesk
from helpline.channels.web.site import routes
from helpline.channels.web.sockets import take_over
from helpline.channels.web.visits import GRACE_S, Visits
from helpline.clock import Clock, SystemClock
from helpline.settings import Settings

log = logging.getLogger(__name__)

DESK_NAME: Final = "ShopMe"


def create_app(
    settings: Settings,
    open_desk: OpenDesk,
    *,
    clock: Clock | None = None,
    origins: Iterable[str] = (),
    grace_s: float = GRACE_S,
) -> FastAPI:
    """The page over a desk that `open_desk(settings)` opens for as long as the application runs.

    `origins` are those that may use the page beside its own host's. Raises MissingPartError without Chainlit.
    Chainlit knows one page per process: the last one made is served.
    """
    clock = clock or SystemClock()
    fitted = fit(DESK_NAME)
    browsers = Browsers(load_key(settings.data_dir))
    ready = asyncio.Event()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_desk(settings) as desk:
            visits = Visits(desk, clock, desk_name=DESK_NAME, grace_s=grace_s)
            handlers = Handlers(visits, browsers)
            handlers.register()
            take_over(fitted, handlers, browsers)
            app.state.visits = visits
            ready.set()
            try:
                yield
            finally:
                ready.clear()
                visits.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.extend(routes(fitted, browsers, name=DESK_NAME, ready=ready.is_set))
    app.add_middleware(Guard, clock=clock, loopback=settings.loopback, origins=origins)
    return app
