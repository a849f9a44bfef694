"""Tools that exist already: LangChain, LlamaIndex, Haystack, AutoGen, and MCP servers, taken as they are.

Each function turns one of theirs into one of ours; the library is its user's to install. Arguments are
checked against the tool's own schema, what it answers is data, and what `changes` something waits for the
customer's yes like any other change.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import msgspec

from helpline import wording
from helpline.actions import Identity, ToolResult
from helpline.errors import ToolError
from helpline.sentences import NOT_JUST_NOW
from helpline.tools.context import CallContext
from helpline.tools.schema import misfit
from helpline.tools.tool import Tool, readable, unfitting

SPOKEN_CHARS = 400

Call = Callable[[dict[str, Any], str], Awaitable[object]]
"""Its arguments, and the idempotency key of a change."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a tool of somebody else's is treated."""

    changes: bool = False
    """It changes something: it waits for the customer's yes."""
    identity: Identity | None = None
    """What it needs; left out: known to read, proven to change."""
    read_back: str = ""
    """Spoken before the yes, with `{argument}` in it; left out: the tool's name and its arguments."""
    effect_words: tuple[str, ...] = ()
    timeout_s: float = 10.0
    customer: str | None = None
    """Which argument is the customer: the desk fills it in with who was verified, and no model sees it. Left
    out: one that is called `customer`, `customer_id` or `user_id`, however it is spelled; empty: none. What
    is called so within an argument is who was verified too, whatever the model gave."""
    keyed: bool = False
    """It may be called again after a call whose end is not known: what it did once it does not do twice."""


READS = Manner()


_NAME = re.compile(r"[^A-Za-z0-9_-]")
MAX_NAME = 64
MAX_DESCRIPTION = 1000


def _wrap(name: str, description: str, parameters: Mapping[str, Any], call: Call, manner: Manner) -> Tool:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {},
        **{k: v for k, v in parameters.items() if k != "title"},
    }
    customer = _customer_in(name, schema["properties"], manner)
    whose = schema["properties"].get(customer, {})
    names = _names_of_customers(manner)
    if customer:
        schema["properties"] = {k: v for k, v in schema["properties"].items() if k != customer}
        schema["required"] = [each for each in schema.get("required", ()) if each != customer]

    def decode(text: str) -> dict[str, Any]:
        try:
            value = msgspec.json.decode(readable(text) or "{}")
        except (msgspec.DecodeError, RecursionError) as error:
            raise unfitting(str(error)) from error
        problem = misfit(schema, value) or _described_customer(value, names)
        if problem or (customer and customer in value):
            raise unfitting(problem or f"unknown field `{customer}`")
        return dict(_bound(value, names, _VERIFIED))  # nobody is asked to agree to another customer's name

    async def invoke(context: CallContext, arguments: dict[str, Any]) -> object:
        if _names_a_customer(arguments, names):
            arguments = _bound(arguments, names, context.customer_id)
        if customer:
            arguments = {**arguments, customer: _as(whose, context.customer_id)}
        return _result(await call(arguments, context.key))

    return Tool(
        name=_NAME.sub("_", name)[:MAX_NAME],
        description=description[:MAX_DESCRIPTION],
        parameters=schema,
        decode=decode,
        invoke=invoke,
        identity=manner.identity
        if manner.identity is not None
        else (Identity.PROVEN if manner.changes else Identity.KNOWN),
        changes=manner.changes,
        timeout_s=manner.timeout_s,
        keyed=manner.keyed,
        read_back=manner.read_back,
        effect_words=manner.effect_words,
    )


_CUSTOMERS = frozenset({"customer", "customerid", "userid"})
_VERIFIED = "you"
"""Stands for the customer within arguments until the tool is called, also in what is read back to them."""


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalpha())


def _names_of_customers(manner: Manner) -> frozenset[str]:
    """The letters of what a customer is called in its arguments."""
    if manner.customer is None:
        return _CUSTOMERS
    return _CUSTOMERS | {_letters(manner.customer)} if manner.customer else frozenset()


def _customer_in(tool: str, properties: Mapping[str, Any], manner: Manner) -> str:
    """The argument that is the customer; empty when none is. Raises ValueError when it is not there."""
    if manner.customer is None:
        return next((name for name in properties if _letters(name) in _CUSTOMERS), "")
    if manner.customer and manner.customer not in properties:
        raise ValueError(f"{tool} has no argument {manner.customer}")
    return manner.customer


