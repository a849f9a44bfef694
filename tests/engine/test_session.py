"""A session's rules, one by one: configuration, items, responses, turns, errors."""

import asyncio
import base64
import json
from typing import Any

import pytest

from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions
from helpline.engine.session import Limits
from helpline.errors import ConnectionLost
from tests.engine.talk import FAST, SHOP_TOOLS, Json, Talker, function, level, talking

PUSH_TO_TALK = {"input": {"turn_detection": None}}


async def error_after(talker: Talker, type: str, **fields: Any) -> Json:
    """The error that an event gets."""
    await talker.send(type, event_id="mine", **fields)
    error = await talker.until("error")
    assert error["error"]["event_id"] == "mine"
    return error["error"]


# --- configuration ---------------------------------------------------------------------------------------


async def test_a_session_opens_with_its_whole_configuration(talker: Talker) -> None:
    session = talker.events[0]["session"]
    assert session["object"] == "realtime.session"
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }
    assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert session["expires_at"] > 0


async def test_an_update_changes_only_what_it_names(talker: Talker) -> None:
    await talker.configure(instructions="Be brief.", tools=SHOP_TOOLS)
    updated = await talker.configure(
        audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 700}}}
    )
    session = updated["session"]
    assert session["instructions"] == "Be brief."
    assert len(session["tools"]) == len(SHOP_TOOLS)
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 700
    assert session["audio"]["input"]["turn_detection"]["prefix_padding_ms"] == 300
    assert session["audio"]["output"]["voice"]


async def test_null_and_empty_switch_off(talker: Talker) -> None:
    await talker.configure(
        tools=SHOP_TOOLS, instructions="x", audio={"input": {"transcription": {"model": "m"}}}
    )
    off = {"input": {"turn_detection": None, "transcription": None, "noise_reduction": None}}
    session = (await talker.configure(tools=[], instructions="", audio=off))["session"]
    assert session["tools"] == []
    assert session["instructions"] == ""
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["audio"]["input"]["transcription"] is None


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({}, "missing_required_parameter", "session.type"),
        ({"type": "realtime", "modalities": ["text"]}, "unknown_parameter", "session.modalities"),
        ({"type": "unreal"}, "invalid_value", "session.type"),
        ({"type": "realtime", "instructions": 7}, "invalid_type", "session.instructions"),
        (
            {"type": "realtime", "output_modalities": ["text", "audio"]},
            "invalid_value",
            "session.output_modalities",
        ),
        (
            {"type": "realtime", "tools": [{"type": "function"}]},
            "missing_required_parameter",
            "session.tools[0].name",
        ),
        ({"type": "realtime", "tool_choice": "maybe"}, "invalid_type", "session.tool_choice"),
        ({"type": "realtime", "max_output_tokens": -1}, "invalid_value", "session.max_output_tokens"),
        (
            {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16000}}}},
            "invalid_value",
            "session.audio.input.format.rate",
        ),
        (
            {
                "type": "realtime",
                "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 7}}},
            },
            "invalid_value",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            {
                "type": "realtime",
                "audio": {"input": {"turn_detection": {"type": "semantic_vad", "threshold": 0.5}}},
            },
            "unknown_parameter",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            {
                "type": "realtime",
                "audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": "1"}}},
            },
            "invalid_type",
            "session.audio.input.turn_detection.silence_duration_ms",
        ),
        (
            {"type": "realtime", "audio": {"output": {"speed": 9}}},
            "invalid_value",
            "session.audio.output.speed",
        ),
        ("no object", "invalid_type", "session"),
    ],
)
async def test_a_wrong_update_is_refused_as_a_whole(
    talker: Talker, session: Any, code: str, param: str
) -> None:
    if isinstance(session, dict):
        session = {**session, "prompt": None} if session else session
    error = await error_after(talker, "session.update", session=session)
    assert (error["code"], error["param"]) == (code, param)
    assert (await talker.configure())["session"] == talker.events[0]["session"]


