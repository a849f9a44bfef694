"""What was said, and what of it was heard: PURE.

Lines stand in the order of speech, not of arrival: a customer's line takes its place when the speech starts,
its words may come after the answer's. Tool exchanges and the desk's notes stand between the lines, so that a
fresh session can be given the whole context (`rebuild`): heard text only.
"""

import re
from typing import Literal

import msgspec
from msgspec.structs import replace

from helpline.call.chinese import CHINESE
from helpline.call.shown import Caption, Speaker
from helpline.realtime.events import ContentPart, Item


class Line(msgspec.Struct, frozen=True, gc=False):
    """One utterance or one reply."""

    id: str
    speaker: Speaker
    text: str = ""
    heard: str = ""
    """The part of `text` that was heard (the customer's lines: all of it)."""
    final: bool = False
    typed: bool = False
    """Typed by the customer, or shown as text by the desk."""
    start_ms: int = 0
    """Since the start of the call."""
    end_ms: int = 0

    def caption(self) -> Caption:
        return Caption(
            self.id, self.speaker, self.text, self.heard, self.final, self.typed, self.start_ms, self.end_ms
        )


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """A tool call and its answer."""

    id: str
    """The protocol's `call_id`."""
    name: str
    arguments: str
    output: str = ""
    """JSON text; empty until answered."""


class Note(msgspec.Struct, frozen=True, gc=False):
    """Something the desk told the model."""

    id: str
    text: str


Entry = Line | Exchange | Note


MOST_ENTRIES = 2000
"""A call keeps so many in mind, the latest; hours of talk have fewer."""


class Transcript(msgspec.Struct, frozen=True, gc=False):
    entries: tuple[Entry, ...] = ()
    left_out: int = 0
    """How many entries before these were forgotten."""

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(entry for entry in self.entries if isinstance(entry, Line))

    def find(self, entry_id: str) -> Entry | None:
        for entry in reversed(self.entries):
            if entry.id == entry_id:
                return entry
        return None

    def line(self, line_id: str) -> Line | None:
        found = self.find(line_id)
        return found if isinstance(found, Line) else None


def add(transcript: Transcript, entry: Entry) -> Transcript:
    """Append an entry, or replace the one with its id where it stands."""
    entries = transcript.entries
    for index in range(len(entries) - 1, -1, -1):
        if entries[index].id == entry.id:
            return replace(transcript, entries=(*entries[:index], entry, *entries[index + 1 :]))
    if len(entries) >= MOST_ENTRIES:
        return Transcript((*entries[1:], entry), transcript.left_out + 1)
    return replace(transcript, entries=(*entries, entry))


def remove(transcript: Transcript, entry_id: str) -> Transcript:
    return replace(transcript, entries=tuple(entry for entry in transcript.entries if entry.id != entry_id))


def heard_part(text: str, heard_ms: int, received_ms: int) -> str:
    """The words of a reply that were heard, by proportion, cut before a word that was not finished.

    No server aligns text with sound, so this is an estimate that errs on the short side.
    """
    if heard_ms <= 0 or received_ms <= 0:
        return ""
    if heard_ms >= received_ms:
        return text
    if CHINESE.search(text):
        return _chinese_part(text, spoken_length(text) * heard_ms // received_ms)
    cut = len(text) * heard_ms // received_ms
    return text[:cut].rpartition(" ")[0].rstrip(" ,;:") if cut < len(text) else text


def _chinese_part(text: str, length: int) -> str:
    """So much of a text without spaces; a number of which a digit is missing was not heard."""
    for cut, character in enumerate(text):
        length -= SYLLABLE if _SYLLABLES.match(character) else 1
        if length < 0:
            return re.sub(r"[A-Za-z0-9.]+$", "", text[: max(0, cut - 1)]).rstrip(" ,;:，、；：")
    return text


SYLLABLE = 3
"""A Chinese character, or a digit that is read in Chinese, takes as long to say as so many letters."""
_SYLLABLES = re.compile(r"[\u4e00-\u9fff0-9]")


def spoken_length(text: str) -> int:
    """How long a text is when it is spoken, in letters of English."""
    if text.isascii() or not CHINESE.search(text):
        return len(text)
    return len(text) + (SYLLABLE - 1) * len(_SYLLABLES.findall(text))


def after(transcript: Transcript, entry_id: str) -> tuple[Entry, ...]:
    """The entries that stand behind one; all of them when it is not there."""
    for index, entry in enumerate(transcript.entries):
        if entry.id == entry_id:
            return transcript.entries[index + 1 :]
    return transcript.entries


def before(transcript: Transcript, entry_id: str) -> tuple[Entry, ...]:
    """The entries that stand before one; all of them when it is not there."""
    for index, entry in enumerate(transcript.entries):
        if entry.id == entry_id:
            return transcript.entries[:index]
    return transcript.entries


REBUILT_ENTRIES = 60
"""A fresh session gets this much of the past; older entries are told in one line."""

Role = Literal["user", "assistant", "system"]


def message(role: Role, text: str, item_id: str | None = None) -> Item:
    """A text message as the protocol wants it: the assistant's part is `output_text`, others `input_text`."""
    kind = "output_text" if role == "assistant" else "input_text"
    return Item(type="message", role=role, id=item_id, content=(ContentPart(type=kind, text=text),))


def quoted(text: str) -> str:
    """A sentence to speak, as the desk hands it to any model."""
    return 'Say to the customer: "' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rebuild(transcript: Transcript, without: tuple[str, ...] = ()) -> tuple[Item, ...]:
    """The items that give a fresh session the context: what the customer said and what they heard.

    `without`: lines that still sound, told when it is known how much of them was heard.
    """
    entries = tuple(entry for entry in transcript.entries if entry.id not in without)
    items: list[Item] = []
    if len(entries) > REBUILT_ENTRIES:
        items.append(message("system", "Earlier parts of this call are left out here."))
        entries = entries[-REBUILT_ENTRIES:]
    for entry in entries:
        items.extend(_items_of(entry))
    return tuple(items)


def _items_of(entry: Entry) -> tuple[Item, ...]:
    if isinstance(entry, Note):
        return (message("system", entry.text),)
    if isinstance(entry, Exchange):
        if not entry.output:
            return ()
        return (
            Item(type="function_call", call_id=entry.id, name=entry.name, arguments=entry.arguments),
            Item(type="function_call_output", call_id=entry.id, output=entry.output),
        )
    if not entry.heard:
        return ()
    return (message("user" if entry.speaker == "customer" else "assistant", entry.heard),)
