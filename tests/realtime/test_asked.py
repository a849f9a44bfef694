"""A desk's settings, as the sessions of each backend are asked for them."""

import dataclasses
import json
from typing import Any

import msgspec
import pytest

from helpline.errors import SettingsError
from helpline.realtime import events as e
from helpline.realtime import wire
from helpline.realtime.asked import choice_asked, session_asked, transcription_asked
from helpline.realtime.backends import AzureBackend, OpenAIBackend, VoiceLiveBackend, backend_of
from helpline.realtime.wire import GA, PREVIEW, VOICE_LIVE, Dialect
from helpline.settings import load_settings
from helpline.settings_text import Secret
from tests.realtime.oracles import azure_client_faults, openai_client_faults
from tests.realtime.test_backends import asked_of

KEY = "sk-4dk29fkKEYxyz"


def asked(dialect: Dialect = GA, **env: str) -> dict[str, Any]:
    """The session on the wire; what a vendor's own types say of it is checked on the way."""
    settings = load_settings(env=env, env_file="none", desk_file="none")
    session = msgspec.structs.replace(
        session_asked(settings),
        transcription=transcription_asked(settings, "en", ("1004",)),
        tool_choice=choice_asked(settings.tool_choice, ["check_order_status"]),
    )
    frame = wire.encode(e.SessionUpdate(session=session), dialect)
    if dialect is GA:
        assert openai_client_faults(frame) == []
    elif dialect is VOICE_LIVE:
        assert azure_client_faults(json.loads(frame)) == []
    found: dict[str, Any] = json.loads(frame)["session"]
    return found


EVERYTHING = {
    "HELPLINE_VOICE": "cedar",
    "HELPLINE_VAD_THRESHOLD": "0.7",
    "HELPLINE_VAD_PREFIX_MS": "200",
    "HELPLINE_SILENCE_MS": "650",
    "HELPLINE_NOISE_REDUCTION": "far_field",
    "HELPLINE_TRANSCRIPTION_LANGUAGES": "en-GB, fr",
    "HELPLINE_SPEED": "0.8",
    "HELPLINE_REASONING_EFFORT": "low",
    "HELPLINE_TRUNCATION": "0.8",
    "HELPLINE_MAX_OUTPUT_TOKENS": "900",
    "HELPLINE_TOOL_CHOICE": "check_order_status",
}


def test_every_setting_reaches_a_ga_session() -> None:
    assert asked(**EVERYTHING) == {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {
            "output": {"voice": "cedar", "speed": 0.8, "format": {"type": "audio/pcm", "rate": 24000}},
            "input": {
                "format": {"type": "audio/pcm", "rate": 24000},
                "noise_reduction": {"type": "far_field"},
                "transcription": {"language": "en"},
                "turn_detection": {
                    "type": "server_vad",
                    "threshold": 0.7,
                    "prefix_padding_ms": 200,
                    "silence_duration_ms": 650,
                    "create_response": False,
                    "interrupt_response": False,
                },
            },
        },
        "reasoning": {"effort": "low"},
        "truncation": {"type": "retention_ratio", "retention_ratio": 0.8},
        "max_output_tokens": 900,
        "tool_choice": {"type": "function", "name": "check_order_status"},
    }


def test_voice_live_is_asked_in_its_own_words_for_what_it_has() -> None:
    ours = EVERYTHING | {"HELPLINE_VOICE": "en-US-Ava:DragonHDLatestNeural"}
    session = asked(VOICE_LIVE, **ours)
    assert session["voice"] == {"type": "azure-standard", "name": ours["HELPLINE_VOICE"], "rate": "0.8"}
    assert session["reasoning_effort"] == "low"
    assert session["input_audio_noise_reduction"] == {"type": "far_field"}
    assert "truncation" not in session
    assert "speed" not in asked(VOICE_LIVE, HELPLINE_SPEED="0.8", HELPLINE_VOICE="marin")
    off = asked(VOICE_LIVE, HELPLINE_NOISE_REDUCTION="none", HELPLINE_ECHO_CANCELLATION="no")
    assert off["input_audio_noise_reduction"] is off["input_audio_echo_cancellation"] is None


def test_the_preview_is_not_asked_for_what_came_after_it() -> None:
    session = asked(PREVIEW, **EVERYTHING)
    assert not {"reasoning", "truncation"} & session.keys()
    assert session["speed"] == 0.8