def at(path: str, value: Any) -> Json:
    """A session in which this one field stands."""
    *parents, last = path.split(".")
    session: Json = {last: value}
    if "turn_detection" in parents:
        session["type"] = "server_vad"
    for name in reversed(parents):
        session = {name: session}
    return {"type": "realtime", **session}


@pytest.mark.parametrize(
    ("path", "least", "most", "step"),
    [
        ("audio.input.turn_detection.threshold", 0.0, 1.0, 0.01),
        ("audio.input.turn_detection.prefix_padding_ms", 0, 5000, 1),
        ("audio.input.turn_detection.silence_duration_ms", 32, 10_000, 1),
        ("audio.input.turn_detection.idle_timeout_ms", 5000, 30_000, 1),
        ("audio.output.speed", 0.25, 1.5, 0.01),
        ("max_output_tokens", 1, 32_768, 1),
    ],
)
async def test_a_number_is_taken_up_to_its_bounds(
    talker: Talker, path: str, least: float, most: float, step: float
) -> None:
    for value in (least, most):
        await talker.send("session.update", session=at(path, value))
        updated = await talker.next()
        assert updated["type"] == "session.updated"
        kept = updated["session"]
        for name in path.split("."):
            kept = kept[name]
        assert kept == value
    for value in (least - step, most + step):
        await talker.send("session.update", session=at(path, value))
        refused = await talker.next()
        assert refused["type"] == "error"
        assert (refused["error"]["code"], refused["error"]["param"]) == ("invalid_value", f"session.{path}")


async def test_a_temperature_is_no_longer_a_setting(talker: Talker) -> None:
    await talker.send("session.update", session={"type": "realtime", "temperature": 0.8})
    refused = await talker.next()
    assert refused["type"] == "error"
    assert refused["error"]["param"] == "session.temperature"


@pytest.mark.parametrize("way", ["input", "output"])
async def test_a_format_is_echoed_whole(talker: Talker, way: str) -> None:
    for given, kept in (
        ({"type": "audio/pcmu"}, {"type": "audio/pcmu"}),
        ({"type": "audio/pcma", "rate": 8000}, {"type": "audio/pcma"}),
        ({"type": "audio/pcm"}, {"type": "audio/pcm", "rate": 24_000}),
    ):
        session = (await talker.configure(audio={way: {"format": given}}))["session"]
        assert session["audio"][way]["format"] == kept
    slow = {"type": "audio/pcm", "rate": 16_000}
    session = {"type": "realtime", "audio": {way: {"format": slow}}}
    error = await error_after(talker, "session.update", session=session)
    assert (error["code"], error["param"]) == ("invalid_value", f"session.audio.{way}.format.rate")


