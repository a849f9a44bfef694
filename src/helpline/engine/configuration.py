"""A session's configuration: its defaults, what a client may change, and how it is echoed (GA shape).

Rules: only present fields change, `audio` is merged deeply, null switches turn detection, transcription and
noise reduction off, the voice is fixed once the assistant has spoken, and an update is taken whole or not at
all (realtime reference 1.4).
"""

import copy
from collections.abc import Mapping
from typing import Any

import msgspec

from helpline.engine.languages import TAG, primary
from helpline.engine.protocol import (
    MOST_TEXT,
    Json,
    Refusal,
    anything,
    boolean,
    bounded,
    either,
    fields,
    integer,
    listed,
    missing,
    nullable,
    number,
    one_of,
    text,
    wrong_value,
)
from helpline.engine.vad import VadSettings

MODEL = "helpline-engine"
MOST_TOOLS_BYTES = 256 * 1024
_MOST_PROPERTIES = 256
_MOST_NAME = 256
"""Characters of a voice, and of one of the words to listen for."""

_FORMAT = fields(
    {"type": one_of("audio/pcm", "audio/pcmu", "audio/pcma"), "rate": integer(8000, 48_000)},
    required=("type",),
)
_SERVER_VAD = fields(
    {
        "type": one_of("server_vad", "semantic_vad"),
        "threshold": number(0.0, 1.0),
        "prefix_padding_ms": integer(0, 5000),
        "silence_duration_ms": integer(32, 10_000),
        "idle_timeout_ms": nullable(integer(5000, 30_000)),
        "create_response": boolean,
        "interrupt_response": boolean,
    },
    required=("type",),
)
_SEMANTIC_VAD = fields(
    {
        "type": one_of("server_vad", "semantic_vad"),
        "eagerness": one_of("low", "medium", "high", "auto"),
        "create_response": boolean,
        "interrupt_response": boolean,
    },
    required=("type",),
)


def _turn_detection(value: Any, path: str) -> Json:
    semantic = isinstance(value, dict) and value.get("type") == "semantic_vad"
    checked: Json = (_SEMANTIC_VAD if semantic else _SERVER_VAD)(value, path)
    return checked


def _tool(value: Any, path: str) -> Json:
    if isinstance(value, dict) and value.get("type") == "mcp":
        raise wrong_value(f"{path}.type", "the embedded engine has no MCP client; use function tools.")
    tool: Json = fields(
        {
            "type": one_of("function"),
            "name": text,
            "description": nullable(text),
            "parameters": nullable(_schema),
        },
        required=("type", "name"),
    )(value, path)
    if not tool["name"] or len(tool["name"]) > 64:
        raise wrong_value(f"{path}.name", "expected 1 to 64 characters.")
    properties = (tool.get("parameters") or {}).get("properties")
    if isinstance(properties, dict) and len(properties) > _MOST_PROPERTIES:
        raise wrong_value(f"{path}.parameters", f"expected at most {_MOST_PROPERTIES} properties.")
    return tool


def _voice(value: Any, path: str) -> Any:
    name = bounded(_MOST_NAME)
    return (
        fields({"id": name}, required=("id",))(value, path) if isinstance(value, dict) else name(value, path)
    )


def _tools(value: Any, path: str) -> list[Json]:
    """They are read for every reply: so much of them is no burden to other sessions."""
    tools: list[Json] = listed(_tool, 128)(value, path)
    if len(msgspec.json.encode(tools)) > MOST_TOOLS_BYTES:
        raise wrong_value(path, f"expected at most {MOST_TOOLS_BYTES} bytes in all.")
    return tools


def _schema(value: Any, path: str) -> Json:
    return dict(anything(fields_any(value, path), path))


def fields_any(value: Any, path: str) -> Mapping[str, Any]:
    """Any object."""
    if not isinstance(value, dict):
        raise Refusal(f"Invalid type for '{path}': expected an object.", code="invalid_type", param=path)
    return value


TOOLS = _tools
TOOL_CHOICE = either(
    one_of("auto", "none", "required"),
    fields({"type": one_of("function"), "name": text}, required=("type", "name")),
)
MODALITIES = listed(one_of("text", "audio"), 2)
MOST_TOKENS = either(one_of("inf"), integer(1, 32_768))
OUTPUT = fields(
    {
        "format": _FORMAT,
        "voice": _voice,
        "speed": number(0.25, 1.5),
    }
)


def _language(value: Any, path: str) -> str:
    tag = text(value, path)
    if not TAG.fullmatch(tag):
        raise wrong_value(path, "expected a language in ISO-639-1, such as 'en'.")
    return tag


_TRANSCRIPTION = fields(
    {
        "model": text, "language": nullable(_language), "prompt": nullable(text),
        "languages": listed(_language, 20),
        "keywords": listed(bounded(_MOST_NAME), 1000), "delay": text,
    }
)  # fmt: skip
_NOISE_REDUCTION = fields(
    {"type": one_of("near_field", "far_field"), "strength": number(0, 1)}, required=("type",)
)
_UPDATE = fields(
    {
        "type": one_of("realtime", "transcription"),
        "model": text,
        "output_modalities": MODALITIES,
        "instructions": bounded(MOST_TEXT),
        "tools": TOOLS,
        "tool_choice": TOOL_CHOICE,
        "parallel_tool_calls": boolean,
        "reasoning": anything,
        "max_output_tokens": MOST_TOKENS,
        "tracing": anything,
        "truncation": anything,
        "prompt": anything,
        "include": nullable(listed(text, 10)),
        "audio": fields(
            {
                "input": fields(
                    {
                        "format": _FORMAT,
                        "transcription": nullable(_TRANSCRIPTION),
                        "noise_reduction": nullable(_NOISE_REDUCTION),
                        "turn_detection": nullable(_turn_detection),
                    }
                ),
                "output": OUTPUT,
            }
        ),
    }
)


