"""`SessionSettings` and `ResponseSettings` as GA-shaped JSON objects, both ways."""

import re
from typing import Any

import msgspec
from msgspec import UNSET

from helpline.realtime.dialects import Json, drop_empty, merge, put, take
from helpline.realtime.lenient import as_json, restore, sift
from helpline.realtime.parts import (
    AzureSemanticVad,
    AzureVoice,
    ResponseSettings,
    SemanticVad,
    ServerVad,
    SessionSettings,
    Transcription,
    TurnDetection,
    Value,
)

_PATHS = {
    "voice": "audio.output.voice",
    "instructions": "instructions",
    "output_modalities": "output_modalities",
    "turn_detection": "audio.input.turn_detection",
    "noise_reduction": "audio.input.noise_reduction",
    "echo_cancellation": "audio.input.echo_cancellation",
    "transcription": "audio.input.transcription",
    "input_format": "audio.input.format",
    "output_format": "audio.output.format",
    "speed": "audio.output.speed",
    "tools": "tools",
    "tool_choice": "tool_choice",
    "reasoning_effort": "reasoning.effort",
    "parallel_tool_calls": "parallel_tool_calls",
    "max_output_tokens": "max_output_tokens",
    "truncation": "truncation",
}
"""Where each setting stands in GA's session object. In this order: the voice comes first."""

_FORMATS: dict[str, Json] = {
    "pcm24k": {"type": "audio/pcm", "rate": 24000},
    "pcmu": {"type": "audio/pcmu"},
    "pcma": {"type": "audio/pcma"},
}


def write_session(settings: SessionSettings) -> Json:
    """The settings as GA's session object, with all that any dialect could want in it; not the `extra`."""
    body: Json = {}
    for name, path in _PATHS.items():
        value = getattr(settings, name)
        if value is not UNSET:
            put(body, path, None if value is None else _write(name, value))
    return body


def _write(name: str, value: Any) -> Any:
    match name:
        case "turn_detection":
            return _write_turns(value)
        case "voice" if isinstance(value, AzureVoice):
            return {"type": value.type, **as_json(value)}
        case "transcription":
            return {key: item for key, item in _plain(value).items() if item}
        case "noise_reduction":
            return {"type": value}
        case "input_format" | "output_format":
            return dict(_FORMATS[value])
        case _:
            return as_json(value)


def _plain(value: Value) -> Json:
    """Every field, defaults too: what we ask for does not depend on a vendor's defaults."""
    return {name: as_json(getattr(value, name)) for name in value.__struct_fields__}


def _write_turns(turns: TurnDetection) -> Json:
    body = {key: value for key, value in _plain(turns).items() if value is not None}
    suffix = "_multilingual" if body.pop("multilingual", False) else ""
    if not body.get("languages", True):
        del body["languages"]
    return {"type": f"{turns.__struct_config__.tag}{suffix}"} | body


def read_session(body: Json) -> SessionSettings:
    """GA's session object as settings; what has no setting is `extra`. Raises msgspec.ValidationError."""
    body = _copied(body)
    _speed_of_voice(body)
    found, extra = Json(), Json()
    for name, path in _PATHS.items():
        there, value = take(body, path)
        if there:
            nothing = False if name == "echo_cancellation" else None
            found[name] = nothing if value is None else _read(name, value, path, extra)
    body.pop("type", None)
    drop_empty(body, "audio.input", "audio.output", "audio", "reasoning")
    merge(extra, body)
    found = {name: value for name, value in found.items() if value is not UNSET}
    settings = msgspec.convert(found, SessionSettings)
    return msgspec.structs.replace(settings, extra=extra) if extra else settings


def _read(name: str, value: Any, path: str, extra: Json) -> Any:
    match name:
        case "turn_detection":
            return _read_turns(value, path, extra)
        case "transcription":
            return _read_part(_read_transcription(value), Transcription, path, extra)
        case "noise_reduction":
            return value.get("type") if isinstance(value, dict) else value
        case "input_format" | "output_format":
            return _read_format(value)
        case "voice" if isinstance(value, dict):
            return _read_voice(value, path, extra)
        case "echo_cancellation":
            return bool(value)
        case _:
            return value


def _speed_of_voice(body: Json) -> None:
    """Azure's voices have their rate with them."""
    there, voice = take(body, "audio.output.voice")
    if there and isinstance(voice, dict):
        rate = voice.pop("rate", None)
        if isinstance(rate, str) and re.fullmatch(r"\d{1,6}(\.\d{1,9})?(e[+-]\d\d)?", rate):
            put(body, "audio.output.speed", float(rate))
    if there:
        put(body, "audio.output.voice", voice)


def _read_voice(value: Json, path: str, extra: Json) -> Any:
    """A name, where a voice of Azure's is no more than that."""
    if not str(value.get("type")).startswith("azure-") or value.keys() <= {"type", "name"}:
        return value.get("id") or value.get("name")
    return _read_part({key: one for key, one in value.items() if key != "type"}, AzureVoice, path, extra)


def _read_transcription(value: Any) -> Any:
    """With the names that GA's newer models give its fields."""
    if not isinstance(value, dict):
        return value
    renamed = {"phrase_list": "keywords"}
    value = {renamed.get(key, key): one for key, one in value.items()}
    if isinstance(value.get("language"), str):
        value["languages"] = value.pop("language").split(",")
    return value


def _read_format(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else value
    return next((name for name, body in _FORMATS.items() if body["type"] == kind), kind)


_TURNS: dict[Any, type[Value]] = {
    "server_vad": ServerVad,
    "semantic_vad": SemanticVad,
    "azure_semantic_vad": AzureSemanticVad,
}


def _read_turns(value: Any, path: str, extra: Json) -> Any:
    if not isinstance(value, dict):
        raise msgspec.ValidationError(f"Expected `object` - at `$.{path}`")
    if value.get("type") == "azure_semantic_vad_multilingual":
        value |= {"type": "azure_semantic_vad", "multilingual": True}
    struct = _TURNS.get(value.setdefault("type", "server_vad"))
    if struct is None:
        raise msgspec.ValidationError(f"Invalid value - at `$.{path}.type`")
    return _read_part(value, struct, path, extra)


def _read_part(value: Any, struct: type[Value], path: str, extra: Json) -> Any:
    if not isinstance(value, dict):
        raise msgspec.ValidationError(f"Expected `object` - at `$.{path}`")
    known, unknown = sift(value, struct)
    if unknown:
        left: Json = {}
        restore(left, unknown)
        put(extra, path, left)
    return msgspec.convert(known, struct)


def _copied(value: Any) -> Any:
    """A copy whose objects may be taken apart."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return value


def write_response(settings: ResponseSettings) -> Json:
    """The settings as GA's `response.create` object; not the `extra`."""
    body: Json = as_json(settings)
    body.pop("extra", None)
    return body


def read_response(body: Json) -> ResponseSettings:
    """GA's `response.create` object as settings; the rest is `extra`. Raises msgspec.ValidationError."""
    known, unknown = sift(body, ResponseSettings)
    extra: Json = {}
    restore(extra, {key: value for key, value in unknown.items() if not key.startswith("/input/")})
    settings = msgspec.convert(known, ResponseSettings)
    return msgspec.structs.replace(settings, extra=extra) if extra else settings
