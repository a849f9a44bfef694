"""The Realtime protocol's events as typed, frozen values (GA vocabulary).

Names and fields follow the protocol (`openai` SDK types `types/realtime/*`); audio is `bytes`, decoded from
base64 by the parser. Everything a compatible server may leave out has a default, and everything nullable may
be None: parse leniently. Dialects, and the JSON itself, live in `wire.py`.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an event."""


# --- parts ----------------------------------------------------------------------------------------------------


class ContentPart(Value):
    """One part of a message. `type`: input_text, input_audio, input_image, output_text, output_audio."""

    type: str = ""
    text: str | None = None
    transcript: str | None = None
    audio: bytes | None = None
    image_url: str | None = None
    detail: str | None = None


class Item(Value):
    """A conversation item. `type`: message, function_call, function_call_output, mcp_*."""

    type: str = "message"
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


class TokenDetails(Value):
    text_tokens: int | None = 0
    audio_tokens: int | None = 0
    image_tokens: int | None = 0
    cached_tokens: int | None = 0
    cached_tokens_details: "TokenDetails | None" = None
    reasoning_tokens: int | None = 0


class Usage(Value):
    """Token usage; cached tokens are a subset of input tokens. Transcription may report `seconds` instead."""

    type: str | None = None
    total_tokens: int | None = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    input_token_details: TokenDetails | None = None
    output_token_details: TokenDetails | None = None
    seconds: float | None = None


class ErrorDetails(Value):
    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    event_id: str | None = None


class StatusDetails(Value):
    type: str | None = None
    reason: str | None = None
    error: ErrorDetails | None = None


class Response(Value):
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


class Session(Value):
    """The effective session as the server echoes it; `settings` of ours go out as `SessionSettings`."""

    id: str | None = None
    type: str | None = None
    object: str | None = None
    model: str | None = None
    expires_at: int | None = None
    instructions: str | None = None
    output_modalities: tuple[str, ...] | None = None
    audio: Any = None
    tools: Any = None
    tool_choice: Any = None


class RateLimit(Value):
    name: str | None = None
    limit: int | None = None
    remaining: int | None = None
    reset_seconds: float | None = None


# --- what a server sends --------------------------------------------------------------------------------------


class ServerEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Anything a server sends."""

    event_id: str | None = None


class SessionCreated(ServerEvent, tag="session.created"):
    session: Session = Session()


class SessionUpdated(ServerEvent, tag="session.updated"):
    session: Session = Session()


class ConversationCreated(ServerEvent, tag="conversation.created"):
    conversation: Any = None


class ItemAdded(ServerEvent, tag="conversation.item.added"):
    item: Item
    previous_item_id: str | None = None


class ItemCreated(ServerEvent, tag="conversation.item.created"):
    item: Item
    previous_item_id: str | None = None


class ItemDone(ServerEvent, tag="conversation.item.done"):
    item: Item
    previous_item_id: str | None = None


class ItemDeleted(ServerEvent, tag="conversation.item.deleted"):
    item_id: str


class ItemRetrieved(ServerEvent, tag="conversation.item.retrieved"):
    item: Item


class ItemTruncated(ServerEvent, tag="conversation.item.truncated"):
    item_id: str
    audio_end_ms: int = 0
    content_index: int = 0


class TranscriptionDelta(ServerEvent, tag="conversation.item.input_audio_transcription.delta"):
    item_id: str
    delta: str | None = ""
    content_index: int | None = 0
    logprobs: Any = None


class TranscriptionCompleted(ServerEvent, tag="conversation.item.input_audio_transcription.completed"):
    item_id: str
    transcript: str | None = ""
    content_index: int | None = 0
    usage: Usage | None = None
    languages: Any = None
    logprobs: Any = None


class TranscriptionFailed(ServerEvent, tag="conversation.item.input_audio_transcription.failed"):
    item_id: str
    error: ErrorDetails | None = None
    content_index: int | None = 0


class TranscriptionSegment(ServerEvent, tag="conversation.item.input_audio_transcription.segment"):
    item_id: str
    id: str | None = None
    text: str | None = ""
    speaker: str | None = None
    start: float | None = None
    end: float | None = None
    content_index: int | None = 0


class InputCommitted(ServerEvent, tag="input_audio_buffer.committed"):
    item_id: str
    previous_item_id: str | None = None


class InputCleared(ServerEvent, tag="input_audio_buffer.cleared"):
    pass


class SpeechStarted(ServerEvent, tag="input_audio_buffer.speech_started"):
    """`item_id` is the id of the user item to come; `audio_start_ms` includes the prefix padding."""

    item_id: str
    audio_start_ms: int | None = 0


class SpeechStopped(ServerEvent, tag="input_audio_buffer.speech_stopped"):
    """`audio_end_ms` includes the silence window."""

    item_id: str
    audio_end_ms: int | None = 0


class InputTimedOut(ServerEvent, tag="input_audio_buffer.timeout_triggered"):
    item_id: str
    audio_start_ms: int | None = 0
    audio_end_ms: int | None = 0


class DtmfReceived(ServerEvent, tag="input_audio_buffer.dtmf_event_received"):
    event: str
    received_at: int | None = None


class OutputBufferStarted(ServerEvent, tag="output_audio_buffer.started"):
    response_id: str | None = None


class OutputBufferStopped(ServerEvent, tag="output_audio_buffer.stopped"):
    response_id: str | None = None


class OutputBufferCleared(ServerEvent, tag="output_audio_buffer.cleared"):
    response_id: str | None = None


class RateLimitsUpdated(ServerEvent, tag="rate_limits.updated"):
    rate_limits: tuple[RateLimit, ...] | None = None


class ResponseCreated(ServerEvent, tag="response.created"):
    response: Response = Response()


class ResponseDone(ServerEvent, tag="response.done"):
    response: Response = Response()
    usage: Usage | None = None
    """Some compatible servers put the usage here."""


class OutputItemAdded(ServerEvent, tag="response.output_item.added"):
    item: Item
    response_id: str | None = None
    output_index: int | None = 0


class OutputItemDone(ServerEvent, tag="response.output_item.done"):
    item: Item
    response_id: str | None = None
    output_index: int | None = 0


class ContentPartAdded(ServerEvent, tag="response.content_part.added"):
    item_id: str
    response_id: str | None = None
    output_index: int | None = 0
    content_index: int | None = 0
    part: ContentPart | None = None


class ContentPartDone(ServerEvent, tag="response.content_part.done"):
    item_id: str
    response_id: str | None = None
    output_index: int | None = 0
    content_index: int | None = 0
    part: ContentPart | None = None


class _ItemDelta(ServerEvent):
    item_id: str
    response_id: str | None = None
    output_index: int | None = 0
    content_index: int | None = 0


class OutputTextDelta(_ItemDelta, tag="response.output_text.delta"):
    delta: str = ""


class OutputTextDone(_ItemDelta, tag="response.output_text.done"):
    text: str | None = ""


class OutputAudioDelta(_ItemDelta, tag="response.output_audio.delta"):
    delta: bytes = b""


class OutputAudioDone(_ItemDelta, tag="response.output_audio.done"):
    pass


class OutputTranscriptDelta(_ItemDelta, tag="response.output_audio_transcript.delta"):
    delta: str = ""


class OutputTranscriptDone(_ItemDelta, tag="response.output_audio_transcript.done"):
    transcript: str | None = ""


class ArgumentsDelta(_ItemDelta, tag="response.function_call_arguments.delta"):
    call_id: str | None = None
    delta: str = ""


class ArgumentsDone(_ItemDelta, tag="response.function_call_arguments.done"):
    call_id: str | None = None
    name: str | None = None
    arguments: str = ""


class McpArgumentsDelta(_ItemDelta, tag="response.mcp_call_arguments.delta"):
    delta: str = ""
    obfuscation: str | None = None


class McpArgumentsDone(_ItemDelta, tag="response.mcp_call_arguments.done"):
    arguments: str = ""


class McpCallInProgress(ServerEvent, tag="response.mcp_call.in_progress"):
    item_id: str
    output_index: int | None = 0


class McpCallCompleted(ServerEvent, tag="response.mcp_call.completed"):
    item_id: str
    output_index: int | None = 0


class McpCallFailed(ServerEvent, tag="response.mcp_call.failed"):
    item_id: str
    output_index: int | None = 0


class McpListToolsInProgress(ServerEvent, tag="mcp_list_tools.in_progress"):
    item_id: str


class McpListToolsCompleted(ServerEvent, tag="mcp_list_tools.completed"):
    item_id: str


class McpListToolsFailed(ServerEvent, tag="mcp_list_tools.failed"):
    item_id: str


class ErrorReceived(ServerEvent, tag="error"):
    error: ErrorDetails = ErrorDetails()


class UnknownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event this version does not know: kept whole, counted, never fatal."""

    type: str
    data: dict[str, Any]
    event_id: str | None = None