async def test_the_voice_is_fixed_once_the_assistant_has_spoken(talker: Talker) -> None:
    await talker.configure(audio={"output": {"voice": "marin"}})
    await talker.type("hello")
    await talker.reply()
    error = await error_after(
        talker, "session.update", session={"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    )
    assert error["code"] == "cannot_update_voice"
    same = await talker.configure(audio={"output": {"voice": "marin"}}, instructions="Go on.")
    assert same["session"]["instructions"] == "Go on."


# --- items -----------------------------------------------------------------------------------------------


async def create(talker: Talker, item: Json, **fields: Any) -> Json:
    await talker.send("conversation.item.create", item=item, **fields)
    await talker.until("conversation.item.added")
    return await talker.until("conversation.item.done")


def words(role: str, text: str, **fields: Any) -> Json:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **fields}


async def test_items_take_their_places(talker: Talker) -> None:
    first = await create(talker, words("user", "one", id="item_one"))
    assert first["previous_item_id"] is None
    assert (await create(talker, words("assistant", "three", id="item_three")))[
        "previous_item_id"
    ] == "item_one"
    assert (await create(talker, words("user", "two"), previous_item_id="item_one"))[
        "previous_item_id"
    ] == "item_one"
    assert (await create(talker, words("system", "zero"), previous_item_id="root"))[
        "previous_item_id"
    ] is None


async def test_items_are_retrieved_and_deleted(talker: Talker) -> None:
    made = await create(talker, words("user", "keep this", id="item_kept"))
    await talker.send("conversation.item.retrieve", item_id="item_kept")
    assert (await talker.until("conversation.item.retrieved"))["item"] == made["item"]
    await talker.send("conversation.item.delete", item_id="item_kept")
    assert (await talker.until("conversation.item.deleted"))["item_id"] == "item_kept"
    error = await error_after(talker, "conversation.item.retrieve", item_id="item_kept")
    assert error["code"] == "item_retrieve_invalid_item_id"


@pytest.mark.parametrize(
    ("item", "code", "param"),
    [
        (None, "missing_required_parameter", "item"),
        ({}, "missing_required_parameter", "item.type"),
        ({"type": "thing"}, "invalid_value", "item.type"),
        ({"type": "message", "role": "user"}, "missing_required_parameter", "item.content"),
        ({"type": "message", "role": "king", "content": []}, "invalid_value", "item.role"),
        ({"type": "message", "role": "user", "content": "hi"}, "invalid_type", "item.content"),
        (
            {"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]},
            "invalid_value",
            "item.content[0].type",
        ),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_text"}]},
            "missing_required_parameter",
            "item.content[0].text",
        ),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": "%"}]},
            "invalid_value",
            "item.content[0].audio",
        ),
        (
            {"type": "message", "role": "user", "content": [], "mood": "good"},
            "unknown_parameter",
            "item.mood",
        ),
        (
            {"type": "function_call_output", "call_id": "call_x", "output": "1"},
            "invalid_tool_call_id",
            "item.call_id",
        ),
        ({"type": "function_call_output", "call_id": "call_x", "output": {}}, "invalid_type", "item.output"),
        (words("user", "x", id="i" * 65), "invalid_value", "item.id"),
    ],
)
async def test_a_wrong_item_is_refused(talker: Talker, item: Json | None, code: str, param: str) -> None:
    error = await error_after(talker, "conversation.item.create", **({} if item is None else {"item": item}))
    assert (error["code"], error["param"]) == (code, param)


async def test_an_item_stands_behind_one_that_exists(talker: Talker) -> None:
    error = await error_after(
        talker, "conversation.item.create", item=words("user", "x"), previous_item_id="item_none"
    )
    assert error["param"] == "previous_item_id"
    await create(talker, words("user", "x", id="item_x"))
    error = await error_after(talker, "conversation.item.create", item=words("user", "x", id="item_x"))
    assert error["param"] == "item.id"


async def test_a_conversation_is_bounded() -> None:
    small = Engine(EngineOptions(pace=Pace(times=0), limits=Limits(items=3)))
    async with talking(small) as talker:
        for number in range(5):
            await create(talker, words("user", "x", id=f"item_{number}"))
        error = await error_after(talker, "conversation.item.retrieve", item_id="item_1")
        assert error["code"] == "item_retrieve_invalid_item_id"
        await talker.send("conversation.item.retrieve", item_id="item_4")
        await talker.until("conversation.item.retrieved")
    small.close()


