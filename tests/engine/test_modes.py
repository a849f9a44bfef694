"""The rarer ways to use a session: the flat shape of 2024, idle timeouts, rate limits, semantic turns."""

import asyncio
import base64

import pytest
from websockets.asyncio.client import connect

from helpline.engine.listening import Partials, patience_ms
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, EngineServer
from helpline.engine.session import Limits
from helpline.realtime.connection import memory_frames
from tests.engine.talk import FAST, SHOP_TOOLS, Talker, talking


async def test_an_old_client_is_answered_in_its_own_words(talker: Talker) -> None:
    session = {
        "modalities": ["text", "audio"],
        "instructions": "Help.",
        "voice": "alloy",
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_transcription": {"model": "whisper-1"},
        "temperature": 0.7,
        "turn_detection": {
            "type": "server_vad",
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": 500,
        },
        "tools": SHOP_TOOLS,
        "tool_choice": "auto",
        "max_response_output_tokens": 4096,
    }
    talker.flat = True
    await talker.send("session.update", session=session)
    updated = (await talker.until("session.updated"))["session"]
    assert updated["modalities"] == ["text", "audio"]
    assert updated["input_audio_format"] == "pcm16"
    assert updated["turn_detection"]["silence_duration_ms"] == 500
    assert updated["max_response_output_tokens"] == 4096
    await talker.speak("cancel order 1005")
    called = await talker.reply()
    await talker.answer(called.items("function_call")[0], {"say": "Shall I cancel order 1005?"})
    spoken = await talker.reply()
    assert called.calls == [("cancel_order", {"order_id": "1005"})]
    assert spoken.text == "Shall I cancel order 1005?"
    names = {event["type"] for event in talker.events[1:]}
    assert {"response.audio.delta", "response.audio_transcript.done", "conversation.item.created"} <= names
    assert not [
        name
        for name in names
        if "output_audio" in name or name in ("conversation.item.added", "conversation.item.done")
    ]


async def test_an_old_request_is_understood(talker: Talker) -> None:
    talker.flat = True
    await talker.send("session.update", session={"modalities": ["text"], "turn_detection": {"type": "none"}})
    assert (await talker.until("session.updated"))["session"]["turn_detection"] is None
    await talker.type("hello", respond=False)
    response = {"modalities": ["audio", "text"], "output_audio_format": "g711_ulaw", "temperature": 0.9}
    await talker.send("response.create", response=response)
    done = (await talker.reply()).response
    assert done["output_audio_format"] == "g711_ulaw"
    assert done["output"][0]["content"][0]["type"] == "audio"


async def test_a_preview_address_begins_flat(engine: Engine) -> None:
    client, server = memory_frames()
    session = asyncio.create_task(engine.serve(server, flat=True))
    created = await Talker(client, flat=True).next()
    assert created["session"]["modalities"] == ["text", "audio"]
    assert created["session"]["temperature"] == 0.8
    await client.close()
    await session


async def test_who_spoke_flat_once_is_answered_flat_from_then_on(talker: Talker) -> None:
    talker.flat = True
    await talker.send("session.update", session={"modalities": ["text"], "input_audio_sampling_rate": 24_000})
    assert (await talker.until("session.updated"))["session"]["modalities"] == ["text"]
    await talker.send("session.update", session={"instructions": "Be brief."})
    updated = (await talker.until("session.updated"))["session"]
    assert (updated["instructions"], updated["modalities"]) == ("Be brief.", ["text"])


@pytest.mark.parametrize(
    ("modalities", "kind", "words"), [(["text"], "text", "text"), (["text", "audio"], "audio", "transcript")]
)
async def test_items_are_of_the_old_kinds(
    talker: Talker, modalities: list[str], kind: str, words: str
) -> None:
    talker.flat = True
    await talker.send("session.update", session={"modalities": modalities, "voice": "alloy"})
    await talker.type("hello", respond=False)
    asked = (await talker.until("conversation.item.created"))["item"]
    assert asked["object"] == "realtime.item"
    assert asked["content"][0]["type"] == "input_text"
    await talker.send("response.create", response={"voice": "echo"})
    reply = await talker.reply()
    assert reply.response["voice"] == "echo"
    done = next(event["item"] for event in reply.events if event["type"] == "response.output_item.done")
    await talker.send("conversation.item.retrieve", item_id=done["id"])
    retrieved = (await talker.until("conversation.item.retrieved"))["item"]
    for item in (done, retrieved, reply.response["output"][0]):
        assert item["content"] == [{"type": kind, words: reply.text}]
    assert done["object"] == retrieved["object"] == "realtime.item"


