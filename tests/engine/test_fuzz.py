"""Random sequences of valid and mutated events, typed and with bits of sound, against a real server.

Each sequence follows from its seed. Whatever is sent, the session keeps the contract of `contract.py` and the
rules below, and a session beside it goes on answering.
"""

import asyncio
import base64
import json
import logging
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from copy import deepcopy
from typing import Any

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect

from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, EngineServer
from helpline.engine.voice import Synthesiser
from tests.engine.contract import CHECKS, speech_starts_stops_and_is_committed_under_one_id
from tests.engine.talk import SHOP_TOOLS, Json, Talker

EVENTS = 60
AT_ONCE = 10
"""Sequences in one test."""
LONG = int(os.environ.get("HELPLINE_FUZZ_SEQUENCES", "2000"))

SOUNDS = (
    Synthesiser().speak("cancel order 1005"),
    Synthesiser().speak("hello"),
    bytes(48 * 900),
    bytes(48 * 900),
    np.random.default_rng(5).normal(0, 3000, 12_000).astype("<i2").tobytes(),
)
WORDS = (
    "hello",
    "where is order 1004",
    "cancel order 1005",
    "yes",
    "no",
    "1004",
    "what can you do",
    "",
    "\0",
)
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 10**30, -(10**30), 1e308, "", "x", "x" * 5000, "\0\ud7ff\u202e", "auto",
    [], {}, [[]], [None], {"": None}, {"type": "message"}, {"type": 7}, ["text", "audio"], "item_no", "none",
)  # fmt: skip


class Seen:
    """What the server has announced, for a client to name."""

    def __init__(self) -> None:
        self.items: list[str] = ["item_none"]
        self.responses: list[str] = ["resp_none"]
        self.calls: list[str] = ["call_none"]

    def take(self, event: Json) -> None:
        item = event.get("item")
        if isinstance(item, dict) and item["id"] not in self.items:
            self.items.append(item["id"])
            if item["type"] == "function_call":
                self.calls.append(item["call_id"])
        if event["type"] == "response.created":
            self.responses.append(event["response"]["id"])


def _message(pick: random.Random) -> Json:
    role = pick.choice(("user", "user", "user", "system", "assistant"))
    kind = "output_text" if role == "assistant" else "input_text"
    text = pick.choice((*WORDS, 'Say to the customer: "One, two, three."'))
    item: Json = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
    if pick.random() < 0.2:
        item["id"] = f"item_own_{pick.randrange(8)}"
    return item


def _item(pick: random.Random, seen: Seen) -> Json:
    kind = pick.random()
    if kind < 0.7:
        return _message(pick)
    if kind < 0.9:
        output = pick.choice(('{"say": "It is on its way."}', "{}", "[", '{"status": "needs_input"}'))
        return {"type": "function_call_output", "call_id": pick.choice(seen.calls), "output": output}
    return {"type": "function_call", "name": "cancel_order", "arguments": '{"order_id": "1005"}'}


def _create(pick: random.Random, seen: Seen) -> Json:
    event: Json = {"type": "conversation.item.create", "item": _item(pick, seen)}
    if pick.random() < 0.3:
        event["previous_item_id"] = pick.choice((*seen.items[-3:], "root", None))
    return event


def _respond(pick: random.Random, seen: Seen) -> Json:
    response: Json = {}
    if pick.random() < 0.3:
        response["conversation"] = pick.choice(("auto", "none"))
    if pick.random() < 0.2:
        response["input"] = [{"type": "item_reference", "id": pick.choice(seen.items)}, _message(pick)]
    if pick.random() < 0.2:
        response["output_modalities"] = [pick.choice(("text", "audio"))]
    if pick.random() < 0.1:
        response["max_output_tokens"] = pick.choice((1, 5, 4096, "inf"))
    if pick.random() < 0.1:
        response |= {"tools": SHOP_TOOLS, "tool_choice": pick.choice(("auto", "required", "none"))}
    if pick.random() < 0.1:
        response |= {"instructions": 'Say to the customer: "Now."', "metadata": {"a": "b"}}
    return {"type": "response.create", "response": response} if response else {"type": "response.create"}


def _update(pick: random.Random, _seen: Seen) -> Json:
    detection: Json | None = {"type": "server_vad", "silence_duration_ms": pick.choice((200, 500))}
    if pick.random() < 0.5:
        detection = pick.choice(
            (None, {"type": "semantic_vad"}, {**(detection or {}), "create_response": False})
        )
    sound: Json = {
        "input": {"turn_detection": detection, "transcription": pick.choice((None, {"model": "m"}))},
        "output": {"speed": pick.choice((0.5, 1.0, 1.5)), "voice": pick.choice(("marin", "cedar"))},
    }
    if pick.random() < 0.3:
        sound["input"]["format"] = {"type": pick.choice(("audio/pcm", "audio/pcmu", "audio/pcma"))}
        sound["output"]["format"] = {"type": pick.choice(("audio/pcm", "audio/pcmu", "audio/pcma"))}
    kind = pick.choice(("realtime",) * 9 + ("transcription",))
    modalities = [pick.choice(("text", "audio"))]
    return {
        "type": "session.update",
        "session": {"type": kind, "audio": sound, "output_modalities": modalities},
    }


