"""What we send, judged by the vendors' own types."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from helpline.realtime import events as e
from helpline.realtime import wire
from helpline.realtime.wire import GA, PREVIEW, VOICE_LIVE, Dialect
from tests.realtime.oracles import azure_client_faults, openai_client_faults
from tests.realtime.strategies import client_events, session_settings

many = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DIALECTS = {dialect.name: dialect for dialect in (GA, VOICE_LIVE, PREVIEW)}


def sent(event: e.ClientEvent, dialect: Dialect = GA) -> dict[str, object]:
    return json.loads(wire.encode(event, dialect))


def session(dialect: Dialect = GA, **asked: object) -> dict[str, object]:
    return sent(e.SessionUpdate(session=e.SessionSettings(**asked)), dialect)["session"]


@many
@given(client_events)
def test_openai_knows_every_field_of_what_we_send(event: e.ClientEvent) -> None:
    assert openai_client_faults(wire.encode(event, GA)) == []


@many
@given(client_events)
def test_voice_live_knows_every_field_of_what_we_send(event: e.ClientEvent) -> None:
    assert azure_client_faults(sent(event, VOICE_LIVE)) == []


@many
@given(client_events)
@pytest.mark.parametrize("name", DIALECTS)
def test_a_server_reads_what_a_client_wrote(name: str, event: e.ClientEvent) -> None:
    """Nothing of it is lost on the way: read and written again, it is the same frame."""
    dialect = DIALECTS[name]
    frame = wire.encode(event, dialect)
    read = wire.decode_client(frame, dialect)
    assert type(read) is type(event)
    assert json.loads(wire.encode(read, dialect)) == json.loads(frame)


@many
@given(session_settings)
def test_settings_survive_ga_but_for_what_it_cannot_say(asked: e.SessionSettings) -> None:
    read = wire.decode_client(wire.encode(e.SessionUpdate(session=asked)))
    assert isinstance(read, e.SessionUpdate)
    same = [n for n in asked.__struct_fields__ if n not in ("voice", "transcription", "noise_reduction")]
    for name in same:
        wanted, got = getattr(asked, name), getattr(read.session, name)
        if name == "echo_cancellation":
            assert got is msgspec.UNSET
        elif not isinstance(wanted, e.AzureSemanticVad):
            assert got == wanted or (got is msgspec.UNSET and wanted == {}), name


def test_what_the_protocol_requires_is_there_although_it_is_the_default() -> None:
    assert sent(e.ItemTruncate(item_id="item_1", audio_end_ms=0)) == {
        "type": "conversation.item.truncate",
        "item_id": "item_1",
        "audio_end_ms": 0,
        "content_index": 0,
    }
    assert sent(e.ItemCreate(item=e.Item(role="user", content=())))["item"]["type"] == "message"


def test_a_ga_session_says_its_type_and_nests_its_audio() -> None:
    assert session(voice="marin", turn_detection=None, input_format="pcm24k") == {
        "type": "realtime",
        "audio": {
            "output": {"voice": "marin"},
            "input": {"turn_detection": None, "format": {"type": "audio/pcm", "rate": 24000}},
        },
    }


def test_a_flat_session_has_both_modalities_for_sound() -> None:
    asked = {"output_modalities": ("audio",), "input_format": "pcm24k", "max_output_tokens": 100}
    assert session(PREVIEW, **asked) == {
        "modalities": ["text", "audio"],
        "input_audio_format": "pcm16",
        "max_response_output_tokens": 100,
    }
    assert session(VOICE_LIVE, **asked)["input_audio_sampling_rate"] == 24000


def test_nothing_that_was_not_asked_for_is_sent() -> None:
    assert session() == {"type": "realtime"}
    assert session(VOICE_LIVE) == session(PREVIEW) == {}


def test_turn_detection_is_said_in_full_whatever_the_vendors_defaults() -> None:
    asked = e.ServerVad(silence_duration_ms=700)
    assert session(turn_detection=asked)["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 700,
        "create_response": False,
        "interrupt_response": False,
    }


@pytest.mark.parametrize(
    ("asked", "ga", "live"),
    [
        (e.SemanticVad(eagerness="low"), "semantic_vad", "azure_semantic_vad"),
        (e.AzureSemanticVad(), "semantic_vad", "azure_semantic_vad"),
        (e.AzureSemanticVad(multilingual=True), "semantic_vad", "azure_semantic_vad_multilingual"),
        (e.ServerVad(idle_timeout_ms=5000), "server_vad", "server_vad"),
    ],
)
def test_turn_detection_in_each_ones_nearest_words(asked: e.TurnDetection, ga: str, live: str) -> None:
    assert session(turn_detection=asked)["audio"]["input"]["turn_detection"]["type"] == ga
    assert session(VOICE_LIVE, turn_detection=asked)["turn_detection"]["type"] == live


def test_transcription_in_the_words_of_its_model() -> None:
    def asked(model: str) -> e.Transcription:
        return e.Transcription(model=model, languages=("en", "fr"), keywords=("Helpline",), prompt="orders")

    def ga(model: str) -> object:
        return session(transcription=asked(model))["audio"]["input"]["transcription"]

    assert ga("gpt-live-transcribe") == {
        "model": "gpt-live-transcribe",
        "languages": ["en", "fr"],
        "keywords": ["Helpline"],
        "prompt": "orders",
    }
    assert ga("my-deployment") == {"model": "my-deployment", "language": "en", "prompt": "orders"}
    assert ga("gpt-realtime-whisper") == {"model": "gpt-realtime-whisper", "language": "en"}
    assert session(VOICE_LIVE, transcription=asked("azure-speech"))["input_audio_transcription"] == {
        "model": "azure-speech",
        "language": "en,fr",
        "phrase_list": ["Helpline"],
    }


def test_an_azure_voice_stays_with_azure() -> None:
    asked = {"voice": "en-US-Ava:DragonHDLatestNeural", "instructions": "Be kind."}
    assert session(VOICE_LIVE, **asked)["voice"] == {"type": "azure-standard", "name": asked["voice"]}
    assert session(**asked) == {"type": "realtime", "instructions": "Be kind."}


def test_clean_sound_is_asked_of_voice_live() -> None:
    asked = {"noise_reduction": "azure_deep_noise_suppression", "echo_cancellation": True}
    assert session(VOICE_LIVE, **asked) == {
        "input_audio_noise_reduction": {"type": "azure_deep_noise_suppression"},
        "input_audio_echo_cancellation": {"type": "server_echo_cancellation"},
    }
    assert session(**asked) == {
        "type": "realtime",
        "audio": {"input": {"noise_reduction": {"type": "near_field"}}},
    }


def test_what_one_vendor_alone_knows_goes_in_as_it_is() -> None:
    extra = {"audio": {"output": {"transport": "binary"}}, "force": 1}
    asked = session(voice="marin", extra=extra)
    assert asked["audio"]["output"] == {"voice": "marin", "transport": "binary"}
    assert asked["force"] == 1


def test_flat_servers_are_given_their_own_names_of_content() -> None:
    said = e.ItemCreate(
        item=e.Item(role="assistant", content=(e.ContentPart(type="output_text", text="Hello"),))
    )
    assert sent(said)["item"]["content"] == [{"type": "output_text", "text": "Hello"}]
    assert sent(said, VOICE_LIVE)["item"]["content"] == [{"type": "text", "text": "Hello"}]


def test_a_response_outside_the_conversation() -> None:
    asked = e.ResponseCreate(
        response=e.ResponseSettings(conversation="none", output_modalities=("text",), metadata={"for": "1"}),
        event_id="event_7",
    )
    assert sent(asked) == {
        "type": "response.create",
        "event_id": "event_7",
        "response": {"conversation": "none", "output_modalities": ["text"], "metadata": {"for": "1"}},
    }
    assert sent(e.ResponseCreate()) == {"type": "response.create"}
