"""What a response says it used: each kind of token where it belongs, as many as what was read and said."""

import json
from typing import Any

from tests.engine.talk import Heard, Json, Talker, function

HEARD_MS, SAID_MS, CHARACTERS = 100, 50, 4
"""What one token is of speech heard, of speech said and of text."""


def read(reply: Heard) -> Json:
    """What went in."""
    details: Json = reply.response["usage"]["input_token_details"]
    return details


def said(reply: Heard) -> Json:
    """What came out."""
    details: Json = reply.response["usage"]["output_token_details"]
    return details


def tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS)


async def answer_to_nothing(talker: Talker, **session: Any) -> Heard:
    """A reply that reads the session alone."""
    await talker.configure(output_modalities=["text"], **session)
    await talker.send("response.create", response={"conversation": "none", "input": []})
    return await talker.reply()


async def test_instructions_and_tools_are_read_each_time(talker: Talker) -> None:
    assert read(await answer_to_nothing(talker))["text_tokens"] == 0
    instructions = "Be kind and brief. " * 20
    instructed = read(await answer_to_nothing(talker, instructions=instructions))["text_tokens"]
    assert instructed == tokens(instructions)
    tools = [function("water_plants"), function("feed_cat"), function("feed_dog")]
    equipped = [read(await answer_to_nothing(talker, tools=tools[:number])) for number in (1, 2, 3)]
    one, two, three = (each["text_tokens"] - instructed for each in equipped)
    assert one > 0
    assert (two, three) == (2 * one, 3 * one)


async def test_what_is_written_counts_as_text(talker: Talker) -> None:
    await talker.configure(output_modalities=["text"])
    await talker.type("hello " * 10 + "!")
    reply = await talker.reply()
    assert read(reply) == {
        "text_tokens": tokens("hello " * 10 + "!"),
        "audio_tokens": 0,
        "image_tokens": 0,
        "cached_tokens": 0,
        "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
    }
    assert said(reply)["audio_tokens"] == 0
    assert said(reply)["text_tokens"] >= tokens(reply.text)


async def test_what_is_heard_and_said_counts_as_sound(talker: Talker) -> None:
    detection = {"type": "server_vad", "create_response": False}
    await talker.configure(audio={"input": {"turn_detection": detection, "transcription": {"model": "m"}}})
    await talker.speak("thank you")
    transcribed = await talker.until("conversation.item.input_audio_transcription.completed")
    await talker.send("response.create")
    reply = await talker.reply()
    heard_ms = round(transcribed["usage"]["seconds"] * 1000)
    assert read(reply)["text_tokens"] == 0
    assert 0 <= read(reply)["audio_tokens"] * HEARD_MS - heard_ms < HEARD_MS + 10
    said_ms = len(reply.pcm24k) // 48
    pieces = [event for event in reply.events if event["type"] == "response.output_audio.delta"]
    assert 0 <= said(reply)["audio_tokens"] * SAID_MS - said_ms < SAID_MS * len(pieces)
    assert said(reply)["text_tokens"] >= tokens(reply.text)


async def test_a_call_counts_where_it_is_made_and_where_it_is_read(talker: Talker) -> None:
    await talker.configure(tools=[function("water_plants", "Water the plants.")], output_modalities=["text"])
    await talker.type("please water the plants")
    called = await talker.reply()
    call = called.items("function_call")[0]
    assert said(called) == {"text_tokens": tokens(call["name"] + call["arguments"]), "audio_tokens": 0}
    output = json.dumps({"say": "They are watered. " * 20})
    await talker.answer(call, output)
    told = await talker.reply()
    more = read(told)["text_tokens"] - read(called)["text_tokens"]
    assert more == tokens(call["arguments"]) + tokens(output)