def _update_tools(pick: random.Random, seen: Seen) -> Json:
    tools = {"type": "realtime", "tools": SHOP_TOOLS[: pick.randrange(8)], "tool_choice": "auto"}
    return {"type": "session.update", "session": tools}


def _append(pick: random.Random, _seen: Seen) -> Json:
    sound = pick.choice(SOUNDS)
    at = 2 * pick.randrange(len(sound) // 4)
    piece = sound[at : at + 48 * pick.choice((20, 100, 240))]
    return {"type": "input_audio_buffer.append", "audio": base64.b64encode(piece).decode()}


def _named(type: str) -> "Make":
    return lambda pick, seen: {
        "type": type,
        "item_id": pick.choice((seen.items[-1], pick.choice(seen.items))),
    }


def _truncate(pick: random.Random, seen: Seen) -> Json:
    cut = {
        "item_id": pick.choice(seen.items),
        "content_index": 0,
        "audio_end_ms": pick.choice((0, 50, 300, 9000)),
    }
    return {"type": "conversation.item.truncate", **cut}


def _cancel(pick: random.Random, seen: Seen) -> Json:
    named = {"response_id": pick.choice(seen.responses)} if pick.random() < 0.4 else {}
    return {"type": "response.cancel", **named}


Make = Callable[[random.Random, Seen], Json]
COMMON: Sequence[Make] = (
    *(_create,) * 5, *(_respond,) * 5, *(_update,) * 2, _truncate, _cancel,
    _named("conversation.item.retrieve"), _named("conversation.item.delete"),
    lambda _pick, _seen: {"type": "output_audio_buffer.clear"},
)  # fmt: skip
TYPED = (*COMMON, _update_tools, _update_tools)
SPOKEN = (
    *COMMON,
    *(_append,) * 6,
    lambda _pick, _seen: {"type": "input_audio_buffer.commit"},
    lambda _pick, _seen: {"type": "input_audio_buffer.clear"},
)
"""The tools stay as they are: for each set of them the ears would learn other words, half a second long."""


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in it with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def _mutated(event: Json, pick: random.Random) -> str | bytes:
    """Something of it is missing, of another kind or too much; sometimes it is no event any more."""
    how = pick.random()
    text = json.dumps(event)
    if how < 0.1:
        return text[: pick.randrange(len(text))]
    if how < 0.2:
        broken = bytearray(text.encode())
        broken[pick.randrange(len(broken))] = pick.randrange(256)
        return bytes(broken)
    event = json.loads(text)
    for _ in range(pick.choice((1, 1, 2))):
        container, key = pick.choice(_places(event))
        if (container is event and key == "event_id") or not container:
            continue
        if how < 0.4:
            del container[key]
        elif how < 0.5 and isinstance(container, dict):
            container["surplus"] = deepcopy(pick.choice(JUNK))
        else:
            container[key] = deepcopy(pick.choice(JUNK))
    return json.dumps(event)


class Fuzz:
    """One sequence, from one seed."""

    def __init__(self, seed: int, socket: ClientConnection) -> None:
        self.pick = random.Random(seed)
        self.makers = (TYPED, SPOKEN)[seed % 2]
        self.socket = socket
        self.talker = Talker(socket)
        self.seen = Seen()
        self.sent: list[str | bytes] = []
        self.ended = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read())
            for number in range(EVENTS):
                event = self.pick.choice(self.makers)(self.pick, self.seen) | {"event_id": f"sent_{number}"}
                frame = _mutated(event, self.pick) if self.pick.random() < 0.35 else json.dumps(event)
                self.sent.append(frame)
                await self.socket.send(frame)
                if self.pick.random() < 0.3:
                    await self.socket.ping()  # a little later: what was sent is being performed
                    await asyncio.sleep(0)
            await self._end()
            await reading

    async def _end(self) -> None:
        """From now on nothing begins by itself: the error that names `end` comes after all answers."""
        still = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await self.talker.send("session.update", session=still)
        await self.talker.send("conversation.item.retrieve", item_id="item_none", event_id="end")

    async def _read(self) -> None:
        opened, over = 0, False
        while not over or opened:
            event = await self.talker.next()
            self.seen.take(event)
            opened += {"response.created": 1, "response.done": -1}.get(event["type"], 0)
            over = over or (event["type"] == "error" and event["error"]["event_id"] == "end")


# --- what holds of every sequence ------------------------------------------------------------------------


