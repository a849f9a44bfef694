"""What servers send, typed: every event, every dialect, and whatever a hostile or a newer one makes up."""

import base64
import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpline.realtime import events as e
from helpline.realtime import wire
from helpline.realtime.trace import Entry
from helpline.realtime.wire import GA, PREVIEW, VOICE_LIVE, BadFrame, Dialect
from tests.realtime.oracles import openai_server_faults
from tests.realtime.strategies import of_struct

server_events: st.SearchStrategy[e.ServerEvent] = st.one_of(
    [of_struct(struct) for struct in wire.SERVER_EVENTS.values()]
)
DIALECTS = {dialect.name: dialect for dialect in (GA, VOICE_LIVE, PREVIEW)}
many = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def frame(**data: Any) -> bytes:
    return json.dumps(data).encode()


def test_all_of_ga_is_known() -> None:
    assert len(wire.SERVER_EVENTS) == 46
    assert len(wire.CLIENT_EVENTS) == 11


# --- recordings of real sessions -------------------------------------------------------------------------


def test_every_recorded_event_is_known_with_all_its_fields(recording: list[Entry]) -> None:
    received = [entry.event for entry in recording if entry.way == "received"]
    assert received
    assert [event for event in received if isinstance(event, e.UnknownEvent)] == []
    assert [event.unknown for event in received if event.unknown] == []


def test_every_recorded_event_is_the_same_after_writing_and_reading(recording: list[Entry]) -> None:
    for entry in recording:
        if entry.way == "received":
            again = wire.decode(wire.encode_server(entry.event, entry.dialect), entry.dialect)
            assert again == entry.event
        elif entry.way == "sent":
            again = wire.decode_client(wire.encode(entry.event, entry.dialect), entry.dialect)
            assert again == entry.event


def test_a_flat_session_reads_as_a_nested_one(recordings: dict[str, list[Entry]]) -> None:
    created = recordings["azure_voice_live_ws/test_audio_in_server_vad_turn"][1].event
    assert isinstance(created, e.SessionCreated)
    assert created.session.output_modalities == ("audio",)
    assert created.session.expires_at == 1784668573
    assert created.session.audio["input"]["format"] == {"type": "audio/pcm", "rate": 24000}
    assert created.session.audio["input"]["turn_detection"]["silence_duration_ms"] == 200
    assert created.session.vendor["input_audio_sampling_rate"] == 24000


def test_both_families_tell_a_spoken_turn_in_the_same_events(recordings: dict[str, list[Entry]]) -> None:
    def kinds(name: str) -> set[str]:
        return {type(entry.event).__name__ for entry in recordings[name] if entry.way == "received"}

    flat, nested = (
        kinds("azure_voice_live_ws/test_audio_in_server_vad_turn"),
        kinds("azure_ws/test_audio_in_server_vad_transcribes"),
    )
    assert (nested - flat, flat - nested) == ({"ItemAdded"}, {"ItemCreated"})


def test_a_failed_transcription_says_why(recordings: dict[str, list[Entry]]) -> None:
    name = "azure_ws/test_audio_in_server_vad_transcription_requires_deployment"
    failed = [x.event for x in recordings[name] if isinstance(x.event, e.TranscriptionFailed)]
    assert failed[0].error.code == "DeploymentNotFound"


# --- names and shapes ------------------------------------------------------------------------------------


@many
@given(server_events)
@pytest.mark.parametrize("name", DIALECTS)
def test_what_a_server_writes_is_what_a_client_reads(name: str, event: e.ServerEvent) -> None:
    dialect = DIALECTS[name]
    read = wire.decode(wire.encode_server(event, dialect), dialect)
    if isinstance(event, e.ItemAdded) and dialect.flat:
        assert read == wire.decode(wire.encode_server(e.ItemCreated(**_fields(event)), dialect), dialect)
    elif not dialect.flat or not isinstance(event, e.SessionCreated | e.SessionUpdated | e.ResponseCreated):
        assert type(read) is type(event)
        assert wire.encode_server(read, dialect) == wire.encode_server(event, dialect)


