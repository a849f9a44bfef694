"""A session's frames: over a socket or in memory the same, bounded, counted, ended with a code."""

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.server import ServerConnection

from helpline.errors import ConnectionLost
from helpline.realtime import events as e
from helpline.realtime.backends import UrlBackend
from helpline.realtime.connection import (
    MAX_BAD_FRAMES,
    MAX_KINDS,
    Counts,
    FramedConnection,
    memory_frames,
    memory_pair,
)
from helpline.realtime.websocket import Timeouts
from helpline.realtime.wire import VOICE_LIVE
from tests.realtime.servers import idle, server

CREATED = b'{"type":"session.created","session":{"id":"sess_1"}}'


async def code_of(connection: FramedConnection) -> int:
    with pytest.raises(ConnectionLost) as lost:
        await connection.receive()
    return lost.value.code


# --- over a socket ---------------------------------------------------------------------------------------


async def test_events_go_both_ways_as_text() -> None:
    got: list[object] = []

    async def script(socket: ServerConnection) -> None:
        got.append(await socket.recv())
        await socket.send(CREATED.decode())
        await idle(socket)

    async with server(script) as running:
        connection = await UrlBackend(running.ws).connect()
        await connection.send(e.InputAppend(audio=b"\0\0\0"))
        assert await connection.receive() == e.SessionCreated(session=e.Session(id="sess_1"))
        await connection.close()
    assert got == ['{"type":"input_audio_buffer.append","audio":"AAAA"}']
    counts = connection.counts
    assert (counts.frames_sent, counts.bytes_sent) == (1, 51)
    assert (counts.frames_received, counts.bytes_received) == (1, len(CREATED))


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1013, 3000, 4000])
async def test_the_code_with_which_a_server_closes_is_told(code: int) -> None:
    async def script(socket: ServerConnection) -> None:
        await socket.send(CREATED.decode())
        await socket.close(code, "the customer said Jane Doe")

    async with server(script) as running:
        connection = await UrlBackend(running.ws).connect()
        await connection.receive()
        with pytest.raises(ConnectionLost) as lost:
            await connection.receive()
        assert (lost.value.code, str(lost.value)) == (code, f"The session ended ({code}).")
        with pytest.raises(ConnectionLost):
            await connection.send(e.InputClear())
        await connection.close()


async def test_a_cut_line_is_1006() -> None:
    async def script(socket: ServerConnection) -> None:
        socket.transport.abort()

    async with server(script) as running:
        assert await code_of(await UrlBackend(running.ws).connect()) == 1006


async def test_a_line_that_leaves_pings_unanswered_is_lost() -> None:
    async def deaf(socket: ServerConnection) -> None:
        socket.transport.pause_reading()
        await gone.wait()
        socket.transport.abort()

    gone = asyncio.Event()
    async with server(deaf) as running:
        soon = Timeouts(open_s=1, close_s=0.1, ping_s=0.05)
        assert await code_of(await UrlBackend(running.ws, timeouts=soon).connect()) == 1006
        gone.set()


async def test_a_frame_beyond_all_bounds_ends_the_session() -> None:
    async def script(socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionError):
            await socket.send("x" * (17 * 1024 * 1024))
        await idle(socket)

    async with server(script) as running:
        assert await code_of(await UrlBackend(running.ws).connect()) in (1006, 1009)


async def test_closing_twice_is_no_trouble() -> None:
    async with server() as running:
        connection = await UrlBackend(running.ws).connect()
        await connection.close()
        await connection.close()
        assert await code_of(connection) == 1000


# --- in memory -------------------------------------------------------------------------------------------


async def test_memory_has_the_frames_of_a_socket() -> None:
    connection, peer = memory_pair()
    await connection.send(e.ItemTruncate(item_id="i", audio_end_ms=10))
    assert json.loads(await peer.recv())["content_index"] == 0
    await peer.send(CREATED)
    assert await connection.receive() == e.SessionCreated(session=e.Session(id="sess_1"))


async def test_what_was_sent_before_closing_still_arrives() -> None:
    connection, peer = memory_pair()
    await peer.send(CREATED)
    await peer.close(1001)
    assert isinstance(await connection.receive(), e.SessionCreated)
    assert await code_of(connection) == 1001
    with pytest.raises(ConnectionLost):
        await connection.send(e.InputClear())
    with pytest.raises(ConnectionLost):
        await peer.recv()


async def test_a_slow_peer_makes_the_sender_wait_and_loses_nothing() -> None:
    here, there = memory_frames(limit=2)
    sending = asyncio.create_task(_send_all(here, 5))
    await asyncio.sleep(0)
    got = [await there.recv() for _ in range(5)]
    await sending
    assert got == [b"0", b"1", b"2", b"3", b"4"]


async def _send_all(frames: object, count: int) -> None:
    for number in range(count):
        await frames.send(str(number).encode())


async def test_a_sender_that_waits_is_told_when_the_peer_is_gone() -> None:
    here, there = memory_frames(limit=1)
    await here.send(b"0")
    waiting = asyncio.create_task(here.send(b"1"))
    await asyncio.sleep(0)
    assert not waiting.done()
    await there.close(1011)
    with pytest.raises(ConnectionLost) as lost:
        await waiting
    assert lost.value.code == 1011


async def test_a_cancelled_receiver_takes_nothing_with_it() -> None:
    connection, peer = memory_pair()
    waiting = asyncio.create_task(connection.receive())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await peer.send(CREATED)
    assert isinstance(await connection.receive(), e.SessionCreated)


# --- the unknown, counted --------------------------------------------------------------------------------


async def received(*frames: bytes, connection_dialect: object = None) -> Counts:
    options = {} if connection_dialect is None else {"dialect": connection_dialect}
    connection, peer = memory_pair(**options)
    for frame in (*frames, CREATED):
        await peer.send(frame)
    while not isinstance(await connection.receive(), e.SessionCreated):
        pass
    return connection.counts


async def test_unknown_events_and_fields_are_counted_by_kind() -> None:
    counts = await received(
        b'{"type":"response.tasted"}',
        b'{"type":"response.tasted"}',
        b'{"type":"response.done","response":{"output":[{"x":1},{"x":2}],"mood":"fine"}}',
        b'{"type":"error","error":7}',
    )
    assert counts.unknown_events == {"response.tasted": 2, "error": 1}
    assert counts.unknown_fields == {
        "response.done /response/output/*/x": 2,
        "response.done /response/mood": 1,
    }


async def test_a_vendors_documented_extras_are_no_news() -> None:
    counts = await received(b'{"type":"warning","warning":{}}', connection_dialect=VOICE_LIVE)
    assert not counts.unknown_events


async def test_bad_frames_are_counted_and_passed_over() -> None:
    assert (await received(b"{", b"\xff", b"[]")).bad_frames == 3


async def test_a_server_that_never_speaks_json_is_left() -> None:
    connection, peer = memory_pair(limit=MAX_BAD_FRAMES + 1)
    for _ in range(MAX_BAD_FRAMES):
        await peer.send(b"hello")
    assert await code_of(connection) == 1007
    with pytest.raises(ConnectionLost):
        await peer.recv()


async def test_a_server_that_makes_up_names_for_ever_does_not_fill_the_memory() -> None:
    connection, peer = memory_pair()
    for number in range(MAX_KINDS + 50):
        await peer.send(b'{"type":"made.up.%d%s"}' % (number, b"x" * 500))
        await connection.receive()
    assert len(connection.counts.unknown_events) == MAX_KINDS + 1
    assert connection.counts.unknown_events["…"] == 50
    assert max(map(len, connection.counts.unknown_events)) <= 80