async def test_audio_in_an_item_is_understood(talker: Talker) -> None:
    from helpline.engine.voice import Synthesiser

    await talker.configure(tools=SHOP_TOOLS)
    audio = base64.b64encode(Synthesiser().speak("cancel order 1005")).decode()
    await create(
        talker, {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    )
    await talker.send("response.create")
    assert (await talker.reply()).calls == [("cancel_order", {"order_id": "1005"})]


# --- truncation ------------------------------------------------------------------------------------------


async def test_a_reply_is_cut_where_it_was_heard(talker: Talker) -> None:
    await talker.tell('Say to the customer: "Order 1004 is on its way and should arrive on Tuesday."')
    reply = await talker.reply()
    item, heard_ms = reply.items("message")[0], len(reply.pcm24k) // 48
    await talker.send(
        "conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=heard_ms // 2
    )
    cut = await talker.until("conversation.item.truncated")
    assert cut["audio_end_ms"] == heard_ms // 2
    await talker.send("conversation.item.retrieve", item_id=item["id"])
    kept = (await talker.until("conversation.item.retrieved"))["item"]["content"][0]["transcript"]
    assert kept
    assert reply.text.startswith(kept)
    assert len(kept) < len(reply.text)


async def test_what_was_cut_is_cut_no_longer_again(talker: Talker) -> None:
    await talker.tell('Say to the customer: "Order 1004 is on its way and should arrive on Tuesday."')
    reply = await talker.reply()
    item, heard_ms = reply.items("message")[0], len(reply.pcm24k) // 48
    fields = {"item_id": item["id"], "content_index": 0}
    for end_ms in (heard_ms, heard_ms // 2, heard_ms // 2):
        await talker.send("conversation.item.truncate", **fields, audio_end_ms=end_ms)
        assert (await talker.until("conversation.item.truncated"))["audio_end_ms"] == end_ms
    error = await error_after(talker, "conversation.item.truncate", **fields, audio_end_ms=heard_ms // 2 + 1)
    assert error["param"] == "audio_end_ms"
    await talker.send("conversation.item.truncate", **fields, audio_end_ms=0)
    await talker.send("conversation.item.retrieve", item_id=item["id"])
    kept = (await talker.until("conversation.item.retrieved"))["item"]["content"][0]["transcript"]
    assert kept == ""


async def test_what_was_cut_makes_room() -> None:
    small = Engine(EngineOptions(pace=Pace(times=0), limits=Limits(characters=1000)))
    async with talking(small) as talker:
        await talker.send(
            "response.create", response={"instructions": f'Say to the customer: "{"So it is. " * 70}"'}
        )
        reply = await talker.reply()
        assert 600 < len(reply.text) < 800
        item_id = reply.items("message")[0]["id"]
        await talker.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=0)
        await create(talker, words("user", "x" * 600))
        await talker.send("conversation.item.retrieve", item_id=item_id)
        await talker.until("conversation.item.retrieved")
    small.close()


async def test_what_the_customer_said_is_not_cut(talker: Talker) -> None:
    await talker.configure(
        audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}}
    )
    await talker.speak("thank you")
    spoken = (await talker.until("conversation.item.done"))["item"]["id"]
    fields = {"item_id": spoken, "content_index": 0, "audio_end_ms": 100}
    error = await error_after(talker, "conversation.item.truncate", **fields)
    assert (error["code"], error["param"]) == ("invalid_value", "item_id")


async def test_nothing_is_cut_behind_its_end(talker: Talker) -> None:
    await talker.type("hello")
    reply = await talker.reply()
    item, heard_ms = reply.items("message")[0], len(reply.pcm24k) // 48
    fields = {"item_id": item["id"], "content_index": 0, "audio_end_ms": heard_ms + 1000}
    error = await error_after(talker, "conversation.item.truncate", **fields)
    assert error["message"] == f"Audio content of {heard_ms}ms is already shorter than {heard_ms + 1000}ms"
    for change, param in (
        ({"content_index": 1}, "content_index"),
        ({"audio_end_ms": -1}, "audio_end_ms"),
        ({"audio_end_ms": 1.5}, "audio_end_ms"),
    ):
        error = await error_after(talker, "conversation.item.truncate", **{**fields, **change})
        assert error["param"] == param
    error = await error_after(talker, "conversation.item.truncate", **{**fields, "item_id": "item_none"})
    assert error["code"] == "item_truncate_invalid_item_id"


async def test_only_what_the_assistant_said_aloud_is_cut(talker: Talker) -> None:
    await talker.configure(output_modalities=["text"])
    await talker.type("hello")
    written = (await talker.reply()).items("message")[0]["id"]
    asked = await create(talker, words("user", "hello"))
    for item_id in (written, asked["item"]["id"]):
        fields = {"item_id": item_id, "content_index": 0, "audio_end_ms": 0}
        error = await error_after(talker, "conversation.item.truncate", **fields)
        assert (error["code"], error["param"]) == ("invalid_value", "item_id")


# --- responses -------------------------------------------------------------------------------------------


