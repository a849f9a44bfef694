"""Traces: what went over a line, written and read back; personal values apart; broken files told."""

import contextlib
import io
import json
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline.errors import ConnectionLost
from helpline.realtime import events as e
from helpline.realtime.connection import FramedConnection, MemoryFrames, memory_pair
from helpline.realtime.recordings import read_recording
from helpline.realtime.trace import (
    BadTrace,
    Entry,
    Trace,
    TracedBackend,
    open_trace,
    read_lines,
    read_trace,
    traced,
)
from helpline.realtime.wire import GA, PREVIEW, VOICE_LIVE, Dialect, encode, encode_server
from tests.realtime.strategies import client_events, of_struct

SECRETS = ["Jane Doe", "order 1005", "R-4821", "secret prompt", "0612345678"]


class Ticking:
    """A clock that moves on by 10 ms each time it is read."""

    def __init__(self) -> None:
        self.ms = 990

    def now_ms(self) -> int:
        self.ms += 10
        return self.ms


def written(events: Iterable[tuple[str, object]], dialect: Dialect = GA, *, audio: bool = False) -> bytes:
    file = io.BytesIO()
    trace = Trace(file, audio=audio, clock=Ticking())
    trace.opened("azure", dialect)
    for way, event in events:
        trace.event(way, event, dialect)
    return file.getvalue()


def read(text: bytes) -> list[Entry]:
    return list(read_lines(io.BytesIO(text)))


def without(text: bytes, prefix: str) -> bytes:
    """The trace without the keys of a kind, as one would give it away."""
    lines = [json.loads(line) for line in text.splitlines()]
    kept = [{key: value for key, value in line.items() if not key.startswith(prefix)} for line in lines]
    return b"\n".join(json.dumps(line).encode() for line in kept)


CALL = [
    ("received", e.SessionCreated(session=e.Session(id="sess_1", instructions="secret prompt"))),
    ("sent", e.SessionUpdate(session=e.SessionSettings(instructions="secret prompt Jane Doe", voice="v"))),
    ("sent", e.InputAppend(audio=b"\1\2" * 480)),
    ("received", e.TranscriptionCompleted(item_id="item_1", transcript="cancel order 1005")),
    (
        "received",
        e.ItemDone(
            item=e.Item(
                id="item_1",
                role="user",
                content=(e.ContentPart(type="input_text", text="I am Jane Doe"),),
            )
        ),
    ),
    ("received", e.OutputAudioDelta(item_id="item_2", response_id="resp_1", delta=b"\3\4" * 240)),
    ("received", e.OutputTranscriptDelta(item_id="item_2", response_id="resp_1", delta="Hello Jane Doe")),
    ("received", e.ArgumentsDone(item_id="item_3", call_id="call_1", name="f", arguments='"order 1005"')),
    (
        "sent",
        e.ItemCreate(item=e.Item(type="function_call_output", call_id="call_1", output="R-4821")),
    ),
    (
        "received",
        e.ResponseDone(
            response=e.Response(
                id="resp_1",
                status="completed",
                output=(e.Item(type="function_call", name="f", call_id="c", arguments="order 1005"),),
                usage=e.Usage(input_tokens=7),
            )
        ),
    ),
    ("received", e.DtmfReceived(event="0612345678")),
    ("received", e.ErrorReceived(error=e.ErrorDetails(code="x", message="said: Jane Doe"))),
    ("received", e.UnknownEvent(type="new", data={"type": "new", "who": "Jane Doe"})),
    ("received", e.InputCleared(unknown={"/said": "Jane Doe"})),
]


def test_a_trace_reads_as_it_was_written() -> None:
    entries = read(written(CALL, audio=True))
    assert entries[0] == Entry(10, "opened", backend="azure", dialect=GA)
    assert [(entry.way, entry.event) for entry in entries[1:]] == CALL
    assert [entry.at_ms for entry in entries] == list(range(10, 10 * len(entries) + 1, 10))


