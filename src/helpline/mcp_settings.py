"""MCP servers in `desk.toml`: a table each, `[mcp.NAME]`.

[mcp.stock]
command = ["python", "stock_server.py"]   # or url = "https://stock.example.com/mcp"
tools = ["stock_of", "reserve"]           # these and no others
reads = ["stock_of"]                      # the others wait for the customer's yes
env = ["STOCK_KEY"]                       # variables of the environment that are handed on

[mcp.stock.read_back]
reserve = "I can reserve {count} at {branch}. Shall I?"
"""

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from helpline.errors import SettingsError

Words = tuple[Annotated[str, Meta(min_length=1)], ...]


class McpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server and what of it is used."""

    tools: Annotated[Words, Meta(min_length=1)]
    """The tools that are offered."""
    name: str = ""
    command: Words = ()
    """A program that speaks MCP over its standard input and output."""
    url: str = ""
    """A server that speaks it over streamable HTTP."""
    reads: Words = ()
    """Tools that change nothing. Every other waits for the customer's yes, whatever the server says of it:
    by the protocol, its hints are not to be trusted."""
    repeatable: Words = ()
    """Changes that do nothing twice for one idempotency key: one whose end is not known is made again."""
    identity: dict[str, Literal["guest", "known", "proven"]] = {}
    """What a tool needs; left out: known to read, proven to change."""
    customer: dict[str, str] = {}
    """Which argument of a tool is the customer: the desk fills it in. Left out: one that is called so."""
    read_back: dict[str, str] = {}
    """What is said before the yes, by the tool's name, with `{argument}` in it."""
    env: Words = ()
    """Names of environment variables that the program gets."""
    headers: dict[str, str] = {}
    """Headers of each request; a value names the environment variable that holds it."""
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0


def mcp_servers(table: Any, place: str) -> tuple[McpServer, ...]:
    """The servers of a file's `mcp` table. Raises SettingsError with the place."""
    if not isinstance(table, dict):
        raise SettingsError(f"{place}: mcp must be tables such as [mcp.stock].")
    return tuple(_server(name, value, f"{place}, [mcp.{name}]") for name, value in table.items())


def _server(name: str, value: Any, place: str) -> McpServer:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise SettingsError(f"{place}: a server's name is of letters, digits, - and _.")
    try:
        server = msgspec.structs.replace(msgspec.convert(value, McpServer), name=name)
    except msgspec.ValidationError as wrong:
        raise SettingsError(f"{place}: {wrong}.") from wrong
    if bool(server.command) == bool(server.url):
        raise SettingsError(f"{place}: set either command or url.")
    if server.url and not _is_safe(server.url):
        raise SettingsError(f"{place}: url must be https, or http on this machine.")
    named = {*server.reads, *server.repeatable, *server.identity, *server.customer, *server.read_back}
    if strange := sorted(named - set(server.tools)):
        raise SettingsError(f"{place}: {strange[0]} is not among its tools.")
    if both := sorted(set(server.reads) & set(server.repeatable)):
        raise SettingsError(f"{place}: {both[0]} stands in reads and in repeatable, which is for changes.")
    return server


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))
