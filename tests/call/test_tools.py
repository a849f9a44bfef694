"""Tool calls: each runs once and is answered once, and one reply follows."""

import json

from helpline.actions import ToolResult
from helpline.call import effects as fx
from helpline.realtime import events as ev

from .talk import Talk, of, sent


def asked() -> Talk:
    talk = Talk().live()
    talk.speech("u1", "where is my order")
    return talk


def test_a_call_runs_once_however_often_it_is_announced():
    talk = asked()
    effects = talk.call_tool("r1", "c1", "check_order_status")
    effects += talk.give(
        ev.ArgumentsDone(item_id="item_c1", response_id="r1", call_id="c1", name="check_order_status"),
        ev.OutputItemDone(
            item=ev.Item(type="function_call", id="item_c1", call_id="c1", name="check_order_status"),
            response_id="r1",
        ),
    )
    assert len(of(effects, fx.RunTool)) == 1
    assert not sent(effects, ev.ResponseCreate)
    effects = talk.tool_done("c1", ToolResult("On its way.", {"status": "shipped"}))
    effects += talk.tool_done("c1", ToolResult("On its way.", {"status": "shipped"}))
    (create,) = sent(effects, ev.ItemCreate)
    assert create.item.call_id == "c1"
    assert json.loads(create.item.output)["say"] == "On its way."
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_parallel_calls_are_all_answered_before_the_one_reply():
    talk = asked()
    talk.give(ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")))
    for call_id in ("c1", "c2"):
        talk.give(ev.ArgumentsDone(item_id=call_id, response_id="r1", call_id=call_id, name="x"))
    effects = talk.tool_done("c1", ToolResult("one"))
    assert not sent(effects, ev.ResponseCreate)
    effects = talk.tool_done("c2", ToolResult("two"))
    assert not sent(effects, ev.ResponseCreate), "the response that called them is still active"
    effects = talk.give(ev.ResponseDone(response=ev.Response(id="r1", status="completed")))
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_the_name_may_come_with_the_item_alone():
    talk = asked()
    effects = talk.give(
        ev.ResponseCreated(response=ev.Response(id="r1", conversation_id="c")),
        ev.OutputItemAdded(item=ev.Item(type="function_call", id="i1", name="f"), response_id="r1"),
        ev.ArgumentsDone(item_id="i1", response_id="r1", call_id="c1", arguments="{}"),
    )
    assert [tool.name for tool in of(effects, fx.RunTool)] == ["f"]


def test_a_call_of_an_interrupted_response_is_answered_unrun():
    talk = asked()
    talk.reply("r1", "a1", "word " * 20, 4000, done=False)
    talk.wait(1000)
    talk.speech("u2", "stop")
    effects = talk.give(ev.ArgumentsDone(item_id="i1", response_id="r1", call_id="c1", name="f"))
    assert not of(effects, fx.RunTool)
    assert "not_run" in sent(effects, ev.ItemCreate)[0].item.output


def test_a_result_that_comes_after_a_reconnect_is_told_with_its_call():
    talk = asked()
    talk.call_tool("r1", "c1", "f")
    talk.give(fx.Lost("gone"), fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    effects = talk.tool_done("c1", ToolResult("done"))
    assert [e.item.type for e in sent(effects, ev.ItemCreate)] == ["function_call", "function_call_output"]
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_result_that_comes_while_the_line_is_down_is_in_the_rebuilt_context():
    talk = asked()
    talk.call_tool("r1", "c1", "f")
    talk.give(fx.Lost("gone"))
    talk.tool_done("c1", ToolResult("done"))
    effects = talk.give(fx.Opened("test", ev.SessionSettings()), ev.SessionUpdated())
    kinds = [e.item.type for e in sent(effects, ev.ItemCreate)]
    assert kinds == ["message", "function_call", "function_call_output"]
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_speech_while_a_tool_runs_does_not_run_it_again_or_ask_twice():
    talk = asked()
    talk.call_tool("r1", "c1", "f")
    effects = talk.speech("u2", "are you still there")
    assert not sent(effects, ev.ResponseCreate)
    effects = talk.tool_done("c1", ToolResult("done"))
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_response_refused_because_another_is_active_is_asked_again_when_that_one_is_done():
    talk = asked()
    talk.give(ev.ErrorReceived(error=ev.ErrorDetails(code="conversation_already_has_active_response")))
    effects = talk.wait(600)
    assert len(sent(effects, ev.ResponseCreate)) == 1


def test_a_failed_response_is_tried_again_after_a_while_but_not_for_ever():
    talk = asked()
    tries = 0
    for _ in range(10):
        talk.give(ev.ResponseCreated(response=ev.Response(id=f"r{tries}", conversation_id="c")))
        failed = ev.Response(
            id=f"r{tries}",
            status="failed",
            status_details=ev.StatusDetails(error=ev.ErrorDetails(code="inference_rate_limit_exceeded")),
        )
        effects = talk.give(ev.ResponseDone(response=failed))
        assert not sent(effects, ev.ResponseCreate), "not at once"
        if not sent(talk.wait(9_000), ev.ResponseCreate):
            break
        tries += 1
    assert tries == 3


def test_a_tool_that_ends_the_call_lets_its_last_words_be_heard():
    talk = asked()
    talk.call_tool("r1", "c1", "end_call")
    talk.tool_done("c1", ToolResult("Goodbye.", ends_call=True))
    effects = talk.reply("r2", "a2", "Goodbye.", 1000)
    assert not of(effects, fx.HangUp)
    assert of(talk.wait(3000), fx.HangUp)
