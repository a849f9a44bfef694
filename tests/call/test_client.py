"""`RealtimeClient`, the library face of the driver, against a scripted server on a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from helpline import Caller, Identity, RealtimeClient
from helpline.errors import BackendError

from .servers import Peer


class SocketFrames:
    """A websocket as the peer of a script."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    async def recv(self) -> str | bytes:
        return await self._socket.recv()

    async def send(self, frame: bytes | str) -> None:
        await self._socket.send(frame if isinstance(frame, str) else frame.decode())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._socket.close(code, reason)


@asynccontextmanager
async def scripted(script: Callable[[Peer], Awaitable[None]]) -> AsyncIterator[tuple[str, list[Peer]]]:
    peers: list[Peer] = []

    async def answer(socket: ServerConnection) -> None:
        peers.append(Peer(SocketFrames(socket)))
        try:
            await script(peers[-1])
        except ConnectionClosed:
            return

    async with serve(answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/v1/realtime", peers


@pytest.fixture
def _desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELPLINE_DATA_DIR", str(tmp_path))


@pytest.mark.usefixtures("_desk")
async def test_a_spoken_tool_call_from_microphone_to_sound():
    async def script(peer: Peer) -> None:
        asked = await peer.greet()
        assert asked["session"]["instructions"] == "Be brief."
        assert [tool["name"] for tool in asked["session"]["tools"]] == ["get_weather"]
        await peer.expect("input_audio_buffer.append")
        await peer.hear("u1", "What is the weather in Oslo?")
        await peer.expect("response.create")
        await peer.call_tool("r1", "c1", "get_weather", '{"city":"Oslo"}')
        output = await peer.expect("conversation.item.create")
        assert "Sunny in Oslo" in output["item"]["output"]
        await peer.expect("response.create")
        await peer.say("r2", "a2", "Sunny in Oslo.", 300)
        await peer.expect("never")

    seen: list[tuple[str, Any]] = []
    spoken = asyncio.Event()

    def note(name: str) -> Callable[[Any], None]:
        return lambda event: seen.append((name, event))

    async def completed(event: dict[str, Any]) -> None:
        if event["item"]["role"] == "assistant":
            spoken.set()

    async with scripted(script) as (url, _):
        client = RealtimeClient("Be brief.", url=url)
        for name in (
            "conversation.updated",
            "conversation.item.appended",
            "conversation.item.input_audio_transcription.completed",
            "error",
            "realtime.event",
        ):
            client.on(name, note(name))
        client.on("conversation.item.completed", completed)
        await client.add_tool(
            {"name": "get_weather", "description": "Weather", "parameters": {"type": "object"}},
            lambda city: f"Sunny in {city}",
        )
        assert await client.connect()
        assert client.is_connected()
        assert await client.wait_for_session_created()
        await client.append_input_audio(b"\x00" * 1920)
        await asyncio.wait_for(spoken.wait(), 60)
        await client.disconnect()
        assert not client.is_connected()
    deltas = [event["delta"] for name, event in seen if name == "conversation.updated"]
    assert sum(len(delta.get("audio", b"")) for delta in deltas) == 300 * 48
    assert "".join(delta.get("transcript", "") for delta in deltas if "audio" not in delta).endswith(
        "Sunny in Oslo."
    )
    assert [delta["arguments"] for delta in deltas if "arguments" in delta] == ['{"city":"Oslo"}']
    heard = [e for name, e in seen if name.endswith("input_audio_transcription.completed")]
    assert heard[0]["delta"]["transcript"] == "What is the weather in Oslo?"
    assert {event["source"] for name, event in seen if name == "realtime.event"} == {"client", "server"}
    assert not [event for name, event in seen if name == "error"]


@pytest.mark.usefixtures("_desk")
async def test_a_handler_that_fails_is_reported_and_the_call_goes_on():
    async def script(peer: Peer) -> None:
        await peer.greet()
        for n in range(2):
            await peer.expect("response.create")
            await peer.say(f"r{n}", f"a{n}", "Hello.", 100)
        await peer.expect("never")

    errors: list[Any] = []

    def broken(event: Any) -> None:
        raise RuntimeError("mine")

    async with scripted(script) as (url, _):
        client = RealtimeClient(url=url)
        client.on("conversation.updated", broken)
        client.on("error", errors.append)
        await client.connect()
        for _ in range(2):
            waiting = asyncio.create_task(_assistant(client))
            await asyncio.sleep(0)
            await client.send_user_message_content([{"type": "input_text", "text": "hello"}])
            item = await asyncio.wait_for(waiting, 60)
            assert item["formatted"]["transcript"] == "Hello."
        await client.disconnect()
    assert errors
    assert "conversation.updated" in errors[0]["message"]


async def _assistant(client: RealtimeClient) -> dict[str, Any]:
    while True:
        event = await client.wait_for_next_completed_item()
        if event["item"]["role"] == "assistant":
            return dict(event["item"])


@pytest.mark.usefixtures("_desk")
async def test_the_conversation_goes_on_after_disconnect_and_connect_and_is_gone_after_reset():
    async def script(peer: Peer) -> None:
        await peer.greet()
        await peer.expect("response.create")
        await peer.say("r1", "a1", "Hello.", 100)
        await peer.expect("never")

    async with scripted(script) as (url, peers):
        client = RealtimeClient(url=url)
        for _ in range(2):
            await client.connect()
            waiting = asyncio.create_task(_assistant(client))
            await asyncio.sleep(0)
            await client.create_response()
            if len(peers) == 1:
                await asyncio.wait_for(waiting, 60)
            else:
                waiting.cancel()
            await client.disconnect()
        said = [e["item"] for e in peers[1].seen if e["type"] == "conversation.item.create"]
        assert [item["content"][0]["text"] for item in said] == ["Hello."]
        await client.reset()
        await client.connect()
        await client.disconnect()
    assert not [e for e in peers[2].seen if e["type"] == "conversation.item.create"]


@pytest.mark.usefixtures("_desk")
async def test_shop_tools_are_public_until_the_app_says_who_is_on_the_line():
    from helpline.tools import tools

    updates: list[list[str]] = []
    told: list[str] = []
    changed = asyncio.Event()

    async def script(peer: Peer) -> None:
        asked = await peer.greet()
        updates.append([tool["name"] for tool in asked["session"]["tools"]])
        told.append(asked["session"]["instructions"])
        asked = await peer.expect("session.update")
        updates.append([tool["name"] for tool in asked["session"]["tools"]])
        changed.set()
        await peer.expect("never")

    async with scripted(script) as (url, _):
        client = RealtimeClient(url=url)
        for definition, handler in tools:
            await client.add_tool(definition, handler)
        await client.connect()
        client.identify(Caller("maya", "Maya", Identity.PROVEN, "sign_in"))
        await asyncio.wait_for(changed.wait(), 60)
        await client.disconnect()
    assert "get_product_info" in updates[0]
    assert "cancel_order" not in updates[0]
    assert "cancel_order" in updates[1]
    assert told == ["The time zone is America/New_York: days and hours are meant there."]


@pytest.mark.usefixtures("_desk")
async def test_an_unreachable_server_is_one_clear_sentence():
    client = RealtimeClient(url="ws://127.0.0.1:9/v1/realtime")
    with pytest.raises(BackendError, match="HELPLINE_REALTIME_URL"):
        await client.connect()
    assert not client.is_connected()
    await client.disconnect()


@pytest.mark.usefixtures("_desk")
async def test_wrong_names_are_refused_with_the_right_ones():
    client = RealtimeClient(url="ws://127.0.0.1:9/v1/realtime")
    with pytest.raises(ValueError, match=r"conversation\.updated"):
        client.on("conversation.update", lambda event: None)
    with pytest.raises(ValueError, match="no tool"):
        await client.remove_tool("nothing")
    with pytest.raises(BackendError, match="connect"):
        await client.append_input_audio(b"")