def _named_customers(value: Any, names: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Every key at any depth that names a customer, and what the model gave for it."""
    if isinstance(value, Mapping):
        for key, given in value.items():
            if _letters(key) in names:
                yield key, given
            else:
                yield from _named_customers(given, names)
    elif isinstance(value, list):
        for each in value:
            yield from _named_customers(each, names)


def _described_customer(value: Any, names: Collection[str]) -> str:
    """What is wrong: a customer that is told of in fields or in a list cannot be made the verified one."""
    described = (key for key, given in _named_customers(value, names) if isinstance(given, (Mapping, list)))
    key = next(described, "")
    return f"unknown field `{key}`" if key else ""


def _names_a_customer(value: Any, names: Collection[str]) -> bool:
    return any(True for _ in _named_customers(value, names))


def _bound(value: Any, names: Collection[str], customer_id: str) -> Any:
    """The same with who was verified wherever a customer is named."""
    if isinstance(value, Mapping):
        return {
            key: _like(given, customer_id) if _letters(key) in names else _bound(given, names, customer_id)
            for key, given in value.items()
        }
    return [_bound(each, names, customer_id) for each in value] if isinstance(value, list) else value


def _like(given: Any, customer_id: str) -> str | int:
    """A customer's id as the model wrote the one in its place; nobody's, where that was a number."""
    if not isinstance(given, int):
        return customer_id
    return int(customer_id) if customer_id.isdecimal() else 0


def _as(schema: Mapping[str, Any], customer_id: str) -> str | int:
    """A customer's id as the argument wants it."""
    return int(customer_id) if schema.get("type") == "integer" and customer_id.isdecimal() else customer_id


def _result(answer: object) -> ToolResult:
    if isinstance(answer, str):
        try:
            answer = json.loads(answer)
        except ValueError:
            return ToolResult(wording.plain(str(answer), SPOKEN_CHARS), {"result": answer})
    if isinstance(answer, Mapping):
        # MCP servers wrap a plain text as {"result": …}.
        say = answer.get("say") or answer.get("result")
        spoken = wording.plain(say, SPOKEN_CHARS) if isinstance(say, str) else ""
        return ToolResult(spoken, _plain(dict(answer)))
    return ToolResult(wording.plain(str(answer), SPOKEN_CHARS), {"result": _plain(answer)})


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, enc_hook=str, str_keys=True)


def from_langchain(their: Any, manner: Manner = READS) -> Tool:
    """A LangChain `BaseTool`."""

    async def call(arguments: dict[str, Any], key: str) -> object:
        return await their.ainvoke(arguments)

    parameters = their.tool_call_schema
    schema = parameters if isinstance(parameters, dict) else parameters.model_json_schema()
    return _wrap(their.name, their.description, schema, call, manner)


def from_llamaindex(their: Any, manner: Manner = READS) -> Tool:
    """A LlamaIndex `AsyncBaseTool` (a `FunctionTool`, a query engine's tool)."""

    async def call(arguments: dict[str, Any], key: str) -> object:
        output = await their.acall(**arguments)
        if output.is_error:
            raise ToolError(NOT_JUST_NOW, reason="failed")
        raw = output.raw_output
        return raw if isinstance(raw, (str, Mapping)) else output.content

    metadata = their.metadata
    return _wrap(metadata.get_name(), metadata.description, metadata.get_parameters_dict(), call, manner)


def from_haystack(their: Any, manner: Manner = READS) -> Tool:
    """A Haystack `Tool`; it is called in a thread."""

    async def call(arguments: dict[str, Any], key: str) -> object:
        return await asyncio.to_thread(their.invoke, **arguments)

    return _wrap(their.name, their.description, their.parameters, call, manner)


def from_autogen(their: Any, manner: Manner = READS) -> Tool:
    """An AutoGen `BaseTool`."""
    new_token = import_module("autogen_core").CancellationToken

    async def call(arguments: dict[str, Any], key: str) -> object:
        token = new_token()
        try:
            answer = await their.run_json(arguments, token)
        except asyncio.CancelledError:
            token.cancel()
            raise
        return answer if isinstance(answer, Mapping) else their.return_value_as_string(answer)

    return _wrap(their.name, their.description, their.schema.get("parameters", {}), call, manner)


class McpSession(Protocol):
    """What is used of an `mcp.ClientSession`, initialised by its owner."""

    async def list_tools(self) -> Any: ...

    async def call_tool(
        self, name: str, arguments: dict[str, Any], *, meta: dict[str, Any] | None = None
    ) -> Any: ...


async def from_mcp(
    session: McpSession, allow: Collection[str], manners: Mapping[str, Manner] | None = None
) -> tuple[Tool, ...]:
    """The tools of an MCP server that are named in `allow`, and no others.

    A tool is taken to change something unless `manners` says otherwise: what a server says of its own
    tools is a hint, which by the protocol is not to be trusted.

    Raises:
        ValueError: the server has no tool of an allowed name.
    """
    offered = {each.name: each for each in (await session.list_tools()).tools}
    missing = sorted(set(allow) - offered.keys())
    if missing:
        raise ValueError(f"the MCP server has no tool {missing[0]}")
    return tuple(
        _wrap(
            name,
            offered[name].description or name,
            offered[name].inputSchema,
            _mcp_call(session, name),
            (manners or {}).get(name) or Manner(changes=True),
        )
        for name in sorted(allow)
    )


def _mcp_call(session: McpSession, name: str) -> Call:
    async def call(arguments: dict[str, Any], key: str) -> object:
        meta = {"helpline/idempotency-key": key} if key else None
        answer = await session.call_tool(name, arguments, meta=meta)
        if answer.isError:
            raise ToolError(NOT_JUST_NOW, reason="failed")
        if answer.structuredContent is not None:
            return answer.structuredContent
        return "\n".join(part.text for part in answer.content if part.type == "text")

    return call
