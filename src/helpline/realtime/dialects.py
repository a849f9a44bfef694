"""The dialects of the Realtime protocol, as tables over plain JSON objects.

GA nests the session's audio (`audio.input.turn_detection`); the flat dialects keep the names of the 2024
beta (`turn_detection`, `input_audio_format`, `response.audio.delta`). A table of moves says where each field
of one stands in the other, and is read both ways. What a dialect cannot say is left out or said in its
nearest words by its `fit`, because one refused field has a whole `session.update` refused.

Sources: `openai` SDK `types/realtime` and `types/beta/realtime`; `azure-ai-voicelive` `RequestSession`,
`ResponseCreateParams`; recorded sessions of all three services.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Move:
    """Where one field stands: a dotted path in GA, a key in the flat dialect."""

    ga: str
    flat: str
    to_flat: Callable[[Any], Any] = _same
    to_ga: Callable[[Any], Any] = _same


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dialect:
    """How one family of servers speaks."""

    name: str
    fit: Callable[[Json], Json]
    """Brings a GA-shaped session object to what this dialect can say (a fresh object; may change it)."""
    flat: bool = False
    session: tuple[Move, ...] = ()
    response: tuple[Move, ...] = ()
    """For the response that a server describes."""
    request: tuple[Move, ...] = ()
    """For the response that a client asks for."""
    server_names: Mapping[str, str] = field(default_factory=dict)
    """GA's name of a server event -> this dialect's."""
    content: Mapping[str, str] = field(default_factory=dict)
    """GA's content types -> this dialect's."""
    vendor_fields: frozenset[str] = frozenset()
    """Documented fields of its session and response that have no place in GA."""
    vendor_events: frozenset[str] = frozenset()
    """Documented server events that Helpline has no use for: they arrive as `UnknownEvent`, not as news."""

    def __repr__(self) -> str:
        return f"Dialect({self.name})"


# --- moving between the shapes ---------------------------------------------------------------------------


def take(body: Json, path: str) -> tuple[bool, Any]:
    """Takes the value at a dotted path out of nested objects: (was it there, value)."""
    *parents, last = path.split(".")
    for key in parents:
        inner = body.get(key)
        if not isinstance(inner, dict):
            return False, None
        body = inner
    return (True, body.pop(last)) if last in body else (False, None)


def put(body: Json, path: str, value: Any) -> None:
    """Puts a value at a dotted path, making the objects on the way."""
    *parents, last = path.split(".")
    for key in parents:
        inner = body.get(key)
        if not isinstance(inner, dict):
            inner = body[key] = {}
        body = inner
    body[last] = value


def merge(body: Json, extra: Mapping[str, Any]) -> None:
    """Lays one object over another, object by object."""
    for key, value in extra.items():
        mine = body.get(key)
        if isinstance(mine, dict) and isinstance(value, dict):
            merge(mine, value)
        else:
            body[key] = value


def drop_empty(body: Json, *paths: str) -> None:
    """Takes out the objects at these paths in which nothing is left."""
    for path in paths:
        there, value = take(body, path)
        if there and value != {}:
            put(body, path, value)


def flatten(body: Json, moves: tuple[Move, ...]) -> Json:
    """A GA-shaped object in a flat dialect; what has no place there is left out."""
    moved = {}
    for move in moves:
        there, value = take(body, move.ga)
        if there:
            moved[move.flat] = None if value is None else move.to_flat(value)
    return moved


def nest(body: Json, moves: tuple[Move, ...], vendor_fields: frozenset[str] = frozenset()) -> Json:
    """A flat object in GA's shape; documented fields with no place there go under `vendor`."""
    rest, nested = dict(body), Json()
    for move in moves:
        if move.flat in rest:
            value = rest.pop(move.flat)
            put(nested, move.ga, None if value is None else move.to_ga(value))
    vendor = {key: rest.pop(key) for key in vendor_fields & rest.keys()}
    merge(nested, rest)
    if vendor:
        nested["vendor"] = vendor
    return nested


# --- values that are spelt differently -------------------------------------------------------------------