@pytest.mark.parametrize(
    ("dialect", "place", "kind"),
    [
        (GA, "semantic_vad", {"type": "semantic_vad", "eagerness": "low"}),
        (GA, "azure_semantic_vad", {"type": "semantic_vad", "eagerness": "auto"}),
        (VOICE_LIVE, "semantic_vad", {"type": "azure_semantic_vad"}),
        (VOICE_LIVE, "azure_semantic_vad", {"type": "azure_semantic_vad", "threshold": 0.5}),
    ],
)
def test_turns_end_by_meaning_where_that_is_asked_for(dialect: Dialect, place: str, kind: dict) -> None:
    session = asked(dialect, HELPLINE_TURN_DETECTION=place, HELPLINE_EAGERNESS="low")
    found = session["turn_detection"] if dialect.flat else session["audio"]["input"]["turn_detection"]
    assert found | kind == found
    assert (found["create_response"], found["interrupt_response"]) == (False, False)


def test_push_to_talk_switches_detection_off() -> None:
    assert asked(HELPLINE_TURN_DETECTION="push_to_talk")["audio"]["input"]["turn_detection"] is None
    assert asked(VOICE_LIVE, HELPLINE_TURN_DETECTION="push_to_talk")["turn_detection"] is None


def test_a_vendor_that_takes_the_turns_may_speak_by_itself() -> None:
    turns = {"HELPLINE_TURN_TAKING": "vendor", "HELPLINE_VAD_IDLE_MS": "6000"}
    found = asked(**turns)["audio"]["input"]["turn_detection"]
    assert (found["create_response"], found["interrupt_response"]) == (True, True)
    assert found["idle_timeout_ms"] == 6000


def test_nothing_that_was_not_set_is_sent() -> None:
    session = asked()
    assert not {"reasoning", "truncation", "max_output_tokens"} & session.keys()
    assert "speed" not in session["audio"]["output"]
    assert "noise_reduction" not in session["audio"]["input"]


@pytest.mark.parametrize(
    ("choice", "said"),
    [("Required", "required"), ("check_order_status", {"type": "function", "name": "check_order_status"}),
     ("cancel_order", "auto")],
)  # fmt: skip
def test_a_tool_is_asked_for_by_name_only_while_it_is_offered(choice: str, said: object) -> None:
    assert asked(HELPLINE_TOOL_CHOICE=choice)["tool_choice"] == said


# --- what a model refuses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "reasons"),
    [("gpt-realtime", False), ("gpt-realtime-1.5", False), ("gpt-realtime-mini", False),
     ("gpt-4o-realtime-preview", False), ("gpt-realtime-2", True), ("gpt-realtime-2.1-mini", True),
     ("our-own-name", True)],
)  # fmt: skip
async def test_effort_goes_to_models_that_may_reason(model: str, reasons: bool) -> None:
    wish = e.SessionSettings(reasoning_effort="low")
    for backend in (
        lambda at: OpenAIBackend(model, Secret(KEY), url_base=at),
        lambda at: AzureBackend(at, model, Secret(KEY)),
    ):
        assert ("reasoning" in await asked_of(backend, wish)) is reasons
    live = await asked_of(lambda at: VoiceLiveBackend(at, model, Secret(KEY)), wish)
    assert ("reasoning_effort" in live) is reasons


@pytest.mark.parametrize(
    ("model", "own", "voice"),
    [
        ("gpt-realtime", "", "marin"),
        ("gpt-5", "", None),
        ("gpt-5", "en-US-Ava:Dragon", {"type": "azure-standard", "name": "en-US-Ava:Dragon"}),
        ("gpt-realtime", "cedar", "cedar"),
    ],
)
async def test_voice_live_has_a_voice_of_its_own(model: str, own: str, voice: object) -> None:
    wish = e.SessionSettings(voice="marin")
    session = await asked_of(lambda at: VoiceLiveBackend(at, model, Secret(KEY), voice=own), wish)
    assert session.get("voice") == voice


VOICE_LIVE_ENV = {"AZURE_VOICE_LIVE_ENDPOINT": "https://r.services.ai.azure.com"}


