"""The short way of text frames gives what the library's own parser would, however the bytes are cut."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from helpline.realtime.framing import MAX_FRAME_BYTES, MAX_UNREAD, Socket


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.reading = True
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def is_closing(self) -> bool:
        return self.closed

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True

    abort = close


class Line:
    """A socket whose peer is the library's pure server."""

    def __init__(self) -> None:
        self.socket = Socket(
            ClientProtocol(parse_uri("ws://desk.test/"), max_size=MAX_FRAME_BYTES), ping_interval=None
        )
        self.wire = Wire()
        self.socket.connection_made(self.wire)
        self.server = ServerProtocol()

    async def shake_hands(self, cut: "Cut", *, behind: bytes = b"") -> None:
        """`behind` is what the server sends in one breath with its answer."""
        shaking = asyncio.create_task(self.socket.handshake())
        await asyncio.sleep(0)
        self.server.receive_data(self.taken())
        (request,) = self.server.events_received()
        assert isinstance(request, Request)
        self.server.send_response(self.server.accept(request))
        self.feed(b"".join(self.server.data_to_send()) + behind, cut)
        await shaking

    def taken(self) -> bytes:
        written, self.wire.written = self.wire.written, b""
        return written

    def feed(self, data: bytes, cut: "Cut") -> None:
        """As a loop does: into the buffer that the next connection gets too."""
        for piece in cut(data):
            while piece:
                room = self.socket.get_buffer(-1)
                size = min(len(room), len(piece))
                room[:size] = piece[:size]
                self.socket.buffer_updated(size)
                room[:size] = b"x" * size
                piece = piece[size:]

    def messages(self) -> list[bytes]:
        found = []
        while (frame := self.socket.frame_now()) is not None:
            found.append(frame)
        return found


class Cut:
    """Cuts bytes into pieces, small ones often."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)
        self._whole = seed is None

    def __call__(self, data: bytes) -> list[bytes]:
        if self._whole:
            return [data]
        pieces = []
        while data:
            size = self._random.choice((1, 2, 3, 7, 130, 5000, 70_000))
            pieces.append(data[:size])
            data = data[size:]
        return pieces


TEXTS = st.integers(0, 5).flatmap(
    lambda kind: st.binary(max_size=20) if kind else st.sampled_from((125, 126, 65_535, 65_536)).map(bytes)
)
SENT = st.lists(
    st.one_of(
        st.tuples(st.just("text"), TEXTS),
        st.tuples(st.just("binary"), TEXTS),
        st.tuples(st.just("ping"), st.binary(max_size=5)),
        st.tuples(st.just("parts"), st.lists(st.binary(max_size=9), min_size=2, max_size=4)),
    ),
    max_size=8,
)


def written_by(server: ServerProtocol, sent: list[tuple[str, object]]) -> tuple[bytes, list[bytes]]:
    """The server's bytes, and the messages in them."""
    messages: list[bytes] = []
    for kind, what in sent:
        if isinstance(what, list):
            server.send_text(what[0], fin=False)
            for number, part in enumerate(what[1:], start=2):
                server.send_ping(b"between")
                server.send_continuation(part, fin=number == len(what))
            messages.append(b"".join(what))
            continue
        assert isinstance(what, bytes)
        if kind == "ping":
            server.send_ping(what)
            continue
        (server.send_text if kind == "text" else server.send_binary)(what)
        messages.append(what)
    return b"".join(server.data_to_send()), messages


@given(SENT, SENT, st.one_of(st.none(), st.integers(0, 999)))
def test_however_it_is_cut_the_same_messages_come(
    at_once: list[tuple[str, object]], later: list[tuple[str, object]], seed: int | None
) -> None:
    async def scenario() -> None:
        line = Line()
        first, wanted = written_by(_opened(), at_once)
        await line.shake_hands(Cut(seed), behind=first)
        assert line.messages() == wanted
        line.taken()
        data, wanted = written_by(line.server, later)
        line.feed(data, Cut(seed))
        assert line.messages() == wanted
        line.server.receive_data(line.taken())
        pongs = [event for event in line.server.events_received() if isinstance(event, Frame)]
        pings = sum(len(what) - 1 if isinstance(what, list) else kind == "ping" for kind, what in later)
        assert [frame.opcode for frame in pongs] == [Opcode.PONG] * pings

    asyncio.run(scenario())


def _opened() -> ServerProtocol:
    """A server whose handshake is over: it writes frames, whoever reads them."""
    server = ServerProtocol()
    server.state = State.OPEN
    return server


@given(st.lists(TEXTS, max_size=5))
def test_what_is_sent_at_once_is_what_a_server_reads(texts: list[bytes]) -> None:
    async def scenario() -> None:
        line = Line()
        await line.shake_hands(Cut())
        assert all(line.socket.send_now(text) for text in texts)
        data = line.taken()
        line.server.receive_data(data)
        frames = [event for event in line.server.events_received() if isinstance(event, Frame)]
        assert [(frame.opcode, bytes(frame.data)) for frame in frames] == [
            (Opcode.TEXT, text) for text in texts
        ]

    asyncio.run(scenario())


async def test_no_two_frames_have_the_same_mask() -> None:
    line = Line()
    await line.shake_hands(Cut())
    masks = set()
    for _ in range(1000):
        assert line.socket.send_now(b"hi")
        masks.add(line.taken()[2:6])
    assert len(masks) > 990  # of four thousand million


async def test_nothing_is_sent_at_once_while_the_line_is_behind_or_down() -> None:
    line = Line()
    await line.shake_hands(Cut())
    line.socket.pause_writing()
    assert not line.socket.send_now(b"hi")
    line.socket.resume_writing()
    assert line.socket.send_now(b"hi")
    line.taken()
    line.socket.connection_lost(None)
    assert not line.socket.send_now(b"hi")
    assert line.taken() == b""


async def test_a_reader_that_is_behind_slows_the_server() -> None:
    line = Line()
    await line.shake_hands(Cut())
    data, _ = written_by(line.server, [("text", b"x")] * MAX_UNREAD)
    line.feed(data, Cut())
    assert not line.wire.reading
    assert len(line.messages()) == MAX_UNREAD
    assert line.wire.reading


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x81\x7f" + (MAX_FRAME_BYTES + 1).to_bytes(8), 1009),
        (b"\x81\x7f" + b"\xff" * 8, 1009),
        (b"\x81\x82\0\0\0\0hi", 1002),
        (b"\xc1\x02hi", 1002),
        (b"\x83\x02hi", 1002),
        (b"\x80\x02hi", 1002),
        (b"\x01\x02hi\x81\x02hi", 1002),
        (b"\x88\x02\x0f\xa0", 4000),
    ],
    ids=["too long", "longer", "masked", "compressed", "unknown", "no beginning", "in between", "closed"],
)
async def test_whatever_breaks_the_rules_ends_the_line(data: bytes, code: int) -> None:
    line = Line()
    await line.shake_hands(Cut())
    line.feed(b"\x81\x02ok" + data + b"\x81\x04late", Cut(3))
    assert line.socket.frame_now() == b"ok"
    assert line.socket.state is not State.OPEN
    line.socket.connection_lost(None)
    with pytest.raises(ConnectionClosed) as closed:
        line.messages()
    ended = closed.value.sent if closed.value.rcvd is None else closed.value.rcvd
    assert ended is not None
    assert ended.code == code
    with pytest.raises(ConnectionClosed):
        await line.socket.next_frame()
