"""Tools of MCP servers: each server kept open, started again when it dies, and believed in nothing.

One task owns a server from its start to its end, as the library's scopes ask for. What is on the list is
offered; the rest of the server does not exist. A call while the server is away is apologised for.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TextIO

from helpline.errors import MissingPartError, SettingsError
from helpline.mcp_settings import McpServer
from helpline.policy.policy import LEVELS
from helpline.tools.foreign import Manner, from_mcp
from helpline.tools.tool import Tool

log = logging.getLogger(__name__)

START_S: Final = 20.0
PAUSES_S: Final = (0.2, 1.0, 5.0, 15.0)
"""Before a server that died is started again; the last one again and again."""
MAX_PAGES: Final = 50
"""Of a server's list of tools."""


class McpLost(Exception):
    """The server is away just now."""


class McpLine:
    """One server: a session that is opened again when it is lost."""

    def __init__(self, server: McpServer) -> None:
        self._server = server
        self._session: Any = None
        self._changed = asyncio.Condition()
        self._lost = asyncio.Event()
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Keep the server open, until cancelled."""
        attempt = 0
        while True:
            try:
                async with AsyncExitStack() as opened:
                    session = await _open(self._server, opened)
                    attempt = 0
                    await self._is(session, None)
                    await self._lost.wait()
            except Exception as error:  # noqa: BLE001 - the edge of a task: it is opened again
                log.warning("MCP server %s: %s", self._server.name, _kind(error))
                await self._is(None, error)
            finally:
                self._session = None
                self._lost.clear()
            await asyncio.sleep(PAUSES_S[min(attempt, len(PAUSES_S) - 1)])
            attempt += 1

    async def _is(self, session: Any, failure: BaseException | None) -> None:
        async with self._changed:
            self._session, self._failure = session, failure
            self._changed.notify_all()

    async def started(self) -> None:
        """Wait for the first session. Raises SettingsError when there is none."""
        place = f"the MCP server {self._server.name} ([mcp.{self._server.name}])"
        try:
            async with asyncio.timeout(START_S), self._changed:
                await self._changed.wait_for(lambda: self._session or self._failure)
        except TimeoutError:
            raise SettingsError(f"{place} did not answer in {START_S:.0f} seconds: check it.") from None
        if self._session is None:
            raise SettingsError(f"{place} does not start: check its command or url, and that it speaks MCP.")

    async def list_tools(self) -> Any:
        found = await self._live().list_tools()
        for _ in range(MAX_PAGES):
            if not found.nextCursor:
                break
            more = await self._live().list_tools(found.nextCursor)
            found.tools.extend(more.tools)
            found.nextCursor = more.nextCursor
        return found

    async def call_tool(
        self, name: str, arguments: dict[str, Any], meta: dict[str, Any] | None = None
    ) -> Any:
        from mcp.shared.exceptions import McpError

        session = self._live()
        try:
            return await session.call_tool(
                name, arguments, read_timeout_seconds=timedelta(seconds=self._server.timeout_s), meta=meta
            )
        except McpError as error:
            if "closed" in str(error).lower():
                self._lose(session)
            raise McpLost from error
        except Exception as error:
            self._lose(session)
            raise McpLost from error

    def _lose(self, session: Any) -> None:
        if session is self._session:
            self._session = None
            self._lost.set()

    def _live(self) -> Any:
        if self._session is None:
            raise McpLost
        return self._session


async def _open(server: McpServer, opened: AsyncExitStack) -> Any:
    from mcp import ClientSession

    streams = await (_command(server, opened) if server.command else _http(server, opened))
    limit = timedelta(seconds=server.timeout_s)
    session = await opened.enter_async_context(ClientSession(*streams, read_timeout_seconds=limit))
    await session.initialize()
    return session


async def _command(server: McpServer, opened: AsyncExitStack) -> tuple[Any, Any]:
    from mcp import StdioServerParameters
    from mcp.client.stdio import get_default_environment, stdio_client

    handed_on = {name: os.environ[name] for name in server.env if name in os.environ}
    started = StdioServerParameters(
        command=server.command[0],
        args=list(server.command[1:]),
        env={**get_default_environment(), **handed_on},
    )
    # What it writes to its error stream may hold anything: it is not ours to log.
    nowhere = opened.enter_context(_nowhere())
    streams: tuple[Any, Any] = await opened.enter_async_context(stdio_client(started, errlog=nowhere))
    return streams


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")


async def _http(server: McpServer, opened: AsyncExitStack) -> tuple[Any, Any]:
    import httpx
    from mcp.client.streamable_http import streamable_http_client

    headers = {
        name: os.environ[variable] for name, variable in server.headers.items() if variable in os.environ
    }
    client = await opened.enter_async_context(
        httpx.AsyncClient(headers=headers, timeout=server.timeout_s, follow_redirects=False)
    )
    read, write, _ = await opened.enter_async_context(streamable_http_client(server.url, http_client=client))
    return read, write


async def _tools_of(server: McpServer, line: McpLine) -> tuple[Tool, ...]:
    manners = {name: _manner(server, name) for name in server.tools}
    return await from_mcp(line, server.tools, manners)


def _manner(server: McpServer, name: str) -> Manner:
    level = server.identity.get(name)
    return Manner(
        changes=name not in server.reads,
        identity=LEVELS[level] if level is not None else None,
        customer=server.customer.get(name),
        read_back=server.read_back.get(name, ""),
        timeout_s=server.timeout_s,
        keyed=name in server.repeatable,
    )


def _kind(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__


@asynccontextmanager
async def mcp_tools(servers: Sequence[McpServer]) -> AsyncIterator[tuple[Tool, ...]]:
    """The tools of all servers, which are kept open until the way out.

    Raises SettingsError when a server does not start or lacks a tool, MissingPartError without the library.
    """
    if not servers:
        yield ()
        return
    try:
        import mcp  # noqa: F401
    except ImportError:
        raise MissingPartError("MCP servers need one more part: `pip install 'helpline[mcp]'`.") from None
    lines = {server.name: McpLine(server) for server in servers}
    running = [asyncio.create_task(line.run(), name=f"mcp {name}") for name, line in lines.items()]
    try:
        tools: list[Tool] = []
        for server in servers:
            await lines[server.name].started()
            try:
                tools += await _tools_of(server, lines[server.name])
            except ValueError as wrong:
                raise SettingsError(f"[mcp.{server.name}]: {wrong}.") from None
        yield tuple(tools)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