def _fields(event: e.ServerEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


@pytest.mark.parametrize("dialect", [GA, VOICE_LIVE, PREVIEW], ids=["ga", "voice_live", "preview"])
def test_either_vocabulary_is_understood_in_any_dialect(dialect: Dialect) -> None:
    """Servers mix them: GA's deltas with `conversation.item.created`, and the other way round."""
    sound = base64.b64encode(b"\1\0").decode()
    for name in ("response.output_audio.delta", "response.audio.delta"):
        event = wire.decode(frame(type=name, item_id="item_1", response_id="resp_1", delta=sound), dialect)
        assert event == e.OutputAudioDelta(item_id="item_1", response_id="resp_1", delta=b"\1\0")
    created = wire.decode(frame(type="conversation.item.created", item={"type": "message"}), dialect)
    assert created == e.ItemCreated(item=e.Item())


@pytest.mark.parametrize("spelt", ["audio", "output_audio"])
def test_content_has_one_name_whoever_says_it(spelt: str) -> None:
    part = {"type": spelt, "transcript": "Hello"}
    item = {"type": "message", "role": "assistant", "content": [part]}
    added = wire.decode(frame(type="response.content_part.added", item_id="i", part=part))
    done = wire.decode(frame(type="response.output_item.done", item=item))
    response = wire.decode(frame(type="response.done", response={"output": [item]}))
    expected = e.ContentPart(type="output_audio", transcript="Hello")
    assert added.part == done.item.content[0] == response.response.output[0].content[0] == expected


def test_the_type_may_stand_last() -> None:
    assert wire.decode(
        b'{"item_id":"i","delta":"x","type":"response.output_text.delta"}'
    ) == e.OutputTextDelta(item_id="i", delta="x")


def test_whole_numbers_may_be_written_as_fractions_and_defaults_as_null() -> None:
    """Servers in languages without integers do the one, servers with templates the other."""
    started = wire.decode(frame(type="input_audio_buffer.speech_started", item_id="i", audio_start_ms=320.0))
    assert started == e.SpeechStarted(item_id="i", audio_start_ms=320)
    delta = wire.decode(frame(type="response.output_text.delta", item_id="i", delta=None))
    assert delta == e.OutputTextDelta(item_id="i", delta="")


def test_frames_may_be_text_or_bytes() -> None:
    data = frame(type="input_audio_buffer.cleared", event_id="event_1")
    assert wire.decode(data) == wire.decode(data.decode()) == e.InputCleared(event_id="event_1")


# --- the unknown -----------------------------------------------------------------------------------------


def test_an_unknown_event_is_kept_whole() -> None:
    event = wire.decode(frame(type="response.tasted", event_id="event_1", flavour={"sweet": 1}))
    assert event == e.UnknownEvent(
        type="response.tasted",
        event_id="event_1",
        data={"type": "response.tasted", "event_id": "event_1", "flavour": {"sweet": 1}},
    )
    assert wire.decode(wire.encode_server(event)) == event


def test_unknown_fields_are_kept_with_their_places_and_go_back_there() -> None:
    data = {
        "type": "response.done",
        "tempo": 3,
        "response": {
            "id": "r",
            "output": [{"type": "message", "a/b": [1], "content": [{"type": "x", "y": 2}]}],
        },
    }
    event = wire.decode(frame(**data))
    assert isinstance(event, e.ResponseDone)
    assert event.unknown == {
        "/tempo": 3,
        "/response/output/0/a~1b": [1],
        "/response/output/0/content/0/y": 2,
    }
    assert json.loads(wire.encode_server(event)) == data


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"type": "response.output_text.delta", "item_id": 7, "delta": "x"}, "Expected `str`, got `int`"),
        ({"type": "response.output_text.delta", "delta": "x"}, "missing required field `item_id`"),
        ({"type": "response.output_audio.delta", "item_id": "i", "delta": "no base64!"}, "base64"),
        ({"type": "response.done", "response": [1]}, "Expected `object`, got `array`"),
        ({"type": "error", "error": "broken"}, "Expected `object`, got `str`"),
    ],
)
def test_a_known_event_with_wrong_types_is_kept_with_what_is_wrong(
    data: dict[str, Any], problem: str
) -> None:
    event = wire.decode(frame(**data))
    assert isinstance(event, e.UnknownEvent)
    assert (event.type, event.data) == (data["type"], data)
    assert problem in event.problem


