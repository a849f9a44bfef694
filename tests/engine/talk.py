"""A client that talks to the engine, for tests: it speaks, types, answers tool calls and collects events."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from openai.types.beta.realtime import RealtimeServerEvent as OldServerEvent
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection

from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions
from helpline.engine.voice import Synthesiser
from helpline.realtime.connection import MemoryFrames, memory_frames

Json = dict[str, Any]
FRAME_MS = 100


def function(name: str, description: str = "", required: Sequence[str] = (), **properties: Any) -> Json:
    """A function tool: properties as `name="description"` or as whole schemas."""
    schemas = {
        key: value if isinstance(value, dict) else {"type": "string", "description": value}
        for key, value in properties.items()
    }
    parameters = {"type": "object", "properties": schemas, "required": list(required)}
    return {"type": "function", "name": name, "description": description, "parameters": parameters}


SHOP_TOOLS = [
    function("get_customer_info", "The caller's profile and recent orders."),
    function(
        "check_order_status", "Where an order is.", ["order_id"], order_id="The order number, four digits."
    ),
    function(
        "process_return",
        "Start a return.",
        ["order_id", "reason"],
        order_id="The order number.",
        item="Which item of the order.",
        reason="Why it comes back.",
    ),
    function(
        "get_product_info",
        "Price and stock of a product.",
        ["query"],
        query="What the customer is looking for.",
    ),
    function(
        "update_account_info",
        "Change a contact detail.",
        ["field", "value"],
        field={"type": "string", "enum": ["email", "phone", "address"], "description": "What to change."},
        value="The new value.",
    ),
    function(
        "cancel_order",
        "Cancel an order that has not shipped.",
        ["order_id"],
        order_id="The order number.",
        reason="Why.",
    ),
    function(
        "schedule_callback",
        "Have a person call back.",
        ["when"],
        when="When to call.",
        topic="What it is about.",
        phone="The number to call.",
    ),
]


VENDORS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
OLD_VENDORS: TypeAdapter[Any] = TypeAdapter(OldServerEvent)


def must_be_the_vendors(frame: str | bytes, *, flat: bool = False) -> None:
    """The frame is an event by the strict types of the vendor's SDK; `flat`: by those of 2024."""
    if flat:  # whose types name every model there was
        text = frame if isinstance(frame, str) else frame.decode()
        parsed = OLD_VENDORS.validate_json(text.replace('"helpline-engine"', '"gpt-4o-realtime-preview"'))
    else:
        parsed = VENDORS.validate_json(frame, strict=True)
    assert parsed.type == json.loads(frame)["type"]


class Talker:
    """One session, seen from the client. Whatever it is sent must be what the vendor's SDK calls valid."""

    def __init__(self, frames: MemoryFrames | ClientConnection, *, flat: bool = False) -> None:
        self._frames = frames
        self.flat = flat
        self.events: list[Json] = []

    async def send(self, type: str, **fields: Any) -> None:
        await self._frames.send(json.dumps({"type": type, **fields}))

    async def send_raw(self, frame: str | bytes) -> None:
        await self._frames.send(frame)

    async def next(self) -> Json:
        """The next event."""
        frame = await asyncio.wait_for(self._frames.recv(), 60)
        must_be_the_vendors(frame, flat=self.flat)
        event: Json = json.loads(frame)
        self.events.append(event)
        return event

    async def until(self, type: str, **fields: Any) -> Json:
        """The next event of a type (with these fields); all before it are collected."""
        while True:
            event = await self.next()
            if event["type"] == type and all(event.get(key) == value for key, value in fields.items()):
                return event

    async def configure(self, **session: Any) -> Json:
        await self.send("session.update", session={"type": "realtime", **session})
        return await self.until("session.updated")

    async def type(self, text: str, *, respond: bool = True) -> None:
        part = {"type": "input_text", "text": text}
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": [part]}
        )
        if respond:
            await self.send("response.create")

    async def tell(self, text: str, *, respond: bool = True) -> None:
        """A system message, as the desk sends them."""
        part = {"type": "input_text", "text": text}
        await self.send(
            "conversation.item.create", item={"type": "message", "role": "system", "content": [part]}
        )
        if respond:
            await self.send("response.create")

    async def speak(self, text: str, voice: str = "en-us", *, silence_ms: int = 900) -> None:
        """Says it, as fast as the engine takes it, with silence around."""
        await self.hear(Synthesiser(voice).speak(text), silence_ms=silence_ms)

    async def hear(self, pcm24k: bytes, *, silence_ms: int = 900) -> None:
        pcm24k = bytes(48 * 200) + pcm24k + bytes(48 * silence_ms)
        for at in range(0, len(pcm24k), 48 * FRAME_MS):
            audio = base64.b64encode(pcm24k[at : at + 48 * FRAME_MS]).decode()
            await self.send("input_audio_buffer.append", audio=audio)

    async def reply(self) -> "Heard":
        """Everything up to the next response.done."""
        start = len(self.events)
        done = await self.until("response.done")
        return Heard(self.events[start:], done["response"])

    async def answer(self, call: Json, output: Any) -> None:
        """The result of a function call, and a request for the next response."""
        text = output if isinstance(output, str) else json.dumps(output)
        item = {"type": "function_call_output", "call_id": call["call_id"], "output": text}
        await self.send("conversation.item.create", item=item)
        await self.send("response.create")


class Heard:
    """A reply."""

    def __init__(self, events: list[Json], response: Json) -> None:
        self.events = events
        self.response = response

    @property
    def text(self) -> str:
        parts = [part for item in self.response["output"] for part in item.get("content", ())]
        return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)

    @property
    def calls(self) -> list[tuple[str, Json]]:
        return [(item["name"], json.loads(item["arguments"])) for item in self.items("function_call")]

    def items(self, type: str) -> list[Json]:
        return [item for item in self.response["output"] if item["type"] == type]

    @property
    def transcript(self) -> str:
        """What the customer said, if this reply's events hold it."""
        name = "conversation.item.input_audio_transcription.completed"
        return next((event["transcript"] for event in self.events if event["type"] == name), "")

    @property
    def pcm24k(self) -> bytes:
        deltas = [event["delta"] for event in self.events if event["type"] == "response.output_audio.delta"]
        return b"".join(map(base64.b64decode, deltas))


def level(pcm: bytes) -> float:
    """RMS."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(float)
    return float(np.sqrt(np.mean(samples * samples))) if len(samples) else 0.0


FAST = EngineOptions(pace=Pace(times=0))


@asynccontextmanager
async def talking(engine: Engine | None = None) -> Any:
    """A session with an engine of its own (or the one given)."""
    served = engine or Engine(FAST)
    client, server = memory_frames(100_000)
    session = asyncio.create_task(served.serve(server))
    talker = Talker(client)
    try:
        await talker.until("session.created")
        yield talker
    finally:
        await client.close()
        await session
        if engine is None:
            served.close()


async def with_talker(use: Callable[[Talker], Awaitable[None]]) -> None:
    async with talking() as talker:
        await use(talker)
