"""The wire: JSON frames to typed events and back, in every dialect.

Decoding is lenient. A type this version does not know, or a known one with the wrong types in it, arrives
whole as `UnknownEvent`; fields it does not know are kept in `event.unknown`; only a frame that is not a JSON
object raises. Both vocabularies of event names are understood whatever the dialect, since servers mix them.
Encoding is strict: it says what the vendor's own types accept, and nothing that its dialect does not know.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, Union, cast

import msgspec
from pybase64 import b64decode, b64encode

from helpline.errors import RemoteError
from helpline.realtime import events as e
from helpline.realtime.dialects import GA, PREVIEW, VOICE_LIVE, Dialect, Json, flatten, merge, nest
from helpline.realtime.lenient import as_json, restore, sift
from helpline.realtime.session_json import read_response, read_session, write_response, write_session

__all__ = [
    "GA",
    "PREVIEW",
    "VOICE_LIVE",
    "BadEvent",
    "BadFrame",
    "Dialect",
    "decode",
    "decode_client",
    "dialect_of",
    "encode",
    "encode_server",
]


class BadFrame(RemoteError):
    """The other side sent a frame that is not a JSON object."""


class BadEvent(BadFrame):
    """A client sent an event that a server cannot take; the fields are those of the protocol's error."""

    def __init__(
        self, message: str, *, code: str, param: str | None = None, event_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.event_id = event_id


def _events(base: type[Any]) -> dict[str, type[Any]]:
    """Event types by their name on the wire."""
    named: list[Any] = [
        struct for struct in vars(e).values() if isinstance(struct, type) and issubclass(struct, base)
    ]
    tags = {struct: struct.__struct_config__.tag for struct in named}
    return {tag: struct for struct, tag in tags.items() if "." in tag or tag == "error"}


SERVER_EVENTS: dict[str, type[e.ServerEvent]] = _events(e.ServerEvent)
"""All server events by GA's names."""
CLIENT_EVENTS: dict[str, type[e.ClientEvent]] = _events(e.ClientEvent)
"""All client events; every dialect has the same names."""

_FLAT_NAMES = {
    flat: SERVER_EVENTS[ga] for ga, flat in VOICE_LIVE.server_names.items() if flat not in SERVER_EVENTS
} | {"transcription_session.updated": e.SessionUpdated}
_EVERY_NAME = SERVER_EVENTS | _FLAT_NAMES
_WITH_SESSION = (e.SessionCreated, e.SessionUpdated)
_WITH_RESPONSE = (e.ResponseCreated, e.ResponseDone)
_WITH_ITEM = (e.ItemAdded, e.ItemCreated, e.ItemDone, e.ItemRetrieved, e.OutputItemAdded, e.OutputItemDone)
_WITH_PART = (e.ContentPartAdded, e.ContentPartDone)

_json = msgspec.json.Decoder(dict[str, Any])
_encoder = msgspec.json.Encoder()


# --- from a server ---------------------------------------------------------------------------------------


def decode(frame: bytes | str, dialect: Dialect = GA) -> e.ServerEvent | e.UnknownEvent:
    """One frame from a server. Raises BadFrame when it is not a JSON object; nothing else."""
    if len(frame) >= _LONG and isinstance(frame, bytes):
        sound = _decode_sound(frame, dialect)
        if sound is not None:
            return sound
    try:
        event = _typed(dialect.flat).decode(frame)
    except msgspec.ValidationError:
        return _decode_leniently(frame, dialect)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame from error
    finish: Callable[[Any], e.ServerEvent] | None = _FINISH.get(type(event))
    return event if finish is None else finish(event)


_LONG = 1024
"""In bytes: a frame of less holds next to no sound."""
_SOUND_BEGINS = (b'"delta":"', b'"delta": "')
"""Unescaped quotes: in valid JSON this is a key and the beginning of its value, never part of a text."""


def _decode_sound(frame: bytes, dialect: Dialect) -> e.OutputAudioDelta | None:
    """A piece of sound: its base64 is cut out and decoded by itself, in a tenth of the parser's time.

    None for whatever is not exactly that (a field nobody knows, two deltas, a character that is not base64):
    the ordinary way has the last word on it.
    """
    for begins in _SOUND_BEGINS:
        start = frame.find(begins) + len(begins)
        if start >= len(begins):
            break
    else:
        return None
    end = frame.find(b'"', start)
    try:
        event = _typed(dialect.flat).decode(frame[:start] + frame[end:])
        finish: Callable[[Any], e.ServerEvent] | None = _FINISH.get(type(event))
        event = event if finish is None else finish(event)
        if type(event) is not e.OutputAudioDelta or event.delta:
            return None
        pcm = b64decode(memoryview(frame)[start:end], validate=True)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    msgspec.structs.force_setattr(event, "delta", pcm)  # nobody else has seen it yet
    return event


@cache
def _typed(flat: bool) -> msgspec.json.Decoder[Any]:
    """The fast path. Bodies that a flat dialect shapes differently are left to the lenient one."""
    bodies = (*_WITH_SESSION, *_WITH_RESPONSE) if flat else ()
    known = [struct for struct in SERVER_EVENTS.values() if struct not in bodies]
    return msgspec.json.Decoder(Union[(*known, *_ALIASES)])


def _alias(name: str, struct: type[e.ServerEvent]) -> type[e.ServerEvent]:
    """The same event under its flat name; it is made into the real one once it is decoded."""
    alias: Any = msgspec.defstruct(f"Flat{struct.__name__}", [], bases=(struct,), tag=name, frozen=True)
    return cast("type[e.ServerEvent]", alias)


_ALIASES = {
    _alias(name, struct): struct for name, struct in _FLAT_NAMES.items() if struct not in _WITH_SESSION
}


def _decode_leniently(frame: bytes | str, dialect: Dialect) -> e.ServerEvent | e.UnknownEvent:
    try:
        data = _json.decode(frame)
        return read(data, dialect)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame from error


def read(data: Json, dialect: Dialect = GA) -> e.ServerEvent | e.UnknownEvent:
    """A server's event that is a JSON object already (a recording, a trace)."""
    name, event_id = data.get("type"), data.get("event_id")
    event_id = event_id if isinstance(event_id, str) else None
    if not isinstance(name, str) or name not in _EVERY_NAME:
        return e.UnknownEvent(type=name if isinstance(name, str) else "", data=data, event_id=event_id)
    struct = _EVERY_NAME[name]
    known, unknown = sift(_in_ga_shape(data, struct, dialect), struct)
    known["type"] = struct.__struct_config__.tag
    try:
        event = msgspec.convert(known, struct)
    except msgspec.ValidationError as error:
        return e.UnknownEvent(type=name, data=data, event_id=event_id, problem=str(error))
    if unknown:
        event = msgspec.structs.replace(event, unknown=unknown)
    finish: Callable[[Any], e.ServerEvent] | None = _FINISH.get(struct)
    return event if finish is None else finish(event)


def _in_ga_shape(data: Json, struct: type[e.ServerEvent], dialect: Dialect) -> Json:
    if not dialect.flat:
        return data
    if struct in _WITH_SESSION and isinstance(data.get("session"), dict):
        return data | {"session": nest(data["session"], dialect.session, dialect.vendor_fields)}
    if struct in _WITH_RESPONSE and isinstance(data.get("response"), dict):
        return data | {"response": nest(data["response"], dialect.response, dialect.vendor_fields)}
    return data


# Content is spelt "text" and "audio" by the flat dialects, and by GA too in `response.content_part.*`.
_GA_CONTENT = {"text": "output_text", "audio": "output_audio"}


def _respell_part(part: e.ContentPart) -> e.ContentPart:
    name = _GA_CONTENT.get(part.type)
    return part if name is None else msgspec.structs.replace(part, type=name)


def _respell_item(item: e.Item) -> e.Item:
    if not item.content or not any(part.type in _GA_CONTENT for part in item.content):
        return item
    return msgspec.structs.replace(item, content=tuple(map(_respell_part, item.content)))


_HasItem = TypeVar("_HasItem", e.ItemCreate, e.ItemAdded)
_HasPart = TypeVar("_HasPart", e.ContentPartAdded, e.ContentPartDone)
_HasResponse = TypeVar("_HasResponse", e.ResponseCreated, e.ResponseDone)


def _finish_item(event: _HasItem) -> _HasItem:
    item = _respell_item(event.item)
    return event if item is event.item else msgspec.structs.replace(event, item=item)


def _finish_part(event: _HasPart) -> _HasPart:
    return msgspec.structs.replace(event, part=_respell_part(event.part)) if event.part else event


def _finish_response(event: _HasResponse) -> _HasResponse:
    output = tuple(map(_respell_item, event.response.output or ()))
    if output == (event.response.output or ()):
        return event
    return msgspec.structs.replace(event, response=msgspec.structs.replace(event.response, output=output))


def _finish_alias(event: e.ServerEvent) -> e.ServerEvent:
    return msgspec.convert(event, _ALIASES[type(event)], from_attributes=True)


_FINISH: dict[type[e.ServerEvent], Callable[[Any], e.ServerEvent]] = {
    **dict.fromkeys(_WITH_ITEM, _finish_item),
    **dict.fromkeys(_WITH_PART, _finish_part),
    **dict.fromkeys(_WITH_RESPONSE, _finish_response),
    **dict.fromkeys(_ALIASES, _finish_alias),
}


# --- to a server -----------------------------------------------------------------------------------------


_APPEND = b'{"type":"input_audio_buffer.append","audio":"'


def encode(event: e.ClientEvent, dialect: Dialect = GA) -> bytes:
    """One frame for a server, in its dialect."""
    if (
        type(event) is e.InputAppend and event.event_id is None
    ):  # 25 times a second, the same in every dialect
        return b"".join((_APPEND, b64encode(event.audio), b'"}'))
    match event:
        case e.SessionUpdate():
            return _encoder.encode(_head(event) | {"session": _session(event.session, dialect)})
        case e.ResponseCreate(response=e.ResponseSettings() as settings):
            return _encoder.encode(_head(event) | {"response": _request(settings, dialect)})
        case e.ItemCreate() if dialect.content:
            body = as_json(event)
            _spell_item(body["item"], dialect)
            return _encoder.encode(body)
        case _:
            return _encoder.encode(event)


def _head(event: e.ClientEvent) -> Json:
    head = {"type": event.__struct_config__.tag}
    return head if event.event_id is None else head | {"event_id": event.event_id}


def _session(settings: e.SessionSettings, dialect: Dialect) -> Json:
    body = dialect.fit(write_session(settings))
    if dialect.flat:
        body = flatten(body, dialect.session)
        if body.get("input_audio_format") == "pcm16" and dialect is VOICE_LIVE:
            body["input_audio_sampling_rate"] = 24000
    else:
        body = {"type": "realtime"} | body
    if settings.extra is not msgspec.UNSET:
        merge(body, settings.extra)
    return body


def _request(settings: e.ResponseSettings, dialect: Dialect) -> Json:
    body = write_response(settings)
    for item in body.get("input", ()):
        _spell_item(item, dialect)
    if dialect.flat:
        body = flatten(body, dialect.request)
    merge(body, settings.extra or {})
    return body


def _spell_item(item: Json, dialect: Dialect) -> None:
    for part in item.get("content") or ():
        part["type"] = dialect.content.get(part["type"], part["type"])


# --- the server's side: what the embedded engine reads and says ------------------------------------------


def decode_client(frame: bytes | str, dialect: Dialect = GA) -> e.ClientEvent:
    """One frame from a client. Raises BadFrame (not a JSON object) or BadEvent (the protocol's error)."""
    try:
        return cast(e.ClientEvent, _typed_client().decode(frame))
    except msgspec.ValidationError:
        return _decode_client_with_care(frame, dialect)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame from error


def _decode_client_with_care(frame: bytes | str, dialect: Dialect) -> e.ClientEvent:
    """Sessions, responses and items, and whatever is wrong with an event: here the fault gets its name."""
    try:
        return _read_client(_json.decode(frame), dialect)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame from error


@cache
def _typed_client() -> msgspec.json.Decoder[Any]:
    with_care = (e.SessionUpdate, e.ResponseCreate, e.ItemCreate)
    plain = [struct for struct in CLIENT_EVENTS.values() if struct not in with_care]
    return msgspec.json.Decoder(Union[(*plain,)])


def _read_client(data: Json, dialect: Dialect) -> e.ClientEvent:
    name, event_id = data.get("type"), data.get("event_id")
    event_id = event_id if isinstance(event_id, str) else None
    if not isinstance(name, str) or name not in CLIENT_EVENTS:
        known = ", ".join(f"'{one}'" for one in sorted(CLIENT_EVENTS))
        message = f"Invalid value for 'type'. Supported values are: {known}."
        raise BadEvent(message, code="invalid_value", param="type", event_id=event_id)
    try:
        return _client_event(CLIENT_EVENTS[name], data, event_id, dialect)
    except msgspec.ValidationError as error:
        raise _fault(str(error), event_id) from error


def _client_event(
    struct: type[e.ClientEvent], data: Json, event_id: str | None, dialect: Dialect
) -> e.ClientEvent:
    if struct is e.SessionUpdate:
        body = _object(data, "session")
        body = nest(body, dialect.session) if dialect.flat else body
        return e.SessionUpdate(session=read_session(body), event_id=event_id)
    if struct is e.ResponseCreate:
        if data.get("response") is None:
            return e.ResponseCreate(event_id=event_id)
        body = _object(data, "response")
        body = nest(body, dialect.request) if dialect.flat else body
        return e.ResponseCreate(response=read_response(body), event_id=event_id)
    event = msgspec.convert(data, struct)
    return _finish_item(event) if isinstance(event, e.ItemCreate) else event


def _object(data: Json, key: str) -> Json:
    if key not in data:
        raise msgspec.ValidationError(f"Object missing required field `{key}`")
    if not isinstance(data[key], dict):
        raise msgspec.ValidationError(f"Expected `object` - at `$.{key}`")
    return dict(data[key])


def _fault(problem: str, event_id: str | None) -> BadEvent:
    """The parser's complaint in the protocol's words."""
    place = re.search(r"at `\$\.?([^`]*)`", problem)
    path = place[1] if place else ""
    field = re.search(r"(missing required|contains unknown) field `([^`]*)`", problem)
    if field:
        path = f"{path}.{field[2]}".lstrip(".")
        missing = field[1].startswith("missing")
        code = "missing_required_parameter" if missing else "unknown_parameter"
        message = f"{'Missing required' if missing else 'Unknown'} parameter: '{path}'."
    else:
        code, message = "invalid_type", f"Invalid type for '{path}': {problem.split(' - at')[0]}."
    return BadEvent(message, code=code, param=path or None, event_id=event_id)


_FLAT_ONLY = {move.flat for move in PREVIEW.session} - {move.ga for move in PREVIEW.session}


def dialect_of(frame: bytes | str, otherwise: Dialect = GA) -> Dialect:
    """The dialect that a client's `session.update` is written in: PREVIEW when it is flat.

    Raises BadFrame.
    """
    try:
        session = _json.decode(frame).get("session")
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame from error
    flat = isinstance(session, dict) and "type" not in session and _FLAT_ONLY & session.keys()
    return PREVIEW if flat else otherwise


def encode_server(event: e.ServerEvent | e.UnknownEvent, dialect: Dialect = GA) -> bytes:
    """One frame for a client, in its dialect; fields that a decoder did not know go back to their places."""
    if isinstance(event, e.UnknownEvent):
        return _encoder.encode(event.data)
    if not dialect.flat and not isinstance(event, _WITH_PART) and event.unknown is None:
        return _encoder.encode(event)
    return _encoder.encode(write(event, dialect))


def write(event: e.ServerEvent, dialect: Dialect = GA) -> Json:
    """A server's event as a JSON object (a recording, a trace)."""
    body: Json = as_json(event)
    body.pop("__unknown__", None)
    body["type"] = dialect.server_names.get(body["type"], body["type"])
    if body.get("part"):
        body["part"]["type"] = _FLAT_CONTENT.get(body["part"]["type"], body["part"]["type"])
    for item in _items(body):
        _spell_item(item, dialect)
    if dialect.flat:
        _flatten_bodies(body, dialect)
    restore(body, event.unknown or {})
    return body


_FLAT_CONTENT = {ga: flat for flat, ga in _GA_CONTENT.items()}


def _items(body: Json) -> list[Json]:
    response = body.get("response") or {}
    return [item for item in (body.get("item"), *(response.get("output") or ())) if item]


def _flatten_bodies(body: Json, dialect: Dialect) -> None:
    for key, moves in (("session", dialect.session), ("response", dialect.response)):
        if key in body:
            vendor = body[key].pop("vendor", {})
            body[key] = vendor | flatten(body[key], moves)