@pytest.mark.parametrize("data", [{}, {"type": None}, {"type": 7}, {"type": ["error"]}])
def test_an_event_without_a_name_is_kept_under_none(data: dict[str, Any]) -> None:
    assert wire.decode(frame(**data)) == e.UnknownEvent(type="", data=data)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"error"',
        b"\xff\xfe",
        b'{"type":"error"} {}',
        b'{"type":"error","error":{"message":"\xff"}}',
        '{"type":"error","event_id":"\ud800"}',
        '{"type":"response.done","response":' + "[" * 100_000,
        '{"type":"x","y":' + '{"y":' * 100_000,
    ],
    ids=range(11),
)
@pytest.mark.parametrize("dialect", [GA, VOICE_LIVE], ids=["ga", "voice_live"])
def test_what_is_no_json_object_is_a_bad_frame(dialect: Dialect, bad: bytes | str) -> None:
    with pytest.raises(BadFrame):
        wire.decode(bad, dialect)


def test_nesting_that_the_parser_takes_but_python_does_not_is_a_bad_frame_too() -> None:
    inner: dict[str, Any] = {}
    for _ in range(900):
        inner = {"cached_tokens_details": inner, "novel": 1}
    usage = {"input_token_details": inner}
    data = msgspec.json.encode({"type": "response.done", "usage": usage})
    try:
        event = wire.decode(data)
    except BadFrame:
        return
    assert event.unknown or isinstance(event, e.UnknownEvent)


# --- ten thousand broken frames --------------------------------------------------------------------------

_ODD: list[Any] = [
    None,
    True,
    -1,
    1.5,
    1e308,
    "",
    "\u0000",
    "x" * 5000,
    [],
    {},
    [[]],
    {"type": "error"},
    2**70,
]


def _mutated(data: Any, rng: random.Random) -> Any:
    """The object with one value, somewhere in it, replaced, removed or doubled."""
    if isinstance(data, dict) and data and rng.random() < 0.9:
        key = rng.choice(list(data))
        match rng.randrange(4):
            case 0:
                return {k: v for k, v in data.items() if k != key}
            case 1:
                return {**data, rng.choice(["novel", "a/b~", key.upper()]): rng.choice(_ODD)}
            case _:
                return {**data, key: _mutated(data[key], rng)}
    if isinstance(data, list) and data and rng.random() < 0.7:
        at = rng.randrange(len(data))
        return [*data[:at], _mutated(data[at], rng), *data[at:]]
    return rng.choice(_ODD)


def _broken(text: bytes, rng: random.Random) -> bytes:
    """The frame cut, spliced with itself or with bytes flipped."""
    cut = rng.randrange(len(text))
    match rng.randrange(3):
        case 0:
            return text[:cut]
        case 1:
            return text[:cut] + text[rng.randrange(len(text)) :]
        case _:
            flipped = bytearray(text)
            for _ in range(rng.randrange(1, 6)):
                flipped[rng.randrange(len(flipped))] = rng.randrange(256)
            return bytes(flipped)


def _samples() -> list[dict[str, Any]]:
    """One event of each kind, filled in, in both vocabularies."""
    item = e.Item(
        id="item_1",
        role="assistant",
        call_id="call_1",
        name="f",
        arguments="{}",
        content=(e.ContentPart(type="output_audio", transcript="Hello", audio=b"\0\1"),),
    )
    usage = e.Usage(total_tokens=3, input_token_details=e.TokenDetails(text_tokens=3))
    response = e.Response(
        id="resp_1", status="failed", output=(item,), usage=usage,
        status_details=e.StatusDetails(type="failed", error=e.ErrorDetails(code="x")),
    )  # fmt: skip
    known = {
        "item": item, "response": response, "part": item.content[0], "session": e.Session(id="sess_1"),
        "error": e.ErrorDetails(code="x", message="y"), "delta": "aGVsbG8=", "usage": usage,
        "rate_limits": (e.RateLimit(name="tokens", limit=1),),
    }  # fmt: skip
    samples = []
    for struct in wire.SERVER_EVENTS.values():
        fields = {f.name: f for f in msgspec.structs.fields(struct)}
        filled = {name: known[name] for name in fields if name in known}
        if "delta" in filled and struct is e.OutputAudioDelta:
            filled["delta"] = b"hello"
        filled |= {n: "item_1" for n, f in fields.items() if n not in filled and f.required}
        event = struct(**filled)
        samples += [wire.write(event, GA), wire.write(event, VOICE_LIVE)]
    return samples


