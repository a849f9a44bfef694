"""Serving the page with uvicorn, from start to a clean end."""

from typing import Any, Final

import uvicorn

from helpline.channels.web.fitting import MAX_FRAME_BYTES

_DRAIN_S: Final = 5
"""How long a stopping server waits for its pages; calls are hung up by the desk."""


def server_config(app: Any, *, host: str, port: int) -> uvicorn.Config:
    """How the page is served: websockets without compression, which costs more than sound gains by it."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=MAX_FRAME_BYTES,
        # engine.io has its own pings, which the page answers; a second set would only cost.
        ws_ping_interval=None,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )
