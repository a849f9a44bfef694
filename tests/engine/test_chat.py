"""A chat model as the brain, against a chat server of our own that streams, stalls, dies and refuses."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from helpline.engine.chat import ChatBrain, ChatSettings
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, chat_of
from helpline.errors import SettingsError
from helpline.settings import load_settings
from tests.engine.talk import SHOP_TOOLS, talking

Json = dict[str, Any]
Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


def line(**delta: Any) -> bytes:
    event = {"choices": [{"index": 0, "delta": delta}]}
    return f"data: {json.dumps(event)}\n\n".encode()


def piece(index: int, name: str = "", arguments: str = "") -> Json:
    return {"index": index, "id": f"call_{index}", "function": {"name": name, "arguments": arguments}}


class ChatServer:
    """Answers each request with the next script, and keeps what was asked."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.asked: list[Json] = []
        self.headers: list[str] = []
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(
            next(one for one in head.lower().split("\r\n") if one.startswith("content-length")).split(":")[1]
        )
        self.headers.append(head)
        self.asked.append(json.loads(await reader.readexactly(length)))
        await self.scripts.pop(0)(writer)
        writer.close()


def streams(*lines: bytes, ends: bool = True) -> Script:
    async def script(writer: asyncio.StreamWriter) -> None:
        size = "" if ends else "Content-Length: 100000\r\n"
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{size}Connection: close\r\n\r\n".encode()
        )
        for one in lines:
            writer.write(one)
            await writer.drain()

    return script


def refuses(status: int) -> Script:
    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    return script


def stalls(until: asyncio.Event) -> Script:
    async def script(writer: asyncio.StreamWriter) -> None:
        await streams(line(content="One moment. "))(writer)
        await until.wait()

    return script


@pytest.fixture
async def chat() -> AsyncIterator[ChatServer]:
    server = ChatServer()
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    yield server
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def thinking(chat: ChatServer) -> Engine:
    settings = ChatSettings(chat.url, "small", "secret", first_word_s=0.5)
    return Engine(EngineOptions(pace=Pace(times=0)), make_brain=lambda: ChatBrain(settings))


async def test_a_model_calls_and_answers(chat: ChatServer, thinking: Engine) -> None:
    chat.scripts = [
        streams(
            line(role="assistant", content=None),
            line(tool_calls=[piece(0, "check_order_status", '{"order')]),
            line(tool_calls=[piece(0, "", '_id": "1004"}')]),
            b": keep-alive\n\n",
            b"data: [DONE]\n\n",
        ),
        streams(
            line(content="It is on"),
            line(content=" its way. It"),
            line(content=" comes on Tuesday."),
            b"data: [DONE]\n\n",
        ),
    ]
    async with talking(thinking) as talker:
        await talker.configure(tools=SHOP_TOOLS, instructions="You are the desk.")
        await talker.type("where is order 1004?")
        reply = await talker.reply()
        assert reply.calls == [("check_order_status", {"order_id": "1004"})]
        await talker.answer(reply.items("function_call")[0], {"status": "shipped"})
        spoken = await talker.reply()
    assert spoken.text == "It is on its way. It comes on Tuesday."
    assert len(spoken.pcm24k) > 48 * 500
    first, second = chat.asked
    assert first["messages"][0] == {"role": "system", "content": "You are the desk."}
    assert first["tools"][0]["function"]["name"] == "get_customer_info"
    assert [message["role"] for message in second["messages"]] == ["system", "user", "assistant", "tool"]
    assert second["messages"][2]["tool_calls"][0]["id"] == second["messages"][3]["tool_call_id"]
    assert "authorization: bearer secret" in chat.headers[0].lower()


async def test_a_confirmation_is_not_left_to_the_model(chat: ChatServer, thinking: Engine) -> None:
    async with talking(thinking) as talker:
        await talker.tell('It is done. Say to the customer: "Order 1005 is cancelled."')
        assert (await talker.reply()).text == "Order 1005 is cancelled."
    assert chat.asked == []


@pytest.mark.parametrize("status", [401, 404, 429, 500])
async def test_a_refusal_fails_the_response_and_the_session_stays(
    chat: ChatServer, thinking: Engine, status: int
) -> None:
    chat.scripts = [refuses(status), streams(line(content="Hello."))]
    async with talking(thinking) as talker:
        await talker.type("hello")
        failed = (await talker.reply()).response
        assert failed["status"] == "failed"
        assert "HELPLINE_CHAT" in failed["status_details"]["error"]["message"]
        assert "secret" not in json.dumps(failed)
        await talker.type("hello again")
        assert (await talker.reply()).text == "Hello."


async def test_a_model_that_breaks_off_fails_what_it_began(chat: ChatServer, thinking: Engine) -> None:
    chat.scripts = [streams(line(content="It is on its way. And"), ends=False)]
    async with talking(thinking) as talker:
        await talker.type("where is it")
        reply = await talker.reply()
    assert reply.response["status"] == "failed"
    assert reply.response["output"][0]["status"] == "incomplete"
    assert reply.text.startswith("It is on its way.")


async def test_a_model_that_stalls_counts_as_lost(chat: ChatServer, thinking: Engine) -> None:
    until = asyncio.Event()
    chat.scripts = [stalls(until)]
    async with talking(thinking) as talker:
        await talker.type("where is it")
        assert (await talker.reply()).response["status"] == "failed"
    until.set()


async def test_a_thinking_model_can_be_cancelled(chat: ChatServer) -> None:
    until = asyncio.Event()
    patient = ChatSettings(chat.url, "small", first_word_s=60)
    engine = Engine(EngineOptions(pace=Pace(times=0)), make_brain=lambda: ChatBrain(patient))
    chat.scripts = [stalls(until)]
    async with talking(engine) as talker:
        await talker.type("where is it")
        await talker.until("response.output_audio.delta")
        await talker.send("response.cancel")
        assert (await talker.reply()).response["status"] == "cancelled"
    until.set()
    engine.close()


async def test_nonsense_from_a_model_is_left_out(chat: ChatServer, thinking: Engine) -> None:
    chat.scripts = [
        streams(
            b"data: {}\n\n",
            b"data: []\n\n",
            b"data: {broken\n\n",
            b'data: {"choices": [7]}\n\n',
            line(tool_calls="no"),
            line(content="Hm."),
        ),
    ]
    async with talking(thinking) as talker:
        await talker.type("hello")
        assert (await talker.reply()).text == "Hm."


def test_the_address_is_completed() -> None:
    assert ChatSettings("http://x/v1/", "m").endpoint == "http://x/v1/chat/completions"
    assert (
        ChatSettings("http://x/v1/chat/completions?api-version=1", "m").endpoint
        == "http://x/v1/chat/completions?api-version=1"
    )
    assert "secret" not in repr(ChatSettings("http://x", "m", "secret"))


def test_the_settings_name_the_model() -> None:
    assert chat_of(load_settings({}, {}, env_file="", desk_file="")) is None
    named = {"chat_url": "https://x/v1", "chat_model": "m", "chat_key": "k"}
    settings = chat_of(load_settings(named, {}, env_file="", desk_file=""))
    assert settings == ChatSettings("https://x/v1", "m", "k")
    with pytest.raises(SettingsError, match="HELPLINE_CHAT_MODEL"):
        chat_of(load_settings({"chat_url": "https://x/v1"}, {}, env_file="", desk_file=""))
