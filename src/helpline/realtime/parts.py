"""What Realtime events are made of: items, responses, usage, the session and what we ask of it.

GA names and fields (`openai` SDK, `types/realtime/*`); the flat dialects are brought to these in `wire.py`.
Fields that the protocol requires on the wire are built with `always`, so that a default is sent too.
"""

from typing import Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

T = TypeVar("T")


def always(value: T) -> T:
    """A default that is put on the wire nevertheless (msgspec omits plain defaults)."""
    field: T = msgspec.field(default_factory=lambda: value)
    return field


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A part of an event."""


class ContentPart(Value, frozen=True):
    """One part of a message. `type`: input_text, input_audio, input_image, output_text, output_audio."""

    type: str = always("")
    text: str | None = None
    transcript: str | None = None
    audio: bytes | None = None
    image_url: str | None = None
    detail: str | None = None


class Item(Value, frozen=True):
    """A conversation item. `type`: message, function_call, function_call_output, mcp_*, item_reference."""

    type: str = always("message")
    id: str | None = None
    object: str | None = None
    status: str | None = None
    role: str | None = None
    content: tuple[ContentPart, ...] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None
    server_label: str | None = None
    approval_request_id: str | None = None
    approve: bool | None = None
    reason: str | None = None
    error: Any = None
    tools: Any = None


class TokenDetails(Value, frozen=True):
    """Tokens by modality; `cached_tokens` are among the others, `cached_tokens_details` says of which."""

    text_tokens: int | None = always(0)
    audio_tokens: int | None = always(0)
    image_tokens: int | None = 0
    cached_tokens: int | None = 0
    cached_tokens_details: "TokenDetails | None" = None
    reasoning_tokens: int | None = 0


class Usage(Value, frozen=True):
    """Token usage; cached tokens are a subset of input tokens. Transcription may report `seconds` instead."""

    type: str | None = None
    total_tokens: int | None = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    input_token_details: TokenDetails | None = None
    output_token_details: TokenDetails | None = None
    seconds: float | None = None


class ErrorDetails(Value, frozen=True):
    """Why something failed. `event_id` names the client event at fault, but may be null even for our own."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    event_id: str | None = None


class StatusDetails(Value, frozen=True):
    """Why a response ended as it did. `reason`: turn_detected, client_cancelled, max_output_tokens, …"""

    type: str | None = None
    reason: str | None = None
    error: ErrorDetails | None = None


class Response(Value, frozen=True):
    """One answer. `status`: in_progress, completed, cancelled, failed, incomplete."""

    id: str | None = None
    object: str | None = None
    status: str | None = None
    status_details: StatusDetails | None = None
    output: tuple[Item, ...] | None = None
    conversation_id: str | None = None
    output_modalities: tuple[str, ...] | None = None
    max_output_tokens: int | str | None = None
    audio: Any = None
    metadata: dict[str, str] | None = None
    usage: Usage | None = None
    vendor: dict[str, Any] | None = None
    """What one vendor says beside GA's fields, as it came."""


class Session(Value, frozen=True):
    """The effective session as the server echoes it; `settings` of ours go out as `SessionSettings`."""

    id: str | None = None
    type: str | None = None
    object: str | None = None
    model: str | None = None
    expires_at: int | None = None
    """Unix seconds."""
    instructions: str | None = None
    output_modalities: tuple[str, ...] | None = None
    audio: Any = None
    tools: Any = None
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    reasoning: Any = None
    max_output_tokens: int | str | None = None
    truncation: Any = None
    tracing: Any = None
    include: Any = None
    prompt: Any = None
    vendor: dict[str, Any] | None = None
    """What one vendor says beside GA's fields (avatar, echo cancellation, …), as it came."""


class RateLimit(Value, frozen=True):
    name: str | None = None
    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None


