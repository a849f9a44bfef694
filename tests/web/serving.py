"""An application served by uvicorn in the test's own loop, as `helpline run` serves it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from helpline.channels.web.app import server_config


@asynccontextmanager
async def served(app, host: str = "127.0.0.1", listener: socket.socket | None = None) -> AsyncIterator[str]:
    """The base address of `app`, for as long as it is served on a free port, or on a bound socket."""
    server = uvicorn.Server(server_config(app, host=host, port=0))
    serving = asyncio.create_task(server.serve(sockets=[listener] if listener else None))
    try:
        async with asyncio.timeout(60):
            while not server.started:
                if serving.done():
                    serving.result()
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://{host}:{port}"
    finally:
        server.should_exit = True
        await serving
