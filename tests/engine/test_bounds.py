"""What one peer may take of the server: raw sockets that do not read, answer, ask or end. Others go on."""

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus

from helpline.engine.brain import Call, Entry, PolicyBrain, Said, Turn
from helpline.engine.history import History, Item
from helpline.engine.listening import Listened, LocalHearing
from helpline.engine.meaning import read_tools
from helpline.engine.reply import Pace
from helpline.engine.server import Engine, EngineOptions, EngineServer
from helpline.engine.session import Limits
from helpline.engine.sockets import SocketFrames, SocketLimits
from tests.engine.talk import SHOP_TOOLS, Json, Talker, function

MIB = 1024 * 1024
TEXT, MORE, PING = 0x1, 0x0, 0x9
PATIENT = SocketLimits(open_s=60, ping_s=60, pong_s=60, send_s=60, close_s=60)
"""Nothing of it is over before a test is."""


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """A frame of a client, with a mask that changes nothing."""
    first = bytes((opcode | (0x80 if fin else 0),))
    if len(payload) < 126:
        length = bytes((0x80 | len(payload),))
    elif len(payload) < 65_536:
        length = b"\xfe" + struct.pack("!H", len(payload))
    else:
        length = b"\xff" + struct.pack("!Q", len(payload))
    return first + length + bytes(4) + payload


def event(type: str, **fields: Any) -> bytes:
    return json.dumps({"type": type, **fields}).encode()