def test_ten_thousand_broken_frames_do_no_harm() -> None:
    rng, samples = random.Random(20261122), _samples()
    outcomes = {"event": 0, "unknown": 0, "bad": 0}
    for _ in range(10_000):
        data, dialect = rng.choice(samples), rng.choice([GA, VOICE_LIVE, PREVIEW])
        for _ in range(rng.randrange(3)):
            data = _mutated(data, rng)
        text = msgspec.json.encode(data)
        text = _broken(text, rng) if rng.random() < 0.4 else text
        try:
            event = wire.decode(text, dialect)
        except BadFrame:
            outcomes["bad"] += 1
            continue
        outcomes["unknown" if isinstance(event, e.UnknownEvent) else "event"] += 1
        again = wire.decode(wire.encode_server(event, dialect), dialect)
        assert isinstance(again, e.ServerEvent | e.UnknownEvent)
    assert min(outcomes.values()) > 1000, outcomes


def test_recorded_frames_broken_do_no_harm(recordings: dict[str, list[Entry]]) -> None:
    rng = random.Random(7)
    received = [x for entries in recordings.values() for x in entries if x.way == "received"]
    for _ in range(3000):
        entry = rng.choice(received)
        text = _broken(wire.encode_server(entry.event, entry.dialect), rng)
        try:
            event = wire.decode(text, entry.dialect)
        except BadFrame:
            continue
        wire.encode_server(event, entry.dialect)


# --- as a server -----------------------------------------------------------------------------------------


def test_a_servers_frames_are_those_of_the_vendor() -> None:
    """What the embedded engine says, in full, has nothing that OpenAI's own types do not know."""
    said = [
        e.SessionCreated(
            event_id="event_1", session=e.Session(type="realtime", model="m", output_modalities=("audio",))
        ),
        e.SpeechStarted(event_id="event_2", item_id="item_1"),
        e.SpeechStopped(event_id="event_3", item_id="item_1", audio_end_ms=0),
        e.InputCommitted(event_id="event_4", item_id="item_1"),
        e.ItemAdded(
            event_id="event_5",
            item=e.Item(id="item_1", role="user", content=(e.ContentPart(type="input_audio"),)),
        ),
        e.TranscriptionCompleted(
            event_id="event_6", item_id="item_1", transcript="", usage=e.Usage(type="duration", seconds=1.5)
        ),
        e.ResponseCreated(event_id="event_7", response=e.Response(id="resp_1", status="in_progress")),
        e.ContentPartAdded(
            event_id="event_8", item_id="item_2", response_id="resp_1",
            part=e.ContentPart(type="output_audio", transcript=""),
        ),
        e.OutputAudioDelta(event_id="event_9", item_id="item_2", response_id="resp_1", delta=b""),
        e.OutputAudioDone(event_id="event_10", item_id="item_2", response_id="resp_1"),
        e.ArgumentsDone(
            event_id="event_11", item_id="item_3", response_id="resp_1", call_id="call_1", name="f"
        ),
        e.ResponseDone(
            event_id="event_12",
            response=e.Response(
                id="resp_1",
                status="completed",
                output=(e.Item(type="function_call", name="f", arguments="{}", call_id="call_1"),),
                usage=e.Usage(input_token_details=e.TokenDetails()),
            ),
        ),
        e.RateLimitsUpdated(event_id="event_13"),
        e.ErrorReceived(event_id="event_14", error=e.ErrorDetails(type="invalid_request_error", message="")),
    ]  # fmt: skip
    assert {type(event).__name__: openai_server_faults(wire.encode_server(event)) for event in said} == {
        type(event).__name__: [] for event in said
    }


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        ({"type": "response.juggle"}, "invalid_value", "type"),
        ({}, "invalid_value", "type"),
        ({"type": "conversation.item.delete"}, "missing_required_parameter", "item_id"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "session.update", "session": 1}, "invalid_type", "session"),
        ({"type": "response.cancel", "loudly": True}, "unknown_parameter", "loudly"),
        ({"type": "input_audio_buffer.append", "audio": 7}, "invalid_type", "audio"),
        (
            {"type": "conversation.item.create", "item": {"content": [{"type": "input_text", "text": 1}]}},
            "invalid_type",
            "item.content[0].text",
        ),
        (
            {
                "type": "session.update",
                "session": {"audio": {"input": {"turn_detection": {"type": "psychic"}}}},
            },
            "invalid_type",
            "audio.input.turn_detection.type",
        ),
    ],
)
def test_a_client_at_fault_is_told_in_the_protocols_words(
    data: dict[str, Any], code: str, param: str
) -> None:
    with pytest.raises(wire.BadEvent) as fault:
        wire.decode_client(frame(event_id="event_9", **data))
    assert (fault.value.code, fault.value.param, fault.value.event_id) == (code, param, "event_9")


