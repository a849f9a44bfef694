"""`@tool`: a typed function becomes a tool, and nothing that does not fit reaches it."""

import asyncio
import json
import threading
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline.actions import Identity, ToolResult
from helpline.errors import ToolError
from helpline.policy import load_policy
from helpline.tools import CallContext, Toolbox, tool
from helpline.tools.desk import desk_tools
from tests.tools.talk import ask, refused


@tool
async def book_table(
    context: CallContext,
    day: Literal["friday", "saturday"],
    guests: int,
    outside: bool = False,
    note: str = "",
) -> dict[str, object]:
    """Book a table
    in the restaurant.

    Args:
        day: Which evening.
        guests: How many come,
            children too.

    Raises:
        ToolError: it is full.
    """
    return {"say": f"A table for {guests} on {day}.", "caller": context.caller.name, "outside": outside}


def test_the_schema_comes_from_the_signature_and_the_docstring():
    assert book_table.name == "book_table"
    assert book_table.description == "Book a table in the restaurant."
    schema = book_table.parameters
    assert schema["required"] == ["day", "guests"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["day"] == {"enum": ["friday", "saturday"], "description": "Which evening."}
    assert schema["properties"]["guests"]["description"] == "How many come, children too."
    assert schema["properties"]["outside"]["default"] is False
    assert "context" not in schema["properties"]
    assert "$ref" not in json.dumps(schema)


def box(store, clock, *tools):
    return Toolbox(tools, store=store, policy=load_policy(), clock=clock)


def test_a_tool_that_lets_the_model_say_whose_it_is_is_refused():
    async def orders_of(customer_id: str) -> str:
        """What a customer ordered."""
        return customer_id

    with pytest.raises(TypeError, match="take a CallContext"):
        tool(orders_of)


async def test_the_call_comes_by_type_and_never_from_the_model(store, clock, maya):
    toolbox = box(store, clock, book_table)
    result = await ask(toolbox, maya, "book_table", day="friday", guests=4)
    assert result.say == "A table for 4 on friday."
    assert result.data["caller"] == "Maya Lindqvist"
    forged = ask(toolbox, maya, "book_table", day="friday", guests=4, context={"caller": "Tomas"})
    assert await refused(forged) == "unknown_argument"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("{}", "missing:day"),
        ('{"day": "friday"}', "missing:guests"),
        ('{"day": "monday", "guests": 2}', "bad:day"),
        ('{"day": "friday", "guests": "2"}', "bad:guests"),
        ('{"day": "friday", "guests": 2.5}', "bad:guests"),
        ('{"day": "friday", "guests": true}', "bad:guests"),
        ('{"day": "friday", "guests": null}', "bad:guests"),
        ('{"day": "friday", "guests": 2, "note": "%s"}' % ("x" * 1001), "bad:note"),
        ('{"day": "friday", "guests": 2, "note": "%s"}' % ("x" * 20_000), "too_long"),
        ('{"day": "friday", "guests": 2, "customer_id": "tomas"}', "unknown_argument"),
        ("not json", "bad_arguments"),
        ("[1]", "bad_arguments"),
        ('{"day": ' + "[" * 15_000, "bad:day"),
        ('{"guests": 2, "day": "friday"', "bad_arguments"),
        ("\x00", "bad_arguments"),
    ],
)
async def test_arguments_that_do_not_fit(store, clock, maya, arguments, reason):
    with pytest.raises(ToolError) as error:
        await box(store, clock, book_table).run(maya, "book_table", arguments, "tc")
    assert error.value.reason == reason
    assert len(error.value.say) < 100


async def test_a_tool_that_is_not_there(store, clock, maya):
    assert await refused(ask(box(store, clock), maya, "drop_tables")) == "unknown_tool"


async def test_sync_functions_run_beside_the_loop(store, clock, maya):
    @tool
    def where() -> str:
        """Where it runs."""
        return threading.current_thread().name

    result = await ask(box(store, clock, where), maya, "where")
    assert result.say != threading.current_thread().name


async def test_a_tool_has_its_time(store, clock, maya):
    never = asyncio.Event()

    @tool(timeout_s=0.01)
    async def wait_for_ever() -> str:
        """Wait."""
        await never.wait()
        return ""

    assert await refused(ask(box(store, clock, wait_for_ever), maya, "wait_for_ever")) == "timeout"


