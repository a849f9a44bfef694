"""A connection written down as it happened, and read again: one JSON object a line.

    {"trace": 1, "audio": false}
    {"at_ms": 0, "way": "opened", "backend": "azure", "dialect": "ga"}
    {"at_ms": 212, "way": "received", "event": {"type": "session.created", …}}
    {"at_ms": 977, "way": "sent", "event": {"type": "input_audio_buffer.append"}, "audio./audio": 1920}
    {"at_ms": 1803, "way": "received", "event": {…}, "pii./delta": "Hello"}
    {"at_ms": 9100, "way": "lost", "code": 1006}

What was said, typed or looked up stands under keys that begin with `pii.` (then its place in the event, as a
JSON pointer): drop those keys and nothing personal is left, and what is left still replays. Audio is left
out unless asked for; its length in bytes stays, and reading puts as much silence in its place.
"""

import logging
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from helpline.clock import Clock, SystemClock
from helpline.errors import ConnectionLost, LocalError
from helpline.realtime import wire
from helpline.realtime.connection import Backend, Connection
from helpline.realtime.dialects import GA, PREVIEW, VOICE_LIVE, Dialect, Json
from helpline.realtime.events import ClientEvent, ServerEvent, UnknownEvent
from helpline.realtime.lenient import restore

log = logging.getLogger(__name__)

Way = Literal["opened", "sent", "received", "lost", "noted"]
AnyEvent = ServerEvent | UnknownEvent | ClientEvent

PERSONAL = frozenset(
    "text transcript delta arguments output instructions image_url message prompt logprobs event".split()
)
"""Fields whose text may hold what a customer said, was told or is called."""
_PERSONAL_WHOLE = frozenset({"prompt", "logprobs"})
"""Those that are personal as a whole; other objects are looked into."""
_DIALECTS = {dialect.name: dialect for dialect in (GA, PREVIEW, VOICE_LIVE)}
MAX_LINE_BYTES = 32 * 1024 * 1024


class BadTrace(LocalError):
    """A trace or a recording cannot be read; the message says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a trace."""

    at_ms: int
    """Since the trace began."""
    way: Way
    event: AnyEvent | None = None
    """For `sent` and `received`."""
    backend: str = ""
    dialect: Dialect = GA
    code: int = 0
    """For `lost`: the close code."""
    note: Mapping[str, Any] = field(default_factory=dict)
    """For `noted`."""


# --- writing ---------------------------------------------------------------------------------------------


class Trace:
    """Writes one call's connections into a file. A full disk ends the trace, not the call."""

    def __init__(self, file: IO[bytes], *, audio: bool = False, clock: Clock | None = None) -> None:
        self._file: IO[bytes] | None = file
        self._audio = audio
        self._clock = clock or SystemClock()
        self._start_ms = self._clock.now_ms()
        self._write({"trace": 1, "audio": audio})

    def opened(self, backend: str, dialect: Dialect) -> None:
        """A connection came about."""
        self._line("opened", {"backend": backend, "dialect": dialect.name})

    def event(self, way: Literal["sent", "received"], event: AnyEvent, dialect: Dialect) -> None:
        """An event went one way or the other."""
        unknown = event.unknown if isinstance(event, ServerEvent) else None
        if isinstance(event, ServerEvent) and unknown:
            event = msgspec.structs.replace(event, unknown=None)
        body = _as_json(event, dialect)
        apart = _set_apart(body, everything=isinstance(event, UnknownEvent), audio=self._audio)
        apart |= {f"pii.{place}": value for place, value in (unknown or {}).items()}
        self._line(way, {"event": body, **apart})

    def lost(self, code: int) -> None:
        """The connection ended."""
        self._line("lost", {"code": code})

    def note(self, what: str, *, personal: Mapping[str, Any] | None = None, **facts: Any) -> None:
        """Something beside the connection that a replay needs: a playback report, a typed line."""
        apart = {f"pii./{key}": value for key, value in (personal or {}).items()}
        self._line("noted", {"event": {"type": what, **facts}, **apart})

    def _line(self, way: Way, rest: Json) -> None:
        self._write({"at_ms": self._clock.now_ms() - self._start_ms, "way": way, **rest})

    def _write(self, line: Json) -> None:
        if self._file is None:
            return
        try:
            self._file.write(msgspec.json.encode(line) + b"\n")
        except (OSError, ValueError) as error:
            log.warning("The trace ends here: its file cannot be written (%s).", type(error).__name__)
            self._file = None