def test_without_its_audio_a_trace_has_as_much_silence() -> None:
    entries = read(written(CALL))
    sound = [x.event for x in entries if isinstance(x.event, e.OutputAudioDelta | e.InputAppend)]
    assert sound == [
        e.InputAppend(audio=bytes(960)),
        e.OutputAudioDelta(item_id="item_2", response_id="resp_1", delta=bytes(480)),
    ]


@pytest.mark.parametrize("audio", [False, True])
def test_without_its_pii_keys_a_trace_says_nothing_personal_and_still_replays(audio: bool) -> None:
    text = without(written(CALL, audio=audio), "pii.")
    assert [secret for secret in SECRETS if secret.encode() in text] == []
    assert b"AwQDBAME" not in text
    entries = read(text)
    assert [type(x.event) for x in entries[1:]] == [type(event) for _, event in CALL]
    done = next(x.event for x in entries if isinstance(x.event, e.ResponseDone))
    assert (done.response.output[0].name, done.response.usage.input_tokens) == ("f", 7)


def test_personal_values_stand_nowhere_but_under_pii_keys() -> None:
    for line in map(json.loads, written(CALL).splitlines()):
        rest = json.dumps({key: value for key, value in line.items() if not key.startswith("pii.")})
        assert not any(secret in rest for secret in SECRETS)


SOME = [e.ResponseDone, e.ItemDone, e.SessionUpdated, e.OutputAudioDelta]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    client=client_events,
    server=st.sampled_from([e.ResponseDone, e.ItemDone, e.SessionUpdated, e.OutputAudioDelta]).flatmap(
        of_struct
    ),
    name=st.sampled_from(["ga", "voice_live", "preview"]),
)
def test_any_event_reads_as_it_went_over_the_wire(
    client: e.ClientEvent, server: e.ServerEvent, name: str
) -> None:
    dialect = {"ga": GA, "voice_live": VOICE_LIVE, "preview": PREVIEW}[name]
    _, sent, received = read(written([("sent", client), ("received", server)], dialect, audio=True))
    assert json.loads(encode(sent.event, dialect)) == json.loads(encode(client, dialect))
    assert json.loads(encode_server(received.event, dialect)) == json.loads(encode_server(server, dialect))


# --- around a connection ---------------------------------------------------------------------------------


async def scripted(peer: MemoryFrames) -> None:
    await peer.send(b'{"type":"session.created","session":{"id":"sess_1"}}')
    await peer.close(1001)


async def test_a_traced_connection_writes_both_ways_and_the_end() -> None:
    file, (connection, peer) = io.BytesIO(), memory_pair(VOICE_LIVE)
    line = traced(connection, Trace(file), "voice_live")
    await line.send(e.InputClear())
    await scripted(peer)
    created = await line.receive()
    with pytest.raises(ConnectionLost):
        await line.receive()
    await line.close()
    entries = read(file.getvalue())
    assert [(x.way, x.event, x.code) for x in entries] == [
        ("opened", None, 0),
        ("sent", e.InputClear(), 0),
        ("received", created, 0),
        ("lost", None, 1001),
    ]
    assert entries[-1].dialect is VOICE_LIVE


async def test_a_traced_backend_writes_every_session_into_one_file() -> None:
    class InMemory:
        name, answers, transcribes = "engine", "The engine answers.", True

        async def connect(self) -> FramedConnection:
            connection, peer = memory_pair()
            await scripted(peer)
            return connection

    file = io.BytesIO()
    backend = TracedBackend(InMemory(), Trace(file))
    assert (backend.name, backend.answers, backend.transcribes) == ("engine", "The engine answers.", True)
    for _ in range(2):
        await (await backend.connect()).receive()
    assert [x.way for x in read(file.getvalue())] == ["opened", "received"] * 2


def test_notes_beside_the_line() -> None:
    file = io.BytesIO()
    Trace(file).note("played", played_ms=480, personal={"text": "Jane Doe"})
    assert read(file.getvalue())[0].note == {"type": "played", "played_ms": 480, "text": "Jane Doe"}
    assert read(without(file.getvalue(), "pii."))[0].note == {"type": "played", "played_ms": 480}