async def test_what_goes_wrong_in_a_tool_is_apologised_for_and_not_repeated(store, clock, maya, caplog):
    @tool
    async def explode() -> str:
        """Explode."""
        raise RuntimeError("maya's card is 4242")

    with pytest.raises(ToolError) as error:
        await ask(box(store, clock, explode), maya, "explode")
    assert error.value.reason == "unreachable"
    assert "4242" not in error.value.say + caplog.text
    assert "RuntimeError" in caplog.text


@pytest.mark.parametrize(
    ("value", "say", "data"),
    [
        ("Hello.", "Hello.", {"result": "Hello."}),
        (None, "Done.", {}),
        ({"say": "Two.", "n": 2}, "Two.", {"say": "Two.", "n": 2}),
        ([1, 2], "", {"result": [1, 2]}),
        (7, "", {"result": 7}),
        (ToolResult("Hi."), "Hi.", {}),
    ],
)
async def test_whatever_a_function_returns(store, clock, maya, value, say, data):
    @tool
    async def give() -> object:
        """Give it back."""
        return value

    result = await ask(box(store, clock, give), maya, "give")
    assert (result.say, dict(result.data)) == (say, data)


async def test_a_dataclass_is_data(store, clock, maya):
    @dataclass
    class Table:
        seats: int

    @tool
    async def give() -> Table:
        """Give it back."""
        return Table(4)

    assert (await ask(box(store, clock, give), maya, "give")).data == {"seats": 4}


def test_an_argument_without_a_type_is_a_mistake_of_its_author():
    with pytest.raises(TypeError, match="what"):

        @tool
        async def vague(what) -> str:
            """Vague."""


def test_two_tools_of_one_name_are_a_mistake(store, clock):
    with pytest.raises(ValueError, match="book_table"):
        box(store, clock, book_table, book_table)


def test_a_tool_that_changes_something_needs_a_proven_caller_unless_its_author_says_otherwise():
    @tool(changes=True)
    async def paint(colour: str) -> str:
        """Paint."""
        return colour

    assert paint.identity is Identity.PROVEN
    assert book_table.identity is Identity.KNOWN


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(
    "order_id items reason refund_to product email phone address when topic query pay_with placed_on subject"
    " details summary customer_id first_name last_name postcode".split()
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_nothing_that_a_model_can_write_does_anything_but_refuse_or_answer(store, clock, maya, data):
    policy = load_policy()
    toolbox = Toolbox(desk_tools(store, policy), store=store, policy=policy, clock=clock)
    name = data.draw(st.sampled_from([each.name for each in desk_tools(store, policy)]))
    arguments = data.draw(st.dictionaries(NAMES, JSON | st.sampled_from(["1004", "1005", "1010", "maya"])))
    before = await store.shop.latest_orders("maya", 20), await store.shop.customer("maya")
    result = await answer_or_refusal(toolbox, maya, name, json.dumps(arguments))
    if isinstance(result, ToolError):
        assert result.reason != "unreachable", (name, arguments)
        assert 0 < len(result.say) < 400
    else:
        assert "1010" not in json.dumps(dict(result.data))
    assert (await store.shop.latest_orders("maya", 20), await store.shop.customer("maya")) == before


async def answer_or_refusal(toolbox, context, name, arguments):
    try:
        return await toolbox.run(context, name, arguments, "tc")
    except ToolError as refusal:
        return refusal


@pytest.mark.parametrize(
    "text", ["\x00", "10\x0004", "\ud800", "\u202e1004", "%", "_", "'; DROP TABLE orders; --", "١٠٠٤"]
)
@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("check_order_status", "order_id"),
        ("get_product_info", "product"),
        ("search_products", "query"),
        ("find_order", "product"),
        ("verify_by_email", "email"),
        ("transfer_to_person", "summary"),
    ],
)
async def test_odd_characters_are_only_text(store, clock, maya, name, argument, text):
    policy = load_policy()
    toolbox = Toolbox(desk_tools(store, policy), store=store, policy=policy, clock=clock)
    result = await answer_or_refusal(toolbox, maya, name, json.dumps({argument: text}))
    assert not isinstance(result, ToolError) or result.reason != "unreachable"
    assert len(await store.shop.latest_orders("maya", 20)) == 6