class ServerVad(Value, frozen=True, tag_field="type", tag="server_vad"):
    """The vendor's voice activity detection, by energy. Nothing created or interrupted: the desk decides."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    idle_timeout_ms: int | None = None
    create_response: bool = False
    interrupt_response: bool = False


class SemanticVad(Value, frozen=True, tag_field="type", tag="semantic_vad"):
    """End of turn by meaning; waits at most 8 s (low), 4 s (medium, auto), 2 s (high).

    On Voice Live it is Azure's own semantic detection, which has no eagerness.
    """

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = False
    interrupt_response: bool = False


class EndOfUtterance(Value, frozen=True):
    """Azure's judgement, by meaning, whether a customer who pauses has finished."""

    model: str
    threshold_level: str | None = None
    """How sure it must be: low, medium, high or default."""
    timeout_ms: int | None = None
    """It waits no longer than this."""


class AzureSemanticVad(Value, frozen=True, tag_field="type", tag="azure_semantic_vad"):
    """Voice Live's own detection by speech and meaning; elsewhere it is asked for as `SemanticVad`."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    speech_duration_ms: int | None = None
    """How much speech starts a turn."""
    remove_filler_words: bool = False
    end_of_utterance_detection: EndOfUtterance | None = None
    languages: tuple[str, ...] = ()
    multilingual: bool = False
    create_response: bool = False
    interrupt_response: bool = False


TurnDetection = ServerVad | SemanticVad | AzureSemanticVad
NoiseReduction = Literal["near_field", "far_field", "azure_deep_noise_suppression"]
AudioFormat = Literal["pcm24k", "pcmu", "pcma"]


class Transcription(Value, frozen=True):
    """How the customer's speech is written down."""

    model: str = ""
    """Empty: the backend's own choice. On Azure OpenAI it is a deployment's name."""
    languages: tuple[str, ...] = ()
    """Models that take one language are given the first."""
    keywords: tuple[str, ...] = ()
    prompt: str = ""


class AzureVoice(Value, frozen=True):
    """A voice of Azure's with more than a name: one trained for a company, or one tuned. Voice Live only."""

    name: str
    endpoint_id: str | None = None
    """Where a custom voice is deployed."""
    model: str | None = None
    """What speaks with a personal voice."""
    temperature: float | None = None
    style: str | None = None

    @property
    def type(self) -> str:
        """What kind of voice it is, in the protocol's word."""
        return f"azure-{'custom' if self.endpoint_id else 'personal' if self.model else 'standard'}"


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What we ask of a session. UNSET is not sent; None switches off (turns, transcription, noise)."""

    voice: str | AzureVoice | UnsetType = UNSET
    """Once and first: a voice that changes after the first audio has the whole update refused."""
    instructions: str | UnsetType = UNSET
    output_modalities: tuple[Literal["text", "audio"], ...] | UnsetType = UNSET
    """("audio",) means audio with its transcript; ("text",) text alone."""
    turn_detection: TurnDetection | UnsetType | None = UNSET
    """None: push to talk."""
    noise_reduction: NoiseReduction | UnsetType | None = UNSET
    echo_cancellation: bool | UnsetType = UNSET
    """The server takes its own voice out of the microphone; Voice Live only."""
    transcription: Transcription | UnsetType | None = UNSET
    input_format: AudioFormat | UnsetType = UNSET
    output_format: AudioFormat | UnsetType = UNSET
    speed: float | UnsetType = UNSET
    tools: tuple[dict[str, Any], ...] | UnsetType = UNSET
    """Function tools as the protocol's JSON: {"type": "function", "name", "description", "parameters"}."""
    tool_choice: str | dict[str, Any] | UnsetType = UNSET
    reasoning_effort: str | UnsetType = UNSET
    """Only for models that reason: others refuse the whole update."""
    parallel_tool_calls: bool | UnsetType = UNSET
    max_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    truncation: str | dict[str, Any] | UnsetType = UNSET
    extra: dict[str, Any] | UnsetType = UNSET
    """Fields of one vendor, merged into the session object as they are."""


class ResponseSettings(Value, frozen=True):
    """What we ask of one response; None is not sent. `instructions` replaces the session's for this one."""

    instructions: str | None = None
    output_modalities: tuple[Literal["text", "audio"], ...] | None = None
    conversation: Literal["auto", "none"] | None = None
    metadata: dict[str, str] | None = None
    input: tuple[Item, ...] | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    tool_choice: Any = None
    max_output_tokens: int | Literal["inf"] | None = None
    extra: dict[str, Any] | None = None
    """Fields of one vendor, merged into the response object as they are."""