async def test_silence_after_a_reply_is_answered() -> None:
    engine = Engine(FAST)
    async with talking(engine) as talker:
        detection = {"type": "server_vad", "idle_timeout_ms": 5000}
        await talker.configure(audio={"input": {"turn_detection": detection}}, output_modalities=["text"])
        await talker.send("input_audio_buffer.append", audio=base64.b64encode(bytes(48 * 7000)).decode())
        await talker.type("hello")
        await talker.reply()
        timed_out = await talker.until("input_audio_buffer.timeout_triggered")
        assert timed_out["audio_end_ms"] - timed_out["audio_start_ms"] == 5000
        committed = await talker.until("input_audio_buffer.committed")
        assert committed["item_id"] == timed_out["item_id"]
        assert (await talker.reply()).text == "I did not hear you. Are you still there?"
    engine.close()


async def test_a_session_has_so_many_replies_a_minute() -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0), limits=Limits(replies_per_minute=1)))
    async with talking(engine) as talker:
        await talker.type("hello")
        first = await talker.reply()
        limits = next(event for event in first.events if event["type"] == "rate_limits.updated")[
            "rate_limits"
        ]
        assert [limit["name"] for limit in limits] == ["requests", "tokens"]
        assert limits[0]["remaining"] == 0
        await talker.type("hello")
        second = (await talker.reply()).response
        assert second["status"] == "failed"
        assert second["status_details"]["error"]["code"] == "inference_rate_limit_exceeded"
    engine.close()


@pytest.mark.parametrize(
    ("words", "waits"),
    [
        ("my order number is", True),
        ("cancel order one zero", True),
        ("i want to return it because", True),
        ("cancel order one zero zero five", False),
        ("where is my order ten oh four", False),
        ("thank you", False),
    ],
)
def test_an_unfinished_sentence_is_waited_for(words: str, waits: bool) -> None:
    assert patience_ms(words, "medium") == (4000 if waits else 500)
    assert patience_ms(words, "high") <= patience_ms(words, "low")


async def test_a_number_said_in_two_parts_is_one_turn(talker: Talker) -> None:
    from helpline.engine.voice import Synthesiser

    voice = Synthesiser()
    await talker.configure(
        tools=SHOP_TOOLS,
        audio={"input": {"turn_detection": {"type": "semantic_vad"}, "transcription": {"model": "m"}}},
    )
    pcm24k = voice.speak("my order number is") + bytes(48 * 1500) + voice.speak("one zero zero four")
    await talker.hear(pcm24k, silence_ms=5000)
    reply = await talker.reply()
    assert [event["type"] for event in reply.events].count("input_audio_buffer.speech_stopped") == 1
    assert "1004" in reply.transcript


def test_partial_words_are_given_once_they_stay() -> None:
    partials = Partials()
    given = [partials.take("where is my order one") for _ in range(14)]
    given += [partials.take("where is my order one zero zero") for _ in range(14)]
    assert [words for words in given if words] == ["where is my", "where is my order one"]


async def test_a_transcription_session_writes_and_never_answers(talker: Talker) -> None:
    session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-transcribe"}}}}
    await talker.send("session.update", session=session)
    assert (await talker.until("session.updated"))["session"]["type"] == "transcription"
    for _ in range(2):
        await talker.speak("thank you")
        done = await talker.until("conversation.item.input_audio_transcription.completed")
        assert done["transcript"] == "Thank you."
    await talker.send("response.create")
    assert (await talker.until("error"))["error"]["code"] == "invalid_value"
    assert not [event for event in talker.events if event["type"].startswith("response.")]


async def test_an_address_may_ask_for_transcripts_alone() -> None:
    async with (
        EngineServer(Engine(FAST), port=0) as server,
        connect(f"{server.url}?intent=transcription") as socket,
    ):
        talker = Talker(socket)
        created = await talker.until("session.created")
        assert created["session"]["type"] == "transcription"
        await talker.speak("thank you")
        await talker.until("conversation.item.input_audio_transcription.completed", transcript="Thank you.")
