"""The session's conversation: items in order, as a client creates, retrieves, truncates and deletes them."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

from helpline.engine.protocol import (
    MOST_TEXT,
    Json,
    Refusal,
    bounded,
    missing,
    new_id,
    one_of,
    text,
    unknown,
    wrong_type,
    wrong_value,
)

_PARTS = {
    "system": {"input_text": "text"},
    "user": {"input_text": "text", "input_audio": "audio", "input_image": "image_url"},
    "assistant": {"output_text": "text"},
}
_FIELDS = {
    "message": {"role", "content"},
    "function_call": {"name", "arguments", "call_id"},
    "function_call_output": {"call_id", "output"},
}
_COMMON = {"id", "type", "object", "status"}
_MOST_PARTS = 64
_MOST_ENCODED = 21_000_000


@dataclass(slots=True)
class Item:
    """One item: its public JSON, and what the engine knows besides."""

    body: Json
    heard: str = ""
    """A spoken item's words, also when the session did not ask for a transcription."""
    audio_ms: int = 0
    spoken: bool = False
    pcm24k: bytes = field(default=b"", repr=False)
    """Audio that a client put into an item, until it is transcribed."""

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def words(self) -> str:
        """What its text parts say."""
        parts = [part.get("text") or part.get("transcript") or "" for part in self.body.get("content", ())]
        return self.heard or " ".join(part for part in parts if part)

    @property
    def characters(self) -> int:
        """How much text it holds, images as they are encoded."""
        body = self.body
        own = len(body.get("arguments") or "") + len(body.get("output") or "")
        texts = (str(value) for part in body.get("content", ()) for value in part.values())
        return own + sum(map(len, texts))

    def cut(self, audio_end_ms: int) -> None:
        """Only this much of its audio was heard: keep the words that fit into it."""
        for part in self.body.get("content", ()):
            words = str(part.get("transcript") or "").split(" ")
            kept = words[: round(len(words) * audio_end_ms / max(self.audio_ms, 1))]
            part["transcript"] = " ".join(kept)
        self.audio_ms = audio_end_ms


class History:
    """The items, oldest first; bounded in number and in characters: the oldest make room for a new one."""

    def __init__(self, most_items: int = 2000, most_characters: int = 4_000_000) -> None:
        self._items: list[Item] = []
        self._sizes: dict[str, int] = {}
        """By id, in characters, as counted last: to count all anew for each item costs more than the item."""
        self._characters = 0
        self._most_items = most_items
        self._most_characters = most_characters

    def __iter__(self) -> "Any":
        return iter(tuple(self._items))

    @property
    def last_id(self) -> str | None:
        return self._items[-1].id if self._items else None

    def find(self, item_id: str) -> Item | None:
        return next((item for item in self._items if item.id == item_id), None)

    def before(self, item: Item) -> str | None:
        """The id of the item before this one."""
        at = self._items.index(item)
        return self._items[at - 1].id if at else None

    def add(self, item: Item, previous_item_id: str | None = None) -> None:
        """At the end, after the item named, or in front (`root`); raises Refusal."""
        if self.find(item.id) is not None:
            raise wrong_value("item.id", f"an item with ID '{item.id}' exists already.")
        if previous_item_id == "root":
            self._items.insert(0, item)
        elif previous_item_id is None:
            self._items.append(item)
        else:
            previous = self.find(previous_item_id)
            if previous is None:
                raise wrong_value("previous_item_id", f"no item with ID '{previous_item_id[:64]}'.")
            self._items.insert(self._items.index(previous) + 1, item)
        self._make_room(item)

    def _make_room(self, newest: Item) -> None:
        self.count(newest)
        if len(self._items) > self._most_items:
            self.remove(self._items[0])
        while self._characters > self._most_characters and self._items[0] is not newest:
            self.remove(self._items[0])

    def count(self, item: Item) -> None:
        """Count what it holds, now that it holds more or less; not one that is forgotten."""
        if self.find(item.id) is item:
            size = item.characters
            self._characters += size - self._sizes.get(item.id, 0)
            self._sizes[item.id] = size

    def remove(self, item: Item) -> None:
        self._items.remove(item)
        self._characters -= self._sizes.pop(item.id, 0)

    def has_call(self, call_id: str) -> bool:
        return any(
            item.body["type"] == "function_call" and item.body.get("call_id") == call_id
            for item in self._items
        )


def read_item(value: Any, path: str = "item") -> Item:
    """A client's item, checked; raises Refusal."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    if "type" not in value:
        raise missing(f"{path}.type")
    kind = one_of(*_FIELDS)(value["type"], f"{path}.type")
    for name in value:
        if name not in _COMMON | _FIELDS[kind]:
            raise unknown(f"{path}.{name[:80]}")
    item_id = text(value["id"], f"{path}.id") if value.get("id") is not None else new_id("item")
    if not 0 < len(item_id) <= 64:
        raise wrong_value(f"{path}.id", "expected 1 to 64 characters.")
    body: Json = {"id": item_id, "type": kind}
    return _message(value, body, path) if kind == "message" else _function(value, body, path)


def _function(value: Json, body: Json, path: str) -> Item:
    call = body["type"] == "function_call"
    for name in ("name", "arguments") if call else ("call_id", "output"):
        if name not in value:
            raise missing(f"{path}.{name}")
        body[name] = _bounded(value[name], f"{path}.{name}")
    if call:
        given = value.get("call_id")
        body["call_id"] = new_id("call", 16) if given is None else _bounded(given, f"{path}.call_id")
        body["status"] = "completed"
    return Item(body)


def _message(value: Json, body: Json, path: str) -> Item:
    for name in ("role", "content"):
        if name not in value:
            raise missing(f"{path}.{name}")
    role = one_of(*_PARTS)(value["role"], f"{path}.role")
    content = value["content"]
    if not isinstance(content, list):
        raise wrong_type(f"{path}.content", "an array", content)
    if len(content) > _MOST_PARTS:
        raise wrong_value(f"{path}.content", f"expected at most {_MOST_PARTS} entries.")
    parts = [_part(part, role, f"{path}.content[{at}]") for at, part in enumerate(content)]
    audio = b"".join(pcm24k for _, pcm24k in parts)
    item = Item({**body, "status": "completed", "role": role, "content": [part for part, _ in parts]})
    item.pcm24k, item.spoken, item.audio_ms = audio, bool(audio), len(audio) // 48
    return item


def _part(value: Any, role: str, path: str) -> tuple[Json, bytes]:
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    if "type" not in value:
        raise missing(f"{path}.type")
    old = role == "assistant" and value["type"] == "text"
    kind = one_of(*_PARTS[role])("output_text" if old else value["type"], f"{path}.type")
    key = _PARTS[role][kind]
    if key not in value:
        raise missing(f"{path}.{key}")
    content = _bounded(value[key], f"{path}.{key}")
    if kind == "input_audio":
        transcript = value.get("transcript")
        return {
            "type": kind,
            "transcript": transcript if isinstance(transcript, str) else None,
        }, decode_audio(content, f"{path}.audio")
    return {"type": kind, key: content}, b""


def decode_audio(encoded: str, path: str) -> bytes:
    """base64 to bytes; raises Refusal."""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(
            f"Invalid '{path}'. Expected base64-encoded audio bytes.", code="invalid_value", param=path
        ) from error


def _bounded(value: Any, path: str) -> str:
    most = _MOST_ENCODED if path.endswith(".audio") else MOST_TEXT
    return str(bounded(most)(value, path))
