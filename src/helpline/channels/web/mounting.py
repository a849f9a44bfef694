"""The desk inside an application of your own, FastAPI or Starlette:

    app = FastAPI()
    mount(app, path="/desk")

The application's start-up opens the desk and its shut-down closes it; its own lifespan, routes and middleware
stay as they are. A process serves one page.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final

from starlette.applications import Starlette

from helpline.channels.web.app import create_app
from helpline.channels.web.oauth import heed_env_file
from helpline.channels.web.operating import ServedDesk, operated
from helpline.channels.web.seam import Desk, OpenDesk
from helpline.desk import open_desk as open_whole_desk
from helpline.errors import LocalError, SettingsError
from helpline.own import Own, own_in
from helpline.settings import Settings, load_settings

_PATH: Final = re.compile(r"/|(/[A-Za-z0-9._~-]+)+/?")


def mount(
    host: Starlette,
    settings: Settings | None = None,
    open_desk: OpenDesk | None = None,
    *,
    path: str = "/",
) -> None:
    """Serve the desk's page in `host` under `path`, from the host's start-up to its shut-down.

    Without `settings` they are read as `helpline run` reads them; without `open_desk` the desk is the one of
    the settings, with the tools and hooks of their `tools_file`. At `/` the host's own routes come first,
    whenever they are added.

    Raises SettingsError for a wrong setting or path, LocalError when the host has a desk or has started, and
    MissingPartError without Chainlit.
    """
    if not _PATH.fullmatch(path):
        raise SettingsError(f"A desk is mounted at a path such as /desk, not at {path!r}.")
    if getattr(host.state, "helpline", None) is not None:
        raise LocalError("This application has a desk already: a process serves one page, mounted once.")
    if host.middleware_stack is not None:
        raise LocalError("This application has started already: mount the desk before it is served.")
    path = path.rstrip("/")
    if settings is None:
        settings = load_settings()
        heed_env_file()
    opens = open_desk or _open_own

    @asynccontextmanager
    async def opened(settings: Settings) -> AsyncIterator[Desk]:
        async with AsyncExitStack() as stack:
            whole = await stack.enter_async_context(opens(settings))
            if isinstance(whole, ServedDesk):
                await stack.enter_async_context(operated(desk, settings, whole))
            yield whole

    desk = create_app(settings, opened)
    _join_lifespans(host, desk)
    if path:
        # Chainlit's own redirects after a sign-in begin with it.
        os.environ["CHAINLIT_ROOT_PATH"] = path
        host.mount(path, desk, name="helpline")
    else:
        # Where no route of the host answers; a mount would hide the routes that are added after it.
        host.router.default = desk
    host.state.helpline = desk


def _open_own(settings: Settings) -> AbstractAsyncContextManager[Desk]:
    own = own_in(settings.tools_file) if settings.tools_file else Own()
    return open_whole_desk(settings, own=own)


def _join_lifespans(host: Starlette, desk: Starlette) -> None:
    """Start the desk after the host and end it before. Starlette runs no lifespan of what is mounted."""
    of_host = host.router.lifespan_context

    @asynccontextmanager
    async def both(app: Any) -> Any:
        async with AsyncExitStack() as opened:
            state = await opened.enter_async_context(of_host(app))
            await opened.enter_async_context(desk.router.lifespan_context(desk))
            yield state

    host.router.lifespan_context = both