@pytest.mark.parametrize(
    ("env", "voice"),
    [
        (
            {"VOICE_LIVE_VOICE": "Contoso", "VOICE_LIVE_VOICE_ENDPOINT": "3f1a", "HELPLINE_SPEED": "1.2"},
            {"type": "azure-custom", "name": "Contoso", "endpoint_id": "3f1a", "rate": "1.2"},
        ),
        (
            {"VOICE_LIVE_VOICE": "profile-1", "VOICE_LIVE_PERSONAL_MODEL": "DragonLatestNeural"},
            {"type": "azure-personal", "name": "profile-1", "model": "DragonLatestNeural"},
        ),
        (
            {
                "VOICE_LIVE_VOICE": "en-US-AvaNeural",
                "VOICE_LIVE_VOICE_TEMPERATURE": "0.4",
                "VOICE_LIVE_VOICE_STYLE": "cheerful",
            },
            {"type": "azure-standard", "name": "en-US-AvaNeural", "temperature": 0.4, "style": "cheerful"},
        ),
        ({"VOICE_LIVE_VOICE": "marin"}, "marin"),
    ],
)
async def test_a_voice_of_a_companys_own_is_asked_for_with_all_that_azure_wants_to_know(
    env: dict[str, str], voice: object
) -> None:
    settings = load_settings(env=VOICE_LIVE_ENV | env, env_file="none", desk_file="none")
    backend = backend_of("voice_live", settings)
    assert isinstance(backend, VoiceLiveBackend)
    session = await asked_of(
        lambda at: dataclasses.replace(backend, endpoint=at, key=Secret(KEY)), session_asked(settings)
    )
    assert session["voice"] == voice
    assert azure_client_faults({"type": "session.update", "session": session}) == []
    ga = wire.encode(e.SessionUpdate(session=e.SessionSettings(voice=backend.voice)), GA)
    assert ("voice" in json.loads(ga)["session"].get("audio", {}).get("output", {})) == (voice == "marin")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"VOICE_LIVE_VOICE_ENDPOINT": "3f1a"}, "VOICE_LIVE_VOICE"),
        ({"VOICE_LIVE_VOICE_STYLE": "calm"}, "VOICE_LIVE_VOICE"),
        (
            {
                "VOICE_LIVE_VOICE": "x",
                "VOICE_LIVE_VOICE_ENDPOINT": "3f1a",
                "VOICE_LIVE_PERSONAL_MODEL": "DragonLatestNeural",
            },
            "leave one out",
        ),
        ({"HELPLINE_REMOVE_FILLER_WORDS": "yes"}, "azure_semantic_vad"),
        ({"HELPLINE_END_OF_UTTERANCE": "english"}, "azure_semantic_vad"),
        ({"HELPLINE_END_OF_UTTERANCE_LEVEL": "low"}, "HELPLINE_END_OF_UTTERANCE"),
        ({"VOICE_LIVE_VOICE": "x", "VOICE_LIVE_VOICE_TEMPERATURE": "2"}, "VOICE_LIVE_VOICE_TEMPERATURE"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(env: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        load_settings(env=VOICE_LIVE_ENV | env, env_file="none", desk_file="none")


def test_azures_detection_is_asked_to_judge_by_what_was_said() -> None:
    session = asked(
        VOICE_LIVE,
        HELPLINE_TURN_DETECTION="azure_semantic_vad",
        HELPLINE_REMOVE_FILLER_WORDS="yes",
        HELPLINE_END_OF_UTTERANCE="english",
        HELPLINE_END_OF_UTTERANCE_LEVEL="high",
        HELPLINE_END_OF_UTTERANCE_MS="1500",
    )
    turns = session["turn_detection"]
    assert turns["remove_filler_words"] is True
    assert turns["end_of_utterance_detection"] == {
        "model": "semantic_detection_v1_en",
        "threshold_level": "high",
        "timeout_ms": 1500,
    }
    plain = asked(VOICE_LIVE, HELPLINE_TURN_DETECTION="azure_semantic_vad")["turn_detection"]
    assert "end_of_utterance_detection" not in plain


async def test_each_backend_transcribes_by_the_model_that_is_set() -> None:
    settings = load_settings(
        env={
            "OPENAI_API_KEY": KEY,
            "OPENAI_TRANSCRIPTION_MODEL": "gpt-realtime-whisper",
            "AZURE_VOICE_LIVE_ENDPOINT": "https://r.services.ai.azure.com",
            "VOICE_LIVE_TRANSCRIPTION_MODEL": "mai-transcribe-1",
            "VOICE_LIVE_VOICE": "en-US-Ava:Dragon",
            "HELPLINE_REALTIME_URL": "ws://127.0.0.1:9",
            "HELPLINE_REALTIME_TRANSCRIPTION_MODEL": "whisper",
        },
        env_file="none",
        desk_file="none",
    )
    backends: list[Any] = [backend_of(name, settings) for name in ("openai", "voice_live", "realtime")]
    assert [backend.transcription for backend in backends] == [
        "gpt-realtime-whisper", "mai-transcribe-1", "whisper",
    ]  # fmt: skip
    assert backends[1].voice == "en-US-Ava:Dragon"