@pytest.mark.parametrize("bad", [b"{", b"[]", b"\xff", "\ud800"])
def test_a_client_that_sends_no_json_is_told_apart_from_one_at_fault(bad: bytes | str) -> None:
    with pytest.raises(BadFrame) as fault:
        wire.decode_client(bad)
    assert not isinstance(fault.value, wire.BadEvent)


def test_what_a_session_asks_beyond_our_settings_is_kept() -> None:
    asked = {"type": "realtime", "tracing": "auto", "audio": {"input": {"transcription": {"delay": "low"}}}}
    event = wire.decode_client(frame(type="session.update", session=asked))
    assert isinstance(event, e.SessionUpdate)
    assert event.session.extra == {"tracing": "auto", "audio": {"input": {"transcription": {"delay": "low"}}}}


def test_a_flat_client_is_told_by_its_session_update() -> None:
    flat = frame(type="session.update", session={"modalities": ["text", "audio"], "voice": "alloy"})
    nested = frame(type="session.update", session={"type": "realtime", "instructions": ""})
    assert wire.dialect_of(flat) is PREVIEW
    assert wire.dialect_of(nested) is wire.dialect_of(frame(type="response.create")) is GA
    event = wire.decode_client(flat, PREVIEW)
    assert event.session == e.SessionSettings(output_modalities=("audio",), voice="alloy")


# --- sound, by its short way -----------------------------------------------------------------------------


def outcome(data: bytes | str, dialect: Dialect) -> e.ServerEvent | e.UnknownEvent | None:
    try:
        return wire.decode(data, dialect)
    except BadFrame:
        return None


def sound_frame(pcm: bytes, dialect: Dialect, separators: tuple[str, str], **more: Any) -> bytes:
    kind = "response.output_audio.delta"
    data = {"type": dialect.server_names.get(kind, kind), "item_id": "i", "response_id": "r", **more}
    return json.dumps(data | {"delta": base64.b64encode(pcm).decode()}, separators=separators).encode()


dialects = st.sampled_from(list(DIALECTS.values()))
spaced = st.sampled_from([(",", ":"), (", ", ": ")])


@many
@given(st.binary(min_size=1024, max_size=2000), dialects, spaced)
def test_sound_is_what_was_sent(pcm: bytes, dialect: Dialect, separators: tuple[str, str]) -> None:
    event = wire.decode(sound_frame(pcm, dialect, separators), dialect)
    assert event == e.OutputAudioDelta(item_id="i", response_id="r", delta=pcm)


@settings(many, max_examples=150)
@given(
    dialects,
    spaced,
    st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.integers(0, 3),
            st.sampled_from(["", '"', "\\", "\\/", "=", " ", "\n", "-", "é", ',"delta":"AAAA"']),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_the_short_way_and_the_long_one_agree_on_whatever_is_mangled(
    dialect: Dialect, separators: tuple[str, str], cuts: list[tuple[float, int, str]]
) -> None:
    data = sound_frame(bytes(range(256)) * 5, dialect, separators).decode()
    for at, length, new in cuts:
        place = int(at * len(data))
        data = data[:place] + new + data[place + length :]
    assert outcome(data.encode(), dialect) == outcome(data, dialect)  # text goes the long way


@pytest.mark.parametrize(
    "more",
    [
        {"mood": {"delta": "AAAA"}},
        {"mood": "fine"},
        {"delta": "x" * 2000, "type": "response.output_audio_transcript.delta"},
        {"delta": None},
        {"item_id": 3},
    ],
)
def test_what_is_not_quite_sound_goes_the_long_way(more: dict[str, Any]) -> None:
    for place in (more, {}):
        data = {"type": "response.output_audio.delta", "item_id": "i", **place}
        data = {**data, "delta": base64.b64encode(bytes(1200)).decode(), **more}
        raw = json.dumps(data).encode()
        assert outcome(raw, GA) == outcome(raw.decode(), GA)