async def test_only_one_response_at_a_time() -> None:
    slow = Engine(EngineOptions(pace=Pace(lead_ms=0, times=2)))
    async with talking(slow) as talker:
        await talker.type("what can you do")
        await talker.until("response.output_audio.delta")
        error = await error_after(talker, "response.create")
        assert error["code"] == "conversation_already_has_active_response"
        await talker.send("response.cancel")
        assert (await talker.reply()).response["status"] == "cancelled"
    slow.close()


async def test_a_cancelled_response_ends_incomplete() -> None:
    slow = Engine(EngineOptions(pace=Pace(lead_ms=0, times=2)))
    async with talking(slow) as talker:
        await talker.type("what can you do")
        created = await talker.until("response.created")
        await talker.until("response.output_audio.delta")
        await talker.send("response.cancel", response_id=created["response"]["id"])
        response = (await talker.reply()).response
        assert response["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        assert response["output"][0]["status"] == "incomplete"
        assert response["usage"]["total_tokens"] > 0
    slow.close()


async def test_there_is_nothing_to_cancel(talker: Talker) -> None:
    assert (await error_after(talker, "response.cancel"))["code"] == "response_cancel_not_active"
    assert (await error_after(talker, "response.cancel", response_id="resp_x"))[
        "code"
    ] == "response_cancel_not_active"
    assert (await error_after(talker, "output_audio_buffer.clear"))["code"] == "invalid_value"


async def test_a_response_aside_leaves_no_trace(talker: Talker) -> None:
    await talker.configure(tools=SHOP_TOOLS)
    item = words("user", "cancel order 1005")
    await talker.send(
        "response.create", response={"conversation": "none", "metadata": {"topic": "a"}, "input": [item]}
    )
    reply = await talker.reply()
    assert reply.response["conversation_id"] is None
    assert reply.response["metadata"] == {"topic": "a"}
    assert reply.calls == [("cancel_order", {"order_id": "1005"})]
    assert not [event for event in talker.events if event["type"].startswith("conversation.item")]


async def test_a_response_aside_leaves_the_question_that_is_open(talker: Talker) -> None:
    await talker.configure(tools=SHOP_TOOLS, output_modalities=["text"])
    await talker.type("cancel my order")
    assert (await talker.reply()).calls == []
    aside = {"conversation": "none", "input": [words("user", "never mind")]}
    await talker.send("response.create", response=aside)
    await talker.reply()
    await talker.type("1005")
    assert (await talker.reply()).calls == [("cancel_order", {"order_id": "1005"})]


async def test_audio_that_a_response_brings_is_understood(talker: Talker) -> None:
    from helpline.engine.voice import Synthesiser

    await talker.configure(tools=SHOP_TOOLS)
    audio = base64.b64encode(Synthesiser().speak("cancel order 1005")).decode()
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    await talker.send("response.create", response={"input": [item]})
    assert (await talker.reply()).calls == [("cancel_order", {"order_id": "1005"})]


async def test_a_tool_may_change_its_schema_while_it_is_asked_about(talker: Talker) -> None:
    await talker.configure(tools=[function("water", "Water.", ["plant"], plant="Which plant.")])
    await talker.type("water please")
    assert (await talker.reply()).calls == []
    await talker.configure(tools=[function("water", "Water.", ["room"], room="Which room.")])
    await talker.type("the kitchen")
    assert (await talker.reply()).response["status"] == "completed"


async def test_a_response_may_read_chosen_items(talker: Talker) -> None:
    await talker.configure(tools=SHOP_TOOLS)
    await create(talker, words("user", "where is order 1001", id="item_a"))
    await create(talker, words("user", "cancel order 1005", id="item_b"))
    await talker.send("response.create", response={"input": [{"type": "item_reference", "id": "item_a"}]})
    assert (await talker.reply()).calls == [("check_order_status", {"order_id": "1001"})]
    error = await error_after(
        talker, "response.create", response={"input": [{"type": "item_reference", "id": "item_c"}]}
    )
    assert error["param"] == "response.input"


async def test_a_response_may_differ_from_its_session(talker: Talker) -> None:
    await talker.configure(output_modalities=["text"])
    await talker.send(
        "response.create", response={"instructions": 'Say to the customer: "Still \\"there\\"?"'}
    )
    reply = await talker.reply()
    assert reply.text == 'Still "there"?'
    assert reply.response["output"][0]["content"][0]["type"] == "output_text"
    await talker.type("hello", respond=False)
    await talker.send(
        "response.create",
        response={"output_modalities": ["audio"], "audio": {"output": {"format": {"type": "audio/pcmu"}}}},
    )
    assert (await talker.reply()).response["audio"]["output"]["format"] == {"type": "audio/pcmu"}


async def test_fields_of_a_response_that_are_null_are_not_there(talker: Talker) -> None:
    """As livekit-agents sends them."""
    await talker.type("hello", respond=False)
    unset = dict.fromkeys(("instructions", "tools", "tool_choice", "audio", "conversation", "input"))
    await talker.send("response.create", response={**unset, "metadata": {"client_event_id": "a"}})
    response = (await talker.reply()).response
    assert response["status"] == "completed"
    assert response["metadata"] == {"client_event_id": "a"}


async def test_a_response_keeps_to_its_tokens(talker: Talker) -> None:
    await talker.type("what can you do", respond=False)
    await talker.send("response.create", response={"max_output_tokens": 5})
    response = (await talker.reply()).response
    assert response["status"] == "incomplete"
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


@pytest.mark.parametrize(
    ("response", "param"),
    [
        ({"conversation": "all"}, "response.conversation"),
        ({"metadata": {"a": 1}}, "response.metadata.a"),
        ({"metadata": {str(n): "" for n in range(17)}}, "response.metadata"),
        ({"output_modalities": ["smell"]}, "response.output_modalities[0]"),
        ({"input": [{"type": "message"}]}, "response.input[0].role"),
        ({"tools": "all"}, "response.tools"),
        ({"temperature": 0.8}, "response.temperature"),
        (
            {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 16_000}}}},
            "response.audio.output.format.rate",
        ),
        ("now", "response"),
    ],
)
async def test_a_wrong_response_is_refused(talker: Talker, response: Any, param: str) -> None:
    assert (await error_after(talker, "response.create", response=response))["param"] == param
    await talker.type("hello")
    assert (await talker.reply()).response["status"] == "completed"