def test_a_full_disk_ends_the_trace_and_not_the_call(caplog: pytest.LogCaptureFixture) -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            if self.tell() > 100:
                raise OSError(28, "No space left")
            return super().write(data)

    trace = Trace(Full())
    for _ in range(5):
        trace.event("sent", e.InputClear(), GA)
    assert caplog.text.count("The trace ends here") == 1


def test_only_the_owner_may_read_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    with open_trace(path) as trace:
        trace.opened("azure", GA)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.backend for entry in read_trace(path)] == ["azure"]
    with pytest.raises(BadTrace, match="cannot be written"), open_trace(tmp_path / "none" / "x"):
        pass


# --- files that are none ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"hello", 1),
        (b'{"trace": 2}', 1),
        (b'{"at_ms": 0}', 1),
        (b'{"trace":1}\n[]', 2),
        (b'{"trace":1}\n{"at_ms":0,"way":"juggled"}', 2),
        (b'{"trace":1}\n{"at_ms":"x","way":"lost","code":1}', 2),
        (b'{"trace":1}\n{"at_ms":0,"way":"opened","backend":"a","dialect":"klingon"}', 2),
        (b'{"trace":1}\n{"at_ms":0,"way":"received","event":5}', 2),
        (b'{"trace":1}\n{"at_ms":0,"way":"received","event":{"type":"x"},"pii./0/a":1,"pii./0/a/b/c":1}', 2),
        (b'{"trace":1}\n{"at_ms":0,"way":"sent","event":{"type":"response.juggle"}}', 2),
        (b'{"trace":1}\n{"at_ms":0,"way":"sent","event":{"type":"x"},"audio./audio":999999999999}', 2),
        (b'{"trace":1}\n{"at_ms":0,"way":"sent","event":{"type":"x"},"audio./audio":-1}', 2),
        (b'{"trace":1}\n' + b'{"a":' * 20_000, 2),
    ],
)
def test_what_is_no_trace_is_told_by_its_line(text: bytes, line: int) -> None:
    with pytest.raises(BadTrace, match=f"line {line},"):
        read(text)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_broken_trace_is_told_or_read_and_nothing_else(data: st.DataObject) -> None:
    text = bytearray(written(CALL))
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadTrace):
        assert all(isinstance(entry, Entry) for entry in read(bytes(text)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadTrace, match="cannot be read"):
        list(read_trace(tmp_path / "none"))
    with pytest.raises(BadTrace, match="cannot be read"):
        list(read_recording(tmp_path / "none"))


# --- recordings ------------------------------------------------------------------------------------------


def test_a_recording_traced_is_the_recording(recording: list[Entry]) -> None:
    opened, *rest = recording
    text = written([(x.way, x.event) for x in rest], opened.dialect, audio=True)
    assert [(x.way, x.event) for x in read(text)[1:]] == [(x.way, x.event) for x in rest]


def test_the_dialect_of_a_recording_is_seen_from_its_session(recordings: dict[str, list[Entry]]) -> None:
    assert {name.split("/")[0]: entries[0].dialect for name, entries in recordings.items()} == {
        "azure_voice_live_ws": VOICE_LIVE,
        "azure_ws": GA,
        "openai_ws": GA,
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "interactions: 5",
        "interactions: [{kind: message}]",
        "interactions: [{kind: message, direction: sent, data: {type: x}}]",
        "interactions: [{kind: message, direction: received, data: 7}]",
        "!!python/object/apply:os.getcwd []",
    ],
)
def test_what_is_no_recording_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(BadTrace):
        list(read_recording(path))


def test_a_trace_is_plain_json_lines() -> None:
    lines = written(CALL).splitlines()
    assert msgspec.json.decode(lines[0]) == {"trace": 1, "audio": False}
    assert len(lines) == len(CALL) + 2