def errors_name_who_caused_them(fuzz: Fuzz) -> None:
    """By the client's own id, where its frame had one that could be read; none is refused twice."""
    named = Counter(event["error"]["event_id"] for event in fuzz.talker.events if event["type"] == "error")
    ids = [_event_id(frame) for frame in fuzz.sent]
    assert set(named) - {None, "end"} <= set(ids)
    assert all(count == 1 for event_id, count in named.items() if event_id is not None)
    unnamed = [
        event["error"]
        for event in fuzz.talker.events
        if event["type"] == "error" and event["error"]["event_id"] is None
    ]
    refused = [error for error in unnamed if error["code"] != "conversation_already_has_active_response"]
    assert sum(_decoded(frame) is None for frame in fuzz.sent) <= len(refused) <= ids.count(None), refused


def _decoded(frame: str | bytes) -> Any:
    """None: it is no JSON."""
    try:
        return msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeError):
        return None


def _event_id(frame: str | bytes) -> str | None:
    """None: the frame has none that the server could name."""
    event = _decoded(frame)
    event_id = event.get("event_id") if isinstance(event, dict) else None
    return event_id if isinstance(event_id, str) else None


def one_response_at_a_time(fuzz: Fuzz) -> None:
    speaking = ""
    for event in fuzz.talker.events:
        response = event.get("response") or {}
        if response.get("conversation_id") is None:
            continue
        if event["type"] == "response.created":
            assert not speaking
            speaking = response["id"]
        elif event["type"] == "response.done":
            assert speaking == response["id"]
            speaking = ""


def items_that_are_named_were_announced(fuzz: Fuzz) -> None:
    known: set[str] = set()
    for event in fuzz.talker.events:
        if event["type"] in ("conversation.item.added", "response.output_item.added"):
            known.add(event["item"]["id"])
        elif event["type"] in (
            "input_audio_buffer.speech_started",
            "input_audio_buffer.committed",
            "input_audio_buffer.timeout_triggered",
        ):
            known.add(event["item_id"])
        elif "item_id" in event:
            assert event["item_id"] in known, event["type"]


def ids_are_given_once(fuzz: Fuzz) -> None:
    given = Counter(
        event["response"]["id"] for event in fuzz.talker.events if event["type"] == "response.created"
    )
    given += Counter(
        event["item"]["call_id"]
        for event in fuzz.talker.events
        if event["type"] == "response.output_item.added" and event["item"]["type"] == "function_call"
    )
    assert set(given.values()) <= {1}


def speech_that_stops_had_begun_and_is_committed(fuzz: Fuzz) -> None:
    """A client may also commit or clear what is still being said: then it has begun and does not stop."""
    began, stopped = set(), set()
    for event in fuzz.talker.events:
        match event["type"]:
            case "input_audio_buffer.speech_started":
                began.add(event["item_id"])
            case "input_audio_buffer.speech_stopped":
                assert event["item_id"] in began
                stopped.add(event["item_id"])
            case "input_audio_buffer.committed":
                stopped.discard(event["item_id"])
    assert not stopped


CONTRACT = [check for check in CHECKS if check is not speech_starts_stops_and_is_committed_under_one_id]
RULES = (
    speech_that_stops_had_begun_and_is_committed,
    errors_name_who_caused_them,
    one_response_at_a_time,
    items_that_are_named_were_announced,
    ids_are_given_once,
)


@pytest.fixture
async def server() -> AsyncIterator[EngineServer]:
    options = EngineOptions(pace=Pace(lead_ms=0, times=40), workers=1)
    async with EngineServer(Engine(options), port=0) as server:
        yield server


async def _fuzzed(server: EngineServer, seeds: Sequence[int], log: pytest.LogCaptureFixture) -> None:
    async with connect(server.url) as beside:
        neighbour = Talker(beside)
        await neighbour.configure(output_modalities=["text"])
        for seed in seeds:
            async with connect(server.url) as socket:
                fuzz = Fuzz(seed, socket)
                try:
                    await fuzz.run()
                    for check in CONTRACT:
                        check(fuzz.talker.events)
                    for rule in RULES:
                        rule(fuzz)
                except Exception as broken:
                    raise AssertionError(f"seed {seed}: {broken!r}") from broken
            await neighbour.type("hello")
            assert (await neighbour.reply()).response["status"] == "completed"
            del neighbour.events[1:]
            assert not [record for record in log.records if record.levelno >= logging.ERROR], f"seed {seed}"
            assert "Traceback" not in log.text


@pytest.mark.parametrize("first", range(0, 40, AT_ONCE))
async def test_no_sequence_of_events_breaks_a_session(
    server: EngineServer, caplog: pytest.LogCaptureFixture, first: int
) -> None:
    await _fuzzed(server, range(first, first + AT_ONCE), caplog)


@pytest.mark.soak
@pytest.mark.timeout(7200)
async def test_no_sequence_of_many_breaks_a_session(
    server: EngineServer, caplog: pytest.LogCaptureFixture
) -> None:
    await _fuzzed(server, range(1000, 1000 + LONG), caplog)