class Configuration:
    """One session's settings, always complete."""

    def __init__(
        self, session_id: str, expires_at: int, *, silence_ms: int = 500, voice: str = "espeak"
    ) -> None:
        self._silence_ms = silence_ms
        self.body: Json = {
            "type": "realtime",
            "object": "realtime.session",
            "id": session_id,
            "model": MODEL,
            "output_modalities": ["audio"],
            "instructions": "",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "tracing": None,
            "truncation": "auto",
            "prompt": None,
            "expires_at": expires_at,
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": 24_000},
                    "transcription": None,
                    "noise_reduction": None,
                    "turn_detection": self._filled({"type": "server_vad"}),
                },
                "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": voice, "speed": 1.0},
            },
            "include": None,
        }

    @property
    def input(self) -> Json:
        body: Json = self.body["audio"]["input"]
        return body

    @property
    def output(self) -> Json:
        body: Json = self.body["audio"]["output"]
        return body

    @property
    def turn_detection(self) -> Json | None:
        detection: Json | None = self.input["turn_detection"]
        return detection

    @property
    def languages(self) -> tuple[str, ...]:
        """What may be spoken, as the client says, in two or three letters each; empty: it does not."""
        asked = self.input["transcription"] or {}
        tags = asked.get("languages") or [asked.get("language")]
        return tuple(dict.fromkeys(primary(tag) for tag in tags if tag))

    @property
    def only_transcribes(self) -> bool:
        """Whether this is a session of type `transcription`: it hears and writes, and never answers."""
        return bool(self.body["type"] == "transcription")

    def transcribe_only(self) -> None:
        """As for a client that connected with `intent=transcription`."""
        self.body["type"] = "transcription"
        self.input["transcription"] = _transcription({})

    @property
    def vad(self) -> VadSettings | None:
        """What the ears need of turn detection; None: push to talk."""
        detection = self.turn_detection
        if detection is None:
            return None
        if detection["type"] == "semantic_vad":
            return VadSettings(
                eagerness="medium" if detection["eagerness"] == "auto" else detection["eagerness"]
            )
        return VadSettings(
            detection["threshold"], detection["prefix_padding_ms"], detection["silence_duration_ms"]
        )

    def update(self, session: Any, *, voice_fixed: bool) -> None:
        """Take a client's `session.update`; raises Refusal and changes nothing when any of it is wrong."""
        if isinstance(session, dict) and "type" not in session:
            raise missing("session.type")
        change = _UPDATE(session, "session")
        self._check(change, voice_fixed=voice_fixed)
        body = copy.deepcopy(self.body)
        audio = change.pop("audio", {})
        change.pop("model", None)  # never changes once a session is open
        body.update(change)
        body["audio"]["input"].update(self._filled_input(audio.get("input", {})))
        body["audio"]["output"].update(_filled_output(audio.get("output", {})))
        self.body = body

    def _check(self, change: Json, *, voice_fixed: bool) -> None:
        if (modalities := change.get("output_modalities")) is not None:
            check_modalities(modalities, "session.output_modalities")
        output = change.get("audio", {}).get("output", {})
        check_rate(output.get("format"), "session.audio.output.format")
        check_rate(change.get("audio", {}).get("input", {}).get("format"), "session.audio.input.format")
        if voice_fixed and output.get("voice", self.output["voice"]) != self.output["voice"]:
            raise Refusal(
                "Cannot update a conversation's voice if assistant audio is present.",
                code="cannot_update_voice",
            )

    def _filled_input(self, change: Json) -> Json:
        if change.get("turn_detection"):
            change["turn_detection"] = self._filled(change["turn_detection"])
        if change.get("transcription"):
            change["transcription"] = _transcription(change["transcription"])
        if change.get("format"):
            change["format"] = _filled_format(change["format"])
        return change

    def _filled(self, detection: Json) -> Json:
        common = {"create_response": True, "interrupt_response": True}
        if detection["type"] == "semantic_vad":
            return {"type": "semantic_vad", "eagerness": "auto", **common, **detection}
        numbers = {
            "threshold": 0.5,
            "prefix_padding_ms": 300,
            "silence_duration_ms": self._silence_ms,
            "idle_timeout_ms": None,
        }
        return {"type": "server_vad", **numbers, **common, **detection}


def _transcription(change: Json) -> Json:
    return {"model": "gpt-transcribe", "language": None, "prompt": None, **change}


def check_modalities(modalities: list[str], path: str) -> None:
    """One of text and audio, not both (GA)."""
    if len(modalities) != 1:
        raise Refusal(
            f"Invalid modalities: {modalities!r}. Supported combinations are: ['text'] and ['audio'].",
            code="invalid_value",
            param=path,
        )


def check_rate(audio_format: Json | None, path: str) -> None:
    """PCM is 24 kHz."""
    if audio_format and audio_format["type"] == "audio/pcm" and audio_format.get("rate", 24_000) != 24_000:
        raise Refusal(
            f"Invalid value: {audio_format['rate']}. Only 24000 is supported for audio/pcm.",
            code="invalid_value",
            param=f"{path}.rate",
        )


def _filled_output(change: Json) -> Json:
    return {**change, "format": _filled_format(change["format"])} if change.get("format") else change


def _filled_format(audio_format: Json) -> Json:
    return (
        {"type": "audio/pcm", "rate": 24_000}
        if audio_format["type"] == "audio/pcm"
        else {"type": audio_format["type"]}
    )
