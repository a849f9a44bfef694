"""Whatever a customer, a model or a tool sends, the call's record is written, on either database."""

import pytest

from helpline.actions import ToolResult
from helpline.call.shown import Caption, ToolEnded
from helpline.hooks import Hooks
from helpline.own import Own
from helpline.records import archive
from helpline.storable import MOST_DEEP, storable_json
from helpline.tools.tool import to_result
from tests.records.desks import desk_in, talk


async def record_of(desk, call_id):
    async with desk.store.database.read() as connection:
        return await archive.find(connection, call_id)


def a_tool(arguments, **data):
    return ToolEnded("t1", "check_order_status", arguments, ToolResult("No.", data, ok=False), 3)


def a_line(text):
    return Caption("l1", "customer", text, text, True)


@pytest.mark.parametrize(
    "shown",
    [
        a_line("a NUL \0 of a transcriber"),
        a_tool('{"order_id": "\\u0000"}'),
        a_tool('{"order_id": "\ud800"}'),
        a_tool("{}", name="half a pair: \udc00"),
        a_tool("[" * 600 + "]" * 600),
        a_tool("[" * 100_000),
        a_tool('{"a":' * 5000 + "1" + "}" * 5000),
    ],
    ids=["NUL", "NUL argument", "half a pair", "a tool's half", "deep", "never closed", "deep object"],
)
async def test_a_record_is_written(tmp_path, shop_url, shown):
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        recording = desk.records.begin("call_odd", channel="test", language="en")
        recording.shown(shown)
        await desk.records.close(recording)
        record = await record_of(desk, "call_odd")
        assert len(record["lines"]) + len(record["tools"]) == 1
    assert list((tmp_path / "live").iterdir()) == []


@pytest.mark.parametrize("odd", ["\0", "\ud83d"], ids=["NUL", "half an emoji"])
async def test_what_is_no_character_is_typed_and_rated_like_any_other(tmp_path, shop_url, odd):
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        call_id, _ = await talk(desk, f"where is order 1004 {odd}")
        await desk.rate(call_id, True, f"fine {odd}")
        record = await record_of(desk, call_id)
    assert record["lines"][-1]["speaker"] == "desk"
    assert record["rating"]["comment"] == "fine \ufffd"


@pytest.mark.parametrize("odd", ["\0", "\ud83d"], ids=["NUL", "half an emoji"])
async def test_a_name_that_is_none_signs_nobody_in(tmp_path, shop_url, odd):
    async with desk_in(tmp_path, database_url=shop_url) as desk:
        desk.bring(Own(hooks=Hooks(sign_in=lambda name, password: None)))
        assert await desk.sign_in(f"maya{odd}", "wrong", address="203.0.113.7") is None


def test_what_a_tool_answers_can_be_sent_and_kept():
    expected = ToolResult("Sunny \ufffd.", {"say": "Sunny \ufffd.", "deep \ufffd": "\ufffd"})
    assert to_result({"say": "Sunny \ud83d.", "deep \udc00": "\0"}) == expected


def test_depth_is_bounded_and_all_else_stays():
    value = {"orders": [{"number": "1004", "cents": 120, "late": False, "note": None}]}
    assert storable_json(value) == value
    deep = []
    for _ in range(5000):
        deep = [deep]
    flat = storable_json(deep)
    for _ in range(MOST_DEEP):
        (flat,) = flat
    assert flat == "…"
