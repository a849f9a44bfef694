"""Whatever a peer sends gets its error and takes nothing from others: real sockets, one worker for all."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from helpline.engine.brain import Say
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, EngineServer
from helpline.engine.session import Limits
from helpline.engine.voice import Synthesiser
from tests.engine.talk import SHOP_TOOLS, Talker, function, talking

MIB = 1024 * 1024


def event(type: str, **fields: Any) -> str:
    return json.dumps({"type": type, **fields})


def append(pcm24k: bytes) -> str:
    return event("input_audio_buffer.append", audio=base64.b64encode(pcm24k).decode())


def session(**fields: Any) -> str:
    return event("session.update", session={"type": "realtime", **fields})


def detection(**numbers: Any) -> str:
    return session(audio={"input": {"turn_detection": {"type": "server_vad", **numbers}}})


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@dataclass(frozen=True)
class Garbage:
    """A frame, and the error that it gets: its code and what it names."""

    what: str
    frame: str | bytes
    code: str
    param: str | None = None


GARBAGE = (
    Garbage("bad JSON", '{"type": "session.upd', "invalid_json"),
    Garbage("two events in a frame", "{}{}", "invalid_json"),
    Garbage("a list", "[]", "invalid_json"),
    Garbage("brackets", "[" * 100_000, "invalid_json"),
    Garbage("not a number", '{"type": NaN}', "invalid_json"),
    Garbage("half of a surrogate", b'{"type": "\xed\xa0\x80"}', "invalid_json"),
    Garbage("bytes", bytes(range(256)), "invalid_json"),
    Garbage("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100_000), "invalid_json"),
    Garbage("a megabyte of no JSON", "x" * MIB, "invalid_json"),
    Garbage("no type", "{}", "missing_required_parameter", "type"),
    Garbage("a type of a wrong type", event(["session.update"]), "invalid_type", "type"),  # type: ignore[arg-type]
    Garbage("an unknown type", event("session.destroy"), "invalid_value", "type"),
    Garbage(
        "a part of a type that is no word",
        event(
            "conversation.item.create",
            item={"type": "message", "role": "assistant", "content": [{"type": {}}]},
        ),
        "invalid_type",
        "item.content[0].type",
    ),
    Garbage("a server's event", event("response.done", response={}), "invalid_value", "type"),
    Garbage("16 MiB of audio", append(bytes(16 * MIB)), "invalid_value", "audio"),
    Garbage("no base64", event("input_audio_buffer.append", audio="%%%"), "invalid_value", "audio"),
    Garbage(
        "audio that is a list", event("input_audio_buffer.append", audio=[0, 1]), "invalid_type", "audio"
    ),
    Garbage("no audio", event("input_audio_buffer.append"), "missing_required_parameter", "audio"),
    Garbage("nothing to commit", event("input_audio_buffer.commit"), "input_audio_buffer_commit_empty"),
    Garbage(
        "an unknown item",
        event("conversation.item.delete", item_id="item_no"),
        "item_delete_invalid_item_id",
        "item_id",
    ),
    Garbage(
        "an item id of a megabyte",
        event("conversation.item.retrieve", item_id="i" * MIB),
        "item_retrieve_invalid_item_id",
        "item_id",
    ),
    Garbage(
        "an unknown item to cut",
        event("conversation.item.truncate", item_id="x", content_index=0, audio_end_ms=1),
        "item_truncate_invalid_item_id",
        "item_id",
    ),
    Garbage(
        "an unknown response", event("response.cancel", response_id="resp_no"), "response_cancel_not_active"
    ),
    Garbage(
        "an unknown call",
        event(
            "conversation.item.create",
            item={"type": "function_call_output", "call_id": "call_no", "output": ""},
        ),
        "invalid_tool_call_id",
        "item.call_id",
    ),
    Garbage(
        "an unknown item to stand behind",
        event(
            "conversation.item.create",
            previous_item_id="item_no",
            item={"type": "message", "role": "user", "content": []},
        ),
        "invalid_value",
        "previous_item_id",
    ),
    Garbage(
        "a text of two megabytes",
        event(
            "conversation.item.create",
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": "x" * 2 * MIB}],
            },
        ),
        "invalid_value",
        "item.content[0].text",
    ),
    Garbage(
        "too many parts",
        event(
            "conversation.item.create",
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}] * 65},
        ),
        "invalid_value",
        "item.content",
    ),
    Garbage(
        "items without end",
        event("response.create", response={"input": [{"type": "item_reference", "id": "x"}] * 501}),
        "invalid_value",
        "response.input",
    ),
    Garbage(
        "absurd tokens",
        event("response.create", response={"max_output_tokens": 10**30}),
        "invalid_value",
        "response.max_output_tokens",
    ),
    Garbage(
        "tokens below zero",
        event("response.create", response={"max_output_tokens": -(2**63)}),
        "invalid_value",
        "response.max_output_tokens",
    ),
    Garbage(
        "a number beyond numbers",
        '{"type": "response.create", "response": {"max_output_tokens": 1e999}}',
        "invalid_json",
    ),
    Garbage(
        "an absurd window",
        detection(silence_duration_ms=10**18),
        "invalid_value",
        "session.audio.input.turn_detection.silence_duration_ms",
    ),
    Garbage(
        "a window below zero",
        detection(silence_duration_ms=-1),
        "invalid_value",
        "session.audio.input.turn_detection.silence_duration_ms",
    ),
    Garbage(
        "a window in parts",
        detection(silence_duration_ms=0.5),
        "invalid_type",
        "session.audio.input.turn_detection.silence_duration_ms",
    ),
    Garbage(
        "an absurd threshold",
        detection(threshold=1e308),
        "invalid_value",
        "session.audio.input.turn_detection.threshold",
    ),
    Garbage(
        "a threshold that is true",
        detection(threshold=True),
        "invalid_type",
        "session.audio.input.turn_detection.threshold",
    ),
    Garbage(
        "an absurd speed",
        session(audio={"output": {"speed": 10**9}}),
        "invalid_value",
        "session.audio.output.speed",
    ),
    Garbage(
        "too many tools",
        session(tools=[function(f"t{n}") for n in range(129)]),
        "invalid_value",
        "session.tools",
    ),
    Garbage(
        "a schema that never ends",
        session(tools=[{"type": "function", "name": "deep", "parameters": nested(400)}]),
        "invalid_value",
        "session.tools[0].parameters",
    ),
    Garbage("tracing that never ends", session(tracing=nested(400)), "invalid_value", "session.tracing"),
    Garbage("three megabytes to be kept", session(instructions="x" * 3 * MIB), "invalid_value", "session"),
    Garbage("a session that is a word", event("session.update", session="please"), "invalid_type", "session"),
)


def _noise(rms: float, seconds: float = 1.0) -> bytes:
    values = np.random.default_rng(3).normal(0, rms, int(24_000 * seconds))
    return values.clip(-32768, 32767).astype("<i2").tobytes()


def _clipped(pcm24k: bytes, times: float = 5.0) -> bytes:
    loud = np.frombuffer(pcm24k, dtype="<i2").astype(np.float32) * times
    return loud.clip(-32768, 32767).astype("<i2").tobytes()


SOUNDS = {
    "nothing": b"",
    "half of a sample": b"\x01",
    "silence": bytes(48_000),
    "quiet noise": _noise(200),
    "white noise": _noise(12_000),
    "a square wave": (b"\xff\x7f" * 50 + b"\x00\x80" * 50) * 240,
    "all at the lower end": b"\x00\x80" * 24_000,
    "what was never sound": bytes(range(256)) * 200,
}


@pytest.fixture
async def server() -> AsyncIterator[EngineServer]:
    async with EngineServer(Engine(EngineOptions(pace=Pace(times=0), workers=1)), port=0) as server:
        yield server


async def refused(talker: Talker, garbage: Garbage) -> None:
    await talker.send_raw(garbage.frame)
    error = (await talker.until("error"))["error"]
    assert (error["code"], error["param"]) == (garbage.code, garbage.param), garbage.what
    assert len(error["message"]) < 1000, garbage.what


async def answers(talker: Talker) -> None:
    """The session is as it was."""
    await talker.type("hello")
    assert (await talker.reply()).response["status"] == "completed"


async def test_each_kind_of_garbage_gets_its_error_and_the_connection_stays(server: EngineServer) -> None:
    async with connect(server.url) as socket:
        talker = Talker(socket)
        before = (await talker.until("session.created"))["session"]
        for garbage in GARBAGE:
            await refused(talker, garbage)
        assert (await talker.configure())["session"] == before
        await answers(talker)


@pytest.mark.parametrize("name", SOUNDS)
async def test_no_sound_is_an_error(talker: Talker, name: str) -> None:
    for _ in range(3):
        await talker.send_raw(append(SOUNDS[name]))
    await talker.send("input_audio_buffer.clear")
    await talker.until("input_audio_buffer.cleared")
    await answers(talker)
    assert not [event for event in talker.events if event["type"] == "error"]


async def test_clipped_speech_is_heard_all_the_same(talker: Talker) -> None:
    await talker.configure(audio={"input": {"transcription": {"model": "m"}}})
    await talker.hear(_clipped(Synthesiser().speak("thank you")))
    assert (await talker.reply()).transcript == "Thank you."


async def test_a_call_is_unharmed_by_garbage_beside_it(server: EngineServer) -> None:
    async with connect(server.url) as quiet, asyncio.TaskGroup() as tasks:
        over = asyncio.Event()
        rounds = tasks.create_task(_pester(server.url, over))
        talker = Talker(quiet)
        await talker.configure(tools=SHOP_TOOLS, audio={"input": {"transcription": {"model": "m"}}})
        for _ in range(2):
            await talker.speak("where is my order 1004")
            asked = await talker.reply()
            assert asked.calls == [("check_order_status", {"order_id": "1004"})]
            await talker.answer(asked.items("function_call")[0], {"say": "It is on its way."})
            told = await talker.reply()
            assert told.text == "It is on its way."
            assert len(told.pcm24k) > 48 * 500
        over.set()
    assert rounds.result() >= 1
    assert not [event for event in talker.events if event["type"] == "error"]


async def _pester(url: str, over: asyncio.Event) -> int:
    """All the garbage and all the noise, again and again: how often."""
    rounds = 0
    async with connect(url) as socket:
        talker = Talker(socket)
        while not (over.is_set() and rounds):
            for garbage in GARBAGE:
                await refused(talker, garbage)
            for sound in SOUNDS.values():
                await talker.send_raw(append(sound))
            await talker.send("input_audio_buffer.clear")
            await talker.until("input_audio_buffer.cleared")
            rounds += 1
    return rounds


# --- schemas and a brain that breaks ---------------------------------------------------------------------

SCHEMAS: tuple[Any, ...] = (
    {"type": "object", "properties": 7},
    {"type": "object", "properties": {"when": None}, "required": ["when"]},
    {"type": "object", "properties": {"when": {"type": ["string", "null"]}}, "required": "when"},
    {"type": "object", "properties": {"when": {"enum": "now"}}, "required": ["when", "when", 7, None]},
    {"type": "object", "properties": {"when": {"enum": [], "description": 7}}, "required": ["where"]},
    {
        "type": "object",
        "properties": {"n": {"type": "integer", "minimum": "a", "maximum": []}},
        "required": ["n"],
    },
    {"type": "object", "properties": {"": {"type": "string", "pattern": "(((("}}, "required": [""]},
    {"type": "array", "items": {"$ref": "#"}},
    {"anyOf": [{"type": "string"}], "required": {}},
    None,
)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:60])
async def test_a_tool_with_an_odd_schema_breaks_no_call(talker: Talker, schema: Any) -> None:
    tool = {
        "type": "function",
        "name": "water_plants",
        "description": "Water the plants.",
        "parameters": schema,
    }
    await talker.configure(tools=[tool], output_modalities=["text"])
    for words in ("please water the plants", "tomorrow at three", "seven"):
        await talker.type(words)
        assert (await talker.reply()).response["status"] == "completed"


class Broken:
    """A brain that says half a sentence and breaks, once."""

    def __init__(self) -> None:
        self._broken = False

    async def answer(self, turn: Any) -> AsyncIterator[Say]:
        yield Say("I am well. And ")
        if not self._broken:
            self._broken = True
            raise KeyError("what the customer said")


async def test_a_brain_that_breaks_costs_its_reply_and_not_the_call(caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0)), make_brain=Broken)
    async with talking(engine) as talker:
        await talker.type("hello")
        broken = (await talker.reply()).response
        assert broken["status"] == "failed"
        assert broken["status_details"]["error"]["code"] == "brain_failed"
        assert broken["output"][0]["status"] == "incomplete"
        await answers(talker)
    engine.close()
    assert "KeyError at test_garbage.py" in caplog.text
    assert "what the customer said" not in caplog.text


# --- limits ----------------------------------------------------------------------------------------------


async def test_a_frame_has_its_size() -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0), limits=Limits(frame_bytes=10_000)))
    async with EngineServer(engine, port=0) as server, connect(server.url) as socket:
        await socket.send("x" * 10_000)
        await socket.send("x" * 10_001)
        await asyncio.wait_for(socket.wait_closed(), 60)
        assert socket.close_code == 1009


async def test_an_utterance_that_nobody_commits_has_its_length() -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0), limits=Limits(buffer_ms=3000)))
    async with talking(engine) as talker:
        await talker.configure(audio={"input": {"turn_detection": None}})
        full = Garbage("a full buffer", append(bytes(48 * 1500)), "invalid_value", "audio")
        for ending in ("clear", "commit"):
            await talker.send_raw(append(bytes(48 * 2000)))
            await refused(talker, full)
            await talker.send(f"input_audio_buffer.{ending}")
        await talker.until("input_audio_buffer.committed")
        await talker.send_raw(append(bytes(48 * 2000)))
        await talker.configure(audio={"input": {"turn_detection": {"type": "server_vad"}}})
        await talker.send_raw(append(bytes(48 * 4000)))
        await answers(talker)
        assert [event["type"] for event in talker.events].count("error") == 2
    engine.close()


@pytest.mark.parametrize("codec", ["audio/pcmu", "audio/pcma"])
async def test_an_utterance_of_telephone_audio_is_as_long(codec: str) -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0), limits=Limits(buffer_ms=3000)))
    async with talking(engine) as talker:
        await talker.configure(audio={"input": {"turn_detection": None, "format": {"type": codec}}})
        await talker.send_raw(append(bytes(8 * 3000)))
        await refused(talker, Garbage("a full buffer", append(bytes(8)), "invalid_value", "audio"))
    engine.close()


async def test_a_conversation_forgets_its_oldest_words_when_it_is_full() -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0), limits=Limits(characters=1000)))
    async with talking(engine) as talker:
        ids = []
        for _ in range(3):
            await talker.type("x" * 400, respond=False)
            ids.append((await talker.until("conversation.item.done"))["item"]["id"])
        await talker.send("conversation.item.retrieve", item_id=ids[1])
        await talker.until("conversation.item.retrieved")
        gone = event("conversation.item.retrieve", item_id=ids[0])
        await refused(talker, Garbage("gone", gone, "item_retrieve_invalid_item_id", "item_id"))
    engine.close()


async def test_connections_are_counted() -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0), most_sessions=2))
    async with EngineServer(engine, port=0) as server:
        async with connect(server.url) as one, connect(server.url) as other:
            for socket in (one, other):
                assert json.loads(await socket.recv())["type"] == "session.created"
            with pytest.raises(InvalidStatus) as full:
                await connect(server.url)
            assert full.value.response.status_code == 503
        async with asyncio.timeout(60):  # the server learns in its own time that they are gone
            while await _opened(server.url) != "session.created":
                pass


async def test_those_who_come_at_the_same_time_are_counted_too() -> None:
    engine = Engine(EngineOptions(pace=Pace(times=0), most_sessions=3))
    async with EngineServer(engine, port=0) as server:
        found = await asyncio.gather(*(_opened(server.url) for _ in range(12)))
        assert 1 <= found.count("session.created") <= 3
        assert set(found) <= {"session.created", "503", "1013"}


async def _opened(url: str, headers: dict[str, str] | None = None) -> str:
    """The first event that one gets there, else the status or code that one is sent away with."""
    try:
        async with connect(url, additional_headers=headers) as socket:
            first = json.loads(await socket.recv())["type"]
            await asyncio.wait_for(socket.ping(), 60)
            return str(first)
    except InvalidStatus as status:
        return str(status.response.status_code)
    except ConnectionClosed as closed:
        return str(closed.rcvd.code if closed.rcvd else None)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("http://127.0.0.1.evil.example", 403),
        ("http://evil.example@127.0.0.1.example", 403),
        ("null", 403),
        ("http://localhost:8000", 101),
        ("http://127.0.0.1:9", 101),
        (None, 101),
    ],
)
async def test_only_pages_of_this_host_may_come(
    server: EngineServer, origin: str | None, status: int
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    assert await _opened(server.url, headers) == ("session.created" if status == 101 else str(status))


async def test_another_path_is_not_the_protocol(server: EngineServer) -> None:
    with pytest.raises(InvalidStatus) as lost:
        await connect(server.url.replace("/v1/realtime", "/v1/audio"))
    assert lost.value.response.status_code == 404