_FORMATS: Mapping[str, Json] = {
    "pcm16": {"type": "audio/pcm", "rate": 24000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}


def _format_to_flat(value: Any) -> Any:
    kind = value.get("type") if isinstance(value, dict) else value
    return next((flat for flat, ga in _FORMATS.items() if ga["type"] == kind), value)


def _format_to_ga(value: Any) -> Any:
    return dict(_FORMATS[value]) if isinstance(value, str) and value in _FORMATS else value


def _modalities_to_flat(value: Any) -> Any:
    return ["text", "audio"] if isinstance(value, list) and "audio" in value else value


def _modalities_to_ga(value: Any) -> Any:
    return ["audio"] if isinstance(value, list) and "audio" in value else value


# --- what each dialect can say ---------------------------------------------------------------------------

_MANY_LANGUAGES = ("gpt-transcribe", "gpt-live-transcribe")
"""The models that take `languages` and `keywords`; the others take one `language`."""
_NO_PROMPT = ("gpt-realtime-whisper",)


def _edit(body: Json, path: str, change: Callable[[Any], Any]) -> None:
    there, value = take(body, path)
    if there:
        put(body, path, change(value))


def _openai_turns(value: Any) -> Any:
    if isinstance(value, dict) and str(value.get("type")).startswith("azure_"):
        kept = ("create_response", "interrupt_response")
        return {"type": "semantic_vad", "eagerness": "auto"} | {
            key: value[key] for key in kept if key in value
        }
    return value


def _openai_noise(value: Any) -> Any:
    deep = isinstance(value, dict) and value.get("type") == "azure_deep_noise_suppression"
    return {"type": "near_field"} if deep else value


def _one_language(value: Any) -> Any:
    """Transcription for models that take one `language`."""
    if not isinstance(value, dict):
        return value
    languages = value.pop("languages", ())
    value.pop("keywords", None)
    if languages:
        value["language"] = languages[0]
    if value.get("model") in _NO_PROMPT:
        value.pop("prompt", None)
    return value


def _openai_transcription(value: Any) -> Any:
    many = isinstance(value, dict) and str(value.get("model")).startswith(_MANY_LANGUAGES)
    return value if many else _one_language(value)


def _openai_voice(body: Json) -> None:
    there, voice = take(body, "audio.output.voice")
    if there and isinstance(voice, str) and voice.startswith("voice_"):
        put(body, "audio.output.voice", {"id": voice})
    elif there and not isinstance(voice, dict) and not _is_azure_voice(voice):
        put(body, "audio.output.voice", voice)


def _is_azure_voice(voice: Any) -> bool:
    """Azure names its voices by locale ("en-US-Ava:DragonHDLatestNeural"); OpenAI's have one plain word."""
    return isinstance(voice, str) and "-" in voice and not voice.startswith("voice_")


def _fit_openai(body: Json) -> Json:
    _edit(body, "audio.input.turn_detection", _openai_turns)
    _edit(body, "audio.input.noise_reduction", _openai_noise)
    _openai_voice(body)
    take(body, "audio.input.echo_cancellation")
    drop_empty(body, "audio.input", "audio.output", "audio")
    return body


def _fit_ga(body: Json) -> Json:
    _edit(body, "audio.input.transcription", _openai_transcription)
    return _fit_openai(body)


def _fit_preview(body: Json) -> Json:
    _edit(body, "audio.input.transcription", _one_language)
    return _fit_openai(body)


def _azure_turns(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    value.pop("idle_timeout_ms", None)
    if value.get("type") == "semantic_vad":  # Works with every model there; `semantic_vad` with one family.
        value.pop("eagerness", None)
        return _AZURE_TURNS | value | {"type": "azure_semantic_vad"}
    return value


_AZURE_TURNS = {
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "remove_filler_words": False,
}


def _azure_transcription(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    out = {"model": value.get("model", "azure-speech")}
    languages = value.get("languages", ())
    own = not str(out["model"]).startswith(("gpt-", "whisper"))
    if languages:
        out["language"] = ",".join(languages) if own else languages[0]
    if own and value.get("keywords"):
        out["phrase_list"] = value["keywords"]
    return out


def _azure_voice(voice: Any) -> Any:
    return {"type": "azure-standard", "name": voice} if _is_azure_voice(voice) else voice


def _azure_echo(value: Any) -> Any:
    return {"type": "server_echo_cancellation"} if value else None


def _choice_in_a_word(value: Any) -> Any:
    """For one response it takes a word only: a tool asked for by its name becomes some tool."""
    return "required" if isinstance(value, dict) else value


def _fit_voice_live(body: Json) -> Json:
    _edit(body, "audio.input.turn_detection", _azure_turns)
    _edit(body, "audio.input.transcription", _azure_transcription)
    _edit(body, "audio.input.echo_cancellation", _azure_echo)
    _edit(body, "audio.output.voice", _azure_voice)
    _azure_speed(body)
    return body


def _azure_speed(body: Json) -> None:
    """Its own voices have a rate; a model's voice has no speed there."""
    there, speed = take(body, "audio.output.speed")
    output = body.get("audio", {}).get("output", {})
    if there and isinstance(output.get("voice"), dict):
        output["voice"]["rate"] = f"{speed:g}"


# --- the tables ------------------------------------------------------------------------------------------

_FLAT_SESSION = (
    Move("id", "id"),
    Move("object", "object"),
    Move("model", "model"),
    Move("expires_at", "expires_at"),
    Move("output_modalities", "modalities", _modalities_to_flat, _modalities_to_ga),
    Move("instructions", "instructions"),
    Move("audio.output.voice", "voice"),
    Move("audio.input.format", "input_audio_format", _format_to_flat, _format_to_ga),
    Move("audio.output.format", "output_audio_format", _format_to_flat, _format_to_ga),
    Move("audio.input.turn_detection", "turn_detection"),
    Move("audio.input.noise_reduction", "input_audio_noise_reduction"),
    Move("audio.input.transcription", "input_audio_transcription"),
    Move("tools", "tools"),
    Move("tool_choice", "tool_choice"),
    Move("max_output_tokens", "max_response_output_tokens"),
)
_FLAT_REQUEST = (
    Move("output_modalities", "modalities", _modalities_to_flat, _modalities_to_ga),
    Move("instructions", "instructions"),
    Move("metadata", "metadata"),
    Move("tools", "tools"),
)
_FLAT_RESPONSE = (
    Move("id", "id"),
    Move("object", "object"),
    Move("status", "status"),
    Move("status_details", "status_details"),
    Move("output", "output"),
    Move("conversation_id", "conversation_id"),
    Move("output_modalities", "modalities", _modalities_to_flat, _modalities_to_ga),
    Move("audio.output.voice", "voice"),
    Move("audio.output.format", "output_audio_format", _format_to_flat, _format_to_ga),
    Move("max_output_tokens", "max_output_tokens"),
    Move("metadata", "metadata"),
    Move("usage", "usage"),
)
_FLAT_SERVER_NAMES = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}
_FLAT_CONTENT = {"output_text": "text", "output_audio": "audio"}

GA = Dialect("ga", fit=_fit_ga)
"""OpenAI, Azure OpenAI (`/openai/v1/realtime`) and the servers compatible with them."""

PREVIEW = Dialect(
    "preview",
    fit=_fit_preview,
    flat=True,
    session=(*_FLAT_SESSION, Move("audio.output.speed", "speed")),
    response=_FLAT_RESPONSE,
    request=(
        *_FLAT_REQUEST,
        Move("tool_choice", "tool_choice"),
        Move("conversation", "conversation"),
        Move("input", "input"),
        Move("max_output_tokens", "max_response_output_tokens"),
    ),
    server_names=_FLAT_SERVER_NAMES,
    content=_FLAT_CONTENT,
    vendor_fields=frozenset({"temperature", "tracing", "client_secret"}),
)
"""The 2024 beta: retired at OpenAI, deprecated at Azure, still spoken by several compatible servers."""

VOICE_LIVE = Dialect(
    "voice_live",
    fit=_fit_voice_live,
    flat=True,
    session=(
        *_FLAT_SESSION,
        Move("audio.input.echo_cancellation", "input_audio_echo_cancellation"),
        Move("parallel_tool_calls", "parallel_tool_calls"),
        Move("reasoning.effort", "reasoning_effort"),
    ),
    response=_FLAT_RESPONSE,
    request=(
        *_FLAT_REQUEST,
        Move("tool_choice", "tool_choice", _choice_in_a_word),
        Move("input", "input_items"),
        Move("max_output_tokens", "max_output_tokens"),
    ),
    server_names=_FLAT_SERVER_NAMES,
    content=_FLAT_CONTENT,
    vendor_fields=frozenset(
        "agent animation appended_text_after_truncation avatar greeting handoff include"
        " input_audio_sampling_rate interim_response metadata output_audio_timestamp_types temperature"
        " truncation_strategy".split()
    ),
    vendor_events=frozenset(
        "response.animation_blendshapes.delta response.animation_blendshapes.done"
        " response.animation_viseme.delta response.animation_viseme.done response.audio_timestamp.delta"
        " response.audio_timestamp.done response.audio_transcript.annotation.added"
        " response.file_search_call.completed response.file_search_call.in_progress"
        " response.file_search_call.searching response.invocation.delta response.video.delta"
        " response.web_search_call.completed response.web_search_call.in_progress"
        " response.web_search_call.searching session.avatar.connecting session.avatar.switch_to_idle"
        " session.avatar.switch_to_speaking warning".split()
    ),
)
"""Azure Voice Live, GA 2026-07-15."""
