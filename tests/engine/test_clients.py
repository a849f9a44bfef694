"""Clients that we did not write hold whole spoken calls with the engine, over a real socket."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner
from openai import AsyncOpenAI

from helpline.engine.backend import EngineBackend
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, EngineServer
from helpline.engine.voice import Synthesiser
from helpline.realtime.events import SessionSettings, SessionUpdate, SessionUpdated, Transcription
from tests.engine.talk import SHOP_TOOLS

WAIT_S = 90


@pytest.fixture
async def server() -> AsyncIterator[EngineServer]:
    engine = Engine(EngineOptions(pace=Pace(times=0)))
    async with EngineServer(engine, port=0) as server:
        yield server


def _sound(sentence: str) -> list[bytes]:
    """A sentence and then silence, long enough for `semantic_vad` to give up waiting for more."""
    pcm24k = bytes(48 * 300) + Synthesiser().speak(sentence) + bytes(48 * 4500)
    return [pcm24k[at : at + 4800] for at in range(0, len(pcm24k), 4800)]


async def test_the_openai_sdk_holds_a_spoken_call_with_a_tool(server: EngineServer) -> None:
    client = AsyncOpenAI(api_key="any", websocket_base_url=server.url.removesuffix("/realtime"))
    async with asyncio.timeout(WAIT_S), client.realtime.connect(model="helpline-engine") as call:
        await call.session.update(
            session={"type": "realtime", "tools": SHOP_TOOLS, "instructions": "Be brief."}
        )
        for pcm24k in _sound("where is my order 1004"):
            await call.input_audio_buffer.append(audio=base64.b64encode(pcm24k).decode())
        said, sound = [], b""
        async for event in call:
            if event.type == "response.function_call_arguments.done":
                assert event.name == "check_order_status"
                assert json.loads(event.arguments) == {"order_id": "1004"}
                output = {
                    "type": "function_call_output",
                    "call_id": event.call_id,
                    "output": '{"say": "It is here."}',
                }
            elif event.type == "response.output_audio_transcript.done":
                said.append(event.transcript)
            elif event.type == "response.output_audio.delta":
                sound += base64.b64decode(event.delta)
            elif event.type == "response.done":
                if said:
                    break
                await call.conversation.item.create(item=output)
                await call.response.create()
            else:
                assert event.type != "error"
    assert said == ["It is here."]
    assert len(sound) > 48 * 300
    await client.close()


async def test_the_agents_sdk_holds_a_spoken_call_with_a_tool(server: EngineServer) -> None:
    asked: list[str] = []

    @function_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        asked.append(city)
        return f"It is sunny in {city}."

    agent = RealtimeAgent(name="Weather", instructions="You tell the weather.", tools=[get_weather])
    session = await RealtimeRunner(agent).run(
        model_config={"api_key": "any", "url": f"{server.url}?model=helpline-engine"}
    )
    async with asyncio.timeout(WAIT_S), session:
        for pcm24k in _sound("what's the weather in paris today"):
            await session.send_audio(pcm24k)
        heard = await _until_answered(session)
    assert asked == ["Paris"]
    assert heard > 48 * 500


async def test_the_agents_sdk_holds_a_typed_call(server: EngineServer) -> None:
    agent = RealtimeAgent(name="Desk", instructions="You help.")
    session = await RealtimeRunner(agent).run(model_config={"api_key": "any", "url": server.url})
    async with asyncio.timeout(WAIT_S), session:
        await session.send_message("hello")
        assert await _until_answered(session) > 48 * 300


async def test_the_agents_sdk_is_interrupted() -> None:
    engine = Engine(EngineOptions(pace=Pace(lead_ms=200, times=2)))
    async with EngineServer(engine, port=0) as server:
        agent = RealtimeAgent(name="Desk", instructions="You help.")
        session = await RealtimeRunner(agent).run(model_config={"api_key": "any", "url": server.url})
        async with asyncio.timeout(WAIT_S), session:
            await session.send_message("what can you do")
            interrupted = False
            async for event in session:
                if event.type == "audio" and not interrupted:
                    interrupted = True
                    for pcm24k in _sound("stop please"):
                        await session.send_audio(pcm24k)
                elif event.type == "audio_interrupted":
                    break
                else:
                    assert event.type != "error"


async def _until_answered(session: Any) -> int:
    """Bytes of speech until a spoken answer is over."""
    heard = 0
    async for event in session:
        if event.type == "audio":
            heard += len(event.audio.data)
        elif event.type == "error":
            raise AssertionError(event.error)
        elif event.type == "audio_end":
            return heard
    raise AssertionError("the session ended")


async def test_the_desk_tells_the_engine_in_its_own_process_what_words_to_expect():
    backend = EngineBackend()
    connection = await backend.connect()
    words = Transcription(languages=("en",), keywords=("Yoga Mat",))
    await connection.send(SessionUpdate(session=SessionSettings(transcription=words)))
    while not isinstance(event := await connection.receive(), SessionUpdated):
        pass
    assert event.session.audio["input"]["transcription"]["keywords"] == ["Yoga Mat"]
    await connection.close()
    await backend.aclose()
