"""A call's own trace: every event of it, in the data folder, when the desk is set to write them.

While the call lives it holds what was said, under marked keys; when the call is over it is redacted as the
record is. Words come in pieces there, a number in many of them: the pieces of one line are read as one text.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from helpline.clock import Clock
from helpline.private import make_folder
from helpline.realtime.trace import BadTrace, Trace, open_trace
from helpline.records.redacting import Kinds
from helpline.redact import Found, apart, find_in_turns, redact_json
from helpline.settings import Settings

log = logging.getLogger(__name__)


@contextmanager
def trace_of(settings: Settings, call_id: str, clock: Clock) -> Iterator[Trace | None]:
    """A trace for this call, or None. A folder that cannot be written costs the trace, not the call."""
    folder = settings.data_dir / "traces"
    with ExitStack() as opened:
        trace = None
        if settings.trace_calls != "no":
            try:
                make_folder(folder)
                sound = settings.trace_calls == "audio"
                trace = opened.enter_context(
                    open_trace(folder / f"{call_id}.jsonl", audio=sound, clock=clock)
                )
            except (OSError, BadTrace) as error:
                log.error(
                    "call %s is not traced: its file cannot be made (%s)", call_id, type(error).__name__
                )
        yield trace


def redact_trace(settings: Settings, call_id: str, kinds: Kinds) -> None:
    """Take personal data out of the trace of a call that is over; nothing happens when there is none.

    Sound that was asked for stays as it is. What cannot be redacted is removed.
    """
    path = settings.data_dir / "traces" / f"{call_id}.jsonl"
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    fresh = path.with_suffix(".redacted")
    try:
        redacted = _redacted([msgspec.json.decode(line) for line in _whole(lines)], kinds)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.writelines(msgspec.json.encode(line) + b"\n" for line in redacted)
        fresh.replace(path)
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        log.error(
            "the trace of call %s is removed: it cannot be redacted (%s)", call_id, type(error).__name__
        )
        fresh.unlink(missing_ok=True)
        path.unlink(missing_ok=True)


def _whole(lines: list[bytes]) -> list[bytes]:
    """Without the last line when a killed process left only a part of it."""
    return lines if not lines or lines[-1].endswith(b"}") else lines[:-1]


@dataclass(slots=True)
class _Text:
    """One line of talk, in the pieces that it came in: each is a value of a line of the trace."""

    speaker: str
    group: str
    pieces: list[tuple[dict[str, Any], str]] = field(default_factory=list)

    @property
    def whole(self) -> str:
        return "".join(line[key] for line, key in self.pieces)

    def replace(self, finds: Iterable[Found]) -> None:
        """Put the kinds in the places of what was found; a find that spans pieces stands in its first."""
        at = 0
        found = sorted(finds, key=lambda each: each.start)
        for line, key in self.pieces:
            piece, parts, done = line[key], [], 0
            for each in found:
                start, end = each.start - at, each.end - at
                if end <= 0 or start >= len(piece):
                    continue
                if start >= 0:
                    parts += [piece[done:start], f"[{each.kind}]"]
                done = max(done, min(end, len(piece)))
            at += len(piece)
            line[key] = "".join(parts) + piece[done:]


def _redacted(lines: list[dict[str, Any]], kinds: Kinds) -> list[dict[str, Any]]:
    texts: dict[tuple[str, ...], _Text] = {}
    for number, line in enumerate(lines):
        for key in [key for key in line if key.startswith("pii.")]:
            if f"audio.{key.removeprefix('pii.')}" in line:
                continue
            data = _as_data(line[key])
            if data is not None:
                hidden = redact_json(data, kinds.tools)
                line[key] = msgspec.json.encode(hidden).decode() if isinstance(line[key], str) else hidden
            elif isinstance(line[key], str):
                name, text = _text_of(line.get("event", {}), key, number)
                texts.setdefault(name, text).pieces.append((line, key))
    finds: dict[int, list[Found]] = {id(text): [] for text in texts.values()}
    # The same words come in several kinds of event: each kind is a dialogue of its own.
    dialogues = [[text for text in texts.values() if text.group in _SAID]]
    for group in dict.fromkeys(text.group for text in texts.values()):
        dialogues.append([text for text in texts.values() if text.group == group])
    for dialogue in dialogues:
        turns = [(text.speaker, text.whole) for text in dialogue]
        for text, found in zip(dialogue, find_in_turns(turns, kinds.lines), strict=True):
            finds[id(text)] += found
    for text in texts.values():
        text.replace(apart(finds[id(text)]))
    return lines


_SAID = frozenset(
    {
        "conversation.item.input_audio_transcription.completed",
        "response.output_audio_transcript.done",
        "response.audio_transcript.done",
        "response.output_text.done",
        "response.text.done",
        "Typed",
    }
)
"""Each line of both once: what was asked for is known from the line before."""


def _as_data(value: Any) -> Any:
    """Arguments and results as JSON values; None for words."""
    if not isinstance(value, str):
        return value
    if value[:1] not in ("{", "["):
        return None
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _text_of(event: Mapping[str, Any], key: str, number: int) -> tuple[tuple[str, ...], _Text]:
    kind = str(event.get("type", ""))
    item = event.get("item")
    role = item.get("role") if isinstance(item, Mapping) else None
    customer = role == "user" or "input_audio_transcription" in kind or kind == "Typed"
    text = _Text("customer" if customer else "desk", kind)
    if key.endswith("/delta"):
        names = ("item_id", "response_id", "call_id", "content_index")
        return (kind, *(str(event.get(name, "")) for name in names)), text
    return (kind, str(number), key), text
