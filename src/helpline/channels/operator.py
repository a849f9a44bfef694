"""The operator's socket: a file in the data folder by which `helpline drain` talks to a running desk.

One JSON object a line each way. Whoever may write into the data folder may ask: the socket is its owner's.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from helpline.errors import LocalError

log = logging.getLogger(__name__)

SOCKET: Final = "operator.sock"
TELL_EVERY_S: Final = 1.0
MAX_LINE_BYTES: Final = 10_000


class NoDesk(LocalError):
    """No desk runs with this data folder: check HELPLINE_DATA_DIR."""


class Drainable(Protocol):
    """What is asked of a desk."""

    @property
    def calls(self) -> Any:
        """The live calls; only how many there are is told."""


@asynccontextmanager
async def listening(
    data_dir: Path, desk: Drainable, drain: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    """Answer operators while the desk runs. `drain` returns when the calls have ended, before the exit.

    Where the socket cannot be had (Windows; a second desk in one folder) the desk runs without it.
    """
    path = data_dir / SOCKET
    if sys.platform == "win32" or await _answers(path):
        yield
        return
    path.unlink(missing_ok=True)
    try:
        place = _bound(path)
    except OSError as error:
        log.warning("helpline drain cannot reach this desk: %s", type(error).__name__)
        yield
        return
    server = await asyncio.start_unix_server(
        lambda reader, writer: _answer(reader, writer, desk, drain), sock=place, limit=MAX_LINE_BYTES
    )
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


def _bound(path: Path) -> socket.socket:
    """A socket there that is its owner's alone. Raises OSError."""
    place = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)  # The whole process's: nothing may be awaited until it is as it was.
    try:
        place.bind(str(path))
    except OSError:
        place.close()
        raise
    finally:
        os.umask(before)
    return place


async def _answers(path: Path) -> bool:
    """Whether another process listens there; a socket that a crash left does not answer."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True


async def _answer(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    desk: Drainable,
    drain: Callable[[], Awaitable[None]],
) -> None:
    with contextlib.suppress(ConnectionError, ValueError):
        asked = json.loads(await reader.readline() or b"{}")
        do = asked.get("do") if isinstance(asked, dict) else None
        if do == "drain":
            await _tell_drain(writer, desk, drain)
        elif do == "status":
            await _say(writer, {"calls": len(desk.calls)})
        else:
            await _say(writer, {"error": "unknown"})
    writer.close()


async def _tell_drain(
    writer: asyncio.StreamWriter, desk: Drainable, drain: Callable[[], Awaitable[None]]
) -> None:
    draining = asyncio.ensure_future(drain())
    while not draining.done():
        await _say(writer, {"calls": len(desk.calls)})
        await asyncio.wait([draining], timeout=TELL_EVERY_S)
    await draining
    await _say(writer, {"calls": len(desk.calls), "done": True})


async def _say(writer: asyncio.StreamWriter, words: dict[str, Any]) -> None:
    writer.write(json.dumps(words).encode() + b"\n")
    await writer.drain()


async def ask(data_dir: Path, what: str) -> AsyncIterator[dict[str, Any]]:
    """Ask a running desk, and give what it says until it has done it. Raises NoDesk."""
    try:
        reader, writer = await asyncio.open_unix_connection(data_dir / SOCKET, limit=MAX_LINE_BYTES)
    except OSError:
        raise NoDesk from None
    try:
        writer.write(json.dumps({"do": what}).encode() + b"\n")
        await writer.drain()
        while line := await reader.readline():
            yield json.loads(line)
    finally:
        writer.close()