async def test_a_tool_may_be_demanded_or_forbidden(talker: Talker) -> None:
    await talker.configure(tools=SHOP_TOOLS, tool_choice="none", output_modalities=["text"])
    await talker.type("cancel order 1005")
    assert (await talker.reply()).calls == []
    await talker.type("order 1005", respond=False)
    await talker.send(
        "response.create", response={"tool_choice": {"type": "function", "name": "cancel_order"}}
    )
    assert (await talker.reply()).calls == [("cancel_order", {"order_id": "1005"})]


# --- turns -----------------------------------------------------------------------------------------------


async def test_speech_is_cut_into_turns(talker: Talker) -> None:
    await talker.configure(audio={"input": {"transcription": {"model": "gpt-transcribe"}}})
    await talker.speak("thank you")
    started = await talker.until("input_audio_buffer.speech_started")
    stopped = await talker.until("input_audio_buffer.speech_stopped")
    done = await talker.until("conversation.item.input_audio_transcription.completed")
    assert 0 <= started["audio_start_ms"] < 400
    assert stopped["audio_end_ms"] - started["audio_start_ms"] > 700
    assert done["transcript"] == "Thank you."
    assert done["item_id"] == started["item_id"] == stopped["item_id"]
    assert done["usage"]["seconds"] > 0.5


async def test_turns_may_be_left_to_the_client(talker: Talker) -> None:
    detection = {"type": "server_vad", "create_response": False, "interrupt_response": False}
    await talker.configure(audio={"input": {"turn_detection": detection, "transcription": {"model": "m"}}})
    await talker.speak("hello")
    await talker.until("conversation.item.input_audio_transcription.completed")
    await talker.send("response.create")
    await talker.until("response.created")
    assert len([event for event in talker.events if event["type"] == "response.created"]) == 1