@contextmanager
def open_trace(path: str | Path, *, audio: bool = False, clock: Clock | None = None) -> Iterator[Trace]:
    """A trace in a new file that only its owner may read. Raises BadTrace when it cannot be made."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise BadTrace(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "wb") as file:
        yield Trace(file, audio=audio, clock=clock)


def _as_json(event: AnyEvent, dialect: Dialect) -> Json:
    if isinstance(event, UnknownEvent):
        return dict(event.data)
    if isinstance(event, ServerEvent):
        return wire.write(event, dialect)
    body: Json = msgspec.json.decode(wire.encode(event, dialect))
    return body


def _set_apart(body: Json, *, everything: bool, audio: bool) -> Json:
    """Takes personal values and audio out of an event: what they were, by key of the line."""
    apart: Json = {}
    sound = body.get("type") in _AUDIO_EVENTS
    if everything:
        for key in body.keys() - {"type", "event_id"}:
            apart[f"pii./{_escape(key)}"] = body.pop(key)
    else:
        _walk(body, "", apart, sound=sound, audio=audio)
    return apart


_AUDIO_EVENTS = frozenset({"response.output_audio.delta", "response.audio.delta"})
"""Their `delta` is sound; in the others it is words."""


def _walk(body: Json, path: str, apart: Json, *, sound: bool, audio: bool) -> None:
    for key in list(body):
        value, place = body[key], f"{path}/{_escape(key)}"
        if isinstance(value, str) and (key == "audio" or (sound and key == "delta")):
            apart[f"audio.{place}"] = _decoded_size(value)
            if audio:
                apart[f"pii.{place}"] = value
            del body[key]
        elif (key in PERSONAL and isinstance(value, str)) or (key in _PERSONAL_WHOLE and value):
            apart[f"pii.{place}"] = body.pop(key)
        elif isinstance(value, dict):
            _walk(value, place, apart, sound=False, audio=audio)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if isinstance(one, dict):
                    _walk(one, f"{place}/{index}", apart, sound=False, audio=audio)


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _decoded_size(base64: str) -> int:
    return len(base64) * 3 // 4 - base64[-2:].count("=")


# --- around a connection ---------------------------------------------------------------------------------


class TracedConnection:
    """A connection that writes down what goes over it."""

    def __init__(self, connection: Connection, trace: Trace, dialect: Dialect) -> None:
        self._connection = connection
        self._trace = trace
        self._dialect = dialect

    async def send(self, event: ClientEvent) -> None:
        await self._connection.send(event)
        self._trace.event("sent", event, self._dialect)

    async def receive(self) -> ServerEvent | UnknownEvent:
        try:
            event = await self._connection.receive()
        except ConnectionLost as lost:
            self._trace.lost(lost.code)
            raise
        self._trace.event("received", event, self._dialect)
        return event

    async def close(self) -> None:
        await self._connection.close()


@dataclass(frozen=True, slots=True)
class TracedBackend:
    """A backend whose connections are written into one trace."""

    backend: Backend
    trace: Trace

    @property
    def name(self) -> str:
        return self.backend.name

    @property
    def answers(self) -> str:
        return self.backend.answers

    @property
    def transcribes(self) -> bool:
        return self.backend.transcribes

    async def connect(self) -> TracedConnection:
        return traced(await self.backend.connect(), self.trace, self.backend.name)


def traced(connection: Connection, trace: Trace, backend: str = "") -> TracedConnection:
    """The same connection, written down from here on."""
    dialect = getattr(connection, "dialect", GA)
    trace.opened(backend, dialect)
    return TracedConnection(connection, trace, dialect)


# --- reading ---------------------------------------------------------------------------------------------


def read_trace(path: str | Path) -> Iterator[Entry]:
    """The entries of a trace. Raises BadTrace."""
    try:
        with Path(path).open("rb") as file:
            yield from read_lines(file, str(path))
    except OSError as error:
        raise BadTrace(f"{path} cannot be read: {error.strerror}.") from None


def read_lines(file: IO[bytes], name: str = "The trace") -> Iterator[Entry]:
    """The entries of an open trace. Raises BadTrace."""
    dialect, number = GA, 0
    while line := file.readline(MAX_LINE_BYTES):
        number += 1
        try:
            data = msgspec.json.decode(line, type=dict[str, Any])
            if number == 1:
                _check_header(data)
            elif data:
                entry = _entry(data, dialect)
                dialect = entry.dialect
                yield entry
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, wire.BadFrame) as error:
            kind = type(error).__name__
            raise BadTrace(f"{name}, line {number}, is no line of a trace ({kind}).") from None


def _check_header(data: Json) -> None:
    if data.get("trace") != 1:
        raise ValueError("not a trace of version 1")


def _entry(data: Json, dialect: Dialect) -> Entry:
    at_ms, way = int(data["at_ms"]), data["way"]
    match way:
        case "opened":
            return Entry(at_ms, way, backend=str(data["backend"]), dialect=_DIALECTS[data["dialect"]])
        case "lost":
            return Entry(at_ms, way, code=int(data["code"]), dialect=dialect)
        case "sent" | "received":
            body = _put_back(data)
            event = wire.read(body, dialect) if way == "received" else _client_event(body, dialect)
            return Entry(at_ms, way, event=event, dialect=dialect)
        case "noted":
            return Entry(at_ms, way, note=_put_back(data), dialect=dialect)
        case _:
            raise ValueError("unknown way")


def _client_event(body: Json, dialect: Dialect) -> ClientEvent:
    return wire.decode_client(msgspec.json.encode(body), dialect)


def _put_back(line: Json) -> Json:
    """The event with its personal values in place, and silence where audio was left out."""
    body: Json = line["event"]
    for key, value in line.items():
        if key.startswith("audio."):
            restore(body, {key.removeprefix("audio."): _silence(value)})
    restore(body, {key.removeprefix("pii."): value for key, value in line.items() if key.startswith("pii.")})
    return body


def _silence(size: Any) -> str:
    if not isinstance(size, int) or not 0 <= size <= MAX_LINE_BYTES:
        raise ValueError("no size of audio")
    return b64encode(bytes(size)).decode()
