"""Chainlit, fitted into the desk: imported once, with our settings, from a folder that is not the user's.

Chainlit reads its settings and writes three folders *while it is imported* (its `config.py`): by default
into the working directory. It is therefore imported here alone, after its root has been pointed at a
temporary folder that holds a `config.toml` of ours and goes when the process ends. Everything of Chainlit
that is not used is off: uploads, MCP, HTML in messages, editing, sharing. Chainlit keeps its settings and its
hooks for the whole process, so a process serves one page.
"""

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from helpline.errors import LocalError, MissingPartError

SESSION_TIMEOUT_S: Final = 45
"""How long Chainlit keeps a session whose socket is gone; longer than the desk's own grace time."""

MAX_FRAME_BYTES: Final = 100_000
"""Largest frame from a page: 40 ms of sound are 1920 bytes, a message is cut at 4000 characters."""

_PING_S: Final = 10
"""A page that vanished without a word is noticed within twice this; Chainlit's own default takes 45 s."""

_CONFIG: Final = """\
[project]
session_timeout = {session_timeout}
transports = ["websocket"]
allow_origins = []
cache = false
persist_user_env = false

[features]
unsafe_allow_html = false
latex = false
user_message_markdown = false
user_message_autoscroll = false
assistant_message_autoscroll = true
auto_tag_thread = false
edit_message = false
allow_thread_sharing = false
favorites = false

[features.spontaneous_file_upload]
enabled = false
accept = ["text/plain"]
max_files = 0
max_size_mb = 0

[features.audio]
enabled = true

[features.mcp]
enabled = false

[UI]
name = "{name}"
cot = "full"
alert_style = "modern"
confirm_new_chat = true

[meta]
generated_by = "2.12.0"
"""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The parts of Chainlit that the channel works with."""

    app: Any
    """Its ASGI application."""
    sio: Any
    """Its socket.io server."""
    config: Any
    sessions: Any
    """The class of its sessions, with `get(sid)` and `get_by_id(session_id)`."""
    socket_events: Mapping[str, Callable[..., Awaitable[Any]]]
    """Its own handlers of socket events, by name."""
    enter: Callable[[Any], Any]
    """Make a session the current one of this task, for Chainlit's context."""
    count_sessions: Callable[[], int]
    build_dir: Path
    """Where the files of its page are."""
    translations_dir: Path


_open: set[str] = set()
"""The name of the page that is open, if one is."""


@asynccontextmanager
async def alone(name: str) -> AsyncIterator[None]:
    """The page called `name` is open. Raises LocalError while another of this process is."""
    if _open:
        raise LocalError(
            f"A process serves one page, and {min(_open)} is open in this one: mount it once, "
            "and give the second desk a process of its own."
        )
    _open.add(name)
    try:
        yield
    finally:
        _open.clear()


_root: tempfile.TemporaryDirectory[str] | None = None
_socket_events: dict[str, Callable[..., Awaitable[Any]]] = {}


def fit(name: str) -> Fitted:
    """Import Chainlit with our settings, for a page that is called `name`; later calls only rename it.

    Raises MissingPartError when Chainlit is not installed.
    """
    global _root
    if _root is None:
        if "chainlit" in sys.modules:
            raise MissingPartError(
                "Chainlit was imported before Helpline could set it up: import Helpline's page first."
            )
        _root = tempfile.TemporaryDirectory(prefix="helpline-page-")
        _write_root(Path(_root.name), name)
        os.environ["CHAINLIT_APP_ROOT"] = _root.name
        os.environ.setdefault("TRACELOOP_TELEMETRY", "false")
    # It reports each file that it writes there, and warns of each translation that it does not find.
    logging.getLogger("chainlit").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        # What its libraries find outdated in each other is theirs to mend.
        warnings.simplefilter("ignore")
        fitted = _import()
    fitted.config.ui.name = name
    # Light or dark as the customer's system is; the page understands it, only the file's schema does not.
    fitted.config.ui.default_theme = "system"
    return fitted


def _write_root(root: Path, name: str) -> None:
    folder = root / ".chainlit"
    folder.mkdir()
    safe_name = name.replace("\\", "").replace('"', "'").replace("\n", " ")
    text = _CONFIG.format(session_timeout=SESSION_TIMEOUT_S, name=safe_name)
    (folder / "config.toml").write_text(text, encoding="utf-8")


def _import() -> Fitted:
    try:
        from chainlit import config as chainlit_config
        from chainlit import server, session
        from chainlit.context import init_ws_context
    except ImportError as missing:
        raise MissingPartError(
            "The page needs Chainlit: install it with `pip install 'helpline[web]'`."
        ) from missing
    if not _socket_events:
        _socket_events.update(server.sio.handlers["/"])
    server.sio.eio.max_http_buffer_size = MAX_FRAME_BYTES
    server.sio.eio.ping_interval = _PING_S
    server.sio.eio.ping_timeout = _PING_S
    return Fitted(
        app=server.app,
        sio=server.sio,
        config=chainlit_config.config,
        sessions=session.WebsocketSession,
        socket_events=_socket_events,
        enter=init_ws_context,
        count_sessions=session.ws_sessions_id.__len__,
        build_dir=Path(server.build_dir),
        translations_dir=Path(chainlit_config.TRANSLATIONS_DIR),
    )
