"""Tools that exist already, taken as they are; each with the real library."""

from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from helpline.actions import Identity
from helpline.errors import ToolError
from helpline.policy import load_policy
from helpline.tools import Toolbox
from helpline.tools.foreign import (
    READS,
    Manner,
    from_autogen,
    from_haystack,
    from_langchain,
    from_llamaindex,
    from_mcp,
)
from helpline.tools.schema import misfit
from tests.tools.talk import ask, propose, refused, say_yes

BRANCH = Manner(
    changes=True, read_back="I can reserve {count} at {branch}. Shall I?", effect_words=("reserve",)
)


@pytest.fixture
def box_of(store, clock):
    return lambda *tools: Toolbox(tools, store=store, policy=load_policy(), clock=clock)


def stock_of(branch: str, count: int = 1) -> str:
    """How many are in stock at a branch.

    Args:
        branch: The branch's town.
        count: How many are wanted.
    """
    return f"{count} of 7 in {branch}."


async def works(box_of, call, tool):
    """What any of them must do, whichever library it came from."""
    box = box_of(tool)
    assert tool.name == "stock_of"
    assert "stock" in tool.description
    assert set(tool.parameters["properties"]) == {"branch", "count"}
    assert tool.parameters["required"] == ["branch"]
    assert tool.identity is Identity.KNOWN
    result = await ask(box, call, "stock_of", branch="Salem", count=2)
    assert "2 of 7 in Salem." in result.say
    assert await refused(ask(box, call, "stock_of", count=2)) == "missing:branch"
    assert await refused(ask(box, call, "stock_of", branch=3)) == "bad:branch"
    assert await refused(ask(box, call, "stock_of", branch="Salem", colour="red")) == "unknown_argument"


async def waits_for_a_yes(box_of, call, tool):
    """A tool that changes something waits for the yes, whichever library it came from."""
    box = box_of(tool)
    assert tool.identity is Identity.PROVEN
    proposal = await propose(box, call, "stock_of", branch="Salem", count=2)
    assert proposal.read_back == "I can reserve 2 at Salem. Shall I?"
    assert "2 of 7 in Salem." in (await say_yes(box, call, proposal)).say


async def test_langchain(box_of, maya):
    tools = pytest.importorskip("langchain_core.tools")
    theirs = tools.tool(stock_of, parse_docstring=True)
    await works(box_of, maya, from_langchain(theirs))
    await waits_for_a_yes(box_of, maya, from_langchain(theirs, BRANCH))


async def test_llamaindex(box_of, maya):
    tools = pytest.importorskip("llama_index.core.tools")
    theirs = tools.FunctionTool.from_defaults(stock_of)
    await works(box_of, maya, from_llamaindex(theirs))
    await waits_for_a_yes(box_of, maya, from_llamaindex(theirs, BRANCH))


async def test_haystack(box_of, maya):
    tools = pytest.importorskip("haystack.tools")
    theirs = tools.create_tool_from_function(stock_of)
    await works(box_of, maya, from_haystack(theirs))
    await waits_for_a_yes(box_of, maya, from_haystack(theirs, BRANCH))


async def test_autogen(box_of, maya):
    tools = pytest.importorskip("autogen_core.tools")
    theirs = tools.FunctionTool(stock_of, description="How many are in stock.")
    await works(box_of, maya, from_autogen(theirs))
    await waits_for_a_yes(box_of, maya, from_autogen(theirs, BRANCH))


class Orders:
    """A tool of theirs that takes a customer somewhere within its arguments."""

    name = "orders_of"
    description = "Which orders somebody has."
    tool_call_schema: ClassVar = {
        "type": "object",
        "properties": {"query": {"type": "object"}, "also": {"type": "array"}},
    }

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def ainvoke(self, arguments: dict[str, Any]) -> str:
        self.asked.append(arguments)
        return "None."


async def test_a_customer_named_within_an_argument_is_who_was_verified(box_of, maya):
    theirs = Orders()
    box = box_of(from_langchain(theirs))
    nested = {"filter": {"customerId": "tomas", "user_id": 7, "open": True}}
    await ask(box, maya, "orders_of", query=nested, also=[{"CUSTOMER": "tomas"}, "tomas"])
    mine = {"filter": {"customerId": "maya", "user_id": 0, "open": True}}
    assert theirs.asked == [{"query": mine, "also": [{"CUSTOMER": "maya"}, "tomas"]}]
    for described in ({"customer": {"id": "tomas"}}, {"customer": ["tomas"]}):
        assert await refused(ask(box, maya, "orders_of", query=described)) == "unknown_argument"
    assert len(theirs.asked) == 1


async def test_what_is_read_back_names_no_other_customer_than_who_it_is_done_for(box_of, maya):
    theirs = Orders()
    box = box_of(from_langchain(theirs, Manner(changes=True)))
    proposal = await propose(box, maya, "orders_of", query={"customer_id": "tomas"})
    assert "tomas" not in proposal.read_back
    assert "you" in proposal.read_back
    await say_yes(box, maya, proposal)
    assert theirs.asked == [{"query": {"customer_id": "maya"}}]


