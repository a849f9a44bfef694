"""The Realtime protocol's events as typed, frozen values (GA vocabulary): 46 from servers, 11 from clients.

Names and fields follow the protocol (`openai` SDK types `types/realtime/*`); audio is `bytes`, decoded from
base64 by the parser. Everything a compatible server may leave out has a default, and everything nullable may
be None: parse leniently. What events are made of is in `parts.py`; dialects, and the JSON, in `wire.py`.
"""

from typing import Any

import msgspec

from helpline.realtime.parts import AudioFormat as AudioFormat
from helpline.realtime.parts import AzureSemanticVad as AzureSemanticVad
from helpline.realtime.parts import AzureVoice as AzureVoice
from helpline.realtime.parts import ContentPart as ContentPart
from helpline.realtime.parts import EndOfUtterance as EndOfUtterance
from helpline.realtime.parts import ErrorDetails as ErrorDetails
from helpline.realtime.parts import Item as Item
from helpline.realtime.parts import NoiseReduction as NoiseReduction
from helpline.realtime.parts import RateLimit as RateLimit
from helpline.realtime.parts import Response as Response
from helpline.realtime.parts import ResponseSettings as ResponseSettings
from helpline.realtime.parts import SemanticVad as SemanticVad
from helpline.realtime.parts import ServerVad as ServerVad
from helpline.realtime.parts import Session as Session
from helpline.realtime.parts import SessionSettings as SessionSettings
from helpline.realtime.parts import StatusDetails as StatusDetails
from helpline.realtime.parts import TokenDetails as TokenDetails
from helpline.realtime.parts import Transcription as Transcription
from helpline.realtime.parts import TurnDetection as TurnDetection
from helpline.realtime.parts import Usage as Usage
from helpline.realtime.parts import Value as Value
from helpline.realtime.parts import always

# --- what a server sends ---------------------------------------------------------------------------------


