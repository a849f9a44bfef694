"""One live session with a backend: typed events over frames, over a socket or in memory.

`Connection` is what a conversation is driven over, `Backend` opens them. Below both are `Frames`: one peer,
one JSON text each. A server holds `Frames` too, so the same engine answers a socket and its own process.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from helpline.errors import ConnectionLost
from helpline.realtime import wire
from helpline.realtime.dialects import GA, Dialect
from helpline.realtime.events import (
    ClientEvent,
    InputAppend,
    ServerEvent,
    SessionSettings,
    SessionUpdate,
    UnknownEvent,
)
from helpline.realtime.lenient import kind

MAX_BAD_FRAMES = 100
"""So many in a row, and the other side does not speak JSON."""
MAX_WAITING = 64
"""So many events are decoded ahead of their reader; more wait as frames, and then the socket is not read."""
MAX_KINDS = 200
"""So many kinds of unknown things are told apart; the rest count as one, whatever a server makes up."""


@dataclass(slots=True)
class Counts:
    """What went over one connection."""

    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    bad_frames: int = 0
    unknown_events: Counter[str] = field(default_factory=Counter)
    """By type: types this version does not know, and known ones with wrong types in them."""
    unknown_fields: Counter[str] = field(default_factory=Counter)
    """By type and place: "response.done /response/tempo"."""


class Frames(Protocol):
    """One peer, one JSON text per frame."""

    async def recv(self) -> str | bytes:
        """The next frame. Raises ConnectionLost."""

    async def send(self, frame: bytes | str) -> None:
        """Sends one frame; waits while the peer is slow. Raises ConnectionLost."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Ends it; idempotent, never raises."""


@runtime_checkable
class PromptFrames(Frames, Protocol):
    """Frames that can be read and sent without waiting."""

    def recv_now(self) -> str | bytes | None:
        """The next frame, or None when none has come. Raises ConnectionLost."""

    def on_ready(self, ready: Callable[[], None] | None) -> None:
        """From now on call `ready` whenever `recv_now` may have something to say."""

    @property
    def send_now(self) -> Callable[[bytes], bool]:
        """Sends one frame; False, and nothing sent, when it would have to wait or the line is down."""


class Connection(Protocol):
    """One live session, in typed events."""

    async def send(self, event: ClientEvent) -> None:
        """Sends one event. Raises ConnectionLost(code=…)."""

    async def receive(self) -> ServerEvent | UnknownEvent:
        """The next event. Raises ConnectionLost(code=…) when the session ended."""

    async def close(self) -> None:
        """Ends the session; idempotent, never raises."""


class PromptConnection(Connection, Protocol):
    """A connection that can be read and sent to without waiting: see PromptFrames."""

    def send_now(self, event: ClientEvent) -> bool: ...

    def receive_now(self) -> ServerEvent | UnknownEvent | None: ...

    def on_ready(self, ready: Callable[[], None] | None) -> None: ...


def prompt(connection: Connection) -> PromptConnection | None:
    """The connection as one that need not be waited for, if it is."""
    return connection if isinstance(connection, FramedConnection) and connection.is_prompt else None


class Backend(Protocol):
    """Opens sessions with one vendor, one server or the embedded engine."""

    @property
    def name(self) -> str:
        """As in HELPLINE_BACKENDS."""

    @property
    def answers(self) -> str:
        """One line for the page: who answers."""

    @property
    def transcribes(self) -> bool:
        """Whether the customer's words come back as text."""

    async def connect(self) -> Connection:
        """A new session. Raises BackendError(message, setting=…, retry=…)."""


def _as_asked(settings: SessionSettings) -> SessionSettings:
    return settings