async def test_an_argument_named_as_the_customer_leaves_the_others_bound(box_of, maya):
    theirs = Orders()
    theirs.tool_call_schema = {"type": "object", "properties": {"buyer": {}, "query": {"type": "object"}}}
    box = box_of(from_langchain(theirs, Manner(customer="buyer")))
    await ask(box, maya, "orders_of", query={"customer_id": "tomas", "buyer": "tomas"})
    assert theirs.asked == [{"query": {"customer_id": "maya", "buyer": "maya"}, "buyer": "maya"}]


async def test_a_tool_for_whom_no_customer_is_meant_takes_any(box_of, maya):
    theirs = Orders()
    box = box_of(from_langchain(theirs, Manner(customer="")))
    await ask(box, maya, "orders_of", query={"customer": {"id": "tomas"}})
    assert theirs.asked == [{"query": {"customer": {"id": "tomas"}}}]


async def test_a_tool_of_theirs_that_fails_is_apologised_for(box_of, maya):
    tools = pytest.importorskip("langchain_core.tools")

    def stock_of(branch: str) -> str:
        """How many are in stock."""
        raise OSError(f"no line to {branch}")

    box = box_of(from_langchain(tools.tool(stock_of)))
    assert await refused(ask(box, maya, "stock_of", branch="Salem")) == "unreachable"


@asynccontextmanager
async def mcp_session():
    server_module = pytest.importorskip("mcp.server.fastmcp")
    from mcp.shared.memory import create_connected_server_and_client_session

    server = server_module.FastMCP("stock")
    server.tool()(stock_of)

    @server.tool()
    def order_more(branch: str) -> str:
        """Order more for a branch."""
        return f"Ordered for {branch}."

    @server.tool()
    def wipe() -> str:
        """Delete everything."""
        raise AssertionError

    @server.tool()
    def fail() -> str:
        """Fail."""
        raise RuntimeError("secret path")

    async with create_connected_server_and_client_session(server._mcp_server) as session:
        yield session


async def test_an_mcp_server_gives_what_is_allowed(box_of, maya):
    async with mcp_session() as session:
        tools = await from_mcp(session, ["stock_of", "order_more"], {"stock_of": READS})
        assert [tool.name for tool in tools] == ["order_more", "stock_of"]
        await works(box_of, maya, tools[1])
        box = box_of(*tools)
        assert await refused(ask(box, maya, "wipe")) == "unknown_tool"


async def test_an_mcp_tool_waits_for_a_yes_unless_its_owner_says_that_it_reads(box_of, maya):
    async with mcp_session() as session:
        box = box_of(*await from_mcp(session, allow=["order_more"]))
        proposal = await propose(box, maya, "order_more", branch="Salem")
        assert proposal.read_back == "I can order more: branch Salem. Shall I?"
        assert "Ordered for Salem." in (await say_yes(box, maya, proposal)).say


async def test_an_mcp_tool_that_fails_keeps_its_secrets(box_of, maya):
    async with mcp_session() as session:
        box = box_of(*await from_mcp(session, ["fail"], {"fail": READS}))
        with pytest.raises(ToolError) as error:
            await ask(box, maya, "fail")
        assert "secret" not in error.value.say


async def test_a_tool_that_the_mcp_server_does_not_have():
    async with mcp_session() as session:
        with pytest.raises(ValueError, match="nothing_like_it"):
            await from_mcp(session, allow=["nothing_like_it"])


SCHEMA = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 1, "maximum": 9},
        "x": {"type": "number"},
        "s": {"type": "string", "maxLength": 3},
        "b": {"type": "boolean"},
        "e": {"enum": ["a", "b"]},
        "l": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "o": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Point"}]},
    },
    "required": ["n"],
    "$defs": {"Point": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
}


@pytest.mark.parametrize(
    "value",
    [
        {"n": 1},
        {"n": 9, "x": 1},
        {"n": 1, "s": "abc", "b": True, "e": "a", "l": ["x", "y"], "o": None},
        {"n": 1, "o": {"x": 2.5}},
    ],
)
def test_what_fits_a_schema(value):
    assert misfit(SCHEMA, value) == ""


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ([], "`$`"),
        ({}, "`n`"),
        ({"n": 0}, "$.n"),
        ({"n": 10}, "$.n"),
        ({"n": True}, "$.n"),
        ({"n": 1.5}, "$.n"),
        ({"n": 1, "x": "1"}, "$.x"),
        ({"n": 1, "x": False}, "$.x"),
        ({"n": 1, "s": "abcd"}, "$.s"),
        ({"n": 1, "b": 1}, "$.b"),
        ({"n": 1, "e": "c"}, "$.e"),
        ({"n": 1, "l": ["a", 2]}, "$.l"),
        ({"n": 1, "l": ["a"] * 3}, "$.l"),
        ({"n": 1, "o": {"y": 1}}, "$.o"),
        ({"n": 1, "z": 1}, "`z`"),
    ],
)
def test_what_does_not_fit_a_schema(value, at):
    assert at in misfit(SCHEMA, value)
