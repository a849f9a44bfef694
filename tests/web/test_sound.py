"""The sound of a page's socket, past socket.io: whole frames, in order, and nobody waits for a page."""

import asyncio
import json

import pytest

from helpline.channels.web.sound import SoundWires

HEAD = '451-["audio_chunk",{"isStart":false,"elapsedTime":%s,"data":{"_placeholder":true,"num":0}}]'
PLAYED = '42["window_message",{"helpline":"desk","type":"played","track":"t1","ms":40}]'


class Listener:
    def __init__(self):
        self.heard = []
        self.played = []

    def hear(self, page_id, pcm24k, elapsed_ms):
        self.heard.append((page_id, pcm24k, elapsed_ms))

    def heed_played(self, page_id, message):
        self.played.append((page_id, message["track"], message["ms"]))


class Socket:
    """A socket of a server's, around an application that notes what gets to it."""

    def __init__(self, wires, page_id="", listener=None):
        self._incoming = asyncio.Queue()
        self.sent = []
        self.passed = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.news = asyncio.Condition()
        self._page_id, self._listener = page_id, listener
        self._wires = wires
        self.begun = asyncio.Event()
        self.app = None

    async def __aenter__(self):
        app = self._wires.around(self._application)
        self._running = asyncio.create_task(app({"type": "websocket"}, self._incoming.get, self._send))
        await self.begun.wait()
        return self

    async def __aexit__(self, *_):
        self._incoming.put_nowait({"type": "websocket.disconnect"})
        await self._running

    def says(self, frame):
        self._incoming.put_nowait(
            {"type": "websocket.receive", "text" if isinstance(frame, str) else "bytes": frame}
        )

    async def all_passed(self, count):
        async with self.news:
            await self.news.wait_for(lambda: len(self.passed) == count)
        return self.passed

    async def all_sent(self, count):
        async with self.news:
            await self.news.wait_for(lambda: len(self.sent) >= count)
        return self.sent

    async def _application(self, scope, receive, send):
        if self._listener:
            self._wires.open(scope, self._page_id, self._listener)
        self.app = send
        self.begun.set()
        while (message := await receive())["type"] != "websocket.disconnect":
            async with self.news:
                self.passed.append(message.get("text") or message.get("bytes"))
                self.news.notify_all()

    async def _send(self, message):
        await asyncio.sleep(0)  # As long as a server likes.
        await self.reads.wait()
        async with self.news:
            self.sent.append(message.get("text") or message.get("bytes"))
            self.news.notify_all()


async def test_sound_and_what_was_played_are_taken_and_everything_else_passes():
    wires, listener = SoundWires(), Listener()
    async with Socket(wires, "p1", listener) as socket:
        for frame in ("2", HEAD % 40, b"\1\0", PLAYED, '42["client_message",{}]', HEAD % 80.5, b"\2\0", "3"):
            socket.says(frame)
        assert await socket.all_passed(3) == ["2", '42["client_message",{}]', "3"]
    assert listener.heard == [("p1", b"\1\0", 40), ("p1", b"\2\0", 80.5)]
    assert listener.played == [("p1", "t1", 40)]


@pytest.mark.parametrize(
    "frame",
    [
        '451-["audio_chunk",',
        '451-["audio_chunk",null]',
        '451-["audio_chunk",{"elapsedTime":"now"}]',
        '451-["audio_chunk",{"elapsedTime":NaN}]',
        '451-["audio_chunk",{"elapsedTime":1},{}',
        '451-/other,["audio_chunk",{"elapsedTime":1}]',
        '42["window_message",{"helpline":"desk","type":"played",',
        '42["window_message",{"helpline":"desk","type":"played","ms":' + "[" * 9000,
        "451-",
        b"\1\0",
    ],
    ids=range(10),
)
async def test_what_is_not_well_formed_is_no_sound_and_passes(frame):
    wires, listener = SoundWires(), Listener()
    async with Socket(wires, "p1", listener) as socket:
        socket.says(frame)
        socket.says(b"\1\0")
        assert await socket.all_passed(2) == [frame, b"\1\0"]
    assert listener.heard == listener.played == []


async def test_an_attachment_counts_only_right_behind_its_head():
    wires, listener = SoundWires(), Listener()
    async with Socket(wires, "p1", listener) as socket:
        for frame in (HEAD % 1, "3", b"\1\0", HEAD % 2, HEAD % 3, b"\2\0", b"\3\0"):
            socket.says(frame)
        assert await socket.all_passed(3) == ["3", b"\1\0", b"\3\0"]
    assert listener.heard == [("p1", b"\2\0", 3)]


async def test_nothing_is_heard_of_a_socket_that_was_not_let_in():
    wires = SoundWires()
    async with Socket(wires) as socket:
        socket.says(HEAD % 1)
        socket.says(b"\1\0")
        assert await socket.all_passed(2)


async def test_nothing_is_heard_of_a_pages_socket_before():
    wires, listener = SoundWires(), Listener()
    async with Socket(wires, "p1", listener) as before:
        async with Socket(wires, "p1", listener) as now:
            before.says(HEAD % 1)
            before.says(b"\1\0")
            await before.all_passed(2)
            wires.at("p1").play("t1", b"\2\0")
            await now.all_sent(2)
            assert before.sent == []
        assert wires.at("p1") is None
    assert listener.heard == []


async def test_the_socket_before_that_goes_late_takes_nothing_with_it():
    wires = SoundWires()
    before = await Socket(wires, "p1", Listener()).__aenter__()
    async with Socket(wires, "p1", Listener()):
        await before.__aexit__()
        assert wires.at("p1") is not None


async def test_no_frame_comes_between_sounds_two():
    wires = SoundWires()
    async with Socket(wires, "p1", Listener()) as socket:

        async def engine():
            for number in range(50):
                await socket.app({"type": "websocket.send", "text": f"42{number}"})

        for number in range(50):
            wires.at("p1").play("t1", bytes((number, 0)))
        await engine()
        sent = await socket.all_sent(150)
    for at, frame in enumerate(sent):
        if isinstance(frame, bytes):
            assert json.loads(sent[at - 1].partition("-")[2])[1]["track"] == "t1"
    assert [frame[0] for frame in sent if isinstance(frame, bytes)] == list(range(50))
    assert [frame for frame in sent if frame[:2] == "42"] == [f"42{number}" for number in range(50)]


async def test_a_page_that_does_not_read_holds_up_nobody_and_is_kept_little():
    wires = SoundWires()
    async with Socket(wires, "p1", Listener()) as socket:
        socket.reads.clear()
        for number in range(10_000):
            wires.at("p1").play("t1", number.to_bytes(2, "little"))
        socket.reads.set()
        wires.at("p1").play("last", b"\0\0")
        sent = [int.from_bytes(frame, "little") for frame in await socket.all_sent(800) if frame[:1] != "4"]
    assert sent == list(range(400))


async def test_silence_overtakes_what_waits_and_no_sound_behind_it():
    wires = SoundWires()
    async with Socket(wires, "p1", Listener()) as socket:
        wire = wires.at("p1")
        for track, piece in (("t1", b"\1\0"), ("t1", b"\2\0")):
            wire.play(track, piece)
        wire.silence()
        wire.play("t2", b"\3\0")
        assert (await socket.all_sent(3))[0] == '42["audio_interrupt",{}]'
        assert json.loads(socket.sent[1][4:])[1]["track"] == "t2"
        assert socket.sent[2] == b"\3\0"