class FramedConnection:
    """A Connection over frames, in a dialect.

    `tune` has the last word on the session's settings: what only the backend knows (its transcription
    deployment, its own noise suppression) goes in there.
    """

    def __init__(
        self,
        frames: Frames,
        dialect: Dialect = GA,
        tune: Callable[[SessionSettings], SessionSettings] = _as_asked,
    ) -> None:
        self._frames = frames
        self._prompt = frames if isinstance(frames, PromptFrames) else None
        self._dialect = dialect
        self._tune = tune
        self._bad_in_a_row = 0
        self._came: deque[ServerEvent | UnknownEvent] = deque()
        self._broke: ConnectionLost | None = None
        self._ready: Callable[[], None] | None = None
        self.counts = Counts()

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    async def send(self, event: ClientEvent) -> None:
        frame = self._encode(event)
        await self._frames.send(frame)
        self._count_sent(frame)

    @property
    def is_prompt(self) -> bool:
        return self._prompt is not None

    def send_now(self, event: ClientEvent) -> bool:
        assert self._prompt is not None
        frame = wire.encode(event, self._dialect) if type(event) is InputAppend else self._encode(event)
        if not self._prompt.send_now(frame):
            return False
        self.counts.frames_sent += 1
        self.counts.bytes_sent += len(frame)
        return True

    def receive_now(self) -> ServerEvent | UnknownEvent | None:
        if not self._came:
            self._take_in()
        if self._came:
            return self._came.popleft()
        if self._broke is not None:
            raise self._broke
        return None

    def on_ready(self, ready: Callable[[], None] | None) -> None:
        assert self._prompt is not None
        self._ready = ready
        self._prompt.on_ready(self._on_frames if ready is not None else None)

    def _on_frames(self) -> None:
        self._take_in()
        if self._ready is not None:
            self._ready()

    def _take_in(self) -> None:
        """Decode what has come while it is fresh: a frame goes at once, and the next one takes its place.

        What waits is the sound, without the third that base64 adds. No more than so many events wait here.
        """
        assert self._prompt is not None
        try:
            while len(self._came) < MAX_WAITING and (frame := self._prompt.recv_now()) is not None:
                if (event := self._decode(frame)) is not None:
                    self._came.append(event)
        except ConnectionLost as lost:
            self._broke = lost

    def _encode(self, event: ClientEvent) -> bytes:
        if isinstance(event, SessionUpdate):
            event = SessionUpdate(session=self._tune(event.session), event_id=event.event_id)
        return wire.encode(event, self._dialect)

    def _count_sent(self, frame: bytes) -> None:
        self.counts.frames_sent += 1
        self.counts.bytes_sent += len(frame)

    async def receive(self) -> ServerEvent | UnknownEvent:
        event = None
        while event is None:
            frame = await self._frames.recv()
            try:
                event = self._decode(frame)
            except ConnectionLost:
                await self.close()
                raise
        return event

    def _decode(self, frame: str | bytes) -> ServerEvent | UnknownEvent | None:
        """None for a frame that is not JSON. Raises ConnectionLost after too many of those."""
        counts = self.counts
        counts.frames_received += 1
        counts.bytes_received += len(frame)
        try:
            event = wire.decode(frame, self._dialect)
        except wire.BadFrame:
            counts.bad_frames += 1
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= MAX_BAD_FRAMES:
                raise ConnectionLost(
                    "The other side does not speak the Realtime protocol.", code=1007
                ) from None
            return None
        self._bad_in_a_row = 0
        if isinstance(event, UnknownEvent):
            self._count_event(event)
        elif event.unknown is not None:
            self._count_fields(event)
        return event

    async def close(self) -> None:
        await self._frames.close()

    def _count_event(self, event: UnknownEvent) -> None:
        if event.type not in self._dialect.vendor_events:
            _count(self.counts.unknown_events, event.type[:80])

    def _count_fields(self, event: ServerEvent) -> None:
        for pointer in event.unknown or ():
            _count(self.counts.unknown_fields, f"{event.__struct_config__.tag} {kind(pointer)[:80]}")


def _count(counter: Counter[str], key: str) -> None:
    counter[key if key in counter or len(counter) < MAX_KINDS else "…"] += 1


# --- in memory -------------------------------------------------------------------------------------------

MEMORY_FRAMES = 64
"""Frames one side may be ahead: about 2.5 s of microphone. Then sending waits, as it does on a socket."""


class _Pipe:
    """Frames one way, bounded; closing lets the reader finish what was sent."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._frames: deque[bytes | str] = deque()
        self._changed = asyncio.Condition()
        self._closed: int | None = None

    async def put(self, frame: bytes | str) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or len(self._frames) < self._limit)
            self._check_open()
            self._frames.append(frame)
            self._changed.notify_all()

    async def get(self) -> bytes | str:
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or self._frames)
            if not self._frames:
                self._check_open()
            self._changed.notify_all()
            return self._frames.popleft()

    async def close(self, code: int) -> None:
        async with self._changed:
            self._closed = self._closed or code
            self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise ConnectionLost(f"The session ended ({self._closed}).", code=self._closed)


class MemoryFrames:
    """One end of a pair in one process."""

    def __init__(self, inward: _Pipe, outward: _Pipe) -> None:
        self._inward = inward
        self._outward = outward

    async def recv(self) -> bytes | str:
        return await self._inward.get()

    async def send(self, frame: bytes | str) -> None:
        await self._outward.put(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._outward.close(code)
        await self._inward.close(code)


def memory_frames(limit: int = MEMORY_FRAMES) -> tuple[MemoryFrames, MemoryFrames]:
    """Two ends of one line in this process."""
    there, back = _Pipe(limit), _Pipe(limit)
    return MemoryFrames(back, there), MemoryFrames(there, back)


def memory_pair(dialect: Dialect = GA, limit: int = MEMORY_FRAMES) -> tuple[FramedConnection, MemoryFrames]:
    """A client's connection and the server's end of it, in this process, with the frames of a socket."""
    client, server = memory_frames(limit)
    return FramedConnection(client, dialect), server
