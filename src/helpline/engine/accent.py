"""The flat shape of 2024 as a compatibility mode: old clients and gateways still speak it.

A session speaks GA until its client says something flat (or its URL was a preview's); from then on every
event goes out in the old names. The tables are those of `realtime/dialects.py`.
"""

from typing import Any

from helpline.engine.protocol import Json
from helpline.realtime.dialects import PREVIEW, flatten, merge, nest

_FLAT_KEYS = {move.flat for move in PREVIEW.session} - {move.ga for move in PREVIEW.session}
_GONE = ("temperature", "client_secret", "input_audio_sampling_rate")
_NOT_SAID = "conversation.item.done"


class Accent:
    """Translates one session's events."""

    def __init__(self, *, flat: bool = False) -> None:
        self.flat = flat

    def heard(self, event: Json) -> Json:
        """A client's event in GA's shape."""
        session, response = event.get("session"), event.get("response")
        if event.get("type") == "session.update" and isinstance(session, dict):
            self.flat = self.flat or ("type" not in session and bool(_FLAT_KEYS & session.keys()))
            return {**event, "session": _nested_session(session)} if self.flat else event
        if self.flat and event.get("type") == "response.create" and isinstance(response, dict):
            return {**event, "response": _nested_request(response)}
        return event

    def said(self, event: Json) -> Json | None:
        """A server's event in the client's words; None when its dialect has no such event."""
        if not self.flat:
            return event
        if event["type"] == _NOT_SAID:
            return None
        spoken = {**event, "type": PREVIEW.server_names.get(event["type"], event["type"])}
        if "session" in event:
            session = _copy(event["session"])
            spoken["session"] = {**flatten(session, PREVIEW.session), "temperature": 0.8}
        if "response" in event:
            response = _copy(event["response"])
            response["output"] = [_flat_item(item) for item in response["output"]]
            spoken["response"] = flatten(response, PREVIEW.response)
        if "item" in event:
            spoken["item"] = {"object": "realtime.item", **_flat_item(event["item"])}
        return spoken


def _nested_session(session: Json) -> Json:
    session = {key: value for key, value in session.items() if key not in _GONE}
    detection = session.get("turn_detection")
    if isinstance(detection, dict) and detection.get("type") == "none":
        session["turn_detection"] = None
    return {"type": "realtime", **nest(session, PREVIEW.session)}


def _nested_request(response: Json) -> Json:
    response = {key: value for key, value in response.items() if key not in _GONE}
    sound: Json = {key: response.pop(key) for key in ("voice", "output_audio_format") if key in response}
    nested = nest(response, PREVIEW.request)
    merge(nested, nest(sound, PREVIEW.session))
    return nested


def _flat_item(item: Json) -> Json:
    if "content" not in item:
        return item
    return {
        **item,
        "content": [
            {**part, "type": PREVIEW.content.get(part["type"], part["type"])} for part in item["content"]
        ],
    }


def _copy(value: Any) -> Any:
    """Deep enough for `flatten`, which empties what it reads."""
    return {key: _copy(inner) if isinstance(inner, dict) else inner for key, inner in value.items()}