async def test_speech_interrupts_a_reply() -> None:
    slow = Engine(EngineOptions(pace=Pace(lead_ms=0, times=2)))
    async with talking(slow) as talker:
        await talker.type("what can you do")
        await talker.until("response.output_audio.delta")
        await talker.speak("stop")
        reply = await talker.reply()
        assert reply.response["status_details"]["reason"] == "turn_detected"
        assert (await talker.reply()).response["status"] in ("completed", "cancelled")
    slow.close()


async def test_a_reply_may_be_left_alone() -> None:
    slow = Engine(EngineOptions(pace=Pace(lead_ms=0, times=4)))
    async with talking(slow) as talker:
        detection = {"type": "server_vad", "create_response": False, "interrupt_response": False}
        await talker.configure(audio={"input": {"turn_detection": detection}})
        await talker.type("what can you do")
        await talker.until("response.output_audio.delta")
        await talker.speak("hello")
        assert (await talker.reply()).response["status"] == "completed"
    slow.close()


async def test_push_to_talk(talker: Talker) -> None:
    await talker.configure(audio={"input": {"turn_detection": None, "transcription": {"model": "m"}}})
    await talker.speak("thank you")
    await talker.send("input_audio_buffer.commit")
    await talker.until("input_audio_buffer.committed")
    done = await talker.until("conversation.item.input_audio_transcription.completed")
    assert done["transcript"] == "Thank you."
    await talker.send("response.create")
    assert (await talker.reply()).text
    assert not [event for event in talker.events if "speech_" in event["type"]]


async def test_an_empty_buffer_is_not_committed(talker: Talker) -> None:
    await talker.configure(audio=PUSH_TO_TALK)
    await talker.send("input_audio_buffer.append", audio=base64.b64encode(bytes(48 * 50)).decode())
    error = await error_after(talker, "input_audio_buffer.commit")
    assert error["code"] == "input_audio_buffer_commit_empty"
    await talker.speak("hello")
    await talker.send("input_audio_buffer.clear")
    await talker.until("input_audio_buffer.cleared")
    assert (await error_after(talker, "input_audio_buffer.commit"))[
        "code"
    ] == "input_audio_buffer_commit_empty"


@pytest.mark.parametrize(("codec", "bytes_per_ms"), [("audio/pcm", 48), ("audio/pcmu", 8)])
async def test_a_buffer_is_as_long_as_what_was_given(talker: Talker, codec: str, bytes_per_ms: int) -> None:
    listening = {"format": {"type": codec}, "turn_detection": None, "transcription": {"model": "whisper-1"}}
    await talker.configure(audio={"input": listening})
    for ms, enough in ((100, True), (1000, True), (95, False)):
        audio = base64.b64encode(b"\xff" * (bytes_per_ms * ms)).decode()
        await talker.send("input_audio_buffer.append", audio=audio)
        if enough:
            await talker.send("input_audio_buffer.commit")
            transcribed = await talker.until("conversation.item.input_audio_transcription.completed")
            assert transcribed["usage"]["seconds"] * 1000 == ms
        else:
            error = await error_after(talker, "input_audio_buffer.commit")
            assert error["code"] == "input_audio_buffer_commit_empty"
            assert "95.00ms" in error["message"]


@pytest.mark.parametrize("codec", ["audio/pcmu", "audio/pcma"])
async def test_telephone_audio_both_ways(talker: Talker, codec: str) -> None:
    from helpline.audio.g711 import alaw_decode, alaw_encode, mulaw_decode, mulaw_encode
    from helpline.audio.resample import resample
    from helpline.engine.voice import Synthesiser

    encode, decode = (mulaw_encode, mulaw_decode) if codec == "audio/pcmu" else (alaw_encode, alaw_decode)
    await talker.configure(
        audio={
            "input": {"format": {"type": codec}, "transcription": {"model": "m"}},
            "output": {"format": {"type": codec}},
        }
    )
    pcm8k = resample(bytes(48 * 300) + Synthesiser().speak("thank you") + bytes(48 * 900), 24_000, 8_000)
    telephone = encode(pcm8k)
    for at in range(0, len(telephone), 160):
        await talker.send(
            "input_audio_buffer.append", audio=base64.b64encode(telephone[at : at + 160]).decode()
        )
    reply = await talker.reply()
    assert reply.transcript == "Thank you."
    assert level(decode(reply.pcm24k)) > 300