# --- what a client sends --------------------------------------------------------------------------------------


class ServerVad(Value):
    """The vendor's voice activity detection, by energy. `create_response`/`interrupt_response` False: the desk decides."""

    threshold: float = 0.5
    prefix_padding_ms: int = 300
    silence_duration_ms: int = 500
    idle_timeout_ms: int | None = None
    create_response: bool = False
    interrupt_response: bool = False


class SemanticVad(Value):
    """End of turn by meaning; waits at most 8 s (low), 4 s (medium, auto), 2 s (high)."""

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = False
    interrupt_response: bool = False


class Transcription(Value):
    model: str = "gpt-transcribe"
    languages: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    prompt: str = ""


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What we ask of a session. UNSET is not sent; None switches off (turn detection, transcription, noise reduction)."""

    voice: str | UnsetType = UNSET
    instructions: str | UnsetType = UNSET
    output_modalities: tuple[Literal["text", "audio"], ...] | UnsetType = UNSET
    """("audio",) means audio with its transcript; ("text",) text alone."""
    turn_detection: ServerVad | SemanticVad | UnsetType | None = UNSET
    """None: push to talk."""
    noise_reduction: Literal["near_field", "far_field"] | UnsetType | None = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    input_format: Literal["pcm24k", "pcmu", "pcma"] | UnsetType = UNSET
    output_format: Literal["pcm24k", "pcmu", "pcma"] | UnsetType = UNSET
    speed: float | UnsetType = UNSET
    tools: tuple[dict[str, Any], ...] | UnsetType = UNSET
    """Function tools as the protocol's JSON: {"type": "function", "name", "description", "parameters"}."""
    tool_choice: str | dict[str, Any] | UnsetType = UNSET
    reasoning_effort: str | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    max_output_tokens: int | Literal["inf"] | UnsetType = UNSET
    truncation: str | dict[str, Any] | UnsetType = UNSET
    extra: dict[str, Any] | UnsetType = UNSET
    """Fields of one vendor, merged into the session object as they are."""


class ResponseSettings(Value):
    """What we ask of one response; None is not sent. `instructions` replaces the session's for this response."""

    instructions: str | None = None
    output_modalities: tuple[Literal["text", "audio"], ...] | None = None
    conversation: Literal["auto", "none"] | None = None
    metadata: dict[str, str] | None = None
    input: tuple[Item, ...] | None = None
    tools: tuple[dict[str, Any], ...] | None = None
    tool_choice: Any = None
    max_output_tokens: int | Literal["inf"] | None = None


class ClientEvent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", omit_defaults=True):
    """Anything a client sends."""

    event_id: str | None = None


class SessionUpdate(ClientEvent, tag="session.update"):
    session: SessionSettings


class InputAppend(ClientEvent, tag="input_audio_buffer.append"):
    """At most 15 MiB; never acknowledged."""

    audio: bytes


class InputCommit(ClientEvent, tag="input_audio_buffer.commit"):
    pass


class InputClear(ClientEvent, tag="input_audio_buffer.clear"):
    pass


class ItemCreate(ClientEvent, tag="conversation.item.create"):
    item: Item
    previous_item_id: str | None = None


class ItemDelete(ClientEvent, tag="conversation.item.delete"):
    item_id: str


class ItemRetrieve(ClientEvent, tag="conversation.item.retrieve"):
    item_id: str


class ItemTruncate(ClientEvent, tag="conversation.item.truncate"):
    """`audio_end_ms` beyond what the server sent is an error: clamp to min(heard, received)."""

    item_id: str
    audio_end_ms: int
    content_index: int = 0


class ResponseCreate(ClientEvent, tag="response.create"):
    response: ResponseSettings | None = None


class ResponseCancel(ClientEvent, tag="response.cancel"):
    response_id: str | None = None


class OutputBufferClear(ClientEvent, tag="output_audio_buffer.clear"):
    """WebRTC and SIP only."""
