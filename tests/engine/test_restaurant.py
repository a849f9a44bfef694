"""An app that the engine was not made for: a restaurant's tools, over a socket, with the vendor's client."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from openai import AsyncOpenAI

from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, EngineServer
from helpline.engine.voice import Synthesiser

TABLE = {
    "type": "function",
    "name": "reserve_table",
    "description": "Reserve a table at the restaurant.",
    "parameters": {
        "type": "object",
        "properties": {
            "guests": {
                "type": "integer",
                "minimum": 1,
                "maximum": 12,
                "description": "How many people will come",
            },
            "day": {"type": "string", "format": "date", "description": "The day of the reservation"},
            "area": {
                "type": "string",
                "enum": ["terrace", "window", "garden"],
                "description": "Where to sit",
            },
        },
        "required": ["guests", "day", "area"],
    },
}
SOUP = {
    "type": "function",
    "name": "get_soup",
    "description": "The soup of the day.",
    "parameters": {"type": "object", "properties": {}},
}


class Guest:
    """Somebody who types or speaks to the restaurant through the vendor's client."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self.sound = b""

    async def says(self, text: str, **response: Any) -> "Any":
        part = {"type": "input_text", "text": text}
        await self._call.conversation.item.create(item={"type": "message", "role": "user", "content": [part]})
        return await self.asks(**response)

    async def asks(self, **response: Any) -> Any:
        await self._call.response.create(response=response)
        return await self.hears()

    async def speaks(self, text: str) -> Any:
        pcm24k = bytes(48 * 300) + Synthesiser().speak(text) + bytes(48 * 900)
        for at in range(0, len(pcm24k), 4800):
            audio = base64.b64encode(pcm24k[at : at + 4800]).decode()
            await self._call.input_audio_buffer.append(audio=audio)
        return await self.hears()

    async def hears(self) -> Any:
        """The next response, done."""
        self.sound = b""
        async for event in self._call:
            assert event.type != "error", event
            if event.type == "response.output_audio.delta":
                self.sound += base64.b64decode(event.delta)
            if event.type == "response.done":
                assert event.response.status == "completed"
                return event.response
        raise AssertionError("the call ended")

    async def answers(self, response: Any, result: Any) -> Any:
        output = {
            "type": "function_call_output",
            "call_id": response.output[-1].call_id,
            "output": json.dumps(result),
        }
        await self._call.conversation.item.create(item=output)
        return await self.asks()


def words(response: Any) -> str:
    return " ".join(
        part.transcript or part.text
        for item in response.output
        if item.type == "message"
        for part in item.content
    )


def calls(response: Any) -> list[tuple[str, dict[str, Any]]]:
    return [
        (item.name, json.loads(item.arguments)) for item in response.output if item.type == "function_call"
    ]


@pytest.fixture
async def guest() -> AsyncIterator[Guest]:
    engine = Engine(EngineOptions(pace=Pace(times=0)))
    async with EngineServer(engine, port=0) as server:
        client = AsyncOpenAI(api_key="any", websocket_base_url=server.url.removesuffix("/realtime"))
        async with asyncio.timeout(60), client.realtime.connect(model="helpline-engine") as call:
            await call.session.update(
                session={
                    "type": "realtime",
                    "tools": [TABLE, SOUP],
                    "instructions": "You are a restaurant's host.",
                }
            )
            yield Guest(call)
        await client.close()


async def test_what_is_missing_is_asked_for_by_its_description(guest: Guest) -> None:
    first = await guest.says("I would like to reserve a table please")
    assert calls(first) == []
    assert "how many people will come" in words(first).lower()
    second = await guest.says("four")
    assert "day of the reservation" in words(second)
    third = await guest.says("tomorrow")
    assert all(area in words(third) for area in ("terrace", "window", "garden"))
    booked = await guest.says("the garden please")
    assert calls(booked) == [("reserve_table", {"guests": 4, "day": _in(1), "area": "garden"})]
    told = await guest.answers(booked, {"say": "A table for four in the garden is yours."})
    assert words(told) == "A table for four in the garden is yours."
    assert len(guest.sound) > 48 * 500


async def test_what_the_schema_forbids_is_asked_for_again(guest: Guest) -> None:
    await guest.says("reserve a table")
    too_many = await guest.says("forty")
    assert calls(too_many) == []
    assert "how many people" in words(too_many).lower()
    await guest.says("twelve")
    no_day = await guest.says("purple")
    assert calls(no_day) == []
    assert "day" in words(no_day)
    await guest.says("tomorrow")
    no_area = await guest.says("in the cellar")
    assert calls(no_area) == []
    assert "terrace" in words(no_area)


async def test_all_of_it_in_one_sentence(guest: Guest) -> None:
    booked = await guest.says("please reserve a table for six people tomorrow on the terrace")
    assert calls(booked) == [("reserve_table", {"guests": 6, "day": _in(1), "area": "terrace"})]


async def test_fields_are_told_in_words_where_nobody_wrote_a_sentence(guest: Guest) -> None:
    asked = await guest.speaks("can you get the soup for me please")
    assert calls(asked) == [("get_soup", {})]
    told = await guest.answers(asked, {"soup": "tomato", "price": 6.5})
    assert "tomato" in words(told)
    assert "6.5" in words(told) or "6.50" in words(told)


async def test_a_tool_may_be_chosen_demanded_or_forbidden(guest: Guest) -> None:
    assert calls(await guest.says("what is the soup of the day", tool_choice="none")) == []
    named = {"type": "function", "name": "get_soup"}
    assert calls(await guest.says("hello there", tool_choice=named)) == [("get_soup", {})]
    demanded = await guest.says("soup of the day", tool_choice="required")
    assert calls(demanded) == [("get_soup", {})]


def _in(days: int) -> str:
    return (datetime.now().astimezone().date() + timedelta(days=days)).isoformat()
