"""Chainlit's socket events: those that the page needs, with what Chainlit leaves open closed.

- `connect`: a page's session id must be a fresh random one; a session that exists is given back only to the
  browser that opened it (Chainlit gives it to anyone who names it).
- `connection_successful`: Chainlit has no hook for a socket that returns; ours is called here.
- `clear_session`: *New chat* sends it and closes the socket at once, and Chainlit may see the close first.
- `stop`: Chainlit posts "Task manually stopped." into the conversation; ours only stops.
- Events of features that are off do not exist; `audio_chunk` never gets here (`sound.py`).
"""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from socketio.exceptions import ConnectionRefusedError as Refused

from helpline.channels.web.browsers import Browsers
from helpline.channels.web.fitting import Fitted
from helpline.channels.web.handlers import Handlers
from helpline.channels.web.sound import SoundWires

MAX_SESSIONS: Final = 2000
"""Pages in one process, with those that Chainlit still remembers; more are refused."""

_WANTED: Final = (
    "disconnect",
    "client_message",
    "window_message",
    "audio_start",
    "audio_end",
)


def take_over(fitted: Fitted, handlers: Handlers, browsers: Browsers, wires: SoundWires) -> None:
    """Put our events in place of Chainlit's, or of an earlier app's in this process."""
    theirs = fitted.socket_events
    events: dict[str, Callable[..., Awaitable[Any]]] = {name: theirs[name] for name in _WANTED}

    async def connect(sid: str, environ: dict[str, Any], auth: Any) -> Any:
        _check(fitted, browsers, environ, auth)
        let_in = await theirs["connect"](sid, environ, auth)
        wires.open(environ["asgi.scope"], auth["sessionId"], handlers)
        return let_in

    async def connection_successful(sid: str) -> None:
        session = fitted.sessions.require(sid)
        returned = session.restored and session.chat_started
        await theirs["connection_successful"](sid)
        if returned:
            await handlers.on_return()

    async def clear_session(sid: str) -> None:
        await theirs["clear_session"](sid)
        if session := fitted.sessions.get(sid):
            fitted.enter(session)
            handlers.on_clear()

    async def stop(sid: str) -> None:
        if session := fitted.sessions.get(sid):
            fitted.enter(session)
            await handlers.on_stop()

    events |= {
        "connect": connect,
        "connection_successful": connection_successful,
        "clear_session": clear_session,
        "stop": stop,
    }
    fitted.sio.handlers["/"] = events


def _check(fitted: Fitted, browsers: Browsers, environ: dict[str, Any], auth: Any) -> None:
    if not isinstance(auth, dict) or auth.get("clientType") != "webapp":
        raise Refused("no page of this desk")
    session_id = auth.get("sessionId")
    if not isinstance(session_id, str) or not _is_random(session_id):
        raise Refused("no page of this desk")
    session = fitted.sessions.get_by_id(session_id)
    if session is None:
        if fitted.count_sessions() >= MAX_SESSIONS:
            raise Refused("the desk is full")
    elif _browser(browsers, session.environ) != _browser(browsers, environ):
        raise Refused("another browser's page")


def _is_random(session_id: str) -> bool:
    try:
        return uuid.UUID(session_id).version == 4
    except ValueError:
        return False


def _browser(browsers: Browsers, environ: dict[str, Any]) -> str:
    return browsers.known(environ.get("HTTP_COOKIE", ""))