class Raw:
    """A socket that does what it is told and nothing else: no answers to pings, no reading, no farewell."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self._socket.setblocking(False)
        self._loop = asyncio.get_running_loop()

    async def connect(self) -> None:
        """The connection alone, without a request."""
        await self._loop.sock_connect(self._socket, (self._address.hostname, self._address.port))

    async def open(self) -> None:
        """To the end of the server's answer to the request, and no further."""
        await self.connect()
        await self.request()

    async def request(self) -> None:
        await self.send(
            f"GET {self._address.path} HTTP/1.1\r\nHost: {self._address.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = await self.receive(1)
            if not byte:
                raise ConnectionResetError
            answer += byte
        assert answer.startswith(b"HTTP/1.1 101 ")

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._socket, data)

    def send_now(self, data: memoryview) -> int:
        """As much as fits without waiting."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    async def receive(self, most: int = 65_536) -> bytes:
        return await asyncio.wait_for(self._loop.sock_recv(self._socket, most), 20)

    async def ends(self) -> None:
        """Returns when the server has dropped the connection; reads what it still says."""
        try:
            while await self.receive():
                pass
        except ConnectionError:
            pass

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def serving(
    sockets: SocketLimits = PATIENT, limits: Limits | None = None, **options: Any
) -> AsyncIterator[EngineServer]:
    """A server with room for one session, so that the next one shows that the last is gone."""
    options = {"most_sessions": 1, **options}
    own = EngineOptions(pace=Pace(times=0), sockets=sockets, limits=limits or Limits(), **options)
    async with EngineServer(Engine(own), port=0) as server:
        yield server


@asynccontextmanager
async def raw(server: EngineServer) -> AsyncIterator[Raw]:
    peer = Raw(server.url)
    try:
        yield peer
    finally:
        peer.close()


async def until_there_is_room(server: EngineServer) -> None:
    """The server learns in its own time that somebody is gone: another is let in once it has."""
    async with asyncio.timeout(20):
        while True:
            try:
                async with connect(server.url) as other:
                    assert json.loads(await other.recv())["type"] == "session.created"
                    return
            except (InvalidStatus, ConnectionClosed):
                continue


async def ask_without_reading(peer: Raw) -> None:
    """Has more sent back than buffers hold: then the server waits for the peer."""
    item = {"id": "item_x", "type": "message", "role": "user", "content": []}
    item["content"] = [{"type": "input_text", "text": "x" * 100_000}]
    await peer.send(frame(TEXT, event("conversation.item.create", item=item)))
    await peer.send(frame(TEXT, event("conversation.item.retrieve", item_id="item_x")) * 100)


# --- peers that do not read, answer or ask ---------------------------------------------------------------


async def test_who_does_not_read_is_dropped() -> None:
    async with serving(replace(PATIENT, send_s=0.3)) as server, raw(server) as peer:
        await peer.open()
        await ask_without_reading(peer)
        await until_there_is_room(server)


async def test_a_session_ends_in_time_for_who_does_not_read_too() -> None:
    limits = Limits(session_s=2)
    async with serving(replace(PATIENT, close_s=0.2), limits) as server, raw(server) as peer:
        await peer.open()
        with suppress(ConnectionError):  # on a slow machine it is over before all is asked
            await ask_without_reading(peer)
        await until_there_is_room(server)


async def test_the_server_ends_for_who_does_not_read_too() -> None:
    async with (
        AsyncExitStack() as peers,
        asyncio.timeout(30),
        serving(replace(PATIENT, close_s=0.2)) as server,
    ):
        peer = await peers.enter_async_context(raw(server))
        await peer.open()
        await ask_without_reading(peer)
        for _ in range(1000):  # turns of the server's loop, which is this one: it waits for the peer now
            await asyncio.sleep(0)


async def test_after_its_time_a_farewell_is_no_longer_waited_for() -> None:
    """Of itself, whatever the library does about a connection that its handler has left."""
    dropped = asyncio.get_running_loop().create_future()

    async def part(connection: ServerConnection) -> None:
        frames = SocketFrames(connection, replace(PATIENT, close_s=0.2))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await frames.send(bytes(32 * MIB))  # more than buffers hold
        await frames.close()
        dropped.set_result(connection.transport.is_closing())

    async with serve(part, "127.0.0.1", 0, ping_interval=None, close_timeout=60) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with closing(Raw(f"ws://127.0.0.1:{port}/")) as peer:
            await peer.open()
            assert await asyncio.wait_for(dropped, 20)


async def test_who_answers_no_ping_is_dropped() -> None:
    async with serving(replace(PATIENT, ping_s=0.1, pong_s=0.1, close_s=0.2)) as server, raw(server) as peer:
        await peer.open()
        await peer.ends()
        await until_there_is_room(server)


async def test_who_asks_nothing_is_dropped() -> None:
    async with serving(replace(PATIENT, open_s=0.2)) as server, raw(server) as peer:
        await peer.connect()
        await peer.ends()


async def test_only_so_many_stand_outside() -> None:
    limits = replace(PATIENT, waiting=100, waiting_per_address=2)
    async with (
        serving(limits, most_sessions=8) as server,
        raw(server) as one,
        raw(server) as two,
        raw(server) as three,
    ):
        for peer in (one, two, three):
            await peer.connect()
        await three.ends()
        await one.request()
        async with raw(server) as four:
            await four.connect()
            await four.request()
        await two.request()


# --- peers that send what takes room ---------------------------------------------------------------------


async def _dropped_while_it_sends(peer: Raw, data: bytes, times: int) -> bool:
    try:
        async with asyncio.timeout(60):
            for _ in range(times):
                await peer.send(data)
    except ConnectionError:
        return True
    return False


async def test_answers_to_pings_have_their_room() -> None:
    limits = replace(PATIENT, unread_bytes=100_000)
    async with serving(limits) as server, raw(server) as peer:
        await peer.open()
        assert await _dropped_while_it_sends(peer, frame(PING, bytes(125)) * 500, 300)
        await until_there_is_room(server)


async def test_a_message_has_so_many_fragments() -> None:
    async with serving(replace(PATIENT, fragments=1000)) as server, raw(server) as peer:
        await peer.open()
        await peer.send(frame(TEXT, b"{", fin=False))
        assert await _dropped_while_it_sends(peer, frame(MORE, b"", fin=False) * 1000, 100)
        await until_there_is_room(server)


async def test_a_message_may_come_in_fragments() -> None:
    async with serving() as server, raw(server) as peer:
        await peer.open()
        whole = event("conversation.item.create", item={"type": "message", "role": "user", "content": []})
        await peer.send(frame(TEXT, whole[:1], fin=False))
        for at in range(1, len(whole)):
            await peer.send(frame(MORE, whole[at : at + 1], fin=at == len(whole) - 1))
        seen = b""
        while b"conversation.item.done" not in seen:
            seen += await peer.receive()


class Stuck(LocalHearing):
    """Ears that come to no end before they are told to."""

    def __init__(self) -> None:
        self.fed = asyncio.Event()
        self.over = asyncio.Event()

    async def configure(self, settings: Any) -> None:
        pass

    async def feed(self, audio: bytes) -> list[Listened]:
        self.fed.set()
        await self.over.wait()
        return []

    async def close(self) -> None:
        pass


async def test_few_messages_wait_while_one_is_performed() -> None:
    """Else a peer has the server keep sixteen messages of 22 MiB."""
    ears = Stuck()
    own = EngineOptions(pace=Pace(times=0), sockets=PATIENT, limits=Limits(session_s=3600))
    engine = Engine(own, make_hearing=lambda: ears)
    async with EngineServer(engine, port=0) as server, raw(server) as peer:
        await peer.open()
        await peer.send(frame(TEXT, event("input_audio_buffer.append", audio="AAAA")))
        await asyncio.wait_for(ears.fed.wait(), 20)
        rest = memoryview(frame(TEXT, bytes(4 * MIB)) * 20)
        sent = waited = 0
        while sent < len(rest) and waited < 50:
            now = peer.send_now(rest[sent : sent + MIB])
            sent += now
            waited = 0 if now else waited + 1
            async with connect(server.url) as other:  # the server's loop has had its turns
                await other.recv()
        ears.over.set()
        assert sent < len(rest) // 2  # of it most is in the kernel's buffers


# --- peers that ask for much -----------------------------------------------------------------------------


@asynccontextmanager
async def talking_to(server: EngineServer) -> AsyncIterator[Talker]:
    async with connect(server.url) as socket:
        talker = Talker(socket)
        await talker.until("session.created")
        yield talker


async def test_so_many_responses_are_made_at_once_and_the_rest_refused() -> None:
    limits = Limits(parallel_replies=3)
    engine = Engine(EngineOptions(pace=Pace(lead_ms=0, times=1), limits=limits, sockets=PATIENT))
    async with EngineServer(engine, port=0) as server, talking_to(server) as talker:
        for number in range(300):
            aside = {"conversation": "none", "instructions": 'Say to the customer: "One and two and three."'}
            await talker.send("response.create", event_id=f"e{number}", response=aside)
        refused = [(await talker.until("error"))["error"] for _ in range(297)]
        assert {error["code"] for error in refused} == {"rate_limit_exceeded"}
        assert len({error["event_id"] for error in refused}) == 297
        created = {one["response"]["id"] for one in talker.events if one["type"] == "response.created"}
        for response_id in created:
            await talker.send("response.cancel", response_id=response_id)
        for _ in range(3):
            await talker.until("response.done")
        assert len(created) == 3


async def test_a_minute_has_so_many_tokens() -> None:
    limits = Limits(tokens_per_minute=1000)
    async with serving(limits=limits) as server, talking_to(server) as talker:
        await talker.configure(output_modalities=["text"])
        await talker.type("x" * 8000)
        assert (await talker.reply()).response["status"] == "completed"
        await talker.type("hello")
        second = (await talker.reply()).response
        assert second["status_details"]["error"]["code"] == "inference_rate_limit_exceeded"


@pytest.mark.parametrize(
    ("session", "param"),
    [
        (
            {"tools": [function(f"t{n}", "x" * 10_000) for n in range(60)]},
            "session.tools",
        ),
        (
            {"tools": [function("t", **{f"p{n}": "x" for n in range(300)})]},
            "session.tools[0].parameters",
        ),
        ({"instructions": "x" * 1_000_001}, "session.instructions"),
        ({"audio": {"output": {"voice": "x" * 1000}}}, "session.audio.output.voice"),
        ({"audio": {"output": {"voice": {"id": "x" * 1000}}}}, "session.audio.output.voice.id"),
        (
            {"audio": {"input": {"transcription": {"model": "m", "keywords": ["x" * 1000]}}}},
            "session.audio.input.transcription.keywords[0]",
        ),
        (
            {"audio": {"input": {"transcription": {"model": "m", "keywords": ["x"] * 1001}}}},
            "session.audio.input.transcription.keywords",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_session_keeps_has_its_size(talker: Talker, session: Json, param: str) -> None:
    await talker.send("session.update", session={"type": "realtime", **session})
    error = (await talker.until("error"))["error"]
    assert (error["code"], error["param"]) == ("invalid_value", param)


@pytest.mark.parametrize(
    ("response", "param"),
    [
        ({"tools": [function(f"t{n}", "x" * 10_000) for n in range(60)]}, "response.tools"),
        ({"instructions": "x" * 1_000_001}, "response.instructions"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_response_reads_has_its_size(talker: Talker, response: Json, param: str) -> None:
    await talker.send("response.create", response=response)
    assert (await talker.until("error"))["error"]["param"] == param


NOON = datetime(2026, 5, 4, 12, 0)  # noqa: DTZ001 - the shop's local time


def ask(*entries: Entry) -> str:
    turn = Turn(tuple(entries), read_tools(SHOP_TOOLS), NOON)
    return " ".join(part.arguments if isinstance(part, Call) else part.text for part in decide(turn))


def decide(turn: Turn) -> list[Any]:
    return list(PolicyBrain().decide(turn))


def test_of_a_megabyte_its_end_is_read() -> None:
    """The policy reads in the loop that serves everybody: a minute and more, for one message of 2 MB."""
    assert "1004" in ask(*[Said("user", "and then ") for _ in range(300)], Said("user", "cancel order 1004"))
    assert "1004" not in ask(Said("user", "cancel order 1004"), *[Said("user", "and then " * 50)] * 60)
    assert "1004" not in ask(Said("user", "so " * 1000 + "cancel order 1004"))


def test_of_a_long_conversation_its_end_is_remembered() -> None:
    order, filler = Said("user", "it is about order 1004"), Said("assistant", "So. " * 100)
    assert "1004" in ask(order, filler, Said("user", "cancel it"))
    assert "1004" not in ask(order, *[filler] * 30, Said("user", "cancel it"))


def test_a_conversation_counts_what_its_items_hold_now() -> None:
    history = History(most_items=100, most_characters=1000)
    growing = Item({"id": "item_g", "type": "message", "role": "assistant", "content": []})
    history.add(growing)
    growing.body["content"] = [{"type": "output_text", "text": "x" * 900}]
    history.count(growing)
    small = Item({"id": "item_s", "type": "message", "role": "user", "content": [{"text": "x" * 200}]})
    history.add(small)
    assert [item.id for item in history] == ["item_s"]
    history.remove(small)
    for number in range(4):
        history.add(Item({"id": f"item_{number}", "type": "message", "content": [{"text": "x" * 240}]}))
    assert len(list(history)) == 4