async def test_silence_and_noise_start_nothing(talker: Talker) -> None:
    import numpy as np

    noise = np.random.default_rng(1).normal(0, 300, 24_000).astype("<i2").tobytes()
    for pcm24k in (bytes(48_000), noise):
        await talker.send("input_audio_buffer.append", audio=base64.b64encode(pcm24k).decode())
    await talker.send("input_audio_buffer.clear")
    await talker.until("input_audio_buffer.cleared")
    assert not [event for event in talker.events if "speech" in event["type"]]


async def test_without_a_voice_a_reply_is_its_transcript() -> None:
    mute = Engine(EngineOptions(pace=Pace(times=0), voice="none"))
    async with talking(mute) as talker:
        await talker.type("hello")
        reply = await talker.reply()
        assert reply.text
        assert reply.pcm24k == b""
        assert reply.response["output"][0]["content"][0]["type"] == "output_audio"
    mute.close()


# --- hostile input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "invalid_json"),
        ("{", "invalid_json"),
        ("[]", "invalid_json"),
        ("null", "invalid_json"),
        ('"hello"', "invalid_json"),
        (b"\x00\xff\xfe", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ("{}", "missing_required_parameter"),
        ('{"type": 7}', "invalid_type"),
        ('{"type": "session.destroy"}', "invalid_value"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter"),
        ('{"type": "input_audio_buffer.append", "audio": 1}', "invalid_type"),
        ('{"type": "input_audio_buffer.append", "audio": "not base64!"}', "invalid_value"),
        ('{"type": "conversation.item.delete"}', "missing_required_parameter"),
        ('{"type": "conversation.item.delete", "item_id": ["x"]}', "invalid_type"),
        ('{"type": "conversation.item.truncate", "item_id": "item_x"}', "item_truncate_invalid_item_id"),
        ('{"type": "response.cancel", "response_id": {}}', "invalid_type"),
        ('{"type": "response.create", "response": {"max_output_tokens": 1e400}}', "invalid_json"),
        (
            '{"type": "response.create", "response": {"max_output_tokens": 99999999999999999999}}',
            "invalid_value",
        ),
    ],
)
async def test_garbage_gets_its_error_and_the_session_stays(
    talker: Talker, frame: str | bytes, code: str
) -> None:
    await talker.send_raw(frame)
    assert (await talker.until("error"))["error"]["code"] == code
    await talker.type("hello")
    assert (await talker.reply()).response["status"] == "completed"


async def test_too_much_audio_at_once_is_refused(talker: Talker) -> None:
    audio = base64.b64encode(bytes(15 * 1024 * 1024 + 2)).decode()
    error = await error_after(talker, "input_audio_buffer.append", audio=audio)
    assert (error["code"], error["param"]) == ("invalid_value", "audio")


async def test_an_error_names_no_secret_and_bounds_what_it_repeats(talker: Talker) -> None:
    await talker.send_raw(json.dumps({"type": "x" * 10_000}))
    assert len((await talker.until("error"))["error"]["message"]) < 1000


# --- the end ---------------------------------------------------------------------------------------------


async def test_a_session_expires() -> None:
    short = Engine(EngineOptions(pace=Pace(times=0), limits=Limits(session_s=1)))
    async with talking(short) as talker:
        error = await talker.until("error")
        assert error["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionLost) as ended:
            await talker.next()
        assert ended.value.code == 1001
    short.close()


async def test_sessions_do_not_see_each_other() -> None:
    shared = Engine(FAST)
    async with talking(shared) as one, talking(shared) as other:
        await one.configure(tools=[function("water_plants", "Water the plants.")])
        await asyncio.gather(one.type("water the plants"), other.type("hello"))
        first, second = await asyncio.gather(one.reply(), other.reply())
        assert first.calls == [("water_plants", {})]
        assert second.calls == []
        assert second.text
    shared.close()