class ServerEvent(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Anything a server sends."""

    event_id: str | None = None
    unknown: dict[str, Any] | None = msgspec.field(default=None, name="__unknown__")
    """Fields this version does not know, by their path (JSON pointer), kept as they came."""


class SessionCreated(ServerEvent, frozen=True, tag="session.created"):
    session: Session = always(Session())


class SessionUpdated(ServerEvent, frozen=True, tag="session.updated"):
    session: Session = always(Session())


class ConversationCreated(ServerEvent, frozen=True, tag="conversation.created"):
    conversation: Any = None


class ItemAdded(ServerEvent, frozen=True, tag="conversation.item.added"):
    item: Item
    previous_item_id: str | None = None


class ItemCreated(ServerEvent, frozen=True, tag="conversation.item.created"):
    item: Item
    previous_item_id: str | None = None


class ItemDone(ServerEvent, frozen=True, tag="conversation.item.done"):
    item: Item
    previous_item_id: str | None = None


class ItemDeleted(ServerEvent, frozen=True, tag="conversation.item.deleted"):
    item_id: str


class ItemRetrieved(ServerEvent, frozen=True, tag="conversation.item.retrieved"):
    item: Item


class ItemTruncated(ServerEvent, frozen=True, tag="conversation.item.truncated"):
    item_id: str
    audio_end_ms: int = always(0)
    content_index: int = always(0)


class TranscriptionDelta(ServerEvent, frozen=True, tag="conversation.item.input_audio_transcription.delta"):
    item_id: str
    delta: str | None = ""
    content_index: int | None = always(0)
    logprobs: Any = None
    obfuscation: str | None = None


class TranscriptionCompleted(
    ServerEvent, frozen=True, tag="conversation.item.input_audio_transcription.completed"
):
    item_id: str
    transcript: str | None = always("")
    content_index: int | None = always(0)
    usage: Usage | None = None
    languages: Any = None
    logprobs: Any = None


class TranscriptionFailed(ServerEvent, frozen=True, tag="conversation.item.input_audio_transcription.failed"):
    item_id: str
    error: ErrorDetails | None = None
    content_index: int | None = always(0)


class TranscriptionSegment(
    ServerEvent, frozen=True, tag="conversation.item.input_audio_transcription.segment"
):
    item_id: str
    id: str | None = None
    text: str | None = always("")
    speaker: str | None = None
    start: float | None = None
    end: float | None = None
    content_index: int | None = always(0)


class InputCommitted(ServerEvent, frozen=True, tag="input_audio_buffer.committed"):
    item_id: str
    previous_item_id: str | None = None


class InputCleared(ServerEvent, frozen=True, tag="input_audio_buffer.cleared"):
    pass


class SpeechStarted(ServerEvent, frozen=True, tag="input_audio_buffer.speech_started"):
    """`item_id` is the id of the user item to come; `audio_start_ms` includes the prefix padding."""

    item_id: str
    audio_start_ms: int | None = always(0)


class SpeechStopped(ServerEvent, frozen=True, tag="input_audio_buffer.speech_stopped"):
    """`audio_end_ms` includes the silence window."""

    item_id: str
    audio_end_ms: int | None = always(0)


class InputTimedOut(ServerEvent, frozen=True, tag="input_audio_buffer.timeout_triggered"):
    item_id: str
    audio_start_ms: int | None = always(0)
    audio_end_ms: int | None = always(0)


class DtmfReceived(ServerEvent, frozen=True, tag="input_audio_buffer.dtmf_event_received"):
    event: str = always("")
    received_at: int | None = None


class OutputBufferStarted(ServerEvent, frozen=True, tag="output_audio_buffer.started"):
    response_id: str | None = None


class OutputBufferStopped(ServerEvent, frozen=True, tag="output_audio_buffer.stopped"):
    response_id: str | None = None


class OutputBufferCleared(ServerEvent, frozen=True, tag="output_audio_buffer.cleared"):
    response_id: str | None = None


class RateLimitsUpdated(ServerEvent, frozen=True, tag="rate_limits.updated"):
    rate_limits: tuple[RateLimit, ...] | None = always(())


class ResponseCreated(ServerEvent, frozen=True, tag="response.created"):
    response: Response = always(Response())


class ResponseDone(ServerEvent, frozen=True, tag="response.done"):
    response: Response = always(Response())
    usage: Usage | None = None
    """Some compatible servers put the usage here."""


class OutputItemAdded(ServerEvent, frozen=True, tag="response.output_item.added"):
    item: Item
    response_id: str | None = None
    output_index: int | None = always(0)


class OutputItemDone(ServerEvent, frozen=True, tag="response.output_item.done"):
    item: Item
    response_id: str | None = None
    output_index: int | None = always(0)


class ContentPartAdded(ServerEvent, frozen=True, tag="response.content_part.added"):
    item_id: str
    response_id: str | None = None
    output_index: int | None = always(0)
    content_index: int | None = always(0)
    part: ContentPart | None = None
    content: ContentPart | None = None
    """The part once more, under an older name: Azure OpenAI sends both."""


class ContentPartDone(ServerEvent, frozen=True, tag="response.content_part.done"):
    item_id: str
    response_id: str | None = None
    output_index: int | None = always(0)
    content_index: int | None = always(0)
    part: ContentPart | None = None
    content: ContentPart | None = None
    """The part once more, under an older name: Azure OpenAI sends both."""


class _OfItem(ServerEvent, frozen=True):
    item_id: str
    response_id: str | None = None
    output_index: int | None = always(0)
    obfuscation: str | None = None
    """Padding, so that an observer of the line cannot tell the lengths of words."""


class _OfContent(_OfItem, frozen=True):
    content_index: int | None = always(0)


class OutputTextDelta(_OfContent, frozen=True, tag="response.output_text.delta"):
    delta: str = always("")


class OutputTextDone(_OfContent, frozen=True, tag="response.output_text.done"):
    text: str | None = always("")


class OutputAudioDelta(_OfContent, frozen=True, tag="response.output_audio.delta"):
    delta: bytes = always(b"")


class OutputAudioDone(_OfContent, frozen=True, tag="response.output_audio.done"):
    pass


class OutputTranscriptDelta(_OfContent, frozen=True, tag="response.output_audio_transcript.delta"):
    delta: str = always("")


class OutputTranscriptDone(_OfContent, frozen=True, tag="response.output_audio_transcript.done"):
    transcript: str | None = always("")


class ArgumentsDelta(_OfItem, frozen=True, tag="response.function_call_arguments.delta"):
    call_id: str | None = None
    delta: str = always("")


class ArgumentsDone(_OfItem, frozen=True, tag="response.function_call_arguments.done"):
    call_id: str | None = None
    name: str | None = None
    arguments: str = always("")


class McpArgumentsDelta(_OfItem, frozen=True, tag="response.mcp_call_arguments.delta"):
    delta: str = always("")


class McpArgumentsDone(_OfItem, frozen=True, tag="response.mcp_call_arguments.done"):
    arguments: str = always("")


class McpCallInProgress(ServerEvent, frozen=True, tag="response.mcp_call.in_progress"):
    item_id: str
    output_index: int | None = always(0)


class McpCallCompleted(ServerEvent, frozen=True, tag="response.mcp_call.completed"):
    item_id: str
    output_index: int | None = always(0)


class McpCallFailed(ServerEvent, frozen=True, tag="response.mcp_call.failed"):
    item_id: str
    output_index: int | None = always(0)


class McpListToolsInProgress(ServerEvent, frozen=True, tag="mcp_list_tools.in_progress"):
    item_id: str


class McpListToolsCompleted(ServerEvent, frozen=True, tag="mcp_list_tools.completed"):
    item_id: str


class McpListToolsFailed(ServerEvent, frozen=True, tag="mcp_list_tools.failed"):
    item_id: str


class ErrorReceived(ServerEvent, frozen=True, tag="error"):
    error: ErrorDetails = always(ErrorDetails())


class UnknownEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event this version does not know, or whose fields have the wrong types: kept whole, counted."""

    type: str
    data: dict[str, Any]
    event_id: str | None = None
    problem: str = ""
    """What is wrong with it, when its type is known."""


# --- what a client sends ---------------------------------------------------------------------------------


class ClientEvent(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Anything a client sends."""

    event_id: str | None = None


class SessionUpdate(ClientEvent, frozen=True, tag="session.update"):
    session: SessionSettings


class InputAppend(ClientEvent, frozen=True, tag="input_audio_buffer.append"):
    """At most 15 MiB; never acknowledged."""

    audio: bytes


class InputCommit(ClientEvent, frozen=True, tag="input_audio_buffer.commit"):
    pass


class InputClear(ClientEvent, frozen=True, tag="input_audio_buffer.clear"):
    pass


class ItemCreate(ClientEvent, frozen=True, tag="conversation.item.create"):
    item: Item
    previous_item_id: str | None = None


class ItemDelete(ClientEvent, frozen=True, tag="conversation.item.delete"):
    item_id: str


class ItemRetrieve(ClientEvent, frozen=True, tag="conversation.item.retrieve"):
    item_id: str


class ItemTruncate(ClientEvent, frozen=True, tag="conversation.item.truncate"):
    """`audio_end_ms` beyond what the server sent is an error: clamp to min(heard, received)."""

    item_id: str
    audio_end_ms: int
    content_index: int = always(0)


class ResponseCreate(ClientEvent, frozen=True, tag="response.create"):
    response: ResponseSettings | None = None


class ResponseCancel(ClientEvent, frozen=True, tag="response.cancel"):
    response_id: str | None = None


class OutputBufferClear(ClientEvent, frozen=True, tag="output_audio_buffer.clear"):
    """WebRTC and SIP only."""
